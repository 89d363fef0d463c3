/* SPDX-License-Identifier: Apache-2.0 */
/* The state that the verbs of hpc-agent work on: made by main(), filled by source.c, closed by
 * agent_info.close. */
#pragma once

#include "agent/node_doc.h"
#include "agent/options.h"
#include "cluster/cluster.h"
#include "host/host.h"
#include "plan/plan.h"
#include "program/program.h"

#define AGENT_RUN_DIR   "/run/hpc-node"
#define AGENT_NODE_FILE "/etc/hpc-node/node.yaml"
#define AGENT_STATUS    AGENT_RUN_DIR "/status.json"
#define AGENT_EVENTS    AGENT_RUN_DIR "/events.jsonl"
#define AGENT_INPUT_MAX (1024 * 1024) /* node documents and cluster configurations */

struct agent {
	struct program program; /* first */
	struct options opt;
	struct cloud *cloud;
	struct host *host;
	struct vars facts;
	struct node_doc node;
	struct plan plan;
	struct cluster_notes notes; /* from the cluster configuration */
	struct blob user_data;      /* as the instance has it */
	bool user_data_used;        /* a node document was found in it */
	bool boots;                 /* this is the first bootstrap since the machine booted */
};

#define AGENT_INIT                                                                                 \
	{                                                                                          \
		.opt = {.root = "/" }                                                              \
	}

extern const struct program_info agent_info; /* for program_main() with a struct agent */
extern const struct reason_hint agent_hints[];

/* Verbs, each in the file of its name; `program` is the struct agent. */
int verb_bootstrap(void *program);
int verb_plan(void *program);
int verb_status(void *program);
int verb_check(void *program);
int verb_render(void *program);
int verb_facts(void *program);
int verb_fetch(void *program);
int verb_explain(void *program);
