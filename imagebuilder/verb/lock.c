/* SPDX-License-Identifier: Apache-2.0 */
/* lock: writes a recipe's lock, and finds it again. */
#include <errno.h>
#include <unistd.h>

#include "bases/base.h"
#include "bases/lock_repo.h"
#include "bases/lock_snapshot.h"
#include "build/progress.h"
#include "lock/lock_apt.h"
#include "lock/lock_change.h"
#include "recipe/sources.h"
#include "store/scratch.h"
#include "store/store.h"
#include "verb/verb.h"

#define FETCH_MS 3600000

/* Finds the recipe with the base; those above it install with apt in a layer of their own. */
static int find_bottom(const struct recipe *r, const struct recipe **ret, struct err *e)
{
	for (; r->parent; r = r->parent)
		if (doc_get(r->sections, "packages"))
			return doc_err(doc_get(r->sections, "packages"), e,
			               REASON_INPUT_UNSUPPORTED,
			               "packages over another recipe can't be locked: expected "
			               "them in '%s', or that recipe under 'include'",
			               r->from);
	if (!base_locks(r))
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		        "%s: from '%s': only the packages of Debian and Ubuntu can be locked",
		        r->file, r->from ? r->from : "");
	*ret = r;
	return 0;
}

/* --snapshot, checked. */
static int find_snapshot(const struct image *g, const char **ret, struct err *e)
{
	const char *given = g->opt.snapshot;

	if (given && *given && (!lock_takes_url(given) || str_ends(given, "/")))
		return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, EINVAL,
		               "--snapshot: '%s' is no address: expected http:// or https:// and "
		               "no / at its end",
		               given);
	*ret = !given ? SNAPSHOT_DEBIAN : *given ? given : NULL;
	return 0;
}

int image_lock(struct image *g, const char *path, const struct recipe *recipe,
               const struct lock **ret, struct err *e)
{
	const char *file = lock_path(path, g->program.arena);
	struct lock *l = arena_alloc(g->program.arena, sizeof *l);
	const struct recipe *bottom;

	*ret = NULL;
	if (g->opt.unlocked || access(file, F_OK) < 0)
		return 0;
	int r = find_bottom(recipe, &bottom, e);
	if (r < 0)
		return r;
	r = lock_read(file, g->program.arena, l, e);
	if (r < 0)
		return r;
	r = find_snapshot(g, &l->snapshot, e);
	if (r < 0)
		return r;
	*ret = l;
	return 0;
}

static int open_cloud(void *ctx, struct cloud **ret, struct err *e)
{
	return image_cloud(ctx, ret, e);
}

struct lock_source image_source(struct image *g)
{
	return (struct lock_source){.open = open_cloud, .ctx = g};
}

/* What the sections and components of the recipe and of its parents fetch. */
static int find_fetches(const struct recipe *recipe, struct arena *a, struct component_fetches *ret,
                        struct err *e)
{
	struct component_list l;
	int r = recipe->parent ? find_fetches(recipe->parent, a, ret, e) : 0;

	if (r < 0)
		return r;
	r = sources_of_recipe(recipe, a, ret, e);
	if (r < 0)
		return r;
	r = component_read(recipe->components, NULL, a, &l, e);
	if (r < 0)
		return r;
	return component_fetches(&l, PHASES_ALL, a, ret, e);
}

/* ---- what is there already ---- */

/* Makes packages that left the archive known to apt again; a repository in the store. */
struct bringing {
	struct image *image;
	struct progress *progress;
	struct store store;
	struct scratch repository;
};

static void bringing_close(struct bringing *b)
{
	scratch_close(&b->repository);
	store_close(&b->store);
}

static int bring(void *ctx, const struct lock *gone, const char **ret_source, struct err *e)
{
	struct bringing *b = ctx;
	const char *path = b->image->opt.store;
	int r = store_open(path ? path : STORE_DEFAULT, &b->store, e);

	if (r < 0)
		return r;
	progress_work(b->progress, "fetching packages that left the archive");
	const struct lock_listener listener = {progress_said, b->progress};
	r = lock_fetch(gone, &b->store, &listener, clock_in_ms(FETCH_MS), e);
	if (r < 0)
		return r;
	r = scratch_open(&b->store, &b->repository, e);
	if (r < 0)
		return r;
	r = lock_repository(gone, &b->store, b->repository.path, e);
	if (r < 0)
		return r;
	*ret_source = lock_repository_source(gone, b->repository.path, b->image->program.arena);
	return 0;
}

/* What --update names is in the lock, or in the recipe. */
static int check_names(const struct lock_keep *k, const struct field_strings *asked,
                       struct arena *a, struct err *e)
{
	const struct lock *was = k->was;
	const char **names = arena_array(a, was->n + asked->n + 1, sizeof *names);
	size_t n = 0;

