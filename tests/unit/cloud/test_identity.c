/* SPDX-License-Identifier: Apache-2.0 */
/* The instance's identity: which facts there are, what is refused, and what isn't asked twice. */
#include "scripted.h"

#include <errno.h>

#include "base/log.h"
#include "cloud/session.h"

#define WALL      1767225600 /* 2026-01-01, what SCRIPT_DATE says */
#define LIMIT_MS  60000
#define DOCUMENT  "GET /latest/dynamic/instance-identity/document"
#define TAGS      "GET /latest/meta-data/tags/instance"
#define USER_DATA "GET /latest/user-data"
#define IDENTITY                                                                                   \
	{                                                                                          \
		.match = DOCUMENT, .status = 200,                                                  \
		.body = "{\"instanceId\":\"i-1\",\"instanceType\":\"t3.micro\","                   \
		        "\"region\":\"cn-north-1\",\"availabilityZone\":\"cn-north-1a\","          \
		        "\"accountId\":\"123456789012\",\"privateIp\":\"192.0.2.7\","              \
		        "\"imageId\":\"ami-1\"}"                                                   \
	}

static struct vars facts;
static char logged[1024];

static void keep_log(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)ctx, (void)fields, (void)n;
	if (level <= LOG_LEVEL_WARNING)
		snprintf(logged, sizeof logged, "%s", text);
}

static int setup(void **state)
{
	(void)state;
	script_clock_fast(WALL);
	facts = (struct vars){.arena = arena_new()};
	log_set_sink(keep_log, NULL, LOG_LEVEL_WARNING);
	*logged = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	script_clock_real();
	scripted_end();
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	arena_close(facts.arena);
	return 0;
}

static int learn_as(const struct script_row *rows, const char *region)
{
	scripted_begin(rows, (struct cloud_config){.region = region});
	facts.n = 0;
	return cloud_identity(c, &facts, clock_in_ms(LIMIT_MS), &e);
}

static int learn(const struct script_row *rows)
{
	return learn_as(rows, NULL);
}

static void assert_fact(const char *name, const char *want)
{
	const char *value = vars_get(&facts, name);

	if (!want) {
		assert_null(value);
		return;
	}
	assert_non_null(value);
	assert_string_equal(value, want);
}

static void everything_there_is(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        IDENTITY,
	        SCRIPT_ROLE,
	        SCRIPT_CREDS,
	        {"GET /latest/meta-data/mac", 0, 200, NULL, "02:00:00:00:00:01"},
	        {"GET /latest/meta-data/services/domain", 0, 200, NULL, "amazonaws.com.cn"},
	        {"GET /latest/meta-data/services/partition", 0, 200, NULL, "aws-cn"},
	        {"GET /latest/meta-data/local-hostname", 0, 200, NULL, "ip-192-0-2-7.ec2.internal"},
	        {"GET /latest/meta-data/ami-launch-index", 0, 200, NULL, "41"},
	        {"GET /latest/meta-data/public-keys/0/openssh-key", 0, 200, NULL,
	         "ssh-ed25519 AAAA/+= my pair\n"},
	        {TAGS "/Name ", 0, 200, NULL, "a node"},
	        {TAGS "/hpc-node:a+b=c@d,e ", 0, 200, NULL, "x"},
	        {TAGS "/two%20words%2F ", 0, 200, NULL, ""},
	        {TAGS " ", 0, 200, NULL, "Name\r\nhpc-node:a+b=c@d,e\n\ntwo words/\n"},
	        {USER_DATA, 0, 200, NULL, "some"},
	        {0},
	};
	static const char *const want[][2] = {
	        {"instance-id", "i-1"},
	        {"instance-type", "t3.micro"},
	        {"region", "cn-north-1"},
	        {"availability-zone", "cn-north-1a"},
	        {"account-id", "123456789012"},
	        {"local-ipv4", "192.0.2.7"},
	        {"ami-id", "ami-1"},
	        {"mac", "02:00:00:00:00:01"},
	        {"local-hostname", "ip-192-0-2-7.ec2.internal"},
	        {"launch-index", "41"},
	        {"ssh-key", "ssh-ed25519 AAAA/+= my pair"},
	        {"role", "node"},
	        {"partition", "aws-cn"},
	        {"dns-suffix", "amazonaws.com.cn"},
	        {"tag.Name", "a node"},
	        {"tag.hpc-node:a+b=c@d,e", "x"},
	        {"tag.two words/", ""},
	};
	scope_arena struct arena *a = arena_new();
	struct blob data;

	(void)state;
	assert_ok(learn(rows));
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_fact(want[i][0], want[i][1]);
	assert_int_equal(facts.n, sizeof want / sizeof *want);
	assert_string_equal(facts.items[0].source, "imds");
	assert_string_equal(logged, "");
	/* What was read with it isn't asked for again: user data, region, domain, credentials. */
	int asked = s.shared->requests;
	assert_ok(cloud_user_data(c, a, &data, clock_in_ms(LIMIT_MS), &e));
	assert_int_equal(data.len, 4);
	assert_memory_equal(data.data, "some", 4);
	assert_ok(session_need(c, SESSION_REGION | SESSION_DOMAIN | SESSION_CREDS,
	                       clock_in_ms(LIMIT_MS), &e));
	assert_string_equal(c->region, "cn-north-1");
	assert_string_equal(c->domain, "amazonaws.com.cn");
	assert_string_equal(c->creds.access_key, "ASIAFIRST");
	assert_int_equal(s.shared->requests, asked);
}

