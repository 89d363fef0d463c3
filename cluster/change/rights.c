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

/* An action's things, by how it begins; those that aren't here know no narrower ones. */
static const struct {
	const char *begins, *resource; /* %1: partition, region, account, bucket, cluster in turn */
	enum { OF_STACK, OF_ROLE, OF_BUCKET, OF_OBJECTS } of;
} rows[] = {
        {"cloudformation:DescribeStacks", NULL, OF_STACK}, /* the list has no ARN */
        {"cloudformation:", "stack", OF_STACK},
        {"iam:", "role", OF_ROLE},
        {"s3:PutObject", "object", OF_OBJECTS},
        {"s3:GetObject", "object", OF_OBJECTS},
        {"s3:DeleteObjectVersion", "object", OF_OBJECTS},
        {"s3:", "bucket", OF_BUCKET},
};

static const char *resource_of(size_t row, const struct rights_place *p, struct arena *a)
{
	const struct partition *found = p->region ? partition_by_region(p->region) : NULL;
	const char *partition = found ? found->name : "aws";
	const char *account = p->account ? p->account : "*", *region = p->region ? p->region : "*";
	const char *bucket = p->bucket ? p->bucket : "*", *cluster = p->cluster ? p->cluster : "*";

	switch (rows[row].of) {
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
	const char *resource = "*";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_starts(action, rows[i].begins)) {
			if (rows[i].resource)
				resource = resource_of(i, p, a);
			break;
		}
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "Effect", "Allow");
	jsonw_str(&w, "Action", action);
	jsonw_str(&w, "Resource", resource);
	jsonw_end(&w, '}');
	return out.data;
}
