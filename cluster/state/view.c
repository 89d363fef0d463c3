/* SPDX-License-Identifier: Apache-2.0 */
/* Looks a cluster up: its stack and its head. */
#include "state/view.h"

#include <errno.h>
#include <stdio.h>

#include "stack/stack.h"

int view_open(struct life *l, struct err *e)
{
	return program_cloud(&l->program, l->region, VIEW_LOOK_MS, &l->cloud, e);
}

const char *view_version(const struct life *l)
{
	return l->voice ? l->voice->version : HPC_VERSION;
}

int view_print(struct life *l, const char *json)
{
	if (l->voice)
		return l->voice->print(l, json);
	puts(json);
	return 0;
}

const char *view_time(const char *at, struct arena *a)
{
	size_t len = strlen(at);

	if (!len || at[len - 1] != 'Z' || strchr(at, '.'))
		return at;
	return arena_printf(a, "%.*s.000Z", (int)(len - 1), at);
}

bool view_is_ours(const struct stacks_item *s)
{
	return str_starts(s->description, STACK_MARK);
}

/* ---- ParallelCluster's words ---- */

/* Of what CloudFormation says: the first row that it begins with. */
static const struct {
	const char *begins, *status;
} statuses[] = {
        {"ROLLBACK_", "CREATE_FAILED"},
        {"UPDATE_ROLLBACK_COMPLETE_", "UPDATE_IN_PROGRESS"},
        {"UPDATE_ROLLBACK_IN", "UPDATE_IN_PROGRESS"},
        {"UPDATE_ROLLBACK_", "UPDATE_FAILED"},
        {"UPDATE_COMPLETE_CLEANUP", "UPDATE_IN_PROGRESS"},
};

const char *view_status(const struct stacks_item *s)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (str_starts(s->status, statuses[i].begins))
			return statuses[i].status;
	return s->status;
}

const char *view_region(const struct stacks_item *s, struct arena *a)
{
	char *arn = arena_strdup(a, s->id), *save = NULL, *part = strtok_r(arn, ":", &save);

	for (int i = 0; i < 3 && part; i++)
		part = strtok_r(NULL, ":", &save);
	return part ? part : "";
}

static int not_ours(const struct stacks_item *s, struct err *e)
{
	return err_set(e, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST,
	               "stack '%.100s' is no cluster's: expected one that `hpc-cluster template` "
	               "made",
	               s->name);
}

/* A head that is gone leaves the cluster to be described without it. */
static int look_at_head(struct life *l, struct view *v, struct err *e)
{
	const char *id = stacks_output(&v->stack, "Head");
	const struct instances_query q = {.ids = &id, .n_ids = 1, .ended = true};
	struct ec2_refusal why;
	struct instances found;

	if (!id)
		return 0;
	int r = instances_list(l->cloud, &q, l->program.arena, &found, &why, l->program.deadline,
	                       e);
	if (r < 0 && e->kind == ERR_ABSENT)
		return 0;
	if (r == 0 && found.n)
		v->head = found.items[0];
	return r;
}

int view_stack(struct life *l, const char *name, struct stacks_item *ret, struct err *e)
{
	struct stacks stacks;
	int r = view_open(l, e);

	if (r < 0)
		return r;
	r = stacks_list(l->cloud, name, l->program.arena, &stacks, l->program.deadline, e);
	if (r < 0)
		return r;
	if (stacks.n != 1)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "looking at stack '%.100s': CloudFormation tells of %zu", name,
		               stacks.n);
	if (!view_is_ours(&stacks.items[0]))
		return not_ours(&stacks.items[0], e);
	*ret = stacks.items[0];
	return 0;
}

int view_cluster(struct life *l, const char *name, struct view *ret, struct err *e)
{
	struct view v = {0};
	int r = view_stack(l, name, &v.stack, e);

	if (r < 0)
		return r;
	r = look_at_head(l, &v, e);
	if (r < 0)
		return r;
	*ret = v;
	return 0;
}

void view_scheduler(struct jsonw *w)
{
	jsonw_begin(w, "scheduler", '{');
	jsonw_str(w, "type", "slurm");
	jsonw_end(w, '}');
}

void view_summary(struct life *l, struct jsonw *w, const struct stacks_item *s)
{
	jsonw_str(w, "clusterName", s->name);
	jsonw_str(w, "cloudformationStackStatus", s->status);
	jsonw_str(w, "cloudformationStackArn", s->id);
	jsonw_str(w, "region", view_region(s, l->program.arena));
	jsonw_str(w, "version", view_version(l));
	jsonw_str(w, "clusterStatus", view_status(s));
	view_scheduler(w);
}

/* ---- an instance ---- */

static void put(struct jsonw *w, const char *key, const char *value)
{
	if (*value)
		jsonw_str(w, key, value);
}

void view_instance(struct jsonw *w, const struct instances_item *i)
{
	put(w, "launchTime", i->launched);
	jsonw_str(w, "instanceId", i->id);
	put(w, "publicIpAddress", i->public_address);
	jsonw_str(w, "instanceType", i->type);
	jsonw_str(w, "state", i->state);
	put(w, "privateIpAddress", i->address);
}
