/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that are renewed, refused, or kept because nothing better comes. */
#include "session_test.h"

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(expired_ones_are_tried_with_a_warning),
	        TEST(roles_that_are_assumed),
	        TEST(a_role_without_credentials),
	        TEST(they_are_renewed_a_quarter_of_an_hour_before_their_end),
	        TEST(those_that_a_service_refused_are_let_go),
	        TEST(old_ones_stay_when_they_cannot_be_renewed),
	        TEST(old_ones_stay_when_the_service_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
