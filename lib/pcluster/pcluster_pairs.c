/* SPDX-License-Identifier: Apache-2.0 */
/* Checks which keys of one map of a ParallelCluster file exclude or need each other. */
#include "data/scalar.h"
#include "pcluster/pcluster_input.h"
#include "pcluster/pcluster_rows.h"

/* Deeper than the schema's tables are; a document that isn't such a file may be deeper still. */
#define DEPTH_MAX 16

struct walk {
	struct faults_walk faults;
	struct cluster_notes *shortfalls; /* NULL: they are faults */
};

/* A refusal of ParallelCluster's own checks, which its schema doesn't have. */
static void fall_short(struct walk *w, int r)
{
	cluster_shortfall(w->shortfalls, &w->faults, r);
}

/* Unset, empty, and null are alike to marshmallow's rules. */
static bool is_set(const struct doc *map, const char *key)
{
	const struct doc *at = doc_get(map, key);

	return at && (at->type == DOC_SCALAR ? *at->text : at->n > 0);
}

/* ---- keys of which a map has one only ---- */

/* Their names are of one map each, wherever in the file that is. */
static const char *const pairs[][2] = {
        {"SecurityGroups", "AdditionalSecurityGroups"},
        {"CapacityReservationId", "CapacityReservationResourceGroupArn"},
        {"InstanceRole", "InstanceProfile"},
        {"InstanceRole", "AdditionalIamPolicies"},
        {"InstanceProfile", "AdditionalIamPolicies"},
        {"InstanceRole", "S3Access"},
        {"InstanceProfile", "S3Access"},
};

static void exclude(struct walk *w, const struct doc *map, const char *one, const char *other)
{
	if (!w->faults.ended && is_set(map, one) && is_set(map, other))
		faults_take(&w->faults,
		            doc_err(doc_get(map, other), w->faults.err, REASON_INPUT_RANGE,
		                    "%s: it and %s exclude each other", other, one));
}

static void check_pairs(struct walk *w, const struct doc *map)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		exclude(w, map, pairs[i][0], pairs[i][1]);
}

/* ---- what exists already is not described anew ---- */

static const struct given {
	const char *settings, *id;
	const char *beside[6];  /* what may stand beside the id; or, of a backup, */
	const char *without[8]; /* what may not */
} given[] = {
        {"EfsSettings",
         "FileSystemId",
         {"FileSystemId", "EncryptionInTransit", "IamAuthorization", "AccessPointId"},
         {0}},
        {"FsxLustreSettings", "FileSystemId", {"FileSystemId", "DnsName", "MountName"}, {0}},
        {"FsxLustreSettings",
         "BackupId",
         {0},
         {"DeploymentType", "PerUnitStorageThroughput", "StorageCapacity", "ImportPath",
          "ExportPath", "ImportedFileChunkSize", "KmsKeyId"}},
};

static bool is_among(const char *key, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n && names[i]; i++)
		if (str_eq(names[i], key))
			return true;
	return false;
}

static void check_given_key(struct walk *w, const struct doc *settings, size_t i,
                            const struct given *g)
{
	const char *key = settings->keys[i]->text;
	bool fits = g->beside[0] ? is_among(key, g->beside, ARRAY_LEN(g->beside))
	                         : !is_among(key, g->without, ARRAY_LEN(g->without));

	if (settings->items[i]->type == DOC_NULL || fits)
		return;
	faults_take(&w->faults, doc_err(settings->keys[i], w->faults.err, REASON_INPUT_RANGE,
	                                "%s: what %s names has it already: they exclude each other",
	                                key, g->id));
}

static void check_given(struct walk *w, const struct doc *map)
{
	for (size_t k = 0; k < ARRAY_LEN(given); k++) {
		const struct doc *settings = doc_get(map, given[k].settings);

		if (!settings || settings->type != DOC_MAP || !is_set(settings, given[k].id))
			continue;
		for (size_t i = 0; i < settings->n && !w->faults.ended; i++)
			check_given_key(w, settings, i, &given[k]);
	}
}

/* ---- what needs another key ---- */

