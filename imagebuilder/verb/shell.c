/* SPDX-License-Identifier: Apache-2.0 */
/* shell: opens a shell in an image as it was built, or in the state a failed step left. */
#include "verb/shell.h"

#include <errno.h>
#include <unistd.h>

#include "build/chain.h"
#include "build/record.h"
#include "build/why.h"
#include "sandbox/sandbox.h"
#include "store/scratch.h"
#include "verb/verb.h"

#define CANT_RUN  126 /* as shells report it: the program can't be run, */
#define NOT_FOUND 127 /* or doesn't exist */

/* The layers that are inspected, locked against pruning. */
struct look {
	struct image *image;
	struct store *store;
	size_t n;
	struct layer *held;
	const char **trees;
	bool network;
};

static const char *plain(const char *word, struct arena *a)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	                           "%+,-./:=@_";
	struct strbuf b = STRBUF(a, 8192);

	if (*word && !word[strspn(word, safe)])
		return word;
	strbuf_char(&b, '\'');
	for (const char *p = word; *p; p++) {
		if (*p == '\'')
			strbuf_str(&b, "'\\'");
		strbuf_char(&b, *p);
	}
	strbuf_char(&b, '\'');
	return b.data;
}

const char *shell_command(const char *recipe, const char *store, struct arena *a)
{
	return arena_printf(a, "hpc-imagebuild shell --failed%s%s %s%s", store ? " --store " : "",
	                    store ? plain(store, a) : "", *recipe == '-' ? "./" : "",
	                    plain(recipe, a));
}

/* ---- the layers ---- */

static void begin(struct look *l, size_t max)
{
	l->held = arena_array(l->image->program.arena, max, sizeof *l->held);
	l->trees = arena_array(l->image->program.arena, max + 1, sizeof *l->trees);
}

/* `step`: the step's name for messages. */
static int hold(struct look *l, const char *key, bool failed, const char *step, struct err *e)
{
	const char *recipe = l->image->program.line.operands[0];
	int r = l->store->fd < 0 ? -ENOENT : layer_hold(l->store, key, failed, &l->held[l->n], e);

	if (r == 0) {
		l->trees[l->n] = l->held[l->n].tree;
		l->n++;
		return 0;
	}
	if (r == -EBUSY)
		return err_set(e, ERR_BUSY, REASON_BUSY, EBUSY,
		               "looking into '%s': a build is making '%s'", recipe, step);
	if (r != -ENOENT)
		return r;
	return err_set(e, ERR_HOST, REASON_HOST_FILE, ENOENT,
	               "looking into '%s': '%s' is not in the store: hpc-imagebuild build %s",
	               recipe, step, plain(recipe, l->image->program.arena));
}

static int hold_built(struct look *l, struct err *e)
{
	struct image *g = l->image;
	char key[SHA256_HEX] = "";
	const struct lock *lock;
	struct recipe recipe;
	struct chain c;
	int r = recipe_load(g->program.line.operands[0], &g->opt.set, g->program.arena, &recipe, e);

	if (r < 0)
		return r;
	r = image_lock(g, g->program.line.operands[0], &recipe, &lock, e);
	if (r < 0)
		return r;
	r = chain_plan(&recipe, lock, g->program.arena, &c, e);
	if (r < 0)
		return r;
	begin(l, c.n);
	for (size_t i = 0; i < c.n; i++) {
		if (!c.steps[i].type->layer)
			continue;
		const char *below = arena_strdup(g->program.arena, key);
		chain_key(&c, i, below, key);
		r = hold(l, key, false, c.steps[i].name, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int hold_failed(struct look *l, struct err *e)
{
	struct image *g = l->image;
	const char *recipe = g->program.line.operands[0];
	struct record last;

	(void)record_read(l->store, recipe, g->program.arena, &last);
	if (!last.failed || !last.failed_key)
		return err_set(e, ERR_HOST, REASON_HOST_FILE, ENOENT,
		               "--failed: the last build of '%s' in this store did not fail",
		               recipe);
	begin(l, last.failed_below.n + 1);
	for (size_t i = 0; i < last.failed_below.n; i++) {
		int r = hold(l, last.failed_below.items[i], false,
		             "a layer below the one that failed", e);
		if (r < 0)
			return r;
	}
	l->network = last.failed_network;
	return hold(l, last.failed_key, true, last.failed, e);
}

/* ---- the program ---- */

/* The trees are only read: changes go to a temporary directory. */
static int run(struct look *l, int *ret_status, struct err *e)
{
	struct image *g = l->image;
	const char *term = arena_printf(g->program.arena, "TERM=%s", g->term ? g->term : "dumb");
	const char *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
	                           "/bin",
	                           "HOME=/root", "LANG=C.UTF-8", term, NULL};
	struct sandbox box = {.layers = l->trees, .network = l->network};
	scope_scratch struct scratch scratch = SCRATCH_INIT;
	int r = scratch_open(l->store, &scratch, e);

	if (r < 0)
		return r;
	box.dir = scratch.path;
	return sandbox_exec(&box, (const char *const *)g->program.line.operands + 1, env,
	                    ret_status, e);
}

static int open_and_run(struct look *l, int *ret_status, struct err *e)
{
	const struct options *o = &l->image->opt;

	if (geteuid() != 0)
		return err_set(e, ERR_HOST, REASON_HOST_PRIVILEGE, EPERM,
		               "looking into an image: needs root, for mounts");
	int r = store_look(o->store ? o->store : STORE_DEFAULT, l->store, e);
	if (r < 0)
		return r;
	r = o->failed ? hold_failed(l, e) : hold_built(l, e);
	if (r < 0)
		return r;
	return run(l, ret_status, e);
}

int verb_shell(void *program)
{
	struct image *g = program;
	scope_store struct store s = STORE_INIT;
	struct look l = {.image = g, .store = &s};
	struct err e;
	int status = 0, r = open_and_run(&l, &status, &e);

	for (size_t i = 0; i < l.n; i++)
		layer_close(&l.held[i]);
	if (r == 0)
		return status;
	status = program_fail(&g->program, &e);
	if (e.reason == REASON_HOST_EXEC && l.n)
		return e.no == ENOENT ? NOT_FOUND : CANT_RUN;
	return status;
}
