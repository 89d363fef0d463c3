/* SPDX-License-Identifier: Apache-2.0 */
/* A base of Debian packages, also for distributions that are built like Debian: mmdebstrap. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/scope.h"
#include "bases/base_own.h"
#include "bases/lock_repo.h"
#include "host/host.h"
#include "recipe/debline.h"
#include "store/listing.h"
#include "store/scratch.h"
#include "store/tool.h"

#define QUERY_MS    30000
#define ARGV_MAX    64
#define SOURCES_MAX (256 * 1024)
#define KEYS_MAX    (64UL << 20) /* Debian's own of all its developers has 30 MiB */

static bool makes(const struct recipe *r)
{
	return r->from_type == FROM_DISTRIBUTION; /* the row of dnf comes first */
}

static int check(const struct recipe *r, struct err *e)
{
	(void)r;
	return tool_need("mmdebstrap", "mmdebstrap", e);
}

/* ---- sources ---- */

/* The release itself, its updates and its security fixes. */
static bool is_release(const char *suite, const char *codename)
{
	static const char *const more[] = {"", "-updates", "-security"};
	size_t len = strlen(codename);

	if (strncmp(suite, codename, len) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		if (str_eq(suite + len, more[i]))
			return true;
	return false;
}

int base_sources(const struct recipe *recipe, struct arena *a, struct field_strings *ret,
                 struct err *e)
{
	static const char *const argv[] = {"apt-get",
	                                   "indextargets",
	                                   "--format",
	                                   "$(REPO_URI) $(RELEASE) $(COMPONENT)",
	                                   "Created-By: Packages",
	                                   NULL};
	const char *codename = strchr(recipe->from, ':') + 1;
	struct host_exec x = {.argv = argv, .deadline = clock_in_ms(QUERY_MS)};
	struct field_strings list = {0};
	struct host_result res;
	char uri[1024], suite[128], component[128];
	if (recipe->sources.n) {
		*ret = recipe->sources;
		return 0;
	}
	int r = host_run_here_ok(&x, a, &res, e);
	if (r < 0)
		return err_wrap(e, "reading this machine's apt sources");
	for (const char *p = res.out.data; p && *p;
	     p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		if (sscanf(p, "%1023s %127s %127s", uri, suite, component) != 3 ||
		    !is_release(suite, codename))
			continue;
		list.items = arena_grow(a, list.items, &list.n, sizeof *list.items);
		list.items[list.n - 1] = arena_printf(a, "deb %s %s %s", uri, suite, component);
	}
	if (!list.n)
		return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, ENOENT,
		               "building '%s': this machine's apt has no source for '%s': give "
		               "'sources' in the recipe, or add one to /etc/apt/sources.list.d",
		               recipe->from, codename);
	*ret = list;
	return 0;
}

static void add_digest(struct blob text, struct strbuf *key)
{
	char hex[SHA256_HEX];

	digest_hex(text.data, text.len, hex);
	strbuf_printf(key, "sources %s\n", hex);
}

static int add_file(const char *path, struct strbuf *key, struct arena *a, struct err *e)
{
	struct blob text;
	int r = file_read(AT_FDCWD, path, SOURCES_MAX, a, &text, e);

	if (r < 0)
		return r;
	add_digest(text, key);
	return 0;
}

