/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the right that a refusal is about, and writes the statement that grants it. */
#include "change/rights.h"

#include "cloud/partition.h"
#include "data/jsonw.h"

#define STATEMENT_MAX 2048
#define LETTERS       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* What AWS, and our own hints, say before the action. */
static const char *const marks[] = {"to perform: ", "credentials need "};

static const char *const services[] = {"cloudformation:", "cloudwatch:",        "ec2:", "iam:",
                                       "logs:",           "elasticfilesystem:", "fsx:", "s3:"};

const char *rights_action(const char *refusal, struct arena *a)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const char *at = strstr(refusal, marks[i]);

		if (!at)
			continue;
		at += strlen(marks[i]);
		for (size_t k = 0; k < ARRAY_LEN(services); k++) {
			size_t len = strlen(services[k]);

			if (str_starts(at, services[k]) && at[len] >= 'A' && at[len] <= 'Z')
				return arena_memdup(a, at, len + strspn(at + len, LETTERS));
		}
	}
	return NULL;
}

/* What an action is about, by how it begins; those that aren't here are about anything. */
static const struct {
	const char *begins;
	enum { OF_ANY, OF_STACK, OF_ROLE, OF_BUCKET, OF_OBJECTS } of;
} rows[] = {
        {"cloudformation:DescribeStacks", OF_ANY}, /* of the list, which has no ARN */
        {"cloudformation:", OF_STACK},
        {"iam:", OF_ROLE},
        {"s3:PutObject", OF_OBJECTS},
        {"s3:GetObject", OF_OBJECTS},
        {"s3:DeleteObjectVersion", OF_OBJECTS},
        {"s3:", OF_BUCKET},
        {"", OF_ANY},
};

static const char *resource_of(size_t row, const struct rights_place *p, struct arena *a)
{
	const struct partition *found = p->region ? partition_by_region(p->region) : NULL;
	const char *partition = found ? found->name : "aws";
	const char *account = p->account ? p->account : "*", *region = p->region ? p->region : "*";
	const char *bucket = p->bucket ? p->bucket : "*", *cluster = p->cluster ? p->cluster : "*";

	switch (rows[row].of) {
	case OF_ANY:
		return "*";
	case OF_STACK:
		return arena_printf(a, "arn:%s:cloudformation:%s:%s:stack/%s/*", partition, region,
		                    account, cluster);
	case OF_ROLE:
		return arena_printf(a, "arn:%s:iam::%s:*/%s-*", partition, account, cluster);
	case OF_BUCKET:
		return arena_printf(a, "arn:%s:s3:::%s", partition, bucket);
	case OF_OBJECTS:
		return arena_printf(a, "arn:%s:s3:::%s/%s/*", partition, bucket, cluster);
	}
	return "*";
}

const char *rights_statement(const char *action, const struct rights_place *p, struct arena *a)
{
	struct strbuf out = STRBUF(a, STATEMENT_MAX);
	struct jsonw w = {.out = &out};
	size_t row = 0;

	while (!str_starts(action, rows[row].begins))
		row++;
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "Effect", "Allow");
	jsonw_str(&w, "Action", action);
	jsonw_str(&w, "Resource", resource_of(row, p, a));
	jsonw_end(&w, '}');
	return out.data;
}
