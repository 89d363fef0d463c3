/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's shared files: which keys count, and whose are refused by name. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "cloud/lent.h"
#include "cloud/profile.h"

#define KEYS "aws_access_key_id = AKIAONE\naws_secret_access_key = s/one\n"

static struct arena *a;
static struct err e;
static char credentials[64], config[64];
static struct cloud_config got;

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	got = (struct cloud_config){0};
	strcpy(credentials, "/tmp/unit-profile-XXXXXX");
	strcpy(config, "/tmp/unit-profile-XXXXXX");
	close(mkstemp(credentials));
	close(mkstemp(config));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(credentials);
	unlink(config);
	arena_close(a);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The profile `name` of these two files. */
static int load(const char *name, const char *keys, const char *settings)
{
	const struct profile_source s = {
	        .name = name, .config_file = config, .credentials_file = credentials};

	write_file(credentials, keys);
	write_file(config, settings);
	e = (struct err){0};
	got.access_key = got.secret_key = got.session_token = NULL;
	got.role = NULL;
	return profile_load(&s, a, &got, &e);
}

static void keys_of_either_file(void **state)
{
	(void)state;
	assert_ok(load(NULL, "[other]\naws_access_key_id = no\n[default]\n" KEYS, ""));
	assert_string_equal(got.access_key, "AKIAONE");
	assert_string_equal(got.secret_key, "s/one");
	assert_null(got.session_token);
	assert_ok(load("two", "[default]\n" KEYS,
	               "[profile two]\n" KEYS "aws_session_token= t==\nregion =eu-west-1\n"));
	assert_string_equal(got.session_token, "t==");
	assert_string_equal(got.region, "eu-west-1");
	/* The credentials file comes first. */
	assert_ok(load("two", "[two]\naws_access_key_id = AKIATWO\naws_secret_access_key = s\n",
	               "[profile two]\n" KEYS));
	assert_string_equal(got.access_key, "AKIATWO");
}

