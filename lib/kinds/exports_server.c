/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the files of the kind `exports`, and makes the kernel's NFS server do as they say.
 *
 * The server is compared with the files, not with what we did last: threads, versions and times as
 * the kernel tells them below /proc/fs/nfsd, exports as exportfs keeps them in its table. So
 * whatever a run that was killed left undone is seen by the next one. The server is restarted only
 * when its own settings differ: clients wait while it is away.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "kinds/exports_own.h"
#include "machine/unit.h"

#define NFSD       "/proc/fs/nfsd/"
#define TABLE      "/var/lib/nfs/etab" /* exportfs(8) */
#define TABLE_MAX  (4UL << 20)
#define VALUE_MAX  4096
#define EXPORTS_MS 20000
#define DOING      "serving exports"

static const struct host_owner root = {0};

/* ---- the server's settings ---- */

/* What the kernel says there, or NULL. */
static const char *kernel_says(const struct step_ctx *c, const char *name)
{
	struct blob text;
	struct err ignored;

	if (file_read(AT_FDCWD, arena_printf(c->arena, NFSD "%s", name), VALUE_MAX, c->arena, &text,
	              &ignored) < 0)
		return NULL;
	return text.data;
}

static bool number_is(const struct step_ctx *c, const char *name, unsigned long long wanted)
{
	const char *said = kernel_says(c, name);

	return said && str_eq(said, arena_printf(c->arena, "%llu\n", wanted));
}

/* "-2 -3 +4 -4.0 -4.1 +4.2": 4.2 is on, and no other version. */
static bool only_42(const char *versions)
{
	static const char *const off[] = {"+2", "+3", "+4.0", "+4.1"};

	for (size_t i = 0; versions && i < ARRAY_LEN(off); i++)
		if (strstr(versions, off[i]))
			return false;
	return versions && strstr(versions, "+4.2");
}

static bool settings_hold(const struct step_ctx *c, const struct exports_spec *x)
{
	const char *ports = kernel_says(c, "portlist");

	return number_is(c, "threads", exports_threads(x)) &&
	       number_is(c, "nfsv4gracetime", exports_grace_s(x)) &&
	       number_is(c, "nfsv4leasetime", exports_grace_s(x)) &&
	       only_42(kernel_says(c, "versions")) && ports && strstr(ports, "tcp 2049");
}

/* ---- the table of exports ---- */

static bool is_in_table(const struct step_ctx *c, const char *table, const char *path,
                        const char *network)
{
	const char *entry = arena_printf(c->arena, "%s\t%s(", path, network);

	for (const char *line = table; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (str_starts(line, entry))
			return true;
	}
	return false;
}

static bool all_in_table(const struct step_ctx *c, const struct exports_spec *x, const char *table)
{
	const struct field_strings *const lists[] = {&x->read_write, &x->read_only};

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			for (size_t k = 0; k < x->networks.n; k++)
				if (!is_in_table(c, table, lists[l]->items[i],
				                 x->networks.items[k]))
					return false;
	return true;
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* The table was made since our file was written, and names all that is in it. */
static bool table_holds(const struct step_ctx *c, const struct exports_spec *x)
{
	struct stat file, table;
	struct blob text;
	struct err ignored;

	if (host_stat(c->host, NFSD_EXPORTS_PATH, &file, &ignored) < 0 ||
	    host_stat(c->host, TABLE, &table, &ignored) < 0 ||
	    host_read(c->host, TABLE, TABLE_MAX, c->arena, &text, &ignored) < 0)
		return false;
	return !is_newer(&file.st_mtim, &table.st_mtim) && all_in_table(c, x, text.data);
}

/* ---- probe ---- */

/* The server goes by the path, and as root: what a user exchanged for a link would be served in its
 * place. */
static int check_dir(const struct step_ctx *c, const char *path, struct err *e)
{
	struct stat st;
	int r = host_dir_closed(c->host, exports_parent(c, path), e);

	if (r < 0)
		return err_wrap(e, "exporting '%s'", path);
	r = host_lookup(c->host, path, e);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(e, ERR_HOST, REASON_EXPORT_MISSING, ENOENT,
		               "exporting '%s': there is no such directory", path);
	r = host_stat(c->host, path, &st, e);
	if (r < 0 || S_ISDIR(st.st_mode))
		return r;
	return err_set(e, ERR_HOST, REASON_EXPORT_MISSING, ENOTDIR,
	               "exporting '%s': it is not a directory", path);
}

/* In a dry run they may be yet to come. */
static int check_dirs(const struct step_ctx *c, const struct exports_spec *x, struct err *e)
{
	const struct field_strings *const lists[] = {&x->read_write, &x->read_only};

	for (size_t l = 0; host_mode(c->host) == HOST_LIVE && l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			int r = check_dir(c, lists[l]->items[i], e);
			if (r < 0)
				return r;
		}
	return 0;
}

static int files_hold(const struct step_ctx *c, const struct exports_spec *x, struct err *e)
{
	struct blob text;
	int r = exports_text(c, x, &text, e);

	if (r < 0)
		return r;
	r = host_file_is(c->host, NFSD_CONF_PATH, exports_conf_text(c, x), 0644, &root, e);

	if (r <= 0)
		return r;
	return host_file_is(c->host, NFSD_EXPORTS_PATH, text, 0644, &root, e);
}

int exports_probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct exports_spec *x = fields;
	struct host_unit_state unit;
	int r = step_check_running(c, DOING, e);

	if (r < 0)
		return r;
	r = check_dirs(c, x, e);
	if (r < 0)
		return r;
	r = files_hold(c, x, e);
	if (r <= 0)
		return r;
	r = host_unit_state(c->host, EXPORTS_UNIT, &unit, c->deadline, e);
	if (r < 0)
		return r;
	return unit.active && settings_hold(c, x) && table_holds(c, x);
}

