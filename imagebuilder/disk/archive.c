/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/archive.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "host/host.h"

struct look {
	const char *path;
	uint64_t ceiling, bytes, entries;
	struct err fault; /* the first */
};

static void refuse(struct look *l, const char *name, const char *why)
{
	if (!l->fault.no)
		(void)err_set(&l->fault, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
		              "unpacking '%s': '%s' %s", l->path, name, why);
}

static bool has_dots(const char *name)
{
	for (const char *p = name; *p;) {
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.')
			return true;
		p += len + (p[len] == '/');
	}
	return false;
}

static bool is_dev(const char *name)
{
	while (*name == '.' || *name == '/')
		name++;
	return str_starts(name, "dev/");
}

/* One line of `tar --list --verbose`: "-rw-r--r-- 0/0 12 2020-01-01 00:00 name[ -> target]", of a
 * device "MAJOR,MINOR" for the size. What is no such line is a message, or the rest of a long name.
 */
static void look_at(void *ctx, const char *line)
{
	struct look *l = ctx;
	char mode[16], size[32];
	int at = 0;

	if (sscanf(line,
	           "%11[-a-zA-Z] %*[0-9]/%*[0-9] %31[0-9,] "
	           "%*[0-9]-%*2[0-9]-%*2[0-9] %*2[0-9]:%*2[0-9] %n",
	           mode, size, &at) != 2 ||
	    strlen(mode) != 10)
		return;
	if (at == 0) { /* tar shows a time without a date as a number: where is the name? */
		refuse(l, line, "has a time that is none");
		return;
	}
	char name[1100];
	uint64_t bytes = 0;
	const char *end = strstr(line + at, mode[0] == 'h' ? " link to " : " -> ");
	bool links = end && (mode[0] == 'h' || mode[0] == 'l');

	snprintf(name, sizeof name, "%.*s", links ? (int)(end - line) - at : 1000, line + at);
	if (has_dots(name))
		refuse(l, name, "leads out of the image");
	if (mode[0] == 'b' || (mode[0] == 'c' && (!is_dev(name) || str_eq(size, "0,0"))))
		refuse(l, name, "is a device, which an image gets when it boots");
	if (mode[0] != 'b' && mode[0] != 'c' &&
	    (str_u64(size, 0, UINT64_MAX, &bytes) < 0 || bytes > l->ceiling - l->bytes)) {
		char why[128];

		snprintf(why, sizeof why,
		         "makes it more than the %" PRIu64 " MiB of the disk; expected "
		         "image.disk.size to be as large as what it unpacks to",
		         l->ceiling >> 20);
		refuse(l, name, why);
		bytes = 0;
	}
	l->bytes += bytes;
	if (++l->entries > ARCHIVE_ENTRIES_MAX)
		refuse(l, name, "is one file too many");
}

int archive_check(const char *path, uint64_t ceiling, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *const argv[] = {
	        "tar",    "--list", "--verbose", "--numeric-owner", "--quoting-style=escape",
	        "--file", path,     NULL};
	static const char *const env[] = {"LC_ALL=C", "TZ=UTC", NULL};
	struct look l = {.path = path, .ceiling = ceiling};
	struct host_exec x = {
	        .argv = argv, .env = env, .deadline = deadline, .line = look_at, .line_ctx = &l};
	struct host_result res;
	struct host *here;
	int r = host_open("/", HOST_LIVE, &here, e);

	if (r < 0)
		return r;
	r = host_run_ok(here, &x, a, &res, e);
	host_close(here);
	if (r < 0 && e->reason == REASON_HOST_COMMAND_FAILED)
		e->kind = ERR_INPUT; /* tar runs; what it was given is none */
	if (!l.fault.no)
		return r < 0 ? err_wrap(e, "unpacking '%s'", path) : 0;
	*e = l.fault;
	return -e->no;
}

int archive_unpack(const char *path, const char *tree, uint64_t ceiling, uint64_t deadline,
                   void (*line)(void *ctx, const char *line), struct err *e)
{
	scope_arena struct arena *a = arena_new();
	char whole[PATH_MAX]; /* programs are run in "/" */
	const char *const argv[] = {"tar",
	                            "--extract",
	                            "--preserve-permissions",
	                            "--numeric-owner",
	                            "--xattrs",
	                            "--xattrs-include=*",
	                            "--xattrs-exclude=*.overlay.*",
	                            "--directory",
	                            tree,
	                            "--file",
	                            whole,
	                            NULL};
	static const char *const env[] = {"LC_ALL=C.UTF-8", "TZ=UTC", NULL};
	struct host_exec x = {.argv = argv, .env = env, .deadline = deadline, .line = line};
	struct host_result res;
	struct host *here;

	if (!realpath(path, whole))
		return err_errno(e, errno, "opening '%s'", path);
	int r = archive_check(whole, ceiling, deadline, e);
	if (r == 0)
		r = host_open("/", HOST_LIVE, &here, e);
	if (r < 0)
		return r;
	r = host_run_ok(here, &x, a, &res, e);
	host_close(here);
	return r < 0 ? err_wrap(e, "unpacking '%s'", path) : 0;
}
