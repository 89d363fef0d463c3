/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imds-lock: restricts the instance metadata service to root and the listed users.
 *
 * Any process that can reach it gets the credentials of the instance's role, and with them the
 * munge key and whatever else the role may read. One nftables table refuses what any other user of
 * this machine sends there, and everything that is forwarded there, as from containers with a
 * network of their own. It is replaced in one transaction, and compared rule by rule at each run,
 * so that a lock that was flushed or changed is restored. slurm waits for it: without the lock no
 * job comes to this machine.
 *
 * A user is identified by the socket's owner as seen from the machine's first user namespace, so
 * root of a user namespace counts as the user who created it.
 */
#include <errno.h>

#include "base/clock.h"
#include "data/json.h"
#include "kinds/kinds.h"
#include "plan/claim.h"

#define TABLE     "hpc-node-imds"
#define ADDRESS   "169.254.169.254"
#define ADDRESS6  "fd00:ec2::254"
#define USERS_MAX 64
#define RULES_MAX (16UL << 10) /* bytes of the ruleset, as we write it and as we compare it */
#define QUERY_MS  10000

#define NOBODY_YET ((uid_t)-2) /* in a dry run, whose users step created nobody */

struct imds_lock_spec {
	bool enabled;
	struct field_strings users;
};

static const struct imds_lock_spec defaults = {.enabled = true};
static const struct field imds_lock_fields[] = {
        {"enabled", FIELD_BOOL, FIELD_AT(struct imds_lock_spec, enabled),
         .help = "false takes the lock away (default: true)"},
        {"users", FIELD_STRINGS, FIELD_AT(struct imds_lock_spec, users), .max = USERS_MAX,
         .help = "who may reach the metadata service beside root"},
        {0},
};

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	const struct imds_lock_spec *l = fields;

	(void)facts;
	for (size_t i = 0; i < l->users.n; i++) {
		int r = claim_account(claim_item(s, "users", i), l->users.items[i], e);
		if (r < 0)
			return r;
		step_needs(s, "user:%s", l->users.items[i]);
	}
	step_needs(s, "pkg:nftables");
	step_provides(s, "imds:locked");
	return 0;
}

/* ---- the rules ---- */

static const char *const protocols[][2] = {{"ip", ADDRESS}, {"ip6", ADDRESS6}};

/* The ids of root and the users. */
static int find_uids(const struct step_ctx *c, const struct imds_lock_spec *l, uid_t *uids,
                     struct err *e)
{
	uids[0] = 0;
	for (size_t i = 0; i < l->users.n; i++) {
		struct host_owner o = {.user = l->users.items[i]};
		gid_t gid;
		int r = host_owner_ids(c->host, &o, &uids[i + 1], &gid, e);
		if (r == -ENOENT && host_mode(c->host) == HOST_DRY)
			uids[i + 1] = NOBODY_YET;
		else if (r < 0)
			return r;
	}
	return 0;
}

/* The input of nft(8); the table is created first, so that deleting it can't fail. */
static struct blob rules_text(const struct imds_lock_spec *l, const uid_t *uids, struct arena *a)
{
	struct strbuf out = STRBUF(a, RULES_MAX);

	strbuf_str(&out, "table inet " TABLE "\ndelete table inet " TABLE "\n");
	if (!l->enabled)
		return (struct blob){out.data, out.len};
	strbuf_str(&out, "table inet " TABLE " {\n\tchain refuse {\n"
	                 "\t\tmeta l4proto tcp reject with tcp reset\n\t\treject\n\t}\n"
	                 "\tchain own {\n");
	for (size_t i = 0; i < l->users.n + 1; i++)
		strbuf_printf(&out, "\t\tmeta skuid %u accept\n", uids[i]);
	strbuf_str(&out, "\t\tgoto refuse\n\t}\n");
	strbuf_str(&out, "\tchain output {\n"
	                 "\t\ttype filter hook output priority -300; policy accept;\n");
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		strbuf_printf(&out, "\t\t%s daddr %s goto own\n", protocols[i][0], protocols[i][1]);
	strbuf_str(&out, "\t}\n\tchain forward {\n"
	                 "\t\ttype filter hook forward priority -300; policy accept;\n");
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		strbuf_printf(&out, "\t\t%s daddr %s goto refuse\n", protocols[i][0],
		              protocols[i][1]);
	strbuf_str(&out, "\t}\n}\n");
	return (struct blob){out.data, out.len};
}

/* ---- nft's listing, one line a chain or rule ---- */

static const char *text_at(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);

	return at && at->type == DOC_SCALAR ? at->text : "?";
}

static void add_match(const struct doc *match, struct strbuf *out)
{
	const struct doc *left = doc_get(match, "left");

	strbuf_printf(out, " %s %s", text_at(match, "op"),
	              doc_get(left, "meta") ? text_at(left, "meta.key")
	                                    : text_at(left, "payload.protocol"));
	if (!doc_get(left, "meta"))
		strbuf_printf(out, " %s", text_at(left, "payload.field"));
	/* A number, except in some versions. */
	const char *right = text_at(match, "right");
	strbuf_printf(out, " %s", str_eq(right, "6") ? "tcp" : right);
}

/* An expression that isn't ours is replaced by something that no rule of ours contains. */
static void add_expression(const struct doc *x, struct strbuf *out)
{
	const char *name = x->type == DOC_MAP && x->n == 1 ? x->keys[0]->text : "?";

	strbuf_printf(out, " %s", name);
	if (str_eq(name, "match"))
		add_match(x->items[0], out);
	else if (str_eq(name, "goto"))
		strbuf_printf(out, " %s", text_at(x->items[0], "target"));
}

