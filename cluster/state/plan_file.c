/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a ParallelCluster file where there is no node yet, and makes its model. */
#include "state/plan_file.h"

#include <errno.h>

#include "base/digest.h"
#include "http/uri.h"
#include "model/instance_file.h"
#include "pcluster/pcluster_model.h"
#include "pcluster/pcluster_schema.h"

/* What the head will know, in its place: the stack gives the name, the metadata service the rest. */
static struct vars stand_ins(struct arena *a)
{
	struct vars facts = {.arena = a};

	vars_set(&facts, "cluster", "cluster", "template");
	vars_set(&facts, "local-ipv4", "192.0.2.10", "template"); /* RFC 5737 */
	vars_set(&facts, "vpc-cidrs", "192.0.2.0/24", "template");
	return facts;
}

static int make_model(struct life *l, const struct doc *config, struct faults *faults,
                      struct cluster_notes *notes, struct plan_file *ret, struct err *e)
{
	const struct cluster_node head = {.role = CLUSTER_HEAD};
	struct vars facts = stand_ins(l->program.arena);
	const struct pcluster_input in = {.config = config,
	                                  .node = &head,
	                                  .facts = &facts,
	                                  .types = &ret->types,
	                                  .faults = faults,
	                                  .notes = notes,
	                                  .elsewhere = true,
	                                  .strict = l->strict,
	                                  .arena = l->program.arena};
	int r = instance_file_read(PLAN_FILE_TYPES, l->program.arena, &ret->types, e);

	return r < 0 ? r : pcluster_model(&in, &ret->model, e);
}

/* "ami-" and at least one small letter or digit behind it. */
static bool is_id(const char *text, const char *prefix)
{
	const char *behind = text + strlen(prefix);

	return str_starts(text, prefix) && *behind &&
	       !behind[strspn(behind, "0123456789abcdefghijklmnopqrstuvwxyz")];
}

/* Options that CloudFormation or S3 would refuse only later. */
static int check_options(const struct life *l, struct err *e)
{
	const struct {
		const char *option, *value, *prefix;
	} ids[] = {
	        {"image", l->image, "ami-"},
	        {"compute-image", l->compute_image, "ami-"},
	        {"vpc", l->vpc, "vpc-"},
	};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if (ids[i].value && !is_id(ids[i].value, ids[i].prefix))
			return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
			               "--%s '%s': expected %s...", ids[i].option, ids[i].value,
			               ids[i].prefix);
	if (l->bucket && !uri_bucket_valid(l->bucket))
		return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
		               "--bucket '%s': expected a bucket's name, without s3://", l->bucket);
	return 0;
}

int plan_file_check(struct life *l, const char *name, struct blob text, struct faults *faults,
                    struct cluster_notes *notes, struct plan_file *ret, struct err *e)
{
	const struct cluster_reading reading = {
	        .faults = faults, .notes = notes, .strict = l->strict, .elsewhere = true};
	struct plan_file f = {0};
	struct doc *config;
	int r = cluster_read(name, text, l->program.arena, &config, e);

	if (r < 0)
		return r;
	if (!pcluster_is(config))
		return doc_err(config, e, REASON_INPUT_UNSUPPORTED,
		               "expected a ParallelCluster configuration, with HeadNode and "
		               "Scheduling");
	r = cluster_check(config, &reading, l->program.arena, e);
	if (r < 0)
		return r;
	r = make_model(l, config, faults, notes, &f, e);
	if (r < 0)
		return r;
	f.config = config;
	f.text = text;
	digest_hex(text.data, text.len, f.sha256);
	*ret = f;
	return 0;
}

int plan_file_read(struct life *l, const char *name, struct faults *faults,
                   struct cluster_notes *notes, struct plan_file *ret, struct err *e)
{
	struct blob text;
	int r = check_options(l, e);

	if (r < 0)
		return r;
	r = file_read_input(name, PLAN_FILE_MAX, l->program.arena, &text, e);
	return r < 0 ? r : plan_file_check(l, name, text, faults, notes, ret, e);
}
