/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/source.h"

#include <errno.h>

#include "aws/fetch.h"
#include "base/backoff.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/secret.h"
#include "cloud/uri.h"
#include "data/userdata.h"
#include "data/yaml.h"
#include "kinds/kinds.h"

int source_open(struct agent *g, struct err *e)
{
	enum host_mode mode =
	        g->opt.dry_run || g->program.line.verb->bit == VERB_PLAN ? HOST_DRY : HOST_LIVE;

	g->cloud = cloud_open(&g->program.cloud_config);
	return host_open(g->opt.root, mode, &g->host, e);
}

/* ---- facts this machine tells by itself ---- */

/* Where Slurm is: an image that has it baked in needs no /opt/slurm from the head node. */
static void find_slurm(struct agent *g)
{
	static const struct {
		const char *prefix, *slurmd;
	} places[] = {{"/opt/slurm", "/opt/slurm/sbin/slurmd"}, {"/usr", "/usr/sbin/slurmd"}};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (host_exists(g->host, places[i].slurmd)) {
			vars_set(&g->facts, "slurm-prefix", places[i].prefix, "machine");
			return;
		}
}

/* ---- the node document's layers ---- */

static int add_file(struct agent *g, struct doc *merged, struct err *e)
{
	struct blob text;
	struct doc *layer;

	if (!host_exists(g->host, AGENT_NODE_FILE))
		return 0;
	int r = host_read(g->host, AGENT_NODE_FILE, AGENT_INPUT_MAX, g->program.arena, &text, e);
	if (r >= 0)
		r = yaml_parse(AGENT_NODE_FILE, text, g->program.arena, &layer, e);
	if (r < 0)
		return r;
	if (layer->type == DOC_MAP)
		node_doc_overlay(g->program.arena, merged, layer);
	else if (layer->type != DOC_NULL)
		return doc_err(layer, e, REASON_INPUT_TYPE, "expected a map, found %s",
		               doc_type_name(layer));
	return 0;
}

static int add_user_data(struct agent *g, struct doc *merged, struct err *e)
{
	struct blob raw, text;
	struct doc *layer;
	int r = cloud_user_data(g->cloud, g->program.arena, &raw, g->program.deadline, e);

	if (r >= 0)
		r = userdata_find(raw, g->program.arena, &text, e);
	if (r < 0 || !text.len)
		return r;
	r = yaml_parse("user data", text, g->program.arena, &layer, e);
	if (r < 0)
		return r;
	if (layer->type != DOC_MAP)
		return doc_err(layer, e, REASON_INPUT_TYPE, "expected a map, found %s",
		               doc_type_name(layer));
	node_doc_overlay(g->program.arena, merged, layer);
	return 0;
}

static int add_metadata(struct agent *g, struct doc *merged, struct err *e)
{
	int r = cloud_identity(g->cloud, &g->facts, g->program.deadline, e);

	if (r < 0)
		return r;
	node_doc_overlay(g->program.arena, merged, node_doc_from_tags(g->program.arena, &g->facts));
	return add_user_data(g, merged, e);
}

/* What the file and the command line say is checked before anything is waited for. */
static int check_local(struct agent *g, const struct doc *file, struct err *e)
{
	struct doc *local = doc_new_map(g->program.arena, NULL);

	node_doc_overlay(g->program.arena, local, file);
	node_doc_overlay(g->program.arena, local,
	                 node_doc_from_options(g->program.arena, &g->opt, g->program.deadline_ms));
	return node_doc_decode(local, g->program.arena, &g->node, e);
}

int source_node(struct agent *g, struct err *e)
{
	struct doc *merged = doc_new_map(g->program.arena, NULL);
	int r;

	merged->file = "node document";
	find_slurm(g);
	r = add_file(g, merged, e);
	if (r >= 0)
		r = check_local(g, merged, e);
	if (r >= 0 && !g->program.no_metadata)
		r = add_metadata(g, merged, e);
	if (r < 0)
		return r;
	node_doc_overlay(g->program.arena, merged,
	                 node_doc_from_options(g->program.arena, &g->opt, g->program.deadline_ms));
	r = node_doc_decode(merged, g->program.arena, &g->node, e);
	if (r < 0)
		return r;
	node_doc_facts(&g->node, &g->facts);
	g->program.deadline =
	        clock_min(g->program.deadline, g->program.start + g->node.deadline_ms * 1000000);
	return 0;
}

