/* SPDX-License-Identifier: Apache-2.0 */
/* Reads from unit files what can be told without systemd: whether units exist, are masked or
 * enabled. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/scope.h"
#include "machine/unit_own.h"

#define FILE_MAX (1 << 20) /* bytes of a unit file or drop-in */

/* systemd.unit(5) "System unit load path", first wins. */
static const char *const paths[] = {"/etc/systemd/system", "/run/systemd/system",
                                    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                    "/lib/systemd/system"};

static bool has_install_section(const char *text)
{
	static const char section[] = "[Install]";

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, " \t\n");
		if (strncmp(line, section, sizeof section - 1) == 0)
			return true;
	}
	return false;
}

/* In an image /dev/null may not exist, so the link can't be followed. */
static bool is_null_link(struct host *h, const char *path)
{
	scope_fd int fd = file_open(h->root_fd, path, O_PATH | O_NOFOLLOW, 0);
	char target[16] = "";

	return fd >= 0 && readlinkat(fd, "", target, sizeof target - 1) > 0 &&
	       str_eq(target, "/dev/null");
}

/* 1: read; 0: it doesn't exist; <0: error. A link to /dev/null, or an empty file, masks. */
static int read_one(struct host *h, const char *path, struct unit_file *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct blob text = {0};
	scope_fd int fd = file_open(h->root_fd, path, O_PATH, 0);
	struct stat st;

	if (fd == -ENOENT) {
		f->masked = is_null_link(h, path);
		return f->masked;
	}
	if (fd < 0)
		return err_errno(e, -fd, "reading '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "reading '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		f->masked = true;
		return 1;
	}
	int r = file_read(h->root_fd, path, FILE_MAX, a, &text, e);
	if (r < 0)
		return r;
	f->installable = f->installable || (text.len && has_install_section(text.data));
	return 1;
}

/* The first file of that name; 0: there is none. */
static int find(struct host *h, const char *unit, struct unit_file *f, struct err *e)
{
	char path[HOST_UNIT_NAME_MAX + 64];

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		snprintf(path, sizeof path, "%s/%s", paths[i], unit);
		int r = read_one(h, path, f, e);
		if (r != 0)
			return r;
	}
	return 0;
}

/* "getty@.service" of "getty@tty1.service"; false: it is no instance. */
static bool template_of(const char *unit, char out[static HOST_UNIT_NAME_MAX])
{
	const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');

	if (!at || !dot || at + 1 >= dot)
		return false;
	snprintf(out, HOST_UNIT_NAME_MAX, "%.*s%s", (int)(at + 1 - unit), unit, dot);
	return true;
}

/* A drop-in may have an [Install] section, and can only mask itself. */
static int read_dropins(struct host *h, const char *unit, struct unit_file *f, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char dir[HOST_UNIT_NAME_MAX + 64], path[sizeof dir + 256];
		struct dirent *entry;

		snprintf(dir, sizeof dir, "%s/%s.d", paths[i], unit);
		int fd = file_open(h->root_fd, dir, O_RDONLY | O_DIRECTORY, 0);
		scope_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);
		while (d && (entry = readdir(d))) {
			struct unit_file one = {0};

			if (!str_ends(entry->d_name, ".conf"))
				continue;
			snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
			int r = read_one(h, path, &one, e);
			if (r < 0)
				return r;
			f->installable = f->installable || one.installable;
		}
	}
	return 0;
}

/* A System V script, for which systemd generates a service at boot. */
static bool is_script(struct host *h, const char *unit)
{
	char path[HOST_UNIT_NAME_MAX + 16];

	if (!str_ends(unit, ".service"))
		return false;
	snprintf(path, sizeof path, "/etc/init.d/%.*s", (int)(strlen(unit) - strlen(".service")),
	         unit);
	return host_exists(h, path);
}

int unit_file_load(struct host *h, const char *unit, struct unit_file *ret, struct err *e)
{
	char template[HOST_UNIT_NAME_MAX];
	struct unit_file f = {0};
	int r = find(h, unit, &f, e);

	if (r < 0)
		return r;
	if (r == 0 && template_of(unit, template)) {
		r = find(h, template, &f, e);
		if (r < 0)
			return r;
	}
	f.known = r > 0 || is_script(h, unit);
	r = f.known ? read_dropins(h, unit, &f, e) : 0;
	if (r < 0)
		return r;
	*ret = f;
	return 0;
}

/* Enabled means that some unit's .wants or .requires directory links to it. */
static bool is_wanted(struct host *h, const char *dir, const char *unit)
{
	int fd = file_open(h->root_fd, dir, O_RDONLY | O_DIRECTORY, 0);
	scope_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;
	char path[600];

	while (d && (entry = readdir(d))) {
		if (!str_ends(entry->d_name, ".wants") && !str_ends(entry->d_name, ".requires"))
			continue;
		snprintf(path, sizeof path, "%s/%s", entry->d_name, unit);
		if (fstatat(dirfd(d), path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

const char *unit_file_state(struct host *h, const char *unit, const struct unit_file *f)
{
	if (!f->known)
		return "";
	if (f->masked)
		return "masked";
	if (is_wanted(h, "/etc/systemd/system", unit) || is_wanted(h, "/run/systemd/system", unit))
		return "enabled";
	return f->installable ? "disabled" : "static";
}
