/* SPDX-License-Identifier: Apache-2.0 */
/* Translates ParallelCluster's build image configuration to sections of steps. */
#include "pcluster/pcluster_image.h"

#include <errno.h>

#include "data/scalar.h"
#include "pcluster/pcluster_rows.h"

static const char *const component_types[] = {"script", "arn", NULL};
static const char *const imds_support[] = {"v1.0", "v2.0", NULL};

static const struct pcluster_row enabled[] = {B("Enabled"), END};
static const struct pcluster_row tag[] = {S_REQ("Key"), S_REQ("Value"), END};
static const struct pcluster_row policy[] = {ARN_REQ("Policy", ":policy/"), END};
static const struct pcluster_row root_volume[] = {I("Size"), B("Encrypted"), S("KmsKeyId"), END};
static const struct pcluster_row image[] = {S("Name"), L("Tags", tag), M("RootVolume", root_volume),
                                            END};
static const struct pcluster_row component[] = {C_REQ("Type", component_types), S_REQ("Value"),
                                                END};
static const struct pcluster_row iam[] = {
        S_AT("InstanceRole", "arn:"),           S_AT("InstanceProfile", "arn:"),
        ARN("CleanupLambdaRole", ":role/"),     L("AdditionalIamPolicies", policy),
        ARN("PermissionsBoundary", ":policy/"), END};
static const struct pcluster_row imds[] = {C("ImdsSupport", imds_support), END};
static const struct pcluster_row installation[] = {M("NvidiaSoftware", enabled),
                                                   M("LustreClient", enabled), END};
static const struct pcluster_row build[] = {
        S_REQ("ParentImage"),
        S_REQ("InstanceType"),
        L("Components", component),
        M("Iam", iam),
        SS_AT("SecurityGroupIds", "sg-"),
        S_AT("SubnetId", "subnet-"),
        L("Tags", tag),
        M("UpdateOsPackages", enabled),
        M("Imds", imds),
        M("Installation", installation),
        END,
};
static const struct pcluster_row top[] = {
        S("Region"),
        S("CustomS3Bucket"),
        M("Image", image),
        M_REQ("Build", build),
        M("DevSettings", NULL),
        M("DeploymentSettings", NULL),
        END,
};

/* ---- rules of values ---- */

/* Where a script may be from says who takes it. */
static void check_component(struct faults_walk *w, const struct doc *c)
{
	const char *type = doc_text(c, "Type"), *value = doc_text(c, "Value");

	if (w->ended || !type || !value || !str_eq(type, "arn") || str_starts(value, "arn:"))
		return;
	faults_take(w, doc_err(doc_get(c, "Value"), w->err, REASON_INPUT_RANGE,
	                       "Value: '%s' is none of 'Type: arn', expected arn:...", value));
}

/* As ParallelCluster's own schema has them. */
static int check_values(const struct doc *config, struct faults *faults, struct err *e)
{
	struct faults_walk w = {.faults = faults, .err = e};
	const struct doc *parent = doc_find(config, "Build.ParentImage");
	const struct doc *list = doc_find(config, "Build.Components");

	if (!str_starts(parent->text, "ami") && !str_starts(parent->text, "arn"))
		faults_take(&w,
		            doc_err(parent, e, REASON_INPUT_RANGE,
		                    "ParentImage: '%s' is no image, expected ami-... or the ARN "
		                    "of one of Image Builder",
		                    parent->text));
	for (size_t i = 0; list && i < list->n; i++)
		check_component(&w, list->items[i]);
	int r = w.ended ? 0 : pcluster_pairs(config, NULL, faults, e);
	return r < 0 ? r : w.failed;
}

bool pcluster_image_is(const struct doc *d)
{
	return doc_has(d, "Build");
}

static void add_lack(const struct err *e, struct cluster_notes *notes, struct faults *lacks)
{
	(void)faults_add(lacks, e);
	cluster_note(notes, NULL, "%s", e->text);
}

static void find_installation(const struct doc *config, struct cluster_notes *notes,
                              struct faults *lacks)
{
	static const char *const parts[] = {"NvidiaSoftware", "LustreClient"};
	const struct doc *list = doc_find(config, "Build.Installation");
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct doc *part = doc_get(list, parts[i]);
		const struct doc *flag = doc_get(part, "Enabled");
		bool on = false;

