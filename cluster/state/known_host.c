/* SPDX-License-Identifier: Apache-2.0 */
/* Finds an SSH server's keys in a console's output, and keeps them. */
#include "state/known_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "aws/instances.h"
#include "base/file.h"

#define BEGIN     "-----BEGIN SSH HOST KEY KEYS-----" /* cloud-init's mark, and the agent's */
#define END       "-----END SSH HOST KEY KEYS-----"
#define LINES_MAX (64 * 1024)
#define KEY_MAX   4096          /* bytes of a key */
#define DIRECTORY "hpc-cluster" /* below ~/.ssh */

/* ---- keys in a console ---- */

static const char *const types[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                    "ecdsa-sha2-nistp521", "ssh-rsa"};

static uint32_t length_at(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* RFC 4253, 6.6: strings, each after its length, the first of them the type. They must fill the key:
 * a line that somebody else's wrote into is no key. */
static bool is_whole(const unsigned char *key, size_t len, const char *type)
{
	size_t at = 0, n = 0;

	while (len - at >= 4) {
		uint32_t part = length_at(key + at);

		at += 4;
		if (part > len - at)
			return false;
		if (!n++ && (part != strlen(type) || memcmp(key + at, type, part) != 0))
			return false;
		at += part;
	}
	return at == len && n >= 2;
}

static void add_key(struct strbuf *out, const char *name, char *line)
{
	char *save = NULL, *type = strtok_r(line, " \t\r", &save);
	const char *data = type ? strtok_r(NULL, " \t\r", &save) : NULL;
	unsigned char key[KEY_MAX];
	size_t len;

	for (size_t i = 0; data && i < ARRAY_LEN(types); i++)
		if (str_eq(type, types[i]) &&
		    str_base64_decode((struct blob){data, strlen(data)}, key, sizeof key, &len) ==
		            0 &&
		    is_whole(key, len, type))
			strbuf_printf(out, "%s %s %s\n", name, type, data);
}

/* The mark as a line of its own, the last one before `end`. */
static const char *last_block(const char *console, const char **ret_end)
{
	const char *found = NULL;

	for (const char *at = console; (at = strstr(at, BEGIN)) != NULL; at += strlen(BEGIN)) {
		const char *end = strstr(at, END);

		if (end) {
			found = at + strlen(BEGIN);
			*ret_end = end;
		}
	}
	return found;
}

const char *known_host_lines(const char *console, const char *name, struct arena *a)
{
	struct strbuf out = STRBUF(a, LINES_MAX);
	const char *end = NULL, *begin = last_block(console, &end);
	char *text, *save = NULL;

	if (!begin)
		return "";
	text = arena_memdup(a, begin, (size_t)(end - begin));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_key(&out, name, line);
	return out.len && !out.overflow ? out.data : "";
}

/* ---- the file ---- */

static int make_directory(struct life *l, struct err *e)
{
	const char *dirs[] = {"", "/" DIRECTORY};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		const char *path = arena_printf(l->program.arena, "%s/.ssh%s",
		                                l->program.profile.home, dirs[i]);

		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_errno(e, errno, "making '%.200s'", path);
	}
	return 0;
}

int known_host_file(struct life *l, const char *instance, const char **ret, struct err *e)
{
	const char *home = l->program.profile.home;

	if (!home || *home != '/')
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		               "HOME isn't set to a directory: known hosts are kept below it");
	/* ssh_config(5) expands these in the name of a file. */
	if (strpbrk(home, "\"%$\n"))
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "HOME: ssh takes no files below '%.200s'", home);
	*ret = arena_printf(l->program.arena, "%s/.ssh/" DIRECTORY "/%s", home, instance);
	return make_directory(l, e);
}

int known_host(struct life *l, const char *instance, const char **ret, struct err *e)
{
	const struct file_attr attr = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
	const char *file, *lines;
	struct blob console;
	struct stat st;
	int r = known_host_file(l, instance, &file, e);

	if (r < 0)
		return r;
	if (stat(file, &st) == 0 && st.st_size > 0) {
		*ret = file;
		return 0;
	}
	r = instances_console(l->cloud, instance, l->program.arena, &console, l->program.deadline,
	                      e);
	if (r < 0)
		return r;
	lines = known_host_lines(console.data, instance, l->program.arena);
	if (!*lines)
		return err_set(e, ERR_ABSENT, REASON_AWS_STATE, ENOENT,
		               "the console of the head '%.50s' doesn't tell the keys of its SSH "
		               "server: it does when the head is up, and EC2 may show it minutes "
		               "later; --accept-new trusts what the network shows",
		               instance);
	r = file_replace(AT_FDCWD, file, lines, strlen(lines), &attr, e);
	if (r < 0)
		return r;
	*ret = file;
	return 0;
}
