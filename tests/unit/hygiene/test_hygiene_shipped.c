/* SPDX-License-Identifier: Apache-2.0 */
/* What packages ship: no leak as they shipped it, unless its path is what counts. */
#include "base/digest.h"
#include "base/log.h"
#include "found.h"
#include "machine.h"

static const char *hex(struct image *t, enum digest_kind kind, const char *text)
{
	char *to = arena_alloc(t->a, DIGEST_HEX_MAX);

	assert_true(digest_hex_of(kind, text, strlen(text), to));
	return to;
}

static const char *md5(struct image *t, const char *text)
{
	return hex(t, DIGEST_MD5, text);
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

/* rpm's database: whatever digests its packages have. */
static void test_what_an_rpm_package_shipped_is_no_leak(void **state)
{
	struct image *t = *state;

	unit_need_root();
	image_fill(t);
	image_put(t, "usr/lib/sysimage/rpm/rpmdb.sqlite", "a database");
	put_program("rpm",
	            arena_printf(t->a,
	                         "cat <<'END'\n%s tool /usr/share/doc/tool/example\n"
	                         "%s tool /lib/tool/old\n%s tool /usr/lib/tool/ancient\n"
	                         "%s other /etc/tool.conf\n tool /usr/share/doc/tool\n"
	                         "%s tool\n%s tool usr/share/doc/other\nabc tool /etc/odd.conf\n"
	                         "warning: x\nEND\n",
	                         hex(t, DIGEST_SHA256, SECRET), hex(t, DIGEST_SHA1, SECRET),
	                         hex(t, DIGEST_MD5, SECRET), hex(t, DIGEST_SHA512, SECRET),
	                         hex(t, DIGEST_MD5, SECRET), hex(t, DIGEST_MD5, SECRET)));
	image_put(t, "usr/share/doc/tool/example", SECRET);
	image_put(t, "usr/lib/tool/old", SECRET);
	image_put(t, "usr/lib/tool/ancient", SECRET);
	image_put(t, "etc/tool.conf", SECRET);
	assert_string_equal(found_in(t, NULL), "");
	image_put(t, "usr/share/doc/tool/example", SECRET "\n");
	image_put(t, "usr/share/doc/other", SECRET);
	image_put(t, "etc/odd.conf", SECRET);
	assert_string_equal(found_in(t, NULL), "aws-keys /etc/odd.conf\n"
	                                       "aws-keys /usr/share/doc/other\n"
	                                       "aws-keys /usr/share/doc/tool/example");
}

static char heard[4096];

static void hear(void *ctx, enum log_level level, const char *text, const struct log_field *fields,
                 size_t n)
{
	(void)ctx;
	(void)level;
	(void)fields;
	(void)n;
	snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s\n", text);
}

/* What is not known proves nothing, and that is told; not where dpkg has told all. */
static void test_an_rpm_database_that_cannot_be_read(void **state)
{
	struct image *t = *state;

	unit_need_root();
	image_fill(t);
	log_set_sink(hear, NULL, LOG_LEVEL_NOTICE);
	image_put(t, "var/lib/rpm/rpmdb.sqlite", "a database");
	image_put(t, "usr/share/doc/tool/example", SECRET);
	put_program("rpm", "echo damaged >&2\nexit 1\n");
	assert_string_equal(found_in(t, NULL), "aws-keys /usr/share/doc/tool/example");
	assert_non_null(strstr(heard, "shipped counts as found"));
	assert_non_null(strstr(heard, "damaged"));
	heard[0] = '\0';
	image_put(t, "var/lib/dpkg/info/tool.md5sums",
	          arena_printf(t->a, "%s  usr/share/doc/tool/example\n", md5(t, SECRET)));
	assert_string_equal(found_in(t, NULL), "");
	assert_string_equal(heard, "");
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
}

static int set_up_machine(void **state)
{
	machine_set_up(state);
	return image_setup(state);
}

static int tear_down_machine(void **state)
{
	image_teardown(state);
	return machine_tear_down(state);
}

int main(void)
{
#define TEST(name)    cmocka_unit_test_setup_teardown(name, image_setup, image_teardown)
#define MACHINE(name) cmocka_unit_test_setup_teardown(name, set_up_machine, tear_down_machine)
	const struct CMUnitTest tests[] = {
	        TEST(test_what_a_package_shipped_is_no_leak),
	        TEST(test_a_shipped_identity_is_one),
	        MACHINE(test_what_an_rpm_package_shipped_is_no_leak),
	        MACHINE(test_an_rpm_database_that_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
