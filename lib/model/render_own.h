/* SPDX-License-Identifier: Apache-2.0 */
/* Private to render*.c: a file being written, and the writers of the single files. */
#pragma once

#include "model/render.h"
#include "model/slurmkey.h"

#define RENDER_MAX (64UL << 20) /* bytes of one file: 10,000 resources need 4 MiB */
#define RENDER_HEADER                                                                              \
	"# Written by hpc-agent from the cluster's configuration: edit that, not this.\n"

struct render {
	const struct model *model;
	unsigned slurm;
	struct faults_walk faults;
	struct arena *arena;
	struct strbuf out;
};

/* render_part.c. Whether Slurm has the key; a fault if not. */
bool render_has(struct render *r, enum slurmkey_level level, const struct model_setting *s);

/* Whether one of these settings sets the key, which is then theirs. */
bool render_set(const struct model_settings *s, const char *key);

/* "QUEUE-st-RESOURCE-[1-N]", "QUEUE-dy-..."; count 0: nothing. */
void render_range(struct strbuf *b, const struct model_queue *q, const struct model_resource *c,
                  const char *infix, uint32_t count);

/* An empty buffer with room for that many bytes of each compute resource. Untouched memory costs
 * nothing, and each piece that a growing buffer leaves behind stays in the arena. */
struct strbuf render_room(const struct render *r, size_t room_of_each);

/* render_slurm.c: the lines that are one setting each. */
void render_globals(struct render *r);
/* render_nodes.c: nodes, sets of them and partitions. */
void render_queues(struct render *r);
/* render_small.c: the other files, whole. */
void render_gres(struct render *r);
void render_cgroup(struct render *r);
/* render_topology.c: topology.conf, and whether a plugin is set that reads it. */
bool render_has_topology(const struct model *m);
void render_topology(struct render *r);
