/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No key of ParallelCluster's file is ignored silently: each is set in a file that is valid without it, and then the
 * sections of some node, a note, a refusal that names it, or the stack must differ. The keys are those of the schema, so
 * that one which is added there is asked for, too; what concerns neither a node nor the stack is listed with the reason.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "cluster/cluster.h"
#include "pcluster/pcluster_model.h"
#include "pcluster/pcluster_rows.h"
#include "stack/stack.h"

#define OUTPUT_MAX (4UL << 20)
#define PATH_LEN   256

static const char base_text[] =
        "Region: eu-west-1\n"
        "Image: {Os: ubuntu2204}\n"
        "HeadNode: {InstanceType: h.x, Networking: {SubnetId: subnet-1}, Ssh: {KeyName: k}}\n"
        "LoginNodes: {Pools: [{Name: p, InstanceType: h.x, Count: 1, Networking: {SubnetIds: [subnet-1]}}]}\n"
        "Scheduling:\n"
        "  Scheduler: slurm\n"
        "  SlurmQueues:\n"
        "  - Name: q\n"
        "    Networking: {SubnetIds: [subnet-1]}\n"
        "    ComputeResources: [{Name: r, InstanceType: a.s, MinCount: 1, MaxCount: 4}]\n"
        "SharedStorage:\n"
        "- {Name: ebs, MountDir: /ebs, StorageType: Ebs}\n"
        "- {Name: efs, MountDir: /efs, StorageType: Efs}\n"
        "- {Name: lustre, MountDir: /lustre, StorageType: FsxLustre}\n"
        "- {Name: zfs, MountDir: /zfs, StorageType: FsxOpenZfs, FsxOpenZfsSettings: {VolumeId: fsvol-0123}}\n"
        "- {Name: ontap, MountDir: /ontap, StorageType: FsxOntap, FsxOntapSettings: {VolumeId: fsvol-4567}}\n"
        "- {Name: cache, MountDir: /cache, StorageType: FileCache, FileCacheSettings: {FileCacheId: fc-0123}}\n";

static const char types_text[] = "h.x\tx86_64\t16\t8\t2\t32768\t-\t-\t0\t0\t1\t0\t0\n"
                                 "a.s\tx86_64\t8\t4\t2\t10000\tNVIDIA\tt4\t1\t1\t1\t0\t0\n"
                                 "a.t\tx86_64\t8\t4\t2\t20000\tNVIDIA\tt4\t1\t1\t1\t0\t0\n";

/* Values that the rules between keys want, by the end of a key's path; `also`: what must be set with it. */
static const struct sample {
	const char *key, *value, *also, *is;
} samples[] = {
        {"Region", "us-east-1", NULL, NULL},
        {"AllowedIps", "192.0.2.0/24", NULL, NULL},
        {"HeadNode.Dcv.AllowedIps", "192.0.2.0/24", "HeadNode.Dcv.Enabled", "true"},
        {"HeadNode.Dcv.Port", "8444", "HeadNode.Dcv.Enabled", "true"},
        {"ElasticIp", "true", NULL, NULL},
        {"HeadNode.SharedStorageEfsSettings.Encrypted", "true", "HeadNode.SharedStorageType",
         "Efs"},
        {"CapacityReservationId", "cr-0123456789abcdef0", NULL, NULL},
        {"SlurmQueues.AllocationStrategy", "lowest-price",
         "Scheduling.SlurmQueues.0.ComputeResources.0",
         "{Name: r, Instances: [{InstanceType: a.s}, {InstanceType: a.t}]}"},
        {"ComputeResources.SpotPrice", "0.5", "Scheduling.SlurmQueues.0.CapacityType", "SPOT"},
        {"Efa.GdrSupport", "true", "Scheduling.SlurmQueues.0.ComputeResources.0.Efa",
         "{Enabled: true}"},
        {"PlacementGroup.Id", "pg-0123456789abcdef0", NULL, NULL},
        {"AdditionalSecurityGroups", "[sg-0123]", NULL, NULL},
        {"SecurityGroups", "[sg-0123]", NULL, NULL},
        {"InstanceType", "a.t", NULL, NULL},
        {"CustomAmi", "ami-0123", NULL, NULL},
        {"EfsSettings.FileSystemId", "fs-0123", NULL, NULL},
        {"EfsSettings.AccessPointId", "fsap-0123456789abcdef0", "SharedStorage.1.EfsSettings",
         "{FileSystemId: fs-0123456789abcdef0, EncryptionInTransit: true}"},
        {"FsxLustreSettings.FileSystemId", "fs-0123", NULL, NULL},
        {"FsxLustreSettings.DnsName", "f.example", "SharedStorage.2.FsxLustreSettings",
         "{FileSystemId: fs-0123, MountName: m}"},
        {"HpcNode.Users.Uid", "1000", NULL, NULL},
        {"HpcNode.Users.Keys",
         "[ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB]", NULL,
         NULL},
        {NULL, NULL, NULL, NULL},
};

