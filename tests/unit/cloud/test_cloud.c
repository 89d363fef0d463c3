/* SPDX-License-Identifier: Apache-2.0 */
/* The handle to AWS: which settings it takes, and what it keeps of them. */
#include "unit.h"

#include <errno.h>

#include "base/clock.h"
#include "cloud/session.h"

static struct err e;

/* What every call of a handle with these settings says. */
static int use(const struct cloud_config *config)
{
	struct cloud *c = cloud_open(config);
	int r = session_need(c, 0, CLOCK_NEVER, &e);

	cloud_close(c);
	return r;
}

static void every_endpoint_is_looked_at(void **state)
{
	static const struct {
		struct cloud_config config;
		const char *setting;
	} rows[] = {
	        {{.endpoint = "x"}, "AWS_ENDPOINT_URL 'x'"},
	        {{.s3_endpoint = "x"}, "AWS_ENDPOINT_URL_S3 'x'"},
	        {{.secrets_endpoint = "x"}, "AWS_ENDPOINT_URL_SECRETS_MANAGER 'x'"},
	        {{.ebs_endpoint = "x"}, "AWS_ENDPOINT_URL_EBS 'x'"},
	        {{.ec2_endpoint = "x"}, "AWS_ENDPOINT_URL_EC2 'x'"},
	        {{.ssm_endpoint = "x"}, "AWS_ENDPOINT_URL_SSM 'x'"},
	        {{.sts_endpoint = "x"}, "AWS_ENDPOINT_URL_STS 'x'"},
	        {{.imds_endpoint = "x"}, "AWS_EC2_METADATA_SERVICE_ENDPOINT 'x'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(use(&rows[i].config), ERR_INPUT, rows[i].setting);
		assert_int_equal(e.reason, REASON_INPUT_SYNTAX);
	}
	assert_ok(use(&(struct cloud_config){.endpoint = "", .s3_endpoint = "http://h:1/p"}));
}

static void other_settings(void **state)
{
	static const char *const styles[] = {"path", "virtual", "auto", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(styles); i++)
		assert_ok(use(&(struct cloud_config){.s3_style = styles[i]}));
	assert_err(use(&(struct cloud_config){.s3_style = "paths"}), ERR_INPUT,
	           "AWS_S3_ADDRESSING_STYLE 'paths': expected path, virtual or auto");
	assert_int_equal(e.reason, REASON_INPUT_RANGE);
	assert_err(use(&(struct cloud_config){.region = "Ireland"}), ERR_INPUT,
	           "AWS_REGION 'Ireland' isn't a region's name");
	assert_int_equal(e.reason, REASON_INPUT_SYNTAX);
	assert_err(use(&(struct cloud_config){.imds_endpoint = "https://h"}), ERR_INPUT,
	           "'https://h': the service speaks http only");
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	assert_err(use(&(struct cloud_config){.access_key = "A"}), ERR_INPUT, "secret key");
	assert_err(use(&(struct cloud_config){.secret_key = "s"}), ERR_INPUT, "access key");
	assert_ok(use(&(struct cloud_config){.access_key = "", .secret_key = ""}));
}

/* The strings need not outlive the call; an empty one is none. */
static void what_is_kept(void **state)
{
	char owner[] = "123456789012", region[] = "eu-west-1", url[] = "http://h:1";
	const struct cloud_role role = {.arn = url, .session = "", .token_file = region};
	struct cloud *c = cloud_open(&(struct cloud_config){.imds_endpoint = url,
	                                                    .endpoint = url,
	                                                    .region = region,
	                                                    .bucket_owner = owner,
	                                                    .s3_style = "",
	                                                    .dualstack = true,
	                                                    .role = &role,
	                                                    .access_key = "A",
	                                                    .secret_key = "s",
	                                                    .session_token = "t"});

	(void)state;
	memset(owner, 'x', sizeof owner - 1);
	memset(region, 'x', sizeof region - 1);
	memset(url, 'x', sizeof url - 1);
	assert_string_equal(c->config.bucket_owner, "123456789012");
	assert_string_equal(c->config.region, "eu-west-1");
	assert_string_equal(c->config.endpoint, "http://h:1");
	assert_string_equal(c->config.role->arn, "http://h:1");
	assert_string_equal(c->config.role->token_file, "eu-west-1");
	assert_null(c->config.role->session);
	assert_null(c->config.s3_style);
	assert_null(c->config.access_key); /* in c->creds only, which are wiped */
	assert_null(c->source);
	assert_true(c->config.dualstack);
	assert_false(c->config.fips);
	assert_string_equal(c->creds.session_token, "t");
	cloud_expect_owner(c, "210987654321");
	assert_string_equal(c->config.bucket_owner, "210987654321");
	cloud_expect_owner(c, "");
	assert_null(c->config.bucket_owner);
	unsigned requests = 1, rounds = 1;
	cloud_counts(c, &requests, &rounds);
	assert_int_equal(requests, 0);
	assert_int_equal(rounds, 0);
	cloud_after_fork(c);
	cloud_close(c);
	cloud_close(NULL);
}

/* Who assumes a role has a handle of his own, which ends with it. */
static void the_source_of_a_role(void **state)
{
	const struct cloud_config person = {.access_key = "AKIAPERSON", .secret_key = "s"};
	const struct cloud_role role = {.arn = "arn:x", .source = &person};
	struct cloud *c = cloud_open(&(struct cloud_config){.role = &role});

	(void)state;
	assert_string_equal(c->source->creds.access_key, "AKIAPERSON");
	assert_false(c->creds.have);
	cloud_after_fork(c);
	cloud_close(c);
}

static void without_a_network(void **state)
{
	static const struct cloud_kept list[] = {{"s3://b/k", 0}};
	struct cloud *c = cloud_open_kept(NULL, 0);
	const char *region = NULL;

	(void)state;
	assert_non_null(c->kept);
	assert_int_equal(c->n_kept, 0);
	assert_err(cloud_region(c, &region, CLOCK_NEVER, &e), ERR_INPUT,
	           "nothing is fetched in this run but what was before it");
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	assert_null(region);
	cloud_close(c);
	c = cloud_open_kept(list, 1);
	assert_ptr_equal(c->kept, list);
	assert_int_equal(c->n_kept, 1);
	cloud_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_endpoint_is_looked_at),
	        cmocka_unit_test(other_settings),
	        cmocka_unit_test(what_is_kept),
	        cmocka_unit_test(the_source_of_a_role),
	        cmocka_unit_test(without_a_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
