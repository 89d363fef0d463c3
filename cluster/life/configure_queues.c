/* SPDX-License-Identifier: Apache-2.0 */
/* configure: the queues and their compute resources. */
#include <stdio.h>

#include "life/configure_own.h"

#define QUEUES_MAX    50 /* ParallelCluster's */
#define RESOURCES_MAX 50
#define NODES_MAX     100000
#define NAME_MAX_LEN  25

_Static_assert(QUEUES_MAX *RESOURCES_MAX <= CONFIGURE_TYPES_MAX, "all types have a place");

/* ---- what was there before ---- */

static struct doc *item(const struct doc *list, size_t i)
{
	return list && list->type == DOC_LIST && i < list->n && list->items[i]->type == DOC_MAP
	               ? list->items[i]
	               : NULL;
}

static uint64_t old_number(const struct doc *map, const char *key, uint64_t fallback)
{
	const char *text = doc_text(map, key);
	uint64_t n;

	return text && str_u64(text, 0, UINT32_MAX, &n) == 0 ? n : fallback;
}

static void put_number(struct configure *c, struct doc *map, const char *key, uint64_t n)
{
	configure_put_plain(c, map, key, arena_printf(c->arena, "%llu", (unsigned long long)n));
}

/* ---- names ---- */

struct naming {
	const struct doc *queues; /* those before it */
	size_t n;
};

