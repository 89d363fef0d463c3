/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "aws/ec2.h"
#include "aws/ec2_valid.h"
#include "aws/ssm.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "cloud/partition.h"

static int open_dir(int at, const char *path, int *ret, struct err *e)
{
	if (mkdirat(at, path, 0700) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making the directory '%s'", path);
	*ret = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_errno(e, errno, "'%s'", path) : 0;
}

int publish_open_state(struct publish *p, struct err *e)
{
	int rc;

	p->dir = p->runs = p->kept = p->fd = p->journal.fd = -1;
	rc = open_dir(AT_FDCWD, p->state, &p->dir, e);
	if (rc == 0)
		rc = open_dir(p->dir, "runs", &p->runs, e);
	if (rc == 0)
		rc = open_dir(p->dir, "blocks", &p->kept, e);
	return rc;
}

void publish_close(struct publish *p)
{
	scope_close(&p->fd);
	scope_close(&p->kept);
	scope_close(&p->runs);
	scope_close(&p->dir);
	journal_close(&p->journal);
	blocks_close(&p->blocks);
	blocks_close(&p->parent_blocks);
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static int bad(struct err *e, const char *what, const char *value, const char *expected)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "%s '%s': expected %s", what,
	               value, expected);
}

static bool is_tag(const char *s, struct arena *a)
{
	const char *eq = strchr(s, '=');

	return eq && !str_starts(s, "hpc-imagebuild:") &&
	       ec2_valid_tag(arena_memdup(a, s, (size_t)(eq - s)), eq + 1);
}

static int check_lists(const struct publish_spec *s, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < s->tags->n; i++)
		if (!is_tag(s->tags->items[i], a))
			return bad(e, "--tag", s->tags->items[i],
			           "KEY=VALUE, of 127 and 255 characters, KEY not begun by aws: "
			           "or hpc-imagebuild:");
	if (s->tags->n > 40)
		return bad(e, "--tag", s->tags->items[40], "at most 40 of them");
	for (size_t i = 0; i < s->accounts->n; i++)
		if (!ec2_valid_account(s->accounts->items[i]))
			return bad(e, "--share", s->accounts->items[i], "an account's 12 digits");
	if (s->accounts->n && s->encrypted && !s->kms_key)
		return bad(e, "--share", s->accounts->items[0],
		           "--kms-key with --encrypt: what the account's default key encrypts "
		           "can't be shared");
	for (size_t i = 0; i < s->regions->n; i++)
		if (!partition_region_valid(s->regions->items[i]))
			return bad(e, "--copy", s->regions->items[i],
			           "a region, such as eu-west-1");
	return 0;
}

static int check_spec(const struct publish_spec *s, struct arena *a, struct err *e)
{
	if (!ec2_valid_name(s->name))
		return bad(e, "--name", s->name, "3 to 128 letters, digits and ()[] ./-'@_");
	if (s->description && !ec2_valid_description(s->description))
		return bad(e, "--description", s->description,
		           "at most 255 printable ASCII characters");
	if (str_eq(s->arch, "arm64") && !str_eq(s->boot, "uefi"))
		return bad(e, "--boot", s->boot, "uefi, which is all that arm64 knows");
	if (s->parent && (s->encrypted || s->kms_key))
		return bad(e, "--parent", s->parent,
		           "no encryption of its own: EBS takes the parent's");
	if (s->alias && !ssm_name_valid(s->alias))
		return bad(e, "--alias", s->alias, "a parameter's name, such as /images/compute");
	if (s->deprecate && !ec2_valid_deprecation(s->deprecate, clock_wall()))
		return bad(e, "--deprecate", s->deprecate,
		           "a time to come within ten years, such as 2027-01-01T00:00:00Z");
	return check_lists(s, a, e);
}

static int open_image(struct publish *p, struct err *e)
{
	char hex[SHA256_HEX];
	int rc;

	p->fd = open(p->spec.image, O_RDONLY | O_CLOEXEC);
	if (p->fd < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, errno, "'%s': %s",
		               p->spec.image, strerror(errno));
	rc = blocks_scan(p->fd, p->spec.image, &p->blocks, e);
	if (rc < 0)
		return rc;
	blocks_digest(&p->blocks, hex);
	p->digest = arena_strdup(p->arena, hex);
	p->gib = (p->blocks.n + 2047) / 2048;
	return 0;
}

/* ---- the parent ------------------------------------------------------------------------------ */

static int first_snapshot(struct publish *p, const char *image, const char **ret, struct err *e)
{
	const struct ec2_query q = {.id = image};
	struct doc *found;
	const struct doc *maps;
	const char *id = NULL;
	int rc = ec2_images(p->cloud, &q, p->arena, &found, p->deadline, e);

	if (rc < 0)
		return rc;
	maps = found->n ? doc_get(found->items[0], "blockDeviceMapping") : NULL;
	if (maps && maps->type == DOC_LIST && maps->n)
		id = doc_text(doc_get(maps->items[0], "ebs"), "snapshotId");
	if (!id)
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "image '%s' has no snapshot of this account", image);
	*ret = id;
	return 0;
}

