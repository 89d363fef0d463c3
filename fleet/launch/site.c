/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the fleet's file. */
#include "launch/site_own.h"

#include <errno.h>

#include "data/network.h"
#include "data/yaml.h"

#define RESOURCES_MAX  1000
#define TYPES_MAX      100
#define SUBNETS_MAX    16
#define TYPES_TOLD_MAX 2000
#define TAG_VALUE_MAX  256
#define GROUPS_MAX     16 /* of EC2 */
#define TAGS_MAX       40 /* EC2 takes 50, and some are ours */
#define USER_DATA_MAX  (16 * 1024)

#define AT(m) FIELD_AT(struct site_root, m)
static const struct field root_fields[] = {
        {"device", FIELD_STRING, AT(device), .min = 1, .max = 64, .help = "its name in the image"},
        {"size", FIELD_INT, AT(gib), .min = 1, .max = 65536, .help = "GiB"},
        {"type", FIELD_STRING, AT(type), .help = "type of volume: gp3"},
        {"iops", FIELD_INT, AT(iops), .min = 100, .max = 256000, .help = "operations a second"},
        {"throughput", FIELD_INT, AT(throughput), .min = 125, .max = 2000, .help = "MiB a second"},
        {"encrypted", FIELD_BOOL, AT(encrypted), .help = "whether it is encrypted"},
        {"kms-key", FIELD_STRING, AT(key), .min = 1, .help = "with this key of KMS"},
        {0},
};
#undef AT

#define AT(m) FIELD_AT(struct site_resource, m)
static const struct field resource_fields[] = {
        {"name", FIELD_STRING, AT(name), .min = 1, .max = TAG_VALUE_MAX,
         .help = "its name, for a tag of its instances"},
        {"queue", FIELD_STRING, AT(queue), .min = 1, .max = TAG_VALUE_MAX,
         .help = "its partition, for a tag of its instances"},
        {"nodes", FIELD_STRING, AT(text), .required = true,
         .help = "the NodeNames that Slurm has of it, e.g. queue1-dy-a-[1-10]"},
        {"image", FIELD_STRING, AT(image), .required = true, .help = "the AMI"},
        {"types", FIELD_STRINGS, AT(types), .required = true, .min = 1, .max = TYPES_MAX,
         .help = "instance types, the first ones tried first"},
        {"subnets", FIELD_STRINGS, AT(subnets), .required = true, .min = 1, .max = SUBNETS_MAX,
         .help = "subnets, the first ones tried first"},
        {"security-groups", FIELD_STRINGS, AT(groups), .max = GROUPS_MAX,
         .help = "ids of security groups; default: the VPC's own"},
        {"instance-profile", FIELD_STRING, AT(profile), .help = "its role: a name or an ARN"},
        {"key-name", FIELD_STRING, AT(key), .help = "key pair for SSH"},
        {"market", FIELD_CHOICE, AT(market), .choices = site_markets,
         .help = "how instances are bought"},
        {"max-price", FIELD_STRING, AT(max_price), .help = "of Spot: dollars an hour"},
        {"fall-back", FIELD_BOOL, AT(fall_back),
         .help = "of Spot: on demand, when no Spot is to be had"},
        {"placement-group", FIELD_STRING, AT(placement_group), .min = 1, .max = 255,
         .help = "name of a placement group"},
        {"tenancy", FIELD_STRING, AT(tenancy), .help = "dedicated: no other account's instances"},
        {"capacity-reservation", FIELD_STRING, AT(reservation),
         .help = "a capacity reservation, or the ARN of a group of them"},
        {"efa", FIELD_BOOL, AT(efa), .help = "all interfaces of EFA that its types may have"},
        {"public-address", FIELD_BOOL, AT(public_address),
         .help = "an address of the internet; default: as the subnet says"},
        {"threads-per-core", FIELD_INT, AT(threads), .min = 1, .max = 2,
         .help = "1: no hyperthreads"},
        {"root", FIELD_MAP, AT(root), .sub = root_fields, .help = "the root volume"},
        {"exclusive", FIELD_BOOL, AT(exclusive),
         .help = "a node is one job's: its instance has the job's tags"},
        {"tags", FIELD_PAIRS, AT(tags), .max = TAGS_MAX,
         .help = "tags of its instances and volumes"},
        {0},
};
#undef AT