static void add_rule(const struct doc *rule, struct strbuf *out)
{
	const struct doc *x = doc_get(rule, "expr");

	strbuf_printf(out, "rule %s", text_at(rule, "chain"));
	for (size_t i = 0; x && x->type == DOC_LIST && i < x->n; i++)
		add_expression(x->items[i], out);
	strbuf_char(out, '\n');
}

static void add_chain(const struct doc *chain, struct strbuf *out)
{
	strbuf_printf(out, "chain %s", text_at(chain, "name"));
	if (doc_get(chain, "hook"))
		strbuf_printf(out, " %s %s %s %s", text_at(chain, "type"), text_at(chain, "hook"),
		              text_at(chain, "prio"), text_at(chain, "policy"));
	strbuf_char(out, '\n');
}

/* Chains before rules, as nft lists them. A dormant table has flags. */
static const char *listed_rules(const struct doc *list, struct arena *a)
{
	static const char *const passes[] = {"chain", "rule"};
	struct strbuf out = STRBUF(a, RULES_MAX);

	for (size_t p = 0; p < ARRAY_LEN(passes); p++)
		for (size_t i = 0; list && list->type == DOC_LIST && i < list->n; i++) {
			const struct doc *chain = doc_get(list->items[i], "chain");
			const struct doc *rule = doc_get(list->items[i], "rule");

			if (p == 0 && doc_has(doc_get(list->items[i], "table"), "flags"))
				strbuf_str(&out, "flags\n");
			if (p == 0 && chain)
				add_chain(chain, &out);
			if (p == 1 && rule)
				add_rule(rule, &out);
		}
	return out.data ? out.data : "";
}

static const char *wanted_rules(const struct imds_lock_spec *l, const uid_t *uids, struct arena *a)
{
	struct strbuf out = STRBUF(a, RULES_MAX);

	strbuf_str(&out, "chain refuse\nchain own\n"
	                 "chain output filter output -300 accept\n"
	                 "chain forward filter forward -300 accept\n"
	                 "rule refuse match == l4proto tcp reject\n"
	                 "rule refuse reject\n");
	for (size_t i = 0; i < l->users.n + 1; i++)
		strbuf_printf(&out, "rule own match == skuid %u accept\n", uids[i]);
	strbuf_str(&out, "rule own goto refuse\n");
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		strbuf_printf(&out, "rule output match == %s daddr %s goto own\n", protocols[i][0],
		              protocols[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		strbuf_printf(&out, "rule forward match == %s daddr %s goto refuse\n",
		              protocols[i][0], protocols[i][1]);
	return out.data;
}

/* ---- the step ---- */

static bool is_missing(const struct err *e)
{
	return e->reason == REASON_HOST_EXEC && e->no == ENOENT;
}

static int failed(struct err *e)
{
	if (is_missing(e))
		return err_set(e, ERR_HOST, REASON_IMDS_LOCK, ENOENT,
		               "locking the metadata service: nft is not installed (package "
		               "nftables)");
	if (e->reason != REASON_STEP_TIMEOUT && e->reason != REASON_STEP_ABANDONED)
		e->reason = REASON_IMDS_LOCK;
	return err_wrap(e, "locking the metadata service");
}

/* 1: the table exists, and is listed; 0: there is none, or no nft, without which nobody can have
 * made one. */
static int list_table(const struct step_ctx *c, const char **ret, struct err *e)
{
	static const char *const argv[] = {"nft",   "--json", "--numeric", "list",
	                                   "table", "inet",   TABLE,       NULL};
	struct host_exec x = {.argv = argv,
	                      .deadline = clock_min(c->deadline, clock_in_ms(QUERY_MS))};
	struct host_result res;
	struct err ignored;
	struct doc *d = NULL;
	int r = host_run(c->host, &x, c->arena, &res, e);

	if (r < 0)
		return is_missing(e) ? 0 : failed(e);
	if (res.status != 0)
		return 0;
	/* What can't be parsed isn't ours. */
	*ret = json_parse("nft", res.out, c->arena, &d, &ignored) < 0
	               ? ""
	               : listed_rules(doc_get(d, "nftables"), c->arena);
	return 1;
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct imds_lock_spec *l = fields;
	const char *listed = "";
	uid_t uids[USERS_MAX + 1];

	/* An image has no rules; each instance makes its own. A dry run shows what an instance
	 * would do. */
	if (!host_is_self(c->host))
		return host_mode(c->host) == HOST_LIVE || !l->enabled;
	int r = list_table(c, &listed, e);
	if (r < 0)
		return r;
	if (!l->enabled)
		return r == 0;
	if (r == 0)
		return 0;
	r = find_uids(c, l, uids, e);
	if (r < 0)
		return r;
	return str_eq(listed, wanted_rules(l, uids, c->arena));
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	static const char *const argv[] = {"nft", "--file", "-", NULL};
	const struct imds_lock_spec *l = fields;
	struct host_result res;
	uid_t uids[USERS_MAX + 1];
	int r = find_uids(c, l, uids, e);

	if (r < 0)
		return r;
	struct host_exec x = {.argv = argv,
	                      .input = rules_text(l, uids, c->arena),
	                      .changes = true,
	                      .deadline = c->deadline};
	r = host_run_ok(c->host, &x, c->arena, &res, e);
	return r < 0 ? failed(e) : 0;
}

const struct kind kind_imds_lock = {
        .section = "imds-lock",
        .summary = "the metadata service, for root and listed users only",
        .shape = KIND_MAP,
        .fields = imds_lock_fields,
        .size = sizeof(struct imds_lock_spec),
        .defaults = &defaults,
        .timeout_ms = 30000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
