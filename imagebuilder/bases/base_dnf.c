/* SPDX-License-Identifier: Apache-2.0 */
/* A base of rpm packages: dnf --installroot. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scope.h"
#include "bases/base_own.h"
#include "host/host.h"
#include "store/listing.h"
#include "store/store.h"
#include "store/tool.h"

#define REPOS     "/etc/yum.repos.d"
#define FILE_MAX  (256 * 1024) /* bytes of one of them */
#define REPOS_MAX 128
#define KEY_MAX   (1024 * 1024) /* bytes of a file of keys */
#define ARGV_MAX  64
#define HOME      "/root" /* hidden, because of rpm's macros */

static const struct family {
	const char *prefix, *files;
	const char *releasever; /* NULL: what follows the prefix */
	const char *platform;   /* for modules; "%s" is replaced by the release */
	const char *database;   /* where the distribution's own rpm looks for it */
} families[] = {
        /* Its release names have a date; its mirrors also accept "latest". */
        {"amazonlinux:", "amazonlinux", "latest", "platform:al%s", "/var/lib/rpm"},
        {"fedora:", "fedora", NULL, "platform:f%s", "/usr/lib/sysimage/rpm"},
        {"rocky:", "rocky", NULL, "platform:el%s", "/var/lib/rpm"},
        {"almalinux:", "almalinux", NULL, "platform:el%s", "/var/lib/rpm"},
        {"rhel:", "redhat", NULL, "platform:el%s", "/var/lib/rpm"},
};

/* The counterpart of Debian's essential packages, which mmdebstrap installs by itself. */
static const char *const essential[] = {"system-release", "basesystem", "bash", "coreutils", "dnf"};

static const struct family *family_of(const char *distribution)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (str_starts(distribution, families[i].prefix))
			return &families[i];
	return NULL;
}

static bool makes(const struct recipe *r)
{
	return r->from_type == FROM_DISTRIBUTION && family_of(r->from);
}

static int check(const struct recipe *recipe, struct err *e)
{
	(void)recipe;
	int r = tool_need("dnf", "dnf", e);
	if (r < 0)
		return r;
	/* Without it the manifest could not list the packages. */
	return tool_need("rpm", "rpm", e);
}

/* ---- repositories ---- */

struct repo {
	char id[128];
	bool enabled, unchecked, has_key;
	const char *keys; /* the words of gpgkey; NULL behind read_repos(), which reads these */
};

struct repos {
	size_t n;
	bool in_keys; /* the last line was one of gpgkey, which may go on */
	struct repo items[REPOS_MAX];
};

