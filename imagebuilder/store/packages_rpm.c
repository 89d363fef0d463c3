/* SPDX-License-Identifier: Apache-2.0 */
/* Reads rpm's database with rpm: a copy, since sqlite writes beside the database even when reading,
 * and as nobody, since the database is the image's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/scope.h"
#include "host/host.h"
#include "store/packages.h"
#include "store/store.h"

#define QUERY_MS 120000
#define FIELDS   6
#define NOBODY   "nobody"
#define NAME_LEN 256

const char *const packages_rpm_paths[] = {"/usr/lib/sysimage/rpm/rpmdb.sqlite",
                                          "/var/lib/rpm/rpmdb.sqlite", NULL};

struct listing_of {
	struct arena *arena;
	struct packages *packages;
};

/* "NAME-VERSION-RELEASE.src.rpm" */
static void read_source(struct package *p, char *source)
{
	char *release, *version = NULL;

	p->source = p->name;
	p->source_version = p->version;
	if (!str_ends(source, ".src.rpm"))
		return;
	source[strlen(source) - strlen(".src.rpm")] = '\0';
	release = strrchr(source, '-');
	for (char *c = source; release && c < release; c++)
		if (*c == '-')
			version = c;
	if (!version)
		return;
	*version = '\0';
	p->source = source;
	p->source_version = version + 1;
}

/* Name, version, architecture, source, vendor, build time, separated by tabs. Any other line is a
 * message. */
static void add(void *ctx, const char *line)
{
	struct listing_of *l = ctx;
	char *field[FIELDS], *text = arena_strdup(l->arena, line);
	uint64_t built = 0;
	size_t n = 0;

	for (char *next = text; next && n < FIELDS; n++) {
		field[n] = next;
		next = strchr(next, '\t');
		if (next)
			*next++ = '\0';
	}
	/* Imported keys are stored as packages. */
	if (n != FIELDS || str_u64(field[5], 0, INT64_MAX, &built) < 0 ||
	    str_eq(field[0], "gpg-pubkey"))
		return;
	struct packages *p = l->packages;
	struct package one = {.name = field[0], .version = field[1], .arch = field[2]};
	if (!str_eq(field[4], "(none)"))
		one.maintainer = field[4];
	read_source(&one, field[3]);
	p->items = arena_grow(l->arena, p->items, &p->n, sizeof *p->items);
	p->items[p->n - 1] = one;
	if ((int64_t)built > p->built)
		p->built = (int64_t)built;
}

/* ---- asking rpm ---- */

struct query {
	const char *format;
	void (*line)(void *ctx, const char *line);
	void *ctx;
	bool root;    /* and so rpm is nobody */
	uid_t nobody; /* else nobody's own process */
};

static int find_nobody(struct query *q, struct arena *a, struct err *e)
{
	struct host_user user;
	struct host *here;

	q->root = geteuid() == 0;
	if (!q->root)
		return 0;
	int r = host_open("/", HOST_LIVE, &here, e);
	if (r < 0)
		return r;
	r = host_user(here, NOBODY, a, &user, e);
	host_close(here);
	if (r == 0)
		q->nobody = user.uid;
	return r;
}

/* The copy's directory is below one that only this process may change: its name stays its own. */
static int put_copy(const struct query *q, const char *dir, struct blob database, struct err *e)
{
	scope_fd int outer = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (outer < 0 || fchmod(outer, 0711) < 0 || mkdirat(outer, "db", 0700) < 0)
		return err_errno(e, errno, "making a directory in '%s'", dir);
	scope_fd int inner = openat(outer, "db", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_fd int fd = inner < 0 ? -1
	                            : openat(inner, "rpmdb.sqlite",
	                                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, errno, "writing to '%s'", dir);
	int r = file_write_all(fd, database.data, database.len);
	if (r == 0 && q->root &&
	    (fchown(fd, q->nobody, (gid_t)-1) < 0 || fchown(inner, q->nobody, (gid_t)-1) < 0))
		r = -errno;
	return r < 0 ? err_errno(e, -r, "writing to '%s'", dir) : 0;
}

static int ask(const struct query *q, const char *dir, struct arena *a, struct err *e)
{
	const char *const argv[] = {"rpm",
	                            "--dbpath",
	                            arena_printf(a, "%s/db", dir),
	                            "-qa",
	                            arena_printf(a, "--queryformat=%s", q->format),
	                            NULL};
	struct host_exec x = {.argv = argv,
	                      .user = q->root ? NOBODY : NULL,
	                      .deadline = clock_in_ms(QUERY_MS),
	                      .line = q->line,
	                      .line_ctx = q->ctx};
	struct host_result res;
	int r = host_run_here_ok(&x, a, &res, e);

	return r < 0 && r != -ENOENT ? err_wrap(e, "listing rpm's packages") : r;
}

static int query(struct query *q, struct blob database, struct arena *a, struct err *e)
{
	char dir[] = "/tmp/hpc-rpmdb-XXXXXX";
	int r = find_nobody(q, a, e);

	if (r < 0)
		return r;
	if (!mkdtemp(dir))
		return err_errno(e, errno, "making a directory in /tmp");
	r = put_copy(q, dir, database, e);
	if (r == 0)
		r = ask(q, dir, a, e);
	store_remove(dir);
	return r;
}

int packages_rpm_database(int root, struct arena *a, struct blob *ret, struct err *e)
{
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && packages_rpm_paths[i]; i++)
		r = file_read(root, packages_rpm_paths[i], PACKAGES_RPM_MAX, a, ret, e);
	return r;
}

int packages_rpm(struct blob database, struct arena *a, struct packages *p, struct err *e)
{
	struct listing_of l = {.arena = a, .packages = p};
	struct query q = {.format = "%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}"
	                            "\\t%{ARCH}\\t%{SOURCERPM}\\t%{VENDOR}\\t%{BUILDTIME}\\n",
	                  .line = add,
	                  .ctx = &l};

	return query(&q, database, a, e);
}

/* ---- files ---- */

struct files_of {
	packages_file_fn *file;
	void *ctx;
};

/* "DIGEST PACKAGE PATH"; links, directories and what was never shipped have no digest. */
static void add_file(void *ctx, const char *line)
{
	const struct files_of *f = ctx;
	char digest[DIGEST_HEX_MAX], package[NAME_LEN];
	size_t n = strspn(line, "0123456789abcdef"), len = line[n] ? strcspn(line + n + 1, " ") : 0;
	const char *name = line + n + 1, *path = name + len + 1;

	if (n >= sizeof digest || line[n] != ' ' || len == 0 || len >= sizeof package ||
	    name[len] != ' ' || *path != '/')
		return;
	snprintf(digest, sizeof digest, "%.*s", (int)n, line);
	snprintf(package, sizeof package, "%.*s", (int)len, name);
	f->file(f->ctx, &(struct packages_file){package, path, digest});
}

int packages_rpm_files(struct blob database, packages_file_fn *file, void *ctx, struct arena *a,
                       struct err *e)
{
	struct files_of f = {.file = file, .ctx = ctx};
	struct query q = {
	        .format = "[%{FILEDIGESTS} %{=NAME} %{FILENAMES}\\n]", .line = add_file, .ctx = &f};

	return query(&q, database, a, e);
}
