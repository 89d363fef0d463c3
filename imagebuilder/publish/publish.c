/* SPDX-License-Identifier: Apache-2.0 */
/* Begins and resumes a run. */
#include "publish/publish_own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "aws/ec2.h"
#include "base/file.h"
#include "base/scope.h"

static int open_dir(int at, const char *path, int *ret, struct err *e)
{
	if (mkdirat(at, path, 0700) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making the directory '%s'", path);
	*ret = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0)
		return err_errno(e, errno, "opening the directory '%s'", path);
	return 0;
}

int publish_open_state(struct publish *p, struct err *e)
{
	p->dir = p->runs = p->kept = p->fd = p->journal.fd = -1;
	int r = open_dir(AT_FDCWD, p->state, &p->dir, e);
	if (r < 0)
		return r;
	r = open_dir(p->dir, "runs", &p->runs, e);
	if (r < 0)
		return r;
	return open_dir(p->dir, "blocks", &p->kept, e);
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

/* The digest of an image is that of its disk and of what else its instances start with. */
static const char *digest_with(struct publish *p, const char *disk)
{
	const struct publish_spec *s = &p->spec;
	char hex[SHA256_HEX];

	if (!s->uefi_data && !s->tpm)
		return disk;
	const char *all =
	        arena_printf(p->arena, "%s %d %s", disk, s->tpm, s->uefi_data ? s->uefi_data : "");
	digest_hex(all, strlen(all), hex);
	return arena_strdup(p->arena, hex);
}

static int open_image(struct publish *p, struct err *e)
{
	char hex[SHA256_HEX];

	p->fd = open(p->spec.image, O_RDONLY | O_CLOEXEC);
	if (p->fd < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, errno, "'%s': %s",
		               p->spec.image, strerror(errno));
	int r = blocks_scan(p->fd, p->spec.image, &p->blocks, e);
	if (r < 0)
		return r;
	blocks_digest(&p->blocks, hex);
	p->digest = digest_with(p, arena_strdup(p->arena, hex));
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
	int r = ec2_images(p->cloud, &q, p->arena, &found, p->deadline, e);

	if (r < 0)
		return r;
	maps = found->n ? doc_get(found->items[0], "blockDeviceMapping") : NULL;
	if (maps && maps->type == DOC_LIST && maps->n)
		id = doc_text(doc_get(maps->items[0], "ebs"), "snapshotId");
	if (!id)
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "image '%s' has no snapshot of this account", image);
	*ret = id;
	return 0;
}

static int name_parent(struct publish *p, struct err *e)
{
	if (str_starts(p->spec.parent, "ami-"))
		return first_snapshot(p, p->spec.parent, &p->parent_snapshot, e);
	if (!str_starts(p->spec.parent, "snap-") || strchr(p->spec.parent, '/'))
		return publish_refuse(e, "--parent", p->spec.parent, "ami-... or snap-...");
	p->parent_snapshot = p->spec.parent;
	return 0;
}

/* If the spec names one. */
static int find_parent(struct publish *p, struct err *e)
{
	if (!p->spec.parent)
		return 0;
	int r = name_parent(p, e);
	if (r < 0)
		return r;
	r = blocks_load(p->kept, p->parent_snapshot, &p->parent_blocks, e);
	if (r < 0 && e->no == ENOENT)
		return err_set(e, ERR_USAGE, REASON_INPUT_REQUIRED, ENOENT,
		               "--parent '%s': what its blocks are isn't known in '%s'; expected "
		               "one that was published with this --state",
		               p->spec.parent, p->state);
	if (r < 0)
		return r;
	if (p->parent_blocks.n > p->gib * 2048)
		p->gib = (p->parent_blocks.n + 2047) / 2048;
	return 0;
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
	int r = ec2_images(p->cloud, &q, p->arena, &found, p->deadline, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < found->n; i++) {
		const char *boot = doc_text(found->items[i], "bootMode");

		if (!boot || str_eq(boot, p->spec.boot))
			take_image(p, found->items[i]);
	}
	return 0;
}

/* Otherwise it would only be refused after all blocks are sent. */
static int check_name_free(struct publish *p, struct err *e)
{
	const struct ec2_query q = {.filters = {{"name", p->spec.name}}, .n_filters = 1};
	struct doc *found;
	int r = ec2_images(p->cloud, &q, p->arena, &found, p->deadline, e);

	if (r < 0 || !found->n)
		return r;
	return err_set(e, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST,
	               "--name '%s': '%s' has that name, with other content: expected another one",
	               p->spec.name, doc_text(found->items[0], "imageId"));
}

/* ---- begin and resume ------------------------------------------------------------------------ */

