/* SPDX-License-Identifier: Apache-2.0 */
/* What packages ship: no leak as they shipped it, unless its path is what counts. */
#include "base/digest.h"
#include "found.h"

static const char *md5(struct image *t, const char *text)
{
	struct digest *d = digest_new_md5();
	unsigned char sum[DIGEST_MD5_LEN];
	char *hex = arena_alloc(t->a, 2 * DIGEST_MD5_LEN + 1);

	digest_add(d, text, strlen(text));
	digest_sum_md5(d, sum);
	digest_close(d);
	str_hex(sum, sizeof sum, hex);
	return hex;
}

#define SECRET "id = AKIAQ7ZX2M4K9P3R5T6W\n"

static void test_what_a_package_shipped_is_no_leak(void **state)
{
	struct image *t = *state;

	image_fill(t);
	image_put(t, "var/lib/dpkg/info/tool.md5sums",
	          arena_printf(t->a,
	                       "%s  usr/share/doc/tool/example\n%s  lib/tool/old\n"
	                       "%s  usr/lib/tool/x.py\n%s  usr/share/keys/x.keytab\nbroken\n%s  \n",
	                       md5(t, SECRET), md5(t, SECRET), md5(t, SECRET), md5(t, "k"),
	                       md5(t, "")));
	image_put(t, "var/lib/dpkg/status",
	          arena_printf(
	                  t->a,
	                  "Package: tool\nConffiles:\n /etc/tool.conf %s\n /etc/ppp/chap-secrets "
	                  "%s obsolete\nDescription: x\n /etc/other.conf %s\n",
	                  md5(t, SECRET), md5(t, "a b c d\n"), md5(t, SECRET)));
	image_put(t, "usr/share/doc/tool/example", SECRET);
	image_put(t, "usr/lib/tool/old", SECRET);
	image_put(t, "usr/lib/tool/x.py", SECRET);
	image_put(t, "usr/lib/tool/__pycache__/x.cpython-311.pyc", "compiled " SECRET);
	image_put(t, "usr/share/keys/x.keytab", "k");
	image_put(t, "etc/tool.conf", SECRET);
	image_put(t, "etc/ppp/chap-secrets", "a b c d\n");
	assert_string_equal(found_in(t, NULL), "");
	image_put(t, "usr/share/doc/tool/example", SECRET "\n");
	image_put(t, "usr/lib/tool/x.py", SECRET "# changed\n");
	image_put(t, "usr/lib/tool/__pycache__/y.cpython-311.pyc", SECRET);
	image_put(t, "usr/share/keys/x.keytab", "another");
	image_put(t, "etc/ppp/chap-secrets", "a b c e\n");
	image_put(t, "etc/other.conf", SECRET);
	image_put(t, "usr/share/doc/other", SECRET);
	assert_string_equal(found_in(t, NULL),
	                    "kerberos-keytab /usr/share/keys/x.keytab\n"
	                    "dial-in-passwords /etc/ppp/chap-secrets\n"
	                    "aws-keys /etc/other.conf\n"
	                    "aws-keys /usr/lib/tool/__pycache__/x.cpython-311.pyc\n"
	                    "aws-keys /usr/lib/tool/__pycache__/y.cpython-311.pyc\n"
	                    "aws-keys /usr/lib/tool/x.py\n"
	                    "aws-keys /usr/share/doc/other\n"
	                    "aws-keys /usr/share/doc/tool/example");
}

/* Where a package puts a key of this machine's the path is what counts. */
static void test_a_shipped_identity_is_one(void **state)
{
	struct image *t = *state;

	image_fill(t);
	image_put(t, "var/lib/dpkg/info/ours.md5sums",
	          arena_printf(t->a, "%s  etc/munge/munge.key\n", md5(t, "key")));
	image_put(t, "etc/munge/munge.key", "key");
	assert_string_equal(found_in(t, NULL), "munge-key /etc/munge/munge.key");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, image_setup, image_teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_what_a_package_shipped_is_no_leak),
	        TEST(test_a_shipped_identity_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
