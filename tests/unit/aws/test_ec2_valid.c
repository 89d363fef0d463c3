/* SPDX-License-Identifier: Apache-2.0 */
/* What EC2 takes, just at each limit and just beyond it. */
#include "unit.h"

#include "aws/ec2_valid.h"

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

static char text[400];

/* `n` times the character c. */
static const char *many(size_t n, char c)
{
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

static void names(void **state)
{
	(void)state;
	assert_true(ec2_valid_name("abc"));
	assert_true(ec2_valid_name("a ()[]./-'@_9Z"));
	assert_true(ec2_valid_name(many(128, 'n')));
	assert_false(ec2_valid_name(many(129, 'n')));
	assert_false(ec2_valid_name("ab"));
	assert_false(ec2_valid_name("a:b"));
	assert_false(ec2_valid_name("f\xc3\xbcr"));
}

static void descriptions(void **state)
{
	(void)state;
	assert_true(ec2_valid_description(""));
	assert_true(ec2_valid_description("a <b> ~ & \"c\""));
	assert_true(ec2_valid_description(many(255, 'd')));
	assert_false(ec2_valid_description(many(256, 'd')));
	assert_false(ec2_valid_description("f\xc3\xbcr alle"));
	assert_false(ec2_valid_description("two\nlines"));
	assert_false(ec2_valid_description("del\x7f"));
}

static void uefi_data(void **state)
{
	/* Three bytes are four characters: 12 of the name and one more, then zeros. */
	static const char head[] = "QU1aTlVFRkkA";
	static char data[EC2_UEFI_DATA_MAX + 5];

	(void)state;
	memset(data, 'A', EC2_UEFI_DATA_MAX + 4);
	memcpy(data, head, sizeof head - 1);
	assert_false(ec2_valid_uefi_data(data));
	data[EC2_UEFI_DATA_MAX] = '\0';
	assert_true(ec2_valid_uefi_data(data));
	assert_true(ec2_valid_uefi_data(head));
	assert_false(ec2_valid_uefi_data("QU1aTlVFRkk="));
	assert_false(ec2_valid_uefi_data("QU1aTlVFRkkAA"));
	assert_false(ec2_valid_uefi_data("QU1aTlVF RkkA"));
	assert_false(ec2_valid_uefi_data("QU1aTlVFRkkA\n"));
	assert_false(ec2_valid_uefi_data("QU1aTlVFRklAA-_A"));
	assert_false(ec2_valid_uefi_data("YU1aTlVFRkkA"));
	assert_false(ec2_valid_uefi_data(""));
}

static void tags(void **state)
{
	(void)state;
	assert_true(ec2_valid_tag("k", ""));
	assert_true(ec2_valid_tag("f\xc3\xbcr", "a b&c=d"));
	assert_true(ec2_valid_tag(many(127, 'k'), "v"));
	assert_false(ec2_valid_tag(many(128, 'k'), "v"));
	assert_true(ec2_valid_tag("k", many(255, 'v')));
	assert_false(ec2_valid_tag("k", many(256, 'v')));
	assert_false(ec2_valid_tag("", "v"));
	assert_false(ec2_valid_tag("aws:x", "v"));
	assert_false(ec2_valid_tag("AWS:x", "v"));
	assert_true(ec2_valid_tag("awsx", "v"));
	assert_false(ec2_valid_tag("a\x1b[m", "v"));
	assert_false(ec2_valid_tag("k", "a\nb"));
	assert_false(ec2_valid_tag("k", "a\x7f"));
	assert_false(ec2_valid_tag("\xff", "v"));
	/* Characters are counted, not bytes. */
	for (size_t i = 0; i < 127; i++)
		memcpy(text + 2 * i, "\xc3\xbc", 2);
	text[254] = '\0';
	assert_true(ec2_valid_tag(text, "v"));
}

static void accounts(void **state)
{
	(void)state;
	assert_true(ec2_valid_account("123456789012"));
	assert_false(ec2_valid_account("12345678901"));
	assert_false(ec2_valid_account("1234567890123"));
	assert_false(ec2_valid_account("12345678901a"));
}

static void deprecations(void **state)
{
	static const char *const good[] = {"2026-01-01T00:00:01Z", "2036-01-01T00:00:00Z",
	                                   "2028-02-29T12:00:00Z"};
	static const char *const bad[] = {"2026-01-01T00:00:00Z",
	                                  "2025-12-31T23:59:59Z",
	                                  "2036-01-01T00:00:01Z",
	                                  "2027-02-30T00:00:00Z",
	                                  "2027-02-29T00:00:00Z",
	                                  "2027-01-01",
	                                  "2027-01-01T00:00:00",
	                                  "2027-01-01T00:00:00+01:00",
	                                  "2027-1-1T00:00:00Z",
	                                  "soon",
	                                  "",
	                                  "2027-01-01T00:00:00Z "};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(ec2_valid_deprecation(good[i], NOW));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(ec2_valid_deprecation(bad[i], NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names),     cmocka_unit_test(descriptions),
	        cmocka_unit_test(uefi_data), cmocka_unit_test(tags),
	        cmocka_unit_test(accounts),  cmocka_unit_test(deprecations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
