/* SPDX-License-Identifier: Apache-2.0 */
/* The roles and their profiles: the head's, login nodes', and one of compute nodes for each Iam. */
#include "stack/stack_policy.h"

#define IAM_TEXT_MAX (64 * 1024)

/* ---- which there are ---- */

static const char *iam_text(struct stack_writer *x, const struct doc *iam)
{
	struct strbuf out = STRBUF(x->arena, IAM_TEXT_MAX);

	if (!iam)
		return "";
	doc_json(iam, &out);
	return out.data;
}

static void add_role(struct stack_writer *x, const struct doc *queue)
{
	const struct doc *iam = doc_get(queue, "Iam");
	const char *text = iam_text(x, iam), *number = "";
	size_t i = 0;

	while (i < x->n_compute && !str_eq(x->compute[i].text, text))
		i++;
	if (i < x->n_compute)
		return;
	if (i == STACK_ROLES_MAX) {
		stack_refuse(x, iam, "Iam: more than %zu queues have rights of their own", i);
		return;
	}
	if (i)
		number = arena_printf(x->arena, "%zu", i + 1);
	struct stack_role *role = &x->compute[x->n_compute++];
	*role = (struct stack_role){.iam = iam,
	                            .text = text,
	                            .given = doc_text(iam, "InstanceProfile"),
	                            .of_role = doc_text(iam, "InstanceRole")};
	if (role->given)
		cluster_note(x->in->notes, iam,
		             "Iam: InstanceProfile: its role isn't known here: the head needs "
		             "iam:PassRole of it by HeadNode's AdditionalIamPolicies");
	else
		role->profile = arena_printf(x->arena, "ComputeProfile%s", number);
	if (!role->given && !role->of_role)
		role->role = arena_printf(x->arena, "ComputeRole%s", number);
}

void stack_roles_find(struct stack_writer *x)
{
	const struct doc *queues = doc_find(x->in->config, "Scheduling.SlurmQueues");
	const struct doc *prefix = doc_find(x->in->config, "Iam.ResourcePrefix");

	for (size_t i = 0; queues && i < queues->n; i++)
		add_role(x, queues->items[i]);
	if (prefix)
		cluster_note(
		        x->in->notes, prefix,
		        "ResourcePrefix isn't carried out: roles have names that CloudFormation "
		        "gives them");
}

/* ---- one role ---- */

static void trust(struct stack_writer *x)
{
	jsonw_begin(&x->w, "AssumeRolePolicyDocument", '{');
	jsonw_str(&x->w, "Version", "2012-10-17");
	jsonw_begin(&x->w, "Statement", '[');
	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "Effect", "Allow");
	jsonw_begin(&x->w, "Principal", '{');
	jsonw_str(&x->w, "Service", "ec2.amazonaws.com");
	jsonw_end(&x->w, '}');
	jsonw_str(&x->w, "Action", "sts:AssumeRole");
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, ']');
	jsonw_end(&x->w, '}');
}

static void managed(struct stack_writer *x, const struct doc *iam)
{
	const struct doc *list = doc_get(iam, "AdditionalIamPolicies");

	if (!list || !list->n)
		return;
	jsonw_begin(&x->w, "ManagedPolicyArns", '[');
	for (size_t i = 0; i < list->n; i++)
		stack_copy(x, NULL, list->items[i], "Policy");
	jsonw_end(&x->w, ']');
}

static void role(struct stack_writer *x, const char *id, const struct doc *iam, bool head)
{
	stack_begin(x, id, "AWS::IAM::Role", NULL);
	x->roles = true;
	trust(x);
	managed(x, iam);
	stack_copy(x, "PermissionsBoundary", doc_get(x->in->config, "Iam"), "PermissionsBoundary");
	jsonw_begin(&x->w, "Policies", '[');
	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "PolicyName", "hpc-node");
	jsonw_begin(&x->w, "PolicyDocument", '{');
	jsonw_str(&x->w, "Version", "2012-10-17");
	jsonw_begin(&x->w, "Statement", '[');
	stack_node_statements(x, iam);
	if (head)
		stack_head_statements(x);
	jsonw_end(&x->w, ']');
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, ']');
	stack_tags(x, "Tags", head ? "head" : "node");
	stack_end(x);
}

