/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster as it is to be: what slurm.conf, exports and later the fleet are derived from, and
 * nothing else. cluster/pcluster_model.h makes it of a ParallelCluster file.
 *
 * Everything lives in the arena of who made it. `at` is the place that messages point to; NULL
 * where there is none.
 */
#pragma once

#include "data/doc.h"
#include "model/instance.h"

#define MODEL_STATE_DIR "/var/lib/slurm/slurmctld" /* what must outlive a head: its jobs */

/* Settings for slurm.conf in the order they were given: those of one line. */
struct model_setting {
	const char *key, *value;
	const struct doc *at;
};
struct model_settings {
	size_t n;
	struct model_setting *items;
};

/* Tags of instances; a later one of the same key is already laid over an earlier one. */
struct model_tags {
	size_t n;
	struct model_setting *items;
};

/* A text of the file, and where it stands. */
struct model_place {
	const char *text;
	const struct doc *at;
};

/* What instances of a queue are launched with, as EC2's ids and names. */
struct model_launch {
	struct model_place image; /* no text: nothing tells */
	size_t n_subnets;
	struct model_place *subnets; /* the first ones tried first */
	size_t n_groups;
	struct model_place *groups; /* security groups; none: nothing tells */
	const char *profile;        /* the nodes' role, a name or an ARN; NULL: nothing tells */
	const char *key;            /* key pair; NULL: none */
};

/*
 * Machines of one size: the nodes QUEUE-st-NAME-[1-static_nodes], which are always there, and
 * QUEUE-dy-NAME-[1-dynamic_nodes], which come and go.
 */
struct model_resource {
	const char *name;
	const struct doc *at;
	uint32_t static_nodes, dynamic_nodes; /* either may be 0 */
	const char *type;                     /* the instance type; NULL: there are several */
	size_t n_types;
	const char **types; /* all of them, in the file's order */
	struct model_tags tags;
	/* Of the smallest of its types. A core has `threads`; cores is 0 where the types differ
	 * in that, otherwise cores * threads == cpus. */
	unsigned cpus, cores, threads;
	uint64_t memory_mib;   /* what jobs may use */
	const char *gpu_model; /* NULL: no GPUs */
	unsigned gpus;
	bool efa;
	uint32_t static_weight, dynamic_weight;
	size_t n_features;
	const char *
	        *features; /* the administrator's own, besides those that follow from the above */
	struct model_settings settings; /* for its NodeName lines */
};

struct model_queue {
	const char *name;
	const struct doc *at;
	bool exclusive; /* a node is one job's */
	struct model_launch launch;
	size_t n_resources;
	struct model_resource *resources;
	struct model_settings settings; /* for its PartitionName line */
};

/* Accounting. The password is never here: who writes slurmdbd.conf on the head adds it. */
struct model_database {
	const struct doc *at;
	bool external;    /* somebody else's slurmdbd at host:port */
	const char *host; /* of slurmdbd where external, else of the SQL server */
	uint64_t port;
	const char *user, *name; /* of the SQL server and its database; NULL where external */
	const char *password;    /* where it is: an ARN; NULL where external */
};

struct model {
	const char *cluster;      /* ClusterName */
	const char *head;         /* the head's host name */
	const char *head_address; /* NULL: the name must do */
	const char *programs;     /* directory of what slurmctld starts: "/usr/lib/hpc-node" */
	size_t n_queues;
	struct model_queue *queues;      /* the first is the default */
	bool memory_scheduling;          /* jobs get memory as they get processors */
	bool directory_service;          /* users come from one, through sssd */
	int64_t idle_s;                  /* a dynamic node idle for this long ends; -1: never */
	uint64_t start_s;                /* a node must have joined this long after its launch */
	struct model_database *database; /* NULL: no accounting */
	size_t n_lines;
	struct model_settings *lines; /* further lines of slurm.conf */
	struct model_place include;   /* URI of a file of further lines; no text: none */
	size_t n_exports;
	struct model_place *exports; /* directories that nodes may change */
	size_t n_networks;
	struct model_place *networks; /* the cluster's, as "10.0.0.0/16" */
	unsigned head_processors;     /* by its instance type; 0: not known */
};
