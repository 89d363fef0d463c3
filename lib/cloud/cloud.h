/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to AWS for all floors above: one handle with the endpoints, the region, the role's
 * credentials, and connections that are kept alive.
 *
 * Opening does no I/O. Identity, region and credentials are fetched from the instance metadata
 * service on first need (independent reads overlap on one set of connections) and kept in memory
 * only. Credentials are refreshed before they expire; if that fails they stay in use with a warning
 * (static stability). After fork(2) a child calls cloud_after_fork() before its first use: it keeps
 * what is known and drops inherited connections.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "base/secret.h"
#include "data/vars.h"

struct cloud; /* opaque */

struct creds;
struct cloud_config;

/* A role whose credentials are used, or who lends some: profile.h. */
struct cloud_role {
	const char *arn, *session;
	const char *external_id, *duration; /* NULL: none */
	const char *token_file;             /* of a web identity; NULL: `source` assumes it */
	/* Of credentials that are lent, lent.h; NULL where they don't need it. */
	const char *who, *command, *url, *token;
	const struct cloud_config *source; /* the credentials that may assume it */
	int (*assume)(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e);
};

/* All strings may be NULL. Only the programs' main() reads the environment into this. */
struct cloud_config {
	const char *imds_endpoint; /* AWS_EC2_METADATA_SERVICE_ENDPOINT; default: IPv4, then IPv6 */
	const char *endpoint;      /* AWS_ENDPOINT_URL */
	const char *s3_endpoint;   /* AWS_ENDPOINT_URL_S3 */
	const char *secrets_endpoint;        /* AWS_ENDPOINT_URL_SECRETS_MANAGER */
	const char *ebs_endpoint;            /* AWS_ENDPOINT_URL_EBS */
	const char *ec2_endpoint;            /* AWS_ENDPOINT_URL_EC2 */
	const char *ssm_endpoint;            /* AWS_ENDPOINT_URL_SSM */
	const char *sts_endpoint;            /* AWS_ENDPOINT_URL_STS */
	const char *cloudformation_endpoint; /* AWS_ENDPOINT_URL_CLOUDFORMATION */
	const char *region;       /* AWS_REGION; default: the instance's. Never a built-in one */
	const char *ca_bundle;    /* AWS_CA_BUNDLE: PEM file */
	const char *bucket_owner; /* 12-digit account id sent as x-amz-expected-bucket-owner */
	bool dualstack;           /* AWS_USE_DUALSTACK_ENDPOINT: the dual-stack endpoints of S3 */
	bool fips;                /* AWS_USE_FIPS_ENDPOINT: those of FIPS 140 */
	const char *s3_style;     /* AWS_S3_ADDRESSING_STYLE: "path", "virtual" or "auto" */
	bool no_metadata;         /* AWS_EC2_METADATA_DISABLED: the metadata service isn't asked */
	/* Credentials of a program that runs outside EC2; both keys or none. The node's agent
	 * leaves them out: its credentials are the instance role's. */
	const char *access_key, *secret_key, *session_token;
	const struct cloud_role *role; /* in place of keys */
	/* The sources that such a program tried before, for the message when none has any. When set,
	 * the metadata service, which may not exist there, is tried for a few seconds only. */
	const char *tried;
};

/* Copies what it needs. When a setting can't be used, every later call returns ERR_INPUT for it. */
struct cloud *cloud_open(const struct cloud_config *config);
/*
 * A handle without network access: fetching by URI returns the content of this list, and every
 * other call is ERR_INPUT. The list and its descriptors must outlive the handle.
 */
struct cloud_kept {
	const char *uri;
	int fd; /* of the whole content */
};
struct cloud *cloud_open_kept(const struct cloud_kept *list, size_t n);
void cloud_close(struct cloud *c); /* wipes credentials; NULL is fine */
void cloud_after_fork(struct cloud *c);
/* From now on requests to S3 carry this account id as x-amz-expected-bucket-owner. */
void cloud_expect_owner(struct cloud *c, const char *account);
/* Counts since open, for status.json and benchmarks: HTTP requests sent, and the longest series of
 * requests that each waited for the one before. */
void cloud_counts(const struct cloud *c, unsigned *ret_requests, unsigned *ret_rounds);

/* The instance's identity: instance-id, instance-type, region, availability-zone, account-id,
 * local-ipv4, mac, partition, dns-suffix, role (IAM role name, empty when none), ami-id,
 * launch-index (its number among the instances of one RunInstances, from 0), every instance tag as
 * "tag.NAME". Source "imds". */
int cloud_identity(struct cloud *c, struct vars *ret, uint64_t deadline,
                   struct err *e) ATTR_MUST_USE;

/* Adds "vpc-cidrs": the networks of the VPC that the interface "mac" is in, by blanks, IPv4 before
 * IPv6. Source "imds"; not set where "mac" isn't or the service lists none. */
int cloud_networks(struct cloud *c, struct vars *facts, uint64_t deadline,
                   struct err *e) ATTR_MUST_USE;

/* The region that requests go to; the handle's string. */
int cloud_region(struct cloud *c, const char **ret, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* The raw user data; empty when the instance has none. At most 64 KiB. */
int cloud_user_data(struct cloud *c, struct arena *a, struct blob *ret, uint64_t deadline,
                    struct err *e) ATTR_MUST_USE;
