/* SPDX-License-Identifier: Apache-2.0 */
/* Private to pcluster_model*.c. */
#pragma once

#include "data/scalar.h"
#include "pcluster/pcluster_input.h"
#include "pcluster/pcluster_model.h"
#include "pcluster/pcluster_rules.h"

struct reader {
	const struct pcluster_input *in;
	const struct instance_table *types;
	struct arena *arena;
	struct faults_walk faults;
	struct model *model;
	bool accounting; /* Slurm's accounting is on */
};

/* pcluster_model_value.c: values that may be missing. What is out of range is a fault, and the
 * default is given. */
/* What ParallelCluster itself refuses to create, though nodes and a head can be made of it: a note,
 * and where reading is strict a fault. */
void reader_unlike(struct reader *x, const struct doc *at, const char *fmt, ...) ATTR_PRINTF(3, 4);
int64_t reader_int(struct reader *x, const struct doc *d, const char *key, int64_t min, int64_t max,
                   int64_t standard);

/* pcluster_model_settings.c: CustomSlurmSettings. `level` says whose. */
enum settings_level { SETTINGS_CLUSTER, SETTINGS_QUEUE, SETTINGS_RESOURCE };
void reader_settings(struct reader *x, const struct doc *map, enum settings_level level,
                     struct model_settings *ret);
void reader_lines(struct reader *x, const struct doc *slurm);

/* pcluster_model_resource.c: queues and what they are made of. */
void reader_queues(struct reader *x);

/* pcluster_model_launch.c: what instances of a queue, and the tags that those of a resource have. */
void reader_launch(struct reader *x, const struct doc *queue, struct model_launch *ret);
void reader_tags(struct reader *x, const struct doc *queue, const struct doc *resource,
                 struct model_tags *ret);

/* pcluster_model_hpcnode.c: what stands under HpcNode. */
void reader_own(struct reader *x);

/* pcluster_model_database.c: Database and ExternalSlurmdbd. */
void reader_database(struct reader *x, const struct doc *slurm);

/* pcluster_model_export.c */
void reader_exports(struct reader *x);
