/* SPDX-License-Identifier: Apache-2.0 */
/* Reads AWS's shared files, and refuses the sources of credentials that are not supported. */
#include "cloud/profile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>

#include "base/file.h"
#include "cloud/sts.h"

#define FILE_MAX    (1024 * 1024)
#define SOURCES_MAX 8          /* profiles that one leads to by source_profile */
#define SESSION     "hpc-node" /* where no role_session_name is given */

/* The settings of a profile; of several values the first counts. */
struct found {
	const char *access_key, *secret_key, *session_token;
	const char *region, *fips, *dualstack, *addressing_style;
	const char *role_arn, *source_profile, *credential_source, *web_identity;
	const char *role_session, *external_id, *duration, *mfa;
	const char *sso_session, *sso_start_url, *process;
	bool any;              /* there is such a profile */
	bool keys_of_own_file; /* from the credentials file, which precedes credential_process */
};

static const struct row {
	const char *key;
	size_t offset;
} rows[] = {
#define ROW(key, member)                                                                           \
	{                                                                                          \
		key, offsetof(struct found, member)                                                \
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
        ROW("credential_process", process),
#undef ROW
};

/* ---- the files ------------------------------------------------------------------------------- */

struct reading {
	const char *path, *name;
	struct found *found;
	struct arena *arena;
	bool config;        /* sections are [profile NAME], and [default] */
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

static void take(struct found *f, const char *key, const char *value)
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

	if (!reading->config)
		return str_eq(unquote(title), reading->name);
	if (str_eq(title, "default"))
		return str_eq(reading->name, "default");
	if (word != strlen("profile") || strncmp(title, "profile", word) != 0)
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

static int read_files(const struct profile_source *s, const char *name, struct arena *a,
                      struct found *f, struct err *e)
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
	config.config = true;
	return read_file(&config, e);
}

/* ---- the resulting settings ------------------------------------------------------------------ */

static int unsupported(struct err *e, const char *who, const char *how)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
	               "%s gets its credentials by %s, which isn't supported: `aws configure "
	               "export-credentials --format env` prints keys for AWS_ACCESS_KEY_ID, "
	               "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
	               who, how);
}

static bool set(const char *s)
{
	return s && *s;
}

/* One profile on the way to credentials. */
struct choice {
	const struct profile_source *from;
	const char *name, *who;
	struct found found;
	unsigned depth;
	struct arena *arena;
	struct cloud_config *config; /* gets keys or a role */
};

static int need(struct err *e, const char *who, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL, "%s has %s", who, what);
}

static int choose_keys(struct choice *ch, struct err *e)
{
	const struct found *f = &ch->found;

	if (!f->access_key != !f->secret_key)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL, "%s has no %s", ch->who,
		               f->access_key ? "aws_secret_access_key" : "aws_access_key_id");
	ch->config->access_key = f->access_key;
	ch->config->secret_key = f->secret_key;
	ch->config->session_token = f->session_token;
	return 0;
}

static int choose(struct choice *ch, struct err *e);

/* The credentials of the profile that `ch` names as its source. */
static int choose_source_profile(const struct choice *ch, struct cloud_config *source,
                                 struct err *e)
{
	struct choice next = {.from = ch->from,
	                      .name = ch->found.source_profile,
	                      .depth = ch->depth + 1,
	                      .arena = ch->arena,
	                      .config = source};

	next.who = arena_printf(ch->arena, "profile '%s'", next.name);
	if (next.depth == SOURCES_MAX)
		return need(e, ch->who, "a source_profile that leads in a circle");
	int r = read_files(ch->from, next.name, ch->arena, &next.found, e);
	if (r < 0)
		return r;
	if (!next.found.any)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		               "%s: source_profile '%s': there is no such profile", ch->who,
		               next.name);
	/* A profile that is its own source has the keys beside the role. */
	if (str_eq(next.name, ch->name))
		next.found.role_arn = next.found.web_identity = NULL;
	r = choose(&next, e);
	if (r < 0 || source->access_key || source->role)
		return r;
	return need(e, next.who, "no credentials, and another profile's role needs them");
}

static int choose_source(const struct choice *ch, struct cloud_config *source, struct err *e)
{
	const struct found *f = &ch->found;

	if (f->source_profile && f->credential_source)
		return need(e, ch->who, "both source_profile and credential_source");
	if (f->source_profile)
		return choose_source_profile(ch, source, e);
	if (!f->credential_source)
		return need(e, ch->who,
		            "role_arn, and neither source_profile nor "
		            "credential_source");
	if (str_eq(f->credential_source, "Ec2InstanceMetadata"))
		return 0;
	if (str_eq(f->credential_source, "Environment"))
		return need(e, ch->who,
		            "credential_source Environment, and AWS_ACCESS_KEY_ID isn't "
		            "set");
	return unsupported(e, ch->who,
	                   arena_printf(ch->arena, "credential_source %s", f->credential_source));
}

