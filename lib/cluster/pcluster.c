/* SPDX-License-Identifier: Apache-2.0 */
/* A ParallelCluster file to sections: the node's queue, its scripts, munge and Slurm. */
#include "cluster/pcluster.h"

#include <errno.h>

/* ---- which queue ---- */

/* "<queue>-st-" or "<queue>-dy-" at the start of the node's name; queue names may hold dashes. */
static bool name_in_queue(const char *node, const char *queue)
{
	size_t n = strlen(queue);

	return strncmp(node, queue, n) == 0 &&
	       (str_starts(node + n, "-st-") || str_starts(node + n, "-dy-"));
}

static const struct doc *queue_by_name(const struct doc *queues, const char *name)
{
	for (size_t i = 0; queues && i < queues->n; i++)
		if (str_eq(doc_text(queues->items[i], "Name"), name))
			return queues->items[i];
	return NULL;
}

/* Of queues `a` and `a-st-b`, a node `a-st-b-dy-c-1` fits both: the longest name is the one meant. */
static const struct doc *queue_of_node(const struct doc *queues, const char *node)
{
	const struct doc *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; queues && i < queues->n; i++) {
		const char *name = doc_text(queues->items[i], "Name");

		if (!name || strlen(name) <= longest || !name_in_queue(node, name))
			continue;
		best = queues->items[i];
		longest = strlen(name);
	}
	return best;
}

const struct doc *pcluster_queue(const struct doc *config, const struct cluster_node *node,
                                 const struct vars *facts)
{
	const struct doc *queues = doc_find(config, "Scheduling.SlurmQueues");
	const char *tag = vars_get(facts, "tag.parallelcluster:queue-name");
	const struct doc *tagged = tag ? queue_by_name(queues, tag) : NULL;

	if (tagged || !node->node)
		return tagged;
	return queue_of_node(queues, node->node);
}

/* ---- custom actions ---- */

static int add_script(const struct doc *action, const char *stage, const char *event, size_t number,
                      struct arena *a, struct doc *scripts, struct err *e)
{
	const struct doc *script = doc_get(action, "Script");
	struct doc *args = doc_get(action, "Args");
	struct doc *entry = doc_new_map(a, script);

	if (!script)
		return doc_err(action, e, REASON_INPUT_REQUIRED,
		               "%s: expected 'Script' or 'Sequence'", event);
	/* ParallelCluster runs a sequence in its order; the id carries the number that `after`
	 * uses. */
	doc_put_text(a, entry, "id", arena_printf(a, "%s-%zu", event, number));
	doc_put_text(a, entry, "stage", stage);
	doc_put(a, entry, "source", doc_new_text(a, script, script->text));
	if (args && args->type != DOC_NULL)
		doc_put(a, entry, "args", args);
	if (number > 1)
		doc_put_text(a, entry, "after", arena_printf(a, "%s-%zu", event, number - 1));
	doc_push(a, scripts, entry);
	return 0;
}

static int add_action(const struct doc *actions, const char *key, const char *event,
                      const char *stage, struct arena *a, struct doc *scripts, struct err *e)
{
	const struct doc *action = doc_get(actions, key);

	if (!action || action->type == DOC_NULL)
		return 0;
	const struct doc *sequence = doc_get(action, "Sequence");
	if (!sequence)
		return add_script(action, stage, event, 1, a, scripts, e);
	if (doc_get(action, "Script"))
		return doc_err(sequence, e, REASON_INPUT_DUPLICATE,
		               "%s: 'Script' and 'Sequence' exclude each other", key);
	int r = 0;
	for (size_t i = 0; r >= 0 && i < sequence->n; i++)
		r = add_script(sequence->items[i], stage, event, i + 1, a, scripts, e);
	return r;
}

