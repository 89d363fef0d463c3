/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the typed model of a cluster from a ParallelCluster file. */
#include "pcluster/pcluster_model_own.h"

#include <stdlib.h>

#define NAME_MAX_BYTES     60
#define NAME_MAX_IN_TABLES 40 /* with accounting, the name is a part of SQL tables' names */
#define IDLE_STANDARD_MIN  10
#define START_STANDARD_S   600
#define HEAD_NAME          "head"
#define SAMPLE_NAME        "cluster"
#define PROGRAMS           "/usr/lib/hpc-node"

/* ---- the cluster's name ---- */

static const char *cluster_name(struct reader *x)
{
	const char *name = vars_get(x->in->facts, "cluster");

	if (name)
		return name;
	if (x->in->elsewhere) {
		cluster_note(x->in->notes, x->in->config,
		             "the cluster's name is the node document's 'cluster': '" SAMPLE_NAME
		             "' stands for it");
		return SAMPLE_NAME;
	}
	faults_take(&x->faults, doc_err(x->in->config, x->faults.err, REASON_INPUT_REQUIRED,
	                                "the cluster has no name: add 'cluster: NAME' to the node "
	                                "document, or the instance tag hpc-node:cluster"));
	return SAMPLE_NAME;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void check_cluster_name(struct reader *x)
{
	const char *name = x->model->cluster;
	size_t max = x->accounting ? NAME_MAX_IN_TABLES : NAME_MAX_BYTES;
	const char *known = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

	if (is_letter(name[0]) && strlen(name) <= max && name[strspn(name, known)] == '\0')
		return;
	faults_take(&x->faults,
	            doc_err(x->in->config, x->faults.err, REASON_INPUT_RANGE,
	                    "the cluster's name '%s': expected a letter, then letters, digits "
	                    "and '-', at most %zu of them%s",
	                    name, max, x->accounting ? " as there is accounting" : ""));
}

/* ---- node names ---- */

struct range {
	const char *name;
	const struct doc *at;
};

static int by_name(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static size_t add_ranges(struct reader *x, struct range *ranges)
{
	const struct model *m = x->model;
	size_t n = 0;

	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++) {
			const struct model_resource *c = &m->queues[i].resources[k];

			if (c->static_nodes)
				ranges[n++] =
				        (struct range){arena_printf(x->arena, "%s-st-%s",
				                                    m->queues[i].name, c->name),
				                       c->at};
			if (c->dynamic_nodes)
				ranges[n++] =
				        (struct range){arena_printf(x->arena, "%s-dy-%s",
				                                    m->queues[i].name, c->name),
				                       c->at};
		}
	return n;
}

/* Only then can the nodes of two queues have one name. */
static bool may_meet(const struct model *m)
{
	for (size_t i = 0; i < m->n_queues; i++)
		if (strstr(m->queues[i].name, "-st") || strstr(m->queues[i].name, "-dy"))
			return true;
	return false;
}

/* "a" with "b-st-c" and "a-st-b" with "c" are nodes of one name, at which Slurm ends. */
static void check_ranges(struct reader *x)
{
	size_t room = 0;

	if (!may_meet(x->model))
		return;
	for (size_t i = 0; i < x->model->n_queues; i++)
		room += 2 * x->model->queues[i].n_resources;
	struct range *ranges = arena_array(x->arena, room, sizeof *ranges);
	size_t n = add_ranges(x, ranges);
	if (n)
		qsort(ranges, n, sizeof *ranges, by_name);
	for (size_t i = 1; i < n && !x->faults.ended; i++)
		if (str_eq(ranges[i - 1].name, ranges[i].name))
			faults_take(&x->faults,
			            doc_err(ranges[i].at, x->faults.err, REASON_INPUT_DUPLICATE,
			                    "nodes '%s-...' are those of line %u, too: "
			                    "expected other names",
			                    ranges[i].name, ranges[i - 1].at->line));
}

/* ---- the whole ---- */

static void read_head(struct reader *x)
{
	const struct doc *at = doc_get(x->in->config, "HeadNode");
	const struct instance_type *type = instance_find(x->types, doc_text(at, "InstanceType"));
	struct model *m = x->model;

	m->head = x->in->node->node ? x->in->node->node : HEAD_NAME;
	m->head_address =
	        x->in->node->head ? x->in->node->head : vars_get(x->in->facts, "local-ipv4");
	if (type)
		m->head_processors = scalar_on(at, "DisableSimultaneousMultithreading")
		                             ? type->cores
		                             : type->vcpus;
	m->programs = PROGRAMS;
}

static void read_times(struct reader *x, const struct doc *slurm)
{
	const struct doc *timeouts = doc_find(x->in->config, "DevSettings.Timeouts");
	int64_t idle = reader_int(x, slurm, "ScaledownIdletime", -1, PCLUSTER_IDLE_MAX_MIN,
	                          IDLE_STANDARD_MIN);

	x->model->idle_s = idle < 0 ? -1 : idle * 60;
	x->model->start_s = (uint64_t)reader_int(x, timeouts, "ComputeNodeBootstrapTimeout", 1,
	                                         PCLUSTER_TIMEOUT_MAX_S, START_STANDARD_S);
}

int pcluster_model(const struct pcluster_input *in, struct model *ret, struct err *e)
{
	static const struct instance_table none = {0};
	const struct doc *slurm = doc_find(in->config, "Scheduling.SlurmSettings");
	struct model model = {0};
	struct reader x = {.in = in,
	                   .types = in->types ? in->types : &none,
	                   .arena = in->arena,
	                   .faults = {.faults = in->faults, .err = e},
	                   .model = &model,
	                   .accounting = doc_get(slurm, "Database") ||
	                                 doc_get(slurm, "ExternalSlurmdbd")};

	model.cluster = cluster_name(&x);
	model.memory_scheduling = scalar_on(slurm, "EnableMemoryBasedScheduling");
	model.directory_service = doc_get(in->config, "DirectoryService") != NULL;
	void (*const parts[])(struct reader *) = {check_cluster_name, read_head,  reader_queues,
	                                          check_ranges,       reader_own, reader_exports};
	for (size_t i = 0; i < ARRAY_LEN(parts) && !x.faults.ended; i++)
		parts[i](&x);
	void (*const settings[])(struct reader *, const struct doc *) = {read_times, reader_lines,
	                                                                 reader_database};
	for (size_t i = 0; i < ARRAY_LEN(settings) && !x.faults.ended; i++)
		settings[i](&x, slurm);
	if (x.faults.failed < 0)
		return x.faults.failed;
	*ret = model;
	return 0;
}
