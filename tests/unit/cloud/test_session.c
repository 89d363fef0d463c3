/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials, region and domain from the metadata service: when they are asked for again. */
#include "session_test.h"

static void everything_in_one_round(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        SCRIPT_REGION,
	        {"GET /latest/meta-data/services/domain", 0, 200, NULL, "amazonaws.com.cn"},
	        SCRIPT_ROLE,
	        SCRIPT_CREDS,
	        {0},
	};

	(void)state;
	begin(rows, NULL);
	assert_ok(need(SESSION_REGION | SESSION_DOMAIN | SESSION_CREDS));
	assert_string_equal(c->region, "eu-west-1");
	assert_string_equal(c->domain, "amazonaws.com.cn");
	assert_string_equal(c->creds.access_key, "ASIAFIRST");
	assert_int_equal(s.shared->requests, 5);
	assert_ok(need(SESSION_REGION | SESSION_DOMAIN | SESSION_CREDS));
	assert_int_equal(s.shared->requests, 5);
	const char *region = NULL;
	assert_ok(cloud_region(c, &region, clock_in_ms(LIMIT_MS), &e));
	assert_string_equal(region, "eu-west-1");
	assert_int_equal(s.shared->requests, 5);
}

static void the_domain_follows_from_the_region(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        SCRIPT_REGION,
	        {"GET /latest/meta-data/services/domain", 0, 200, NULL, "no domain"},
	        {0},
	};

	(void)state;
	begin(rows, NULL);
	assert_ok(need(SESSION_REGION | SESSION_DOMAIN));
	assert_string_equal(c->domain, "amazonaws.com");
}

static void a_configured_region_is_not_asked_for(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, {0}};

	(void)state;
	begin(rows, "cn-north-1");
	assert_ok(need(SESSION_REGION | SESSION_DOMAIN));
	assert_string_equal(c->domain, "amazonaws.com.cn");
	assert_int_equal(s.shared->requests, 0);
}

static void an_unknown_region_needs_the_service(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, {0}};

	(void)state;
	begin(rows, "xx-nowhere-1");
	assert_err(need(SESSION_DOMAIN), ERR_ABSENT, "AWS_ENDPOINT_URL");
	assert_int_equal(e.reason, REASON_NO_REGION);
}

static void a_region_that_is_none(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        {"GET /latest/meta-data/placement/region", 1, 200, NULL, "EU"},
	        {0},
	};

	(void)state;
	begin(rows, NULL);
	assert_err(need(SESSION_REGION), ERR_ABSENT, "AWS_REGION");
	assert_err(need(SESSION_REGION), ERR_ABSENT, "AWS_REGION");
	assert_int_equal(script_count(&s, "GET "), 2);
}

static void no_role(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, {0}};

	(void)state;
	begin(rows, "eu-west-1");
	assert_err(need(SESSION_CREDS), ERR_ABSENT, "no role");
	assert_int_equal(e.reason, REASON_NO_INSTANCE_ROLE);
	assert_false(c->creds.have);
}

/* A role's name has at most 128 characters, and is no path to somewhere else. */
static void names_of_roles(void **state)
{
	char longest[130], path[300];

	(void)state;
	memset(longest, 'r', sizeof longest);
	longest[129] = '\0';
	snprintf(path, sizeof path, "GET /latest/meta-data/iam/security-credentials/%s",
	         longest + 1);
	const struct {
		const char *name;
		bool good;
	} names[] = {{longest + 1, true}, {longest, false}, {"../x", false}, {"", false}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct script_row rows[] = {
		        SCRIPT_TOKEN,
		        {"GET /latest/meta-data/iam/security-credentials/ ", 0, 200, NULL,
		         names[i].name},
		        {path, 0, 200, SCRIPT_DATE, NEWER},
		        {0}};

		cloud_close(c);
		script_stop(&s);
		begin(rows, "eu-west-1");
		if (names[i].good) {
			assert_ok(need(SESSION_CREDS));
			continue;
		}
		assert_err(need(SESSION_CREDS), ERR_DENIED, "isn't a role's name");
		assert_int_equal(e.reason, REASON_IMDS_PROTOCOL);
	}
}

/* Each is read for itself, and leaves the others as they are. */
static void only_what_is_missing_is_read(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN, SCRIPT_REGION, SCRIPT_ROLE, SCRIPT_CREDS, {0},
	};
	uint64_t renew_at;

	(void)state;
	begin(rows, NULL);
	assert_ok(need(SESSION_CREDS));
	assert_null(c->region);
	assert_int_equal(s.shared->requests, 3); /* token, role, credentials */
	renew_at = c->creds.renew_at;
	assert_ok(need(SESSION_REGION));
	assert_int_equal(s.shared->requests, 4);
	assert_null(c->domain);
	assert_int_equal(c->creds.renew_at, renew_at);
	assert_ok(need(SESSION_REGION | SESSION_DOMAIN | SESSION_CREDS));
	assert_int_equal(s.shared->requests, 5);
	assert_string_equal(c->domain, "amazonaws.com");
}

