/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb works with: made by main(), filled by source.c, given back by main(). */
#pragma once

#include "agent/node_doc.h"
#include "agent/options.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "cloud/cloud.h"
#include "host/host.h"
#include "plan/plan.h"

#define AGENT_RUN_DIR   "/run/hpc-node"
#define AGENT_STATE_DIR "/var/lib/hpc-node"
#define AGENT_NODE_FILE "/etc/hpc-node/node.yaml"
#define AGENT_STATUS    AGENT_RUN_DIR "/status.json"
#define AGENT_EVENTS    AGENT_RUN_DIR "/events.jsonl"
#define AGENT_INPUT_MAX (1024 * 1024) /* node documents and cluster configurations */

struct agent {
	struct options opt;
	struct cloud_config cloud_config; /* from the environment */
	bool no_metadata;                 /* AWS_EC2_METADATA_DISABLED=true */
	struct arena *arena;
	struct cloud *cloud;
	struct host *host;
	struct vars facts;
	struct node_doc node;
	struct plan plan;
	bool boots;               /* the first bootstrap since the machine started */
	uint64_t start, deadline; /* clock.h */
};

/* Logs the error's text and its reason's hint, and returns the exit status of its kind. */
int agent_fail(const struct err *e);
void agent_hint(const struct err *e);

/* Verbs, each in the file of its name; `program` is the struct agent. */
int verb_bootstrap(void *program);
int verb_plan(void *program);
int verb_status(void *program);
int verb_check(void *program);
int verb_facts(void *program);
int verb_fetch(void *program);
int verb_explain(void *program);
int verb_version(void *program);
