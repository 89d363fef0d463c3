/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of RunInstances. */
#include "aws/instances_own.h"

static void put_nonzero(struct ec2_form *f, const char *name, uint64_t n)
{
	if (n)
		ec2_put_number(f, name, n);
}

static void put_bool(struct ec2_form *f, const char *name, bool value)
{
	ec2_put(f, name, value ? "true" : "false");
}

static void put_market(struct ec2_form *f, const struct instances_launch *l)
{
	ec2_put(f, "InstanceMarketOptions.MarketType", l->market);
	if (!str_eq(l->market, "spot"))
		return;
	ec2_put(f, "InstanceMarketOptions.SpotOptions.SpotInstanceType", "one-time");
	ec2_put(f, "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior", "terminate");
	ec2_put(f, "InstanceMarketOptions.SpotOptions.MaxPrice", l->max_price);
}

static void put_reservation(struct ec2_form *f, const char *reservation)
{
	bool group = reservation && str_starts(reservation, "arn:");

	ec2_put(f,
	        group ? "CapacityReservationSpecification.CapacityReservationTarget"
	                ".CapacityReservationResourceGroupArn"
	              : "CapacityReservationSpecification.CapacityReservationTarget"
	                ".CapacityReservationId",
	        reservation);
}

static void put_interface(struct ec2_form *f, const struct instances_launch *l, size_t at)
{
	const struct instances_interface *x = &l->interfaces[at];
	const char *prefix = arena_printf(f->arena, "NetworkInterface.%zu", at + 1);
#define KEY(name) arena_printf(f->arena, "%s." name, prefix)

	ec2_put_number(f, KEY("NetworkCardIndex"), x->card);
	ec2_put_number(f, KEY("DeviceIndex"), x->index);
	ec2_put(f, KEY("InterfaceType"), x->type);
	ec2_put(f, KEY("SubnetId"), l->subnet);
	if (x->public >= 0)
		put_bool(f, KEY("AssociatePublicIpAddress"), x->public > 0);
	put_bool(f, KEY("DeleteOnTermination"), true);
	ec2_put_list(f, KEY("SecurityGroupId"), l->groups, l->n_groups);
#undef KEY
}

/* EC2 takes subnet and groups either here or there. */
static void put_network(struct ec2_form *f, const struct instances_launch *l)
{
	if (!l->n_interfaces) {
		ec2_put(f, "SubnetId", l->subnet);
		ec2_put_list(f, "SecurityGroupId", l->groups, l->n_groups);
	}
	for (size_t i = 0; i < l->n_interfaces; i++)
		put_interface(f, l, i);
}

static void put_root(struct ec2_form *f, const struct instances_root *root)
{
	if (!root)
		return;
	ec2_put(f, "BlockDeviceMapping.1.DeviceName", root->device);
	put_nonzero(f, "BlockDeviceMapping.1.Ebs.VolumeSize", root->gib);
	ec2_put(f, "BlockDeviceMapping.1.Ebs.VolumeType", root->type);
	put_nonzero(f, "BlockDeviceMapping.1.Ebs.Iops", root->iops);
	put_nonzero(f, "BlockDeviceMapping.1.Ebs.Throughput", root->throughput);
	if (root->encrypted)
		put_bool(f, "BlockDeviceMapping.1.Ebs.Encrypted", true);
	ec2_put(f, "BlockDeviceMapping.1.Ebs.KmsKeyId", root->key);
	put_bool(f, "BlockDeviceMapping.1.Ebs.DeleteOnTermination", true);
}

static void put_metadata(struct ec2_form *f)
{
	ec2_put(f, "MetadataOptions.HttpEndpoint", "enabled");
	ec2_put(f, "MetadataOptions.HttpTokens", "required");
	ec2_put(f, "MetadataOptions.HttpPutResponseHopLimit", "1");
	ec2_put(f, "MetadataOptions.InstanceMetadataTags", "enabled");
}

void instances_put(struct ec2_form *f, const struct instances_launch *l)
{
	bool arn = l->profile && str_starts(l->profile, "arn:");

	ec2_put(f, "ClientToken", l->token);
	ec2_put_number(f, "MinCount", l->min);
	ec2_put_number(f, "MaxCount", l->max);
	ec2_put(f, "ImageId", l->image);
	ec2_put(f, "InstanceType", l->type);
	put_network(f, l);
	ec2_put(f, arn ? "IamInstanceProfile.Arn" : "IamInstanceProfile.Name", l->profile);
	ec2_put(f, "KeyName", l->key);
	put_market(f, l);
	ec2_put(f, "Placement.GroupName", l->group);
	ec2_put(f, "Placement.Tenancy", l->tenancy);
	put_reservation(f, l->reservation);
	/* EC2 takes both or none. */
	put_nonzero(f, "CpuOptions.CoreCount", l->cores);
	put_nonzero(f, "CpuOptions.ThreadsPerCore", l->cores ? l->threads : 0);
	put_root(f, l->root);
	ec2_put(f, "InstanceInitiatedShutdownBehavior", "terminate");
	put_metadata(f);
	ec2_put_tags(f, 1, "instance", l->tags, l->n_tags);
	ec2_put_tags(f, 2, "volume", l->tags, l->n_tags);
}
