/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a run in their order; each is skipped when the journal says that it is done. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "aws/ebs.h"
#include "aws/ec2.h"
#include "aws/ssm.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "publish/publish_own.h"
#include "publish/upload.h"

#define TIMEOUT_MIN     30 /* EBS drops a snapshot that gets no blocks for longer */
#define APPEAR_MS       60000
#define APPEAR_PAUSE_MS 2000
#define TAGS_MAX        48

static const char *result(const struct publish *p, const char *step, const char *key)
{
	return doc_text(journal_find(&p->journal, "done", step), key);
}

static int note(struct publish *p, const char *event, const char *step, const char *key,
                const char *value, struct err *e)
{
	const struct journal_pair pair = {key, value};

	return journal_note(&p->journal, event, step, &pair, 1, e);
}

/* ---- tags ------------------------------------------------------------------------------------ */

static size_t all_tags(struct publish *p, struct ec2_tag out[static TAGS_MAX])
{
	const struct command_list *own = p->spec.tags;
	size_t n = 0;

	out[n++] = (struct ec2_tag){PUBLISH_TAG_RUN, p->journal.run};
	out[n++] = (struct ec2_tag){PUBLISH_TAG_DIGEST, p->digest};
	out[n++] = (struct ec2_tag){"Name", p->spec.name};
	for (size_t i = 0; i < own->n && n < TAGS_MAX; i++) {
		const char *eq = strchr(own->items[i], '=');

		out[n++] = (struct ec2_tag){
		        arena_memdup(p->arena, own->items[i], (size_t)(eq - own->items[i])),
		        eq + 1};
	}
	return n;
}

/* ---- the snapshot ---------------------------------------------------------------------------- */

static int call_start(struct publish *p, const char *expires, char id[static EBS_ID], struct err *e)
{
	struct ec2_tag tags[TAGS_MAX];
	struct ebs_tag ebs[TAGS_MAX + 1];
	size_t n = all_tags(p, tags);
	const struct ebs_start s = {
	        .gib = p->gib,
	        .description = p->spec.description ? p->spec.description : p->spec.name,
	        .token = p->journal.run,
	        .parent = p->parent_snapshot,
	        .encrypted = p->spec.encrypted || p->spec.kms_key,
	        .kms_key = p->spec.kms_key,
	        .timeout_min = TIMEOUT_MIN,
	        .tags = ebs,
	        .n_tags = n + 1,
	};

	for (size_t i = 0; i < n; i++)
		ebs[i] = (struct ebs_tag){tags[i].key, tags[i].value};
	ebs[n] = (struct ebs_tag){PUBLISH_TAG_EXPIRES, expires};
	return ebs_start(p->cloud, &s, id, p->deadline, e);
}

static int step_start(struct publish *p, struct err *e)
{
	/* A resumed run must send exactly the same request, or the token doesn't match. */
	const char *expires = doc_text(journal_find(&p->journal, "intent", "start"), "expires");
	char id[EBS_ID], when[21];
	int r;

	if (!expires) {
		clock_rfc3339(clock_wall() + PUBLISH_DAY_S, when);
		expires = arena_strdup(p->arena, when);
		r = note(p, "intent", "start", "expires", expires, e);
		if (r < 0)
			return r;
	}
	r = call_start(p, expires, id, e);
	if (r < 0)
		return r;
	return note(p, "done", "start", "id", id, e);
}

