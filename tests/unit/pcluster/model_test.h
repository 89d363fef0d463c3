/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of pcluster_model.c share: a configuration is read into `model`, its faults and notes beside it. */
#pragma once

#include "pcluster/pcluster_model.h"

#include "data/yaml.h"
#include "unit.h"

#define TYPES                                                                                      \
	"h.x\tx86_64\t16\t8\t2\t32768\t-\t-\t0\t0\t1\t0\t0\n"                                      \
	"a.s\tx86_64\t8\t4\t2\t10000\t-\t-\t0\t0\t1\t0\t0\n"                                       \
	"a.m\tx86_64\t16\t8\t2\t20000\t-\t-\t0\t1\t1\t0\t0\n"                                      \
	"a.t\tx86_64\t8\t8\t1\t10000\t-\t-\t0\t1\t1\t0\t0\n"                                       \
	"a.big\tx86_64\t8\t4\t2\t99000\t-\t-\t0\t0\t1\t0\t0\n"                                     \
	"g.one\tx86_64\t8\t4\t2\t10000\tNVIDIA\tt4\t1\t0\t1\t0\t0\n"                               \
	"g.two\tx86_64\t8\t4\t2\t10000\tNVIDIA\tt4\t2\t0\t1\t0\t0\n"                               \
	"g.amd\tx86_64\t8\t4\t2\t10000\tAMD\tv520\t1\t0\t1\t0\t0\n"

#define HEAD "Image: {Os: rhel9}\nHeadNode: {InstanceType: h.x, Networking: {SubnetId: subnet-1}}\n"
#define SCHEDULING(settings, more)                                                                 \
	"Scheduling:\n"                                                                            \
	"  Scheduler: slurm\n"                                                                     \
	"  SlurmSettings: {" settings "}\n"                                                        \
	"  SlurmQueues:\n"                                                                         \
	"  - Name: q\n"                                                                            \
	"    Networking: {SubnetIds: [subnet-1]}\n" more
#define RESOURCE(more) HEAD SCHEDULING("", "    ComputeResources: [{Name: r, " more "}]\n")
#define SETTINGS(text)                                                                             \
	HEAD SCHEDULING(text, "    ComputeResources: [{Name: r, InstanceType: a.s}]\n")
#define REST(text) SETTINGS("") text

static struct arena *arena;
static struct model model;
static struct faults faults;
static struct cluster_notes notes;
static bool elsewhere;
static bool strict;

static const char *const usual[][2] = {{"cluster", "c"}, {"vpc-cidrs", "10.0.0.0/16"}, {0}};

static inline int read_with(const char *text, const char *const (*given)[2],
                            const struct cluster_node *node, struct err *e)
{
	struct vars facts = {.arena = arena};
	struct instance_table types = {0};
	struct doc *config;

	faults = (struct faults){.arena = arena};
	notes = (struct cluster_notes){.arena = arena};
	model = (struct model){0};
	for (; (*given)[0]; given++)
		vars_set(&facts, (*given)[0], (*given)[1], "test");
	int r = instance_add(&types, "types", (struct blob){TYPES, strlen(TYPES)}, arena, e);
	assert_int_equal(r, 0);
	r = yaml_parse_foreign("c", (struct blob){text, strlen(text)}, arena, &config, e);
	assert_int_equal(r, 0);
	const struct pcluster_input in = {.config = config,
	                                  .node = node,
	                                  .facts = &facts,
	                                  .types = &types,
	                                  .faults = &faults,
	                                  .notes = &notes,
	                                  .elsewhere = elsewhere,
	                                  .strict = strict,
	                                  .arena = arena};
	return pcluster_model(&in, &model, e);
}

static const struct cluster_node head = {.role = CLUSTER_HEAD};

static inline void read_ok(const char *text)
{
	struct err e;

	assert_ok(read_with(text, usual, &head, &e));
}

static inline const struct model_resource *resource(const char *more)
{
	read_ok(arena_printf(arena, RESOURCE("%s"), more));
	assert_int_equal(model.n_queues, 1);
	assert_int_equal(model.queues[0].n_resources, 1);
	return &model.queues[0].resources[0];
}

static inline bool is_noted(const char *part)
{
	for (size_t i = 0; i < notes.n; i++)
		if (strstr(notes.items[i], part))
			return true;
	return false;
}

#define OWN(uri, more) "Database: {Uri: " uri ", UserName: u, PasswordSecretArn: 'arn:p'" more "}"

static inline int begin(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