static bool is_no(const char *value)
{
	static const char *const words[] = {"0", "no", "false", "off"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

static const char *joined(const char *keys, const char *line, struct arena *a)
{
	return arena_printf(a, "%s %.*s", keys ? keys : "", (int)strcspn(line, "\r\n"), line);
}

/* Reads a line of an INI file; continuation lines matter of keys only. */
static void read_line(struct repos *r, const char *line, struct arena *a)
{
	struct repo *last = r->n ? &r->items[r->n - 1] : NULL;
	char word[128], value[64];

	if (r->in_keys && last && (*line == ' ' || *line == '\t')) {
		last->keys = joined(last->keys, line, a);
		return;
	}
	r->in_keys = false;
	if (sscanf(line, "[%127[^]\n]]", word) == 1 && r->n < REPOS_MAX) {
		last = &r->items[r->n++];
		*last = (struct repo){.enabled = true};
		snprintf(last->id, sizeof last->id, "%s", word);
		return;
	}
	if (!last || sscanf(line, "%127[a-z_] = %63s", word, value) != 2)
		return;
	if (str_eq(word, "enabled"))
		last->enabled = !is_no(value);
	if (str_eq(word, "gpgcheck"))
		last->unchecked = is_no(value);
	if (!str_eq(word, "gpgkey"))
		return;
	last->has_key = r->in_keys = true;
	last->keys = joined(last->keys, strchr(line, '=') + 1, a);
}

/* With dnf's own variables; "" where there are others. */
static const char *key_path(const struct recipe *r, const char *text, struct arena *a)
{
	const struct family *f = family_of(r->from);
	const struct {
		const char *name, *value;
	} vars[] = {
	        {"$releasever", f->releasever ? f->releasever : r->from + strlen(f->prefix)},
	        {"$basearch", str_eq(r->arch, "arm64") ? "aarch64" : r->arch},
	};

	for (size_t i = 0; i < ARRAY_LEN(vars); i++)
		for (const char *at; (at = strstr(text, vars[i].name)) != NULL;)
			text = arena_printf(a, "%.*s%s%s", (int)(at - text), text, vars[i].value,
			                    at + strlen(vars[i].name));
	return strchr(text, '$') ? "" : text;
}

static int add_file(const struct recipe *recipe, const struct repo *repo, const char *path,
                    struct arena *a, struct strbuf *key, struct err *e)
{
	char hex[SHA256_HEX];
	struct blob text;
	int r = file_read(AT_FDCWD, path, KEY_MAX, a, &text, e);

	if (r < 0)
		return err_wrap(
		        e, "building '%s': the repository '%s' of " REPOS " has its keys in files",
		        recipe->from, repo->id);
	digest_hex(text.data, text.len, hex);
	if (key)
		strbuf_printf(key, "keys %s\n", hex);
	return 0;
}

/* Which packages count as a repository's follows from the content of these files. */
static int add_keys(const struct recipe *recipe, const struct repo *repo, struct arena *a,
                    struct strbuf *key, struct err *e)
{
	static const char between[] = " \t,", uri[] = "file://";
	int r = 0;

	for (const char *p = repo->keys ? repo->keys : ""; *p && r == 0;) {
		size_t len = strcspn(p, between);

		if (str_starts(p, uri) && len > strlen(uri)) {
			const char *path = key_path(
			        recipe, arena_memdup(a, p + strlen(uri), len - strlen(uri)), a);
			r = *path ? add_file(recipe, repo, path, a, key, e) : 0;
		}
		p += len;
		p += strspn(p, between);
	}
	return r;
}

static bool is_of(const struct family *f, const char *name)
{
	return strncasecmp(name, f->files, strlen(f->files)) == 0 && str_ends(name, ".repo");
}

/* Reads the enabled repositories; the files' digests are added to *key, which may be NULL. */
static int read_repos(const struct recipe *recipe, struct repos *ret, struct strbuf *key,
                      struct err *e)
{
	const struct family *f = family_of(recipe->from);
	scope_arena struct arena *a = arena_new();
	scope_fd int dir = open(REPOS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_listing struct listing l = {0};
	char hex[SHA256_HEX];
	size_t n = 0;
	int r = dir < 0 ? 0 : listing_read(dir, &l);

	ret->n = 0;
	ret->in_keys = false;
	if (r < 0)
		return err_errno(e, -r, "listing " REPOS);
	for (int i = 0; i < l.n; i++) {
		struct blob text;
		if (!is_of(f, l.items[i]->d_name))
			continue;
		r = file_read(dir, l.items[i]->d_name, FILE_MAX, a, &text, e);
		if (r < 0)
			return r;
		digest_hex(text.data, text.len, hex);
		if (key)
			strbuf_printf(key, "repositories %s\n", hex);
		for (const char *p = text.data; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
			read_line(ret, p, a);
	}
	for (size_t i = 0; i < ret->n; i++)
		if (ret->items[i].enabled)
			ret->items[n++] = ret->items[i];
	ret->n = n;
	if (!n)
		return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, ENOENT,
		               "building '%s': this machine has no repository for it: add its own "
		               "as " REPOS "/%s.repo",
		               recipe->from, f->files);
	for (size_t i = 0; i < n; i++)
		if (!ret->items[i].unchecked && !ret->items[i].has_key)
			return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, EINVAL,
			               "building '%s': the repository '%s' of " REPOS
			               " has no gpgkey= to check its packages with, nor gpgcheck=0",
			               recipe->from, ret->items[i].id);
	for (size_t i = 0; i < n; i++) {
		if (r >= 0 && !ret->items[i].unchecked)
			r = add_keys(recipe, &ret->items[i], a, key, e);
		ret->items[i].keys = NULL;
	}
	return r;
}

static int add_key(const struct base *b, struct arena *a, struct strbuf *key, struct err *e)
{
	struct repos repos;

	(void)a;
	if (b->lock)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "%s: a lock is of Debian's packages, and '%s' has others",
		               b->lock->file, b->recipe->from);
	strbuf_printf(key, "distribution %s\n", b->recipe->from);
	for (size_t i = 0; i < b->packages.n; i++)
		strbuf_printf(key, "package %s\n", b->packages.items[i]);
	return read_repos(b->recipe, &repos, key, e);
}

static void warn(const struct recipe *r)
{
	struct repos repos;
	struct err none;

	if (read_repos(r, &repos, NULL, &none) < 0)
		return;
	for (size_t i = 0; i < repos.n; i++)
		if (repos.items[i].unchecked)
			log_warning("packages of the repository '%s' are taken without a check of "
			            "their signatures: its file says gpgcheck=0",
			            repos.items[i].id);
}

/* ---- the run ---- */

/* rpm's database must be where the image's rpm looks for it, not where this machine's
 * has its own. */
static int put_macros(const struct family *f, struct err *e)
{
	const struct file_attr attr = {0600, (uid_t)-1, (gid_t)-1};
	char text[256];
	int n = snprintf(text, sizeof text, "%%_dbpath %s\n%%_db_backend sqlite\n", f->database);
	int r = sandbox_hide(HOME, e);

	return r < 0 ? r : file_replace(AT_FDCWD, HOME "/.rpmmacros", text, (size_t)n, &attr, e);
}

/* With the modes that packages give them; these can't be set while something is mounted there. */
static int make_places(const char *tree, struct err *e)
{
	static const struct {
		const char *name;
		mode_t mode;
	} places[] = {{"proc", 0555}, {"sys", 0555}, {"dev", 0755}};
	scope_fd int dir = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (dir < 0 || mkdirat(dir, places[i].name, places[i].mode) < 0)
			return err_errno(e, errno, "making /%s in the image", places[i].name);
	return sandbox_lend(tree, e);
}

static const char *const *command(const struct recipe *r, const struct field_strings *packages,
                                  const struct repos *repos, const char *tree, struct arena *a)
{
	const struct family *f = family_of(r->from);
	const char *release = r->from + strlen(f->prefix);
	const char *const platform[] = {f->platform, release};
	const char *const fixed[] = {
	        "dnf",
	        "-y",
	        "--noplugins",
	        "--setopt=reposdir=" REPOS,
	        "--setopt=varsdir=/etc/dnf/vars",
	        "--setopt=gpgcheck=1", /* unless a repository disables it */
	        "--setopt=install_weak_deps=False",
	        "--setopt=skip_if_unavailable=False",
	        "--setopt=best=True",
	        "--setopt=keepcache=False",
	        arena_printf(a, "--setopt=module_platform_id=%.*s%s",
	                     (int)strcspn(platform[0], "%"), platform[0], platform[1]),
	        arena_printf(a, "--installroot=%s", tree),
	        arena_printf(a, "--releasever=%s", f->releasever ? f->releasever : release),
	};
	const char **argv = arena_array(a, ARGV_MAX + repos->n + packages->n, sizeof *argv);
	size_t n = ARRAY_LEN(fixed);

	memcpy(argv, fixed, sizeof fixed);
	for (size_t i = 0; i < repos->n; i++)
		argv[n++] = arena_printf(a, "--repo=%s", repos->items[i].id);
	argv[n++] = "install";
	for (size_t i = 0; i < ARRAY_LEN(essential); i++)
		argv[n++] = essential[i];
	for (size_t i = 0; i < packages->n; i++) {
		char *word = arena_strdup(a, packages->items[i]);
		char *pin = strchr(word, '=');

		if (pin)
			*pin = '-';
		argv[n++] = word;
	}
	return argv;
}

/* dnf's error message: the line that begins with "Error", else the last line. */
static int failed(const struct host_result *res, struct err *e)
{
	const char *text = res->errout.data ? res->errout.data : "";
	const char *at = strstr(text, "Error: ");
	bool signature = strstr(text, "GPG check FAILED") || strstr(text, "is not signed");

	if (!at) {
		size_t end = strlen(text);
		while (end > 0 && text[end - 1] == '\n')
			end--;
		for (at = text + end; at > text && at[-1] != '\n';)
			at--;
	}
	return err_set(e, signature ? ERR_INTEGRITY : ERR_HOST,
	               signature ? REASON_SIGNATURE_INVALID : REASON_HOST_PACKAGE, EIO,
	               "installing with dnf: exit status %d: %.*s", res->status,
	               (int)strcspn(at, "\n"), at);
}

/* Removes what dnf keeps for its next run, which will not happen in this image, and the files
 * sqlite keeps for its readers. An empty journal beside rpm's database has been written back. */
static void settle(const char *tree, const struct family *f, struct arena *a)
{
	static const char *const below[] = {"var/cache/dnf", "var/lib/dnf"};
	scope_fd int top = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; top >= 0 && i < ARRAY_LEN(below); i++) {
		scope_fd int dir =
		        openat(top, below[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		scope_listing struct listing l = {0};

		if (dir < 0 || listing_read(dir, &l) < 0)
			continue;
		for (int k = 0; k < l.n; k++)
			store_remove(
			        arena_printf(a, "%s/%s/%s", tree, below[i], l.items[k]->d_name));
	}
	const char *wal = arena_printf(a, "%s/rpmdb.sqlite-wal", f->database + 1);
	if (top >= 0 && fstatat(top, wal, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 0) {
		(void)unlinkat(top, wal, 0);
		(void)unlinkat(top, arena_printf(a, "%s/rpmdb.sqlite-shm", f->database + 1), 0);
	}
	static const char *const logs[] = {"dnf.log", "dnf.rpm.log", "dnf.librepo.log",
	                                   "hawkey.log"};
	for (size_t i = 0; top >= 0 && i < ARRAY_LEN(logs); i++)
		(void)unlinkat(top, arena_printf(a, "var/log/%s", logs[i]), 0);
}

static int run_dnf(const struct base_work *w, const struct repos *repos, struct err *e)
{
	static const char *const env[] = {"SOURCE_DATE_EPOCH=" BASE_EPOCH_TEXT, "HOME=" HOME,
	                                  "LC_ALL=C.UTF-8", "TZ=UTC", NULL};
	scope_arena struct arena *a = arena_new();
	struct host_exec x = {.argv = command(&w->recipe, &w->packages, repos, w->tree, a),
	                      .env = env,
	                      .deadline = w->deadline,
	                      .line = base_say};
	struct host_result res;
	int r = host_run_here(&x, a, &res, e);

	if (r < 0)
		return r;
	if (res.status != 0)
		return failed(&res, e);
	settle(w->tree, family_of(w->recipe.from), a);
	return 0;
}

static int run(void *work, struct err *e)
{
	const struct base_work *w = work;
	struct repos repos;
	int r = read_repos(&w->recipe, &repos, NULL, e);

	if (r < 0)
		return r;
	r = make_places(w->tree, e);
	if (r < 0)
		return r;
	r = put_macros(family_of(w->recipe.from), e);
	if (r < 0)
		return r;
	return run_dnf(w, &repos, e);
}

static const struct sandbox_job base_dnf_job = {.name = "base-dnf",
                                                .size = sizeof(struct base_work),
                                                .parcel = base_work_parcel,
                                                .run = run};

/* Whether a line says that a package's script failed without failing the installation. */
static bool complains(const char *line)
{
	return str_starts(line, "Error in ") && strstr(line, " scriptlet in rpm package ");
}

static void hear(void *ctx, const char *line)
{
	const struct base_making *m = ctx;

	if (complains(line))
		log_warning("%s", line);
	m->line(m->line_ctx, line);
}

static int make(const struct base_making *m, struct err *e)
{
	struct base_work w = base_work(m);
	struct base_making told = *m;

	told.line = hear;
	told.line_ctx = (void *)(uintptr_t)m;
	warn(m->base->recipe);
	return base_run(&told, &base_dnf_job, &w, true, e);
}

const struct base_type base_dnf = {.job = &base_dnf_job,
                                   .makes = makes,
                                   .packages = true,
                                   .check = check,
                                   .key = add_key,
                                   .make = make};
