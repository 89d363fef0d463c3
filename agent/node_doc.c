/* SPDX-License-Identifier: Apache-2.0 */
/* The node document: its table of fields, its layers, and checks of its values. */
#include "agent/node_doc.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "data/network.h"
#include "http/uri.h"
#include "model/fleet.h"
#include "model/hostlist.h"

#define DEADLINE_DEFAULT_MS (300 * 1000)

/* What the table decodes into; node_doc_decode() turns it into the public form. */
struct raw {
	int64_t version;
	const char *cluster, *config, *config_sha256, *config_key, *bucket_owner, *node, *head,
	        *munge_key, *dynamic, *pool;
	int role;
	uint64_t deadline_ms, splay_ms;
	const struct doc *on_failure, *storage, *nodes, *fleet;
};

static const char *const roles[] = {"compute", "head", "login", NULL}; /* as enum cluster_role */

#define AT(m) FIELD_AT(struct raw, m)
const struct field node_doc_fields[] = {
        {"version", FIELD_INT, AT(version), .min = 1, .max = 1,
         .help = "version of this format: 1"},
        {"cluster", FIELD_STRING, AT(cluster), .help = "name of the cluster"},
        {"role", FIELD_CHOICE, AT(role), .choices = roles, .help = "what this node is"},
        {"config", FIELD_STRING, AT(config), .help = "where the cluster configuration is"},
        {"config-sha256", FIELD_STRING, AT(config_sha256),
         .help = "digest the configuration must have"},
        {"config-key", FIELD_STRING, AT(config_key),
         .help = "Ed25519 public key (base64) the configuration must be signed with"},
        {"bucket-owner", FIELD_STRING, AT(bucket_owner),
         .help = "account id that must own the configuration's bucket"},
        {"node", FIELD_STRING, AT(node), .help = "Slurm NodeName of this node"},
        {"nodes", FIELD_DOC, AT(nodes),
         .help = "NodeNames of the instances of one launch, e.g. q-dy-a-[1-9]; this one's is at "
                 "its launch-index"},
        {"head", FIELD_STRING, AT(head), .help = "address of the head node"},
        {"munge-key", FIELD_STRING, AT(munge_key),
         .help = "where the munge key is; default: munge.key beside config"},
        {"pool", FIELD_STRING, AT(pool), .help = "pool of a login node, by its Name"},
        {"dynamic", FIELD_STRING, AT(dynamic),
         .help = "register as a dynamic node with this slurm.conf fragment, e.g. Feature=x"},
        {"storage", FIELD_DOC, AT(storage),
         .help = "shared storage by name: the file system id or NFS source the configuration "
                 "lacks"},
        {"fleet", FIELD_DOC, AT(fleet),
         .help = "of a head: image, security-groups, instance-profile(s), key-name and node of the "
                 "instances it launches, as far as the configuration doesn't say"},
        {"deadline", FIELD_DURATION, AT(deadline_ms),
         .help = "time the whole run may take; default 300s"},
        {"splay", FIELD_DURATION, AT(splay_ms),
         .help = "wait up to this long, at random, before asking what a fleet shares; default 0"},
        {"on-failure", FIELD_DOC, AT(on_failure),
         .help = "hold (default), poweroff, terminate, or 'hold-for: 10m'"},
        {0},
};

void node_doc_overlay(struct arena *a, struct doc *merged, const struct doc *layer)
{
	for (size_t i = 0; layer && i < layer->n; i++) {
		size_t at = 0;

		while (at < merged->n && !str_eq(merged->keys[at]->text, layer->keys[i]->text))
			at++;
		if (at == merged->n)
			doc_put(a, merged, layer->keys[i]->text, layer->items[i]);
		merged->keys[at] = layer->keys[i];
		merged->items[at] = layer->items[i];
	}
}

static struct doc *named_place(struct arena *a, const char *file)
{
	struct doc *at = doc_new_map(a, NULL);

	at->file = file;
	return at;
}