static void check_access_point(struct walk *w, const struct doc *map)
{
	const struct doc *efs = doc_get(map, "EfsSettings");

	if (w->faults.ended || !efs || efs->type != DOC_MAP || !is_set(efs, "AccessPointId") ||
	    is_set(efs, "FileSystemId"))
		return;
	faults_take(&w->faults,
	            doc_err(doc_get(efs, "AccessPointId"), w->faults.err, REASON_INPUT_REQUIRED,
	                    "AccessPointId: expected the FileSystemId that it is of"));
}

static void check_placement(struct walk *w, const struct doc *map)
{
	static const char *const names[] = {"Id", "Name"};
	const struct doc *group = doc_get(map, "PlacementGroup");
	const struct doc *enabled = group ? doc_get(group, "Enabled") : NULL;
	bool on = true;

	if (!group || group->type != DOC_MAP)
		return;
	if (is_set(group, "Id") && is_set(group, "Name"))
		fall_short(w, doc_err(doc_get(group, "Name"), w->faults.err, REASON_INPUT_RANGE,
		                      "Name: it and Id exclude each other"));
	if (!enabled || scalar_bool(enabled, &on) < 0 || on)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names) && !w->faults.ended; i++)
		if (is_set(group, names[i]))
			fall_short(w, doc_err(doc_get(group, names[i]), w->faults.err,
			                      REASON_INPUT_RANGE,
			                      "PlacementGroup: %s: 'Enabled: false' excludes it",
			                      names[i]));
}

static void check_reservation(struct walk *w, const struct doc *map)
{
	const struct doc *target = doc_get(map, "CapacityReservationTarget");

	if (w->faults.ended || !target || target->type != DOC_MAP ||
	    is_set(target, "CapacityReservationId") ||
	    is_set(target, "CapacityReservationResourceGroupArn"))
		return;
	faults_take(&w->faults, doc_err(target, w->faults.err, REASON_INPUT_REQUIRED,
	                                "CapacityReservationTarget: expected CapacityReservationId "
	                                "or CapacityReservationResourceGroupArn"));
}

/* ---- tags ---- */

#define OURS "parallelcluster:"

static void check_tags(struct walk *w, const struct doc *map)
{
	const struct doc *tags = doc_get(map, "Tags");

	for (size_t i = 0; tags && tags->type == DOC_LIST && i < tags->n; i++) {
		const char *key = doc_text(tags->items[i], "Key");
		size_t first = 0;

		while (key && first < i && !str_eq(doc_text(tags->items[first], "Key"), key))
			first++;
		if (!w->faults.ended && key && first < i)
			faults_take(&w->faults, doc_err(doc_get(tags->items[i], "Key"),
			                                w->faults.err, REASON_INPUT_DUPLICATE,
			                                "Tags: '%s' is given twice", key));
		if (!w->faults.ended && key && str_starts(key, OURS) &&
		    !str_eq(key, OURS "custom_resource"))
			faults_take(&w->faults, doc_err(doc_get(tags->items[i], "Key"),
			                                w->faults.err, REASON_INPUT_RANGE,
			                                "Tags: '%s': what begins with '" OURS
			                                "' is the cluster's own",
			                                key));
	}
}

/* ---- all maps of the file ---- */

/* What is in them is another program's. */
static bool is_free(const char *key)
{
	return str_eq(key, "CustomSlurmSettings") || str_eq(key, "AdditionalSssdConfigs") ||
	       str_eq(key, "HpcNode");
}

static void check_map(struct walk *w, const struct doc *map)
{
	check_pairs(w, map);
	check_given(w, map);
	check_access_point(w, map);
	check_placement(w, map);
	check_reservation(w, map);
	check_tags(w, map);
}

static void check_below(struct walk *w, const struct doc *d, unsigned depth)
{
	if (d->type == DOC_MAP)
		check_map(w, d);
	for (size_t i = 0; i < d->n && depth < DEPTH_MAX && !w->faults.ended; i++)
		if (d->type != DOC_MAP || !is_free(d->keys[i]->text))
			check_below(w, d->items[i], depth + 1);
}

int pcluster_pairs(const struct doc *config, struct cluster_notes *shortfalls,
                   struct faults *faults, struct err *e)
{
	struct walk w = {.faults = {.faults = faults, .err = e}, .shortfalls = shortfalls};

	check_below(&w, config, 0);
	return w.faults.failed;
}