/* ---- apply ---- */

static int check_able(const struct step_ctx *c, const struct exports_spec *x, struct err *e)
{
	struct host_unit_state unit;
	int r = check_dirs(c, x, e);

	if (r < 0)
		return r;
	r = host_unit_state(c->host, EXPORTS_UNIT, &unit, c->deadline, e);
	if (r < 0 || unit.known)
		return r;
	return err_set(e, ERR_HOST, REASON_UNIT_MISSING, ENOENT,
	               DOING ": there is no %s: expected the package nfs-kernel-server",
	               EXPORTS_UNIT);
}

static int write_files(const struct step_ctx *c, const struct exports_spec *x, struct err *e)
{
	struct blob text;
	int r = exports_text(c, x, &text, e);

	if (r < 0)
		return r;
	r = host_write(c->host, NFSD_CONF_PATH, exports_conf_text(c, x), 0644, &root, e);

	if (r < 0)
		return r;
	return host_write(c->host, NFSD_EXPORTS_PATH, text, 0644, &root, e);
}

static int start(const struct step_ctx *c, enum host_unit_action action, struct err *e)
{
	int r = host_unit_do(c->host, EXPORTS_UNIT, action, c->deadline, e);

	if (r < 0 && host_mode(c->host) == HOST_LIVE && !kernel_says(c, "versions"))
		return err_set(e, ERR_HOST, REASON_NFS_SERVER, ENODEV,
		               DOING ": this kernel has no NFS server (module nfsd)");
	return r;
}

static int serve(const struct step_ctx *c, const struct exports_spec *x, struct err *e)
{
	struct host_unit_state unit;
	int r = host_unit_state(c->host, EXPORTS_UNIT, &unit, c->deadline, e);

	if (r < 0)
		return r;
	if (!unit.active)
		return start(c, HOST_UNIT_START, e);
	return settings_hold(c, x) ? 0 : start(c, HOST_UNIT_RESTART, e);
}

static int refresh_table(const struct step_ctx *c, struct err *e)
{
	static const char *const argv[] = {"exportfs", "-r", NULL};
	const struct host_exec x = {.argv = argv,
	                            .changes = true,
	                            .deadline = clock_min(c->deadline, clock_in_ms(EXPORTS_MS))};
	struct host_result said;
	int r = host_run_ok(c->host, &x, c->arena, &said, e);

	if (r < 0 && e->kind == ERR_HOST && e->reason == REASON_HOST_COMMAND_FAILED)
		e->reason = REASON_NFS_SERVER;
	return r < 0 ? err_wrap(e, DOING) : 0;
}

int exports_apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct exports_spec *x = fields;
	int r = step_check_running(c, DOING, e);

	if (r < 0)
		return r;
	if (host_mode(c->host) == HOST_LIVE) {
		r = check_able(c, x, e);
		if (r < 0)
			return r;
	}
	r = write_files(c, x, e);
	if (r < 0)
		return r;
	r = serve(c, x, e);
	if (r < 0)
		return r;
	return table_holds(c, x) ? 0 : refresh_table(c, e);
}
