/* SPDX-License-Identifier: Apache-2.0 */
/* Prints answers and failures as ParallelCluster does. */
#include "compat/answer.h"

#include <errno.h>
#include <stdio.h>

#include "compat/compat.h"
#include "compat/query.h"
#include "data/json.h"
#include "data/jsonw.h"

#define FAILED     1
#define OUTPUT_MAX (64UL << 20)

/* ---- an object of one member ---- */

int answer_object(struct arena *a, const char *key, const char *value, int status)
{
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, key, value);
	jsonw_end(&w, '}');
	puts(out.data);
	return fflush(stdout) == 0 ? status : FAILED;
}

/* ---- failures ---- */

static const char *gone(struct arena *a, const char *cluster)
{
	return arena_printf(a,
	                    "Cluster '%s' does not exist or belongs to an incompatible "
	                    "ParallelCluster major version.",
	                    cluster);
}

static const char *words_of(const struct compat *c, const struct err *e, struct arena *a)
{
	if (e->kind == ERR_ABSENT && strstr(e->text, "there is no such stack"))
		return gone(a, c->cluster);
	if (e->reason == REASON_AWS_CONFLICT && c->cluster)
		return arena_printf(a,
		                    "Bad Request: Cluster '%s' belongs to an incompatible "
		                    "ParallelCluster major version.",
		                    c->cluster);
	if (strstr(e->text, "no region"))
		return "Bad Request: region needs to be set";
	if (c->config && e->no == EEXIST)
		return arena_printf(a,
		                    "A file/folder exists at %s. Please specify a different file "
		                    "path",
		                    c->config);
	if ((e->kind == ERR_INPUT || e->kind == ERR_USAGE) && !c->config)
		return arena_printf(a, "Bad Request: %s", e->text);
	return e->text;
}

int answer_failure(const struct program *p, const struct err *e)
{
	const struct compat *c = (const struct compat *)p;

	return answer_object(p->arena, "message", words_of(c, e, p->arena), FAILED);
}

int answer_words(const struct program *p, const struct err *e)
{
	const struct compat *c = (const struct compat *)p;

	if (c->cluster)
		fprintf(stderr, "ERROR: Unable to connect to the cluster %s.\n", c->cluster);
	fprintf(stderr, "%s%s\n", c->cluster ? "" : "ERROR: ", words_of(c, e, p->arena));
	return FAILED;
}

/* ---- answers ---- */

static void write_doc(struct jsonw *w, const char *key, const struct doc *d)
{
	bool map = d->type == DOC_MAP;

	if (d->type == DOC_SCALAR || d->type == DOC_NULL) {
		jsonw_str(w, key, d->type == DOC_NULL ? NULL : d->text);
		return;
	}
	jsonw_begin(w, key, map ? '{' : '[');
	for (size_t i = 0; i < d->n; i++)
		write_doc(w, map ? d->keys[i]->text : NULL, d->items[i]);
	jsonw_end(w, map ? '}' : ']');
}

/* What is false to Python isn't printed. */
static bool is_something(const struct doc *d)
{
	return d && d->type != DOC_NULL && (d->type == DOC_SCALAR ? *d->text != '\0' : d->n > 0);
}

static int print(struct life *l, const char *json)
{
	const struct compat *c = (const struct compat *)l;
	struct arena *a = l->program.arena;
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
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
	write_doc(&w, NULL, found);
	puts(out.data);
	return 0;
}

const struct life_voice answer_voice = {.version = COMPAT_VERSION, .whole = true, .print = print};