static void credentials_come_late(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN, SCRIPT_ROLE, {SCRIPT_CREDS_PATH, 2, 404, NULL}, SCRIPT_CREDS, {0},
	};

	(void)state;
	begin(rows, "eu-west-1");
	assert_ok(need(SESSION_CREDS));
	assert_string_equal(c->creds.access_key, "ASIAFIRST");
	assert_int_equal(script_count(&s, SCRIPT_CREDS_PATH), 3);
}

static void the_service_refuses_the_role(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        SCRIPT_ROLE,
	        {SCRIPT_CREDS_PATH, 0, 200, NULL, "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}", 0,
	         0},
	        {0},
	};

	(void)state;
	begin(rows, "eu-west-1");
	assert_err(need(SESSION_CREDS), ERR_RETRY, "AssumeRoleUnauthorizedAccess");
	assert_int_equal(e.reason, REASON_CREDENTIALS_REFUSED);
}

static void forbidden(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        {"GET ", 0, 403, NULL},
	        {0},
	};

	(void)state;
	begin(rows, "eu-west-1");
	assert_err(need(SESSION_CREDS), ERR_DENIED, "forbids");
	assert_int_equal(e.reason, REASON_IMDS_FORBIDDEN);
}

/* Without the service a workstation hears within seconds what was looked at. */
static void nothing_is_found(void **state)
{
	uint64_t start;

	(void)state;
	s = script_start((const struct script_row[]){{0}});
	c = cloud_open(&(struct cloud_config){.imds_endpoint = "http://127.0.0.1:9",
	                                      .region = "eu-west-1",
	                                      .tried = "A isn't set, B has none"});
	start = clock_now();
	assert_err(need(SESSION_CREDS), ERR_RETRY,
	           "no credentials: A isn't set, B has none, and the instance metadata service: ");
	assert_int_equal(e.reason, REASON_NO_CREDENTIALS);
	assert_true(clock_now() - start < 10 * NS_PER_S);
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = "http://127.0.0.1:9",
	                                      .access_key = "AKIA",
	                                      .secret_key = "secret",
	                                      .tried = "A"});
	assert_err(need(SESSION_REGION | SESSION_CREDS), ERR_RETRY, "no region: AWS_REGION");
	assert_int_equal(e.reason, REASON_NO_REGION);
	/* What is found is no error, though others were tried before. */
	cloud_close(c);
	script_stop(&s);
	s = script_start(renewing);
	c = cloud_open(&(struct cloud_config){
	        .imds_endpoint = s.url, .region = "eu-west-1", .tried = "A"});
	assert_ok(need(SESSION_CREDS));
	assert_int_equal(e.kind, ERR_NONE);
	assert_string_equal(e.text, "");
}

static void the_service_is_switched_off(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, SCRIPT_REGION, {0}};

	(void)state;
	s = script_start(rows);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = s.url, .no_metadata = true});
	assert_err(need(SESSION_REGION), ERR_INPUT, "AWS_EC2_METADATA_DISABLED");
	assert_int_equal(e.reason, REASON_NO_REGION);
	assert_err(need(SESSION_CREDS), ERR_INPUT, "AWS_EC2_METADATA_DISABLED");
	assert_int_equal(e.reason, REASON_NO_CREDENTIALS);
	assert_int_equal(s.shared->requests, 0);
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){
	        .imds_endpoint = s.url, .no_metadata = true, .region = "eu-west-1", .tried = "A"});
	assert_err(need(SESSION_CREDS), ERR_INPUT, "no credentials: A, and");
	assert_int_equal(s.shared->requests, 0);
}

static void configured_ones_are_never_asked_for(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, {0}};

	(void)state;
	s = script_start(rows);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = s.url,
	                                      .region = "eu-west-1",
	                                      .access_key = "AKIA",
	                                      .secret_key = "secret"});
	assert_ok(need(SESSION_CREDS));
	creds_distrust(&c->creds);
	assert_ok(need(SESSION_CREDS));
	assert_int_equal(s.shared->requests, 0);
}

static void a_broken_configuration_is_what_every_call_says(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, {0}};
	static const struct {
		struct cloud_config config;
		const char *part;
	} broken[] = {
	        {{.region = "EU"}, "AWS_REGION 'EU'"},
	        {{.s3_endpoint = "nonsense"}, "AWS_ENDPOINT_URL_S3 'nonsense'"},
	        {{.access_key = "AKIA"}, "secret key"},
	        {{.secret_key = "secret"}, "access key"},
	        {{.imds_endpoint = "https://127.0.0.1"}, "http only"},
	};

	(void)state;
	s = script_start(rows);
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		cloud_close(c);
		c = cloud_open(&broken[i].config);
		assert_err(need(SESSION_REGION), ERR_INPUT, broken[i].part);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(everything_in_one_round),
	        TEST(the_domain_follows_from_the_region),
	        TEST(a_configured_region_is_not_asked_for),
	        TEST(an_unknown_region_needs_the_service),
	        TEST(a_region_that_is_none),
	        TEST(no_role),
	        TEST(names_of_roles),
	        TEST(only_what_is_missing_is_read),
	        TEST(credentials_come_late),
	        TEST(the_service_refuses_the_role),
	        TEST(forbidden),
	        TEST(nothing_is_found),
	        TEST(the_service_is_switched_off),
	        TEST(configured_ones_are_never_asked_for),
	        TEST(a_broken_configuration_is_what_every_call_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