/* Of a role that the stack makes, or of the file's, by its name, which is the end of its ARN. */
static void profile(struct stack_writer *x, const char *id, const char *made, const char *given)
{
	const char *slash = given ? strrchr(given, '/') : NULL;

	x->roles = true;
	stack_begin(x, id, "AWS::IAM::InstanceProfile", NULL);
	jsonw_begin(&x->w, "Roles", '[');
	if (given)
		jsonw_str(&x->w, NULL, slash ? slash + 1 : given);
	else
		stack_ref(x, NULL, made);
	jsonw_end(&x->w, ']');
	stack_end(x);
}

/* ---- all of them ---- */

/* Of the head or of a pool: a profile that is given needs nothing, a role a profile. */
static void of_node(struct stack_writer *x, const char *id_role, const char *id_profile,
                    const struct doc *iam, bool head)
{
	const char *given = doc_text(iam, "InstanceRole");

	if (doc_get(iam, "InstanceProfile"))
		return;
	if (!given)
		role(x, id_role, iam, head);
	profile(x, id_profile, id_role, given);
}

static const struct doc *first_pool(const struct stack_writer *x)
{
	const struct doc *pools = doc_find(x->in->config, "LoginNodes.Pools");

	return pools && pools->n ? pools->items[0] : NULL;
}

void stack_roles(struct stack_writer *x)
{
	const struct doc *pool = first_pool(x);

	of_node(x, "HeadRole", "HeadProfile", doc_find(x->in->config, "HeadNode.Iam"), true);
	for (size_t i = 0; i < x->n_compute; i++) {
		const struct stack_role *c = &x->compute[i];

		if (c->role)
			role(x, c->role, c->iam, false);
		if (c->profile)
			profile(x, c->profile, c->role, c->of_role);
	}
	if (pool)
		of_node(x, "LoginRole", "LoginProfile", doc_get(pool, "Iam"), false);
}

/* A profile is known to an instance by its name, the last part of an ARN. */
void stack_head_profile(struct stack_writer *x)
{
	const char *given = doc_text(doc_find(x->in->config, "HeadNode.Iam"), "InstanceProfile");
	const char *slash = given ? strrchr(given, '/') : NULL;

	if (given)
		jsonw_str(&x->w, "IamInstanceProfile", slash ? slash + 1 : given);
	else
		stack_ref(x, "IamInstanceProfile", "HeadProfile");
}

/* Of the queue's nodes: a reference to what the stack makes; NULL: the file names it. */
static const char *made_profile(struct stack_writer *x, const struct doc *queue)
{
	const char *text = iam_text(x, doc_get(queue, "Iam"));

	for (size_t i = 0; i < x->n_compute; i++)
		if (str_eq(x->compute[i].text, text))
			return x->compute[i].profile;
	return NULL;
}

/* The first queue's is the default, others' stand by their names. */
void stack_roles_fleet(struct stack_writer *x, struct strbuf *out)
{
	const struct doc *queues = doc_find(x->in->config, "Scheduling.SlurmQueues");
	const char *usual = NULL;
	bool others = false;

	for (size_t i = 0; queues && i < queues->n; i++) {
		const char *made = made_profile(x, queues->items[i]);

		if (made && !usual) {
			usual = made;
			strbuf_printf(out, "instance-profile: \"${%s}\", ", usual);
		}
		if (!made || str_eq(made, usual))
			continue;
		strbuf_str(out, others ? ", " : "instance-profiles: {");
		others = true;
		strbuf_json(out, doc_text(queues->items[i], "Name"));
		strbuf_printf(out, ": \"${%s}\"", made);
	}
	if (others)
		strbuf_str(out, "}, ");
}

void stack_roles_outputs(struct stack_writer *x)
{
	const struct doc *pool = first_pool(x);

	for (size_t i = 0; i < x->n_compute; i++) {
		if (!x->compute[i].profile)
			continue;
		jsonw_begin(&x->w, x->compute[i].profile, '{');
		stack_ref(x, "Value", x->compute[i].profile);
		jsonw_end(&x->w, '}');
	}
	if (!pool || doc_find(pool, "Iam.InstanceProfile"))
		return;
	jsonw_begin(&x->w, "LoginProfile", '{');
	stack_ref(x, "Value", "LoginProfile");
	jsonw_end(&x->w, '}');
}
