/* SPDX-License-Identifier: Apache-2.0 */
/* verify: runs an image's checks, and prints one a line. */
#include <stdio.h>

#include "build/intent.h"
#include "build/progress.h"
#include "data/jsonw.h"
#include "look/verify.h"
#include "verb/verb.h"

#define FAULTY    5 /* the exit status: integrity */
#define VERIFY_MS 3600000
#define TEXT_MAX  (64 * 1024) /* a path, with each byte escaped */

static const char *const states[] = {
        [VERIFY_OK] = "ok", [VERIFY_FAULT] = "fault", [VERIFY_NOTE] = "note"};

/* What the checks tell goes through the line that shows what is being checked. */
struct telling {
	struct image *image;
	struct progress progress;
};

static void tell(void *ctx, const char *check, enum verify_state state, const char *what)
{
	struct telling *t = ctx;
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, TEXT_MAX);
	struct jsonw w = {.out = &b};
	char shown[1024];

	if (t->image->program.json) {
		jsonw_begin(&w, NULL, '{');
		jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
		jsonw_str(&w, "check", check);
		jsonw_str(&w, "state", states[state]);
		jsonw_str(&w, "what", what);
		jsonw_end(&w, '}');
		puts(b.data);
		return;
	}
	str_escape(what, strlen(what), shown, sizeof shown);
	if (!t->image->program.quiet)
		feed_line(&t->progress.feed, "%-6s %-16s %s", states[state], check, shown);
	else if (state == VERIFY_FAULT)
		printf("%-6s %-16s %s\n", states[state], check, shown);
}

static void phase(void *ctx, const char *what)
{
	struct telling *t = ctx;

	progress_work(&t->progress, what);
}

static int verify_image(struct image *g, struct inspect_space *space, struct inspect *image,
                        struct verify *v, struct err *e)
{
	const struct options *o = &g->opt;
	struct hygiene_intent *intent = arena_alloc(g->program.arena, sizeof *intent);
	struct recipe recipe;
	int r;

	if (o->recipe) {
		r = recipe_load(o->recipe, &o->set, g->program.arena, &recipe, e);
		if (r < 0)
			return r;
		r = intent_read(&recipe, NULL, g->program.arena, intent, e);
		if (r < 0)
			return r;
		v->intent = intent;
	}
	v->phase(v->ctx, "opening the image");
	r = inspect_open(g->program.line.operands[0], space, "image", v->deadline, image, e);
	if (r < 0)
		return r;
	if (v->intent)
		*intent = hygiene_intent_in(image->root, intent, g->program.arena);
	return verify_all(v, e);
}

static int verify(struct image *g)
{
	const struct options *o = &g->opt;
	const char *store = o->store ? o->store : STORE_DEFAULT;
	scope_inspect_space struct inspect_space space = INSPECT_SPACE_INIT(store);
	scope_inspect struct inspect image = INSPECT_INIT;
	struct telling t = {.image = g};
	struct verify v = {.image = &image,
	                   .arena = g->program.arena,
	                   .deadline = clock_in_ms(VERIFY_MS),
	                   .tell = tell,
	                   .phase = phase,
	                   .ctx = &t};
	struct err e;

	progress_open(&t.progress, &g->program, NULL);
	int r = verify_image(g, &space, &image, &v, &e);
	feed_clear(&t.progress.feed);
	if (r < 0)
		return program_fail(&g->program, &e);
	return v.faults ? FAULTY : 0;
}

int verb_verify(void *program)
{
	return image_guarded(program, verify);
}