static int step_put(struct publish *p, struct err *e)
{
	char name[JOURNAL_RUN + 8];
	struct upload u = {
	        .cloud = p->cloud,
	        .fd = p->fd,
	        .name = p->spec.image,
	        .blocks = &p->blocks,
	        .parent = p->parent_snapshot ? &p->parent_blocks : NULL,
	        .snapshot = p->snapshot_id,
	        .connections = p->connections,
	        .just_started = true,
	        .progress = p->progress,
	        .ctx = p->ctx,
	};
	int r;

	snprintf(name, sizeof name, "%s.put", p->journal.run);
	scope_fd int mark = file_open(p->runs, name, O_RDWR | O_CREAT, 0600);
	if (mark < 0)
		return err_errno(e, -mark, "the list of blocks that are there");
	u.mark = mark;
	r = upload_run(&u, p->deadline, e);
	p->put = u.put;
	p->total = u.total;
	if (u.throttled)
		log_info("EBS throttled %llu of %llu attempts", (unsigned long long)u.throttled,
		         (unsigned long long)u.attempts);
	if (r < 0)
		return r;
	return note(p, "done", "put", NULL, NULL, e);
}

/* An earlier call whose answer was lost may have completed it: then it is complete, or
 * about to be. */
static int completed_before(struct publish *p, struct err *e)
{
	const struct ec2_query q = {.id = p->snapshot_id};
	struct err ignored = {0};
	struct doc *found;

	if (e->reason == REASON_AWS_CONFLICT)
		return 0;
	if (e->reason == REASON_AWS_INVALID &&
	    ec2_snapshots(p->cloud, &q, p->arena, &found, p->deadline, &ignored) == 0 && found->n &&
	    str_eq(doc_text(found->items[0], "status"), "completed"))
		return 0;
	return -e->no;
}

static int step_complete(struct publish *p, struct err *e)
{
	unsigned char sum[SHA256_LEN];
	uint32_t n;
	int r = note(p, "intent", "complete", NULL, NULL, e);

	if (r < 0)
		return r;
	upload_sum(&p->blocks, p->parent_snapshot ? &p->parent_blocks : NULL, &n, sum);
	r = ebs_complete(p->cloud, p->snapshot_id, n, sum, p->deadline, e);
	if (r < 0)
		r = completed_before(p, e);
	if (r < 0)
		return r;
	return note(p, "done", "complete", NULL, NULL, e);
}

/* ---- waiting --------------------------------------------------------------------------------- */

typedef int list_fn(struct cloud *c, const struct ec2_query *q, struct arena *a, struct doc **ret,
                    uint64_t deadline, struct err *e);

struct wait {
	list_fn *list;
	const char *id, *state, *good, *why;
};

/* 1: it is in the wanted state; 0: not yet. */
static int look(struct publish *p, const struct wait *w, uint64_t appears, struct err *e)
{
	const struct ec2_query q = {.id = w->id};
	struct doc *found;
	const char *state;
	int r = w->list(p->cloud, &q, p->arena, &found, p->deadline, e);

	/* A new resource may not be visible everywhere yet. */
	if ((r < 0 && e->kind == ERR_ABSENT) || (r == 0 && found->n == 0)) {
		if (!clock_passed(appears)) {
			*e = (struct err){0};
			return 0;
		}
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "waiting for '%s': it doesn't exist", w->id);
	}
	if (r < 0)
		return r;
	state = doc_text(found->items[0], w->state);
	if (str_eq(state, w->good))
		return 1;
	if (str_eq(state, "pending"))
		return 0;
	const char *why = doc_text(found->items[0], w->why);
	const struct doc *reason = doc_get(found->items[0], "stateReason");

	if (!why)
		why = doc_text(reason, "message");
	return err_set(e, ERR_DENIED, REASON_AWS_STATE, EPROTO, "waiting for '%s': it is '%s'%s%s",
	               w->id, state ? state : "?", why ? ": " : "", why ? why : "");
}

static int wait_for(struct publish *p, const struct wait *w, struct err *e)
{
	static const unsigned pause_s[] = {1, 2, 3, 5};
	uint64_t appears = clock_in_ms(APPEAR_MS);

	for (size_t i = 0;; i += i + 1 < ARRAY_LEN(pause_s)) {
		int r = look(p, w, appears, e);

		if (r != 0)
			return r < 0 ? r : 0;
		if (!clock_sleep_ms(pause_s[i] * 1000ULL, p->deadline))
			return err_set(e, ERR_DEADLINE, REASON_DEADLINE, ETIMEDOUT,
			               "waiting for '%s': the deadline passed", w->id);
	}
}

