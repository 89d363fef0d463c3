/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a workstation's credentials come from: the environment, then AWS's shared files.
 *
 * Used are static keys; roles, that another profile's credentials or the instance's role assume
 * (role_arn with source_profile or credential_source), or a web identity; and what is lent: by a
 * sign-in of IAM Identity Center, by credential_process, by a container's host. Any other source that
 * the environment or the profile names is refused by name: skipping it would sign as another
 * principal, in the end as the instance's role. The order
 * of sources is that of AWS's own tools. See "Shared config and credentials files" and "Assume role
 * credential provider" in the AWS SDKs Reference Guide.
 */
#pragma once

#include "base/arena.h"
#include "cloud/cloud.h"

struct profile_source {
	const char *name; /* AWS_PROFILE; NULL: "default", which need not exist */
	const char *home; /* HOME */
	const char *config_file, *credentials_file; /* NULL: ~/.aws/config, ~/.aws/credentials */
	/* AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and ..._FULL_URI. */
	const char *web_identity, *container, *container_full;
	/* AWS_CONTAINER_AUTHORIZATION_TOKEN and ..._FILE; AWS_ENDPOINT_URL_SSO */
	const char *container_token, *container_token_file, *sso_endpoint;
	const char *role_arn, *role_session; /* AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME */
};

/*
 * Fills what `config` lacks: keys or a role, region, and where the profile says so FIPS and dual-stack
 * endpoints and S3's addressing style; and lists in config->tried what had no credentials. A broken
 * line is ERR_INPUT with its place; a source that isn't supported is ERR_INPUT,
 * REASON_INPUT_UNSUPPORTED.
 */
int profile_load(const struct profile_source *s, struct arena *a, struct cloud_config *config,
                 struct err *e) ATTR_MUST_USE;
