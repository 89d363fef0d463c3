/* SPDX-License-Identifier: Apache-2.0 */
/* Reads rpm's database with rpm. Uses a copy, since sqlite writes beside the database even when
 * reading. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "host/host.h"
#include "store/packages.h"
#include "store/store.h"

#define QUERY_MS 120000
#define FIELDS   6

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

static int query(const char *dir, struct listing_of *l, struct err *e)
{
	const char *const argv[] = {
	        "rpm",
	        "--dbpath",
	        dir,
	        "-qa",
	        "--queryformat=%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}"
	        "\\t%{ARCH}\\t%{SOURCERPM}\\t%{VENDOR}\\t%{BUILDTIME}\\n",
	        NULL};
	struct host_exec x = {
	        .argv = argv, .deadline = clock_in_ms(QUERY_MS), .line = add, .line_ctx = l};
	struct host_result res;
	int r = host_run_here_ok(&x, l->arena, &res, e);

	return r < 0 && r != -ENOENT ? err_wrap(e, "listing rpm's packages") : r;
}

int packages_rpm(struct blob database, struct arena *a, struct packages *p, struct err *e)
{
	char dir[] = "/tmp/hpc-rpmdb-XXXXXX";
	struct listing_of l = {.arena = a, .packages = p};

	if (!mkdtemp(dir))
		return err_errno(e, errno, "making a directory in /tmp");
	scope_fd int fd = open(arena_printf(a, "%s/rpmdb.sqlite", dir),
	                       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : file_write_all(fd, database.data, database.len);
	r = r < 0 ? err_errno(e, -r, "writing to '%s'", dir) : query(dir, &l, e);
	store_remove(dir);
	return r;
}