static int step_settle(struct publish *p, struct err *e)
{
	const struct wait w = {ec2_snapshots, p->snapshot_id, "status", "completed",
	                       "statusMessage"};
	int r = wait_for(p, &w, e);

	if (r < 0)
		return r;
	/* Saved before registration: anyone who sees the image may use it as a parent. */
	r = blocks_save(&p->blocks, p->kept, p->snapshot_id, e);
	if (r < 0)
		return r;
	return note(p, "done", "settle", NULL, NULL, e);
}

/* ---- the image ------------------------------------------------------------------------------- */

/* The image that an earlier attempt registered before it died, or NULL. */
static int find_ours(struct publish *p, const char **ret, struct err *e)
{
	const struct ec2_query q = {.filters = {{"tag:" PUBLISH_TAG_RUN, p->journal.run}},
	                            .n_filters = 1};
	struct doc *found;
	int r = ec2_images(p->cloud, &q, p->arena, &found, p->deadline, e);

	if (r < 0)
		return r;
	*ret = found->n ? doc_text(found->items[0], "imageId") : NULL;
	return 0;
}

static bool has_run(const struct doc *image, const char *run)
{
	const struct doc *tags = doc_get(image, "tagSet");

	for (size_t i = 0; tags && tags->type == DOC_LIST && i < tags->n; i++)
		if (str_eq(doc_text(tags->items[i], "key"), PUBLISH_TAG_RUN) &&
		    str_eq(doc_text(tags->items[i], "value"), run))
			return true;
	return false;
}

/* Whether this run made the image that has the name. A new image may take a while to be listed,
 * though its name is taken already. */
static bool named_by_us(struct publish *p, const char **ret)
{
	const struct ec2_query q = {.filters = {{"name", p->spec.name}}, .n_filters = 1};
	uint64_t appears = clock_min(clock_in_ms(APPEAR_MS), p->deadline);
	struct err ignored = {0};
	struct doc *found;

	do {
		if (ec2_images(p->cloud, &q, p->arena, &found, p->deadline, &ignored) < 0)
			return false;
		if (found->n && !has_run(found->items[0], p->journal.run))
			return false;
		if (found->n) {
			*ret = doc_text(found->items[0], "imageId");
			return true;
		}
	} while (clock_sleep_ms(APPEAR_PAUSE_MS, appears));
	return false;
}

static int call_register(struct publish *p, const char **id, struct err *e)
{
	struct ec2_tag tags[TAGS_MAX];
	const struct ec2_register ask = {
	        .name = p->spec.name,
	        .description = p->spec.description,
	        .arch = p->spec.arch,
	        .boot = p->spec.boot,
	        .uefi_data = p->spec.uefi_data,
	        .tpm = p->spec.tpm,
	        .snapshot = p->snapshot_id,
	        .gib = p->gib,
	        .tags = tags,
	        .n_tags = all_tags(p, tags),
	};
	int r = ec2_register(p->cloud, &ask, p->arena, id, p->deadline, e);

	/* The name may have been taken by an earlier call of ours whose answer was lost. */
	if (r < 0 && e->no == EEXIST && named_by_us(p, id)) {
		*e = (struct err){0};
		return 0;
	}
	return r;
}

static int step_register(struct publish *p, struct err *e)
{
	const char *id = NULL;
	int r;

	if (journal_find(&p->journal, "intent", "register"))
		r = find_ours(p, &id, e);
	else
		r = note(p, "intent", "register", NULL, NULL, e);
	if (r < 0)
		return r;
	if (!id) {
		r = call_register(p, &id, e);
		if (r < 0)
			return r;
	}
	return note(p, "done", "register", "id", id, e);
}

