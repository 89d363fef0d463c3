/* SPDX-License-Identifier: Apache-2.0 */
/* Roles that are assumed: what is sent, who signs it, how long what comes back lasts. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cloud/sts.h"
#include "script.h"

#define WALL     1767225600 /* 2026-01-01, what SCRIPT_DATE says */
#define LIMIT_MS 60000
#define ANSWER(action, id, ends)                                                                   \
	"<" action "Response xmlns=\"x\"><" action "Result><Credentials><AccessKeyId>" id          \
	"</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t==</SessionToken>"       \
	"<Expiration>" ends "</Expiration></Credentials></" action "Result></" action "Response>"
#define ROLE_ANSWER(id, ends) ANSWER("AssumeRole", id, ends)

static struct err e;
static struct script s;
static struct cloud *c;
static struct cloud_config person;
static struct cloud_role role;
static char token[64];

static int setup(void **state)
{
	(void)state;
	script_clock_fast(WALL);
	e = (struct err){0};
	strcpy(token, "/tmp/unit-sts-XXXXXX");
	close(mkstemp(token));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	script_clock_real();
	cloud_close(c);
	c = NULL;
	script_stop(&s);
	unlink(token);
	return 0;
}

static void begin(const struct script_row *rows, const char *token_file)
{
	s = script_start(rows);
	person = (struct cloud_config){.imds_endpoint = s.url,
	                               .sts_endpoint = s.url,
	                               .region = "eu-west-1",
	                               .access_key = "AKIAPERSON",
	                               .secret_key = "secret"};
	struct cloud_config config = person;
	config.access_key = config.secret_key = NULL;
	role = (struct cloud_role){.arn = "arn:aws:iam::1:role/a+b",
	                           .session = "me",
	                           .external_id = "x y",
	                           .token_file = token_file,
	                           .source = token_file ? NULL : &person,
	                           .assume = sts_assume};
	config.role = &role;
	c = cloud_open(&config);
}

static int need(void)
{
	return session_need(c, SESSION_CREDS, clock_in_ms(LIMIT_MS), &e);
}

static void the_source_signs(void **state)
{
	static const struct script_row rows[] = {
	        {"POST / ", 0, 200, SCRIPT_DATE, ROLE_ANSWER("ASIAROLE", "2026-01-01T01:00:00Z")},
	        {0}};
	const char *sent;

	(void)state;
	begin(rows, NULL);
	assert_ok(need());
	assert_string_equal(c->creds.access_key, "ASIAROLE");
	assert_string_equal(c->creds.session_token, "t==");
	sent = script_last(&s, "POST / ");
	assert_non_null(strstr(sent, "Credential=AKIAPERSON/20260101/eu-west-1/sts/aws4_request"));
	assert_non_null(
	        strstr(sent, "\r\n\r\nAction=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam"
	                     "%3A%3A1%3Arole%2Fa%2Bb&RoleSessionName=me&ExternalId=x%20y"));
	assert_int_equal(s.shared->requests, 1);
	assert_ok(need());
	assert_int_equal(s.shared->requests, 1);
	creds_distrust(&c->creds);
	assert_ok(need());
	assert_int_equal(s.shared->requests, 2);
}

static void a_token_needs_no_signature(void **state)
{
	static const struct script_row rows[] = {
	        {"POST / ", 0, 200, SCRIPT_DATE,
	         ANSWER("AssumeRoleWithWebIdentity", "ASIAWEB", "2026-01-01T01:00:00Z")},
	        {0}};
	FILE *f;
	const char *sent;

	(void)state;
	begin(rows, token);
	f = fopen(token, "w");
	assert_non_null(f);
	fputs("eyJ.a+b\n", f);
	fclose(f);
	assert_ok(need());
	assert_string_equal(c->creds.access_key, "ASIAWEB");
	sent = script_last(&s, "POST / ");
	assert_null(strstr(sent, "Authorization:"));
	assert_non_null(strstr(sent, "Action=AssumeRoleWithWebIdentity&"));
	assert_non_null(strstr(sent, "&WebIdentityToken=eyJ.a%2Bb"));
	unlink(token);
	creds_distrust(&c->creds);
	assert_ok(need()); /* the old ones stay in use, with a warning */
	assert_string_equal(c->creds.access_key, "ASIAWEB");
}

static void refusals(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		const char *part;
	} rows[] = {
	        {403,
	         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>",
	         ERR_DENIED, "trust policy"},
	        {400, "<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>",
	         ERR_DENIED, "ValidationError"},
	        {200, "<html/>", ERR_DENIED, "a key or the token is missing"},
	        {200, "no XML", ERR_DENIED, "isn't what STS sends"},
	        {200, ROLE_ANSWER("A", "soon"), ERR_DENIED, "Expiration isn't a time"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {
		        {"POST / ", 0, rows[i].status, SCRIPT_DATE, rows[i].body}, {0}};

		begin(script, NULL);
		assert_err(need(), rows[i].kind, rows[i].part);
		assert_non_null(strstr(e.text, "assuming 'arn:aws:iam::1:role/a+b'"));
		assert_false(c->creds.have);
		if (i + 1 < ARRAY_LEN(rows)) {
			cloud_close(c);
			script_stop(&s);
		}
	}
}