static void a_key_of_other_characters_is_none(void **state)
{
	static const char *const keys[] = {"", "\nssh-rsa AAAA", "ssh-rsa AA\tAA", "ssh-rsa \177"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct script_row rows[] = {
		        SCRIPT_TOKEN,
		        IDENTITY,
		        {"GET /latest/meta-data/public-keys/0/openssh-key", 0, 200, NULL, keys[i]},
		        {0}};

		assert_ok(learn(rows));
		assert_fact("ssh-key", NULL);
	}
}

static void an_instance_with_little(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, IDENTITY, {0}};
	scope_arena struct arena *a = arena_new();
	struct blob data;

	(void)state;
	assert_ok(learn(rows));
	assert_fact("role", "");
	assert_fact("mac", NULL);
	assert_fact("local-hostname", NULL);
	assert_fact("ssh-key", NULL);
	/* By the region's name. */
	assert_fact("partition", "aws-cn");
	assert_fact("dns-suffix", "amazonaws.com.cn");
	int asked = s.shared->requests;
	assert_ok(cloud_user_data(c, a, &data, clock_in_ms(LIMIT_MS), &e));
	assert_int_equal(data.len, 0);
	assert_int_equal(s.shared->requests, asked);
}

static void a_configured_region_stays(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, IDENTITY, {0}};

	(void)state;
	assert_ok(learn_as(rows, "eu-west-1"));
	assert_fact("region", "cn-north-1");
	assert_ok(session_need(c, SESSION_REGION, clock_in_ms(LIMIT_MS), &e));
	assert_string_equal(c->region, "eu-west-1");
}

static void a_domain_that_is_none(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        IDENTITY,
	        {"GET /latest/meta-data/services/domain", 0, 200, NULL, "evil/../domain"},
	        {0},
	};
	static const struct script_row unknown[] = {
	        SCRIPT_TOKEN,
	        {DOCUMENT, 0, 200, NULL, "{\"instanceId\":\"i-1\",\"region\":\"xx-north-1\"}"},
	        {0},
	};

	(void)state;
	assert_ok(learn(rows));
	assert_fact("dns-suffix", "amazonaws.com.cn");
	assert_ok(learn(unknown));
	assert_fact("region", "xx-north-1");
	assert_fact("instance-type", NULL);
}

