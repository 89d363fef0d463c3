/* SPDX-License-Identifier: Apache-2.0 */
/* What a dry run tells of a file that would change, and what it must not tell. */
#include "host_test.h"

#include <errno.h>

static const char *told(struct fixture *f, const char *text, unsigned mode)
{
	struct err e = {0};

	f->record[0] = '\0';
	assert_ok(host_write(f->dry, "/etc/x", (struct blob){text, strlen(text)}, mode, NULL, &e));
	const char *second = strchr(strstr(f->record, "write "), '\n');
	assert_non_null(second);
	host_close(f->dry); /* forgets what it assumes */
	assert_ok(host_open(f->root, HOST_DRY, &f->dry, &e));
	host_record_to(f->dry, fixture_record, f);
	return second + 1;
}

static void how_a_text_differs(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(told(f, "new\n", 0644), ""); /* a new file has nothing to differ from */
	fixture_put(f, "/etc/x", "a\nb\nc\n", 0644);
	assert_string_equal(told(f, "a\nB\nc\n", 0644), " @@ -1,3 +1,3 @@\n  a\n -b\n +B\n  c\n");
	assert_string_equal(told(f, "a\nb\nc\n", 0600),
	                    " not everybody may read it: how it differs isn't shown\n");
	assert_string_equal(told(f, "a\nb\nc\n", 0755),
	                    " the content stays; mode or owner change\n");
}

/* Neither what only some may read, now or then, nor what is behind a closed directory. */
static void nothing_that_is_not_everybodys(void **state)
{
	static const char hidden[] = " not everybody may read it: how it differs isn't shown\n";
	struct fixture *f = *state;

	fixture_put(f, "/etc/x", "secret\n", 0640);
	assert_string_equal(told(f, "public\n", 0644), hidden);
	assert_int_equal(chmod(fixture_path(f, "/etc/x"), 0644), 0);
	assert_string_equal(told(f, "secret\n", 0640), hidden);
	assert_int_equal(chmod(fixture_path(f, "/etc"), 0750), 0);
	assert_string_equal(told(f, "public\n", 0644), hidden);
	assert_int_equal(chmod(fixture_path(f, "/etc"), 0751), 0);
	assert_string_equal(told(f, "public\n", 0644), " @@ -1,1 +1,1 @@\n -secret\n +public\n");
}

static void what_is_no_text(void **state)
{
	static const char no_text[] = " not a text: how it differs isn't shown\n";
	struct fixture *f = *state;
	struct err e = {0};

	fixture_put(f, "/etc/x", "\xff\n", 0644);
	assert_string_equal(told(f, "text\n", 0644), no_text);
	fixture_put(f, "/etc/x", "text\n", 0644);
	assert_string_equal(told(f, "\xff\n", 0644), no_text);
	f->record[0] = '\0';
	assert_ok(host_write(f->dry, "/etc/x", (struct blob){"a\0b", 3}, 0644, NULL, &e));
	assert_non_null(strstr(f->record, no_text));
}

static void at_most_64_lines(void **state)
{
	struct fixture *f = *state;
	struct strbuf text = STRBUF(f->arena, 4096);
	size_t n = 0;

	/* The header, one line that goes, and those that come. */
	fixture_put(f, "/etc/x", "old\n", 0644);
	for (int i = 0; i < 62; i++)
		strbuf_printf(&text, "%d\n", i);
	for (const char *p = told(f, text.data, 0644); (p = strchr(p, '\n')); p++)
		n++;
	assert_int_equal(n, 64);
	strbuf_str(&text, "62\n63\n");
	assert_non_null(strstr(told(f, text.data, 0644), "\n +61\n and 2 more lines\n"));
}

static void long_lines_are_cut(void **state)
{
	struct fixture *f = *state;
	char text[402];

	memset(text, 'x', 400);
	memcpy(text + 400, "\n", 2);
	fixture_put(f, "/etc/x", "", 0644);
	const char *line = strstr(told(f, text, 0644), " +x");
	assert_non_null(line);
	assert_int_equal(strcspn(line, "\n"), 301); /* a space, and 300 bytes of it */
}

static void what_is_too_large(void **state)
{
	static char text[(256 << 10) + 2];
	static const char large[] = " larger than 256 KiB: how it differs isn't shown\n";
	struct fixture *f = *state;

	memset(text, 'x', sizeof text - 1);
	fixture_put(f, "/etc/x", "old\n", 0644);
	assert_string_equal(told(f, text, 0644), large);
	text[256 << 10] = '\0';
	assert_null(strstr(told(f, text, 0644), large));
	text[256 << 10] = 'x';
	fixture_put(f, "/etc/x", text, 0644);
	assert_string_equal(told(f, "new\n", 0644), large);
	text[256 << 10] = '\0';
	fixture_put(f, "/etc/x", text, 0644);
	assert_null(strstr(told(f, "new\n", 0644), large));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(how_a_text_differs), FIXTURE_TEST(nothing_that_is_not_everybodys),
	        FIXTURE_TEST(what_is_no_text),    FIXTURE_TEST(at_most_64_lines),
	        FIXTURE_TEST(long_lines_are_cut), FIXTURE_TEST(what_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
