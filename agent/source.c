/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the layers of the node document, merges them, and collects the facts. */
#include "agent/source.h"

#include <errno.h>

#include "base/log.h"
#include "data/yaml.h"
#include "userdata/userdata.h"

#define NS_PER_MS      1000000
#define OS_RELEASE_MAX (64UL << 10)
#define FLEET_PROGRAM  "/usr/sbin/hpc-fleet"

int source_open(struct agent *g, struct err *e)
{
	enum host_mode mode =
	        g->opt.dry_run || g->program.line.verb->bit == VERB_PLAN ? HOST_DRY : HOST_LIVE;

	g->cloud = cloud_open(&g->program.cloud_config);
	return host_open(g->opt.root, mode, &g->host, e);
}

/* ---- facts this machine tells by itself ---- */

/* Where Slurm is installed: an image that contains it needs no /opt/slurm from the head node. */
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

/* ID of os-release(5), which may be in quotes. */
static void find_distribution(struct agent *g)
{
	struct blob text;
	struct err ignored;

	if (host_read(g->host, "/etc/os-release", OS_RELEASE_MAX, g->program.arena, &text,
	              &ignored) < 0)
		return;
	for (const char *line = text.data; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!str_starts(line, "ID="))
			continue;
		line += strlen("ID=");
		line += strspn(line, "\"'");
		vars_set(&g->facts, "distribution",
		         arena_memdup(g->program.arena, line, strcspn(line, "\"'\n")), "machine");
		return;
	}
}

/* A login node has no slurmd. */
static void find_clients(struct agent *g)
{
	if (!vars_get(&g->facts, "slurm-prefix") && host_exists(g->host, "/usr/bin/sinfo"))
		vars_set(&g->facts, "slurm-prefix", "/usr", "machine");
}

/* What `slurmctld -V` says: "slurm-wlm 22.05.8". A head's slurm.conf follows from it. */
static int find_release(struct agent *g, struct err *e)
{
	const char *argv[] = {"/usr/sbin/slurmctld", "-V", NULL};
	const struct host_exec x = {.argv = argv, .deadline = g->program.deadline};
	struct host_result said;

	if (!host_exists(g->host, argv[0]))
		return 0;
	int r = host_run_ok(g->host, &x, g->program.arena, &said, e);
	if (r < 0)
		return r;
	const char *line =
	        arena_memdup(g->program.arena, said.out.data, strcspn(said.out.data, "\n"));
	const char *blank = strrchr(line, ' ');
	vars_set(&g->facts, "slurm-version", blank ? blank + 1 : line, "machine");
	return 0;
}

/* What only a head needs to know of itself: other nodes are spared the time. */
static int add_head(struct agent *g, struct err *e)
{
	int r = find_release(g, e);

	if (host_exists(g->host, FLEET_PROGRAM))
		vars_set(&g->facts, "fleet-program", FLEET_PROGRAM, "machine");
	if (r < 0 || g->program.cloud_config.no_metadata)
		return r;
	return cloud_networks(g->cloud, &g->facts, g->program.deadline, e);
}

/* ---- the node document's layers ---- */

static int as_map(struct agent *g, struct doc *merged, const struct doc *layer, struct err *e)
{
	if (layer->type == DOC_NULL)
		return 0;
	if (layer->type != DOC_MAP)
		return doc_err(layer, e, REASON_INPUT_TYPE, "expected a map, found %s",
		               doc_type_name(layer));
	node_doc_overlay(g->program.arena, merged, layer);
	return 0;
}

static int add_file(struct agent *g, struct doc *merged, struct err *e)
{
	struct blob text;
	struct doc *layer;

	int r = host_lookup(g->host, AGENT_NODE_FILE, e);

	if (r <= 0)
		return r;
	r = host_read(g->host, AGENT_NODE_FILE, AGENT_INPUT_MAX, g->program.arena, &text, e);
	if (r < 0)
		return r;
	r = yaml_parse(AGENT_NODE_FILE, text, g->program.arena, &layer, e);
	if (r < 0)
		return r;
	return as_map(g, merged, layer, e);
}

/* An empty document is an error if the user data says that it is one. */
static int add_user_data(struct agent *g, struct doc *merged, struct err *e)
{
	struct blob text;
	struct doc *layer;
	int r = cloud_user_data(g->cloud, g->program.arena, &g->user_data, g->program.deadline, e);

	if (r < 0)
		return r;
	r = userdata_find(g->user_data, g->program.arena, &text, e);
	if (r < 0 || !text.len)
		return r;
	g->user_data_used = true;
	r = yaml_parse("user data", text, g->program.arena, &layer, e);
	if (r < 0)
		return r;
	if (layer->type != DOC_MAP)
		return doc_err(layer, e, REASON_INPUT_TYPE, "expected a map, found %s",
		               doc_type_name(layer));
	node_doc_overlay(g->program.arena, merged, layer);
	return 0;
}

/* Warns of user data that seems to be meant for us but isn't valid. */
static void warn_of_user_data(const struct agent *g)
{
	const char *why = userdata_near(g->user_data);

	if (!g->user_data_used && why)
		log_warning("the user data is not read as a node document: %s", why);
}

static int add_metadata(struct agent *g, struct doc *merged, struct err *e)
{
	int r = cloud_identity(g->cloud, &g->facts, g->program.deadline, e);

	if (r < 0)
		return r;
	node_doc_overlay(g->program.arena, merged, node_doc_from_tags(g->program.arena, &g->facts));
	r = add_user_data(g, merged, e);
	if (r < 0)
		return r;
	warn_of_user_data(g);
	return 0;
}

/* The command line is checked separately: a fault in it is a usage error. */
static int check_options(struct agent *g, const struct doc *options, struct err *e)
{
	int r = node_doc_decode(options, g->program.arena, &g->node, e);

	if (r < 0 && e->kind == ERR_INPUT)
		e->kind = ERR_USAGE;
	return r;
}

/* The file and the command line are checked before anything is waited for. */
static int check_local(struct agent *g, const struct doc *file, const struct doc *options,
                       struct err *e)
{
	struct doc *local = doc_new_map(g->program.arena, NULL);
	int r = check_options(g, options, e);

	if (r < 0)
		return r;
	node_doc_overlay(g->program.arena, local, file);
	node_doc_overlay(g->program.arena, local, options);
	return node_doc_decode(local, g->program.arena, &g->node, e);
}

static void take_deadline(struct agent *g)
{
	g->program.deadline = g->program.start + g->node.deadline_ms * NS_PER_MS;
}

int source_node(struct agent *g, struct err *e)
{
	struct doc *merged = doc_new_map(g->program.arena, NULL);
	const struct doc *options =
	        node_doc_from_options(g->program.arena, &g->opt, g->program.deadline_ms);
	int r;

	merged->file = "node document";
	find_slurm(g);
	find_distribution(g);
	r = add_file(g, merged, e);
	if (r < 0)
		return r;
	r = check_local(g, merged, options, e);
	if (r < 0)
		return r;
	take_deadline(g); /* the metadata may say another */
	r = g->program.cloud_config.no_metadata ? 0 : add_metadata(g, merged, e);
	if (r < 0)
		return r;
	node_doc_overlay(g->program.arena, merged, options);
	r = node_doc_take(merged, g->program.arena, &g->node, &g->facts, e);
	if (r < 0)
		return r;
	take_deadline(g);
	if (g->node.node.role == CLUSTER_LOGIN)
		find_clients(g);
	return g->node.node.role == CLUSTER_HEAD ? add_head(g, e) : 0;
}