/* storage.NAME is looked up by the code that knows the name, and hpc-fleet says by some whose an
 * instance is; the others are keys of the document. */
static bool is_key_of_document(const char *tag)
{
	return !fleet_is_tag(tag) && !str_starts(tag, "storage.");
}

struct doc *node_doc_from_tags(struct arena *a, const struct vars *facts)
{
	static const char own[] = "tag.hpc-node:";
	struct doc *map = named_place(a, "instance tags");
	const char *cluster = vars_get(facts, "tag.parallelcluster:cluster-name");
	const char *type = vars_get(facts, "tag.parallelcluster:node-type");

	if (cluster)
		doc_put_text(a, map, "cluster", cluster);
	if (type)
		doc_put_text(a, map, "role",
		             str_eq(type, "HeadNode")    ? "head"
		             : str_eq(type, "LoginNode") ? "login"
		                                         : "compute");
	struct doc *tags = named_place(a, "instance tags");
	for (size_t i = 0; i < facts->n; i++) {
		const char *name = facts->items[i].name;

		if (str_starts(name, own) && is_key_of_document(name + strlen(own)))
			doc_put_text(a, tags, name + strlen(own), facts->items[i].value);
	}
	node_doc_overlay(a, map, tags);
	return map;
}

/* On a command line a path may be relative to the working directory. */
static const char *from_here(struct arena *a, const char *place)
{
	char here[PATH_MAX];

	if (!place || place[0] == '/' || place[strcspn(place, ":")] == ':' ||
	    !getcwd(here, sizeof here))
		return place;
	return arena_printf(a, "%s/%s", here, place);
}

struct doc *node_doc_from_options(struct arena *a, const struct options *o, uint64_t deadline_ms)
{
	const struct {
		const char *key, *value;
	} given[] = {
	        {"config", from_here(a, o->config)},
	        {"cluster", o->cluster},
	        {"role", o->role},
	        {"node", o->node},
	        {"head", o->head},
	        {"munge-key", from_here(a, o->munge_key)},
	};
	struct doc *map = named_place(a, "command line");

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (given[i].value)
			doc_put_text(a, map, given[i].key, given[i].value);
	if (deadline_ms)
		doc_put_text(a, map, "deadline",
		             arena_printf(a, "%llums", (unsigned long long)deadline_ms));
	return map;
}

static int decode_on_failure(const struct doc *d, struct node_doc *ret, struct err *e)
{
	static const char *const words[] = {"hold", "poweroff",
	                                    "terminate"}; /* as enum on_failure */
	const char *hold_for;

	if (!d || d->type == DOC_NULL)
		return 0;
	for (size_t i = 0; d->type == DOC_SCALAR && i < ARRAY_LEN(words); i++)
		if (str_eq(d->text, words[i])) {
			ret->on_failure = (enum on_failure)i;
			return 0;
		}
	hold_for = d->type == DOC_MAP && d->n == 1 ? doc_text(d, "hold-for") : NULL;
	/* A tag is one string: "hold-for: 10m" */
	if (d->type == DOC_SCALAR && str_starts(d->text, "hold-for:"))
		hold_for =
		        d->text + strlen("hold-for:") + strspn(d->text + strlen("hold-for:"), " ");
	if (hold_for && str_duration_ms(hold_for, &ret->hold_ms) == 0) {
		ret->on_failure = ON_FAILURE_HOLD_FOR;
		return 0;
	}
	return doc_err(d, e, REASON_INPUT_TYPE,
	               "on-failure: expected hold, poweroff, terminate or 'hold-for: DURATION'");
}

static int check_hex(const struct doc *merged, const char *key, const char *value, struct err *e)
{
	unsigned char sum[32];

	if (!value || str_unhex(value, sum, sizeof sum) == 0)
		return 0;
	return doc_err(doc_get(merged, key), e, REASON_INPUT_TYPE, "%s: expected 64 hex digits",
	               key);
}