static int find_parent(struct publish *p, struct err *e)
{
	int rc = 0;

	p->parent_snapshot = p->spec.parent;
	if (str_starts(p->spec.parent, "ami-"))
		rc = first_snapshot(p, p->spec.parent, &p->parent_snapshot, e);
	else if (!str_starts(p->spec.parent, "snap-") || strchr(p->spec.parent, '/'))
		rc = bad(e, "--parent", p->spec.parent, "ami-... or snap-...");
	if (rc < 0)
		return rc;
	rc = blocks_load(p->kept, p->parent_snapshot, &p->parent_blocks, e);
	if (rc < 0 && e->no == ENOENT)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		               "--parent '%s': what its blocks are isn't known in '%s'; expected "
		               "one that was published with this --state",
		               p->spec.parent, p->state);
	if (p->parent_blocks.n > p->gib * 2048)
		p->gib = (p->parent_blocks.n + 2047) / 2048;
	return rc;
}

/* ---- is it there already? -------------------------------------------------------------------- */

static void take_image(struct publish *p, const struct doc *image)
{
	const struct doc *maps = doc_get(image, "blockDeviceMapping");

	p->image_id = doc_text(image, "imageId");
	if (maps && maps->type == DOC_LIST && maps->n)
		p->snapshot_id = doc_text(doc_get(maps->items[0], "ebs"), "snapshotId");
	p->found = true;
}

static int find_same(struct publish *p, struct err *e)
{
	const struct ec2_query q = {
	        .filters = {{"tag:" PUBLISH_TAG_DIGEST, p->digest},
	                    {"state", "available"},
	                    {"architecture", p->spec.arch}},
	        .n_filters = 3,
	};
	struct doc *found;
	int rc = ec2_images(p->cloud, &q, p->arena, &found, p->deadline, e);

	for (size_t i = 0; rc == 0 && i < found->n; i++) {
		const char *boot = doc_text(found->items[i], "bootMode");

		if (!boot || str_eq(boot, p->spec.boot))
			take_image(p, found->items[i]);
	}
	return rc;
}

/* ---- the two ways in ------------------------------------------------------------------------- */

static int begin(struct publish *p, struct err *e)
{
	char run[JOURNAL_RUN];
	int rc;

	journal_name(run);
	rc = journal_open(&p->journal, p->runs, run, true, p->arena, e);
	if (rc == 0)
		rc = publish_begin_line(p, e);
	if (rc == 0)
		memcpy(p->run, run, sizeof run);
	return rc;
}

static bool something_follows(const struct publish_spec *s)
{
	return s->deprecate || s->alias || s->accounts->n || s->regions->n;
}

/* A run upon an image that is there: what leads to it is done. */
static int adopt(struct publish *p, struct err *e)
{
	static const char *const steps[] = {"start",  "put",      "complete",
	                                    "settle", "register", "available"};
	int rc = begin(p, e);

	for (size_t i = 0; i < ARRAY_LEN(steps) && rc == 0; i++) {
		const char *id = str_eq(steps[i], "start")      ? p->snapshot_id
		                 : str_eq(steps[i], "register") ? p->image_id
		                                                : NULL;
		const struct journal_pair made = {"id", id};

		rc = journal_note(&p->journal, "done", steps[i], &made, 1, e);
	}
	return rc;
}

/* An account may encrypt whatever is made in it: with its default key unless told another. */
static int check_sharing(struct publish *p, struct err *e)
{
	bool on = false;
	int r;

	if (!p->spec.accounts->n || p->spec.kms_key || p->spec.parent)
		return 0;
	r = ec2_encrypts(p->cloud, NULL, &on, p->deadline, e);
	if (r < 0)
		return r;
	return !on ? 0
	           : bad(e, "--share", p->spec.accounts->items[0],
	                 "--kms-key with it: the account encrypts each snapshot, and what its "
	                 "default key encrypts can't be shared");
}

static int start_anew(struct publish *p, struct err *e)
{
	int r = check_sharing(p, e);

	if (r == 0 && p->spec.parent)
		r = find_parent(p, e);
	return r < 0 ? r : begin(p, e);
}

int publish_image(struct publish *p, const struct publish_spec *s, struct err *e)
{
	int rc = publish_open_state(p, e);

	p->spec = *s;
	if (rc == 0)
		rc = check_spec(s, p->arena, e);
	if (rc == 0)
		rc = open_image(p, e);
	if (rc == 0)
		rc = find_same(p, e);
	if (rc == 0 && p->found && !something_follows(s))
		return 0;
	if (rc == 0)
		rc = p->found ? adopt(p, e) : start_anew(p, e);
	return rc < 0 ? rc : publish_steps(p, e);
}

static int same_image(const struct publish *p, struct err *e)
{
	const char *was = doc_text(journal_find(&p->journal, "begin", NULL), "digest");

	if (!str_eq(was, p->digest))
		return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
		               "'%s' isn't what run %s began with: collect that with gc, and "
		               "publish this anew",
		               p->spec.image, p->journal.run);
	return 0;
}

int publish_resume(struct publish *p, const char *run, struct err *e)
{
	int rc = publish_open_state(p, e);

	if (rc == 0)
		rc = journal_open(&p->journal, p->runs, run, false, p->arena, e);
	if (rc < 0)
		return rc;
	if (journal_find(&p->journal, "end", NULL))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EALREADY, "run %s has ended: %s",
		               run, doc_text(journal_find(&p->journal, "end", NULL), "as"));
	memcpy(p->run, p->journal.run, sizeof p->run);
	rc = publish_read_begin(p, e);
	if (rc == 0)
		rc = open_image(p, e);
	if (rc == 0)
		rc = same_image(p, e);
	if (rc == 0 && p->spec.parent)
		rc = find_parent(p, e);
	return rc < 0 ? rc : publish_steps(p, e);
}
