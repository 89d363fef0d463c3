/* SPDX-License-Identifier: Apache-2.0 */
/* The environment: the variables that AWS's own tools read, and nothing else. */
#include <stdlib.h>

#include "program/program.h"

#define AT(m) offsetof(struct program, m)

enum who { ANYONE, INSTANCES, WORKSTATION, STACKS };

static const struct {
	const char *variable;
	enum who who;
	size_t offset; /* a const char * */
} texts[] = {
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT", ANYONE, AT(cloud_config.imds_endpoint)},
        {"AWS_ENDPOINT_URL", ANYONE, AT(cloud_config.endpoint)},
        {"AWS_ENDPOINT_URL_S3", ANYONE, AT(cloud_config.s3_endpoint)},
        {"AWS_ENDPOINT_URL_SECRETS_MANAGER", ANYONE, AT(cloud_config.secrets_endpoint)},
        {"AWS_ENDPOINT_URL_EBS", WORKSTATION, AT(cloud_config.ebs_endpoint)},
        {"AWS_ENDPOINT_URL_EC2", INSTANCES, AT(cloud_config.ec2_endpoint)},
        {"AWS_ENDPOINT_URL_SSM", WORKSTATION, AT(cloud_config.ssm_endpoint)},
        {"AWS_ENDPOINT_URL_STS", WORKSTATION, AT(cloud_config.sts_endpoint)},
        {"AWS_ENDPOINT_URL_CLOUDFORMATION", STACKS, AT(cloud_config.cloudformation_endpoint)},
        {"AWS_DEFAULT_REGION", WORKSTATION, AT(cloud_config.region)},
        {"AWS_REGION", ANYONE, AT(cloud_config.region)}, /* after the variable that it overrides */
        {"AWS_CA_BUNDLE", ANYONE, AT(cloud_config.ca_bundle)},
        {"AWS_ACCESS_KEY_ID", WORKSTATION, AT(cloud_config.access_key)},
        {"AWS_SECRET_ACCESS_KEY", WORKSTATION, AT(cloud_config.secret_key)},
        {"AWS_SESSION_TOKEN", WORKSTATION, AT(cloud_config.session_token)},
        {"AWS_S3_ADDRESSING_STYLE", ANYONE, AT(cloud_config.s3_style)},
        {"AWS_PROFILE", WORKSTATION, AT(profile.name)},
        {"HOME", WORKSTATION, AT(profile.home)},
        {"AWS_CONFIG_FILE", WORKSTATION, AT(profile.config_file)},
        {"AWS_SHARED_CREDENTIALS_FILE", WORKSTATION, AT(profile.credentials_file)},
        {"AWS_WEB_IDENTITY_TOKEN_FILE", WORKSTATION, AT(profile.web_identity)},
        {"AWS_ROLE_ARN", WORKSTATION, AT(profile.role_arn)},
        {"AWS_ROLE_SESSION_NAME", WORKSTATION, AT(profile.role_session)},
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", WORKSTATION, AT(profile.container)},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", WORKSTATION, AT(profile.container_full)},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN", WORKSTATION, AT(profile.container_token)},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", WORKSTATION, AT(profile.container_token_file)},
        {"AWS_ENDPOINT_URL_SSO", WORKSTATION, AT(profile.sso_endpoint)},
};

static const struct {
	const char *variable;
	size_t offset; /* a bool */
} switches[] = {
        {"AWS_USE_DUALSTACK_ENDPOINT", AT(cloud_config.dualstack)},
        {"AWS_USE_FIPS_ENDPOINT", AT(cloud_config.fips)},
        {"AWS_EC2_METADATA_DISABLED", AT(cloud_config.no_metadata)},
};

/* AWS's tools accept "true" in any case; people also write "1". Anything else is false. */
static bool is_on(const char *value)
{
	return strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0 ||
	       strcasecmp(value, "on") == 0 || strcmp(value, "1") == 0;
}

static bool reads(const struct program_info *info, enum who who)
{
	if (who == STACKS)
		return info->stacks;
	return who == ANYONE || info->workstation || (who == INSTANCES && info->instances);
}

void program_environment(struct program *p)
{
	char *base = (char *)p;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *value = getenv(texts[i].variable);

		if (value && reads(p->info, texts[i].who))
			*(const char **)(void *)(base + texts[i].offset) = value;
	}
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		const char *value = getenv(switches[i].variable);

		if (value)
			*(bool *)(base + switches[i].offset) = is_on(value);
	}
}
