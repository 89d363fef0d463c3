/* SPDX-License-Identifier: Apache-2.0 */
/* Prints answers and failures as ParallelCluster does. */
#include "compat/answer_own.h"

#include <errno.h>
#include <stdio.h>

#include "compat/query.h"
#include "data/json.h"

/* ---- an object of one member ---- */

int answer_object(struct arena *a, const char *key, const char *value, int status)
{
	struct strbuf out = STRBUF(a, ANSWER_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, key, value);
	jsonw_end(&w, '}');
	puts(out.data);
	return fflush(stdout) == 0 ? status : ANSWER_FAILED;
}

/* ---- failures ---- */

static const char *gone(struct arena *a, const char *cluster)
{
	return arena_printf(a,
	                    "Cluster '%s' does not exist or belongs to an incompatible "
	                    "ParallelCluster major version.",
	                    cluster);
}

static const char *incompatible(struct arena *a, const char *cluster)
{
	return arena_printf(a,
	                    "Bad Request: Cluster '%s' belongs to an incompatible ParallelCluster "
	                    "major version.",
	                    cluster);
}

/* "...(UPDATE_IN_PROGRESS): ...": the state in which a stack can't be changed. */
static const char *busy(struct arena *a, const char *text)
{
	const char *at = strchr(text, '(');
	size_t len = at ? strcspn(at + 1, ")") : 0;

	return arena_printf(a, "Cannot execute update while stack is in %.*s status.", (int)len,
	                    at ? at + 1 : "");
}

bool answer_of_region(const struct err *e)
{
	return strstr(e->text, "and --region says") != NULL;
}

static const char *words_of(const struct compat *c, const struct err *e, struct arena *a)
{
	if (e->kind == ERR_ABSENT && strstr(e->text, "there is no such stack"))
		return gone(a, c->cluster);
	if (e->reason == REASON_AWS_CONFLICT && c->creates)
		return arena_printf(a, "Bad Request: Cluster %s already exists.", c->cluster);
	if (e->reason == REASON_AWS_CONFLICT && c->cluster)
		return incompatible(a, c->cluster);
	if (e->kind == ERR_BUSY && e->reason == REASON_AWS_STATE)
		return busy(a, e->text);
	if (answer_of_region(e))
		return "Bad Request: region is set in both parameter and configuration and "
		       "conflicts.";
	if (strstr(e->text, "no region"))
		return "Bad Request: region needs to be set";
	if (c->config && e->no == EEXIST)
		return arena_printf(a,
		                    "A file/folder exists at %s. Please specify a different file "
		                    "path",
		                    c->config);
	if (e->no == EALREADY || ((e->kind == ERR_INPUT || e->kind == ERR_USAGE) && !c->config))
		return arena_printf(a, "Bad Request: %s", e->text);
	return e->text;
}

int answer_failure(const struct program *p, const struct err *e)
{
	const struct compat *c = (const struct compat *)p;

	return answer_object(p->arena, "message", words_of(c, e, p->arena), ANSWER_FAILED);
}

int answer_words(const struct program *p, const struct err *e)
{
	const struct compat *c = (const struct compat *)p;

	if (c->cluster)
		fprintf(stderr, "ERROR: Unable to connect to the cluster %s.\n", c->cluster);
	fprintf(stderr, "%s%s\n", c->cluster ? "" : "ERROR: ", words_of(c, e, p->arena));
	return ANSWER_FAILED;
}

/* ---- answers ---- */

void answer_doc(struct jsonw *w, const char *key, const struct doc *d)
{
	bool map = d->type == DOC_MAP;

	if (d->type == DOC_SCALAR || d->type == DOC_NULL) {
		jsonw_str(w, key, d->type == DOC_NULL ? NULL : d->text);
		return;
	}
	jsonw_begin(w, key, map ? '{' : '[');
	for (size_t i = 0; i < d->n; i++)
		answer_doc(w, map ? d->keys[i]->text : NULL, d->items[i]);
	jsonw_end(w, map ? '}' : ']');
}

/* What is false to Python isn't printed. */
static bool is_something(const struct doc *d)
{
	return d && d->type != DOC_NULL && (d->type == DOC_SCALAR ? *d->text != '\0' : d->n > 0);
}

int answer_print(struct life *l, const char *json)
{
	const struct compat *c = (const struct compat *)l;
	struct arena *a = l->program.arena;
	struct strbuf out = STRBUF(a, ANSWER_MAX);
	struct jsonw w = {.out = &out, .pretty = true};
	const struct doc *found;
	struct doc *d;
	struct err e;

	if (!c->query) {
		puts(json);
		return 0;
	}
	if (json_parse("answer", (struct blob){json, strlen(json)}, a, &d, &e) < 0 ||
	    query_search(c->query, d, a, &found, &e) < 0)
		return program_fail(&l->program, &e);
	if (!is_something(found))
		return 0;
	answer_doc(&w, NULL, found);
	puts(out.data);
	return 0;
}
