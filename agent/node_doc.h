/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node document: who this instance is. It is merged from layers; for each key, a later layer
 * wins: /etc/hpc-node/node.yaml, instance tags ("hpc-node:KEY", and parallelcluster's cluster-name
 * and node-type), user data, the command line.
 */
#pragma once

#include "agent/options.h"
#include "cluster/cluster.h"
#include "data/field.h"

enum on_failure { ON_FAILURE_HOLD, ON_FAILURE_POWEROFF, ON_FAILURE_TERMINATE, ON_FAILURE_HOLD_FOR };

struct node_doc {
	const char *cluster;
	const char *config;        /* URI or path of the cluster configuration */
	const char *config_sha256; /* 64 hex digits, or NULL */
	const char *config_key;    /* Ed25519 public key in base64, or NULL */
	const char *bucket_owner;  /* 12 digits, or NULL */
	uint64_t deadline_ms;
	bool deadline_given; /* the deadline was set, it is not the default */
	uint64_t splay_ms;   /* wait up to this, at random, before shared services are asked */
	enum on_failure on_failure;
	uint64_t hold_ms; /* ON_FAILURE_HOLD_FOR: power off after this */
	struct cluster_node node;
	const struct doc *nodes; /* the names of one launch's instances, or NULL */
};

/* Lays `layer` (a map, or NULL) over `merged` (a map), key by key. */
void node_doc_overlay(struct arena *a, struct doc *merged, const struct doc *layer);

/* The layers that are not text files, as maps. */
struct doc *node_doc_from_tags(struct arena *a, const struct vars *facts);
struct doc *node_doc_from_options(struct arena *a, const struct options *o, uint64_t deadline_ms);

/* Decodes the merged map. A missing key that bootstrap needs is an error that names the key. */
int node_doc_decode(const struct doc *merged, struct arena *a, struct node_doc *ret,
                    struct err *e) ATTR_MUST_USE;

/* Where only the names of one launch's instances are given: takes the one at the fact
 * "launch-index". */
int node_doc_take_name(struct node_doc *n, const struct vars *facts, struct arena *a,
                       struct err *e) ATTR_MUST_USE;

/* Sets the facts node, role, cluster, head and config. */
void node_doc_facts(const struct node_doc *n, struct vars *facts);

/* All of these one after the other: what the merged map says of this node, with what `facts` says. */
int node_doc_take(const struct doc *merged, struct arena *a, struct node_doc *ret,
                  struct vars *facts, struct err *e) ATTR_MUST_USE;

/* The table of fields, for `check` and `explain`. */
extern const struct field node_doc_fields[];
