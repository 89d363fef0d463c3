/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CloudFormation stack of a cluster: its template, made of a ParallelCluster file.
 *
 * What only the account knows are parameters of the template: the VPC, the bucket with the
 * configuration, the head's image. The cluster's name is the stack's. Ids that only the stack knows
 * reach the head by its node document, hpc-node(5), which is its user data. The template has what
 * stays: the head, its volumes, groups, roles, file systems. Instances that come and go are the
 * head's to launch, and don't show in it.
 *
 * A pure function of its input. Source: "Template reference" of the AWS CloudFormation User Guide.
 */
#pragma once

#include "data/faults.h"
#include "model/model.h"
#include "pcluster/cluster_notes.h"

#define STACK_MARK     "A Slurm cluster of hpc-node" /* what the description of each begins with */
#define STACK_TEXT_MAX (1UL << 20) /* bytes of a template that CloudFormation takes from S3 */

struct stack_input {
	const struct doc *config;  /* has passed cluster_check() */
	const struct model *model; /* of it */
	const char *sha256;        /* of the file's bytes, in hex: the head takes no other ones */
	/* What the parameters are unless somebody gives them; NULL: they have to be given. */
	const char *vpc, *bucket, *image, *compute_image;
	/* Sources of the shared storage that neither the file nor the stack knows, by its Name; a map,
	 * or NULL. */
	const struct doc *storage;
	struct faults *faults;       /* or NULL */
	struct cluster_notes *notes; /* or NULL */
	struct arena *arena;
};

struct stack {
	struct blob text; /* JSON, with a line's end */
	size_t resources;
	bool roles;                           /* it makes roles: CreateStack needs CAPABILITY_IAM */
	bool compute_image, vpc, root_device; /* it has ComputeImage, Vpc, HeadRootDevice */
};

/* What the file asks for and the stack can't do is a fault, with its place. */
int stack_write(const struct stack_input *in, struct stack *ret, struct err *e) ATTR_MUST_USE;
