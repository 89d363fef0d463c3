/* SPDX-License-Identifier: Apache-2.0 */
/* Reads queues and their compute resources, each as large as the smallest of its types. */
#include "pcluster/pcluster_model_own.h"

#include <strings.h>

#define NAME_MAX_BYTES 25 /* ParallelCluster's, for queues and resources */
#define HOST_MAX_BYTES 63 /* a node's name is its host's */
#define NODES_MAX      65536
#define COUNT_STANDARD 10 /* MaxCount where the file has none */
#define WEIGHT_MAX     UINT32_MAX
#define MEMORY_PERCENT 95 /* of what EC2 names: the kernel keeps some for itself */

#define SMALL  "abcdefghijklmnopqrstuvwxyz"
#define LARGE  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* ---- names ---- */

/* What a line of slurm.conf and a host's name can hold; "default" is a partition of Slurm's own. */
static bool can_be_name(const char *name, bool queue)
{
	return *name && strchr(SMALL LARGE, *name) &&
	       name[strspn(name, SMALL LARGE DIGITS "-_")] == '\0' &&
	       !(queue && strcasecmp(name, "default") == 0);
}

static void check_name(struct reader *x, const struct doc *d, const char *what, bool queue)
{
	const struct doc *at = doc_get(d, "Name");
	size_t len = strlen(at->text);

	if (!can_be_name(at->text, queue))
		faults_take(&x->faults,
		            doc_err(at, x->faults.err, REASON_INPUT_RANGE,
		                    "Name of %s: '%s': expected a letter, then letters, digits, "
		                    "'-' and '_', and not 'default'",
		                    what, at->text));
	else if (len > NAME_MAX_BYTES || at->text[strspn(at->text, SMALL DIGITS "-")] != '\0' ||
	         str_eq(at->text, "default"))
		reader_unlike(x, at,
		              "Name of %s: '%s': ParallelCluster takes small letters, digits and "
		              "'-', at most %d of them, and not 'default'",
		              what, at->text, NAME_MAX_BYTES);
}

static void check_host_names(struct reader *x, const struct doc *queue, const struct doc *d,
                             const struct model_resource *c)
{
	uint32_t last = c->static_nodes > c->dynamic_nodes ? c->static_nodes : c->dynamic_nodes;
	const char *name = arena_printf(x->arena, "%s-dy-%s-%u", doc_text(queue, "Name"), c->name,
	                                (unsigned)last);

	if (strlen(name) > HOST_MAX_BYTES && !x->faults.ended)
		faults_take(&x->faults,
		            doc_err(doc_get(d, "Name"), x->faults.err, REASON_INPUT_RANGE,
		                    "Name of a compute resource: '%s' would be a node's name: "
		                    "expected names with which that has at most %d bytes",
		                    name, HOST_MAX_BYTES));
}

/* ---- instance types ---- */

