/* SPDX-License-Identifier: Apache-2.0 */
/* The head: its instance, the volume of what must outlive it, its address. */
#include "stack/stack_own.h"

#include "data/scalar.h"

#define USER_DATA_MAX (16 * 1024)

/* ---- the instance ---- */

/* The map `fleet`: what its instances are launched with, as far as only the stack knows it. */
static void put_fleet(struct stack_writer *x, struct strbuf *out)
{
	size_t before = out->len;

	strbuf_str(out, "fleet: {");
	if (x->compute_image)
		strbuf_str(out, "image: \"${ComputeImage}\", ");
	if (x->compute_group)
		strbuf_str(out, "security-groups: [\"${ComputeSecurityGroup.GroupId}\"], ");
	stack_roles_fleet(x, out);
	if (out->data[out->len - 1] == '{') {
		out->len = before;
		out->data[before] = '\0';
		return;
	}
	out->len -= 2;
	strbuf_str(out, "}\n");
}

static const char *user_data(struct stack_writer *x)
{
	struct strbuf out = STRBUF(x->arena, USER_DATA_MAX);
	const char *storage = stack_storage_sources(x);

	strbuf_printf(&out,
	              "#hpc-node\n"
	              "version: 1\n"
	              "cluster: ${AWS::StackName}\n"
	              "role: head\n"
	              "config: s3://${Bucket}/${AWS::StackName}/${Configuration}\n"
	              "config-sha256: %s\n"
	              "bucket-owner: \"${AWS::AccountId}\"\n",
	              x->in->sha256);
	strbuf_printf(&out, "storage: {%s}\n", storage);
	put_fleet(x, &out);
	if (out.overflow)
		stack_refuse(x, x->in->config,
		             "the sources of SharedStorage and the queues' profiles don't fit "
		             "into the head's user data");
	return out.data;
}

/* Without settings it is as the image says. */
static void root_volume(struct stack_writer *x, const struct doc *root)
{
	if (!root)
		return;
	jsonw_begin(&x->w, "BlockDeviceMappings", '[');
	jsonw_begin(&x->w, NULL, '{');
	stack_ref(x, "DeviceName", "HeadRootDevice");
	jsonw_begin(&x->w, "Ebs", '{');
	stack_copy_number(x, "VolumeSize", root, "Size");
	jsonw_bool(&x->w, "Encrypted", stack_unless_off(root, "Encrypted"));
	stack_copy(x, "KmsKeyId", root, "KmsKeyId");
	if (!doc_get(root, "VolumeType"))
		jsonw_str(&x->w, "VolumeType", "gp3");
	stack_copy(x, "VolumeType", root, "VolumeType");
	stack_copy_number(x, "Iops", root, "Iops");
	jsonw_bool(&x->w, "DeleteOnTermination", stack_unless_off(root, "DeleteOnTermination"));
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, ']');
	if (doc_get(root, "Throughput"))
		cluster_note(
		        x->in->notes, doc_get(root, "Throughput"),
		        "Throughput: CloudFormation can't set it of an instance's own volume: it "
		        "has its type's");
}

/* The type stands here and in no launch template, so that it changes in place. */
static void instance(struct stack_writer *x)
{
	const struct doc *head = doc_get(x->in->config, "HeadNode");

	stack_open(x, "Head", "AWS::EC2::Instance", NULL);
	stack_storage_before_head(x);
	stack_properties(x);
	stack_ref(x, "ImageId", "HeadImage");
	stack_copy(x, "InstanceType", head, "InstanceType");
	stack_copy(x, "SubnetId", doc_get(head, "Networking"), "SubnetId");
	stack_head_groups(x);
	stack_copy(x, "KeyName", doc_get(head, "Ssh"), "KeyName");
	stack_head_profile(x);
	root_volume(x, doc_find(head, "LocalStorage.RootVolume"));
	jsonw_begin(&x->w, "MetadataOptions", '{');
	jsonw_str(&x->w, "HttpEndpoint", "enabled");
	jsonw_str(&x->w, "HttpTokens", "required");
	jsonw_u64(&x->w, "HttpPutResponseHopLimit", 1);
	jsonw_end(&x->w, '}');
	if (scalar_on(x->in->config, "Monitoring.DetailedMonitoring"))
		jsonw_bool(&x->w, "Monitoring", true);
	jsonw_bool(&x->w, "PropagateTagsToVolumeOnCreation", true);
	jsonw_begin(&x->w, "UserData", '{');
	stack_sub(x, "Fn::Base64", user_data(x));
	jsonw_end(&x->w, '}');
	stack_tags(x, "Tags", "head");
	stack_end(x);
}

/* ---- its volume and address ---- */

static void state_volume(struct stack_writer *x)
{
	stack_begin(x, "StateVolume", "AWS::EC2::Volume", "Snapshot");
	stack_get(x, "AvailabilityZone", "Head", "AvailabilityZone");
	stack_ref(x, "Size", "StateSize");
	jsonw_str(&x->w, "VolumeType", "gp3");
	jsonw_bool(&x->w, "Encrypted", true);
	stack_tags(x, "Tags", "state");
	stack_end(x);
	stack_begin(x, "StateAttachment", "AWS::EC2::VolumeAttachment", NULL);
	jsonw_str(&x->w, "Device", STACK_STATE_DEVICE);
	stack_ref(x, "InstanceId", "Head");
	stack_ref(x, "VolumeId", "StateVolume");
	stack_end(x);
}

/* ElasticIp is a switch or the id of an address that is there. */
static void address(struct stack_writer *x)
{
	const struct doc *at = doc_find(x->in->config, "HeadNode.Networking.ElasticIp");
	bool given = at && str_starts(at->text, "eipalloc-");

	if (!at || (!given && !scalar_on(x->in->config, "HeadNode.Networking.ElasticIp")))
		return;
	if (!given) {
		stack_begin(x, "HeadElasticIp", "AWS::EC2::EIP", NULL);
		jsonw_str(&x->w, "Domain", "vpc");
		stack_tags(x, "Tags", "head");
		stack_end(x);
	}
	stack_begin(x, "HeadElasticIpAssociation", "AWS::EC2::EIPAssociation", NULL);
	if (given)
		jsonw_str(&x->w, "AllocationId", at->text);
	else
		stack_get(x, "AllocationId", "HeadElasticIp", "AllocationId");
	stack_ref(x, "InstanceId", "Head");
	stack_end(x);
}

void stack_head(struct stack_writer *x)
{
	instance(x);
	state_volume(x);
	address(x);
}
