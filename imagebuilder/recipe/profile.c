/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a profile of AWS's shared configuration files. */
#include "recipe/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>

#include "base/file.h"

#define FILE_MAX (1024 * 1024)

struct found {
	const char *access_key, *secret_key, *session_token, *region;
	const char *indirect; /* the key by which it gets credentials elsewhere */
	bool any;
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

static void take(struct found *f, const char *key, const char *value)
{
	static const char *const indirect[] = {
	        "role_arn",      "source_profile", "credential_source",       "sso_session",
	        "sso_start_url", "login_session",  "web_identity_token_file", "credential_process",
	};
	const struct {
		const char *key, **to;
	} keys[] = {
	        {"aws_access_key_id", &f->access_key},
	        {"aws_secret_access_key", &f->secret_key},
	        {"aws_session_token", &f->session_token},
	        {"region", &f->region},
	};

	/* The file that is read first wins, and names count in any case, as in AWS's programs. */
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcasecmp(key, keys[i].key) == 0 && !*keys[i].to)
			*keys[i].to = value;
	for (size_t i = 0; i < ARRAY_LEN(indirect); i++)
		if (strcasecmp(key, indirect[i]) == 0 && !f->indirect)
			f->indirect = indirect[i];
}

static char *unquoted(char *name)
{
	size_t len = strlen(name);

	if (len < 2 || !strchr("\"'", *name) || name[len - 1] != *name)
		return name;
	name[len - 1] = '\0';
	return name + 1;
}

/* [name], and in the config file [profile name], which may be in quotes. */
static bool is_section(char *line, const char *name)
{
	char *end = strchr(line, ']');

	if (!end)
		return false;
	*end = '\0';
	line = trim(line + 1);
	if (str_starts(line, "profile ") || str_starts(line, "profile\t"))
		line = trim(line + 8);
	return str_eq(unquoted(line), name);
}

static int read_line(struct found *f, char *line, const char *name, bool *inside)
{
	bool nested = *line == ' ' || *line == '\t';
	char *eq;

	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (*line == '[') {
		if (!strchr(line, ']'))
			return -EINVAL;
		*inside = is_section(line, name);
		f->any |= *inside;
		return 0;
	}
	eq = strchr(line, '=');
	if (!eq)
		return -EINVAL;
	*eq = '\0';
	if (*inside && !nested)
		take(f, trim(line), trim(eq + 1));
	return 0;
}

static int read_file(const char *path, const char *name, struct found *f, struct arena *a,
                     struct err *e)
{
	struct blob text;
	bool inside = false;
	unsigned number = 0;
	char *at, *nl;
	int r = file_read(AT_FDCWD, path, FILE_MAX, a, &text, e);

	if (r == -ENOENT || r == -ENOTDIR || str_eq(path, "/dev/null"))
		return 0;
	if (r < 0)
		return r;
	for (at = arena_memdup(a, text.data, text.len); at && *at; at = nl ? nl + 1 : NULL) {
		nl = strchr(at, '\n');
		if (nl)
			*nl = '\0';
		number++;
		if (read_line(f, at, name, &inside) < 0)
			return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
			               "%s:%u:1: expected [SECTION] or KEY = VALUE", path, number);
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

int profile_load(const struct profile_source *s, struct arena *a, struct cloud_config *config,
                 struct err *e)
{
	const char *name = s->name && *s->name ? s->name : "default";
	struct found f = {0};
	int r = read_file(file_path(s, s->credentials_file, "credentials", a), name, &f, a, e);

	if (r < 0)
		return r;
	r = read_file(file_path(s, s->config_file, "config", a), name, &f, a, e);
	if (r < 0)
		return r;
	if (!f.any && s->name && *s->name)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		               "AWS_PROFILE '%s': there is no such profile", name);
	if (!config->region || !*config->region)
		config->region = f.region;
	if (config->access_key && *config->access_key)
		return 0;
	/* Keys beside it are those that ask for the role, not the role's. */
	if (f.indirect)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "profile '%s' gets its credentials by '%s': export them to "
		               "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
		               name, f.indirect);
	if (!f.access_key != !f.secret_key)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "profile '%s' has %s without %s", name,
		               f.access_key ? "aws_access_key_id" : "aws_secret_access_key",
		               f.access_key ? "aws_secret_access_key" : "aws_access_key_id");
	config->access_key = f.access_key;
	config->secret_key = f.secret_key;
	config->session_token = f.session_token;
	return 0;
}
