/* SPDX-License-Identifier: Apache-2.0 */
/*
 * munge: the cluster's key in place, munged running with it, a credential made and read here.
 *
 * A munged that runs is stopped before its key changes. So one that is active always has the key
 * on disk, and a run killed in between leaves an inactive unit, which the next run sees.
 *
 * What munged demands of places (0.5.11 to 0.5.16, tried with 0.5.15): the key's owner is munged's
 * user, its mode closed to others; every directory above key, seed and socket belongs to root or
 * that user and is writable by nobody else, unless sticky; above the log, group-writable is
 * accepted. We correct our three directories; others are the admin's and are only reported.
 */
#include <errno.h>

#include "aws/fetch.h"
#include "machine/unit.h"
#include "munge/munge.h"
#include "munge/munge_own.h"
#include "plan/claim.h"

#define KEY_PATH "/etc/munge/munge.key"
#define UNIT     "munge.service"

static const struct field munge_fields[] = {
        {"key", FIELD_STRING, FIELD_AT(struct munge_spec, key), .required = true, .min = 1,
         .max = 2048,
         .help = "where the key is: s3://..., https://..., file:/... (32 to 8192 bytes as they "
                 "are), or the ARN of a Secrets Manager secret (base64 of them)"},
        {"sha256", FIELD_STRING, FIELD_AT(struct munge_spec, sha256),
         .help = "64 hex digits that what is at 's3', 'https' or 'file' must have"},
        {"create", FIELD_BOOL, FIELD_AT(struct munge_spec, create),
         .help = "make the key, once, where there is none at its s3:// place; for the head node"},
        {0},
};

static const struct host_owner munge_owner = {.user = "munge", .group = "munge"};
/* Those we correct. munged accepts more than 0700 below /var/lib, and Debian sets that. */
static const struct munge_dir {
	const char *path;
	unsigned mode, closed; /* the mode we set; bits that must not be set */
} munge_dirs[] = {
        {"/etc/munge", 0700, 0077},
        {"/var/lib/munge", 0711, 0022},
        {"/var/log/munge", 0700, 0027},
};

static const struct munge_above {
	const char *path;
	unsigned closed;
} munge_above[] = {
        {"/", 0022}, {"/etc", 0022}, {"/var", 0022}, {"/var/lib", 0022}, {"/var/log", 0002},
};

static int claim_create(const struct step *s, const struct munge_spec *m, struct err *e)
{
	if (!m->create)
		return 0;
	if (!str_starts(m->key, "s3://"))
		return doc_err(claim_at(s, "create"), e, REASON_INPUT_RANGE,
		               "'%s' is not s3://...: only there a key is made", m->key);
	if (m->sha256)
		return doc_err(claim_at(s, "sha256"), e, REASON_INPUT_RANGE,
		               "of a key that is yet to be made nobody knows the sha256");
	return 0;
}

static int claim_key(struct step *s, const struct munge_spec *m, struct err *e)
{
	int r = claim_secret(s, "key", m->key, "a key", e);

	if (r < 0)
		return r;
	if (m->sha256 && fetch_is_arn(m->key))
		return doc_err(claim_at(s, "sha256"), e, REASON_INPUT_RANGE,
		               "a secret has versions, not a sha256");
	return 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct munge_spec *m = fields;

	(void)facts;
	int r = claim_key(s, m, e);
	if (r < 0)
		return r;
	r = claim_create(s, m, e);
	if (r < 0)
		return r;
	r = m->sha256 ? claim_sha256(s, "sha256", m->sha256, e) : 0;
	if (r < 0)
		return r;
	m->fetched = arena_alloc(s->arena, sizeof *m->fetched);
	step_needs(s, "user:munge");
	step_needs(s, "path:/etc/munge");
	step_needs(s, "pkg:munge");
	/* If its own name doesn't resolve, munged stalls for 20 s when it starts. */
	step_needs(s, "name:self");
	step_provides(s, "path:%s", KEY_PATH);
	step_provides(s, "unit:%s", UNIT);
	step_provides(s, "munge:ready");
	return 0;
}