/* The characters that both Slurm and DNS allow; the name also becomes a host name and part of file
 * names. */
static int check_name(const struct doc *merged, const char *value, struct err *e)
{
	static const char allowed[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	if (!value || (*value && *value != '-' && strlen(value) <= 63 &&
	               value[strspn(value, allowed)] == '\0'))
		return 0;
	return doc_err(doc_get(merged, "node"), e, REASON_INPUT_RANGE,
	               "node: '%s' is no node name: expected at most 63 letters, digits, - and _",
	               value);
}

/* It is put in front of ':' and ':PORT'. */
static int check_head(const struct doc *merged, const char *head, struct err *e)
{
	if (!head || network_is_host(head))
		return 0;
	return doc_err(
	        doc_get(merged, "head"), e, REASON_INPUT_RANGE,
	        "head: '%s' is no address: expected a host name, an IPv4 or an IPv6 address, "
	        "without a port",
	        head);
}

/* A path is accepted instead of a URI for a file that is read on the node itself. */
static const char *as_uri(struct arena *a, const char *place)
{
	return place && place[0] == '/' ? arena_printf(a, "file:%s", place) : place;
}

/* "s3://b/x/cluster-config.yaml?versionId=v" -> "s3://b/x/munge.key" */
static const char *beside(struct arena *a, const char *config)
{
	size_t len = config ? strcspn(config, "?") : 0;

	while (len && config[len - 1] != '/')
		len--;
	return len ? as_uri(a, arena_printf(a, "%.*smunge.key", (int)len, config)) : NULL;
}

/* A path is accepted instead of a URI: the program that reads it runs on the node. */
static int check_config(const struct doc *merged, const char *config, struct arena *a,
                        struct err *e)
{
	struct uri uri;
	struct err why;

	if (!config || config[0] == '/' || uri_parse(config, a, &uri, &why) == 0)
		return 0;
	return doc_err(doc_get(merged, "config"), e, REASON_INPUT_RANGE, "config: %s", why.text);
}

static int check_munge_key(const struct doc *merged, const char *key, struct arena *a,
                           struct err *e)
{
	struct uri uri;
	struct err why;

	if (!key || str_starts(key, "arn:") || uri_parse(as_uri(a, key), a, &uri, &why) == 0)
		return 0;
	return doc_err(doc_get(merged, "munge-key"), e, REASON_INPUT_RANGE,
	               "munge-key: %s, or a Secrets Manager ARN", why.text);
}

static int check_storage(const struct doc *storage, struct err *e)
{
	if (!storage || storage->type == DOC_MAP)
		return 0;
	return doc_err(storage, e, REASON_INPUT_TYPE, "storage: expected a map, found %s",
	               doc_type_name(storage));
}

static int check_nodes(const struct doc *nodes, struct arena *a, struct err *e)
{
	struct hostlist list;
	struct err why;

	if (!nodes)
		return 0;
	if (nodes->type != DOC_SCALAR)
		return doc_err(nodes, e, REASON_INPUT_TYPE, "nodes: expected a string, found %s",
		               doc_type_name(nodes));
	if (hostlist_parse(nodes->text, a, &list, &why) == 0)
		return 0;
	return doc_err(nodes, e, why.reason, "nodes: %s", why.text);
}

static int check_values(const struct doc *merged, const struct raw *raw, struct arena *a,
                        struct err *e)
{
	int r = check_hex(merged, "config-sha256", raw->config_sha256, e);

	if (r < 0)
		return r;
	r = check_name(merged, raw->node, e);
	if (r < 0)
		return r;
	r = check_nodes(raw->nodes, a, e);
	if (r < 0)
		return r;
	r = check_head(merged, raw->head, e);
	if (r < 0)
		return r;
	r = check_config(merged, raw->config, a, e);
	if (r < 0)
		return r;
	r = check_munge_key(merged, raw->munge_key, a, e);
	if (r < 0)
		return r;
	return check_storage(raw->storage, e);
}

/* What the instances that a head launches are told as it was; a file of its own is none of theirs. */
static struct doc *shared_of(const struct doc *merged, struct arena *a)
{
	static const char *const keys[] = {"config-sha256", "config-key", "bucket-owner",
	                                   "munge-key", "storage"};
	struct doc *map = doc_new_map(a, merged);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *text = doc_text(merged, keys[i]);
		bool is_here = text && (text[0] == '/' || str_starts(text, "file:"));

		if (doc_get(merged, keys[i]) && !is_here)
			doc_put(a, map, keys[i], doc_get(merged, keys[i]));
	}
	return map;
}

