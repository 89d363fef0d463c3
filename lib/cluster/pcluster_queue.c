/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the queue and compute resource of a ParallelCluster file that a node belongs to. */
#include "cluster/pcluster_own.h"

/* "<queue>-st-" or "<queue>-dy-" at the start of the node's name; queue names
 * may contain dashes. */
static bool name_in_queue(const char *node, const char *queue)
{
	size_t n = strlen(queue);

	return strncmp(node, queue, n) == 0 &&
	       (str_starts(node + n, "-st-") || str_starts(node + n, "-dy-"));
}

static const struct doc *by_name(const struct doc *list, const char *name)
{
	for (size_t i = 0; list && i < list->n; i++)
		if (str_eq(doc_text(list->items[i], "Name"), name))
			return list->items[i];
	return NULL;
}

/* "-st-<compute resource>-<n>" behind the queue's name, where <n> are digits. */
static bool name_in_resource(const char *rest, const char *resource)
{
	size_t n = strlen(resource);

	rest += strlen("-st-");
	if (strncmp(rest, resource, n) != 0 || rest[n] != '-')
		return false;
	rest += n + 1;
	return *rest && rest[strspn(rest, "0123456789")] == '\0';
}

static const struct doc *resource_of_node(const struct doc *queue, const char *node)
{
	const struct doc *list = doc_get(queue, "ComputeResources");
	const char *rest = node + strlen(doc_text(queue, "Name"));

	for (size_t i = 0; list && i < list->n; i++) {
		const char *resource = doc_text(list->items[i], "Name");

		if (resource && name_in_resource(rest, resource))
			return list->items[i];
	}
	return NULL;
}

/* With queues `a` and `a-st-b`, a node `a-st-b-dy-c-1` matches both: the one that has such a resource
 * is meant, else, or if both have, the longest name. */
static const struct doc *queue_of_node(const struct doc *queues, const char *node)
{
	const struct doc *best = NULL;
	size_t longest = 0;
	bool found = false; /* with the resource */

	for (size_t i = 0; queues && i < queues->n; i++) {
		const char *name = doc_text(queues->items[i], "Name");

		if (!name || !name_in_queue(node, name))
			continue;
		bool has = resource_of_node(queues->items[i], node);
		if (has < found || (has == found && strlen(name) <= longest))
			continue;
		best = queues->items[i];
		longest = strlen(name);
		found = has;
	}
	return best;
}

const struct doc *pcluster_queue(const struct pcluster_input *in)
{
	const struct doc *queues = doc_find(in->config, "Scheduling.SlurmQueues");
	const char *tag = vars_get(in->facts, "tag.parallelcluster:queue-name");
	const struct doc *tagged = tag ? by_name(queues, tag) : NULL;

	if (tagged || !in->node->node)
		return tagged;
	return queue_of_node(queues, in->node->node);
}

const struct doc *pcluster_resource(const struct pcluster_input *in, const struct doc *queue)
{
	const struct doc *list = doc_get(queue, "ComputeResources");
	const char *tag = vars_get(in->facts, "tag.parallelcluster:compute-resource-name");
	const char *name = doc_text(queue, "Name");
	const struct doc *tagged = tag ? by_name(list, tag) : NULL;

	if (tagged || !in->node->node || !name_in_queue(in->node->node, name))
		return tagged;
	return resource_of_node(queue, in->node->node);
}