/* What each refusal is, and which of them may pass. */
static void kinds_of_refusals(void **state)
{
	static const struct {
		const char *code;
		enum err_kind kind;
		enum reason reason;
		const char *part;
	} rows[] = {
	        {"AccessDenied", ERR_DENIED, REASON_AWS_DENIED, "sts:AssumeRole"},
	        {"ExpiredTokenException", ERR_DENIED, REASON_CREDENTIALS_REJECTED,
	         "the token in the file has expired"},
	        {"InvalidIdentityToken", ERR_DENIED, REASON_CREDENTIALS_REJECTED, ""},
	        {"IDPRejectedClaim", ERR_DENIED, REASON_CREDENTIALS_REJECTED, ""},
	        {"IDPCommunicationError", ERR_RETRY, REASON_HTTP_STATUS, "try 2"},
	        {"RegionDisabledException", ERR_DENIED, REASON_AWS_DENIED, "isn't activated"},
	        {"ValidationError", ERR_DENIED, REASON_AWS_INVALID, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char body[200];

		snprintf(body, sizeof body,
		         "<ErrorResponse><Error><Code>%s</Code></Error></ErrorResponse>",
		         rows[i].code);
		const struct script_row script[] = {
		        {"POST / ", 1, 400, SCRIPT_DATE, body},
		        {"POST / ", 0, 400, "Retry-After: 3600\r\n" SCRIPT_DATE, body},
		        {0}};

		cloud_close(c);
		script_stop(&s);
		begin(script, NULL);
		e = (struct err){0};
		assert_true(session_need(c, SESSION_CREDS, clock_in_ms(15000), &e) < 0);
		assert_int_equal(e.kind, rows[i].kind);
		assert_int_equal(e.reason, rows[i].reason);
		assert_non_null(strstr(e.text, rows[i].part));
		assert_int_equal(s.shared->requests, rows[i].kind == ERR_RETRY ? 2 : 1);
	}
}

/* A token of 20000 bytes, STS's ceiling; white space behind it is none of it. */
static void tokens_at_their_ceiling(void **state)
{
	static const struct script_row rows[] = {
	        {"POST / ", 0, 200, SCRIPT_DATE,
	         ANSWER("AssumeRoleWithWebIdentity", "ASIAWEB", "2026-01-01T01:00:00Z")},
	        {0}};

	(void)state;
	begin(rows, token);
	for (int more = 0; more < 2; more++) {
		FILE *f = fopen(token, "w");

		assert_non_null(f);
		for (int i = 0; i < 20000 + more - 4; i++)
			fputc('%', f);
		fputs(" \t\r\n", f);
		fclose(f);
		if (more)
			assert_err(sts_assume(c, &c->creds, clock_in_ms(LIMIT_MS), &e), ERR_INPUT,
			           "token");
		else
			assert_ok(need());
	}
	assert_string_equal(c->creds.access_key, "ASIAWEB"); /* untouched by the failure */
	const char *sent = strstr(script_last(&s, "POST / "), "&WebIdentityToken=%25%25");
	assert_non_null(sent);
	assert_non_null(strstr(script_last(&s, "POST / "), "\r\nContent-Length: 60"));
	assert_int_equal(s.shared->requests, 1);
	unlink(token);
	assert_err(sts_assume(c, &c->creds, clock_in_ms(LIMIT_MS), &e), ERR_HOST,
	           "assuming 'arn:aws:iam::1:role/a+b': the web identity's token: ");
}

static void how_it_is_asked(void **state)
{
	static const struct script_row rows[] = {
	        {"POST / ", 0, 200, SCRIPT_DATE, ROLE_ANSWER("ASIAROLE", "2026-01-01T01:00:00Z")},
	        {0}};

	(void)state;
	begin(rows, NULL);
	role.duration = "900";
	role.external_id = NULL;
	cloud_close(c);
	/* The endpoint of all services is its own, too, where it has none. */
	struct cloud_config config = person;
	config.sts_endpoint = NULL;
	config.endpoint = s.url;
	person = config;
	config.access_key = config.secret_key = NULL;
	config.role = &role;
	c = cloud_open(&config);
	assert_ok(need());
	const char *sent = script_last(&s, "POST / ");
	assert_non_null(strstr(sent, "&RoleSessionName=me&DurationSeconds=900"));
	assert_null(strstr(sent, "ExternalId"));
	assert_non_null(
	        strstr(sent, "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"));
	assert_non_null(strstr(sent, "SignedHeaders=content-type;host;x-amz-date"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(the_source_signs),  TEST(a_token_needs_no_signature), TEST(refusals),
	        TEST(kinds_of_refusals), TEST(tokens_at_their_ceiling),    TEST(how_it_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
