/* SPDX-License-Identifier: Apache-2.0 */
/* diff: prints how two images differ, one difference a line. */
#include <stdio.h>

#include "data/jsonw.h"
#include "look/compare.h"
#include "verb/verb.h"

#define DIFFERENT 10 /* the exit status */
#define DIFF_MS   3600000
#define TEXT_MAX  (4UL << 20)

static const char *const states[] = {
        [COMPARE_ADDED] = "added", [COMPARE_REMOVED] = "removed", [COMPARE_CHANGED] = "changed"};

static void tell_json(const struct compare_difference *d, struct strbuf *b)
{
	struct jsonw w = {.out = b};

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
	jsonw_str(&w, "of", d->of);
	jsonw_str(&w, "state", states[d->state]);
	jsonw_str(&w, "name", d->name);
	jsonw_begin(&w, "changes", '{');
	for (size_t i = 0; i < d->n; i++) {
		jsonw_begin(&w, d->changes[i].what, '{');
		jsonw_str(&w, "from", d->changes[i].from);
		jsonw_str(&w, "to", d->changes[i].to);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
}

static void add_shown(struct strbuf *b, const char *text)
{
	char shown[1024];

	strbuf_str(b, str_escape(text, strlen(text), shown, sizeof shown));
}

static void tell_text(const struct compare_difference *d, struct strbuf *b)
{
	strbuf_printf(b, "%s %-7s ", (const char *const[]){"+", "-", "~"}[d->state], d->of);
	add_shown(b, d->name);
	for (size_t i = 0; i < d->n; i++) {
		const struct compare_change *c = &d->changes[i];

		if (!c->from || !c->to) {
			strbuf_char(b, ' ');
			add_shown(b, c->from ? c->from : c->to);
			continue;
		}
		strbuf_printf(b, "%s %s ", i ? "," : ":", c->what);
		add_shown(b, *c->from ? c->from : "none");
		strbuf_str(b, " -> ");
		add_shown(b, *c->to ? c->to : "none");
	}
}

static void tell(void *ctx, const struct compare_difference *d)
{
	const struct image *g = ctx;
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, TEXT_MAX);

	if (g->program.quiet)
		return;
	(g->program.json ? tell_json : tell_text)(d, &b);
	puts(b.data);
}

static int open_both(struct image *g, struct inspect_space *space, struct inspect *pair,
                     struct err *e)
{
	uint64_t deadline = clock_in_ms(DIFF_MS);
	int r = inspect_open(g->program.line.operands[0], space, "a", deadline, &pair[0], e);

	if (r < 0)
		return r;
	return inspect_open(g->program.line.operands[1], space, "b", deadline, &pair[1], e);
}

static int compare_both(struct image *g, struct inspect_space *space, struct inspect *pair,
                        struct compare *c, struct err *e)
{
	int r = open_both(g, space, pair, e);

	if (r < 0)
		return r;
	r = compare_disks(c, e);
	if (r < 0)
		return r;
	r = compare_packages(c, e);
	if (r < 0)
		return r;
	return compare_files(c, e);
}

static int diff(struct image *g)
{
	const char *store = g->opt.store ? g->opt.store : STORE_DEFAULT;
	scope_inspect_space struct inspect_space space = INSPECT_SPACE_INIT(store);
	struct inspect *pair =
	        arena_array(g->program.arena, 2, sizeof *pair); /* too large for the stack */
	struct compare c = {
	        .a = &pair[0], .b = &pair[1], .tell = tell, .ctx = g, .arena = g->program.arena};
	struct err e;

	pair[0] = pair[1] = (struct inspect)INSPECT_INIT;
	int r = compare_both(g, &space, pair, &c, &e);
	inspect_close(&pair[0]);
	inspect_close(&pair[1]);
	if (r < 0)
		return program_fail(&g->program, &e);
	return c.n ? DIFFERENT : 0;
}

int verb_diff(void *program)
{
	return image_guarded(program, diff);
}
