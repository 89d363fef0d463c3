/* SPDX-License-Identifier: Apache-2.0 */
/* A lock's packages: in the store by their digests, and as a repository for mmdebstrap. */
#include "bases/lock_repo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "bases/lock_snapshot.h"
#include "host/host.h"
#include "http/uri.h"
#include "store/objects.h"
#include "store/packages.h"
#include "store/scratch.h"

#define FIELDS_MS  60000
#define INDEX_MAX  (64UL << 20)
#define SOURCE_MAX (256UL << 10)

static const char *object(const struct store *s, const struct lock_package *p, struct arena *a)
{
	return arena_printf(a, "%s/objects/%s", s->path, p->sha256);
}

/* ---- fetching ---- */

static bool is_whole(const char *path, const struct lock_package *p)
{
	char hex[SHA256_HEX];
	struct stat st;
	struct err none;

	if (stat(path, &st) < 0 || (uint64_t)st.st_size != p->size ||
	    file_sha256(AT_FDCWD, path, hex, &none) < 0 || !str_eq(hex, p->sha256))
		return false;
	objects_touch(path);
	return true;
}

static bool is_gone(const char *why)
{
	return why && (str_starts(why, "404 ") || str_starts(why, "410 "));
}

static int not_to_be_had(const struct lock *l, const struct lock_package *p, const char *why,
                         bool more, struct err *e)
{
	bool gone = is_gone(why), asked = l->snapshot && str_starts(l->from, "debian:");

	return err_set(e, gone ? ERR_ABSENT : ERR_RETRY, REASON_HTTP_STATUS, EIO,
	               "fetching '%s'%s: %s%s%s%s", p->url, more ? " and others" : "",
	               why ? why : "no file of the lock's size and SHA-256 came",
	               gone ? "; the archive no longer has it" : "",
	               gone && asked ? ", nor has the snapshot service" : "",
	               gone ? ": make the lock anew by `hpc-imagebuild lock`" : "");
}

/* What is fetched: `missing` of the lock's packages, into the directory by their digests. */
struct fetching {
	const struct lock *lock;
	const struct store *store;
	bool *missing;
	const char *dir;
	const struct lock_listener *listener;
	uint64_t deadline;
	struct arena *arena;
	struct blob said; /* by apt */
};

static int ask_archive(struct fetching *f, struct err *e)
{
	const struct lock *l = f->lock;
	struct lock_download *list = arena_array(f->arena, l->n, sizeof *list);
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct lock_package *p = &l->packages[i];

		if (f->missing[i])
			list[n++] = (struct lock_download){
			        p->url, arena_printf(f->arena, "%s/%s", f->dir, p->sha256),
			        p->sha256};
	}
	return lock_download(list, n, f->listener, f->deadline, f->arena, &f->said, e);
}

/* Complete downloads go into the store, so that the next run has less to fetch. */
static void keep(struct fetching *f)
{
	for (size_t i = 0; i < f->lock->n; i++) {
		const struct lock_package *p = &f->lock->packages[i];
		const char *from = arena_printf(f->arena, "%s/%s", f->dir, p->sha256);

		if (f->missing[i] && is_whole(from, p) &&
		    rename(from, object(f->store, p, f->arena)) == 0)
			f->missing[i] = false;
	}
}

/* What the archive no longer has is asked for at the service that keeps all it ever had. */
static int ask_snapshot(struct fetching *f, struct err *e)
{
	const struct lock *l = f->lock;
	bool *gone = arena_array(f->arena, l->n, sizeof *gone);
	size_t n = 0;

	if (!l->snapshot || !str_starts(l->from, "debian:"))
		return 0;
	for (size_t i = 0; i < l->n; i++) {
		gone[i] = f->missing[i] &&
		          is_gone(lock_download_why_not(f->said, l->packages[i].url, f->arena));
		n += gone[i];
	}
	if (!n)
		return 0;
	log_notice("%zu package%s left the archive: asking '%s'", n, n == 1 ? "" : "s",
	           l->snapshot);
	int r = lock_from_snapshot(l, gone, f->dir, f->listener, f->deadline, f->arena, e);
	if (r < 0)
		return r;
	keep(f);
	return 0;
}