static int check_duration(const struct choice *ch, struct err *e)
{
	const char *s = ch->found.duration;
	unsigned n = 0;

	if (!s || (sscanf(s, "%5u", &n) == 1 && strspn(s, "0123456789") == strlen(s) && n >= 900 &&
	           n <= 43200))
		return 0;
	return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
	               "%s: duration_seconds '%s': expected 900 to 43200", ch->who, s);
}

static int choose_role(struct choice *ch, const char *token_file, const char *arn,
                       const char *session, struct err *e)
{
	struct cloud_config *source = arena_alloc(ch->arena, sizeof *source);
	struct cloud_role *role = arena_alloc(ch->arena, sizeof *role);
	int r = check_duration(ch, e);

	if (r < 0)
		return r;
	*source = *ch->config;
	*role = (struct cloud_role){
	        .arn = arn,
	        .session = session ? session : SESSION,
	        .external_id = ch->found.external_id,
	        .duration = ch->found.duration,
	        .token_file = token_file,
	        .source = token_file ? NULL : source,
	        .assume = sts_assume,
	};
	r = token_file ? 0 : choose_source(ch, source, e);
	if (r < 0)
		return r;
	ch->config->role = role;
	return 0;
}

/* The environment's variables name a web identity before the profile does, each for itself. */
static int choose_web_identity(struct choice *ch, struct err *e)
{
	const struct profile_source *s = ch->from;
	bool mine = ch->depth == 0;
	const char *file = mine && set(s->web_identity) ? s->web_identity : ch->found.web_identity;
	const char *arn = mine && set(s->role_arn) ? s->role_arn : ch->found.role_arn;
	const char *session =
	        mine && set(s->role_session) ? s->role_session : ch->found.role_session;

	if (arn)
		return choose_role(ch, file, arn, session, e);
	return need(e, ch->who,
	            "a web_identity_token_file, or AWS_WEB_IDENTITY_TOKEN_FILE is set, "
	            "and no role is: role_arn or AWS_ROLE_ARN");
}

/* The order is that of AWS's own tools: a source that they would use before the keys is refused even
 * if there are keys. */
static int choose(struct choice *ch, struct err *e)
{
	const struct found *f = &ch->found;
	bool web = f->web_identity || (ch->depth == 0 && set(ch->from->web_identity));

	if (f->role_arn && f->mfa)
		return unsupported(e, ch->who, "mfa_serial");
	if (f->role_arn && !f->web_identity)
		return choose_role(ch, NULL, f->role_arn, f->role_session, e);
	if (web)
		return choose_web_identity(ch, e);
	if (f->sso_session)
		return unsupported(e, ch->who, "sso_session");
	if (f->sso_start_url)
		return unsupported(e, ch->who, "sso_start_url");
	if (f->process && !f->keys_of_own_file)
		return unsupported(e, ch->who, "credential_process");
	return choose_keys(ch, e);
}

static int check_environment(const struct profile_source *s, struct err *e)
{
	if (set(s->container))
		return unsupported(e, "the environment", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	if (set(s->container_full))
		return unsupported(e, "the environment", "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	return 0;
}

static int take_switch(const char *value, const char *who, const char *key, bool *to, struct err *e)
{
	if (!value || *to)
		return 0;
	if (str_bool(value, to) < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "%s: %s '%s': expected true or false", who, key, value);
	return 0;
}

static int take_settings(const struct found *f, const char *who, struct cloud_config *config,
                         struct err *e)
{
	int r;

	if (!config->region || !*config->region)
		config->region = f->region;
	if (!config->s3_style || !*config->s3_style)
		config->s3_style = f->addressing_style;
	r = take_switch(f->fips, who, "use_fips_endpoint", &config->fips, e);
	if (r < 0)
		return r;
	return take_switch(f->dualstack, who, "use_dualstack_endpoint", &config->dualstack, e);
}

int profile_load(const struct profile_source *s, struct arena *a, struct cloud_config *config,
                 struct err *e)
{
	struct choice ch = {.from = s,
	                    .name = set(s->name) ? s->name : "default",
	                    .arena = a,
	                    .config = config};
	const struct found *f = &ch.found;
	int r = read_files(s, ch.name, a, &ch.found, e);

	if (r < 0)
		return r;
	if (!f->any && set(s->name))
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		               "AWS_PROFILE '%s': there is no such profile", ch.name);
	ch.who = arena_printf(a, "profile '%s'", ch.name);
	config->tried = arena_printf(a, "AWS_ACCESS_KEY_ID isn't set, %s %s", ch.who,
	                             f->any ? "has no keys" : "doesn't exist");
	r = take_settings(f, ch.who, config, e);
	if (r < 0)
		return r;
	if (set(config->access_key) || set(config->secret_key))
		return 0; /* from the environment; cloud_open() requires both */
	r = choose(&ch, e);
	if (r < 0 || config->access_key || config->role)
		return r;
	return check_environment(s, e);
}
