/* SPDX-License-Identifier: Apache-2.0 */
/* Translates a ParallelCluster file to sections: scripts, munge and Slurm. */
#include "cluster/pcluster.h"

#include <errno.h>

#include "cluster/pcluster_own.h"

/* ---- custom actions ---- */

/* What the custom actions of a queue or the head are translated to. */
struct actions {
	struct arena *arena;
	struct doc *env;        /* for each script, or NULL */
	const char *configured; /* the step that OnNodeConfigured comes after, or NULL */
	bool without_home;      /* OnNodeStart does not wait for /home */
	struct doc *scripts;
};

static int add_script(struct actions *x, const struct doc *action, const char *stage,
                      const char *event, size_t number, struct err *e)
{
	struct arena *a = x->arena;
	const struct doc *script = doc_get(action, "Script");
	struct doc *args = doc_get(action, "Args");
	struct doc *entry = doc_new_map(a, script);

	if (!script)
		return doc_err(action, e, REASON_INPUT_REQUIRED,
		               "%s: expected 'Script' or 'Sequence'", event);
	/* ParallelCluster runs a sequence in order; the id contains the number,
	 * which `after` uses. */
	doc_put_text(a, entry, "id", arena_printf(a, "%s-%zu", event, number));
	doc_put_text(a, entry, "stage", stage);
	doc_put(a, entry, "source", doc_new_text(a, script, script->text));
	if (args)
		doc_put(a, entry, "args", args);
	if (x->without_home && str_eq(stage, "start"))
		doc_put_text(a, entry, "without-home", "true");
	if (x->env)
		doc_put(a, entry, "env", x->env);
	if (number > 1)
		doc_put_text(a, entry, "after", arena_printf(a, "%s-%zu", event, number - 1));
	else if (x->configured && str_eq(stage, "configured"))
		doc_put_text(a, entry, "after", x->configured);
	doc_push(a, x->scripts, entry);
	return 0;
}

static int add_action(struct actions *x, const struct doc *action, const char *event,
                      const char *stage, struct err *e)
{
	const struct doc *sequence = doc_get(action, "Sequence");

	if (!action)
		return 0;
	if (!sequence)
		return add_script(x, action, stage, event, 1, e);
	if (doc_get(action, "Script"))
		return doc_err(sequence, e, REASON_INPUT_DUPLICATE,
		               "%s: 'Script' and 'Sequence' exclude each other", event);
	for (size_t i = 0; i < sequence->n; i++) {
		int r = add_script(x, sequence->items[i], stage, event, i + 1, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The first queue that has custom actions: then it matters which queue this node belongs to. */
static const struct doc *queue_with_actions(const struct doc *config)
{
	const struct doc *queues = doc_find(config, "Scheduling.SlurmQueues");

	for (size_t i = 0; queues && i < queues->n; i++)
		if (doc_get(queues->items[i], "CustomActions"))
			return queues->items[i];
	return NULL;
}

static int queue_unknown(const struct pcluster_input *in, const struct doc *queue, struct err *e)
{
	const char *name = doc_text(queue, "Name");

	return doc_err(queue, e, REASON_INPUT_REQUIRED,
	               "queue '%s' has CustomActions, and node '%s' does not tell its queue: "
	               "expected a name like '%s-dy-RESOURCE-1' or the instance tag "
	               "parallelcluster:queue-name",
	               name, in->node->node ? in->node->node : "", name);
}

/* On a head Slurm's commands answer once OnNodeConfigured runs. Where the default user's home is local,
 * OnNodeStart's scripts have nothing to wait for on the shared one. */
static int add_scripts(const struct pcluster_input *in, const struct doc *of, struct doc *spec,
                       struct err *e)
{
	bool compute = in->node->role == CLUSTER_COMPUTE;
	const struct doc *undecided = compute && !of ? queue_with_actions(in->config) : NULL;
	const struct doc *actions = doc_get(of, "CustomActions");
	struct actions x = {.arena = in->arena,
	                    .env = pcluster_proxy_env(in, of),
	                    .configured = pcluster_is_head(in) ? "controller" : NULL,
	                    .without_home = pcluster_has_local_home(in->config)};

	if (undecided)
		return queue_unknown(in, undecided, e);
	if (!actions)
		return 0;
	x.scripts = pcluster_section(in, spec, "scripts");
	int r = add_action(&x, doc_get(actions, "OnNodeStart"), "on-node-start", "start", e);
	if (r < 0)
		return r;
	return add_action(&x, doc_get(actions, "OnNodeConfigured"), "on-node-configured",
	                  "configured", e);
}

/* ---- munge and Slurm ---- */

static void add_munge(const struct pcluster_input *in, struct doc *spec)
{
	struct doc *arn = doc_find(in->config, "Scheduling.SlurmSettings.MungeKeySecretArn");
	struct doc *munge = doc_new_map(in->arena, arn ? arn : in->config);

	/* The node document's key wins; cluster_spec() adds it, or its default. */
	if (arn && !in->node->munge_key)
		doc_put(in->arena, munge, "key", arn);
	if (pcluster_is_head(in) && !arn && !in->node->munge_key)
		doc_put_text(in->arena, munge, "create", "true");
	doc_put(in->arena, spec, "munge", munge);
}

static void add_slurm(const struct pcluster_input *in, struct doc *spec)
{
	const char *prefix = pcluster_prefix(in);
	struct doc *slurm = doc_new_map(in->arena, spec);

	if (prefix)
		doc_put_text(in->arena, slurm, "prefix", prefix);
	doc_put(in->arena, spec, "slurm", slurm);
}

static int check_kind(const struct pcluster_input *in, struct err *e)
{
	const struct doc *scheduler = doc_find(in->config, "Scheduling.Scheduler");

	if (!str_eq(scheduler->text, "slurm"))
		return doc_err(scheduler, e, REASON_INPUT_UNSUPPORTED,
		               "scheduler '%s' has no nodes of its own to set up: expected slurm",
		               scheduler->text);
	return 0;
}

/* The part of the file that is this node's own; NULL: there is none, or nothing tells which. */
static int part_of(const struct pcluster_input *in, const struct doc **ret, struct err *e)
{
	if (in->node->role == CLUSTER_LOGIN)
		return pcluster_pool(in, ret, e);
	*ret = pcluster_is_head(in) ? doc_get(in->config, "HeadNode") : pcluster_queue(in);
	return 0;
}

/* What the role is for. */
static int add_role(const struct pcluster_input *in, struct doc *spec, struct err *e)
{
	if (pcluster_is_head(in))
		return pcluster_head(in, spec, e);
	if (in->node->role == CLUSTER_LOGIN)
		pcluster_login(in, spec);
	else
		add_slurm(in, spec);
	return 0;
}

int pcluster_spec(const struct pcluster_input *in, struct doc *spec, struct err *e)
{
	const struct doc *of = NULL;
	struct doc *mounts = doc_new_list(in->arena, in->config);
	int r = check_kind(in, e);

	if (r < 0)
		return r;
	r = part_of(in, &of, e);
	if (r < 0)
		return r;
	r = pcluster_mounts(in, mounts, e);
	if (r < 0)
		return r;
	if (mounts->n)
		doc_put(in->arena, spec, "mounts", mounts);
	add_munge(in, spec);
	r = add_role(in, spec, e);
	if (r < 0)
		return r;
	pcluster_volumes(in, of, spec);
	pcluster_directory(in, spec);
	pcluster_packages(in, spec);
	pcluster_users(in, spec);
	pcluster_settings(in, of, spec);
	return add_scripts(in, of, spec, e);
}
