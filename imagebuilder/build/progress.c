/* SPDX-License-Identifier: Apache-2.0 */
/* A build as it is shown: lines for people, or JSON. */
#include "build/progress.h"

#include <stdio.h>

#include "data/jsonw.h"
#include "plan/report.h"

#define EVENT_MAX (64 * 1024)
#define COLUMNS   100

static void event_end(struct strbuf *out, struct jsonw *w)
{
	jsonw_end(w, '}');
	fprintf(stdout, "%s\n", out->data);
	fflush(stdout);
}

static void event_step(struct progress *p, const char *step, const char *key, const char *state,
                       uint64_t ns)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, EVENT_MAX);
	struct jsonw w = {.out = &out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "event", "step");
	jsonw_u64(&w, "n", p->n);
	jsonw_u64(&w, "of", p->of);
	jsonw_str(&w, "step", step);
	jsonw_str(&w, "state", state);
	jsonw_str(&w, "key", key);
	jsonw_u64(&w, "ns", ns);
	event_end(&out, &w);
}

static const char *elapsed(uint64_t ns, struct arena *a)
{
	struct strbuf b = STRBUF(a, 64);

	report_elapsed(ns, &b);
	return b.data;
}

void progress_running(struct progress *p, const char *step, const char *key)
{
	p->n++;
	if (p->json)
		event_step(p, step, key, "running", 0);
	else if (p->terminal && !p->quiet)
		printf("[%2zu/%zu] running  %.*s\r", p->n, p->of, COLUMNS - 20, step);
	fflush(stdout);
}

void progress_done(struct progress *p, const char *step, const char *key, const char *state,
                   uint64_t ns)
{
	scope_arena struct arena *a = arena_new();

	if (str_eq(state, "cached"))
		p->cached++;
	else if (str_eq(state, "built"))
		p->built++;
	if (p->json) {
		event_step(p, step, key, state, ns);
		return;
	}
	if (p->quiet)
		return;
	printf("%s[%2zu/%zu] %-8s %s", p->terminal ? "\r\033[K" : "", p->n, p->of, state, step);
	if (!str_eq(state, "cached"))
		printf("  (%s)", elapsed(ns, a));
	printf("\n");
	fflush(stdout);
}

void progress_output(struct progress *p, const char *path, const char *state, uint64_t ns)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, EVENT_MAX);
	struct jsonw w = {.out = &out};

	if (!p->json) {
		if (!p->quiet)
			printf("%s %s  (%s)\n", state, path, elapsed(ns, a));
		return;
	}
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "event", "output");
	jsonw_str(&w, "path", path);
	jsonw_str(&w, "state", state);
	jsonw_u64(&w, "ns", ns);
	event_end(&out, &w);
}

void progress_end(struct progress *p, const char *key, uint64_t ns)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, EVENT_MAX);
	struct jsonw w = {.out = &out};

	if (!p->json) {
		if (!p->quiet)
			printf("done: %zu built, %zu cached, %s\n", p->built, p->cached,
			       elapsed(ns, a));
		return;
	}
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "event", "done");
	jsonw_str(&w, "key", key);
	jsonw_u64(&w, "built", p->built);
	jsonw_u64(&w, "cached", p->cached);
	jsonw_u64(&w, "ns", ns);
	event_end(&out, &w);
}

static void event_failed(const struct progress *p, const char *step, const struct layer *l,
                         unsigned first)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, EVENT_MAX);
	struct jsonw w = {.out = &out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "event", "failed");
	jsonw_str(&w, "step", step);
	jsonw_str(&w, "tree", l->tree);
	jsonw_str(&w, "log", arena_printf(a, "%s/log", l->dir));
	jsonw_str(&w, "look", p->look);
	jsonw_begin(&w, "lines", '[');
	for (unsigned i = first; i < l->tail_n; i++)
		jsonw_str(&w, NULL, l->tail[i % LAYER_LOG_TAIL]);
	jsonw_end(&w, ']');
	event_end(&out, &w);
}

void progress_failed(struct progress *p, const char *step, const struct layer *l, uint64_t ns)
{
	unsigned first = l->tail_n > LAYER_LOG_TAIL ? l->tail_n - LAYER_LOG_TAIL : 0;

	progress_done(p, step, l->key, "failed", ns);
	if (p->json)
		event_failed(p, step, l, first);
	fflush(stdout);
	for (unsigned i = first; i < l->tail_n; i++)
		fprintf(stderr, "  | %s\n", l->tail[i % LAYER_LOG_TAIL]);
	fprintf(stderr, "  what it changed: %s\n  its log:         %s/log\n", l->tree, l->dir);
	fprintf(stderr, "  to look inside:  %s\n", p->look);
}
