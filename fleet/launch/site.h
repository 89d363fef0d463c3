/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fleet may launch: the fleet's file, /etc/hpc-node/fleet.yaml.
 *
 *     cluster: test-cluster
 *     node: {config: "s3://bucket/test-cluster/cluster-config.yaml", head: 172.31.5.10}
 *     resources:
 *     - nodes: queue1-dy-t3micro-[1-10]
 *       image: ami-0123456789abcdef0
 *       types: [t3.micro, t3a.micro]
 *       subnets: [subnet-0123456789abcdef0]
 *       security-groups: [sg-0123456789abcdef0]
 *       instance-profile: test-cluster-compute
 *
 * A resource's pools are its types, each in each of its subnets, in the file's order.
 */
#pragma once

#include "data/faults.h"
#include "data/field.h"
#include "launch/cause.h"
#include "model/fleet.h"
#include "model/hostlist.h"

#define SITE_FILE      FLEET_FILE
#define SITE_FILE_MAX  FLEET_MAX
#define SITE_NODES_MAX 256 /* bytes of a host list of one launch: a value of a tag */

struct site_resource;

/* One place that instances may come from, and how it fared. */
struct site_pool {
	const struct site_resource *resource;
	const char *type, *subnet;
	/* private to pool.c */
	uint64_t rests_until; /* clock.h */
	unsigned failures;    /* one after the other */
	enum cause cause;     /* of the last one */
	char why[400];        /* the last one, for people; "": none */
};

struct site_resource {
	const struct doc *at;
	const char *text; /* of `nodes` */
	struct hostlist nodes;
	const char *image, *profile, *key;
	struct field_strings types, subnets, groups;
	struct field_pairs tags;
	size_t n_pools;
	struct site_pool *pools;
};

struct site {
	const char *cluster;
	const struct doc *node; /* keys of each node's node document; NULL: none */
	size_t n_resources;
	struct site_resource *resources;
};

/* `text` is the file's, named `file` in messages; everything lives in `a`. All faults are looked
 * for; see faults.h. */
int site_read(const char *file, struct blob text, struct faults *faults, struct arena *a,
              struct site *ret, struct err *e) ATTR_MUST_USE;

/* NULL: the node is not ours. */
struct site_resource *site_find(const struct site *s, const char *node);

/* The user data of a launch: the node document with `nodes`, the names of its instances. */
struct blob site_user_data(const struct site *s, const char *nodes, struct arena *a);