	for (; n < was->n; n++)
		names[n] = was->packages[n].name;
	for (size_t i = 0; i < asked->n; i++)
		names[n++] = asked->items[i];
	for (size_t i = 0; i < k->update.n; i++) {
		const char *name = k->update.items[i], *near;
		bool known = false;

		for (size_t c = 0; c < n; c++)
			known |= str_eq(names[c], name);
		if (known)
			continue;
		near = str_nearest(name, names, n);
		return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, ENOENT,
		               "--update: neither '%s' nor the recipe has the package '%s'%s%s%s",
		               was->file, name, near ? ", did you mean '" : "", near ? near : "",
		               near ? "'?" : "");
	}
	return 0;
}

static int check_keep(const struct lock_keep *k, const struct recipe *bottom,
                      const struct field_strings *asked, struct arena *a, struct err *e)
{
	const struct lock *was = k->was;

	if (!str_eq(was->from, bottom->from) || !str_eq(was->arch, bottom->arch))
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		        "%s: it is of '%s' for %s, and the recipe of '%s' for %s: nothing of "
		        "it can be kept; name no packages",
		        was->file, was->from, was->arch, bottom->from, bottom->arch);
	return check_names(k, asked, a, e);
}

/* The digests that the lock has, where the rest of it is kept as well. */
static void keep_files(const struct lock *was, struct component_fetches *l, struct arena *a)
{
	struct component_fetches kept = {0};
	struct err none;

	for (size_t i = 0; i < l->n; i++) {
		struct component_fetches one = {.n = 1, .items = &l->items[i]};
		struct component_fetch before = l->items[i];

		if (lock_fix_files(was, &one, a, &none) < 0)
			one = (struct component_fetches){.n = 1, .items = &before};
		for (size_t k = 0; k < one.n; k++) {
			kept.items = arena_grow(a, kept.items, &kept.n, sizeof *kept.items);
			kept.items[kept.n - 1] = one.items[k];
		}
	}
	*l = kept;
}

/* ---- making one ---- */

struct locking {
	struct image *image;
	struct recipe recipe;
	struct component_fetches fetches;
	const struct lock *was; /* NULL: there is none */
	struct lock_keep keep;
	struct lock now;
	struct progress progress;
	size_t changed;
};

static void phase(void *ctx, const char *what)
{
	struct locking *g = ctx;

	progress_work(&g->progress, what);
}

/* The packages of the recipe's base, as apt would install them today. */
static int resolve(struct locking *g, struct err *e)
{
	struct arena *a = g->image->program.arena;
	struct strbuf unused = STRBUF(a, 1UL << 20);
	const struct lock_keep *keep = g->keep.update.n ? &g->keep : NULL;
	const struct recipe *bottom;
	struct field_strings sources;
	struct base b;
	int r = find_bottom(&g->recipe, &bottom, e);

	if (r < 0)
		return r;
	r = base_plan(bottom, NULL, a, &b, &unused, e);
	if (r < 0)
		return r;
	r = base_sources(bottom, a, &sources, e);
	if (r < 0)
		return r;
	r = keep ? check_keep(keep, bottom, &b.packages, a, e) : 0;
	if (r < 0)
		return r;
	const struct lock_question q = {.from = bottom->from,
	                                .arch = bottom->arch,
	                                .asked = &b.packages,
	                                .sources = &sources,
	                                .keep = keep,
	                                .dir = g->image->tmp,
	                                .phase = phase,
	                                .ctx = g};
	return lock_resolve(&q, a, &g->now, e);
}

static int resolve_keeping(struct locking *g, struct err *e)
{
	struct bringing b = {.image = g->image,
	                     .progress = &g->progress,
	                     .store = STORE_INIT,
	                     .repository = SCRATCH_INIT};

	g->keep.was = g->was;
	g->keep.bring = bring;
	g->keep.ctx = &b;
	int r = resolve(g, e);
	bringing_close(&b);
	return r;
}

/* Of no use is one that can't be read, unless something of it is to be kept. */
static int read_was(struct locking *g, const char *path, const char *snapshot, struct err *e)
{
	struct lock *was = arena_alloc(g->image->program.arena, sizeof *was);
	struct err none;

	if (g->image->opt.update && access(path, F_OK) < 0)
		return err_set(e, ERR_INPUT, REASON_HOST_FILE, errno,
		               "--update: opening '%s': %s: make it by lock without --update", path,
		               strerror(errno));
	if (lock_read(path, g->image->program.arena, was, g->image->opt.update ? e : &none) < 0)
		return g->image->opt.update ? -e->no : 0;
	was->snapshot = snapshot;
	g->was = was;
	return 0;
}

static int read_line(struct locking *g, const char *path, struct err *e)
{
	struct image *image = g->image;
	const struct command_line *line = &image->program.line;

	if (str_eq(lock_path(path, image->program.arena), path))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "'%s' is called as its lock would be: expected a recipe's name, as "
		               "compute.yaml",
		               path);
	if (line->n_operands > 1 && !image->opt.update)
		return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, EINVAL,
		               "lock makes all packages anew: expected --update to name some of "
		               "them");
	g->keep.update.n = (size_t)line->n_operands - 1;
	g->keep.update.items = arena_array(image->program.arena, (size_t)line->n_operands,
	                                   sizeof *g->keep.update.items);
	for (int i = 1; i < line->n_operands; i++)
		g->keep.update.items[i - 1] = line->operands[i];
	return 0;
}