/* Reading them as apt does takes longer than everything else in a build without changes. */
static int add_apt_files(struct strbuf *key, struct arena *a, struct err *e)
{
	static const char one[] = "/etc/apt/sources.list", more[] = "/etc/apt/sources.list.d";
	scope_fd int dir = open(more, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_listing struct listing l = {0};
	int r = dir < 0 ? 0 : listing_read(dir, &l);

	if (r < 0)
		return err_errno(e, -r, "listing '%s'", more);
	if (access(one, F_OK) == 0) {
		r = add_file(one, key, a, e);
		if (r < 0)
			return r;
	} else {
		add_digest((struct blob){"", 0}, key);
	}
	for (int i = 0; i < l.n; i++) {
		const char *name = l.items[i]->d_name;

		if (!str_ends(name, ".list") && !str_ends(name, ".sources"))
			continue;
		r = add_file(arena_printf(a, "%s/%s", more, name), key, a, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A line with the files that its packages' signatures are checked by. */
static int add_source(const struct recipe *recipe, const char *line, struct strbuf *key,
                      struct arena *a, struct err *e)
{
	const struct field_strings files = debline_keys(line, a);

	strbuf_printf(key, "source %s\n", line);
	for (size_t i = 0; i < files.n; i++) {
		scope_arena struct arena *content = arena_new();
		struct blob text;
		char hex[SHA256_HEX];
		int r = file_read_input(files.items[i], KEYS_MAX, content, &text, e);

		if (r < 0)
			return err_wrap(e,
			                "%s: the source '%s' is signed-by a file of this machine",
			                recipe->file, line);
		digest_hex(text.data, text.len, hex);
		strbuf_printf(key, "signed-by %s %s\n", files.items[i], hex);
	}
	return 0;
}

static int add_key(const struct base *b, struct arena *a, struct strbuf *key, struct err *e)
{
	const struct recipe *recipe = b->recipe;

	if (b->lock) {
		int r = lock_fits(b->lock, recipe->file, recipe->from, recipe->arch, &b->packages,
		                  e);
		if (r < 0)
			return r;
		lock_key(b->lock, key);
		return 0;
	}
	strbuf_printf(key, "distribution %s\n", recipe->from);
	for (size_t i = 0; i < b->packages.n; i++)
		strbuf_printf(key, "package %s\n", b->packages.items[i]);
	for (size_t i = 0; i < recipe->sources.n; i++) {
		int r = add_source(recipe, recipe->sources.items[i], key, a, e);
		if (r < 0)
			return r;
	}
	return recipe->sources.n ? 0 : add_apt_files(key, a, e);
}

/* ---- making it ---- */

static const struct sandbox_job base_apt_job = {.name = "base-apt",
                                                .size = sizeof(struct base_work),
                                                .parcel = base_work_parcel,
                                                .run = base_run_program};

static const char *joined(const struct field_strings *list, struct arena *a)
{
	struct strbuf b = STRBUF(a, 1UL << 20);

	for (size_t i = 0; i < list->n; i++)
		strbuf_printf(&b, "%s%s", i ? "," : "", list->items[i]);
	return b.data ? b.data : "";
}

static const char *const *command(const struct base *b, const struct field_strings *sources,
                                  const char *tree, struct arena *a)
{
	const struct recipe *r = b->recipe;
	const char **argv = arena_array(a, ARGV_MAX + sources->n, sizeof *argv);
	size_t n = 0;

	argv[n++] = "mmdebstrap";
	argv[n++] = "--mode=root";
	argv[n++] = "--variant=minbase";
	argv[n++] = str_eq(r->arch, "arm64") ? "--architectures=arm64" : "--architectures=amd64";
	if (b->packages.n)
		argv[n++] = arena_printf(a, "--include=%s", joined(&b->packages, a));
	argv[n++] = strchr(r->from, ':') + 1;
	argv[n++] = tree;
	for (size_t i = 0; i < sources->n; i++)
		argv[n++] = sources->items[i];
	return argv;
}

/* mmdebstrap copies this machine's files into the system during the installation. */
static void remove_lent(const char *tree)
{
	static const char *const names[] = {"etc/resolv.conf", "etc/hostname"};
	scope_fd int dir = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; dir >= 0 && i < ARRAY_LEN(names); i++)
		if (fstatat(dir, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			(void)unlinkat(dir, names[i], 0);
}

static int run(const struct base_making *m, const struct field_strings *sources, bool network,
               struct err *e)
{
	struct base_work w = base_work(m);

	w.argv = command(m->base, sources, m->tree, m->arena);
	return base_run(m, &base_apt_job, &w, network, e);
}

static int make_of_today(const struct base_making *m, struct err *e)
{
	struct field_strings sources;
	int r = base_sources(m->base->recipe, m->arena, &sources, e);

	if (r < 0)
		return r;
	return run(m, &sources, true, e);
}

/* Packages are fetched beforehand, so that the base is made without a network. */
static int make_locked(const struct base_making *m, struct err *e)
{
	const struct lock *lock = m->base->lock;
	scope_scratch struct scratch repository = SCRATCH_INIT;
	const struct lock_listener listener = {m->line, m->line_ctx};
	int r = lock_fetch(lock, m->store, m->line ? &listener : NULL, m->deadline, e);

	if (r < 0)
		return r;
	r = scratch_open(m->store, &repository, e);
	if (r < 0)
		return r;
	r = lock_repository(lock, m->store, repository.path, e);
	if (r < 0)
		return r;
	const char *source = lock_repository_source(lock, repository.path, m->arena);
	const struct field_strings sources = {1, &source};
	r = run(m, &sources, false, e);
	if (r < 0)
		return r;
	return lock_settle(lock, m->tree, e);
}

static int make(const struct base_making *m, struct err *e)
{
	int r = (m->base->lock ? make_locked : make_of_today)(m, e);

	if (r < 0)
		return r;
	remove_lent(m->tree);
	return 0;
}

const struct base_type base_apt = {.job = &base_apt_job,
                                   .makes = makes,
                                   .packages = true,
                                   .locks = true,
                                   .check = check,
                                   .key = add_key,
                                   .make = make};