static int judge_missing(const struct fetching *f, struct err *e)
{
	const struct lock_package *first = NULL;
	const char *why = NULL;
	size_t n = 0;

	for (size_t i = 0; i < f->lock->n; i++) {
		const struct lock_package *p = &f->lock->packages[i];

		if (!f->missing[i])
			continue;
		/* Only the end of apt's output is kept: prefer a package for which it has the
		 * cause. */
		first = first && why ? first : p;
		why = why ? why : lock_download_why_not(f->said, p->url, f->arena);
		n++;
	}
	return n ? not_to_be_had(f->lock, first, why, n > 1, e) : 0;
}

static int fetch_missing(struct fetching *f, struct err *e)
{
	int r = ask_archive(f, e);

	if (r < 0)
		return r;
	keep(f);
	r = ask_snapshot(f, e);
	if (r < 0)
		return r;
	return judge_missing(f, e);
}

int lock_fetch(const struct lock *l, struct store *s, const struct lock_listener *listener,
               uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	scope_scratch struct scratch scratch = SCRATCH_INIT;
	bool *missing = arena_array(a, l->n + 1, sizeof *missing), any = false;

	for (size_t i = 0; i < l->n; i++)
		any |= missing[i] = !is_whole(object(s, &l->packages[i], a), &l->packages[i]);
	if (!any)
		return 0;
	int r = scratch_open(s, &scratch, e);
	if (r < 0)
		return r;
	struct fetching f = {.lock = l,
	                     .store = s,
	                     .missing = missing,
	                     .dir = scratch.path,
	                     .listener = listener,
	                     .deadline = deadline,
	                     .arena = a};
	return fetch_missing(&f, e);
}

/* ---- the repository ---- */

/* These four fields are set from the lock, whatever the package's own stanza says. */
static void add_stanza(const struct lock_package *p, struct blob fields, struct strbuf *out)
{
	static const char *const ours[] = {"Priority:", "Filename:", "Size:", "SHA256:"};
	const char *at = fields.data, *end = at + fields.len;

	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t len = eol ? (size_t)(eol - at) : (size_t)(end - at);
		bool skip = len == 0;

		for (size_t i = 0; i < ARRAY_LEN(ours); i++)
			skip |= len > strlen(ours[i]) && !memcmp(at, ours[i], strlen(ours[i]));
		if (!skip) {
			strbuf_add(out, at, len);
			strbuf_char(out, '\n');
		}
		at += len + 1;
	}
	strbuf_printf(out, "Priority: %s\nFilename: pool/%s.deb\nSize: %" PRIu64 "\nSHA256: %s\n\n",
	              p->required ? "required" : "optional", p->sha256, p->size, p->sha256);
}

static int add_package(const struct lock_package *p, struct host *here, const struct store *s,
                       const char *dir, struct strbuf *out, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *file = object(s, p, a);
	const char *const argv[] = {"dpkg-deb", "--field", file, NULL};
	struct host_exec x = {.argv = argv, .deadline = clock_in_ms(FIELDS_MS)};
	const char *to = arena_printf(a, "%s/pool/%s.deb", dir, p->sha256);
	struct host_result res;
	int r = host_run_ok(here, &x, a, &res, e);

	if (r < 0)
		return err_wrap(e, "looking into '%s' of the lock", p->name);
	add_stanza(p, res.out, out);
	if (link(file, to) < 0 && errno != EEXIST)
		return err_errno(e, errno, "linking '%s'", to);
	return 0;
}