static void documents_that_are_none(void **state)
{
	static const char *const bad[] = {
	        "",
	        "{",
	        "[\"instanceId\", \"region\"]",
	        "{\"instanceId\":\"i-1\"}",
	        "{\"region\":\"eu-west-1\"}",
	};
	static const struct script_row none[] = {SCRIPT_TOKEN, SCRIPT_ROLE, SCRIPT_CREDS, {0}};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct script_row rows[] = {
		        SCRIPT_TOKEN, {DOCUMENT, 0, 200, NULL, bad[i]}, {0}};

		assert_err(learn(rows), ERR_DENIED,
		           "learning this instance's identity: the metadata service's identity "
		           "document isn't one");
		assert_int_equal(e.reason, REASON_IMDS_PROTOCOL);
		assert_int_equal(facts.n, 0);
	}
	assert_err(learn(none), ERR_ABSENT, "the metadata service has no identity document");
	assert_int_equal(e.reason, REASON_IMDS_ABSENT);
}

static void what_is_refused_is_told(void **state)
{
	static const char *const paths[] = {"GET /latest/meta-data/mac",
	                                    "GET /latest/meta-data/services/domain",
	                                    "GET /latest/meta-data/services/partition",
	                                    TAGS " ",
	                                    USER_DATA,
	                                    "GET /latest/meta-data/iam/security-credentials/ "};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct script_row rows[] = {
		        SCRIPT_TOKEN, {paths[i], 0, 403, NULL, ""}, IDENTITY, {0}};

		assert_err(learn(rows), ERR_DENIED, "learning this instance's identity: ");
		assert_int_equal(e.reason, REASON_IMDS_FORBIDDEN);
	}
	const struct script_row tag[] = {SCRIPT_TOKEN,
	                                 {TAGS "/a", 0, 403, NULL, ""},
	                                 {TAGS " ", 0, 200, NULL, "a"},
	                                 IDENTITY,
	                                 {0}};
	assert_err(learn(tag), ERR_DENIED, "learning this instance's identity: ");
}

static void tags_at_their_ceilings(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (int more = 0; more < 2; more++) {
		struct strbuf names = STRBUF(a, 8192);
		char name[140];

		for (int i = 0; i < 64 + more; i++)
			strbuf_printf(&names, "t%d\n", i);
		const struct script_row many[] = {SCRIPT_TOKEN,
		                                  IDENTITY,
		                                  {TAGS " ", 0, 200, NULL, names.data},
		                                  {TAGS "/", 0, 200, NULL, "v"},
		                                  {0}};
		if (more)
			assert_err(learn(many), ERR_DENIED, "more or longer tags than EC2 has");
		else
			assert_ok(learn(many));
		if (!more)
			assert_fact("tag.t63", "v");
		memset(name, 'n', sizeof name);
		name[128 + more] = '\0';
		const struct script_row longest[] = {SCRIPT_TOKEN,
		                                     IDENTITY,
		                                     {TAGS " ", 0, 200, NULL, name},
		                                     {TAGS "/", 0, 200, NULL, "v"},
		                                     {0}};
		if (more)
			assert_err(learn(longest), ERR_DENIED, "more or longer tags than EC2 has");
		else
			assert_ok(learn(longest));
		assert_true(!more || e.reason == REASON_IMDS_PROTOCOL);
	}
}

static void a_tag_without_its_value_is_a_warning(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        IDENTITY,
	        {TAGS " ", 0, 200, NULL, "a\nb"},
	        {TAGS "/b", 0, 200, NULL, "v"},
	        {0},
	};

	(void)state;
	assert_ok(learn(rows));
	assert_fact("tag.a", NULL);
	assert_fact("tag.b", "v");
	assert_string_equal(logged, "the metadata service lists tag 'a' and has no value for it");
}

