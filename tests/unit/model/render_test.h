/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of render.c share: a small cluster, and a look into its files. */
#pragma once

#include <errno.h>

#include "model/render.h"
#include "unit.h"

#define HEADER "# Written by hpc-agent from the cluster's configuration: edit that, not this.\n"

/* A cluster that is made anew for each test. */
struct cluster {
	struct model model;
	struct model_queue queues[2];
	struct model_resource resources[3];
	struct model_database database;
};

static inline struct cluster make(void)
{
	return (struct cluster){
	        .model = {.cluster = "c",
	                  .head = "head",
	                  .programs = "/site",
	                  .n_queues = 2,
	                  .idle_s = 600,
	                  .start_s = 900},
	        .queues = {{.name = "q1", .n_resources = 2}, {.name = "q2", .n_resources = 1}},
	        .resources = {{.name = "a",
	                       .static_nodes = 2,
	                       .dynamic_nodes = 3,
	                       .type = "x.a",
	                       .cpus = 8,
	                       .cores = 4,
	                       .threads = 2,
	                       .memory_mib = 1000,
	                       .static_weight = 1,
	                       .dynamic_weight = 1000},
	                      {.name = "b",
	                       .dynamic_nodes = 4,
	                       .cpus = 16,
	                       .memory_mib = 2000,
	                       .static_weight = 1,
	                       .dynamic_weight = 1000},
	                      {.name = "g",
	                       .static_nodes = 1,
	                       .type = "x.g",
	                       .cpus = 4,
	                       .cores = 4,
	                       .threads = 1,
	                       .memory_mib = 3000,
	                       .gpu_model = "a100",
	                       .gpus = 2,
	                       .efa = true,
	                       .static_weight = 5,
	                       .dynamic_weight = 6}},
	};
}

static inline int render(struct cluster *c, unsigned slurm, struct faults *faults, struct arena *a,
                         struct render_files *ret, struct err *e)
{
	c->model.queues = c->queues;
	c->queues[0].resources = c->resources;
	c->queues[1].resources = c->resources + 2;
	return render_head(&c->model, slurm, faults, a, ret, e);
}

static inline const struct render_file *file(const struct render_files *files, const char *path)
{
	for (size_t i = 0; i < files->n; i++)
		if (str_eq(files->items[i].path, path))
			return &files->items[i];
	return NULL;
}

static inline const char *text_of(const struct render_files *files, const char *path)
{
	const struct render_file *f = file(files, path);

	assert_non_null(f);
	assert_int_equal(strlen(f->content.data), f->content.len);
	return f->content.data;
}

static inline const char *conf(struct cluster *c, unsigned slurm, struct arena *a)
{
	struct render_files files = {0};
	struct err e;

	assert_ok(render(c, slurm, NULL, a, &files, &e));
	return text_of(&files, "/etc/slurm/slurm.conf");
}

static inline void assert_line(const char *text, const char *line)
{
	struct arena *a = arena_new();

	if (!strstr(text, arena_printf(a, "\n%s\n", line)))
		fail_msg("no line '%s' in:\n%s", line, text);
	arena_close(a);
}

static inline void assert_no(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

static inline void own_database(struct cluster *c)
{
	c->database = (struct model_database){
	        .host = "sql", .port = 3307, .user = "u", .name = "n", .password = "arn:x"};
	c->model.database = &c->database;
}

static inline void external(struct cluster *c)
{
	c->database = (struct model_database){.external = true, .host = "dbd", .port = 6820};
	c->model.database = &c->database;
}

static inline void include(struct cluster *c)
{
	c->model.include.text = "s3://bucket/more";
}