static int step_available(struct publish *p, struct err *e)
{
	const struct wait w = {ec2_images, p->image_id, "imageState", "available", "reason"};
	int r = wait_for(p, &w, e);

	if (r < 0)
		return r;
	return note(p, "done", "available", NULL, NULL, e);
}

/* ---- what follows ---------------------------------------------------------------------------- */

static int step_deprecate(struct publish *p, struct err *e)
{
	if (p->spec.follow.deprecate) {
		int r = ec2_deprecate(p->cloud, NULL, p->image_id, p->spec.follow.deprecate,
		                      p->deadline, e);
		if (r < 0)
			return r;
	}
	return note(p, "done", "deprecate", NULL, NULL, e);
}

static int step_share(struct publish *p, struct err *e)
{
	for (size_t i = 0; i < p->spec.follow.accounts->n; i++) {
		const char *account = p->spec.follow.accounts->items[i];
		int r = ec2_share_image(p->cloud, NULL, p->image_id, account, p->deadline, e);

		if (r < 0)
			return r;
		r = ec2_share_snapshot(p->cloud, NULL, p->snapshot_id, account, p->deadline, e);
		if (r < 0)
			return r;
	}
	return note(p, "done", "share", NULL, NULL, e);
}

static int copy_to(struct publish *p, const char *region, struct err *e)
{
	const char *step = arena_printf(p->arena, "copy-%s", region), *id;
	struct ec2_copy y = {
	        .region = region,
	        .id = p->image_id,
	        .name = p->spec.name,
	        .description = p->spec.description,
	        .encrypted = p->spec.encrypted || p->spec.kms_key,
	};

	if (journal_find(&p->journal, "done", step))
		return 0;
	int r = cloud_region(p->cloud, &y.from, p->deadline, e);
	if (r < 0)
		return r;
	y.token = ec2_copy_token(&y, p->arena);
	r = note(p, "intent", step, "token", y.token, e);
	if (r < 0)
		return r;
	r = ec2_copy(p->cloud, &y, p->arena, &id, p->deadline, e);
	if (r < 0)
		return r;
	return note(p, "done", step, "id", id, e);
}

static int step_copy(struct publish *p, struct err *e)
{
	for (size_t i = 0; i < p->spec.follow.regions->n; i++) {
		int r = copy_to(p, p->spec.follow.regions->items[i], e);
		if (r < 0)
			return r;
	}
	return note(p, "done", "copy", NULL, NULL, e);
}

/* Last, so that users of the alias find a complete image. */
static int step_alias(struct publish *p, struct err *e)
{
	if (p->spec.follow.alias) {
		int r = ssm_put_image(p->cloud, NULL, p->spec.follow.alias, p->image_id,
		                      p->deadline, e);
		if (r < 0)
			return r;
	}
	return note(p, "done", "alias", NULL, NULL, e);
}

static const struct step {
	const char *name;
	int (*run)(struct publish *p, struct err *e);
} steps[] = {
        {"start", step_start},         {"put", step_put},           {"complete", step_complete},
        {"settle", step_settle},       {"register", step_register}, {"available", step_available},
        {"deprecate", step_deprecate}, {"share", step_share},       {"copy", step_copy},
        {"alias", step_alias},
};

int publish_steps(struct publish *p, struct err *e)
{
	char marks[JOURNAL_RUN + 8];
	int r;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (!journal_find(&p->journal, "done", steps[i].name)) {
			r = steps[i].run(p, e);
			if (r < 0)
				return r;
		}
		p->snapshot_id = result(p, "start", "id");
		p->image_id = result(p, "register", "id");
	}
	r = note(p, "end", NULL, "as", "published", e);
	if (r < 0)
		return r;
	snprintf(marks, sizeof marks, "%s.put", p->journal.run);
	unlinkat(p->runs, marks, 0);
	return 0;
}
