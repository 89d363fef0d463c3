/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the fleet's file. */
#include "launch/site.h"

#include <errno.h>

#include "data/yaml.h"

#define RESOURCES_MAX 1000
#define TYPES_MAX     100
#define SUBNETS_MAX   16
#define GROUPS_MAX    16 /* of EC2 */
#define TAGS_MAX      40 /* EC2 takes 50, and some are ours */
#define USER_DATA_MAX (16 * 1024)

#define AT(m) FIELD_AT(struct site_resource, m)
static const struct field resource_fields[] = {
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
        {"tags", FIELD_PAIRS, AT(tags), .max = TAGS_MAX,
         .help = "tags of its instances and volumes"},
        {0},
};
#undef AT

struct raw {
	const char *cluster;
	const struct doc *node;
	struct field_list resources;
};
#define AT(m) FIELD_AT(struct raw, m)
static const struct field site_fields[] = {
        {"cluster", FIELD_STRING, AT(cluster), .required = true, .min = 1, .max = 60,
         .help = "name of the cluster"},
        {"node", FIELD_DOC, AT(node), .help = "keys of each node's node document"},
        {"resources", FIELD_LIST, AT(resources), .required = true, .min = 1, .max = RESOURCES_MAX,
         .sub = resource_fields, .size = sizeof(struct site_resource),
         .help = "what nodes are made of"},
        {0},
};

/* ---- checks ---- */

static int check_id(const struct doc *at, const char *key, const char *text, const char *prefix,
                    struct err *e)
{
	if (str_starts(text, prefix) && text[strlen(prefix)])
		return 0;
	return doc_err(at, e, REASON_INPUT_RANGE, "%s: '%.80s': expected %s...", key, text, prefix);
}

static int check_ids(const struct doc *resource, const char *key, const struct field_strings *list,
                     const char *prefix, struct err *e)
{
	for (size_t i = 0; i < list->n; i++) {
		int r = check_id(doc_get(resource, key), key, list->items[i], prefix, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Ours say which cluster and which node an instance is: a site's can't. EC2 takes only these
 * characters where tags are in the metadata. */
static int check_tags(const struct field_pairs *tags, struct err *e)
{
	static const char allowed[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-=.,_:@";

	for (size_t i = 0; i < tags->n; i++)
		if (str_starts(tags->items[i].name, "hpc-node:") ||
		    str_starts(tags->items[i].name, "aws:") ||
		    tags->items[i].name[strspn(tags->items[i].name, allowed)])
			return doc_err(tags->items[i].at, e, REASON_INPUT_RANGE,
			               "tags: '%.80s': expected letters, digits and +-=.,_:@, "
			               "and neither hpc-node: nor aws: at the beginning",
			               tags->items[i].name);
	return 0;
}

static int check_resource(struct site_resource *r, struct arena *a, struct err *e)
{
	struct err why;

	if (hostlist_parse(r->text, a, &r->nodes, &why) < 0)
		return doc_err(doc_get(r->at, "nodes"), e, why.reason, "nodes: %s", why.text);
	int rc = check_id(doc_get(r->at, "image"), "image", r->image, "ami-", e);
	if (rc < 0)
		return rc;
	rc = check_ids(r->at, "subnets", &r->subnets, "subnet-", e);
	if (rc < 0)
		return rc;
	rc = check_ids(r->at, "security-groups", &r->groups, "sg-", e);
	if (rc < 0)
		return rc;
	return check_tags(&r->tags, e);
}

static void make_pools(struct site_resource *r, struct arena *a)
{
	r->n_pools = r->types.n * r->subnets.n;
	r->pools = arena_array(a, r->n_pools, sizeof *r->pools);
	for (size_t i = 0; i < r->n_pools; i++)
		r->pools[i] = (struct site_pool){.resource = r,
		                                 .type = r->types.items[i / r->subnets.n],
		                                 .subnet = r->subnets.items[i % r->subnets.n]};
}

/* With a host list as long as one may be. */
static bool is_too_long(const struct site *s, struct arena *a)
{
	char nodes[SITE_NODES_MAX + 1];

	memset(nodes, 'n', SITE_NODES_MAX);
	nodes[SITE_NODES_MAX] = '\0';
	return site_user_data(s, nodes, a).len > USER_DATA_MAX;
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
		int r = check_resource(&s->resources[i], a, e);
		if (r < 0 && !faults_add(faults, e))
			return r;
		failed = r < 0 ? r : failed;
		make_pools(&s->resources[i], a);
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
	                 .n_resources = raw.resources.n,
	                 .resources = raw.resources.items};
	int failed = check_node(&s, a, e);
	if (failed < 0 && !faults_add(faults, e))
		return failed;
	r = read_resources(doc_get(d, "resources"), &s, faults, a, e);
	if (r < 0 || failed < 0)
		return r < 0 ? r : failed;
	*ret = s;
	return 0;
}

struct site_resource *site_find(const struct site *s, const char *node)
{
	for (size_t i = 0; i < s->n_resources; i++)
		for (size_t k = 0; k < s->resources[i].nodes.n; k++)
			if (str_eq(s->resources[i].nodes.names[k], node))
				return &s->resources[i];
	return NULL;
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