/* 1: as munged requires; 0: not, or missing. */
static int dir_is_fit(const struct step_ctx *c, const struct munge_dir *d, struct err *e)
{
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (!host_exists(c->host, d->path))
		return 0;
	int r = host_stat(c->host, d->path, &st, e);
	if (r < 0)
		return r;
	r = host_owner_ids(c->host, &munge_owner, &uid, &gid, e);
	if (r < 0)
		return r;
	return S_ISDIR(st.st_mode) && st.st_uid == uid && !(st.st_mode & d->closed);
}

static int check_above(const struct step_ctx *c, const struct munge_above *d, struct err *e)
{
	struct stat st;
	uid_t uid = 0;
	gid_t gid;
	int r = host_stat(c->host, d->path, &st, e);

	if (r < 0 || S_ISLNK(st.st_mode))
		return r;
	r = st.st_uid != 0 ? host_owner_ids(c->host, &munge_owner, &uid, &gid, e) : 0;
	if (r < 0)
		return r;
	if (st.st_uid != uid)
		return err_set(e, ERR_HOST, REASON_MUNGE_KEY_UNSAFE, EPERM,
		               "placing the munge key: '%s' belongs to user %u, expected root",
		               d->path, (unsigned)st.st_uid);
	if ((st.st_mode & d->closed) && !(st.st_mode & S_ISVTX))
		return err_set(e, ERR_HOST, REASON_MUNGE_KEY_UNSAFE, EPERM,
		               "placing the munge key: '%s' has mode %04o, and munged refuses what "
		               "others may write to",
		               d->path, st.st_mode & 07777U);
	return 0;
}

static int places_are_fit(const struct step_ctx *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(munge_above); i++) {
		int r = check_above(c, &munge_above[i], e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_LEN(munge_dirs); i++) {
		int r = dir_is_fit(c, &munge_dirs[i], e);
		if (r <= 0)
			return r;
	}
	return 1;
}

static int mend_dir(const struct step_ctx *c, const struct munge_dir *d, struct err *e)
{
	int r = dir_is_fit(c, d, e);

	if (r != 0)
		return r < 0 ? r : 0;
	return host_mkdir(c->host, d->path, d->mode, &munge_owner, e);
}

static int mend_places(const struct step_ctx *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(munge_above); i++) {
		int r = check_above(c, &munge_above[i], e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_LEN(munge_dirs); i++) {
		int r = mend_dir(c, &munge_dirs[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct munge_spec *m = fields;
	struct host_unit_state state;
	struct err ignored; /* apply has the same error again, and reports it */
	int r = munge_key_get(c, m, e);

	if (r <= 0)
		return r;
	r = host_file_is(c->host, KEY_PATH, munge_key_bytes(m), 0400, &munge_owner, e);
	if (r <= 0)
		return r;
	r = places_are_fit(c, e);
	if (r <= 0)
		return r;
	r = host_unit_state(c->host, UNIT, &state, c->deadline, e);
	if (r < 0 || !state.active || (!m->fetched->proven && munge_proof(c, &ignored) < 0))
		return r;
	munge_key_forget(m);
	return 1;
}

static int place_key(const struct step_ctx *c, const struct munge_spec *m, struct err *e)
{
	int r = host_file_is(c->host, KEY_PATH, munge_key_bytes(m), 0400, &munge_owner, e);

	if (r != 0)
		return r < 0 ? r : 0;
	r = host_unit_do(c->host, UNIT, HOST_UNIT_STOP, c->deadline, e);
	if (r < 0)
		return r;
	return host_write_secret(c->host, KEY_PATH, munge_key_bytes(m), 0400, &munge_owner, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct munge_spec *m = fields;
	int r = munge_key_make(c, m, e);

	if (r < 0)
		return r;
	r = mend_places(c, e);
	if (r < 0)
		return r;
	r = place_key(c, m, e);
	if (r < 0)
		return r;
	r = host_unit_do(c->host, UNIT, HOST_UNIT_RESTART, c->deadline, e);
	if (r < 0 || host_mode(c->host) == HOST_DRY)
		return r;
	r = munge_proof(c, e);
	m->fetched->proven = r == 0;
	return r;
}

const struct kind kind_munge = {
        .section = "munge",
        .summary = "the cluster's munge key and a munged that uses it",
        .shape = KIND_MAP,
        .fields = munge_fields,
        .size = sizeof(struct munge_spec),
        .timeout_ms = 90000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
