/* SPDX-License-Identifier: Apache-2.0 */
/* Reads unit files and their drop-ins for the stand-in for systemd. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "forked.h"

#define FILE_MAX (1 << 20) /* bytes of a unit file or drop-in */

/* The first one wins. */
static const char *const paths[] = {"/etc/systemd/system", "/lib/systemd/system"};

enum setting_type { SETTING_TEXT, SETTING_LINES, SETTING_WORDS };

#define AT(member) offsetof(struct forked_file, member)
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

static void append(struct forked_list *to, const char *item, struct arena *a)
{
	to->items = arena_grow(a, to->items, &to->n, sizeof *to->items);
	to->items[to->n - 1] = item;
}

/* An empty assignment resets a list: what a drop-in does before it gives its own. */
static void set(const struct setting *s, const char *value, struct arena *a, struct forked_file *f)
{
	void *at = (char *)f + s->offset;
	struct forked_list *list = at, words;

	if (s->type == SETTING_TEXT) {
		*(const char **)at = value;
		return;
	}
	if (!*value) {
		*list = (struct forked_list){0};
		return;
	}
	if (s->type == SETTING_LINES) {
		append(list, value, a);
		return;
	}
	if (!forked_split(value, a, &words))
		return;
	for (size_t i = 0; i < words.n; i++)
		append(list, words.items[i], a);
}

static void assign(const char *section, const char *name, const char *value, struct arena *a,
                   struct forked_file *f)
{
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

static void parse(char *text, struct arena *a, struct forked_file *f)
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

/* 1: read; 0: there is none; <0: error. */
static int read_one(struct host *h, const char *path, struct arena *a, struct forked_file *f,
                    struct err *e)
{
	struct blob text = {0};
	int r = file_read(h->root_fd, path, FILE_MAX, a, &text, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (text.len)
		parse(arena_memdup(a, text.data, text.len), a, f);
	return 1;
}

static int is_dropin(const struct dirent *d)
{
	return str_ends(d->d_name, ".conf");
}

int forked_file_load(struct host *h, const char *unit, struct arena *a, struct forked_file *ret,
                     struct err *e)
{
	struct forked_file f = {0};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(paths) && r == 0; i++)
		r = read_one(h, arena_printf(a, "%s/%s", paths[i], unit), a, &f, e);
	for (size_t i = 0; i < ARRAY_LEN(paths) && r > 0; i++) {
		const char *dir = arena_printf(a, "%s/%s.d", paths[i], unit);
		struct dirent **names = NULL;
		int n = scandir(dir, &names, is_dropin, alphasort);

		for (int k = 0; k < n; k++) {
			if (r > 0)
				r = read_one(h, arena_printf(a, "%s/%s", dir, names[k]->d_name), a,
				             &f, e);
			free(names[k]);
		}
		free(names);
	}
	if (r < 0)
		return r;
	*ret = f;
	return 0;
}
