/* SPDX-License-Identifier: Apache-2.0 */
/* instances: the head, and what the fleet launched. */
#include <stdio.h>

#include "life/life.h"
#include "model/fleet.h"
#include "state/view.h"

#define TAG "hpc-node:"

/* ---- which they are ---- */

enum role { ROLE_HEAD, ROLE_COMPUTE, ROLE_LOGIN, ROLES };

static const struct {
	const char *name, *type; /* ours, and ParallelCluster's nodeType */
} roles[ROLES] = {
        [ROLE_HEAD] = {"head", "HeadNode"},
        [ROLE_COMPUTE] = {"compute", "ComputeNode"},
        [ROLE_LOGIN] = {"login", "LoginNode"},
};

static enum role role_of(const struct view *v, const struct instances_item *i)
{
	if (v->head.id && str_eq(i->id, v->head.id))
		return ROLE_HEAD;
	return instances_tag(i, TAG "pool") ? ROLE_LOGIN : ROLE_COMPUTE;
}

static bool is_wanted(const struct life *l, const struct view *v, const struct instances_item *i)
{
	const char *queue = instances_tag(i, TAG FLEET_TAG_QUEUE);

	if (l->role && !str_eq(l->role, roles[role_of(v, i)].name))
		return false;
	return !l->queue || str_eq(queue, l->queue);
}

/* The head first. EC2 tells of it by its id, of the others by the tag that each launch gives them. */
static int find(struct life *l, struct view *v, struct instances *ret, struct err *e)
{
	const struct instances_query q = {.tag = TAG "cluster",
	                                  .value = l->program.line.operands[0]};
	struct arena *a = l->program.arena;
	struct instances got, all = {0};
	struct ec2_refusal why;
	int r = view_cluster(l, l->program.line.operands[0], v, e);

	if (r < 0)
		return r;
	r = instances_list(l->cloud, &q, a, &got, &why, l->program.deadline, e);
	if (r < 0)
		return r;
	all.items = arena_array(a, got.n + 1, sizeof *all.items);
	if (v->head.id && is_wanted(l, v, &v->head))
		all.items[all.n++] = v->head;
	for (size_t i = 0; i < got.n; i++)
		if (role_of(v, &got.items[i]) != ROLE_HEAD && is_wanted(l, v, &got.items[i]))
			all.items[all.n++] = got.items[i];
	*ret = all;
	return 0;
}

/* ---- how they are shown ---- */

static void tag(struct jsonw *w, const char *key, const struct instances_item *i, const char *name)
{
	const char *value = instances_tag(i, name);

	if (value)
		jsonw_str(w, key, value);
}

static int print_json(struct life *l, const struct view *v, const struct instances *all)
{
	struct strbuf out = STRBUF(l->program.arena, VIEW_OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_begin(&w, "instances", '[');
	for (size_t i = 0; i < all->n; i++) {
		const struct instances_item *at = &all->items[i];

		jsonw_begin(&w, NULL, '{');
		view_instance(&w, at);
		jsonw_str(&w, "nodeType", roles[role_of(v, at)].type);
		tag(&w, "queueName", at, TAG FLEET_TAG_QUEUE);
		tag(&w, "poolName", at, TAG "pool");
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	return view_print(l, out.data);
}

/* What a launch named together is one tag: the name at the instance's number isn't told apart here. */
static void print_text(const struct view *v, const struct instances *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct instances_item *at = &all->items[i];
		const char *queue = instances_tag(at, TAG FLEET_TAG_QUEUE);

		printf("%-20s %-8s %-12s %-13s %-15s %s\n", at->id, roles[role_of(v, at)].name,
		       at->type, at->state, *at->address ? at->address : "-", queue ? queue : "-");
	}
}

int verb_instances(void *program)
{
	struct life *l = program;
	struct instances all;
	struct view v = {0};
	struct err e;

	if (find(l, &v, &all, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json)
		return print_json(l, &v, &all);
	print_text(&v, &all);
	return 0;
}
