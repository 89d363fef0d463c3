/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the floor stack: one statement of a policy, and the statements of a node's role. */
#pragma once

#include "stack/stack_own.h"

struct stack_statement {
	const char *sid;
	const char *actions[6];    /* NULL: fewer */
	const char *resources[10]; /* for Fn::Sub; NULL: fewer */
	/* A condition of one key, or NULLs. */
	const char *test, *key, *value;
};

void stack_statement(struct stack_writer *x, const struct stack_statement *s);

/* What the file gives a node's role: what any node needs, and its Iam's S3Access. */
void stack_node_statements(struct stack_writer *x, const struct doc *iam);
/* What the head needs beside: launching its nodes, Slurm's database, logs. */
void stack_head_statements(struct stack_writer *x);
