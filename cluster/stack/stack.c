/* SPDX-License-Identifier: Apache-2.0 */
/* The template of a cluster's stack as a whole: parameters, resources, outputs. */
#include "stack/stack_own.h"

#include "cluster/pcluster.h"

#include <errno.h>

#define ROOT_DEVICE "/dev/xvda" /* as the images have it that hpc-imagebuild publishes */
#define STATE_GIB   "40"

/* ---- parameters ---- */

static void parameter(struct stack_writer *x, const char *id, const char *type, const char *value,
                      const char *words)
{
	jsonw_begin(&x->w, id, '{');
	jsonw_str(&x->w, "Type", type);
	if (value)
		jsonw_str(&x->w, "Default", value);
	jsonw_str(&x->w, "Description", words);
	jsonw_end(&x->w, '}');
}

static const char *head_image(const struct stack_input *in)
{
	const char *own = doc_text(doc_find(in->config, "HeadNode.Image"), "CustomAmi");

	if (in->image)
		return in->image;
	return own ? own : doc_text(doc_get(in->config, "Image"), "CustomAmi");
}

/* Whether a queue's instances have no image by the file. */
static bool lacks_image(const struct doc *config)
{
	const struct doc *queues = doc_find(config, "Scheduling.SlurmQueues");

	for (size_t i = 0; queues && i < queues->n; i++)
		if (!doc_find(config, "Image.CustomAmi") &&
		    !doc_find(queues->items[i], "Image.CustomAmi"))
			return true;
	return false;
}

static bool has_root(const struct stack_input *in)
{
	return doc_find(in->config, "HeadNode.LocalStorage.RootVolume") != NULL;
}

static bool makes_groups(const struct stack_writer *x)
{
	return x->head_group || x->compute_group || x->storage_group;
}

static void parameters(struct stack_writer *x)
{
	const struct stack_input *in = x->in;
	const char *bucket = in->bucket ? in->bucket : doc_text(in->config, "CustomS3Bucket");

	jsonw_begin(&x->w, "Parameters", '{');
	parameter(x, "Bucket", "String", bucket, "Bucket of this account with the configuration");
	parameter(x, "Configuration", "String", "cluster-config.yaml",
	          "The configuration's key in the bucket, below STACK/");
	parameter(x, "HeadImage", "AWS::EC2::Image::Id", head_image(in), "Image of the head");
	if (x->compute_image)
		parameter(x, "ComputeImage", "AWS::EC2::Image::Id", in->compute_image,
		          "Image of compute nodes, where the file has none");
	if (makes_groups(x))
		parameter(x, "Vpc", "AWS::EC2::VPC::Id", in->vpc,
		          "Network that the subnets are in");
	if (has_root(in))
		parameter(x, "HeadRootDevice", "String", ROOT_DEVICE,
		          "Name of the root device in the head's image");
	parameter(x, "StateSize", "Number", STATE_GIB,
	          "GiB of the volume for Slurm's state and /home");
	jsonw_end(&x->w, '}');
}

/* Rules of all protocols have all ports, too: AWS needs none, others that read templates do, and cfn-lint
 * remarks on it. */
static void metadata(struct stack_writer *x)
{
	jsonw_begin(&x->w, "Metadata", '{');
	jsonw_begin(&x->w, "cfn-lint", '{');
	jsonw_begin(&x->w, "config", '{');
	jsonw_begin(&x->w, "ignore_checks", '[');
	jsonw_str(&x->w, NULL, "W3687");
	jsonw_end(&x->w, ']');
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, '}');
}

/* ---- outputs ---- */

static void outputs(struct stack_writer *x)
{
	static const struct {
		const char *id, *of, *attribute;
	} rows[] = {
	        {"Head", "Head", NULL},
	        {"HeadAddress", "Head", "PrivateIp"},
	        {"StateVolume", "StateVolume", NULL},
	        {"ComputeSecurityGroup", "ComputeSecurityGroup", "GroupId"},
	        {"LogGroup", "LogGroup", NULL},
	};

	const char *user = pcluster_user(x->in->config);

	jsonw_begin(&x->w, "Outputs", '{');
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if ((str_eq(rows[i].of, "ComputeSecurityGroup") && !x->compute_group) ||
		    (str_eq(rows[i].of, "LogGroup") && !x->logs))
			continue;
		jsonw_begin(&x->w, rows[i].id, '{');
		if (rows[i].attribute)
			stack_get(x, "Value", rows[i].of, rows[i].attribute);
		else
			stack_ref(x, "Value", rows[i].of);
		jsonw_end(&x->w, '}');
	}
	stack_roles_outputs(x);
	if (user) {
		jsonw_begin(&x->w, "User", '{');
		jsonw_str(&x->w, "Value", user);
		jsonw_end(&x->w, '}');
	}
	jsonw_begin(&x->w, "ConfigSha256", '{');
	jsonw_str(&x->w, "Value", x->in->sha256);
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, '}');
}

/* ---- the whole ---- */

/* Keys for which nothing of the template stands. */
static void note_rest(const struct stack_writer *x)
{
	static const char *const rows[][2] = {
	        {"AdditionalResources",
	         "AdditionalResources: that template is not added to the stack"},
	        {"LoginNodes.Pools",
	         "LoginNodes: the stack has the role of login nodes; what launches them "
	         "gives image, network and key"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct doc *at = doc_find(x->in->config, rows[i][0]);

		if (at)
			cluster_note(x->in->notes, at, "%s", rows[i][1]);
	}
}

static void look(struct stack_writer *x)
{
	static const char cloudwatch[] = "Monitoring.Logs.CloudWatch.Enabled";

	x->log = doc_find(x->in->config, "Monitoring.Logs.CloudWatch");
	x->logs = stack_unless_off(x->in->config, cloudwatch);
	x->compute_image = lacks_image(x->in->config);
	stack_network_find(x);
	stack_storage_find(x);
	stack_roles_find(x);
}

static void write_all(struct stack_writer *x)
{
	note_rest(x);
	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "AWSTemplateFormatVersion", "2010-09-09");
	jsonw_str(&x->w, "Description", STACK_MARK ": its head and what it stands on");
	metadata(x);
	parameters(x);
	jsonw_begin(&x->w, "Resources", '{');
	stack_network(x);
	stack_roles(x);
	stack_head(x);
	stack_storage(x);
	stack_watch(x);
	jsonw_end(&x->w, '}');
	outputs(x);
	jsonw_end(&x->w, '}');
	strbuf_char(x->w.out, '\n');
}

int stack_write(const struct stack_input *in, struct stack *ret, struct err *e)
{
	struct strbuf out = STRBUF(in->arena, STACK_TEXT_MAX);
	struct stack_writer x = {.in = in,
	                         .arena = in->arena,
	                         .w = {.out = &out, .pretty = true},
	                         .faults = {.faults = in->faults, .err = e}};

	look(&x);
	write_all(&x);
	if (x.faults.failed < 0)
		return x.faults.failed;
	if (out.overflow)
		return doc_err(in->config, e, REASON_INPUT_LIMIT,
		               "the stack's template would have more than %lu bytes",
		               STACK_TEXT_MAX);
	*ret = (struct stack){.text = {out.data, out.len},
	                      .resources = x.resources,
	                      .roles = x.roles,
	                      .compute_image = x.compute_image,
	                      .vpc = makes_groups(&x),
	                      .root_device = has_root(in)};
	return 0;
}
