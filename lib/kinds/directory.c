/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory: users and groups of an LDAP directory or Active Directory, through sssd(8).
 *
 * Holds if sssd.conf is as it shall be and sssd runs with it, the name service asks it, and a session
 * makes a home that is missing. A directory that does not answer fails no step: sssd goes on trying,
 * and what it heard before it remembers. An sssd that runs is stopped before its file changes, so one
 * that is active always has on disk what it was started with.
 *
 * The defaults are ParallelCluster's: recipes/config/directory_service.rb of its cookbook.
 */
#include <errno.h>
#include <stdio.h>

#include "kinds/directory_own.h"
#include "kinds/kinds.h"
#include "machine/unit.h"
#include "plan/claim.h"

#define CONF_PATH   "/etc/sssd/sssd.conf"
#define UNIT        "sssd.service"
#define OPTIONS_MAX 200
#define TEXT_MAX    (SECRET_MAX / 2)

static const struct host_owner root = {0};

static const struct field directory_fields[] = {
        {"uris", FIELD_STRINGS, FIELD_AT(struct directory_spec, uris), .required = true, .min = 1,
         .max = 32,
         .help = "servers, like ldaps://corp.example.com; the first that answers is asked"},
        {"base", FIELD_STRING, FIELD_AT(struct directory_spec, base), .required = true, .min = 1,
         .help = "where users and groups are searched for, like DC=corp,DC=example,DC=com"},
        {"bind-dn", FIELD_STRING, FIELD_AT(struct directory_spec, bind_dn), .required = true,
         .min = 1, .help = "the directory's user who may read it"},
        {"password", FIELD_STRING, FIELD_AT(struct directory_spec, password), .required = true,
         .min = 1, .max = 2048,
         .help = "where that user's password is, alone and in one line: the ARN of a Secrets "
                 "Manager secret, s3://..., https://..., file:/..."},
        {"options", FIELD_PAIRS, FIELD_AT(struct directory_spec, options), .max = OPTIONS_MAX,
         .help = "options of sssd-ldap(5) for the domain, over those we have"},
        {"ssh-keys", FIELD_BOOL, FIELD_AT(struct directory_spec, ssh_keys),
         .help = "a user without a key for SSH gets one at the first session, by which he may log "
                 "in from node to node"},
        {0},
};

/* ---- claim ---- */

/* One line of an ini file, whose values lose the blanks around them. */
static bool is_value(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return len && text[0] != ' ' && text[len - 1] != ' ';
}

static int claim_values(const struct step *s, const struct directory_spec *d, struct err *e)
{
	const struct {
		const char *key, *value;
	} rows[] = {{"base", d->base}, {"bind-dn", d->bind_dn}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!is_value(rows[i].value))
			return doc_err(claim_at(s, rows[i].key), e, REASON_INPUT_RANGE,
			               "'%s': expected one line without blanks around it",
			               rows[i].value);
	for (size_t i = 0; i < d->uris.n; i++) {
		const char *uri = d->uris.items[i];

		if (!is_value(uri) || strpbrk(uri, " ,") || !strstr(uri, "://"))
			return doc_err(claim_item(s, "uris", i), e, REASON_INPUT_RANGE,
			               "'%s' is no directory's place, expected one like "
			               "ldaps://corp.example.com",
			               uri);
	}
	return 0;
}

/* What an option may be, where the rest follows from it. */
static const struct option_rule {
	const char *name, *values; /* between blanks */
	const char *expected;
} option_rules[] = {
        {"id_provider", " ldap ", "ldap"},
        {"ldap_tls_reqcert", " never allow try demand hard ", "never, allow, try, demand or hard"},
        {"ldap_default_authtok", "", "the secret that 'password' names"},
};