/* By the beginning of a path. */
static const struct {
	const char *path, *why;
} elsewhere[] = {
        {"Scheduling.AwsBatchSettings", "of another scheduler, which is refused"},
        {"Scheduling.AwsBatchQueues", "the same"},
        {"Scheduling.SchedulerSettings", "the same"},
        {"Scheduling.SchedulerQueues", "the same"},
        {"Scheduling.SlurmQueues.CustomActions.OnNodeUpdated",
         "only the head has it, which is refused"},
        {"Scheduling.SlurmSettings.Dns.DisableManagedDns", "no DNS is managed"},
        {"HeadNode.Dcv.Port", "Dcv: a note tells of all of it"},
        {"HeadNode.Dcv.AllowedIps", "the same"},
        {"LoginNodes.Pools.Dcv.Port", "the same"},
        {"LoginNodes.Pools.Dcv.AllowedIps", "the same"},
        {"LoginNodes.Pools.Image.CustomAmi", "of launching them, which a note leaves to others"},
        {"LoginNodes.Pools.Ssh", "the same"},
        {"LoginNodes.Pools.Networking.SubnetIds", "the same"},
        {"LoginNodes.Pools.Networking.SecurityGroups", "the same"},
        {"LoginNodes.Pools.Networking.AdditionalSecurityGroups", "the same"},
        {"Iam.Roles.LambdaFunctionsRole", "there are no Lambda functions"},
        {"DeploymentSettings.LambdaFunctionsVpcConfig", "the same"},
        {"DevSettings.AwsBatchCliPackage", "ParallelCluster's own programs, none of which is used"},
        {"DevSettings.ClusterTemplate", "the same"},
        {"DevSettings.AmiSearchFilters", "the image is a parameter of the stack"},
        {"DevSettings.ComputeStartupTimeMetricEnabled", "a metric of ParallelCluster's"},
        {NULL, NULL},
};

/* ---- what a file makes ---- */

/* Without the places of its notes, which move with what stands before them. */
static void put_text(struct strbuf *out, const char *text)
{
	unsigned line, column;
	int end = 0;

	for (; *text; text++) {
		if (sscanf(text, "k.yaml:%u:%u%n", &line, &column, &end) == 2)
			text += end;
		strbuf_char(out, *text);
	}
	strbuf_char(out, '\n');
}

static void put_notes(struct strbuf *out, const struct cluster_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++)
		put_text(out, notes->items[i]);
}

static void put_role(const struct doc *config, const struct cluster_node *node,
                     const struct instance_table *types, struct arena *a, struct strbuf *out)
{
	struct cluster_notes notes = {.arena = a};
	struct vars facts = {.arena = a};
	const struct cluster_reading reading = {.notes = &notes, .types = types, .elsewhere = true};
	struct doc *spec;
	struct err e;

	vars_set(&facts, "cluster", "c", "test");
	vars_set(&facts, "region", "eu-west-1", "test");
	vars_set(&facts, "local-ipv4", "192.0.2.10", "test");
	vars_set(&facts, "vpc-cidrs", "192.0.2.0/24", "test");
	vars_set(&facts, "slurm-prefix", "/usr", "test");
	vars_set(&facts, "slurm-version", "25.11", "test");
	vars_set(&facts, "fleet-program", "/usr/sbin/hpc-fleet", "test");
	if (cluster_spec(config, node, &facts, &reading, a, &spec, &e) < 0)
		put_text(out, e.text);
	else
		doc_json(spec, out);
	put_notes(out, &notes);
}

