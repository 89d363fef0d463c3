/* SPDX-License-Identifier: Apache-2.0 */
/* What each role may do: no more than the policies of docs/iam, of this cluster alone. */
#include "stack/stack_policy.h"

#include "data/scalar.h"
#include "model/fleet_word.h"

static void texts(struct stack_writer *x, const char *key, const char *const *items, size_t max,
                  bool sub)
{
	jsonw_begin(&x->w, key, '[');
	for (size_t i = 0; i < max && items[i]; i++)
		if (sub)
			stack_sub(x, NULL, items[i]);
		else
			jsonw_str(&x->w, NULL, items[i]);
	jsonw_end(&x->w, ']');
}

static void condition(struct stack_writer *x, const struct stack_statement *s)
{
	if (!s->key)
		return;
	jsonw_begin(&x->w, "Condition", '{');
	jsonw_begin(&x->w, s->test, '{');
	if (str_starts(s->value, "${"))
		stack_sub(x, s->key, s->value);
	else
		jsonw_str(&x->w, s->key, s->value);
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, '}');
}

void stack_statement(struct stack_writer *x, const struct stack_statement *s)
{
	bool any = str_eq(s->resources[0], "*");

	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "Sid", s->sid);
	jsonw_str(&x->w, "Effect", "Allow");
	texts(x, "Action", s->actions, ARRAY_LEN(s->actions), false);
	texts(x, "Resource", s->resources, ARRAY_LEN(s->resources), !any);
	condition(x, s);
	jsonw_end(&x->w, '}');
}

/* ---- any node ---- */

#define OBJECTS "arn:${AWS::Partition}:s3:::${Bucket}/${AWS::StackName}/"

static void secret(struct stack_writer *x, const char *sid, const char *dotted)
{
	const struct doc *at = doc_find(x->in->config, dotted);

	if (at)
		stack_statement(
		        x, &(struct stack_statement){.sid = sid,
		                                     .actions = {"secretsmanager:GetSecretValue"},
		                                     .resources = {stack_literal(x, at->text)}});
}

/* S3Access: one bucket, or what is below one key of it; listing is of a bucket as a whole. */
static void bucket(struct stack_writer *x, const struct doc *access, size_t i)
{
	bool write = scalar_on(access, "EnableWriteAccess");
	const char *name = stack_literal(x, doc_text(access, "BucketName"));
	const char *key = doc_text(access, "KeyName");
	struct stack_statement s = {.sid = arena_printf(x->arena, "Bucket%zu", i + 1),
	                            .actions = {"s3:GetObject", "s3:ListBucket",
	                                        write ? "s3:PutObject" : NULL,
	                                        write ? "s3:DeleteObject" : NULL}};

	if (key) {
		s.actions[1] = s.actions[2];
		s.actions[2] = s.actions[3];
		s.actions[3] = NULL;
	} else {
		s.resources[1] = arena_printf(x->arena, "arn:${AWS::Partition}:s3:::%s", name);
	}
	s.resources[0] = arena_printf(x->arena, "arn:${AWS::Partition}:s3:::%s/%s", name,
	                              key ? stack_literal(x, key) : "*");
	stack_statement(x, &s);
}

/* File systems that are mounted with the role: EfsSettings.IamAuthorization. */
static void efs(struct stack_writer *x)
{
	const struct doc *list = doc_get(x->in->config, "SharedStorage");

	for (size_t i = 0; list && i < list->n; i++) {
		const struct doc *settings = doc_get(list->items[i], "EfsSettings");
		const char *id = doc_text(settings, "FileSystemId");

		if (!scalar_on(settings, "IamAuthorization"))
			continue;
		if (!id)
			id = arena_printf(x->arena, "${%s}",
			                  stack_id(x, doc_text(list->items[i], "Name")));
		stack_statement(
		        x, &(struct stack_statement){
		                   .sid = arena_printf(x->arena, "FileSystem%zu", i + 1),
		                   .actions = {"elasticfilesystem:ClientMount",
		                               "elasticfilesystem:ClientWrite"},
		                   .resources = {arena_printf(
		                           x->arena,
		                           "arn:${AWS::Partition}:elasticfilesystem:${AWS::Region}:"
		                           "${AWS::AccountId}:file-system/%s",
		                           id)}});
	}
}