/* What is longer than the service has it is refused, what is as long is read. */
static void answers_at_their_ceilings(void **state)
{
	static const struct {
		const char *path;
		size_t max;
		bool whole; /* whether it is of use when it is that long */
	} rows[] = {
	        {USER_DATA, 64 * 1024, true},
	        {TAGS "/a", 1024, true},
	        {"GET /latest/meta-data/mac", 4096, true},
	        {"GET /latest/meta-data/services/domain", 4096, true},
	        {"GET /latest/meta-data/services/partition", 4096, true},
	        {TAGS " ", 16 * 1024, false},
	        {DOCUMENT, 64 * 1024, false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		size_t more = i % 2;
		const struct script_row script[] = {
		        SCRIPT_TOKEN,
		        {rows[i / 2].path, 0, 200, NULL, NULL, rows[i / 2].max + more, 0},
		        {TAGS " ", 0, 200, NULL, "a"},
		        IDENTITY,
		        {0}};

		if (more)
			assert_err(learn(script), ERR_DENIED, "more than the");
		else if (rows[i / 2].whole)
			assert_ok(learn(script));
		else
			assert_err(learn(script), ERR_DENIED,
			           "learning this instance's identity: the metadata service");
		assert_int_equal(more ? e.reason : REASON_IMDS_PROTOCOL, REASON_IMDS_PROTOCOL);
	}
}

/* A handle that was told its region keeps the domain that follows from it. */
static void what_a_handle_learns(void **state)
{
	static const struct script_row rows[] = {SCRIPT_TOKEN, IDENTITY, {0}};

	(void)state;
	assert_ok(learn(rows));
	assert_string_equal(c->region, "cn-north-1");
	assert_string_equal(c->domain, "amazonaws.com.cn");
	assert_ok(learn_as(rows, "eu-west-1"));
	assert_null(c->domain);
	const struct script_row odd[] = {
	        SCRIPT_TOKEN,
	        {DOCUMENT, 0, 200, NULL, "{\"instanceId\":\"i-1\",\"region\":\"XX\"}"},
	        {0}};
	assert_ok(learn(odd));
	assert_null(c->region);
	assert_fact("partition", NULL);
	assert_fact("dns-suffix", NULL);
}

static int user_data(const struct script_row *rows, struct blob *ret)
{
	scripted_end();
	s = script_start(rows);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = s.url});
	e = (struct err){0};
	return cloud_user_data(c, facts.arena, ret, clock_in_ms(LIMIT_MS), &e);
}

static void user_data_alone(void **state)
{
	static const struct script_row some[] = {
	        SCRIPT_TOKEN, {USER_DATA, 1, 200, NULL, "text"}, {0}};
	static const struct script_row none[] = {SCRIPT_TOKEN, {0}};
	static const struct script_row refused[] = {
	        SCRIPT_TOKEN, {USER_DATA, 0, 403, NULL, ""}, {0}};
	struct blob data = {0};

	(void)state;
	assert_ok(user_data(some, &data));
	assert_int_equal(data.len, 4);
	assert_ok(cloud_user_data(c, facts.arena, &data, clock_in_ms(LIMIT_MS), &e));
	assert_memory_equal(data.data, "text", 4);
	assert_ok(user_data(none, &data));
	assert_int_equal(data.len, 0);
	assert_err(user_data(refused, &data), ERR_DENIED, "reading the user data: ");
	assert_int_equal(e.reason, REASON_IMDS_FORBIDDEN);
}

static void a_broken_configuration_is_told_at_once(void **state)
{
	struct blob data;

	(void)state;
	c = cloud_open(&(struct cloud_config){.imds_endpoint = "ftp://x"});
	assert_err(cloud_identity(c, &facts, clock_in_ms(LIMIT_MS), &e), ERR_INPUT, "ftp://x");
	assert_err(cloud_user_data(c, facts.arena, &data, clock_in_ms(LIMIT_MS), &e), ERR_INPUT,
	           "ftp://x");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(everything_there_is),
	        T(an_instance_with_little),
	        T(a_configured_region_stays),
	        T(a_domain_that_is_none),
	        T(documents_that_are_none),
	        T(what_is_refused_is_told),
	        T(a_key_of_other_characters_is_none),
	        T(tags_at_their_ceilings),
	        T(a_tag_without_its_value_is_a_warning),
	        T(answers_at_their_ceilings),
	        T(what_a_handle_learns),
	        T(user_data_alone),
	        T(a_broken_configuration_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
