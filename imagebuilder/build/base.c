/* SPDX-License-Identifier: Apache-2.0 */
#include "build/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "build/base_dnf.h"
#include "build/jobs.h"
#include "build/lock_repo.h"
#include "build/sandbox.h"
#include "cloud/uri.h"
#include "disk/blocks.h"
#include "disk/rawdisk.h"
#include "disk/tar.h"
#include "host/tree.h"
#include "store/scratch.h"
#include "store/store.h"
#include "store/tool.h"

#define QUERY_MS    30000
#define ARGV_MAX    64
#define SOURCES_MAX (256 * 1024)

/* ---- what can be built here ---- */

bool base_brings_packages(const struct recipe *r)
{
	return r->from_type == FROM_DISTRIBUTION;
}

static int check(const struct recipe *r, struct err *e)
{
	struct utsname here;

	if (uname(&here) < 0)
		return err_errno(e, errno, "asking for the machine's architecture");
	const char *arch = str_eq(here.machine, "aarch64") ? "arm64" : here.machine;
	if (!str_eq(arch, r->arch))
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		        "%s: the image is for %s, and this machine is %s: build it on one of "
		        "its own kind",
		        r->file, r->arch, arch);
	if (r->from_type == FROM_NOTHING)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "%s: 'from' is missing in 'image': expected what it is built from, "
		               "as debian:bookworm",
		               r->file);
	if (r->from_type == FROM_DISTRIBUTION && !base_dnf_makes(r->from) &&
	    access("/usr/bin/mmdebstrap", X_OK) < 0)
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, ENOENT,
		               "building '%s' needs mmdebstrap: install the package of that name",
		               r->from);
	if (r->from_type == FROM_RAW)
		return tool_need("e2fsck", "e2fsprogs", e);
	return 0;
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

int base_sources(const struct recipe *r, struct arena *a, struct field_strings *ret, struct err *e)
{
	static const char *const argv[] = {"apt-get",
	                                   "indextargets",
	                                   "--format",
	                                   "$(REPO_URI) $(RELEASE) $(COMPONENT)",
	                                   "Created-By: Packages",
	                                   NULL};
	const char *codename = strchr(r->from, ':') + 1;
	struct host_exec x = {.argv = argv, .deadline = clock_in_ms(QUERY_MS)};
	struct field_strings list = {0};
	struct host_result res;
	struct host *here;
	char uri[1024], suite[128], component[128];
	int err = host_open("/", HOST_LIVE, &here, e);

	if (err < 0)
		return err;
	err = host_run_ok(here, &x, a, &res, e);
	host_close(here);
	if (err < 0)
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
		               "building '%s': this machine's apt has no source for '%s': add one "
		               "to /etc/apt/sources.list.d",
		               r->from, codename);
	*ret = list;
	return 0;
}

/* ---- what a tree or tar is, for the key ---- */

