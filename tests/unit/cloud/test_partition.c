/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cloud/partition. */
#include "unit.h"

#include "cloud/partition.h"

static void test_regions(void **state)
{
	static const struct {
		const char *region, *name, *domain;
	} rows[] = {
	        {"eu-west-1", "aws", "amazonaws.com"},
	        {"us-east-1", "aws", "amazonaws.com"},
	        {"mx-central-1", "aws", "amazonaws.com"},
	        {"us-gov-west-1", "aws-us-gov", "amazonaws.com"},
	        {"us-iso-east-1", "aws-iso", "c2s.ic.gov"},
	        {"us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"},
	        {"eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"},
	        {"us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"},
	        {"eusc-de-east-1", "aws-eusc", "amazonaws.eu"},
	        {"cn-north-1", "aws-cn", "amazonaws.com.cn"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct partition *p = partition_by_region(rows[i].region);

		assert_non_null(p);
		assert_string_equal(p->name, rows[i].name);
		assert_string_equal(p->domain, rows[i].domain);
		assert_true(partition_region_valid(rows[i].region));
		assert_true(partition_domain_valid(rows[i].domain));
	}
	assert_null(partition_by_region("xx-nowhere-1"));
	assert_null(partition_by_region(""));
}

static void test_names_fit_for_hosts(void **state)
{
	static const char *const regions[] = {
	        "",    "eu",      "EU-west-1", "-eu-west-1", "eu-west-1-",
	        "a.b", "eu/west", "eu west",   "../evil",    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const domains[] = {"",      "com", ".com", "a..b",  "a.b.",
	                                      "a.b/c", "A.b", "-a.b", "a.b:80"};

	(void)state;
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
		assert_false(partition_region_valid(regions[i]));
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
		assert_false(partition_domain_valid(domains[i]));
}

/* The shortest and the longest, and those beyond. */
static void test_lengths(void **state)
{
	char region[34], domain[130];

	(void)state;
	memset(region, 'r', sizeof region);
	region[33] = '\0';
	assert_false(partition_region_valid(region));
	assert_true(partition_region_valid(region + 1));
	assert_true(partition_region_valid("a-1"));
	assert_false(partition_region_valid("a1"));
	memset(domain, 'd', sizeof domain);
	domain[1] = '.';
	domain[2] = '.';
	domain[129] = '\0';
	assert_false(partition_domain_valid(domain)); /* for its empty label */
	domain[1] = 'd';
	assert_false(partition_domain_valid(domain));
	domain[2] = 'd';
	domain[3] = '.';
	assert_true(partition_domain_valid(domain + 1));
	assert_true(partition_domain_valid("a.bc"));
	assert_false(partition_domain_valid("a.b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_regions),
	        cmocka_unit_test(test_names_fit_for_hosts),
	        cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