static int claim_option(const struct field_pair *o, struct err *e)
{
	if (!*o->name || o->name[strspn(o->name, "abcdefghijklmnopqrstuvwxyz0123456789_")] ||
	    !is_value(o->value))
		return doc_err(o->at, e, REASON_INPUT_RANGE,
		               "'%s' is no option of sssd with a value of one line", o->name);
	for (size_t i = 0; i < ARRAY_LEN(option_rules); i++) {
		const struct option_rule *rule = &option_rules[i];
		char word[64];

		snprintf(word, sizeof word, " %s ", o->value);
		if (str_eq(o->name, rule->name) && !strstr(rule->values, word))
			return doc_err(o->at, e, REASON_INPUT_RANGE, "option '%s': expected %s",
			               o->name, rule->expected);
	}
	return 0;
}

static int claim_options(struct step *s, const struct directory_spec *d, struct err *e)
{
	for (size_t i = 0; i < d->options.n; i++) {
		const struct field_pair *o = &d->options.items[i];
		int r = claim_option(o, e);

		if (r < 0)
			return r;
		if (str_eq(o->name, "ldap_tls_cacert"))
			step_needs(s, "path:%s", o->value);
	}
	return 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct directory_spec *d = fields;
	int r = claim_values(s, d, e);

	(void)facts;
	r = r < 0 ? r : claim_options(s, d, e);
	r = r < 0 ? r : claim_secret(s, "password", d->password, "a password", e);
	if (r < 0)
		return r;
	d->fetched = arena_alloc(s->arena, sizeof *d->fetched);
	step_needs(s, "name:self");
	step_needs(s, "pkg:*");
	step_provides(s, "path:%s", CONF_PATH);
	step_provides(s, "unit:%s", UNIT);
	step_provides(s, "directory:ready");
	return 0;
}

/* ---- sssd.conf ---- */

static const struct option {
	const char *name, *value;
} defaults[] = {
        {"id_provider", "ldap"},
        {"ldap_schema", "AD"},
        {"ldap_tls_reqcert", "hard"},
        {"cache_credentials", "True"},
        {"default_shell", "/bin/bash"},
        {"fallback_homedir", "/home/%u"},
        {"ldap_id_mapping", "True"},
        {"ldap_referrals", "False"},
        {"use_fully_qualified_names", "False"},
};

static bool is_given(const struct directory_spec *d, const char *name)
{
	for (size_t i = 0; i < d->options.n; i++)
		if (str_eq(d->options.items[i].name, name))
			return true;
	return false;
}

static void put_option(struct strbuf *out, const struct directory_spec *d, const char *name,
                       const char *value)
{
	if (!is_given(d, name))
		strbuf_printf(out, "%s = %s\n", name, value);
}

/* All but the password, whose line is the last one. */
static struct strbuf text_of(const struct step_ctx *c, const struct directory_spec *d)
{
	struct strbuf out = STRBUF(c->arena, TEXT_MAX), uris = STRBUF(c->arena, TEXT_MAX);

	for (size_t i = 0; i < d->uris.n; i++)
		strbuf_printf(&uris, "%s%s", i ? "," : "", d->uris.items[i]);
	strbuf_str(&out,
	           "# Written by hpc-agent from the section 'directory'; changes here don't last.\n"
	           "[sssd]\n"
	           "services = nss, pam\n"
	           "domains = default\n"
	           "\n"
	           "[nss]\n"
	           "filter_users = nobody,root\n"
	           "filter_groups = nobody,root\n"
	           "\n"
	           "[pam]\n"
	           "offline_credentials_expiration = 7\n"
	           "\n"
	           "[domain/default]\n");
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		put_option(&out, d, defaults[i].name, defaults[i].value);
	put_option(&out, d, "ldap_uri", uris.data);
	put_option(&out, d, "ldap_search_base", d->base);
	put_option(&out, d, "ldap_default_bind_dn", d->bind_dn);
	for (size_t i = 0; i < d->options.n; i++)
		strbuf_printf(&out, "%s = %s\n", d->options.items[i].name,
		              d->options.items[i].value);
	return out;
}