/* Name, kind, size, owner and times. */
static int add_entry(void *ctx, const struct tree_entry *at, struct err *e)
{
	const struct stat *st = at->st;
	char text[256];

	(void)e;
	int n = snprintf(text, sizeof text, " %o %u %u %lld %lld.%09ld %llu\n", st->st_mode,
	                 st->st_uid, st->st_gid,
	                 S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_size,
	                 (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	                 (unsigned long long)st->st_rdev);
	digest_add(ctx, at->path, strlen(at->path) + 1);
	digest_add(ctx, text, (size_t)n);
	return TREE_GO;
}

static int key_of_directory(const char *path, struct strbuf *key, struct err *e)
{
	scope_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_digest struct digest *d = digest_new();
	const struct tree_walk walk = {.visit = add_entry, .ctx = d, .one_fs = true};
	unsigned char sum[SHA256_LEN];
	char hex[SHA256_HEX];
	struct stat st;

	if (dir < 0 || fstat(dir, &st) < 0)
		return err_errno(e, errno, "opening '%s'", path);
	const struct tree_entry top = {.path = "", .st = &st};
	add_entry(d, &top, e);
	int r = tree_walk(dir, &walk, e);
	if (r < 0)
		return err_wrap(e, "reading '%s'", path);
	digest_sum(d, sum);
	str_hex(sum, sizeof sum, hex);
	strbuf_printf(key, "directory %s %s\n", path, hex);
	return 0;
}

/* Holes cost nothing, which most of a disk is. */
static int key_of_disk(const struct recipe *r, struct strbuf *key, struct err *e)
{
	scope_fd int fd = open(r->from, O_RDONLY | O_CLOEXEC);
	scope_blocks struct blocks b = {0};
	char hex[SHA256_HEX];
	int err = fd < 0 ? err_errno(e, errno, "opening '%s'", r->from)
	                 : blocks_scan(fd, r->from, &b, e);

	if (err < 0)
		return err;
	blocks_digest(&b, hex);
	strbuf_printf(key, "disk %s\n", hex);
	return 0;
}

static int key_of_file(const struct recipe *r, struct strbuf *key, struct err *e)
{
	char hex[SHA256_HEX];
	int err;

	if (r->from_type == FROM_RAW)
		return key_of_disk(r, key, e);
	if (r->from_type == FROM_TAR) {
		err = file_sha256(AT_FDCWD, r->from, hex, e);
		if (err == 0)
			strbuf_printf(key, "tar %s\n", hex);
		return err;
	}
	return key_of_directory(r->from, key, e);
}

/* Reading them as apt does takes longer than all else of a build where nothing changed. */
static int add_apt_files(struct strbuf *key, struct arena *a, struct err *e)
{
	static const char dir[] = "/etc/apt/sources.list.d";
	struct dirent **names = NULL;
	struct blob text = {0};
	char hex[SHA256_HEX];
	int n = scandir(dir, &names, NULL, alphasort), err = 0;

	if (access("/etc/apt/sources.list", F_OK) == 0)
		err = file_read(AT_FDCWD, "/etc/apt/sources.list", SOURCES_MAX, a, &text, e);
	digest_hex(text.data, text.len, hex);
	strbuf_printf(key, "sources %s\n", hex);
	for (int i = 0; i < n; i++) {
		const char *path = arena_printf(a, "%s/%s", dir, names[i]->d_name);

		free(names[i]);
		if (err < 0 || (!str_ends(path, ".list") && !str_ends(path, ".sources")))
			continue;
		err = file_read(AT_FDCWD, path, SOURCES_MAX, a, &text, e);
		if (err == 0)
			digest_hex(text.data, text.len, hex);
		strbuf_printf(key, "sources %s\n", hex);
	}
	free(names);
	return err;
}

int base_plan(const struct recipe *r, const struct lock *lock, struct arena *a, struct base *ret,
              struct strbuf *key, struct err *e)
{
	struct base b = {.recipe = r, .lock = lock};
	int err = check(r, e);

	if (err < 0)
		return err;
	if (r->from_type != FROM_DISTRIBUTION) {
		*ret = b;
		return key_of_file(r, key, e);
	}
	err = recipe_packages(r, a, &b.packages, e);
	if (err == 0 && lock)
		err = lock_fits(lock, r->file, r->from, r->arch, &b.packages, e);
	if (err < 0)
		return err;
	if (lock) {
		lock_key(lock, key);
		*ret = b;
		return 0;
	}
	strbuf_printf(key, "distribution %s\n", r->from);
	for (size_t i = 0; i < b.packages.n; i++)
		strbuf_printf(key, "package %s\n", b.packages.items[i]);
	*ret = b;
	return base_dnf_makes(r->from) ? base_dnf_plan(r, key, e) : add_apt_files(key, a, e);
}

/* ---- making it ---- */

struct making {
	struct recipe recipe; /* what it is from, and the size of its disk */
	struct field_strings packages;
	const char *const *argv; /* of mmdebstrap or cp; else NULL */
	const char *tree;
	uint64_t deadline;
};

static void say(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

static bool makes_by_dnf(const struct recipe *r)
{
	return r->from_type == FROM_DISTRIBUTION && base_dnf_makes(r->from);
}

static int unpack(const struct making *m, struct err *e)
{
	const struct recipe *recipe = &m->recipe;
	scope_rawdisk struct rawdisk d = RAWDISK_INIT;
	scope_fd int tree = open(m->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tree < 0)
		return err_errno(e, errno, "opening '%s'", m->tree);
	if (recipe->from_type == FROM_TAR)
		return tar_unpack(recipe->from, tree, recipe->disk.size, m->deadline, e);
	int r = rawdisk_open(recipe->from, &d, e);
	if (r < 0)
		return r;
	return rawdisk_unpack(&d, tree, recipe->disk.size, true, m->deadline, e);
}

static int make(void *arg, struct err *e)
{
	static const char *const env[] = {"SOURCE_DATE_EPOCH=" BASE_EPOCH_TEXT,
	                                  "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8",
	                                  "TZ=UTC", NULL};
	const struct making *m = arg;
	scope_arena struct arena *a = arena_new();
	struct host_exec x = {.argv = m->argv, .env = env, .deadline = m->deadline, .line = say};
	struct host_result res;
	struct host *here;
	int r;

	if (m->recipe.from_type == FROM_RAW || m->recipe.from_type == FROM_TAR)
		return unpack(m, e);
	if (makes_by_dnf(&m->recipe))
		return base_dnf_make(&m->recipe, &m->packages, m->tree, m->deadline, say, e);
	r = host_open("/", HOST_LIVE, &here, e);
	if (r < 0)
		return r;
	r = host_run_ok(here, &x, a, &res, e);
	host_close(here);
	return r;
}

static void parcel(struct parcel *p, void *arg)
{
	struct making *m = arg;
	uint64_t from = m->recipe.from_type;

	parcel_u64(p, &from);
	m->recipe.from_type = (enum recipe_from)from;
	parcel_text(p, &m->recipe.file);
	parcel_text(p, &m->recipe.from);
	parcel_text(p, &m->recipe.arch);
	parcel_u64(p, &m->recipe.disk.size);
	parcel_texts(p, &m->packages);
	parcel_list(p, &m->argv);
	parcel_text(p, &m->tree);
	parcel_u64(p, &m->deadline);
}

const struct sandbox_job base_job = {
        .name = "base", .size = sizeof(struct making), .parcel = parcel, .run = make};

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

	if (r->from_type == FROM_DIRECTORY) {
		const char *const cp[] = {"cp",
		                          "--archive",
		                          "--one-file-system",
		                          "--reflink=auto",
		                          "--",
		                          arena_printf(a, "%s/.", r->from),
		                          tree};

		memcpy(argv, cp, sizeof cp);
		return argv;
	}
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

/* mmdebstrap lends the system this machine's, for the time of the installation. */
static void remove_lent(const char *tree)
{
	static const char *const names[] = {"etc/resolv.conf", "etc/hostname"};
	scope_fd int dir = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; dir >= 0 && i < ARRAY_LEN(names); i++)
		if (fstatat(dir, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			(void)unlinkat(dir, names[i], 0);
}

/* Fetched before, so that nothing of the network is there while it is made. */
static int make_locked(const struct base *b, const char *tree, struct store *store,
                       struct sandbox *s, struct making *m, struct arena *a, struct err *e)
{
	scope_scratch struct scratch repository = SCRATCH_INIT;
	struct strbuf uri = STRBUF(a, 3 * PATH_MAX);
	int r = lock_fetch(b->lock, store, m->deadline, e);

	if (r == 0)
		r = scratch_open(store, &repository, e);
	if (r == 0)
		r = lock_repository(b->lock, store, repository.path, e);
	if (r < 0)
		return r;
	/* It may have spaces. */
	uri_encode(&uri, (struct blob){repository.path, strlen(repository.path)}, true);
	const char *source = arena_printf(a, "deb [trusted=yes] copy:%s %s main", uri.data,
	                                  strchr(b->recipe->from, ':') + 1);
	struct field_strings sources = {1, &source};
	m->argv = command(b, &sources, tree, a);
	s->network = false;
	r = sandbox_run(s, e);
	return r < 0 ? r : lock_settle(b->lock, tree, e);
}

/* Who wants the lines, too. */
struct hearer {
	void (*line)(void *ctx, const char *line);
	void *ctx;
};

static void hear(void *ctx, const char *line)
{
	const struct hearer *h = ctx;

	if (base_dnf_complains(line))
		log_warning("%s", line);
	h->line(h->ctx, line);
}

int base_make(const struct base *b, const char *tree, struct store *store, uint64_t deadline,
              void (*line)(void *ctx, const char *line), void *line_ctx, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	bool dnf = makes_by_dnf(b->recipe);
	bool distribution = b->recipe->from_type == FROM_DISTRIBUTION && !dnf;
	struct hearer hearer = {line, line_ctx};
	struct field_strings sources = {0};
	struct making m = {
	        .recipe = *b->recipe, .packages = b->packages, .tree = tree, .deadline = deadline};
	struct sandbox s = {.network = true,
	                    .job = &base_job,
	                    .arg = &m,
	                    .deadline = deadline,
	                    .line = hear,
	                    .line_ctx = &hearer};
	int r = 0;

	if (dnf)
		base_dnf_warn(b->recipe);
	if (distribution && !b->lock)
		r = base_sources(b->recipe, a, &sources, e);
	if (r < 0)
		return r;
	if (b->lock) {
		r = make_locked(b, tree, store, &s, &m, a, e);
	} else {
		if (distribution || b->recipe->from_type == FROM_DIRECTORY)
			m.argv = command(b, &sources, tree, a);
		r = sandbox_run(&s, e);
	}
	if (r == 0 && distribution)
		remove_lent(tree);
	return r;
}