/* ---- the configuration ---- */

static const char *with_scheme(struct arena *a, const char *config)
{
	return config[0] == '/' ? arena_printf(a, "file:%s", config) : config;
}

/* The detached signature stands beside the object: 64 raw bytes, or their base64. */
static int check_signature(struct agent *g, const char *uri, struct blob text, struct err *e)
{
	unsigned char key[DIGEST_ED25519_KEY], sig[DIGEST_ED25519_SIG];
	struct blob raw;
	size_t len;
	const char *sig_uri = uri_beside(uri, ".sig", g->program.arena);
	const struct fetch fetch = {.uri = sig_uri, .max = 1024};

	if (str_base64_decode((struct blob){g->node.config_key, strlen(g->node.config_key)}, key,
	                      sizeof key, &len) < 0 ||
	    len != sizeof key)
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "config-key: expected 32 bytes of Ed25519 public key in base64");
	int r = fetch_memory(g->cloud, &fetch, g->program.arena, &raw, g->program.deadline, e);
	if (r < 0)
		return err_wrap(e, "fetching the signature of '%s'", uri);
	if (raw.len == sizeof sig)
		memcpy(sig, raw.data, sizeof sig);
	else if (str_base64_decode(raw, sig, sizeof sig, &len) < 0 || len != sizeof sig)
		return err_set(e, ERR_INTEGRITY, REASON_SIGNATURE_INVALID, EBADMSG,
		               "'%s' is no Ed25519 signature: expected 64 bytes, or their base64",
		               sig_uri);
	if (!digest_ed25519_verify(key, text.data, text.len, sig))
		return err_set(e, ERR_INTEGRITY, REASON_SIGNATURE_INVALID, EBADMSG,
		               "'%s' is not signed by config-key", uri);
	return 0;
}

int source_plan_of(struct agent *g, const char *name, struct blob text, struct err *e)
{
	struct doc *config, *spec;
	int r = cluster_read(name, text, g->program.arena, &config, e);

	if (r < 0)
		return r;
	r = cluster_spec(config, &g->node.node, &g->facts, &(struct cluster_reading){0},
	                 g->program.arena, &spec, e);
	if (r < 0)
		return r;
	return plan_build(spec, kinds_all, NULL, &g->facts, NULL, g->program.arena, &g->plan, e);
}

/* A thousand nodes that boot at once would ask S3, NFS and slurmctld at once: spread out, each is
 * answered the first time. Jitter between retries alone only keeps them from failing. */
static void splay(const struct agent *g)
{
	struct backoff once = {
	        .base_ms = (uint32_t)clock_min(g->node.splay_ms, UINT32_MAX),
	        .cap_ms = UINT32_MAX,
	};

	if (g->node.splay_ms && g->boots)
		(void)clock_sleep_ms(backoff_next_ms(&once), g->program.deadline);
}

int source_plan(struct agent *g, struct err *e)
{
	struct blob text;

	splay(g);

	if (!g->node.config)
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		        "no cluster configuration is named: expected 'config' in %s, an instance "
		        "tag hpc-node:config, user data or --config",
		        AGENT_NODE_FILE);
	const char *uri = with_scheme(g->program.arena, g->node.config);
	const struct fetch fetch = {
	        .uri = uri,
	        .sha256 = g->node.config_sha256,
	        .max = AGENT_INPUT_MAX,
	};
	if (g->node.bucket_owner)
		cloud_expect_owner(g->cloud, g->node.bucket_owner);
	int r = fetch_memory(g->cloud, &fetch, g->program.arena, &text, g->program.deadline, e);
	if (r >= 0 && g->node.config_key)
		r = check_signature(g, uri, text, e);
	return r < 0 ? r : source_plan_of(g, g->node.config, text, e);
}
