/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and sets the hostname and kernel settings. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/scope.h"
#include "host/host_own.h"
#include "machine/kernel.h"

#define HOSTNAME_FILE "/etc/hostname"
#define HOSTNAME_MAX  64   /* bytes, utsname(2) */
#define SYSCTL_MAX    4096 /* bytes of a value, a page: proc(5) */

/* RFC 1123 labels: letters, digits, '-' inside; dots between. */
static bool hostname_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > HOSTNAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = i == 0 || i + 1 == len || name[i - 1] == '.' || name[i + 1] == '.';

		if (name[i] == '.'   ? edge
		    : name[i] == '-' ? edge
		                     : !isalnum((unsigned char)name[i]))
			return false;
	}
	return true;
}

/* The first line of the root's file, or "". */
static const char *hostname_in_file(struct host *h, struct arena *a)
{
	struct blob text;
	struct err ignored;

	if (host_read(h, HOSTNAME_FILE, 1024, a, &text, &ignored) < 0 || !text.len)
		return "";
	return arena_memdup(a, text.data, strcspn(text.data, " \t\r\n"));
}

int host_hostname(struct host *h, struct arena *a, const char **ret, struct err *e)
{
	const struct host_assumed *assumed = host_assumed(h, "hostname");
	char name[HOSTNAME_MAX + 1] = "";

	if (assumed) {
		*ret = arena_strdup(a, assumed->text);
		return 0;
	}
	if (!h->running) {
		*ret = hostname_in_file(h, a);
		return 0;
	}
	if (gethostname(name, sizeof name) < 0)
		return err_errno(e, errno, "reading the hostname");
	*ret = arena_strdup(a, name);
	return 0;
}

int host_set_hostname(struct host *h, const char *name, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *now;

	if (!hostname_valid(name))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "setting the hostname: '%s' is not a host name of at most %d bytes",
		               name, HOSTNAME_MAX);
	int r = host_hostname(h, a, &now, e);
	if (r < 0)
		return r;
	if (h->running && !str_eq(now, name)) {
		if (h->mode == HOST_DRY)
			host_assume(h, "hostname")->text = arena_strdup(h->arena, name);
		else if (sethostname(name, strlen(name)) < 0)
			return err_errno(e, errno, "setting the hostname to '%s'", name);
		host_record(h, "hostname %s", name);
	}
	/* Only the name counts: a comment or a missing newline is no reason to write the file. */
	if (str_eq(hostname_in_file(h, a), name))
		return 0;
	const char *line = arena_printf(a, "%s\n", name);
	return host_write(h, HOSTNAME_FILE, (struct blob){line, strlen(line)}, 0644, NULL, e);
}

/* sysctl(8): dots are separators and a slash stands for a dot in a name, or the other way round. */
static void sysctl_path(const char *name, char out[static 256])
{
	bool dots = strcspn(name, ".") < strcspn(name, "/");
	size_t n = 0;

	for (; name[n] && n < 255; n++)
		out[n] = !dots ? name[n] : name[n] == '.' ? '/' : name[n] == '/' ? '.' : name[n];
	out[n] = '\0';
}

/* Opens it in procfs, and nothing outside /proc/sys: not through the host's root, as there is only
 * one kernel. */
static int sysctl_open(const char *name, int flags)
{
	char path[256];
	struct open_how how = {
	        .flags = (uint64_t)(flags | O_CLOEXEC),
	        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	scope_fd int dir = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	sysctl_path(name, path);
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
	return fd < 0 ? -errno : (int)fd;
}

/* Runs of blanks become one space: the kernel prints tabs where people write spaces. */
static char *squeeze(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s);
	size_t n = 0;

	for (; *s; s++) {
		if (!isspace((unsigned char)*s))
			out[n++] = *s;
		else if (n && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	if (n && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return out;
}

static int sysctl_refused(struct err *e, int no, const char *what, const char *name)
{
	return err_set(e, ERR_HOST, REASON_HOST_SYSCTL, no, "%s the kernel setting '%s': %s", what,
	               name, no == ENOENT ? "this kernel has no such setting" : strerror(no));
}

int host_sysctl_get(struct host *h, const char *name, struct arena *a, const char **ret,
                    struct err *e)
{
	const struct host_assumed *assumed = host_assumed(h, "sysctl:%s", name);
	char value[SYSCTL_MAX + 1];

	if (assumed || !h->running) {
		*ret = assumed ? arena_strdup(a, assumed->text) : "";
		return 0;
	}
	scope_fd int fd = sysctl_open(name, O_RDONLY);
	if (fd < 0)
		return sysctl_refused(e, -fd, "reading", name);
	ssize_t n = read(fd, value, SYSCTL_MAX);
	if (n < 0)
		return sysctl_refused(e, errno, "reading", name);
	value[n] = '\0';
	*ret = squeeze(a, value);
	return 0;
}

int host_sysctl_set(struct host *h, const char *name, const char *value, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *want = squeeze(a, value), *now;
	int r = host_sysctl_get(h, name, a, &now, e);

	if (r < 0)
		return r;
	if (str_eq(now, want))
		return 0;
	if (h->mode == HOST_DRY) {
		host_assume(h, "sysctl:%s", name)->text = arena_strdup(h->arena, want);
		host_record(h, "sysctl %s = %s", name, want);
		return 0;
	}
	if (!h->running)
		return err_set(e, ERR_HOST, REASON_HOST_SYSCTL, ENOTSUP,
		               "setting the kernel setting '%s': '%s' is not the running machine",
		               name, h->root);
	scope_fd int fd = sysctl_open(name, O_WRONLY);
	if (fd < 0)
		return sysctl_refused(e, -fd, "setting", name);
	ssize_t n = write(fd, want, strlen(want)); /* in one write, as proc(5) requires */
	if (n < 0)
		return sysctl_refused(e, errno, "setting", name);
	host_record(h, "sysctl %s = %s", name, want);

	r = host_sysctl_get(h, name, a, &now, e);
	if (r < 0 || str_eq(now, want))
		return r;
	return err_set(e, ERR_HOST, REASON_HOST_SYSCTL, EINVAL,
	               "setting the kernel setting '%s': wrote '%s', but the kernel says '%s'",
	               name, want, now);
}