#define AT(m) FIELD_AT(struct site_type, m)
static const struct site_type type_defaults = {.cards = 1};
static const struct field type_fields[] = {
        {"name", FIELD_STRING, AT(name), .required = true, .min = 1, .help = "p5.48xlarge"},
        {"cores", FIELD_INT, AT(cores), .min = 1, .max = 1024, .help = "of one instance"},
        {"cards", FIELD_INT, AT(cards), .min = 1, .max = SITE_CARDS_MAX, .help = "network cards"},
        {"efa", FIELD_INT, AT(efa), .min = 0, .max = SITE_CARDS_MAX,
         .help = "interfaces with EFA that it may have"},
        {"price", FIELD_STRING, AT(price), .help = "dollars an hour on demand"},
        {0},
};
#undef AT

#define AT(m) FIELD_AT(struct site_queue, m)
static const struct field queue_fields[] = {
        {"name", FIELD_STRING, AT(name), .required = true, .min = 1, .max = TAG_VALUE_MAX,
         .help = "the 'queue' of resources"},
        {"max-node-hours", FIELD_INT, AT(max_hours), .min = 1, .max = 1000000000,
         .help = "hours of its instances in a month"},
        {"max-hourly-cost", FIELD_STRING, AT(max_cost),
         .help = "dollars an hour of all its instances"},
        {0},
};
#undef AT

struct raw {
	const char *cluster;
	const struct doc *node;
	struct field_list types;
	struct field_list queues;
	struct field_list resources;
};
#define AT(m) FIELD_AT(struct raw, m)
static const struct site_resource resource_defaults = {.root = {.device = "/dev/xvda"}};
static const struct field site_fields[] = {
        {"cluster", FIELD_STRING, AT(cluster), .required = true, .min = 1, .max = 60,
         .help = "name of the cluster"},
        {"node", FIELD_DOC, AT(node), .help = "keys of each node's node document"},
        {"types", FIELD_LIST, AT(types), .max = TYPES_TOLD_MAX, .sub = type_fields,
         .size = sizeof(struct site_type), .defaults = &type_defaults,
         .help = "what must be known of instance types"},
        {"queues", FIELD_LIST, AT(queues), .max = RESOURCES_MAX, .sub = queue_fields,
         .size = sizeof(struct site_queue), .help = "what queues may use"},
        {"resources", FIELD_LIST, AT(resources), .required = true, .min = 1, .max = RESOURCES_MAX,
         .sub = resource_fields, .size = sizeof(struct site_resource),
         .defaults = &resource_defaults, .help = "what nodes are made of"},
        {0},
};

/* ---- pools ---- */

static void make_pools(struct site_resource *r, struct arena *a)
{
	size_t places = r->types.n * r->subnets.n;

	r->n_pools = r->fall_back ? 2 * places : places;
	r->pools = arena_array(a, r->n_pools, sizeof *r->pools);
	for (size_t i = 0; i < r->n_pools; i++)
		r->pools[i] = (struct site_pool){.resource = r,
		                                 .type = r->types.items[i % places / r->subnets.n],
		                                 .subnet = r->subnets.items[i % r->subnets.n],
		                                 .market = i < places ? site_markets[r->market]
		                                                      : SITE_ON_DEMAND};
}

/* What two resources have is the first one's. */
static void index_nodes(struct site *s)
{
	for (size_t i = s->n_resources; i-- > 0;)
		for (size_t k = 0; k < s->resources[i].nodes.n; k++)
			strmap_put(&s->by_node, s->resources[i].nodes.names[k], &s->resources[i]);
}

/* ---- the nodes' document ---- */

/* With a host list as long as one may be. */
static bool is_too_long(const struct site *s, struct arena *a)
{
	char nodes[SITE_NODES_MAX + 1];

	memset(nodes, 'n', SITE_NODES_MAX);
	nodes[SITE_NODES_MAX] = '\0';
	return site_user_data(s, nodes, a).len > USER_DATA_MAX;
}

/* Where a node begins to read. Instances of a document that none can read would come and go. */
static int check_begin(const struct doc *node, struct err *e)
{
	static const char *const places[] = {"s3://", "https://", "file:/", "/"};
	const char *head = doc_text(node, "head"), *config = doc_text(node, "config");
	size_t i = 0;

	if (head && !network_is_host(head))
		return doc_err(
		        doc_get(node, "head"), e, REASON_INPUT_RANGE,
		        "node: head: '%s' is no address: expected a host name, an IPv4 or an "
		        "IPv6 address, without a port",
		        head);
	while (config && i < ARRAY_LEN(places) && !str_starts(config, places[i]))
		i++;
	if (i < ARRAY_LEN(places))
		return 0;
	return doc_err(doc_get(node, "config"), e, REASON_INPUT_RANGE,
	               "node: config: '%s': expected s3://BUCKET/KEY, https://... or file:/PATH",
	               config);
}

