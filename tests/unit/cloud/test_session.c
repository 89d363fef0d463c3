/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials, region and domain from the metadata service: when they are asked for again. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "cloud/session.h"
#include "script.h"

#define WALL     1767225600 /* 2026-01-01, what SCRIPT_DATE says */
#define LIMIT_MS 60000
#define NS_PER_S 1000000000ull
#define NEWER    SCRIPT_KEYS("ASIANEWER", "2026-01-01T12:00:00Z")

static struct err e;
static struct script s;
static struct cloud *c;

static int setup(void **state)
{
	(void)state;
	script_clock_fast(WALL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	script_clock_real();
	cloud_close(c);
	c = NULL;
	script_stop(&s);
	return 0;
}

static void begin(const struct script_row *rows, const char *region)
{
	s = script_start(rows);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = s.url, .region = region});
}

static int need(unsigned what)
{
	e = (struct err){0};
	return session_need(c, what, clock_in_ms(LIMIT_MS), &e);
}

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

static void a_role_without_credentials(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, SCRIPT_ROLE, {0}};

	(void)state;
	begin(rows, "eu-west-1");
	assert_err(need(SESSION_CREDS), ERR_ABSENT, "no credentials");
	assert_int_equal(e.reason, REASON_NO_INSTANCE_ROLE);
	/* "Not yet" is asked again for, and no longer than 30 s. */
	assert_true(script_count(&s, SCRIPT_CREDS_PATH) > 2);
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

static const struct script_row renewing[] = {
        SCRIPT_TOKEN,
        SCRIPT_ROLE,
        {SCRIPT_CREDS_PATH, 1, 200, SCRIPT_DATE, SCRIPT_KEYS("ASIAFIRST", "2026-01-01T06:00:00Z"),
         0, 0},
        {SCRIPT_CREDS_PATH, 0, 200, SCRIPT_DATE, NEWER},
        {0},
};

static void they_are_renewed_a_quarter_of_an_hour_before_their_end(void **state)
{
	uint64_t start;

	(void)state;
	begin(renewing, "eu-west-1");
	start = clock_now();
	assert_ok(need(SESSION_CREDS));
	script_clock.now_ns = start + (6 * 3600 - 960) * NS_PER_S;
	assert_ok(need(SESSION_CREDS));
	assert_string_equal(c->creds.access_key, "ASIAFIRST");
	script_clock.now_ns = start + (6 * 3600 - 840) * NS_PER_S;
	assert_ok(need(SESSION_CREDS));
	assert_string_equal(c->creds.access_key, "ASIANEWER");
	assert_int_equal(script_count(&s, SCRIPT_CREDS_PATH), 2);
}

static void those_that_a_service_refused_are_let_go(void **state)
{
	(void)state;
	begin(renewing, "eu-west-1");
	assert_ok(need(SESSION_CREDS));
	creds_distrust(&c->creds);
	assert_ok(need(SESSION_CREDS));
	assert_string_equal(c->creds.access_key, "ASIANEWER");
}

static void old_ones_stay_when_they_cannot_be_renewed(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        SCRIPT_ROLE,
	        {SCRIPT_CREDS_PATH, 1, 200, SCRIPT_DATE,
	         SCRIPT_KEYS("ASIAFIRST", "2026-01-01T06:00:00Z")},
	        {SCRIPT_CREDS_PATH, 0, 403, NULL},
	        {0},
	};

	(void)state;
	begin(rows, "eu-west-1");
	assert_ok(need(SESSION_CREDS));
	script_clock.now_ns += 6 * 3600 * NS_PER_S;
	assert_ok(need(SESSION_CREDS));
	assert_int_equal(e.kind, ERR_NONE);
	assert_string_equal(c->creds.access_key, "ASIAFIRST");
	assert_int_equal(script_count(&s, SCRIPT_CREDS_PATH), 2);
	/* Not asked at every call from then on, but again after 5 to 15 minutes. */
	script_clock.now_ns += 290 * NS_PER_S;
	assert_ok(need(SESSION_CREDS));
	assert_int_equal(script_count(&s, SCRIPT_CREDS_PATH), 2);
	script_clock.now_ns += 615 * NS_PER_S;
	assert_ok(need(SESSION_CREDS));
	assert_int_equal(script_count(&s, SCRIPT_CREDS_PATH), 3);
}

static void old_ones_stay_when_the_service_is_gone(void **state)
{
	uint64_t start;

	(void)state;
	begin(renewing, "eu-west-1");
	assert_ok(need(SESSION_CREDS));
	kill(s.pid, SIGKILL);
	waitpid(s.pid, NULL, 0);
	s.pid = fork();
	if (s.pid == 0) {
		pause();
		_exit(0);
	}
	script_clock.now_ns += 7 * 3600 * NS_PER_S; /* the token has ended, too */
	start = clock_now();
	assert_ok(need(SESSION_CREDS));
	assert_string_equal(c->creds.access_key, "ASIAFIRST");
	assert_true(clock_now() - start < 10 * NS_PER_S);
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
	        TEST(a_role_without_credentials),
	        TEST(credentials_come_late),
	        TEST(the_service_refuses_the_role),
	        TEST(forbidden),
	        TEST(they_are_renewed_a_quarter_of_an_hour_before_their_end),
	        TEST(those_that_a_service_refused_are_let_go),
	        TEST(old_ones_stay_when_they_cannot_be_renewed),
	        TEST(old_ones_stay_when_the_service_is_gone),
	        TEST(nothing_is_found),
	        TEST(the_service_is_switched_off),
	        TEST(configured_ones_are_never_asked_for),
	        TEST(a_broken_configuration_is_what_every_call_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