static int write_index(const struct lock *l, const char *dir, const struct strbuf *index,
                       struct arena *a, struct err *e)
{
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};
	const char *suite = strchr(l->from, ':') ? strchr(l->from, ':') + 1 : l->from;
	const char *arch = str_eq(l->arch, "arm64") ? "arm64" : "amd64";
	const char *dist = arena_printf(a, "%s/dists/%s", dir, suite);
	const char *below = arena_printf(a, "main/binary-%s", arch);
	const char *const dirs[] = {arena_printf(a, "%s/dists", dir), dist,
	                            arena_printf(a, "%s/main", dist),
	                            arena_printf(a, "%s/%s", dist, below)};
	char hex[SHA256_HEX];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return err_errno(e, errno, "making '%s'", dirs[i]);
	digest_hex(index->data, index->len, hex);
	const char *release =
	        arena_printf(a,
	                     "Suite: %s\nCodename: %s\nComponents: main\nArchitectures: %s\n"
	                     "SHA256:\n %s %zu %s/Packages\n",
	                     suite, suite, arch, hex, index->len, below);
	int r = file_replace(AT_FDCWD, arena_printf(a, "%s/%s/Packages", dist, below), index->data,
	                     index->len, &attr, e);
	if (r < 0)
		return r;
	return file_replace(AT_FDCWD, arena_printf(a, "%s/Release", dist), release, strlen(release),
	                    &attr, e);
}

int lock_repository(const struct lock *l, const struct store *s, const char *dir, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *pool = arena_printf(a, "%s/pool", dir);
	struct strbuf index = STRBUF(a, INDEX_MAX);
	struct host *here;

	if (mkdir(pool, 0755) < 0)
		return err_errno(e, errno, "making '%s'", pool);
	int r = host_open("/", HOST_LIVE, &here, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n && r == 0; i++)
		r = add_package(&l->packages[i], here, s, dir, &index, e);
	host_close(here);
	if (r < 0)
		return r;
	if (index.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "%s: its packages tell more than %lu bytes of themselves", l->file,
		               INDEX_MAX);
	return write_index(l, dir, &index, a, e);
}

const char *lock_repository_source(const struct lock *l, const char *dir, struct arena *a)
{
	struct strbuf uri = STRBUF(a, 3 * PATH_MAX);

	/* The path may have spaces. */
	uri_encode(&uri, (struct blob){dir, strlen(dir)}, true);
	return arena_printf(a, "deb [trusted=yes] copy:%s %s main", uri.data,
	                    strchr(l->from, ':') ? strchr(l->from, ':') + 1 : l->from);
}

/* ---- checking the result ---- */

static int compare(const struct lock_package *p, const struct package *q)
{
	int by_name = strcmp(p->name, q->name);
	int by_arch = strcmp(p->arch, q->arch);

	if (by_name)
		return by_name;
	return by_arch ? by_arch : strcmp(p->version, q->version);
}

/* Both are sorted by name and architecture. */
static int check_installed(const struct lock *l, const struct packages *p, struct err *e)
{
	size_t i = 0, k = 0;

	while (i < l->n || k < p->n) {
		int order = i == l->n ? 1 : k == p->n ? -1 : compare(&l->packages[i], &p->items[k]);

		if (order < 0)
			return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
			               "%s: '%s' %s is locked, and nothing asks for it: make the "
			               "lock anew by `hpc-imagebuild lock`",
			               l->file, l->packages[i].name, l->packages[i].version);
		if (order > 0)
			return err_set(e, ERR_BUG, REASON_BUG, EBADMSG,
			               "%s: '%s' %s is installed, and is not in the lock", l->file,
			               p->items[k].name, p->items[k].version);
		i++;
		k++;
	}
	return 0;
}

int lock_settle(const struct lock *l, const char *tree, struct err *e)
{
	const struct file_attr attr = {0644, 0, 0};
	scope_arena struct arena *a = arena_new();
	scope_fd int root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strbuf text = STRBUF(a, SOURCE_MAX);
	struct packages installed;

	if (root < 0)
		return err_errno(e, errno, "opening '%s'", tree);
	int r = packages_read(root, a, &installed, e);
	if (r < 0)
		return r;
	r = check_installed(l, &installed, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l->sources.n; i++) /* as mmdebstrap writes them */
		strbuf_printf(&text, "%s%s\n", i ? "\n" : "", l->sources.items[i]);
	return file_replace(root, "etc/apt/sources.list", text.data, text.len, &attr, e);
}