/* The first queue that has custom actions: then it matters which queue this node is in. */
static const struct doc *queue_with_actions(const struct doc *config)
{
	const struct doc *queues = doc_find(config, "Scheduling.SlurmQueues");

	for (size_t i = 0; queues && i < queues->n; i++)
		if (doc_get(queues->items[i], "CustomActions"))
			return queues->items[i];
	return NULL;
}

static int add_scripts(const struct doc *config, const struct cluster_node *node,
                       const struct vars *facts, struct arena *a, struct doc *spec, struct err *e)
{
	const struct doc *queue = pcluster_queue(config, node, facts);
	const struct doc *undecided = queue ? NULL : queue_with_actions(config);

	if (undecided)
		return doc_err(
		        undecided, e, REASON_INPUT_REQUIRED,
		        "queue '%s' has CustomActions, and node '%s' does not tell its queue: "
		        "expected a name like '%s-dy-RESOURCE-1' or the instance tag "
		        "parallelcluster:queue-name",
		        doc_text(undecided, "Name"), node->node ? node->node : "",
		        doc_text(undecided, "Name"));
	const struct doc *actions = queue ? doc_get(queue, "CustomActions") : NULL;
	if (!actions || actions->type == DOC_NULL)
		return 0;
	struct doc *scripts = doc_new_list(a, actions);
	int r = add_action(actions, "OnNodeStart", "on-node-start", "start", a, scripts, e);
	if (r >= 0)
		r = add_action(actions, "OnNodeConfigured", "on-node-configured", "configured", a,
		               scripts, e);
	if (r >= 0 && scripts->n)
		doc_put(a, spec, "scripts", scripts);
	return r;
}

/* ---- munge and Slurm ---- */

static void add_munge(const struct doc *config, const struct cluster_node *node, struct arena *a,
                      struct doc *spec)
{
	const struct doc *settings = doc_find(config, "Scheduling.SlurmSettings");
	struct doc *arn = settings ? doc_get(settings, "MungeKeySecretArn") : NULL;
	struct doc *munge = doc_new_map(a, arn ? arn : config);

	/* The node document's key wins; cluster_spec() fills it in, or its default. */
	if (arn && arn->type == DOC_SCALAR && !node->munge_key)
		doc_put(a, munge, "key", arn);
	doc_put(a, spec, "munge", munge);
}

static void add_slurm(const struct vars *facts, struct arena *a, struct doc *spec)
{
	const char *prefix = vars_get(facts, "slurm-prefix");
	struct doc *slurm = doc_new_map(a, spec);

	if (!prefix)
		doc_put_text(a, slurm, "prefix", "/opt/slurm"); /* the head's, mounted */
	else if (!str_eq(prefix, "/usr"))
		doc_put_text(a, slurm, "prefix", prefix);
	doc_put(a, spec, "slurm", slurm);
}

int pcluster_spec(const struct doc *config, const struct cluster_node *node,
                  const struct vars *facts, struct arena *a, struct doc *spec, struct err *e)
{
	const struct doc *scheduler = doc_find(config, "Scheduling.Scheduler");

	if (!str_eq(scheduler->text, "slurm"))
		return doc_err(scheduler, e, REASON_INPUT_UNSUPPORTED,
		               "scheduler '%s' has no nodes of its own to set up: expected slurm",
		               scheduler->text);
	if (node->role != CLUSTER_COMPUTE)
		return doc_err(
		        config, e, REASON_INPUT_UNSUPPORTED,
		        "a ParallelCluster file describes compute nodes to this version, not "
		        "role '%s': write its sections under roles.%s of our own format",
		        cluster_role_name(node->role), cluster_role_name(node->role));
	struct doc *mounts = doc_new_list(a, config);
	int r = pcluster_mounts(config, node, facts, a, mounts, e);
	if (r < 0)
		return r;
	if (mounts->n)
		doc_put(a, spec, "mounts", mounts);
	add_munge(config, node, a, spec);
	add_slurm(facts, a, spec);
	return add_scripts(config, node, facts, a, spec, e);
}