void stack_node_statements(struct stack_writer *x, const struct doc *iam)
{
	const struct doc *buckets = doc_get(iam, "S3Access");

	stack_statement(x, &(struct stack_statement){.sid = "Configuration",
	                                             .actions = {"s3:GetObject"},
	                                             .resources = {OBJECTS "*"}});
	secret(x, "MungeKey", "Scheduling.SlurmSettings.MungeKeySecretArn");
	secret(x, "Directory", "DirectoryService.PasswordSecretArn");
	efs(x);
	for (size_t i = 0; buckets && i < buckets->n; i++)
		bucket(x, buckets->items[i], i);
}

/* ---- the head ---- */

#define EC2 "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:"

static const struct stack_statement launching[] = {
        {"MakeTheMungeKeyOnce",
         {"s3:PutObject"},
         {OBJECTS "munge.key"},
         "Null",
         "s3:if-none-match",
         "false"},
        {"WordOfWorkstations", {"s3:GetObject"}, {OBJECTS FLEET_WORD_WANTED}, NULL, NULL, NULL},
        {"TellTheFleetsStatus", {"s3:PutObject"}, {OBJECTS FLEET_WORD_STATUS}, NULL, NULL, NULL},
        {"Look", {"ec2:DescribeInstances"}, {"*"}, NULL, NULL, NULL},
        {"LaunchOnlyIntoThisCluster",
         {"ec2:RunInstances"},
         {EC2 "instance/*", EC2 "volume/*"},
         "StringEquals",
         "aws:RequestTag/hpc-node:cluster",
         "${AWS::StackName}"},
        {"WhatALaunchUses",
         {"ec2:RunInstances"},
         {"arn:${AWS::Partition}:ec2:${AWS::Region}::image/*",
          "arn:${AWS::Partition}:ec2:${AWS::Region}::snapshot/*", EC2 "subnet/*",
          EC2 "security-group/*", EC2 "network-interface/*", EC2 "key-pair/*",
          EC2 "placement-group/*", EC2 "capacity-reservation/*",
          "arn:${AWS::Partition}:resource-groups:${AWS::Region}:${AWS::AccountId}:group/*"},
         NULL,
         NULL,
         NULL},
        {"TagsOfALaunch",
         {"ec2:CreateTags"},
         {EC2 "instance/*", EC2 "volume/*"},
         "StringEquals",
         "ec2:CreateAction",
         "RunInstances"},
        {"EndItsOwn",
         {"ec2:TerminateInstances"},
         {EC2 "instance/*"},
         "StringEquals",
         "aws:ResourceTag/hpc-node:cluster",
         "${AWS::StackName}"},
};

/* iam:PassRole of the nodes' roles and no other. */
static void passing(struct stack_writer *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->n_compute; i++)
		n += x->compute[i].role || x->compute[i].of_role;
	if (!n)
		return;
	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "Sid", "TheNodesRole");
	jsonw_str(&x->w, "Effect", "Allow");
	jsonw_str(&x->w, "Action", "iam:PassRole");
	jsonw_begin(&x->w, "Resource", '[');
	for (size_t i = 0; i < x->n_compute; i++)
		if (x->compute[i].role)
			stack_get(x, NULL, x->compute[i].role, "Arn");
		else if (x->compute[i].of_role)
			jsonw_str(&x->w, NULL, x->compute[i].of_role);
	jsonw_end(&x->w, ']');
	condition(x, &(struct stack_statement){.test = "StringEquals",
	                                       .key = "iam:PassedToService",
	                                       .value = "ec2.amazonaws.com"});
	jsonw_end(&x->w, '}');
}

void stack_head_statements(struct stack_writer *x)
{
	for (size_t i = 0; i < ARRAY_LEN(launching); i++)
		stack_statement(x, &launching[i]);
	passing(x);
	secret(x, "Database", "Scheduling.SlurmSettings.Database.PasswordSecretArn");
	if (x->logs)
		stack_statement(x, &(struct stack_statement){
		                           .sid = "Logs",
		                           .actions = {"logs:CreateLogStream", "logs:PutLogEvents"},
		                           .resources = {"${LogGroup.Arn}"}});
}
