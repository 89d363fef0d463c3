/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the progress of a build: lines for people, or events. */
#include "build/progress.h"

#include "plan/report.h"

static const char *elapsed(uint64_t ns, struct arena *a)
{
	struct strbuf b = STRBUF(a, 64);

	report_elapsed(ns, &b);
	return b.data;
}

void progress_open(struct progress *p, const struct program *program, const char *look)
{
	*p = (struct progress){.look = look, .verbose = program->verbose};
	feed_open(&p->feed, program, stdout);
}

void progress_close(struct progress *p)
{
	feed_close(&p->feed);
}

static void event_step(struct progress *p, const char *step, const char *key, const char *state,
                       uint64_t ns)
{
	struct jsonw *w = feed_begin(&p->feed, "step");

	jsonw_u64(w, "n", p->n);
	jsonw_u64(w, "of", p->of);
	jsonw_str(w, "step", step);
	jsonw_str(w, "state", state);
	jsonw_str(w, "key", key);
	jsonw_u64(w, "ns", ns);
	feed_end(&p->feed);
}

void progress_running(struct progress *p, const char *step, const char *key)
{
	p->n++;
	p->running = step;
	p->began = clock_now();
	if (p->feed.json)
		event_step(p, step, key, "running", 0);
	else
		feed_passing(&p->feed, "[%2zu/%zu] running  %s", p->n, p->of, step);
}

#define EVENT_MS 1000

void progress_said(void *progress, const char *line)
{
	struct progress *p = progress;
	scope_arena struct arena *a = arena_new();
	uint64_t ns = clock_now() - p->began;

	if (!p->feed.json && p->of) {
		feed_passing(&p->feed, "[%2zu/%zu] %s  %s  %s", p->n, p->of, p->running,
		             elapsed(ns, a), line);
		return;
	}
	if (!p->feed.json) {
		feed_passing(&p->feed, "%s  %s  %s", p->running, elapsed(ns, a), line);
		return;
	}
	if (!clock_passed(p->pause))
		return;
	p->pause = clock_in_ms(EVENT_MS);
	struct jsonw *w = feed_begin(&p->feed, "said");
	jsonw_str(w, "step", p->running);
	jsonw_u64(w, "elapsed_ns", ns);
	jsonw_str(w, "line", line);
	feed_end(&p->feed);
}

void progress_phase(struct progress *p, const char *what)
{
	p->feed.pause = 0;
	feed_passing(&p->feed, "%s", what);
	if (!p->feed.json)
		return;
	struct jsonw *w = feed_begin(&p->feed, "phase");
	jsonw_str(w, "what", what);
	feed_end(&p->feed);
}

void progress_work(struct progress *p, const char *what)
{
	p->running = what;
	p->began = clock_now();
	p->pause = 0;
	progress_phase(p, what);
}

void progress_done(struct progress *p, const char *step, const char *key, const char *state,
                   uint64_t ns)
{
	scope_arena struct arena *a = arena_new();

	if (str_eq(state, "cached"))
		p->cached++;
	else if (str_eq(state, "built"))
		p->built++;
	if (p->feed.json)
		event_step(p, step, key, state, ns);
	else if (str_eq(state, "cached"))
		feed_line(&p->feed, "[%2zu/%zu] %-8s %s", p->n, p->of, state, step);
	else
		feed_line(&p->feed, "[%2zu/%zu] %-8s %s  (%s)", p->n, p->of, state, step,
		          elapsed(ns, a));
}

void progress_output(struct progress *p, const char *path, const char *state, uint64_t ns)
{
	scope_arena struct arena *a = arena_new();

	feed_line(&p->feed, "%s %s  (%s)", state, path, elapsed(ns, a));
	if (!p->feed.json)
		return;
	struct jsonw *w = feed_begin(&p->feed, "output");
	jsonw_str(w, "path", path);
	jsonw_str(w, "state", state);
	jsonw_u64(w, "ns", ns);
	feed_end(&p->feed);
}

void progress_end(struct progress *p, const char *key, uint64_t ns)
{
	scope_arena struct arena *a = arena_new();

	feed_line(&p->feed, "done: %zu built, %zu cached, %s", p->built, p->cached, elapsed(ns, a));
	if (!p->feed.json)
		return;
	struct jsonw *w = feed_begin(&p->feed, "done");
	jsonw_str(w, "key", key);
	jsonw_u64(w, "built", p->built);
	jsonw_u64(w, "cached", p->cached);
	jsonw_u64(w, "ns", ns);
	feed_end(&p->feed);
}

static void event_failed(struct progress *p, const char *step, const struct layer *l, bool has_tree,
                         unsigned first)
{
	scope_arena struct arena *a = arena_new();
	struct jsonw *w = feed_begin(&p->feed, "failed");

	jsonw_str(w, "step", step);
	if (has_tree)
		jsonw_str(w, "tree", l->tree);
	jsonw_str(w, "log", arena_printf(a, "%s/log", l->dir));
	if (has_tree)
		jsonw_str(w, "look", p->look);
	jsonw_begin(w, "lines", '[');
	for (unsigned i = first; i < l->tail_n; i++)
		jsonw_str(w, NULL, l->tail[i % LAYER_LOG_TAIL]);
	jsonw_end(w, ']');
	feed_end(&p->feed);
}

void progress_failed(struct progress *p, const char *step, const struct layer *l, bool has_tree,
                     uint64_t ns)
{
	unsigned first = l->tail_n > LAYER_LOG_TAIL ? l->tail_n - LAYER_LOG_TAIL : 0;

	progress_done(p, step, l->key, "failed", ns);
	if (p->feed.json)
		event_failed(p, step, l, has_tree, first);
	for (unsigned i = first; i < l->tail_n; i++)
		fprintf(stderr, "  | %s\n", l->tail[i % LAYER_LOG_TAIL]);
	if (has_tree)
		fprintf(stderr, "  what it changed: %s\n", l->tree);
	fprintf(stderr, "  its log:         %s/log\n", l->dir);
	if (has_tree)
		fprintf(stderr, "  to look inside:  %s\n", p->look);
}