static void put_stack(const struct doc *config, const struct instance_table *types, struct arena *a,
                      struct strbuf *out)
{
	static const struct cluster_node node = {.role = CLUSTER_HEAD};
	struct cluster_notes notes = {.arena = a};
	struct vars facts = {.arena = a};
	struct model model;
	struct stack s;
	struct err e;
	const struct pcluster_input in = {.config = config,
	                                  .node = &node,
	                                  .facts = &facts,
	                                  .types = types,
	                                  .notes = &notes,
	                                  .elsewhere = true,
	                                  .arena = a};
	struct doc *storage = doc_new_map(a, NULL);

	vars_set(&facts, "cluster", "c", "test");
	vars_set(&facts, "vpc-cidrs", "192.0.2.0/24", "test");
	doc_put_text(a, storage, "zfs", "z.example:/fsx");
	doc_put_text(a, storage, "ontap", "o.example:/vol");
	doc_put_text(a, storage, "cache", "c.example@tcp:/x");
	const struct stack_input to = {.config = config,
	                               .model = &model,
	                               .sha256 = "00",
	                               .storage = storage,
	                               .notes = &notes,
	                               .arena = a};
	if (pcluster_model(&in, &model, &e) < 0 || stack_write(&to, &s, &e) < 0)
		put_text(out, e.text);
	else
		strbuf_str(out, s.text.data);
	put_notes(out, &notes);
}

/* All that the programs say and would do of the file; false: it is refused before that, *ret says why. */
static bool outcome(const char *text, struct arena *a, const char **ret)
{
	static const struct cluster_node nodes[] = {
	        {.role = CLUSTER_COMPUTE,
	         .node = "q-dy-r-1",
	         .head = "10.0.0.5",
	         .munge_key_default = "s3://b/m"},
	        {.role = CLUSTER_LOGIN,
	         .pool = "p",
	         .head = "10.0.0.5",
	         .munge_key_default = "s3://b/m"},
	        {.role = CLUSTER_HEAD,
	         .munge_key_default = "s3://b/m",
	         .launch = {.image = "ami-1", .profile = "p", .key = "k"}}};
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
	struct instance_table types = {0};
	struct doc *config;
	struct err e = {0};
	struct cluster_notes notes = {.arena = a};
	const struct cluster_reading reading = {
	        .notes = &notes, .types = &types, .elsewhere = true};

	assert_int_equal(instance_add(&types, "types",
	                              (struct blob){types_text, sizeof types_text - 1}, a, &e),
	                 0);
	if (cluster_read("k.yaml", (struct blob){text, strlen(text)}, a, &config, &e) < 0 ||
	    cluster_check(config, &reading, a, &e) < 0) {
		*ret = arena_strdup(a, e.text);
		return false;
	}
	put_notes(&out, &notes);
	strbuf_printf(&out, "%s\n", cluster_region(config));
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		strbuf_printf(&out, "%llu\n",
		              (unsigned long long)cluster_timeout_ms(config, nodes[i].role));
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		put_role(config, &nodes[i], &types, a, &out);
	put_stack(config, &types, a, &out);
	assert_false(out.overflow);
	*ret = out.data;
	return true;
}

/* ---- files with one key more ---- */

/* Where a key is: names, and numbers of entries of lists that the base has. */
struct place {
	const struct place *above;
	const struct pcluster_row *row;
	size_t entry;
};

struct
try {
	struct arena *arena;
	const char *base; /* its outcome */
	char unheard[16384], invalid[16384];
	size_t keys;
};

static void path_of(const struct place *at, char out[static PATH_LEN])
{
	if (at->above) {
		path_of(at->above, out);
		strncat(out, ".", PATH_LEN - strlen(out) - 1);
	} else {
		out[0] = '\0';
	}
	strncat(out, at->row->name, PATH_LEN - strlen(out) - 1);
}

