/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON. */
#include "data/jsonw.h"

#include <inttypes.h>

static void line(struct jsonw *w)
{
	if (!w->pretty || !w->out->len)
		return;
	strbuf_char(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		strbuf_str(w->out, "  ");
}

static void start(struct jsonw *w, const char *key)
{
	if (w->comma)
		strbuf_char(w->out, ',');
	line(w);
	w->comma = true;
	if (!key)
		return;
	strbuf_json(w->out, key);
	strbuf_str(w->out, w->pretty ? ": " : ":");
}

void jsonw_begin(struct jsonw *w, const char *key, char bracket)
{
	start(w, key);
	strbuf_char(w->out, bracket);
	w->comma = false;
	w->depth++;
}

void jsonw_end(struct jsonw *w, char bracket)
{
	w->depth--;
	if (w->comma)
		line(w);
	strbuf_char(w->out, bracket);
	w->comma = true;
}

void jsonw_str(struct jsonw *w, const char *key, const char *value)
{
	start(w, key);
	if (value)
		strbuf_json(w->out, value);
	else
		strbuf_str(w->out, "null");
}

void jsonw_u64(struct jsonw *w, const char *key, uint64_t value)
{
	start(w, key);
	strbuf_printf(w->out, "%" PRIu64, value);
}

void jsonw_bool(struct jsonw *w, const char *key, bool value)
{
	start(w, key);
	strbuf_str(w->out, value ? "true" : "false");
}