static int whole_conf(const struct step_ctx *c, const struct directory_spec *d, struct secret *ret,
                      struct err *e)
{
	static const char key[] = "ldap_default_authtok = ";
	const char *doing = "reading the password of the directory";
	struct strbuf text = text_of(c, d);
	int r = password_get(c, d->password, doing, d->fetched, e);

	if (r < 0)
		return r;
	const struct secret *password = &d->fetched->text;
	if (!is_value(password->data))
		return err_set(e, ERR_INPUT, REASON_PASSWORD_INVALID, EINVAL,
		               "%s: it begins or ends with a blank, which sssd.conf can't hold",
		               doing);
	if (text.overflow || text.len + strlen(key) + password->len + 1 > SECRET_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "writing " CONF_PATH ": its options are longer than %d bytes",
		               TEXT_MAX);
	ret->len = (size_t)snprintf(ret->data, sizeof ret->data, "%s%s%s\n", text.data, key,
	                            password->data);
	return 0;
}

/* sssd's unit of later releases, 2.10 for one, lets the file's group read it, whichever that is: root's or
 * sssd's own. Others can't. */
static int conf_holds(const struct step_ctx *c, const struct directory_spec *d, struct err *e)
{
	scope_secret struct secret conf = {0};
	struct host_owner owner = root;
	unsigned mode = 0600;
	struct stat st;
	int r = host_lookup(c->host, CONF_PATH, e);

	if (r > 0) {
		r = host_stat(c->host, CONF_PATH, &st, e);
		owner.gid = r < 0 ? 0 : st.st_gid;
		mode |= r < 0 ? 0 : st.st_mode & 0040;
	}
	if (r < 0)
		return r;
	r = whole_conf(c, d, &conf, e);
	if (r < 0)
		return r;
	return host_file_is(c->host, CONF_PATH, (struct blob){conf.data, conf.len}, mode, &owner,
	                    e);
}

static int write_conf(const struct step_ctx *c, const struct directory_spec *d, struct err *e)
{
	scope_secret struct secret conf = {0};
	int r = whole_conf(c, d, &conf, e);

	if (r < 0)
		return r;
	return host_write_secret(c->host, CONF_PATH, (struct blob){conf.data, conf.len}, 0600,
	                         &root, e);
}

/* ---- the step ---- */

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct directory_spec *d = fields;
	struct host_unit_state unit;
	int r = step_check_running(c, "joining the directory", e);

	if (r < 0)
		return r;
	r = conf_holds(c, d, e);
	if (r <= 0)
		return r;
	r = directory_sessions_hold(c, d, e);
	if (r <= 0)
		return r;
	r = host_unit_state(c->host, UNIT, &unit, c->deadline, e);
	if (r < 0 || !unit.active || unit.need_reload)
		return r;
	password_close(d->fetched);
	return 1;
}

static int settle_conf(const struct step_ctx *c, const struct directory_spec *d, struct err *e)
{
	int r = conf_holds(c, d, e);

	if (r != 0)
		return r < 0 ? r : 0;
	r = host_unit_do(c->host, UNIT, HOST_UNIT_STOP, c->deadline, e);
	return r < 0 ? r : write_conf(c, d, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct directory_spec *d = fields;
	int r = step_check_running(c, "joining the directory", e);

	if (r < 0)
		return r;
	r = settle_conf(c, d, e);
	if (r < 0)
		return r;
	r = directory_sessions_make(c, d, e);
	if (r < 0)
		return r;
	return host_unit_do(c->host, UNIT, HOST_UNIT_START, c->deadline, e);
}

const struct kind kind_directory = {
        .section = "directory",
        .summary = "users and groups of an LDAP directory or Active Directory, through sssd",
        .shape = KIND_MAP,
        .fields = directory_fields,
        .size = sizeof(struct directory_spec),
        .timeout_ms = 60000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
