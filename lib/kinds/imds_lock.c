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

#include "kinds/kinds.h"
#include "machine/filter.h"
#include "plan/claim.h"

#define TABLE     "hpc-node-imds"
#define USERS_MAX (HOST_FILTER_USERS - 1) /* root is one of them */

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
	step_provides(s, "imds:locked");
	return 0;
}

/* ---- the step ---- */

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

static struct host_filter filter_of(const struct imds_lock_spec *l, const uid_t *uids)
{
	return (struct host_filter){.table = TABLE,
	                            .address = "169.254.169.254",
	                            .address6 = "fd00:ec2::254",
	                            .users = uids,
	                            .n_users = l->users.n + 1};
}

static int failed(struct err *e)
{
	e->reason = REASON_IMDS_LOCK;
	return err_wrap(e, "locking the metadata service");
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct imds_lock_spec *l = fields;
	uid_t uids[HOST_FILTER_USERS];

	/* An image has no rules; each instance makes its own. A dry run shows what an instance
	 * would do. */
	if (!host_is_self(c->host) && host_mode(c->host) == HOST_LIVE)
		return 1;
	int r = host_filter_exists(c->host, TABLE, e);
	if (r < 0)
		return failed(e);
	if (!l->enabled || r == 0)
		return l->enabled ? 0 : r == 0;
	r = find_uids(c, l, uids, e);
	if (r < 0)
		return r;
	const struct host_filter f = filter_of(l, uids);
	r = host_filter_is(c->host, &f, e);
	return r < 0 ? failed(e) : r;
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct imds_lock_spec *l = fields;
	uid_t uids[HOST_FILTER_USERS];
	int r;

	if (!l->enabled) {
		r = host_filter_remove(c->host, TABLE, e);
		return r < 0 ? failed(e) : 0;
	}
	r = find_uids(c, l, uids, e);
	if (r < 0)
		return r;
	const struct host_filter f = filter_of(l, uids);
	r = host_filter_set(c->host, &f, e);
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
        .traceless = true,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