static struct doc *parsed(struct arena *a, const char *value)
{
	struct doc *d;
	struct err e;
	const char *text = arena_printf(a, "HeadNode: %s\n", value);

	assert_ok(cluster_read("k.yaml", (struct blob){text, strlen(text)}, a, &d, &e));
	return doc_get(d, "HeadNode");
}

static bool is_at(const char *path, const char *end)
{
	size_t n = strlen(path), k = strlen(end);

	return n >= k && str_eq(path + n - k, end) && (n == k || path[n - k - 1] == '.');
}

static const struct sample *sample_of(const char *path)
{
	for (const struct sample *s = samples; s->key; s++)
		if (is_at(path, s->key))
			return s;
	return NULL;
}

/* The i-th value to try; NULL: no more. */
static const char *value_of(struct arena *a, const struct pcluster_row *row, const char *path,
                            size_t i)
{
	const struct sample *s = sample_of(path);

	if (row->type == FIELD_BOOL)
		return i == 0 ? "true" : i == 1 ? "false" : NULL;
	if (s)
		return i == 0 ? s->value : NULL;
	if (row->type == FIELD_CHOICE)
		return row->choices[i];
	if (i)
		return NULL;
	if (row->starts) {
		bool id = str_ends(row->starts, "-");

		return arena_printf(a, row->type == FIELD_STRINGS ? "['%s%s%s']" : "'%s%s%s'",
		                    row->starts, id ? "0123456789abcdef0" : "sample",
		                    row->holds ? row->holds : "");
	}
	switch ((int)row->type) {
	case FIELD_INT:
		return arena_printf(
		        a, "%lld",
		        (long long)(row->max ? row->min + (row->max - row->min > 2 ? 2 : 1) : 7));
	case FIELD_NUMBER:
		return "0.5";
	case FIELD_STRINGS:
		return "[sample]";
	case FIELD_MAP:
	case FIELD_PAIRS:
		return "{Sample: x}";
	case FIELD_LIST:
		return "[{Sample: x}]";
	default:
		return "sample";
	}
}

static void fill_required(struct arena *a, struct doc *map, const struct pcluster_row *rows,
                          const char *path)
{
	for (; rows && rows->name; rows++) {
		const char *own = arena_printf(a, "%s.%s", path, rows->name);

		if (!rows->required || doc_get(map, rows->name))
			continue;
		struct doc *value = rows->type == FIELD_MAP && rows->sub
		                            ? doc_new_map(a, map)
		                            : parsed(a, value_of(a, rows, own, 0));
		if (rows->type == FIELD_MAP && rows->sub)
			fill_required(a, value, rows->sub, own);
		doc_put(a, map, rows->name, value);
	}
}

static void set(struct doc *map, const char *key, struct doc *value, struct arena *a)
{
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->keys[i]->text, key)) {
			map->items[i] = value;
			return;
		}
	doc_put(a, map, key, value);
}

/* The map that holds the key, made where it is missing. */
static struct doc *map_of(struct arena *a, struct doc *top, const struct place *above)
{
	char path[PATH_LEN];

	if (!above)
		return top;
	struct doc *outer = map_of(a, top, above->above), *here = doc_get(outer, above->row->name);
	bool list = above->row->type == FIELD_LIST;

	path_of(above, path);
	if (!here) {
		here = list ? doc_new_list(a, outer) : doc_new_map(a, outer);
		doc_put(a, outer, above->row->name, here);
	}
	if (list && above->entry >= here->n)
		doc_push(a, here, doc_new_map(a, here));
	struct doc *map = list ? here->items[above->entry] : here;
	fill_required(a, map, above->row->sub, path);
	return map;
}

static void set_dotted(struct arena *a, struct doc *top, const char *path, const char *value)
{
	for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
		const char *name = arena_memdup(a, path, (size_t)(dot - path));
		struct doc *next = top->type == DOC_LIST ? top->items[strtoul(name, NULL, 10)]
		                                         : doc_get(top, name);

		if (!next) {
			next = doc_new_map(a, top);
			doc_put(a, top, name, next);
		}
		top = next;
	}
	if (top->type == DOC_LIST)
		top->items[strtoul(path, NULL, 10)] = parsed(a, value);
	else
		set(top, path, parsed(a, value), a);
}

