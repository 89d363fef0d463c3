/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials, region and domain from the metadata service: when they are asked for again. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/log.h"
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

static const struct script_row renewing[] = {
        SCRIPT_TOKEN,
        SCRIPT_ROLE,
        {SCRIPT_CREDS_PATH, 1, 200, SCRIPT_DATE, SCRIPT_KEYS("ASIAFIRST", "2026-01-01T06:00:00Z"),
         0, 0},
        {SCRIPT_CREDS_PATH, 0, 200, SCRIPT_DATE, NEWER},
        {0},
};

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

static char logged[600];

static void keep_log(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)ctx, (void)level, (void)fields, (void)n;
	snprintf(logged, sizeof logged, "%s", text);
}

/* Only the service that they are shown to knows whether they have expired. */
static void expired_ones_are_tried_with_a_warning(void **state)
{
	static const struct script_row expired[] = {
	        SCRIPT_TOKEN,
	        SCRIPT_ROLE,
	        {SCRIPT_CREDS_PATH, 0, 200, SCRIPT_DATE,
	         SCRIPT_KEYS("ASIAOLD", "2025-12-31T23:00:00Z")},
	        {0}};

	(void)state;
	log_set_sink(keep_log, NULL, LOG_LEVEL_WARNING);
	*logged = '\0';
	begin(renewing, "eu-west-1");
	assert_ok(need(SESSION_CREDS));
	assert_string_equal(logged, "");
	cloud_close(c);
	script_stop(&s);
	begin(expired, "eu-west-1");
	assert_ok(need(SESSION_CREDS));
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	assert_string_equal(c->creds.access_key, "ASIAOLD");
	assert_string_equal(logged,
	                    "the role's credentials have expired; trying them all the same");
}

static struct clock_fake standing = {.now_ns = 1000 * NS_PER_S, .wall = WALL};
static uint64_t limit;
static bool refused; /* the next time that it is asked for */

static int assume(struct cloud *cloud, struct creds *ret, uint64_t deadline, struct err *err)
{
	(void)cloud;
	limit = deadline;
	if (refused)
		return err_set(err, ERR_DENIED, REASON_AWS_DENIED, EACCES, "no such role");
	return creds_take("ASIAROLE", "s", "t", "2026-01-01T01:00:00Z", WALL, ret, err);
}

/* A renewal waits for 5 s at most while there are old ones; the first for all the time there is. */
static void roles_that_are_assumed(void **state)
{
	const struct cloud_role role = {.arn = "arn:x", .assume = assume};

	(void)state;
	script_clock_real();
	clock_set_fake(&standing);
	c = cloud_open(
	        &(struct cloud_config){.role = &role, .region = "eu-west-1", .no_metadata = true});
	refused = true;
	assert_err(need(SESSION_CREDS), ERR_DENIED, "no such role");
	assert_int_equal(limit, standing.now_ns + LIMIT_MS * 1000000ull);
	refused = false;
	assert_ok(need(SESSION_REGION | SESSION_CREDS));
	assert_string_equal(c->creds.access_key, "ASIAROLE");
	assert_int_equal(limit, standing.now_ns + LIMIT_MS * 1000000ull);
	creds_distrust(&c->creds);
	refused = true;
	assert_ok(need(SESSION_CREDS));
	assert_int_equal(limit, standing.now_ns + 5 * NS_PER_S);
	assert_string_equal(c->creds.access_key, "ASIAROLE");
	creds_distrust(&c->creds);
	assert_int_equal(session_need(c, SESSION_CREDS, clock_in_ms(3000), &e), 0);
	assert_int_equal(limit, standing.now_ns + 3 * NS_PER_S);
	/* Without a region there is no service to ask. */
	cloud_close(c);
	limit = 0;
	c = cloud_open(&(struct cloud_config){.role = &role, .no_metadata = true});
	assert_err(need(SESSION_REGION | SESSION_CREDS), ERR_INPUT, "no region");
	assert_int_equal(limit, 0);
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
	        TEST(expired_ones_are_tried_with_a_warning),
	        TEST(roles_that_are_assumed),
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
