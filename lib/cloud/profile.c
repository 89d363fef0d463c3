/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses where a workstation's credentials come from, by AWS's shared files and the environment. */
#include "cloud/profile.h"

#include <errno.h>
#include <stdio.h>

#include "cloud/lent.h"
#include "cloud/partition.h"
#include "cloud/profile_file.h"
#include "cloud/sts.h"
#include "http/uri.h"

#define SOURCES_MAX 8          /* profiles that one leads to by source_profile */
#define SESSION     "hpc-node" /* where no role_session_name is given */

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
	struct profile_found found;
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
	const struct profile_found *f = &ch->found;

	if (!f->access_key != !f->secret_key)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL, "%s has no %s", ch->who,
		               f->access_key ? "aws_secret_access_key" : "aws_access_key_id");
	ch->config->access_key = f->access_key;
	ch->config->secret_key = f->secret_key;
	ch->config->session_token = f->session_token;
	return 0;
}

static int choose(struct choice *ch, struct err *e);

/* Credentials that somebody lends: a program, a container's host, a sign-in. */
static int lend(struct choice *ch, struct cloud_role from)
{
	struct cloud_role *role = arena_alloc(ch->arena, sizeof *role);

	*role = from;
	ch->config->role = role;
	return 0;
}

/* ---- a sign-in of IAM Identity Center ---- */

/* The token that `aws sso login` left: below a name that follows from the session's, or from the
 * address of a profile without one. */
static int lend_by_sign_in(struct choice *ch, const struct profile_found *session, const char *key)
{
	const struct profile_found *f = &ch->found;
	const struct partition *p = partition_by_region(session->sso_region);
	const char *base = ch->from->sso_endpoint;
	struct strbuf url = STRBUF(ch->arena, 4096);

	if (!set(base))
		base = arena_printf(ch->arena, "https://portal.sso.%s.%s", session->sso_region,
		                    p ? p->domain : "amazonaws.com");
	strbuf_printf(&url, "%s/federation/credentials?role_name=", base);
	uri_encode(&url, (struct blob){f->sso_role, strlen(f->sso_role)}, false);
	strbuf_str(&url, "&account_id=");
	uri_encode(&url, (struct blob){f->sso_account, strlen(f->sso_account)}, false);
	return lend(ch,
	            (struct cloud_role){.url = url.data,
	                                .who = ch->who,
	                                .token_file = lent_sign_in(ch->from->home, key, ch->arena),
	                                .assume = lent_sso});
}

static int choose_sign_in(struct choice *ch, struct err *e)
{
	struct profile_found session = ch->found;
	const char *key = ch->found.sso_session;

	if (key) {
		session = (struct profile_found){0};
		int r = profile_file_session(ch->from, key, ch->arena, &session, e);
		if (r < 0)
			return r;
		if (!session.any)
			return need(e, ch->who, "an sso_session that the config file lacks");
	} else {
		key = ch->found.sso_start_url;
	}
	if (!session.sso_region || !ch->found.sso_account || !ch->found.sso_role)
		return need(e, ch->who,
		            "a sign-in, and not all of sso_region, sso_account_id and "
		            "sso_role_name");
	if (!partition_region_valid(session.sso_region))
		return need(e, ch->who, "an sso_region that isn't a region's name");
	return lend_by_sign_in(ch, &session, key);
}

/* ---- a container's host ---- */

static int choose_container(struct choice *ch, struct err *e)
{
	const struct profile_source *s = ch->from;
	const char *url = s->container_full;

	if (set(s->container))
		url = arena_printf(ch->arena, "%s%s%s", LENT_CONTAINER_HOST,
		                   *s->container == '/' ? "" : "/", s->container);
	if (!set(url))
		return need(e, ch->who,
		            "credential_source EcsContainer, and neither "
		            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
		            "AWS_CONTAINER_CREDENTIALS_FULL_URI is set");
	if (!lent_is_near(url))
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		        "AWS_CONTAINER_CREDENTIALS_FULL_URI: expected https, or http of this "
		        "machine or the container's host");
	return lend(ch, (struct cloud_role){.url = url,
	                                    .who = "the container",
	                                    .token_file = s->container_token_file,
	                                    .token = s->container_token,
	                                    .assume = lent_container});
}

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
	int r = profile_file_read(ch->from, next.name, ch->arena, &next.found, e);
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
	const struct profile_found *f = &ch->found;

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
	if (str_eq(f->credential_source, "EcsContainer")) {
		struct choice next = {
		        .from = ch->from, .who = ch->who, .arena = ch->arena, .config = source};

		return choose_container(&next, e);
	}
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
	const struct profile_found *f = &ch->found;
	bool web = f->web_identity || (ch->depth == 0 && set(ch->from->web_identity));

	if (f->role_arn && f->mfa)
		return unsupported(e, ch->who, "mfa_serial");
	if (f->role_arn && !f->web_identity)
		return choose_role(ch, NULL, f->role_arn, f->role_session, e);
	if (web)
		return choose_web_identity(ch, e);
	if (f->sso_session || f->sso_start_url)
		return choose_sign_in(ch, e);
	if (f->process && !f->keys_of_own_file)
		return lend(ch, (struct cloud_role){.command = f->process,
		                                    .who = ch->who,
		                                    .assume = lent_process});
	return choose_keys(ch, e);
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

static int take_settings(const struct profile_found *f, const char *who,
                         struct cloud_config *config, struct err *e)
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
	const struct profile_found *f = &ch.found;
	int r = profile_file_read(s, ch.name, a, &ch.found, e);

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
	return set(s->container) || set(s->container_full) ? choose_container(&ch, e) : 0;
}
