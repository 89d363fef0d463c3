/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what the instances of queues are launched with: image, subnets, security groups, role, key, tags. */
#include "pcluster/pcluster_model_own.h"

/* What EC2 takes as a tag's key where tags are in the metadata, and how many are left beside ours. */
#define TAG_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-=.,_:@"
#define TAGS_MAX       40

static void add_places(struct reader *x, const struct doc *list, struct model_place **places,
                       size_t *n)
{
	const struct doc *at;

	for (size_t i = 0; (at = pcluster_item(list, i)) != NULL; i++) {
		*places = arena_grow(x->arena, *places, n, sizeof **places);
		(*places)[*n - 1] = (struct model_place){at->text, at};
	}
}

/* ---- a queue ---- */

/* The queue's own, the cluster's, else the node document's. */
static struct model_place image_of(struct reader *x, const struct doc *queue)
{
	const struct doc *at = doc_find(queue, "Image.CustomAmi");

	at = at ? at : doc_find(x->in->config, "Image.CustomAmi");
	return (struct model_place){at ? at->text : x->in->node->launch.image, at ? at : queue};
}

/* SecurityGroups stand instead of those that a stack makes, AdditionalSecurityGroups beside them. */
static void read_groups(struct reader *x, const struct doc *queue, struct model_launch *l)
{
	const struct doc *own = doc_find(queue, "Networking.SecurityGroups");
	const struct doc *more = doc_find(queue, "Networking.AdditionalSecurityGroups");
	const struct field_strings *given = &x->in->node->launch.groups;

	add_places(x, own, &l->groups, &l->n_groups);
	for (size_t i = 0; !own && i < given->n; i++) {
		l->groups = arena_grow(x->arena, l->groups, &l->n_groups, sizeof *l->groups);
		l->groups[l->n_groups - 1] = (struct model_place){given->items[i], queue};
	}
	add_places(x, more, &l->groups, &l->n_groups);
}

static const char *profile_of(struct reader *x, const struct doc *queue)
{
	const struct cluster_launch *given = &x->in->node->launch;
	const char *own = doc_text(doc_get(queue, "Iam"), "InstanceProfile");
	const char *name = doc_text(queue, "Name");
	const char *by_queue = name ? doc_text(given->profiles, name) : NULL;

	if (own)
		return own;
	return by_queue ? by_queue : given->profile;
}

void reader_launch(struct reader *x, const struct doc *queue, struct model_launch *ret)
{
	const struct doc *subnets = doc_find(queue, "Networking.SubnetIds");
	const char *key = doc_text(doc_find(x->in->config, "HeadNode.Ssh"), "KeyName");

	ret->image = image_of(x, queue);
	if (!subnets)
		subnets = doc_find(x->in->config, "HeadNode.Networking.SubnetId");
	add_places(x, subnets, &ret->subnets, &ret->n_subnets);
	read_groups(x, queue, ret);
	ret->profile = profile_of(x, queue);
	ret->key = key ? key : x->in->node->launch.key;
}

/* ---- tags ---- */

/* Ours say which cluster and which node an instance is. */
static bool is_free(const char *key)
{
	return *key && key[strspn(key, TAG_CHARACTERS)] == '\0' && !str_starts(key, "hpc-node:") &&
	       !str_starts(key, "aws:");
}

static void put_tag(struct reader *x, struct model_tags *tags, const struct doc *at)
{
	const char *key = doc_text(at, "Key"), *value = doc_text(at, "Value");
	size_t i = 0;

	while (i < tags->n && !str_eq(tags->items[i].key, key))
		i++;
	if (!is_free(key) || i == TAGS_MAX) {
		cluster_note(x->in->notes, at,
		             "Tags: '%s' is not on instances that hpc-fleet launches: %s", key,
		             i == TAGS_MAX
		                     ? "there are too many"
		                     : "it takes letters, digits and +-=.,_:@, as their metadata "
		                       "shows tags, and neither hpc-node: nor aws:");
		return;
	}
	if (i == tags->n)
		tags->items = arena_grow(x->arena, tags->items, &tags->n, sizeof *tags->items);
	tags->items[i] = (struct model_setting){.key = key, .value = value, .at = at};
}

void reader_tags(struct reader *x, const struct doc *queue, const struct doc *resource,
                 struct model_tags *ret)
{
	const struct doc *const lists[] = {doc_get(x->in->config, "Tags"), doc_get(queue, "Tags"),
	                                   doc_get(resource, "Tags")};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; lists[i] && k < lists[i]->n; k++)
			put_tag(x, ret, lists[i]->items[k]);
}