/* The types of a resource, and their least values, each taken for itself. */
struct types {
	size_t n;
	const struct instance_type *first, *fewest_gpus;
	const struct doc *at;
	unsigned vcpus, threads;
	uint64_t memory_mib, most_memory_mib;
	bool same_cores; /* they agree in cores and threads */
	size_t n_names;
	const char **names;
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static void take_type(struct types *all, const struct instance_type *t)
{
	if (!all->n++) {
		*all = (struct types){.n = 1,
		                      .first = t,
		                      .fewest_gpus = t,
		                      .at = all->at,
		                      .vcpus = t->vcpus,
		                      .threads = t->threads,
		                      .memory_mib = t->memory_mib,
		                      .most_memory_mib = t->memory_mib,
		                      .same_cores = true,
		                      .n_names = all->n_names,
		                      .names = all->names};
		return;
	}
	all->same_cores = all->same_cores && t->cores == all->first->cores &&
	                  t->threads == all->first->threads;
	all->vcpus = least(all->vcpus, t->vcpus);
	all->threads = least(all->threads, t->threads);
	if (t->gpus < all->fewest_gpus->gpus)
		all->fewest_gpus = t;
	if (t->memory_mib < all->memory_mib)
		all->memory_mib = t->memory_mib;
	if (t->memory_mib > all->most_memory_mib)
		all->most_memory_mib = t->memory_mib;
}

/* What jobs can't be promised of one type if it isn't so of all. */
static void compare(struct reader *x, const struct doc *at, const struct instance_type *t,
                    const struct instance_type *first, bool smt_off)
{
	unsigned mine = smt_off ? t->cores : t->vcpus,
	         others = smt_off ? first->cores : first->vcpus;
	const char *what =
	        mine != others ? (smt_off ? "cores" : "vCPUs")
	        : t->gpus != first->gpus || (t->gpus && !str_eq(t->gpu_maker, first->gpu_maker))
	                ? "GPUs"
	                : NULL;

	if (what)
		reader_unlike(
		        x, at,
		        "Instances: %s and %s differ in their %s: ParallelCluster takes types "
		        "of one size in a compute resource, and Slurm counts on the least",
		        first->name, t->name, what);
}

static void add_type(struct reader *x, const struct doc *at, bool smt_off, struct types *all)
{
	const struct instance_type *t = instance_find(x->types, at->text);

	if (!t) { /* somebody else's head may know it */
		cluster_shortfall(x->in->shortfalls, &x->faults,
		                  doc_err(at, x->faults.err, REASON_INSTANCE_TYPE,
		                          "instance type '%s' is not known: add its line to "
		                          "/etc/hpc-node/instance-types.tsv",
		                          at->text));
		return;
	}
	if (all->n)
		compare(x, at, t, all->first, smt_off);
	all->names = arena_grow(x->arena, all->names, &all->n_names, sizeof *all->names);
	all->names[all->n_names - 1] = at->text;
	take_type(all, t);
	all->at = at;
}

static void read_types(struct reader *x, const struct doc *d, bool smt_off, struct types *all)
{
	const struct doc *one = doc_get(d, "InstanceType"), *list = doc_get(d, "Instances");

	if (one && list)
		faults_take(&x->faults,
		            doc_err(list, x->faults.err, REASON_INPUT_DUPLICATE,
		                    "Instances: it and InstanceType exclude each other"));
	if (one)
		add_type(x, one, smt_off, all);
	for (size_t i = 0; list && i < list->n && !x->faults.ended; i++)
		add_type(x, doc_get(list->items[i], "InstanceType"), smt_off, all);
	if (one || (list && list->n))
		return;
	if (doc_find(d, "CapacityReservationTarget.CapacityReservationId"))
		cluster_shortfall(
		        x->in->shortfalls, &x->faults,
		        doc_err(d, x->faults.err, REASON_INSTANCE_TYPE,
		                "compute resource '%s': its capacity reservation's "
		                "instance type is not asked for, and a head needs it: add "
		                "InstanceType",
		                doc_text(d, "Name")));
	else
		faults_take(&x->faults, doc_err(d, x->faults.err, REASON_INPUT_REQUIRED,
		                                "compute resource '%s': expected InstanceType or "
		                                "Instances",
		                                doc_text(d, "Name")));
}

/* ---- sizes ---- */

/* Minima of vCPUs and of threads are taken apart, as ParallelCluster does. */
static void size_cpus(struct model_resource *c, const struct types *all, bool smt_off)
{
	c->cpus = all->vcpus;
	if (smt_off) {
		c->cpus = all->vcpus / all->threads;
		c->cores = c->cpus;
		c->threads = 1;
	} else if (all->same_cores) {
		c->cores = all->first->cores;
		c->threads = all->first->threads;
	}
}

static void size_memory(struct reader *x, const struct doc *d, struct model_resource *c,
                        const struct types *all)
{
	const struct doc *at = doc_get(d, "SchedulableMemory");
	int64_t given = reader_int(x, d, "SchedulableMemory", 1, (int64_t)all->memory_mib, 0);
	uint64_t spread = all->most_memory_mib - all->memory_mib;

	c->memory_mib = all->memory_mib * MEMORY_PERCENT / 100;
	if (given && (uint64_t)given > c->memory_mib)
		cluster_note(x->in->notes, at,
		             "SchedulableMemory: more than %d %% of what '%s' has: its nodes may "
		             "have less than that for jobs",
		             MEMORY_PERCENT, all->first->name);
	if (given)
		c->memory_mib = (uint64_t)given;
	if (!given && x->model->memory_scheduling && spread > 4096 &&
	    spread * 5 > all->most_memory_mib)
		cluster_note(x->in->notes, all->at,
		             "Instances: the memory of these types differs by more than a fifth; "
		             "jobs see that of the smallest");
}

/* Other makers' cards have no devices that Slurm could hand out by these names. */
static void size_gpus(struct reader *x, struct model_resource *c, const struct types *all)
{
	const struct instance_type *t = all->fewest_gpus;

	if (!t->gpus)
		return;
	if (!str_eq(t->gpu_maker, "NVIDIA")) {
		cluster_note(x->in->notes, all->at,
		             "'%s': its GPUs are of %s: Slurm hands out only NVIDIA's", t->name,
		             t->gpu_maker);
		return;
	}
	c->gpus = t->gpus;
	c->gpu_model = t->gpu_model;
}

static void check_efa(struct reader *x, const struct doc *d)
{
	const struct doc *one = doc_get(d, "InstanceType"), *list = doc_get(d, "Instances");

	for (size_t i = 0; i < (one ? 1 : list->n) && !x->faults.ended; i++) {
		const struct doc *at = one ? one : doc_get(list->items[i], "InstanceType");
		const struct instance_type *t = instance_find(x->types, at->text);

		if (t && !t->efa_interfaces)
			reader_unlike(x, at, "Efa: '%s' has no such interface", at->text);
	}
}

static void size_all(struct reader *x, const struct doc *d, struct model_resource *c)
{
	bool smt_off = scalar_on(d, "DisableSimultaneousMultithreading");
	struct types all = {.at = d};

	read_types(x, d, smt_off, &all);
	if (!all.n || x->faults.ended)
		return;
	c->type = all.n == 1 ? all.first->name : NULL;
	c->n_types = all.n_names;
	c->types = all.names;
	c->efa = scalar_on(d, "Efa.Enabled");
	size_cpus(c, &all, smt_off);
	size_memory(x, d, c, &all);
	size_gpus(x, c, &all);
	if (c->efa && !x->faults.ended)
		check_efa(x, d);
}

/* ---- counts ---- */

static void read_counts(struct reader *x, const struct doc *queue, const struct doc *d,
                        struct model_resource *c)
{
	int64_t min = reader_int(x, d, "MinCount", 0, NODES_MAX, 0);
	int64_t max = reader_int(x, d, "MaxCount", 0, NODES_MAX, COUNT_STANDARD);

