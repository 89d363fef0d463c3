/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster's configuration: fetches it, verifies it, and plans this node's steps from it. */
#include "agent/config.h"

#include <errno.h>
#include <stdio.h>

#include "aws/fetch.h"
#include "base/backoff.h"
#include "base/digest.h"
#include "http/uri.h"
#include "kinds/kinds.h"
#include "model/instance_file.h"
#include "pcluster/pcluster_schema.h"
#include "userdata/userdata.h"

#define NS_PER_MS     1000000
#define SIGNATURE_MAX 1024 /* bytes: 64 raw ones, or their base64 with line ends */

/* ---- the plan ---- */

/* If no instance tells the region, the file does: for what the steps fetch, and for names of
 * servers. */
static void take_region(struct agent *g, const struct doc *config)
{
	const char *region = cluster_region(config);

	if (!region || vars_get(&g->facts, "region"))
		return;
	vars_set(&g->facts, "region", region, "configuration");
	if (g->program.cloud_config.region || !g->program.cloud_config.no_metadata || !g->cloud)
		return;
	g->program.cloud_config.region = region;
	cloud_close(g->cloud);
	g->cloud = cloud_open(&g->program.cloud_config);
}

static void take_timeout(struct agent *g, const struct doc *config)
{
	uint64_t ms = cluster_timeout_ms(config, g->node.node.role);

	if (ms && !g->node.deadline_given)
		g->program.deadline = g->program.start + ms * NS_PER_MS;
}

int config_plan_of(struct agent *g, const struct doc *config, const struct cluster_reading *reading,
                   struct err *e)
{
	struct cluster_reading mine = *reading;
	struct instance_table types;
	struct doc *spec;
	int r;

	g->notes.arena = g->program.arena;
	mine.notes = &g->notes;
	take_region(g, config);
	take_timeout(g, config);
	if (g->node.node.role == CLUSTER_HEAD && pcluster_is(config)) {
		r = instance_file_read(INSTANCE_FILE_AGENT, g->program.arena, &types, e);
		if (r < 0)
			return r;
		mine.types = &types;
	}
	r = cluster_spec(config, &g->node.node, &g->facts, &mine, g->program.arena, &spec, e);
	if (r < 0)
		return r;
	return plan_build(spec, kinds_all, NULL, &g->facts, mine.faults, g->program.arena, &g->plan,
	                  e);
}

/* ---- the signature ---- */

static int read_key(const char *text, unsigned char key[static DIGEST_ED25519_KEY], struct err *e)
{
	size_t len;

	if (str_base64_decode((struct blob){text, strlen(text)}, key, DIGEST_ED25519_KEY, &len) ==
	            0 &&
	    len == DIGEST_ED25519_KEY)
		return 0;
	return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
	               "config-key: expected 32 bytes of Ed25519 public key in base64");
}

static bool read_signature(struct blob raw, unsigned char sig[static DIGEST_ED25519_SIG])
{
	size_t len;

	if (raw.len == DIGEST_ED25519_SIG) {
		memcpy(sig, raw.data, raw.len);
		return true;
	}
	return str_base64_decode(raw, sig, DIGEST_ED25519_SIG, &len) == 0 &&
	       len == DIGEST_ED25519_SIG;
}

/* The detached signature is stored beside the object: 64 raw bytes, or their base64. */
static int check_signature(struct agent *g, const char *uri, struct blob text, struct err *e)
{
	unsigned char key[DIGEST_ED25519_KEY], sig[DIGEST_ED25519_SIG];
	const struct fetch fetch = {.uri = uri_beside(uri, ".sig", g->program.arena),
	                            .max = SIGNATURE_MAX};
	struct blob raw;
	int r = read_key(g->node.config_key, key, e);

	if (r < 0)
		return r;
	r = fetch_memory(g->cloud, &fetch, g->program.arena, &raw, g->program.deadline, e);
	if (r < 0)
		return err_wrap(e, "fetching the signature of '%s'", uri);
	if (!read_signature(raw, sig))
		return err_set(e, ERR_INTEGRITY, REASON_SIGNATURE_INVALID, EBADMSG,
		               "'%s' is no Ed25519 signature: expected 64 bytes, or their base64",
		               fetch.uri);
	if (!digest_ed25519_verify(key, text.data, text.len, sig))
		return err_set(e, ERR_INTEGRITY, REASON_SIGNATURE_INVALID, EBADMSG,
		               "'%s' is not signed by config-key", uri);
	return 0;
}

/* ---- fetching ---- */

static const char *with_scheme(struct arena *a, const char *config)
{
	return config[0] == '/' ? arena_printf(a, "file:%s", config) : config;
}

/* A thousand nodes that boot at once would all ask S3, NFS and slurmctld at the same time; spread
 * out, each is answered at its first try. Jitter between retries alone only keeps them from
 * failing. */
static void splay(const struct agent *g)
{
	struct backoff once = {
	        .base_ms = (uint32_t)clock_min(g->node.splay_ms, UINT32_MAX),
	        .cap_ms = UINT32_MAX,
	};

	if (g->node.splay_ms && g->boots)
		(void)clock_sleep_ms(backoff_next_ms(&once), g->program.deadline);
}

/* Lists where it was looked for, so that nobody has to guess which of the four places was meant. */
static int no_config(const struct agent *g, struct err *e)
{
	char seen[160] = "";

	if (!g->program.cloud_config.no_metadata && !g->user_data_used)
		snprintf(seen, sizeof seen, "; the instance has %zu bytes of user data: %s",
		         g->user_data.len, userdata_describe(g->user_data));
	return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
	               "no cluster configuration is named: expected 'config' in %s, an instance "
	               "tag hpc-node:config, user data or --config%s",
	               AGENT_NODE_FILE, seen);
}

int config_plan(struct agent *g, struct err *e)
{
	const struct cluster_reading reading = {0};
	struct blob text;

	splay(g);
	if (!g->node.config)
		return no_config(g, e);
	const char *uri = with_scheme(g->program.arena, g->node.config);
	const struct fetch fetch = {
	        .uri = uri,
	        .sha256 = g->node.config_sha256,
	        .max = AGENT_INPUT_MAX,
	};
	if (g->node.bucket_owner)
		cloud_expect_owner(g->cloud, g->node.bucket_owner);
	int r = fetch_memory(g->cloud, &fetch, g->program.arena, &text, g->program.deadline, e);
	/* A local file that can't be read: the path given is wrong. */
	if (r < 0 && str_starts(uri, "file:") && e->kind == ERR_HOST)
		e->kind = ERR_INPUT;
	if (r < 0)
		return r;
	r = g->node.config_key ? check_signature(g, uri, text, e) : 0;
	if (r < 0)
		return r;
	struct doc *config;
	r = cluster_read(g->node.config, text, g->program.arena, &config, e);
	return r < 0 ? r : config_plan_of(g, config, &reading, e);
}
