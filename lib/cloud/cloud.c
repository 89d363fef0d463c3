/* SPDX-License-Identifier: Apache-2.0 */
/* Opens, configures and closes the handle to AWS. */
#include "cloud/cloud.h"

#include <errno.h>
#include <stdlib.h>

#include "cloud/partition.h"
#include "cloud/session.h"
#include "http/uri.h"

static const char *copy(struct arena *a, const char *s)
{
	return s && *s ? arena_strdup(a, s) : NULL;
}

static void copy_config(struct cloud *c, const struct cloud_config *from)
{
	c->config = (struct cloud_config){
	        .imds_endpoint = copy(c->arena, from->imds_endpoint),
	        .endpoint = copy(c->arena, from->endpoint),
	        .s3_endpoint = copy(c->arena, from->s3_endpoint),
	        .secrets_endpoint = copy(c->arena, from->secrets_endpoint),
	        .ebs_endpoint = copy(c->arena, from->ebs_endpoint),
	        .ec2_endpoint = copy(c->arena, from->ec2_endpoint),
	        .ssm_endpoint = copy(c->arena, from->ssm_endpoint),
	        .sts_endpoint = copy(c->arena, from->sts_endpoint),
	        .cloudformation_endpoint = copy(c->arena, from->cloudformation_endpoint),
	        .region = copy(c->arena, from->region),
	        .ca_bundle = copy(c->arena, from->ca_bundle),
	        .bucket_owner = copy(c->arena, from->bucket_owner),
	        .dualstack = from->dualstack,
	        .fips = from->fips,
	        .s3_style = copy(c->arena, from->s3_style),
	        .no_metadata = from->no_metadata,
	        .tried = copy(c->arena, from->tried),
	};
}

static void copy_role(struct cloud *c, const struct cloud_role *from)
{
	struct cloud_role *role = arena_alloc(c->arena, sizeof *role);

	*role = (struct cloud_role){
	        .arn = copy(c->arena, from->arn),
	        .session = copy(c->arena, from->session),
	        .external_id = copy(c->arena, from->external_id),
	        .duration = copy(c->arena, from->duration),
	        .token_file = copy(c->arena, from->token_file),
	        .who = copy(c->arena, from->who),
	        .command = copy(c->arena, from->command),
	        .url = copy(c->arena, from->url),
	        .token = copy(c->arena, from->token),
	        .assume = from->assume,
	};
	c->config.role = role;
	if (from->source)
		c->source = cloud_open(from->source);
}

static int check_config(struct cloud *c, const struct cloud_config *from, struct err *e)
{
	const struct {
		const char *value, *setting;
	} endpoints[] = {
	        {c->config.endpoint, "AWS_ENDPOINT_URL"},
	        {c->config.s3_endpoint, "AWS_ENDPOINT_URL_S3"},
	        {c->config.secrets_endpoint, "AWS_ENDPOINT_URL_SECRETS_MANAGER"},
	        {c->config.ebs_endpoint, "AWS_ENDPOINT_URL_EBS"},
	        {c->config.ec2_endpoint, "AWS_ENDPOINT_URL_EC2"},
	        {c->config.ssm_endpoint, "AWS_ENDPOINT_URL_SSM"},
	        {c->config.sts_endpoint, "AWS_ENDPOINT_URL_STS"},
	        {c->config.cloudformation_endpoint, "AWS_ENDPOINT_URL_CLOUDFORMATION"},
	};
	struct endpoint ignored;

	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
		if (endpoints[i].value && uri_endpoint(endpoints[i].value, endpoints[i].setting,
		                                       c->arena, &ignored, e) < 0)
			return -e->no;
	if (c->config.region && !partition_region_valid(c->config.region))
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "AWS_REGION '%s' isn't a region's name", c->config.region);
	if (c->config.s3_style && !str_eq(c->config.s3_style, "path") &&
	    !str_eq(c->config.s3_style, "virtual") && !str_eq(c->config.s3_style, "auto"))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "AWS_S3_ADDRESSING_STYLE '%s': expected path, virtual or auto",
		               c->config.s3_style);
	if ((from->access_key && *from->access_key) || (from->secret_key && *from->secret_key))
		return creds_set(&c->creds, from->access_key, from->secret_key, from->session_token,
		                 e);
	return 0;
}

struct cloud *cloud_open(const struct cloud_config *config)
{
	struct cloud *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->arena = arena_new();
	copy_config(c, config);
	if (config->role)
		copy_role(c, config->role);
	c->http = http_new(c->config.ca_bundle);
	if (check_config(c, config, &c->broken) == 0)
		(void)!imds_open(c->http, c->config.imds_endpoint, c->arena, &c->imds, &c->broken);
	return c;
}

struct cloud *cloud_open_kept(const struct cloud_kept *list, size_t n)
{
	static const struct cloud_kept none;
	struct cloud *c = cloud_open(&(struct cloud_config){0});

	c->kept = list ? list : &none;
	c->n_kept = n;
	(void)err_set(&c->broken, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
	              "nothing is fetched in this run but what was before it");
	return c;
}

void cloud_close(struct cloud *c)
{
	if (!c)
		return;
	cloud_close(c->source);
	imds_close(c->imds);
	http_close(c->http);
	arena_close(c->arena);
	explicit_bzero(c, sizeof *c);
	free(c);
}

void cloud_after_fork(struct cloud *c)
{
	http_after_fork(c->http);
	if (c->source)
		cloud_after_fork(c->source);
}

void cloud_expect_owner(struct cloud *c, const char *account)
{
	c->config.bucket_owner = copy(c->arena, account);
}

void cloud_counts(const struct cloud *c, unsigned *ret_requests, unsigned *ret_rounds)
{
	http_counts(c->http, ret_requests, ret_rounds);
}

int cloud_region(struct cloud *c, const char **ret, uint64_t deadline, struct err *e)
{
	int r = session_need(c, SESSION_REGION, deadline, e);

	if (r < 0)
		return r;
	*ret = c->region;
	return 0;
}
