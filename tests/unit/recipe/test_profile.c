/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of AWS's shared files: which keys are taken, and which profiles are refused. */
#include "recipe_test.h"

#include "recipe/profile.h"

static struct cloud_config config;

static int load(const char *profile)
{
	const struct profile_source s = {.name = profile, .home = top};

	config = (struct cloud_config){0};
	return profile_load(&s, arena, &config, &e);
}

static void keys_and_region_are_read(void **state)
{
	(void)state;
	put(".aws/credentials",
	    "; comment\n# comment\n[other]\naws_access_key_id = X\n\n"
	    "[default]\r\naws_access_key_id = AK\r\nAWS_SECRET_ACCESS_KEY=  se=cret \n"
	    "aws_session_token\t=\tto\n");
	put(".aws/config",
	    "[default]\nregion = eu-west-1\naws_access_key_id = NOT\ns3 =\n  region = no\n"
	    "[profile two]\nregion = eu-west-2\n");
	assert_ok(load(NULL));
	assert_string_equal(config.access_key, "AK");
	assert_string_equal(config.secret_key, "se=cret");
	assert_string_equal(config.session_token, "to");
	assert_string_equal(config.region, "eu-west-1");
	assert_ok(load("two"));
	assert_null(config.access_key);
	assert_string_equal(config.region, "eu-west-2");
	assert_ok(load(""));
	assert_string_equal(config.access_key, "AK");
}

static void names_may_be_in_quotes(void **state)
{
	(void)state;
	put(".aws/config",
	    "[profile \"my name\"]\nregion = r1\n[profile 'other name']\nregion = r2\n"
	    "[ profile\tthird ]\nregion = r3\n[profile \"half]\nregion = r4\n");
	assert_ok(load("my name"));
	assert_string_equal(config.region, "r1");
	assert_ok(load("other name"));
	assert_string_equal(config.region, "r2");
	assert_ok(load("third"));
	assert_string_equal(config.region, "r3");
	assert_ok(load("\"half"));
	assert_string_equal(config.region, "r4");
}

static void what_is_set_before_wins(void **state)
{
	(void)state;
	const struct profile_source s = {.home = top};

	put(".aws/credentials", "[default]\naws_access_key_id=A\naws_secret_access_key=B\n");
	put(".aws/config", "[default]\nregion=r\nrole_arn=x\n");
	config = (struct cloud_config){.access_key = "own", .secret_key = "own", .region = "mine"};
	assert_ok(profile_load(&s, arena, &config, &e));
	assert_string_equal(config.access_key, "own");
	assert_string_equal(config.region, "mine");
	config = (struct cloud_config){.access_key = "own", .secret_key = "own", .region = ""};
	assert_ok(profile_load(&s, arena, &config, &e));
	assert_string_equal(config.region, "r");
}

static void a_profile_that_is_another_identity_is_refused(void **state)
{
	(void)state;
	static const char *const keys[] = {
	        "role_arn",      "source_profile",          "credential_source",
	        "sso_session",   "sso_start_url",           "credential_process",
	        "login_session", "web_identity_token_file", "ROLE_ARN"};

	put(".aws/credentials", "[default]\naws_access_key_id=A\naws_secret_access_key=B\n");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		put(".aws/config", arena_printf(arena, "[default]\n%s = x\n", keys[i]));
		assert_err(load(NULL), ERR_INPUT, "profile 'default' gets its credentials by");
		assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
		assert_null(config.access_key);
	}
}

static void half_a_pair_of_keys_is_refused(void **state)
{
	(void)state;
	put(".aws/credentials", "[default]\naws_access_key_id=A\n[b]\naws_secret_access_key=B\n");
	assert_err(load(NULL), ERR_INPUT, "has aws_access_key_id without aws_secret_access_key");
	assert_err(load("b"), ERR_INPUT, "has aws_secret_access_key without aws_access_key_id");
}

static void a_profile_that_is_named_is_there(void **state)
{
	(void)state;
	assert_ok(load(NULL));
	assert_null(config.access_key);
	assert_err(load("none"), ERR_INPUT, "there is no such profile");
	put(".aws/config", "[profile nonesuch]\nregion=r\n");
	assert_err(load("none"), ERR_INPUT, "there is no such profile");
}

static void broken_lines_have_their_place(void **state)
{
	(void)state;
	put(".aws/config", "[default]\nregion\n");
	assert_err(load(NULL), ERR_INPUT, "config:2:1: expected [SECTION] or KEY = VALUE");
	put(".aws/config", "\n\n[default\n");
	assert_err(load(NULL), ERR_INPUT, "config:3:1");
	const struct profile_source s = {
	        .home = "", .config_file = at(".aws/config"), .credentials_file = ""};
	assert_err(profile_load(&s, arena, &config, &e), ERR_INPUT, "config:3:1");
	const struct profile_source none = {.home = NULL};
	assert_ok(profile_load(&none, arena, &config, &e));
	const struct profile_source folder = {.config_file = top};
	assert_true(profile_load(&folder, arena, &config, &e) < 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(keys_and_region_are_read),       T(names_may_be_in_quotes),
	        T(what_is_set_before_wins),        T(a_profile_that_is_another_identity_is_refused),
	        T(half_a_pair_of_keys_is_refused), T(a_profile_that_is_named_is_there),
	        T(broken_lines_have_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