static const char *file_with(struct arena *a, const struct place *at, const char *path,
                             const char *value)
{
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
	const struct sample *s = sample_of(path);
	struct doc *top;
	struct err e;

	assert_ok(cluster_read("k.yaml", (struct blob){base_text, sizeof base_text - 1}, a, &top,
	                       &e));
	if (s && s->also)
		set_dotted(a, top, s->also, s->is);
	if (value)
		set(map_of(a, top, at->above), at->row->name, parsed(a, value), a);
	doc_json(top, &out);
	return out.data;
}

/* ---- the walk ---- */

static bool is_elsewhere(const char *path)
{
	for (size_t i = 0; elsewhere[i].path; i++) {
		size_t n = strlen(elsewhere[i].path);

		if (strncmp(path, elsewhere[i].path, n) == 0 && (!path[n] || path[n] == '.'))
			return true;
	}
	return false;
}

static void add_line(char *list, size_t cap, const char *path, const char *text)
{
	size_t n = strlen(list);

	snprintf(list + n, cap - n, "\n  %s%s%.200s", path, *text ? ": " : "", text);
}

/* 1: it shows; 0: it doesn't; -1: no value is valid there. */
static int shows(struct try *t, const struct place *at, const char *path, const char **ret_why)
{
	const char *value;
	int heard = -1;

	for (size_t i = 0; (value = value_of(t->arena, at->row, path, i)) != NULL; i++) {
		scope_arena struct arena *a = arena_new();
		const struct sample *s = sample_of(path);
		const char *said, *before = t->base;

		if (s && s->also)
			assert_true(outcome(file_with(a, at, path, NULL), a, &before));
		bool valid = outcome(file_with(a, at, path, value), a, &said);
		if (!valid) {
			*ret_why = arena_strdup(t->arena, said);
			if (strstr(said, at->row->name) && strstr(said, "unsupported"))
				return 1;
			continue;
		}
		if (!str_eq(said, before))
			return 1;
		heard = 0;
	}
	return heard;
}

static void visit_key(struct try *t, const struct place *at)
{
	char path[PATH_LEN];
	const char *why = "";

	path_of(at, path);
	t->keys++;
	int r = shows(t, at, path, &why);
	if (r < 0 && !is_elsewhere(path))
		add_line(t->invalid, sizeof t->invalid, path, why);
	else if ((r <= 0) != is_elsewhere(path))
		add_line(t->unheard, sizeof t->unheard, path, r ? "it is listed, and shows" : "");
}

/* The entry of the base's SharedStorage that takes such settings. */
static size_t entry_for(const struct pcluster_row *row)
{
	static const char *const settings[] = {"EbsSettings",       "EfsSettings",
	                                       "FsxLustreSettings", "FsxOpenZfsSettings",
	                                       "FsxOntapSettings",  "FileCacheSettings"};

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (str_eq(row->name, settings[i]))
			return i;
	return 0;
}

static void visit(struct try *t, const struct pcluster_row *rows, const struct place *above)
{
	for (; rows->name; rows++) {
		struct place over, at = {.above = above, .row = rows};

		if (above) {
			over = *above;
			over.entry = entry_for(rows);
			at.above = &over;
		}
		if (rows->sub)
			visit(t, rows->sub, &at);
		else if (!rows->required)
			visit_key(t, &at);
	}
}

static void every_key_shows(void **state)
{
	scope_arena struct arena *a = arena_new();
	static struct try t;

	(void)state;
	t.arena = a;
	assert_true(outcome(file_with(a, NULL, "", NULL), a, &t.base));
	visit(&t, pcluster_schema_rows, NULL);
	print_message("%zu keys\n", t.keys);
	if (t.unheard[0])
		fputs("without effect or word:", stderr), fputs(t.unheard, stderr),
		        fputs("\n", stderr);
	if (t.invalid[0])
		fputs("without a valid value:", stderr), fputs(t.invalid, stderr),
		        fputs("\n", stderr);
	assert_string_equal(t.unheard, "");
	assert_string_equal(t.invalid, "");
	assert_true(t.keys > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_key_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