static const char *is_queue_name(void *ctx, const char *answer)
{
	const struct naming *x = ctx;
	size_t n = strspn(answer, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (!n || answer[n] || n > NAME_MAX_LEN || *answer < 'a' || str_eq(answer, "default"))
		return "expected at most 25 small letters, digits and -, a letter first";
	for (size_t i = 0; i < x->n; i++)
		if (str_eq(doc_text(x->queues->items[i], "Name"), answer))
			return "another queue has that name";
	return NULL;
}

static const char *stripped(struct configure *c, const char *type)
{
	struct strbuf out = STRBUF(c->arena, strlen(type) + 1);

	for (; *type; type++)
		if (*type != '.' && *type != '-')
			strbuf_char(&out, *type);
	return out.data;
}

struct choosing {
	struct configure *c;
	const struct doc *resources; /* those before it */
};

static const char *type_of(const struct doc *resource)
{
	const struct doc *first = item(doc_get(resource, "Instances"), 0);
	const char *type = doc_text(first, "InstanceType");

	return type ? type : doc_text(resource, "InstanceType");
}

static const char *is_another_type(void *ctx, const char *answer)
{
	struct choosing *x = ctx;

	for (size_t i = 0; i < x->resources->n; i++)
		if (str_eq(type_of(x->resources->items[i]), answer))
			return "another compute resource of the queue has it";
	return configure_type(x->c, answer);
}

static void put_type(struct configure *c, struct doc *resource, const char *type)
{
	struct doc *list = doc_new_list(c->arena, NULL), *one = doc_new_map(c->arena, NULL);

	if (str_eq(type_of(resource), type))
		return;
	configure_put(c, resource, "Name", stripped(c, type));
	if (doc_get(resource, "InstanceType")) { /* of files before 3.3; both exclude each other */
		configure_put(c, resource, "InstanceType", type);
		return;
	}
	configure_put(c, one, "InstanceType", type);
	doc_push(c->arena, list, one);
	doc_put(c->arena, resource, "Instances", list);
}

static int ask_efa(struct configure *c, const char *type, struct doc *resource, bool *ret,
                   struct err *e)
{
	const struct instance_type *known = instance_find(&c->types, type);
	bool on = !doc_get(resource, "Efa") ||
	          str_eq(doc_text(doc_get(resource, "Efa"), "Enabled"), "true");

	if (!known || !known->efa_interfaces)
		return 0;
	puts("The EC2 instance selected supports Elastic Fabric Adapter (EFA), for communication "
	     "between nodes at scale.");
	int r = ask_yes(&c->ask, arena_printf(c->arena, "Enable EFA on %s (y/n)", type), on, &on,
	                e);
	if (r < 0)
		return r;
	configure_put_plain(c, configure_map(c, resource, "Efa"), "Enabled", on ? "true" : "false");
	*ret |= on;
	return 0;
}

static int ask_resource(struct configure *c, const char *queue, size_t number, struct doc *old,
                        struct doc *resources, bool *ret_efa, struct err *e)
{
	struct choosing x = {c, resources};
	struct doc *resource = old ? old : doc_new_map(c->arena, NULL);
	const char *before = type_of(resource), *type;
	const struct ask_question q = {
	        .text = arena_printf(c->arena,
	                             "Compute instance type for compute resource %zu in %s", number,
	                             queue),
	        .fallback = before ? before : CONFIGURE_TYPE,
	        .valid = is_another_type,
	        .ctx = &x};
	uint64_t most;
	int r = ask(&c->ask, &q, &type, e);

	if (r < 0)
		return r;
	put_type(c, resource, type);
	r = ask_efa(c, type, resource, ret_efa, e);
	if (r < 0)
		return r;
	r = ask_number(&c->ask, "Maximum instance count", old_number(resource, "MaxCount", 10), 1,
	               NODES_MAX, &most, e);
	if (r < 0)
		return r;
	put_number(c, resource, "MinCount", old_number(resource, "MinCount", 0));
	put_number(c, resource, "MaxCount", most);
	if (old_number(resource, "MinCount", 0) > most)
		put_number(c, resource, "MinCount", most);
	c->compute_types[c->n_types++] = type;
	doc_push(c->arena, resources, resource);
	return 0;
}

static int ask_group(struct configure *c, struct doc *queue, struct err *e)
{
	struct doc *group =
	        configure_map(c, configure_map(c, queue, "Networking"), "PlacementGroup");
	const char *old = doc_text(group, "Name"), *name;
	const struct ask_question q = {.text = "Placement Group name", .fallback = old ? old : ""};

	puts("EFA wants instances in a placement group. Name one that is there, or leave it blank "
	     "for one of the queue's own.");
	int r = ask(&c->ask, &q, &name, e);
	if (r < 0)
		return r;
	if (*name) {
		configure_put(c, group, "Name", name);
		return 0;
	}
	configure_put_plain(c, group, "Enabled", "true");
	return 0;
}

static int ask_queue(struct configure *c, size_t i, struct doc *old, struct doc *queues,
                     struct err *e)
{
	struct naming naming = {queues, queues->n};
	struct doc *queue = old ? old : doc_new_map(c->arena, NULL);
	const struct doc *before = doc_get(queue, "ComputeResources");
	struct doc *resources = doc_new_list(c->arena, NULL);
	const char *was = doc_text(queue, "Name"), *name;
	const struct ask_question q = {.text = arena_printf(c->arena, "Name of queue %zu", i + 1),
	                               .fallback = was ? was
	                                               : arena_printf(c->arena, "queue%zu", i + 1),
	                               .valid = is_queue_name,
	                               .ctx = &naming};
	bool efa = false;
	uint64_t n;
	int r = ask(&c->ask, &q, &name, e);

	if (r < 0)
		return r;
	configure_put(c, queue, "Name", name);
	r = ask_number(&c->ask, arena_printf(c->arena, "Number of compute resources for %s", name),
	               item(before, 0) ? before->n : 1, 1, RESOURCES_MAX, &n, e);
	if (r < 0)
		return r;
	for (size_t k = 0; k < n; k++) {
		r = ask_resource(c, name, k + 1, item(before, k), resources, &efa, e);
		if (r < 0)
			return r;
	}
	doc_put(c->arena, queue, "ComputeResources", resources);
	doc_push(c->arena, queues, queue);
	return efa ? ask_group(c, queue, e) : 0;
}

int configure_queues(struct configure *c, struct doc *queues, struct err *e)
{
	const struct doc *before = doc_find(c->config, "Scheduling.SlurmQueues");
	uint64_t n;
	int r = ask_number(&c->ask, "Number of queues", item(before, 0) ? before->n : 1, 1,
	                   QUEUES_MAX, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = ask_queue(c, i, item(before, i), queues, e);
		if (r < 0)
			return r;
	}
	return 0;
}
