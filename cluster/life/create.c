/* SPDX-License-Identifier: Apache-2.0 */
/* create: makes a cluster of a file, and follows it until it is there. */
#include <errno.h>

#include "aws/instances.h"
#include "change/follow.h"
#include "life/life.h"
#include "state/make.h"
#include "state/outcome.h"
#include "state/view.h"

/* ---- what may be there already ---- */

/* Of a stack's status, the first row that it begins with. */
static const struct {
	const char *begins;
	enum err_kind kind;
	const char *words; /* %s: the name */
} there[] = {
        {"CREATE_IN_PROGRESS", ERR_BUSY, "it is being made of another file"},
        {"ROLLBACK_IN_PROGRESS", ERR_BUSY, "a creation that failed is being undone: wait for it"},
        {"DELETE_IN_PROGRESS", ERR_BUSY, "it is being deleted: wait for it"},
        {"UPDATE_COMPLETE_CLEANUP", ERR_BUSY, "it is being changed"},
        {"UPDATE_IN_PROGRESS", ERR_BUSY, "it is being changed"},
        {"UPDATE_ROLLBACK_IN", ERR_BUSY, "it is being changed"},
        {"ROLLBACK_", ERR_DENIED,
         "its creation failed and was undone: `hpc-cluster events` tells why, `hpc-cluster delete` "
         "makes room for another try"},
        {"CREATE_FAILED", ERR_DENIED,
         "its creation failed: `hpc-cluster events` tells why, `hpc-cluster delete` makes room for "
         "another try"},
        {"DELETE_FAILED", ERR_DENIED, "its deletion failed: `hpc-cluster delete` goes on with it"},
        {"REVIEW_IN_PROGRESS", ERR_DENIED,
         "somebody reviews a change of it: `hpc-cluster delete` makes room"},
        {"", ERR_DENIED, "it was made of another file: `hpc-cluster update` changes it"},
};

static int refuse(const struct stacks_item *s, struct err *e)
{
	size_t i = 0;

	if (!view_is_ours(s))
		return err_set(e, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST,
		               "there is a stack '%.100s' already, which is no cluster's: expected "
		               "another name",
		               s->name);
	while (!str_starts(s->status, there[i].begins))
		i++;
	return err_set(e, there[i].kind, REASON_AWS_CONFLICT, EEXIST,
	               "there is a cluster '%.100s' already (%s): %s", s->name, s->status,
	               there[i].words);
}

/* What an earlier run began is gone on with. *ret: its stack, its id NULL where there is none. */
static int look(struct make *m, struct stacks_item *ret, struct err *e)
{
	struct stacks found;
	int r = stacks_list(m->life->cloud, m->name, m->life->program.arena, &found,
	                    m->life->program.deadline, e);

	*ret = (struct stacks_item){0};
	if (r < 0 && e->kind == ERR_ABSENT)
		return 0;
	if (r < 0)
		return r;
	const struct stacks_item *s = &found.items[0];
	bool adopted =
	        !m->life->voice && found.n == 1 && view_is_ours(s) && make_is_same(m, s) &&
	        (str_eq(s->status, "CREATE_IN_PROGRESS") || str_eq(s->status, "CREATE_COMPLETE"));
	if (!adopted)
		return refuse(s, e);
	*ret = *s;
	return 0;
}

/* ---- a dry run ---- */

/* Whether the head could be launched: what EC2 knows of type, image, subnet and key, and the rights. */
static int ask_for_head(struct make *m, struct err *e)
{
	const struct doc *head = doc_get(m->file.config, "HeadNode");
	const struct instances_launch launch = {
	        .min = 1,
	        .max = 1,
	        .image = make_value(m, "HeadImage"),
	        .type = doc_text(head, "InstanceType"),
	        .subnet = doc_text(doc_get(head, "Networking"), "SubnetId"),
	        .key = doc_text(doc_get(head, "Ssh"), "KeyName"),
	        .dry_run = true};
	struct ec2_refusal why;
	struct instances none;

	return instances_run(m->life->cloud, &launch, m->life->program.arena, &none, &why,
	                     m->life->program.deadline, e);
}

static int dry_run(struct make *m, struct err *e)
{
	bool ready = false;
	int r = ask_for_head(m, e);

	if (r < 0)
		return r;
	r = store_look(&m->store, &ready, m->life->program.deadline, e);
	if (r < 0)
		return r;
	feed_line(&m->feed, "bucket %s: it %s", m->store.bucket,
	          ready ? "is there" : "would be made");
	feed_line(&m->feed, "cluster %s: a stack of %zu resources would be made; nothing was",
	          m->name, m->stack.resources);
	if (m->feed.json) {
		struct jsonw *w = feed_begin(&m->feed, "dryrun");

		jsonw_str(w, "clusterName", m->name);
		jsonw_str(w, "region", m->region);
		jsonw_str(w, "bucket", m->store.bucket);
		jsonw_u64(w, "resources", m->stack.resources);
		feed_end(&m->feed);
	}
	return 0;
}

/* ---- making ---- */

static int ask(struct make *m, const char **ret_id, struct err *e)
{
	struct stacks_request q = make_request(m);
	struct program *p = &m->life->program;

	q.on_failure = m->life->keep_failed ? STACKS_KEEP
	               : m->life->no_wait   ? STACKS_ROLLBACK
	                                    : STACKS_DELETE;
	int r = stacks_create(m->life->cloud, &q, p->arena, ret_id, p->deadline, e);
	if (r == 0 || e->reason != REASON_AWS_CONFLICT)
		return r;
	/* Somebody was faster: with the same file it may have been another run of ours. */
	struct stacks_item s;
	r = look(m, &s, e);
	if (r < 0)
		return r;
	if (!s.id)
		return err_set(e, ERR_BUSY, REASON_AWS_CONFLICT, EEXIST,
		               "making stack '%.100s': its name was taken a moment ago, and isn't "
		               "any more: try again",
		               m->name);
	*ret_id = s.id;
	return 0;
}

static int begin(struct make *m, const char **ret_id, struct err *e)
{
	int r = make_place(m, e);

	if (r < 0)
		return r;
	r = make_upload(m, e);
	if (r < 0)
		return r;
	r = ask(m, ret_id, e);
	if (r < 0)
		return r;
	feed_line(&m->feed, "cluster %s: stack %s", m->name, *ret_id);
	return 0;
}

/* Offline first, then what only looks, then what makes something. */
static int run(struct make *m, const char **ret_id, struct err *e)
{
	struct stacks_item s;
	int r = make_open(m, NULL, e);

	if (r < 0)
		return r;
	r = look(m, &s, e);
	if (r < 0)
		return r;
	if (str_eq(s.status, "CREATE_COMPLETE"))
		return outcome_made(m->life, &m->feed, s.id, e);
	const char *id = s.id;
	r = id ? 0 : make_values(m, NULL, e);
	if (r < 0)
		return r;
	if (m->life->dryrun && !id)
		return dry_run(m, e);
	r = id ? 0 : begin(m, &id, e);
	*ret_id = id;
	if (r < 0 || m->life->no_wait || m->life->dryrun)
		return r;
	return outcome_follow(m->life, &m->feed, id, NULL, e);
}

int verb_create(void *program)
{
	struct life *l = program;
	struct make m;
	struct err e;
	const char *id = NULL;
	int r = make_read(l, &m, &e);

	r = r < 0 ? r : run(&m, &id, &e);
	feed_clear(&m.feed);
	return r < 0 ? make_fail(&m, &e) : make_done(&m, id, "CREATE_IN_PROGRESS");
}