		if (!flag || scalar_bool(flag, &on) < 0 || !on)
			continue;
		(void)doc_err(part, &e, REASON_INPUT_UNSUPPORTED,
		              "'%s' is left out: it is not installed from here; name its packages "
		              "in a recipe",
		              parts[i]);
		add_lack(&e, notes, lacks);
	}
}

/* Scripts run in the order of the file. */
static void add_script(const struct doc *c, size_t i, struct doc *scripts, struct arena *a)
{
	struct doc *step = doc_new_map(a, c), *after = doc_new_list(a, c);

	doc_put(a, step, "source", doc_get(c, "Value"));
	doc_put_text(a, step, "id", arena_printf(a, "component-%zu", i + 1));
	if (scripts->n) {
		const struct doc *last = scripts->items[scripts->n - 1];

		doc_push(a, after, doc_new_text(a, c, doc_text(last, "id")));
		doc_put(a, step, "after", after);
	}
	doc_push(a, scripts, step);
}

/* Notes the settings that are ignored here, and who handles them. */
static void note_left_out(const struct doc *config, struct cluster_notes *notes)
{
	static const char starts[] = "whoever starts the machine says it";
	static const char publishes[] = "it belongs to the image, which 'publish' registers";
	static const struct {
		const char *key, *why;
	} rows[] = {
	        {"Region", starts},
	        {"CustomS3Bucket", "nothing is kept in a bucket on the way"},
	        {"Image.Name", publishes},
	        {"Image.Tags", publishes},
	        {"Image.RootVolume", publishes},
	        {"Build.ParentImage", starts},
	        {"Build.InstanceType", starts},
	        {"Build.Iam", starts},
	        {"Build.SecurityGroupIds", starts},
	        {"Build.SubnetId", starts},
	        {"Build.Tags", starts},
	        {"Build.Imds", publishes},
	        {"DevSettings", "it is for those who develop ParallelCluster"},
	        {"DeploymentSettings", "nothing is deployed that builds the image"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct doc *d = doc_find(config, rows[i].key);

		if (d)
			cluster_note(notes, d, "'%s' is left out: %s", rows[i].key, rows[i].why);
	}
}

static void read_components(const struct doc *list, struct cluster_notes *notes,
                            struct faults *lacks, struct doc *scripts, struct arena *a)
{
	struct err e;

	for (size_t i = 0; list && i < list->n; i++) {
		const struct doc *c = list->items[i];

		if (str_eq(doc_text(c, "Type"), "script")) {
			add_script(c, i, scripts, a);
			continue;
		}
		(void)doc_err(doc_get(c, "Value"), &e, REASON_INPUT_UNSUPPORTED,
		              "'%s' is left out: a component in AWS's keeping; put its document "
		              "under 'components' of a recipe",
		              doc_text(c, "Value"));
		add_lack(&e, notes, lacks);
	}
}

int pcluster_image_read(const struct doc *config, struct cluster_notes *notes,
                        struct faults *faults, struct arena *a, struct pcluster_image *ret,
                        struct err *e)
{
	const struct doc *on = doc_find(config, "Build.UpdateOsPackages.Enabled");
	struct doc *sections = doc_new_map(a, config), *scripts = doc_new_list(a, config);
	struct pcluster_image image_spec = {.sections = sections, .lacks = {.arena = a}};
	int r = pcluster_rows_check(config, top, "image configuration", NULL, faults, e);

	/* A value of the wrong type can't be read any further. */
	if (r < 0)
		return r;
	r = check_values(config, faults, e);
	if (r < 0)
		return r;
	find_installation(config, notes, &image_spec.lacks);
	read_components(doc_find(config, "Build.Components"), notes, &image_spec.lacks, scripts, a);
	if (on) /* the schema has checked it */
		(void)scalar_bool(on, &image_spec.update_os);
	doc_put(a, sections, "scripts", scripts);
	note_left_out(config, notes);
	*ret = image_spec;
	return 0;
}
