/* SPDX-License-Identifier: Apache-2.0 */
/* Shows what an update changes, and refuses what would lose something. */
#include <errno.h>

#include "aws/fetch.h"
#include "change/differ.h"
#include "change/sweep.h"
#include "life/update.h"
#include "model/fleet.h"

/* ---- the file ---- */

/* The one that the stack was made of; *ret NULL: it isn't there any more. */
static int old_config(struct make *m, const struct stacks_item *s, struct doc **ret, struct err *e)
{
	struct program *p = &m->life->program;
	const char *key = stacks_parameter(s, "Configuration");
	const struct fetch f = {.uri = arena_printf(p->arena, "s3://%s/%s/%s", m->store.bucket,
	                                            m->name, key ? key : "cluster-config.yaml"),
	                        .max = PLAN_FILE_MAX};
	struct blob text;
	int r = fetch_memory(m->life->cloud, &f, p->arena, &text, p->deadline, e);

	*ret = NULL;
	if (r < 0 && e->kind == ERR_ABSENT) {
		feed_line(&m->feed, "%s isn't there: what differs isn't known", f.uri);
		return 0;
	}
	return r < 0 ? r : cluster_read(f.uri, text, p->arena, ret, e);
}

static void tell(struct make *m, const struct differences *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct difference *d = &all->items[i];

		feed_line(&m->feed, "%s: %.200s -> %.200s (%s)", d->path,
		          d->before ? d->before : "not there", d->after ? d->after : "gone",
		          d->effect);
		if (!m->feed.json)
			continue;
		struct jsonw *w = feed_begin(&m->feed, "change");

		jsonw_str(w, "parameter", d->path);
		jsonw_str(w, "currentValue", d->before);
		jsonw_str(w, "requestedValue", d->after);
		jsonw_str(w, "effect", d->effect);
		feed_end(&m->feed);
	}
}

static size_t count(const struct instances *all, const char *queue)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += str_eq(instances_tag(&all->items[i], "hpc-node:" FLEET_TAG_QUEUE), queue);
	return n;
}

/* What runs on the nodes of a queue that goes would be lost. */
static int check_queues(struct make *m, const struct doc *old, struct err *e)
{
	struct program *p = &m->life->program;
	const struct sweep sweep = {
	        .cloud = m->life->cloud, .cluster = m->name, .deadline = p->deadline};
	const char *const *gone;
	struct instances left;
	size_t n;

	differ_queues(old, m->file.config, p->arena, &gone, &n);
	if (!n)
		return 0;
	int r = sweep_left(&sweep, p->arena, &left, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (!count(&left, gone[i]))
			continue;
		m->refused = arena_printf(p->arena, "Scheduling.SlurmQueues[%s]", gone[i]);
		return err_set(e, ERR_DENIED, REASON_AWS_STATE, EBUSY,
		               "refused: queue '%.60s' would go and has %zu instances: "
		               "expected none: `scontrol update PartitionName=%.60s "
		               "State=DRAIN` on the head, and wait",
		               gone[i], count(&left, gone[i]), gone[i]);
	}
	return 0;
}

int update_tell_config(struct make *m, const struct stacks_item *s, struct err *e)
{
	struct arena *a = m->life->program.arena;
	struct differences *all = arena_alloc(a, sizeof *all);
	struct doc *old;
	int r = old_config(m, s, &old, e);

	if (r < 0 || !old)
		return r;
	differ(old, m->file.config, a, all);
	m->differences = all;
	tell(m, all);
	return m->life->force ? 0 : check_queues(m, old, e);
}

/* ---- the stack ---- */

static bool is_replaced(const struct stacks_step *s)
{
	return str_eq(s->action, "Modify") && str_eq(s->replacement, "True");
}

static bool is_head(const struct stacks_step *s)
{
	return str_eq(s->type, "AWS::EC2::Instance");
}

/* Things with something in them: another one in their place would be empty. */
static bool holds_data(const struct stacks_step *s)
{
	return str_eq(s->type, "AWS::EC2::Volume") || str_eq(s->type, "AWS::EFS::FileSystem") ||
	       str_eq(s->type, "AWS::FSx::FileSystem");
}

static const char *words_of(const struct stacks_step *s)
{
	if (str_eq(s->action, "Add"))
		return "is made";
	if (str_eq(s->action, "Remove"))
		return holds_data(s) ? "IS REMOVED, with what is in it unless its DeletionPolicy "
		                       "keeps that"
		                     : "is removed";
	if (is_replaced(s))
		return "is replaced by another one";
	return is_head(s) ? "is changed: stopped and started again" : "is changed";
}

void update_tell_steps(struct make *m, const struct stacks_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct stacks_step *s = &plan->steps[i];

		/* CloudFormation lists what refers to the head, too, as if that might be another. */
		if (str_eq(s->replacement, "Conditional") && !is_head(s))
			continue;
		feed_line(&m->feed, "%s %s (%s) %s", s->type, s->logical,
		          *s->physical ? s->physical : "new", words_of(s));
		if (!m->feed.json)
			continue;
		struct jsonw *w = feed_begin(&m->feed, "step");

		jsonw_str(w, "logicalResourceId", s->logical);
		jsonw_str(w, "resourceType", s->type);
		jsonw_str(w, "action", s->action);
		jsonw_str(w, "replacement", s->replacement);
		feed_end(&m->feed);
	}
}

int update_refuse(struct make *m, const struct stacks_plan *plan, struct err *e)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct stacks_step *s = &plan->steps[i];

		if (!is_replaced(s))
			continue;
		if (is_head(s) || holds_data(s))
			m->refused = is_head(s) ? "HeadNode" : "SharedStorage";
		if (is_head(s))
			return err_set(e, ERR_DENIED, REASON_AWS_STATE, EPERM,
			               "refused: the head would be another one, whom its volumes "
			               "can't follow: its image, subnet, key pair and root volume "
			               "have to stay");
		if (holds_data(s))
			return err_set(e, ERR_DENIED, REASON_AWS_STATE, EPERM,
			               "refused: %.80s would be another one, which is empty",
			               s->logical);
	}
	return 0;
}