static int begin(struct publish *p, struct err *e)
{
	char run[JOURNAL_RUN];

	journal_name(run);
	int r = journal_open(&p->journal, p->runs, run, true, p->arena, e);
	if (r < 0)
		return r;
	r = publish_begin_line(p, e);
	if (r < 0)
		return r;
	memcpy(p->run, run, sizeof run);
	return 0;
}

static bool something_follows(const struct publish_follow *f)
{
	return f->deprecate || f->alias || f->accounts->n || f->regions->n;
}

/* A run for an image that already exists: the steps that lead to it are done. */
static int adopt(struct publish *p, struct err *e)
{
	static const char *const steps[] = {"start",  "put",      "complete",
	                                    "settle", "register", "available"};
	int r = begin(p, e);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(steps); i++) {
		const char *id = str_eq(steps[i], "start")      ? p->snapshot_id
		                 : str_eq(steps[i], "register") ? p->image_id
		                                                : NULL;
		const struct journal_pair made = {"id", id};

		r = journal_note(&p->journal, "done", steps[i], &made, 1, e);
	}
	return r;
}

/* An account may encrypt everything that is made in it: with its default key unless another is
 * given. */
static int check_sharing(struct publish *p, struct err *e)
{
	bool on = false;

	if (!p->spec.follow.accounts->n || p->spec.kms_key || p->spec.parent)
		return 0;
	int r = ec2_encrypts(p->cloud, NULL, &on, p->deadline, e);
	if (r < 0 || !on)
		return r;
	return publish_refuse(e, "--share", p->spec.follow.accounts->items[0],
	                      "--kms-key with it: the account encrypts each snapshot, and what its "
	                      "default key encrypts can't be shared");
}

static int start_anew(struct publish *p, struct err *e)
{
	int r = check_sharing(p, e);

	if (r < 0)
		return r;
	r = check_name_free(p, e);
	if (r < 0)
		return r;
	r = find_parent(p, e);
	if (r < 0)
		return r;
	return begin(p, e);
}

/* All that AWS would refuse later. */
static int check(struct publish *p, struct err *e)
{
	const char *own;
	int r = publish_check(&p->spec, p->arena, e);

	if (r < 0 || !p->spec.follow.regions->n)
		return r;
	r = cloud_region(p->cloud, &own, p->deadline, e);
	return r < 0 ? r : publish_check_regions(&p->spec, own, e);
}

int publish_image(struct publish *p, const struct publish_spec *s, struct err *e)
{
	int r = publish_open_state(p, e);

	if (r < 0)
		return r;
	p->spec = *s;
	r = check(p, e);
	if (r < 0)
		return r;
	r = open_image(p, e);
	if (r < 0)
		return r;
	r = find_same(p, e);
	if (r < 0)
		return r;
	if (p->found && !something_follows(&s->follow))
		return 0;
	r = p->found ? adopt(p, e) : start_anew(p, e);
	if (r < 0)
		return r;
	return publish_steps(p, e);
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

/* Given once with an empty value: none. */
static const struct command_list *list_given(const struct command_list *l)
{
	static const struct command_list none;

	return l->n == 1 && !*l->items[0] ? &none : l;
}

/* What is given replaces what the run began with, in the journal too. */
static int change(struct publish *p, const struct publish_follow *now, struct err *e)
{
	struct publish_follow *f = &p->spec.follow;

	if (!something_follows(now))
		return 0;
	if (now->deprecate)
		f->deprecate = *now->deprecate ? now->deprecate : NULL;
	if (now->alias)
		f->alias = *now->alias ? now->alias : NULL;
	if (now->accounts->n)
		f->accounts = list_given(now->accounts);
	if (now->regions->n)
		f->regions = list_given(now->regions);
	return publish_begin_line(p, e);
}

static int go_on(struct publish *p, const struct publish_follow *now, struct err *e)
{
	int r = publish_read_begin(p, e);

	if (r < 0)
		return r;
	r = open_image(p, e);
	if (r < 0)
		return r;
	r = same_image(p, e);
	if (r < 0)
		return r;
	r = change(p, now, e);
	if (r < 0)
		return r;
	r = check(p, e);
	if (r < 0)
		return r;
	r = find_parent(p, e);
	if (r < 0)
		return r;
	return publish_steps(p, e);
}

int publish_resume(struct publish *p, const char *run, const struct publish_follow *now,
                   struct err *e)
{
	int r = publish_open_state(p, e);

	if (r < 0)
		return r;
	r = journal_open(&p->journal, p->runs, run, false, p->arena, e);
	if (r < 0)
		return r;
	const struct doc *end = journal_find(&p->journal, "end", NULL);
	if (end)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EALREADY, "run %s has ended: %s",
		               run, doc_text(end, "as"));
	memcpy(p->run, p->journal.run, sizeof p->run);
	return go_on(p, now, e);
}
