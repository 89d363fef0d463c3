/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "host/unit_own.h"

#define FILE_MAX    (1 << 20) /* bytes of a unit file or drop-in */
#define DROPINS_MAX 64        /* of one unit */

/* systemd.unit(5) "System unit load path", first wins. */
static const char *const paths[] = {"/etc/systemd/system", "/run/systemd/system",
                                    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                    "/lib/systemd/system"};

enum setting_type { SETTING_TEXT, SETTING_LINES, SETTING_WORDS };

#define AT(member) offsetof(struct unit_file, member)
static const struct setting {
	const char *section, *name;
	enum setting_type type;
	size_t offset;
} settings[] = {
        {"Unit", "ConditionPathExists", SETTING_LINES, AT(conditions)},
        {"Service", "Type", SETTING_TEXT, AT(type)},
        {"Service", "User", SETTING_TEXT, AT(user)},
        {"Service", "Group", SETTING_TEXT, AT(group)},
        {"Service", "PIDFile", SETTING_TEXT, AT(pid_file)},
        {"Service", "KillMode", SETTING_TEXT, AT(kill_mode)},
        {"Service", "WorkingDirectory", SETTING_TEXT, AT(directory)},
        {"Service", "ExecStartPre", SETTING_LINES, AT(start_pre)},
        {"Service", "ExecStart", SETTING_LINES, AT(start)},
        {"Service", "Environment", SETTING_WORDS, AT(environment)},
        {"Service", "EnvironmentFile", SETTING_LINES, AT(environment_files)},
        {"Service", "RuntimeDirectory", SETTING_WORDS, AT(runtime)},
        {"Service", "RuntimeDirectoryMode", SETTING_TEXT, AT(runtime_mode)},
        {"Service", "StateDirectory", SETTING_WORDS, AT(state)},
        {"Service", "CacheDirectory", SETTING_WORDS, AT(cache)},
        {"Service", "LogsDirectory", SETTING_WORDS, AT(logs)},
};

static void append(struct unit_list *to, const char *item, struct arena *a)
{
	to->items = arena_grow(a, to->items, &to->n, sizeof *to->items);
	to->items[to->n - 1] = item;
}

/* An empty assignment resets a list: what a drop-in does before it gives its own. */
static void set(const struct setting *s, const char *value, struct arena *a, struct unit_file *f)
{
	void *at = (char *)f + s->offset;
	struct unit_list *list = at, words;

	if (s->type == SETTING_TEXT) {
		*(const char **)at = value;
		return;
	}
	if (!*value) {
		*list = (struct unit_list){0};
		return;
	}
	if (s->type == SETTING_LINES) {
		append(list, value, a);
		return;
	}
	if (!unit_split(value, a, &words))
		return;
	for (size_t i = 0; i < words.n; i++)
		append(list, words.items[i], a);
}

static void assign(const char *section, const char *name, const char *value, struct arena *a,
                   struct unit_file *f)
{
	if (str_eq(section, "Install"))
		f->installable = true;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (str_eq(section, settings[i].section) && str_eq(name, settings[i].name))
			set(&settings[i], value, a, f);
}

static char *trim(char *s)
{
	size_t n = strlen(s);

	while (n && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
	return s + strspn(s, " \t");
}

/* The next line with its continuations joined by a blank; NULL at the end. */
static char *next_line(char **p)
{
	char *line = *p, *end = line;

	if (!*line)
		return NULL;
	for (;;) {
		end += strcspn(end, "\n");
		if (!*end || end == line || end[-1] != '\\')
			break;
		end[-1] = ' ';
		*end++ = ' ';
	}
	*p = *end ? end + 1 : end;
	*end = '\0';
	return trim(line);
}

static void parse(char *text, struct arena *a, struct unit_file *f)
{
	const char *section = "";

	for (char *line; (line = next_line(&text));) {
		size_t n = strlen(line);
		char *equals = strchr(line, '=');

		if (!n || *line == '#' || *line == ';')
			continue;
		if (*line == '[' && line[n - 1] == ']') {
			line[n - 1] = '\0';
			section = line + 1;
		} else if (equals) {
			*equals = '\0';
			assign(section, trim(line), trim(equals + 1), a, f);
		}
	}
}

/* An image has no /dev/null that the link could be followed to. */
static bool is_null_link(struct host *h, const char *path)
{
	scope_fd int fd = file_open(h->root_fd, path, O_PATH | O_NOFOLLOW, 0);
	char target[16] = "";

	return fd >= 0 && readlinkat(fd, "", target, sizeof target - 1) > 0 &&
	       str_eq(target, "/dev/null");
}

/* 1: read; 0: there is none; <0: error. A link to /dev/null, or an empty file, masks. */
static int read_one(struct host *h, const char *path, struct arena *a, struct unit_file *f,
                    struct err *e)
{
	struct blob text = {0};
	scope_fd int fd = file_open(h->root_fd, path, O_PATH, 0);
	struct stat st;

	if (fd == -ENOENT) {
		f->masked = is_null_link(h, path);
		return f->masked;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, fd < 0 ? -fd : errno, "reading '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		f->masked = true;
		return 1;
	}
	int r = file_read(h->root_fd, path, FILE_MAX, a, &text, e);
	if (r < 0)
		return r;
	if (text.len)
		parse(arena_memdup(a, text.data, text.len), a, f);
	return 1;
}

/* Drop-ins apply in the order of their names, whatever directory they are in; of two that have the
 * same name the one in the earlier directory counts. */
struct dropin {
	const char *name, *path;
};

static int by_name(const void *x, const void *y)
{
	const struct dropin *a = x, *b = y;

	return strcmp(a->name, b->name);
}

static void find_dropins(struct host *h, const char *dir, struct arena *a, struct dropin *all,
                         size_t *n)
{
	int fd = file_open(h->root_fd, dir, O_RDONLY | O_DIRECTORY, 0);
	scope_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (d && *n < DROPINS_MAX && (entry = readdir(d))) {
		bool seen = !str_ends(entry->d_name, ".conf");

		for (size_t i = 0; i < *n; i++)
			seen = seen || str_eq(all[i].name, entry->d_name);
		if (!seen)
			all[(*n)++] = (struct dropin){arena_strdup(a, entry->d_name),
			                              arena_printf(a, "%s/%s", dir, entry->d_name)};
	}
}

static int read_dropins(struct host *h, const char *unit, struct arena *a, struct unit_file *f,
                        struct err *e)
{
	struct dropin *all = arena_array(a, DROPINS_MAX, sizeof *all);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		find_dropins(h, arena_printf(a, "%s/%s.d", paths[i], unit), a, all, &n);
	qsort(all, n, sizeof *all, by_name);
	for (size_t i = 0; i < n; i++) {
		bool was = f->masked;
		int r = read_one(h, all[i].path, a, f, e);

		f->masked = was; /* a masked drop-in masks itself only */
		if (r < 0)
			return r;
	}
	return 0;
}

int unit_file_load(struct host *h, const char *unit, struct arena *a, struct unit_file *ret,
                   struct err *e)
{
	struct unit_file f = {0};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(paths) && r == 0; i++)
		r = read_one(h, arena_printf(a, "%s/%s", paths[i], unit), a, &f, e);
	if (r > 0) {
		f.known = true;
		r = read_dropins(h, unit, a, &f, e);
	}
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