int node_doc_decode(const struct doc *merged, struct arena *a, struct node_doc *ret, struct err *e)
{
	struct raw raw = {.version = 1};
	struct node_doc n = {0};
	int r = field_decode(merged, node_doc_fields, NULL, a, &raw, e);

	if (r < 0)
		return r;
	r = decode_on_failure(raw.on_failure, &n, e);
	if (r < 0)
		return r;
	r = check_values(merged, &raw, a, e);
	if (r < 0)
		return r;
	struct cluster_launch launch = {0};
	r = cluster_launch_decode(raw.fleet, a, &launch, e);
	if (r < 0)
		return r;
	n.cluster = raw.cluster;
	n.config = raw.config;
	n.config_sha256 = raw.config_sha256;
	n.config_key = raw.config_key;
	n.bucket_owner = raw.bucket_owner;
	n.deadline_given = raw.deadline_ms;
	n.deadline_ms = raw.deadline_ms ? raw.deadline_ms : DEADLINE_DEFAULT_MS;
	n.splay_ms = raw.splay_ms;
	n.nodes = raw.nodes;
	n.node = (struct cluster_node){
	        .role = (enum cluster_role)raw.role,
	        .node = raw.node,
	        .head = raw.head,
	        .munge_key = as_uri(a, raw.munge_key),
	        .munge_key_default = beside(a, raw.config),
	        .pool = raw.pool,
	        .dynamic = raw.dynamic,
	        .storage = raw.storage,
	        .launch = launch,
	        .shared = shared_of(merged, a),
	};
	*ret = n;
	return 0;
}

int node_doc_take_name(struct node_doc *n, const struct vars *facts, struct arena *a, struct err *e)
{
	const char *index = vars_get(facts, "launch-index");
	struct hostlist list;
	uint64_t at;

	if (n->node.node || !n->nodes)
		return 0;
	int r = hostlist_parse(n->nodes->text, a, &list, e);
	if (r < 0)
		return r;
	if (!index || str_u64(index, 0, UINT32_MAX, &at) < 0)
		return doc_err(n->nodes, e, REASON_INPUT_REQUIRED,
		               "nodes: the metadata service doesn't tell this instance's number in "
		               "its launch: expected 'node', the name of this one");
	if (at >= list.n)
		return doc_err(n->nodes, e, REASON_INPUT_RANGE,
		               "nodes: this is instance %llu of its launch, counted from 0, and "
		               "'%.100s' has %zu names",
		               (unsigned long long)at, n->nodes->text, list.n);
	n->node.node = list.names[at];
	return 0;
}

void node_doc_facts(const struct node_doc *n, struct vars *facts)
{
	const struct {
		const char *name, *value;
	} given[] = {
	        {"cluster", n->cluster}, {"role", cluster_role_name(n->node.role)},
	        {"node", n->node.node},  {"head", n->node.head},
	        {"config", n->config},
	};

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (given[i].value)
			vars_set(facts, given[i].name, given[i].value, "node document");
}

int node_doc_take(const struct doc *merged, struct arena *a, struct node_doc *ret,
                  struct vars *facts, struct err *e)
{
	int r = node_doc_decode(merged, a, ret, e);

	if (r < 0)
		return r;
	r = node_doc_take_name(ret, facts, a, e);
	if (r < 0)
		return r;
	node_doc_facts(ret, facts);
	return 0;
}