static int write_lock(struct locking *g, const char *path, struct err *e)
{
	const struct lock_source source = image_source(g->image);
	struct arena *a = g->image->program.arena;
	const char *snapshot;
	int r = read_line(g, path, e);

	if (r < 0)
		return r;
	r = find_snapshot(g->image, &snapshot, e);
	if (r < 0)
		return r;
	r = recipe_load(path, &g->image->opt.set, a, &g->recipe, e);
	if (r < 0)
		return r;
	r = read_was(g, lock_path(path, a), snapshot, e);
	if (r < 0)
		return r;
	r = resolve_keeping(g, e);
	if (r < 0)
		return r;
	g->now.snapshot = snapshot;
	r = find_fetches(&g->recipe, a, &g->fetches, e);
	if (r < 0)
		return r;
	if (g->keep.update.n)
		keep_files(g->was, &g->fetches, a);
	progress_work(&g->progress, "looking at what components and sections fetch");
	r = lock_find_files(&g->fetches, &source, a, &g->now, e);
	if (r < 0)
		return r;
	return lock_write(&g->now, lock_path(path, a), e);
}

static int fetch(struct locking *g, struct err *e)
{
	const struct lock_source source = image_source(g->image);
	struct component_fetches *fetches = &g->fetches;
	struct image *image = g->image;
	scope_store struct store s = STORE_INIT;
	int r = store_open(image->opt.store ? image->opt.store : STORE_DEFAULT, &s, e);

	if (r < 0)
		return r;
	store_sweep(&s, false);
	progress_work(&g->progress, "fetching packages");
	const struct lock_listener listener = {progress_said, &g->progress};
	r = lock_fetch(&g->now, &s, &listener, clock_in_ms(FETCH_MS), e);
	if (r < 0)
		return r;
	r = lock_fix_files(&g->now, fetches, image->program.arena, e);
	if (r < 0)
		return r;
	r = lock_open_files(fetches, &s, &source, clock_in_ms(FETCH_MS), e);
	lock_close_files(fetches);
	return r;
}

/* ---- telling ---- */

static void line_change(struct feed *f, const struct lock_change *c)
{
	bool package = str_eq(c->of, "package");

	if (c->same_version)
		feed_line(f, "~ %s %s, its content", c->name, c->to);
	else if (c->from && c->to && package)
		feed_line(f, "~ %s %s -> %s", c->name, c->from, c->to);
	else if (c->from && c->to)
		feed_line(f, "~ %s %.12s -> %.12s", c->name, c->from, c->to);
	else if (package)
		feed_line(f, "%s %s %s", c->to ? "+" : "-", c->name, c->to ? c->to : c->from);
	else
		feed_line(f, "%s %s", c->to ? "+" : "-", c->name);
}

static void tell_change(void *ctx, const struct lock_change *c)
{
	struct locking *g = ctx;
	struct feed *f = &g->progress.feed;

	g->changed++;
	line_change(f, c);
	if (!f->json)
		return;
	struct jsonw *w = feed_begin(f, "change");
	jsonw_str(w, "of", c->of);
	jsonw_str(w, "name", c->name);
	jsonw_str(w, "state", !c->from ? "added" : !c->to ? "removed" : "changed");
	if (c->from)
		jsonw_str(w, "from", c->from);
	if (c->to)
		jsonw_str(w, "to", c->to);
	feed_end(f);
}

static void tell(struct locking *g, const char *path)
{
	struct feed *f = &g->progress.feed;

	if (g->was)
		lock_changes(g->was, &g->now, tell_change, g);
	if (g->was)
		feed_line(f, "'%s' has %zu packages and %zu files, %zu changed", path, g->now.n,
		          g->now.n_files, g->changed);
	else
		feed_line(f, "'%s' has %zu packages and %zu files", path, g->now.n, g->now.n_files);
	if (!f->json)
		return;
	struct jsonw *w = feed_begin(f, "locked");
	jsonw_str(w, "lock", path);
	jsonw_u64(w, "packages", g->now.n);
	jsonw_u64(w, "files", g->now.n_files);
	if (g->was)
		jsonw_u64(w, "changed", g->changed);
	feed_end(f);
}

static int make_lock(struct image *image)
{
	struct locking g = {.image = image};
	const char *path = image->program.line.operands[0];
	struct err e;

	progress_open(&g.progress, &image->program, NULL);
	if (write_lock(&g, path, &e) < 0 || (image->opt.fetch && fetch(&g, &e) < 0)) {
		feed_clear(&g.progress.feed);
		return program_fail(&image->program, &e);
	}
	tell(&g, lock_path(path, image->program.arena));
	return 0;
}

int verb_lock(void *program)
{
	struct image *image = program;
	struct err e;

	if (image_tmp(image, &e) < 0)
		return program_fail(&image->program, &e);
	return image_guarded(image, make_lock);
}
