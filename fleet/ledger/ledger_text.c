/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's records as text. */
#include "ledger/ledger_own.h"

static struct jsonw begin(struct strbuf *out, const char *is)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "is", is);
	return w;
}

static const char *end(struct jsonw *w, int64_t at)
{
	jsonw_u64(w, "at", at > 0 ? (uint64_t)at : 0);
	jsonw_end(w, '}');
	return w->out->data;
}

static void maybe(struct jsonw *w, const char *key, const char *value)
{
	if (value)
		jsonw_str(w, key, value);
}

static void put_owner(struct jsonw *w, const struct ledger_owner *owner)
{
	maybe(w, "job", owner->job);
	maybe(w, "user", owner->user);
	maybe(w, "account", owner->account);
}

const char *ledger_text_wanted(const char *const *nodes, size_t n, const struct ledger_owner *owner,
                               bool whole, int64_t at, struct arena *a)
{
	struct strbuf out = STRBUF(a, RECORDS_TEXT_MAX + 1);
	struct jsonw w = begin(&out, "wanted");

	jsonw_str(&w, "nodes", hostlist_print(nodes, n, a));
	put_owner(&w, owner);
	jsonw_bool(&w, "whole", whole);
	return end(&w, at);
}

const char *ledger_text_asked(const struct ledger_ask *ask, int64_t at, struct arena *a)
{
	struct strbuf out = STRBUF(a, RECORDS_TEXT_MAX + 1);
	struct jsonw w = begin(&out, "asked");

	jsonw_str(&w, "token", ask->token);
	jsonw_str(&w, "nodes", hostlist_print(ask->nodes, ask->n, a));
	jsonw_str(&w, "type", ask->type);
	jsonw_str(&w, "subnet", ask->subnet);
	maybe(&w, "market", ask->market);
	maybe(&w, "queue", ask->queue);
	maybe(&w, "shape", ask->shape);
	put_owner(&w, &ask->owner);
	jsonw_bool(&w, "whole", ask->whole);
	return end(&w, at);
}

const char *ledger_text_got(const char *token, const char *const *ids, size_t n, int64_t at,
                            struct arena *a)
{
	struct strbuf out = STRBUF(a, RECORDS_TEXT_MAX + 1);
	struct jsonw w = begin(&out, "got");

	jsonw_str(&w, "token", token);
	jsonw_begin(&w, "ids", '[');
	for (size_t i = 0; i < n; i++)
		jsonw_str(&w, NULL, ids[i]);
	jsonw_end(&w, ']');
	return end(&w, at);
}

const char *ledger_text_failed(const struct ledger_launch *f, int64_t at, struct arena *a)
{
	struct strbuf out = STRBUF(a, RECORDS_TEXT_MAX + 1);
	struct jsonw w = begin(&out, "failed");

	jsonw_str(&w, "token", f->token);
	jsonw_str(&w, "cause", f->cause);
	jsonw_str(&w, "code", f->code);
	jsonw_str(&w, "request", f->request);
	jsonw_str(&w, "why", f->why);
	return end(&w, at);
}

const char *ledger_text_unwanted(const char *const *nodes, size_t n, const char *why, int64_t at,
                                 struct arena *a)
{
	struct strbuf out = STRBUF(a, RECORDS_TEXT_MAX + 1);
	struct jsonw w = begin(&out, "unwanted");

	jsonw_str(&w, "nodes", hostlist_print(nodes, n, a));
	jsonw_str(&w, "why", why);
	return end(&w, at);
}

const char *ledger_text_ended(const char *id, const char *why, int64_t at, struct arena *a)
{
	struct strbuf out = STRBUF(a, RECORDS_TEXT_MAX + 1);
	struct jsonw w = begin(&out, "ended");

	jsonw_str(&w, "id", id);
	jsonw_str(&w, "why", why);
	return end(&w, at);
}

const char *ledger_text_mode(bool stopped, int64_t at, struct arena *a)
{
	struct strbuf out = STRBUF(a, RECORDS_TEXT_MAX + 1);
	struct jsonw w = begin(&out, "mode");

	jsonw_bool(&w, "stopped", stopped);
	return end(&w, at);
}
