/* SPDX-License-Identifier: Apache-2.0 */
/* The security groups: nothing may come in from outside but SSH from AllowedIps. */
#include "stack/stack_own.h"

#define PORT_MAX 65535

static const struct doc *list_at(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);

	return at && at->type == DOC_LIST && at->n ? at : NULL;
}

void stack_network_find(struct stack_writer *x)
{
	const struct doc *queues = doc_find(x->in->config, "Scheduling.SlurmQueues");

	x->head_group = !list_at(x->in->config, "HeadNode.Networking.SecurityGroups");
	for (size_t i = 0; queues && i < queues->n; i++)
		x->compute_group |= !list_at(queues->items[i], "Networking.SecurityGroups");
}

/* ---- rules ---- */

static void port(struct stack_writer *x, const char *protocol, unsigned from, unsigned to)
{
	jsonw_str(&x->w, "IpProtocol", protocol);
	jsonw_u64(&x->w, "FromPort", from);
	jsonw_u64(&x->w, "ToPort", to);
}

static void rule_from_group(struct stack_writer *x, const char *group, unsigned from, unsigned to,
                            const char *words)
{
	jsonw_begin(&x->w, NULL, '{');
	port(x, from ? "tcp" : "-1", from, to);
	stack_get(x, "SourceSecurityGroupId", group, "GroupId");
	jsonw_str(&x->w, "Description", words);
	jsonw_end(&x->w, '}');
}

/* A rule between two groups that name each other is a resource of its own. */
static void rule_resource(struct stack_writer *x, const char *id, const char *source, bool egress)
{
	stack_begin(x, id,
	            egress ? "AWS::EC2::SecurityGroupEgress" : "AWS::EC2::SecurityGroupIngress",
	            NULL);
	stack_get(x, "GroupId", "ComputeSecurityGroup", "GroupId");
	port(x, "-1", 0, PORT_MAX);
	stack_get(x, egress ? "DestinationSecurityGroupId" : "SourceSecurityGroupId", source,
	          "GroupId");
	stack_end(x);
}

/* ParallelCluster's default is the whole world; here it is nobody. */
static void rule_ssh(struct stack_writer *x)
{
	const struct doc *head = doc_get(x->in->config, "HeadNode");
	const struct doc *at = doc_find(head, "Ssh.AllowedIps");

	if (!at) {
		cluster_note(
		        x->in->notes, head,
		        "HeadNode: Ssh: AllowedIps is missing: port 22 of the head stays closed, "
		        "which ParallelCluster would open to the world");
		return;
	}
	jsonw_begin(&x->w, NULL, '{');
	port(x, "tcp", 22, 22);
	jsonw_str(&x->w,
	          str_starts(at->text, "pl-") ? "SourcePrefixListId"
	          : strchr(at->text, ':')     ? "CidrIpv6"
	                                      : "CidrIp",
	          at->text);
	jsonw_str(&x->w, "Description", "SSH from AllowedIps");
	jsonw_end(&x->w, '}');
}

/* ---- groups ---- */

static void group_begin(struct stack_writer *x, const char *id, const char *words, const char *name)
{
	stack_begin(x, id, "AWS::EC2::SecurityGroup", NULL);
	stack_sub(x, "GroupDescription", words);
	stack_ref(x, "VpcId", "Vpc");
	stack_tags(x, "Tags", name);
}

static void head_group(struct stack_writer *x)
{
	group_begin(x, "HeadSecurityGroup", "Head of cluster ${AWS::StackName}", "head");
	jsonw_begin(&x->w, "SecurityGroupIngress", '[');
	rule_ssh(x);
	if (x->compute_group)
		rule_from_group(x, "ComputeSecurityGroup", 0, 0,
		                "Slurm, NFS and jobs of its nodes");
	jsonw_end(&x->w, ']');
	stack_end(x);
}

static bool has_efa(const struct model *m)
{
	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++)
			if (m->queues[i].resources[k].efa)
				return true;
	return false;
}

static void compute_group(struct stack_writer *x)
{
	group_begin(x, "ComputeSecurityGroup", "Compute nodes of cluster ${AWS::StackName}",
	            "compute");
	stack_end(x);
	rule_resource(x, "ComputeFromCompute", "ComputeSecurityGroup", false);
	if (x->head_group)
		rule_resource(x, "ComputeFromHead", "HeadSecurityGroup", false);
	/* What EFA sends has no address, so that a rule by addresses doesn't let it out. */
	if (has_efa(x->in->model))
		rule_resource(x, "ComputeToCompute", "ComputeSecurityGroup", true);
}

/* NFS of EFS, and Lustre: "File system access control with Amazon VPC" of FSx for Lustre. */
static void storage_group(struct stack_writer *x)
{
	static const char *const groups[] = {"HeadSecurityGroup", "ComputeSecurityGroup"};
	const bool made[] = {x->head_group, x->compute_group};

	group_begin(x, "StorageSecurityGroup", "File systems of cluster ${AWS::StackName}",
	            "storage");
	jsonw_begin(&x->w, "SecurityGroupIngress", '[');
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (!made[i])
			continue;
		rule_from_group(x, groups[i], 2049, 2049, "NFS");
		rule_from_group(x, groups[i], 988, 988, "Lustre");
		rule_from_group(x, groups[i], 1018, 1023, "Lustre");
	}
	jsonw_end(&x->w, ']');
	stack_end(x);
}

void stack_network(struct stack_writer *x)
{
	if (x->head_group)
		head_group(x);
	if (x->compute_group)
		compute_group(x);
	if (x->storage_group)
		storage_group(x);
}

void stack_head_groups(struct stack_writer *x)
{
	const struct doc *network = doc_find(x->in->config, "HeadNode.Networking");
	const struct doc *lists[] = {list_at(network, "SecurityGroups"),
	                             list_at(network, "AdditionalSecurityGroups")};

	jsonw_begin(&x->w, "SecurityGroupIds", '[');
	if (x->head_group)
		stack_get(x, NULL, "HeadSecurityGroup", "GroupId");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; lists[i] && k < lists[i]->n; k++)
			jsonw_str(&x->w, NULL, lists[i]->items[k]->text);
	jsonw_end(&x->w, ']');
}
