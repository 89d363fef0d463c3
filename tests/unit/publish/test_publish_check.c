/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a publish, refused before the first call. */
#include "unit.h"

#include "base/clock.h"
#include "publish/publish_own.h"

static struct err e;
static struct command_list tags, accounts, regions;
static struct publish_spec spec;

static int set_up(void **state)
{
	(void)state;
	tags = accounts = regions = (struct command_list){0};
	spec = (struct publish_spec){.name = "compute-1.0",
	                             .arch = "x86_64",
	                             .boot = "uefi-preferred",
	                             .tags = &tags,
	                             .follow = {.accounts = &accounts, .regions = &regions}};
	return 0;
}

static int check(void)
{
	scope_arena struct arena *a = arena_new();

	return publish_check(&spec, a, &e);
}

static void refused(const char *option)
{
	assert_err(check(), ERR_USAGE, option);
	assert_non_null(strstr(e.text, ": expected "));
	set_up(NULL);
}

static void what_is_right_passes(void **state)
{
	char soon[21];

	(void)state;
	assert_ok(check());
	clock_rfc3339(clock_wall() + 3600, soon);
	tags = (struct command_list){2, {"team=hpc", "empty="}};
	accounts = (struct command_list){1, {"111122223333"}};
	regions = (struct command_list){1, {"eu-west-1"}};
	spec.description = "of a test";
	spec.follow.alias = "/images/compute";
	spec.follow.deprecate = soon;
	assert_ok(check());
	spec.encrypted = true;
	spec.kms_key = "arn:aws:kms:eu-west-1:111122223333:key/x";
	assert_ok(check());
	set_up(NULL);
	spec.arch = "arm64";
	spec.boot = "uefi";
	assert_ok(check());
	set_up(NULL);
	spec.parent = "snap-1";
	assert_ok(check());
	set_up(NULL);
	spec.boot = "uefi";
	spec.uefi_data = "QU1aTlVFRkkA";
	spec.tpm = true;
	assert_ok(check());
}

static void what_aws_refuses_is_refused(void **state)
{
	static char long_text[257];

	(void)state;
	spec.name = "ab";
	refused("--name 'ab'");
	memset(long_text, 'd', 256);
	spec.description = long_text;
	refused("--description");
	spec.arch = "arm64";
	refused("--boot 'uefi-preferred'");
	spec.tpm = true;
	refused("--boot 'uefi-preferred': expected uefi, without which there is no TPM");
	spec.uefi_data = "QU1aTlVFRkkA";
	spec.boot = "legacy-bios";
	refused("--boot 'legacy-bios': expected uefi, without which --uefi-data");
	spec.parent = "snap-1";
	spec.encrypted = true;
	refused("--parent");
	spec.parent = "snap-1";
	spec.kms_key = "k";
	refused("--parent");
	spec.follow.alias = "a b";
	refused("--alias");
	spec.follow.deprecate = "2020-01-01T00:00:00Z";
	refused("--deprecate");
	accounts = (struct command_list){2, {"111122223333", "1"}};
	refused("--share '1'");
	accounts = (struct command_list){1, {"111122223333"}};
	spec.encrypted = true;
	refused("--share '111122223333'");
	regions = (struct command_list){2, {"eu-west-1", "eu_west"}};
	refused("--copy 'eu_west'");
}

static void tags_have_keys_and_a_number(void **state)
{
	(void)state;
	tags = (struct command_list){1, {"none"}};
	refused("--tag 'none'");
	tags = (struct command_list){2, {"a=b", "hpc-imagebuild:run=x"}};
	refused("--tag 'hpc-imagebuild:run=x'");
	tags = (struct command_list){1, {"aws:x=y"}};
	refused("--tag 'aws:x=y'");
	for (tags.n = 0; tags.n < 40; tags.n++)
		tags.items[tags.n] = "k=v";
	assert_ok(check());
	tags.items[tags.n++] = "last=v";
	refused("--tag 'last=v'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(what_is_right_passes, set_up),
	        cmocka_unit_test_setup(what_aws_refuses_is_refused, set_up),
	        cmocka_unit_test_setup(tags_have_keys_and_a_number, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