static void names_as_people_write_them(void **state)
{
	static const struct {
		const char *name, *keys, *settings;
	} rows[] = {
	        {"default", "[default]\nAWS_ACCESS_KEY_ID = AKIAONE\nAws_Secret_Access_Key = s\n",
	         ""},
	        {"my team", "", "[profile \"my team\"]\n" KEYS},
	        {"my team", "", "[profile 'my team']\n" KEYS},
	        {"my team", "[my team]\n" KEYS, ""},
	        {"my team", "[\"my team\"]\n" KEYS, ""},
	        {"Bake", "", "[profile   Bake]\r\n" KEYS},
	        {"default", "", "[profile default]\n" KEYS},
	        {"a]b", "[a]b]\n" KEYS, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(load(rows[i].name, rows[i].keys, rows[i].settings));
		assert_string_equal(got.access_key, "AKIAONE");
	}
	/* But names of profiles are told apart by their case, and [NAME] is none in the config. */
	assert_err(load("bake", "", "[profile Bake]\n" KEYS), ERR_INPUT, "no such profile");
	assert_err(load("bake", "", "[bake]\n" KEYS), ERR_INPUT, "AWS_PROFILE 'bake'");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
}

/* What AWS's tools would use before the keys must not be passed over. */
static void other_sources_are_refused_by_name(void **state)
{
	static const struct {
		const char *keys, *settings, *part;
	} rows[] = {
	        {"[p]\n" KEYS,
	         "[profile p]\nrole_arn = arn:x\nsource_profile = p\nmfa_serial = x\n",
	         "mfa_serial"},
	        {"", "[profile p]\nrole_arn = arn:x\ncredential_source = Nowhere\n",
	         "credential_source Nowhere"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(load("p", rows[i].keys, rows[i].settings), ERR_INPUT, rows[i].part);
		assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
		assert_non_null(strstr(e.text, "profile 'p' gets its credentials by "));
		assert_non_null(strstr(e.text, "export-credentials"));
		assert_null(got.access_key);
	}
}

static void a_program(void **state)
{
	static const char *const rows[] = {"[profile p]\ncredential_process = /bin/x 'a b'\n",
	                                   "[profile p]\n" KEYS
	                                   "credential_process = /bin/x 'a b'\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(load("p", "", rows[i]));
		assert_null(got.access_key);
		assert_string_equal(got.role->command, "/bin/x 'a b'");
		assert_string_equal(got.role->who, "profile 'p'");
		assert_ptr_equal(got.role->assume, lent_process);
	}
	/* Keys of the credentials file win over a program. */
	assert_ok(load("p", "[p]\n" KEYS, "[profile p]\ncredential_process = /bin/x\n"));
	assert_string_equal(got.access_key, "AKIAONE");
}

static void a_role_that_a_profile_assumes(void **state)
{
	(void)state;
	assert_ok(load("p", "[base]\n" KEYS "aws_session_token = t\n",
	               "[profile p]\nrole_arn = arn:x\nsource_profile = base\nregion = eu-west-1\n"
	               "external_id = 7\nduration_seconds = 900\nrole_session_name = me\n"));
	assert_null(got.access_key);
	assert_string_equal(got.role->arn, "arn:x");
	assert_string_equal(got.role->session, "me");
	assert_string_equal(got.role->external_id, "7");
	assert_string_equal(got.role->duration, "900");
	assert_null(got.role->token_file);
	assert_string_equal(got.role->source->access_key, "AKIAONE");
	assert_string_equal(got.role->source->session_token, "t");
	assert_string_equal(got.role->source->region, "eu-west-1");
	assert_null(got.role->source->role);
	/* Its own keys, beside the role. */
	assert_ok(load("p", "[p]\nrole_arn = arn:x\nsource_profile = p\n" KEYS, ""));
	assert_string_equal(got.role->source->access_key, "AKIAONE");
	assert_string_equal(got.role->session, "hpc-node");
	/* A role of a role. */
	assert_ok(load("p", "[base]\n" KEYS,
	               "[profile p]\nrole_arn = arn:x\nsource_profile = q\n"
	               "[profile q]\nrole_arn = arn:y\nsource_profile = base\n"));
	assert_string_equal(got.role->source->role->arn, "arn:y");
	assert_string_equal(got.role->source->role->source->access_key, "AKIAONE");
	/* The instance's role assumes it. */
	assert_ok(load("p", "",
	               "[profile p]\nrole_arn = arn:x\ncredential_source = Ec2InstanceMetadata\n"));
	assert_null(got.role->source->access_key);
	assert_null(got.role->source->role);
}

static void a_role_that_nobody_can_assume(void **state)
{
	static const struct {
		const char *settings, *part;
	} rows[] = {
	        {"[profile p]\nrole_arn = arn:x\n", "neither source_profile nor credential_source"},
	        {"[profile p]\nrole_arn = arn:x\nsource_profile = none\n",
	         "profile 'p': source_profile 'none': there is no such profile"},
	        {"[profile p]\nrole_arn = arn:x\nsource_profile = q\n[profile q]\nregion = r\n",
	         "profile 'q' has no credentials"},
	        {"[profile p]\nrole_arn = arn:x\nsource_profile = q\n"
	         "[profile q]\nrole_arn = arn:y\nsource_profile = p\n",
	         "in a circle"},
	        {"[profile p]\nrole_arn = arn:x\nsource_profile = q\ncredential_source = Environment\n",
	         "both source_profile and credential_source"},
	        {"[profile p]\nrole_arn = arn:x\ncredential_source = Environment\n",
	         "AWS_ACCESS_KEY_ID isn't set"},
	        {"[profile p]\nrole_arn = arn:x\nsource_profile = p\nduration_seconds = 60\n",
	         "expected 900 to 43200"},
	        {"[profile p]\nrole_arn = arn:x\nsource_profile = q\n[profile q]\nsso_session = s\n",
	         "profile 'q' has an sso_session that the config file lacks"},
	        {"[profile p]\nweb_identity_token_file = /f\n", "role_arn or AWS_ROLE_ARN"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(load("p", "", rows[i].settings), ERR_INPUT, rows[i].part);
		assert_null(got.access_key);
		assert_null(got.role);
	}
}

static void how_long_a_role_may_last(void **state)
{
	static const struct {
		const char *seconds;
		bool good;
	} rows[] = {{"900", true},   {"43200", true}, {"899", false}, {"43201", false},
	            {"900s", false}, {"", true},      {"-900", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text =
		        arena_printf(a,
		                     "[profile p]\nrole_arn = arn:x\nsource_profile = p\n"
		                     "duration_seconds = %s\n" KEYS,
		                     rows[i].seconds);

		if (rows[i].good)
			assert_ok(load("p", "", text));
		else
			assert_err(load("p", "", text), ERR_INPUT, "expected 900 to 43200");
	}
}

/* A chain of eight profiles leads to keys, one of nine is taken for a circle. */
static void a_chain_of_sources_ends(void **state)
{
	(void)state;
	for (int n = 7; n <= 8; n++) {
		struct strbuf text = STRBUF(a, 4096);

		for (int i = 0; i < n; i++)
			strbuf_printf(&text,
			              "[profile p%d]\nrole_arn = arn:x\nsource_profile = p%d\n", i,
			              i + 1);
		strbuf_printf(&text, "[profile p%d]\n" KEYS, n);
		if (n == 7)
			assert_ok(load("p0", "", text.data));
		else
			assert_err(load("p0", "", text.data), ERR_INPUT, "in a circle");
	}
}

static void a_web_identity(void **state)
{
	struct profile_source s = {.config_file = config,
	                           .credentials_file = credentials,
	                           .web_identity = "/env/token",
	                           .role_arn = "arn:env",
	                           .role_session = "pod"};

	(void)state;
	assert_ok(load("p", "[p]\n" KEYS,
	               "[profile p]\nrole_arn = arn:x\nweb_identity_token_file = /f\n"));
	assert_string_equal(got.role->token_file, "/f");
	assert_string_equal(got.role->arn, "arn:x");
	assert_null(got.role->source);
	assert_null(got.access_key);
	/* The environment's comes before a profile's keys, as in AWS's own tools. */
	got = (struct cloud_config){0};
	write_file(credentials, "[default]\n" KEYS);
	write_file(config, "");
	assert_ok(profile_load(&s, a, &got, &e));
	assert_string_equal(got.role->token_file, "/env/token");
	assert_string_equal(got.role->arn, "arn:env");
	assert_string_equal(got.role->session, "pod");
	/* What the environment leaves out is the profile's. */
	write_file(config,
	           "[default]\nrole_session_name = of-profile\nweb_identity_token_file = /f\n"
	           "role_arn = arn:profile\n");
	s.role_session = s.role_arn = s.web_identity = "";
	got = (struct cloud_config){0};
	assert_ok(profile_load(&s, a, &got, &e));
	assert_string_equal(got.role->token_file, "/f");
	assert_string_equal(got.role->arn, "arn:profile");
	assert_string_equal(got.role->session, "of-profile");
	write_file(config, "");
	s.role_arn = NULL;
	s.web_identity = "/env/token";
	got = (struct cloud_config){0};
	assert_err(profile_load(&s, a, &got, &e), ERR_INPUT, "AWS_ROLE_ARN");
}

#define SIGN_IN "sso_account_id = 111122223333\nsso_role_name = a b\n"

static void a_sign_in(void **state)
{
	(void)state;
	/* By a session, before keys; its file is named by the SHA-1 of "one". */
	assert_ok(load("p", "[p]\n" KEYS,
	               "[profile p]\nsso_session = one\n" SIGN_IN
	               "[sso-session other]\nsso_region = us-east-1\n[sso-session one]\n"
	               "sso_start_url = https://x\nsso_region = eu-west-1\n"));
	assert_string_equal(got.role->url, "https://portal.sso.eu-west-1.amazonaws.com/federation/"
	                                   "credentials?role_name=a%20b&account_id=111122223333");
	assert_ptr_equal(got.role->assume, lent_sso);
	assert_true(str_ends(got.role->token_file,
	                     "/.aws/sso/cache/fe05bcdcdc4928012781a5f1a2a77cbb5398e106.json"));
	/* Of a profile alone, as it was before there were sessions. */
	assert_ok(load("p", "",
	               "[profile p]\nsso_start_url = one\nsso_region = cn-north-1\n" SIGN_IN));
	assert_true(str_starts(got.role->url, "https://portal.sso.cn-north-1.amazonaws.com.cn/"));
	assert_true(
	        str_ends(got.role->token_file, "/fe05bcdcdc4928012781a5f1a2a77cbb5398e106.json"));
	assert_err(load("p", "", "[profile p]\nsso_session = one\n" SIGN_IN), ERR_INPUT,
	           "an sso_session that the config file lacks");
	assert_err(load("p", "", "[profile p]\nsso_start_url = x\n" SIGN_IN), ERR_INPUT,
	           "not all of sso_region");
	assert_err(load("p", "", "[profile p]\nsso_start_url = x\nsso_region = x/y\n" SIGN_IN),
	           ERR_INPUT, "isn't a region's name");
}

static void a_containers_host(void **state)
{
	struct profile_source s = {.config_file = config, .credentials_file = credentials};

	(void)state;
	s.container = "/v2/credentials";
	s.container_full = "http://127.0.0.1/";
	s.container_token_file = "/token";
	assert_ok(profile_load(&s, a, &got, &e));
	assert_string_equal(got.role->url, "http://169.254.170.2/v2/credentials");
	assert_string_equal(got.role->token_file, "/token");
	assert_ptr_equal(got.role->assume, lent_container);
	s.container = "";
	got.role = NULL;
	assert_ok(profile_load(&s, a, &got, &e));
	assert_string_equal(got.role->url, "http://127.0.0.1/");
	s.container_full = "http://192.0.2.1/";
	got.role = NULL;
	assert_err(profile_load(&s, a, &got, &e), ERR_INPUT, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	/* As what assumes a role; without an address there is nothing to ask. */
	assert_err(
	        load("p", "", "[profile p]\nrole_arn = arn:x\ncredential_source = EcsContainer\n"),
	        ERR_INPUT, "is set");
	write_file(config, "[profile p]\nrole_arn = arn:x\ncredential_source = EcsContainer\n");
	s.name = "p";
	s.container_full = "https://x.example/";
	assert_ok(profile_load(&s, a, &got, &e));
	assert_string_equal(got.role->source->role->url, "https://x.example/");
}

static void the_environments_keys_precede_a_container(void **state)
{
	struct profile_source s = {.config_file = config,
	                           .credentials_file = credentials,
	                           .container_full = "http://192.0.2.1/"};

	(void)state;
	got.access_key = "AKIAENV";
	assert_ok(profile_load(&s, a, &got, &e));
	assert_string_equal(got.access_key, "AKIAENV");
}

static void the_environments_keys_win(void **state)
{
	struct profile_source s = {.config_file = config, .credentials_file = credentials};

	(void)state;
	write_file(credentials, "[default]\naws_session_token = t\n" KEYS);
	write_file(config, "[default]\nregion = eu-west-1\nrole_arn = arn:x\n");
	got = (struct cloud_config){
	        .access_key = "AKIAENV", .secret_key = "s", .region = "us-east-1"};
	assert_ok(profile_load(&s, a, &got, &e));
	assert_string_equal(got.access_key, "AKIAENV");
	assert_string_equal(got.region, "us-east-1");
	assert_null(got.session_token);
	/* Half of them is cloud_open()'s to refuse, and not filled up from another source. */
	got = (struct cloud_config){.secret_key = "s"};
	assert_ok(profile_load(&s, a, &got, &e));
	assert_null(got.access_key);
}

static void half_a_pair(void **state)
{
	(void)state;
	assert_err(load(NULL, "[default]\naws_access_key_id = AKIA\n", ""), ERR_INPUT,
	           "profile 'default' has no aws_secret_access_key");
	assert_err(load(NULL, "[default]\naws_secret_access_key = s\n", ""), ERR_INPUT,
	           "profile 'default' has no aws_access_key_id");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
}

static void settings(void **state)
{
	(void)state;
	assert_ok(load(NULL, "[default]\n" KEYS,
	               "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint=True\n"
	               "s3 =\n  max_concurrent_requests = 20\n  addressing_style = path\n"
	               "[profile x]\nregion = no\n"));
	assert_true(got.fips && got.dualstack);
	assert_string_equal(got.s3_style, "path");
	assert_null(got.region);
	got = (struct cloud_config){0};
	/* A nested line belongs to the key above it only. */
	assert_ok(load(NULL, "", "[default]\ns3 =\n  region = x\noutput = json\n  region = y\n"));
	assert_null(got.region);
	assert_string_equal(got.tried,
	                    "AWS_ACCESS_KEY_ID isn't set, profile 'default' has no keys");
	assert_err(load(NULL, "", "[default]\nuse_fips_endpoint = maybe\n"), ERR_INPUT,
	           "profile 'default': use_fips_endpoint 'maybe'");
	assert_int_equal(e.reason, REASON_INPUT_TYPE);
}

static void nothing_there(void **state)
{
	struct profile_source s = {.config_file = "/dev/null",
	                           .credentials_file = "/nonexistent/x"};

	(void)state;
	assert_ok(profile_load(&s, a, &got, &e));
	assert_null(got.access_key);
	assert_string_equal(got.tried,
	                    "AWS_ACCESS_KEY_ID isn't set, profile 'default' doesn't exist");
	s.name = "none";
	assert_err(profile_load(&s, a, &got, &e), ERR_INPUT, "AWS_PROFILE 'none'");
	s = (struct profile_source){.home = "/nonexistent"};
	assert_ok(profile_load(&s, a, &got, &e));
	assert_ok(profile_load(&(struct profile_source){0}, a, &got, &e));
}

static void broken_lines(void **state)
{
	(void)state;
	assert_err(load("p", "# c\n; c\n\n[p]\nnonsense\n", ""), ERR_INPUT,
	           ":5:1: expected [SECTION]");
	assert_err(load("p", "[p\n" KEYS, ""), ERR_INPUT, ":1:1: expected");
	assert_err(load("p", "", "[other]\nnonsense\n"), ERR_INPUT, ":2:1: expected");
	assert_int_equal(e.reason, REASON_INPUT_SYNTAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(keys_of_either_file),
	        TEST(names_as_people_write_them),
	        TEST(other_sources_are_refused_by_name),
	        TEST(a_role_that_a_profile_assumes),
	        TEST(a_role_that_nobody_can_assume),
	        TEST(how_long_a_role_may_last),
	        TEST(a_chain_of_sources_ends),
	        TEST(a_web_identity),
	        TEST(the_environments_keys_precede_a_container),
	        TEST(a_containers_host),
	        TEST(a_sign_in),
	        TEST(a_program),
	        TEST(the_environments_keys_win),
	        TEST(half_a_pair),
	        TEST(settings),
	        TEST(nothing_there),
	        TEST(broken_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