	if (min > max && !x->faults.ended)
		faults_take(&x->faults,
		            doc_err(d, x->faults.err, REASON_INPUT_RANGE,
		                    "compute resource '%s': MinCount %lld is above MaxCount "
		                    "%lld",
		                    c->name, (long long)min, (long long)max));
	else if (str_eq(doc_text(queue, "CapacityType"), "CAPACITY_BLOCK") && (min != max || !max))
		reader_unlike(x, d,
		              "compute resource '%s': a capacity block is used as a whole: "
		              "ParallelCluster wants MinCount and MaxCount to be its size",
		              c->name);
	c->static_nodes = (uint32_t)min;
	c->dynamic_nodes = (uint32_t)(max > min ? max - min : 0);
}

static void read_weights(struct reader *x, const struct doc *d, struct model_resource *c)
{
	c->static_weight = (uint32_t)reader_int(x, d, "StaticNodePriority", 1, WEIGHT_MAX, 1);
	c->dynamic_weight = (uint32_t)reader_int(x, d, "DynamicNodePriority", 1, WEIGHT_MAX, 1000);
	if (c->static_weight >= c->dynamic_weight)
		cluster_note(x->in->notes, d,
		             "compute resource '%s': StaticNodePriority is not below "
		             "DynamicNodePriority: nodes that aren't there come before those "
		             "that are",
		             c->name);
}

/* ---- queues ---- */

static void read_resource(struct reader *x, const struct doc *queue, const struct doc *d,
                          struct model_resource *c)
{
	c->name = doc_text(d, "Name");
	c->at = d;
	check_name(x, d, "a compute resource", false);
	read_counts(x, queue, d, c);
	check_host_names(x, queue, d, c);
	read_weights(x, d, c);
	size_all(x, d, c);
	reader_tags(x, queue, d, &c->tags);
	reader_settings(x, doc_get(d, "CustomSlurmSettings"), SETTINGS_RESOURCE, &c->settings);
}

static void read_queue(struct reader *x, const struct doc *d, struct model_queue *q)
{
	const struct doc *list = doc_get(d, "ComputeResources");

	q->name = doc_text(d, "Name");
	q->at = d;
	q->exclusive = scalar_on(d, "JobExclusiveAllocation");
	check_name(x, d, "a queue", true);
	reader_launch(x, d, &q->launch);
	q->n_resources = list ? list->n : 0;
	q->resources = arena_array(x->arena, q->n_resources, sizeof *q->resources);
	for (size_t i = 0; i < q->n_resources && !x->faults.ended; i++)
		read_resource(x, d, list->items[i], &q->resources[i]);
	reader_settings(x, doc_get(d, "CustomSlurmSettings"), SETTINGS_QUEUE, &q->settings);
}

static void check_total(struct reader *x, const struct doc *queues)
{
	uint64_t n = 0;

	for (size_t i = 0; i < x->model->n_queues; i++)
		for (size_t k = 0; k < x->model->queues[i].n_resources; k++)
			n += (uint64_t)x->model->queues[i].resources[k].static_nodes +
			     x->model->queues[i].resources[k].dynamic_nodes;
	if (n > NODES_MAX)
		faults_take(&x->faults, doc_err(queues, x->faults.err, REASON_INPUT_LIMIT,
		                                "SlurmQueues: %llu nodes, and Slurm has at most %d",
		                                (unsigned long long)n, NODES_MAX));
}

void reader_queues(struct reader *x)
{
	const struct doc *list = doc_find(x->in->config, "Scheduling.SlurmQueues");
	struct model *m = x->model;

	m->n_queues = list ? list->n : 0;
	m->queues = arena_array(x->arena, m->n_queues, sizeof *m->queues);
	for (size_t i = 0; i < m->n_queues && !x->faults.ended; i++)
		read_queue(x, list->items[i], &m->queues[i]);
	if (!x->faults.ended)
		check_total(x, list);
}
