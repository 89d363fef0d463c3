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
 * A resource's pools are its types, each in each of its subnets, in the file's order; where Spot falls
 * back, first all of them as Spot, then all on demand. hpc-fleet(8) says what each key means.
 */
#pragma once

#include "base/strmap.h"
#include "data/faults.h"
#include "data/field.h"
#include "model/fleet.h"
#include "model/hostlist.h"

#define SITE_FILE      FLEET_FILE
#define SITE_FILE_MAX  FLEET_MAX
#define SITE_NODES_MAX 256 /* bytes of a host list of one launch: a value of a tag */

#define SITE_CARDS_MAX 64

#define SITE_ON_DEMAND      "on-demand"
#define SITE_SPOT           "spot"
#define SITE_CAPACITY_BLOCK "capacity-block"
extern const char *const site_markets[]; /* these, and NULL */

struct site_resource;

/* What must be known of a type, where its resource asks for cores, or for EFA, or its queue has a cost. */
struct site_type {
	const char *name;
	const char *price; /* dollars an hour on demand, as "0.0104"; NULL: not told */
	int64_t cores;     /* of one instance; 0: not told */
	int64_t cards;     /* network cards, at least 1 */
	int64_t efa;       /* interfaces with EFA that it may have, of all its cards */
};

/* The root volume: what the image says of it, changed. 0 and NULL: as it is there. */
struct site_root {
	const char *device, *type, *key;
	int64_t gib, iops, throughput;
	bool encrypted;
};

/* One place that instances may come from, and how it fared. */
struct site_pool {
	const struct site_resource *resource;
	const char *type, *subnet;
	const char *market; /* SITE_ON_DEMAND, SITE_SPOT, SITE_CAPACITY_BLOCK */
	/* private to pool.c */
	uint64_t rests_until; /* clock.h */
	unsigned failures;    /* one after the other */
	char why[400];        /* the last one, for people; "": none */
};

/* What a queue may use. */
struct site_queue {
	const struct doc *at;
	const char *name;
	int64_t max_hours;    /* of instances in a month; 0: no limit */
	const char *max_cost; /* dollars an hour of all its instances; NULL: no limit */
	/* private to who judges it */
	uint64_t rests_until; /* clock.h: it was refused */
	uint64_t counted;     /* clock.h: when `seconds` was right; 0: never */
	int64_t seconds;      /* that its instances had in this month */
};

struct site_resource {
	const struct doc *at;
	const char *text; /* of `nodes` */
	struct hostlist nodes;
	const char *name, *queue; /* for its tags; or NULL */
	const char *image, *profile, *key;
	struct field_strings types, subnets, groups;
	int market; /* of its first pools: an index of site_markets */
	const char *max_price, *placement_group, *tenancy, *reservation; /* or NULL */
	bool fall_back;      /* Spot: on demand, when no Spot is to be had */
	bool exclusive;      /* a node is one job's */
	bool efa;            /* all interfaces of EFA that its types may have */
	bool public_address; /* where the file says so; else as the subnet says: */
	bool says_public;
	int64_t threads; /* of a core; 0: as the type has */
	bool has_root;
	struct site_root root;
	struct field_pairs tags;
	size_t n_pools;
	struct site_pool *pools;
	/* private to who counts failed bootstraps, but for pool_clear() */
	unsigned boots;     /* one after the other */
	int64_t boots_last; /* seconds since 1970: the newest launch of them */
};

struct site {
	const char *cluster;
	const struct doc *node; /* keys of each node's node document; NULL: none */
	size_t n_resources;
	struct site_resource *resources;
	size_t n_types;
	struct site_type *types;
	size_t n_queues;
	struct site_queue *queues;
	struct strmap by_node; /* their resources */
};

/* `text` is the file's, named `file` in messages; everything lives in `a`. All faults are looked
 * for; see faults.h. */
int site_read(const char *file, struct blob text, struct faults *faults, struct arena *a,
              struct site *ret, struct err *e) ATTR_MUST_USE;

/* NULL: the node is not ours. */
struct site_resource *site_find(const struct site *s, const char *node);

/* NULL: the file says nothing of that type. */
const struct site_type *site_type(const struct site *s, const char *name);

/* NULL: nothing limits that queue; `name` may be NULL. */
struct site_queue *site_queue(const struct site *s, const char *name);

/* A price of the file in millionths of a dollar, rounded up. */
int64_t site_micros(const char *price);
/* What an instance of that resource costs at most in an hour, in those; 0: not told. Spot is never dearer
 * than its highest price, or else than on demand. */
int64_t site_cost(const struct site *s, const struct site_resource *r, const char *type,
                  const char *market);

/* What its instances are launched with, but for type, subnet and market, as 16 hex digits. */
#define SITE_SHAPE 17
void site_shape(const struct site *s, const struct site_resource *r, char out[static SITE_SHAPE]);

/* The user data of a launch: the node document with `nodes`, the names of its instances. */
struct blob site_user_data(const struct site *s, const char *nodes, struct arena *a);