static int check_node(const struct site *s, struct arena *a, struct err *e)
{
	static const char *const ours[] = {"node", "nodes", "cluster"};
	const struct doc *node = s->node;

	if (node && node->type != DOC_MAP)
		return doc_err(node, e, REASON_INPUT_TYPE, "node: expected a map, found %s",
		               doc_type_name(node));
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (doc_has(node, ours[i]))
			return doc_err(doc_get(node, ours[i]), e, REASON_INPUT_RANGE,
			               "node: '%s' is set for each launch", ours[i]);
	int r = check_begin(node, e);
	if (r < 0)
		return r;
	if (node && is_too_long(s, a))
		return doc_err(node, e, REASON_INPUT_LIMIT,
		               "node: too long: user data has at most %d bytes", USER_DATA_MAX);
	return 0;
}

/* ---- the file ---- */

static int read_resources(const struct doc *list, struct site *s, struct faults *faults,
                          struct arena *a, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < s->n_resources; i++) {
		s->resources[i].at = list->items[i];
		int r = site_check(s, &s->resources[i], a, e);
		if (r < 0 && !faults_add(faults, e))
			return r;
		failed = r < 0 ? r : failed;
		make_pools(&s->resources[i], a);
	}
	return failed;
}

/* The last fault; those before are told. */
static int read_queues(const struct doc *d, struct site *s, struct faults *faults, struct err *e)
{
	const struct doc *list = doc_get(d, "queues"), *types = doc_get(d, "types");
	int failed = 0, r;

	for (size_t i = 0; i < s->n_types; i++) {
		r = site_check_type(&s->types[i], types->items[i], e);
		if (r < 0 && !faults_add(faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	for (size_t i = 0; i < s->n_queues; i++) {
		s->queues[i].at = list->items[i];
		r = site_check_queue(s, &s->queues[i], e);
		if (r < 0 && !faults_add(faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	return failed;
}

int site_read(const char *file, struct blob text, struct faults *faults, struct arena *a,
              struct site *ret, struct err *e)
{
	struct raw raw = {0};
	struct doc *d;
	int r = yaml_parse(file, text, a, &d, e);

	if (r < 0)
		return r;
	r = field_decode_all(d, site_fields, NULL, faults, a, &raw, e);
	if (r < 0)
		return r;
	struct site s = {.cluster = raw.cluster,
	                 .node = raw.node,
	                 .by_node = {.arena = a},
	                 .n_types = raw.types.n,
	                 .types = raw.types.items,
	                 .n_queues = raw.queues.n,
	                 .queues = raw.queues.items,
	                 .n_resources = raw.resources.n,
	                 .resources = raw.resources.items};
	int failed = check_node(&s, a, e);
	if (failed < 0 && !faults_add(faults, e))
		return failed;
	r = read_queues(d, &s, faults, e);
	if (r < 0 && !faults_add(faults, e))
		return r;
	failed = r < 0 ? r : failed;
	r = read_resources(doc_get(d, "resources"), &s, faults, a, e);
	if (r < 0 || failed < 0)
		return r < 0 ? r : failed;
	index_nodes(&s);
	*ret = s;
	return 0;
}

struct blob site_user_data(const struct site *s, const char *nodes, struct arena *a)
{
	/* One byte more than EC2 takes: what is cut is then too long, and refused. */
	struct strbuf out = STRBUF(a, USER_DATA_MAX + 1);
	struct doc *d = doc_new_map(a, NULL);

	doc_put_text(a, d, "cluster", s->cluster);
	for (size_t i = 0; s->node && i < s->node->n; i++)
		doc_put(a, d, s->node->keys[i]->text, s->node->items[i]);
	doc_put_text(a, d, "nodes", nodes);
	strbuf_str(&out, "#hpc-node\n"); /* JSON is YAML, too */
	doc_json(d, &out);
	strbuf_char(&out, '\n');
	return (struct blob){out.data, out.len};
}
