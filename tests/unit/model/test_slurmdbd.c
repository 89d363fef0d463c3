/* SPDX-License-Identifier: Apache-2.0 */
/* slurmdbd.conf: its text, and the password in it. */
#include "unit.h"

#include <errno.h>

#include "model/slurmdbd.h"

#define TEXT(s) ((struct blob){(s), strlen(s)})

static void its_text(void **state)
{
	const struct slurmdbd x = {
	        .here = "head", .host = "sql", .port = 3307, .name = "n", .user = "u"};
	scope_arena struct arena *a = arena_new();
	struct blob text = slurmdbd_text(&x, a);

	(void)state;
	assert_int_equal(text.len, strlen(text.data));
	assert_string_equal(
	        text.data,
	        "# Written by hpc-agent from the cluster's configuration: edit that, not this.\n"
	        "AuthType=auth/munge\nDbdHost=head\nDbdPort=6819\nSlurmUser=slurm\n"
	        "LogFile=/var/log/slurm/slurmdbd.log\nPidFile=/run/slurmdbd.pid\n"
	        "StorageType=accounting_storage/mysql\nStorageHost=sql\nStoragePort=3307\n"
	        "StorageLoc=n\nStorageUser=u\n");
}

static void what_is_a_word(void **state)
{
	static const char *const none[] = {"",    "a b", "a\tb", "a\nb", "a\"b",
	                                   "a'b", "a#b", "a\\b", "a=b",  "a\x7f"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(slurmdbd_is_word(none[i]));
	assert_true(slurmdbd_is_word("db-1.example.com"));
	assert_true(slurmdbd_is_word("!"));
	assert_true(slurmdbd_is_word("\xc3\xa4"));
}

/* In quotes, with Slurm's escapes. */
static void the_password_in_it(void **state)
{
	static const struct {
		const char *password, *line;
	} rows[] = {
	        {"simple", "x\nStoragePass=\"simple\"\n"},
	        {" a b ", "x\nStoragePass=\" a b \"\n"},
	        {"p#a\\ss=w'rd", "x\nStoragePass=\"p\\#a\\\\ss=w'rd\"\n"},
	};
	struct secret whole = {0}, password = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(secret_set(&password, rows[i].password, strlen(rows[i].password)),
		                 0);
		assert_int_equal(slurmdbd_whole(TEXT("x\n"), &password, &whole), 0);
		assert_int_equal(whole.len, strlen(rows[i].line));
		assert_string_equal(whole.data, rows[i].line);
	}
	for (const char *p = "\"\n\x1f\x7f"; *p; p++) {
		assert_int_equal(secret_set(&password, p, 1), 0);
		assert_int_equal(slurmdbd_whole(TEXT("x\n"), &password, &whole), -EINVAL);
	}
}

static void what_is_too_long(void **state)
{
	/* 2 of the text, 13 before the password, 2 behind it. */
	enum { FITS = SECRET_MAX - 17 };
	struct secret whole = {0}, password = {.len = FITS};

	(void)state;
	memset(password.data, 'p', FITS + 1);
	assert_int_equal(slurmdbd_whole(TEXT("x\n"), &password, &whole), 0);
	assert_int_equal(whole.len, SECRET_MAX);
	password.len++;
	assert_int_equal(slurmdbd_whole(TEXT("x\n"), &password, &whole), -ENOSPC);
	assert_int_equal(whole.len, SECRET_MAX);
	password.len--;
	password.data[0] = '#';
	assert_int_equal(slurmdbd_whole(TEXT("x\n"), &password, &whole), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(its_text),
	        cmocka_unit_test(what_is_a_word),
	        cmocka_unit_test(the_password_in_it),
	        cmocka_unit_test(what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
