/* SPDX-License-Identifier: Apache-2.0 */
/* Reads AWS's shared files: the settings of one section. */
#include "cloud/profile_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "base/file.h"

#define FILE_MAX (1024 * 1024)

static const struct row {
	const char *key;
	size_t offset;
} rows[] = {
#define ROW(key, member)                                                                           \
	{                                                                                          \
		key, offsetof(struct profile_found, member)                                        \
	}
        ROW("aws_access_key_id", access_key),
        ROW("aws_secret_access_key", secret_key),
        ROW("aws_session_token", session_token),
        ROW("region", region),
        ROW("use_fips_endpoint", fips),
        ROW("use_dualstack_endpoint", dualstack),
        ROW("s3.addressing_style", addressing_style),
        ROW("role_arn", role_arn),
        ROW("source_profile", source_profile),
        ROW("credential_source", credential_source),
        ROW("role_session_name", role_session),
        ROW("external_id", external_id),
        ROW("duration_seconds", duration),
        ROW("mfa_serial", mfa),
        ROW("web_identity_token_file", web_identity),
        ROW("sso_session", sso_session),
        ROW("sso_start_url", sso_start_url),
        ROW("sso_region", sso_region),
        ROW("sso_account_id", sso_account),
        ROW("sso_role_name", sso_role),
        ROW("credential_process", process),
#undef ROW
};

/* ---- the files ------------------------------------------------------------------------------- */

struct reading {
	const char *path, *name;
	struct profile_found *found;
	struct arena *arena;
	const char *word;   /* sections are [WORD NAME]; NULL: [NAME], as in the credentials file */
	bool inside;        /* the wanted section */
	const char *parent; /* of nested lines: "s3" after "s3 =" */
	unsigned line;
};

static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r");
	for (len = strlen(s); len && strchr(" \t\r", s[len - 1]); len--)
		continue;
	s[len] = '\0';
	return s;
}

/* The names of settings are not case sensitive. */
static void lower(char *s)
{
	for (; *s; s++)
		*s = (char)tolower((unsigned char)*s);
}

static void take(struct profile_found *f, const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char **to = (const char **)(void *)((char *)f + rows[i].offset);

		if (str_eq(key, rows[i].key) && !*to && *value)
			*to = value;
	}
}

static char *unquote(char *s)
{
	size_t len = strlen(s);

	if (len < 2 || (*s != '"' && *s != '\'') || s[len - 1] != *s)
		return s;
	s[len - 1] = '\0';
	return s + 1;
}

/* [NAME] of the credentials file; [profile NAME] or [profile "A NAME"] of the config file, where
 * only [default] needs no word before it. */
static bool is_section(const struct reading *reading, char *title)
{
	size_t word = strcspn(title, " \t");

	if (!reading->word)
		return str_eq(unquote(title), reading->name);
	if (str_eq(title, "default"))
		return str_eq(reading->word, "profile") && str_eq(reading->name, "default");
	if (word != strlen(reading->word) || strncmp(title, reading->word, word) != 0)
		return false;
	return str_eq(unquote(trim(title + word)), reading->name);
}

static int bad_line(const struct reading *reading, struct err *e)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
	               "%s:%u:1: expected [SECTION] or KEY = VALUE", reading->path, reading->line);
}

static int read_section(struct reading *reading, char *line, struct err *e)
{
	char *end = strrchr(line, ']');

	if (!end)
		return bad_line(reading, e);
	*end = '\0';
	reading->inside = is_section(reading, trim(line + 1));
	reading->found->any |= reading->inside;
	reading->parent = NULL;
	return 0;
}

static int read_line(struct reading *reading, char *line, struct err *e)
{
	bool nested = *line == ' ' || *line == '\t';
	char *eq, *key, *value;

	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (*line == '[')
		return read_section(reading, line, e);
	eq = strchr(line, '=');
	if (!eq)
		return bad_line(reading, e);
	*eq = '\0';
	key = trim(line);
	value = trim(eq + 1);
	lower(key);
	if (!nested)
		reading->parent = *value ? NULL : key;
	if (!reading->inside)
		return 0;
	if (nested && reading->parent)
		take(reading->found, arena_printf(reading->arena, "%s.%s", reading->parent, key),
		     value);
	else if (!nested)
		take(reading->found, key, value);
	return 0;
}

static int read_file(struct reading *reading, struct err *e)
{
	struct blob text;
	char *at, *nl;
	int r = file_read(AT_FDCWD, reading->path, FILE_MAX, reading->arena, &text, e);

	if (r == -ENOENT || r == -ENOTDIR || str_eq(reading->path, "/dev/null")) {
		*e = (struct err){0};
		return 0;
	}
	if (r < 0)
		return r;
	for (at = arena_memdup(reading->arena, text.data, text.len); at && *at;
	     at = nl ? nl + 1 : NULL) {
		nl = strchr(at, '\n');
		if (nl)
			*nl = '\0';
		reading->line++;
		if (read_line(reading, at, e) < 0)
			return -e->no;
	}
	return 0;
}

static const char *file_path(const struct profile_source *s, const char *given, const char *name,
                             struct arena *a)
{
	if (given && *given)
		return given;
	return s->home && *s->home ? arena_printf(a, "%s/.aws/%s", s->home, name) : "/dev/null";
}

int profile_file_read(const struct profile_source *s, const char *name, struct arena *a,
                      struct profile_found *f, struct err *e)
{
	struct reading credentials = {
	        .path = file_path(s, s->credentials_file, "credentials", a),
	        .name = name,
	        .found = f,
	        .arena = a,
	};
	struct reading config = credentials;
	int r = read_file(&credentials, e);

	if (r < 0)
		return r;
	f->keys_of_own_file = f->access_key != NULL;
	config.path = file_path(s, s->config_file, "config", a);
	config.word = "profile";
	return read_file(&config, e);
}

int profile_file_session(const struct profile_source *s, const char *name, struct arena *a,
                         struct profile_found *ret, struct err *e)
{
	struct reading config = {.path = file_path(s, s->config_file, "config", a),
	                         .name = name,
	                         .word = "sso-session",
	                         .found = ret,
	                         .arena = a};

	return read_file(&config, e);
}
