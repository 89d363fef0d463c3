/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that are lent: by a program, a container's host, a sign-in. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "cloud/lent.h"
#include "cloud/session.h"
#include "script.h"

#define LIMIT_MS 60000

static struct err e;
static struct script s;
static struct cloud *c;
static char file[64];

static int setup(void **state)
{
	(void)state;
	e = (struct err){0};
	strcpy(file, "/tmp/unit-lent-XXXXXX");
	close(mkstemp(file));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cloud_close(c);
	c = NULL;
	script_stop(&s);
	unlink(file);
	return 0;
}

static void put(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int need(struct cloud_role role)
{
	role.who = "profile 'p'";
	const struct cloud_config config = {
	        .region = "eu-west-1", .no_metadata = true, .role = &role};

	cloud_close(c);
	c = cloud_open(&config);
	return session_need(c, SESSION_CREDS, clock_in_ms(LIMIT_MS), &e);
}

/* ---- a program ---- */

static int run(const char *command)
{
	return need((struct cloud_role){.command = command, .assume = lent_process});
}

static void a_program_prints_them(void **state)
{
	(void)state;
	put("{\"Version\": 1, \"AccessKeyId\": \"AKIAONE\", \"SecretAccessKey\": \"s\"}");
	char *command = NULL;
	assert_true(asprintf(&command, "/bin/cat  \"%s\"", file) > 0);
	assert_ok(run(command));
	assert_string_equal(c->creds.access_key, "AKIAONE");
	assert_true(c->creds.fixed); /* they have no end */
	put("{\"Version\": 1, \"AccessKeyId\": \"ASIATWO\", \"SecretAccessKey\": \"s\", "
	    "\"SessionToken\": \"t==\", \"Expiration\": \"2099-01-01T00:00:00.5+00:00\"}");
	assert_ok(run(command));
	assert_string_equal(c->creds.session_token, "t==");
	assert_false(c->creds.fixed);
	put("{\"Version\": 2}");
	assert_err(run(command), ERR_DENIED, "isn't JSON with Version 1");
	put("{\"Version\": 1, \"AccessKeyId\": \"A\"}");
	assert_err(run(command), ERR_INPUT, "a secret key");
	free(command);
}

static void its_words_are_a_shells(void **state)
{
	(void)state;
	/* What it says on standard error is told: printf's arguments, one a pair of brackets. */
	assert_err(
	        run("/bin/sh -c 'printf \"[%s]\" \"$@\" >&2; exit 3' sh a\\ b  \"c \\\" d\" 'e\\' \"\""),
	        ERR_DENIED, "ended with 3: [a b][c \" d][e\\][]");
	assert_non_null(strstr(e.text, "credentials of profile 'p': '/bin/sh'"));
	assert_err(run("/bin/echo 'open"), ERR_INPUT, "quotes that are closed");
	assert_err(run("  "), ERR_INPUT, "expected a program");
	assert_err(run("/nonexistent/program"), ERR_DENIED, "No such file or directory");
}

/* ---- a container's host ---- */

static void a_container_asks_its_host(void **state)
{
	static const struct script_row rows[] = {
	        {"GET /creds", 1, 503, NULL, ""},
	        {"GET /creds", 0, 200, NULL,
	         "{\"AccessKeyId\":\"ASIAHOST\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
	         "\"Expiration\":\"2099-01-01T00:00:00Z\"}",
	         .has = "Authorization: word\r\n"},
	        {"GET /empty", 0, 200, NULL, "{}"},
	        {0}};
	char url[64];

	(void)state;
	put("word\n");
	s = script_start(rows);
	snprintf(url, sizeof url, "%s/creds", s.url);
	assert_ok(need(
	        (struct cloud_role){.url = url, .token_file = file, .assume = lent_container}));
	assert_string_equal(c->creds.access_key, "ASIAHOST");
	assert_ok(need((struct cloud_role){.url = url, .token = "word", .assume = lent_container}));
	assert_err(need((struct cloud_role){.url = url, .token = "no", .assume = lent_container}),
	           ERR_DENIED, "status 404");
	snprintf(url, sizeof url, "%s/empty", s.url);
	assert_err(need((struct cloud_role){.url = url, .assume = lent_container}), ERR_DENIED,
	           "a key or the token is missing");
	assert_err(need((struct cloud_role){
	                   .url = url, .token_file = "/nonexistent", .assume = lent_container}),
	           ERR_HOST, "/nonexistent");
}

static void only_who_is_near_is_asked(void **state)
{
	static const char *const near[] = {"http://127.0.0.1:80/x", "http://localhost/",
	                                   "http://[::1]:1/", "http://169.254.170.23/x",
	                                   "https://x.example/"};
	static const char *const far[] = {"http://x.example/",        "http://127.0.0.1.example/",
	                                  "http://127.0.0.1:x@evil/", "https://127.0.0.1:x@evil/",
	                                  "ftp://127.0.0.1/",         "127.0.0.1",
	                                  "http://169.254.169.254/",  ""};

	(void)state;
	for (size_t i = 0; i < sizeof near / sizeof *near; i++)
		assert_true(lent_is_near(near[i]));
	for (size_t i = 0; i < sizeof far / sizeof *far; i++)
		assert_false(lent_is_near(far[i]));
}

/* ---- a sign-in ---- */

static int sign_in(void)
{
	char url[160];

	snprintf(url, sizeof url, "%s/federation/credentials?role_name=r&account_id=1", s.url);
	return need((struct cloud_role){.url = url, .token_file = file, .assume = lent_sso});
}

static void who_has_signed_in_gets_them(void **state)
{
	static const struct script_row rows[] = {
	        {"GET /federation/credentials?role_name=r&account_id=1 ", 0, 200, NULL,
	         "{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO\",\"secretAccessKey\":\"s\","
	         "\"sessionToken\":\"t\",\"expiration\":4070908800000}}",
	         .has = "x-amz-sso_bearer_token: word\r\n"},
	        {"GET ", 0, 401, NULL, "{\"message\":\"Session token not found or invalid\"}"},
	        {0}};

	(void)state;
	s = script_start(rows);
	put("{\"accessToken\": \"word\", \"expiresAt\": \"2099-01-01T00:00:00Z\"}");
	assert_ok(sign_in());
	assert_string_equal(c->creds.access_key, "ASIASSO");
	put("{\"accessToken\": \"old\", \"expiresAt\": \"2099-01-01T00:00:00UTC\"}");
	assert_err(sign_in(), ERR_DENIED, "the sign-in of profile 'p' isn't taken");
	assert_int_equal(s.shared->requests, 2);
	/* These ask nobody. */
	put("{\"accessToken\": \"word\", \"expiresAt\": \"2020-01-01T00:00:00Z\"}");
	assert_err(sign_in(), ERR_DENIED,
	           "the sign-in has expired: expected `aws sso login` for profile 'p' before");
	put("{\"expiresAt\": \"2099-01-01T00:00:00Z\"}");
	assert_err(sign_in(), ERR_DENIED, "has no token");
	put("nonsense");
	assert_err(sign_in(), ERR_INPUT, "unit-lent");
	unlink(file);
	assert_err(sign_in(), ERR_DENIED, "nobody has signed in");
	assert_int_equal(s.shared->requests, 2);
}

static void an_answer_that_is_none(void **state)
{
	static const struct script_row rows[] = {
	        {"GET ", 1, 200, NULL, "{\"roleCredentials\":{\"accessKeyId\":\"A\"}}"},
	        {"GET ", 1, 200, NULL, "[}"},
	        {0}};

	(void)state;
	s = script_start(rows);
	put("{\"accessToken\": \"word\", \"expiresAt\": \"2099-01-01T00:00:00Z\"}");
	assert_err(sign_in(), ERR_DENIED, "the answer has no credentials");
	assert_err(sign_in(), ERR_DENIED, "the answer has no credentials");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_program_prints_them, setup, teardown),
	        cmocka_unit_test_setup_teardown(its_words_are_a_shells, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_container_asks_its_host, setup, teardown),
	        cmocka_unit_test_setup_teardown(only_who_is_near_is_asked, setup, teardown),
	        cmocka_unit_test_setup_teardown(who_has_signed_in_gets_them, setup, teardown),
	        cmocka_unit_test_setup_teardown(an_answer_that_is_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
