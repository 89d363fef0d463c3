/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of sources.list(5): which are taken, of what suite they are, and what is said of the others. */
#include "recipe/debline.h"

#include <errno.h>

#include "unit.h"

static const struct doc here = {.file = "r.yaml", .line = 3, .col = 7};

static int check(const char *line, struct err *e)
{
	*e = (struct err){0};
	return debline_check(&here, line, e);
}

static void lines_of_sources_are_taken(void **state)
{
	static const char *const lines[] = {
	        "deb http://deb.debian.org/debian trixie main",
	        "deb  http://a/debian\ttrixie  main contrib non-free-firmware ",
	        "deb [check-valid-until=no] https://a/20260901T000000Z trixie main",
	        "deb [ arch=amd64,arm64 signed-by=/usr/share/keyrings/a.gpg ] http://a/debian trixie main",
	        "deb [arch+=arm64 lang-=de]http://a/debian trixie main",
	        "deb [] http://a/debian trixie main",
	        "deb file:/srv/mirror trixie main",
	        "deb copy:/srv/mirror trixie main",
	        "deb mirror+http://a/list trixie main",
	        "deb [trusted=yes] http://a/flat ./",
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (check(lines[i], &e) != 0)
			fail_msg("'%s': %s", lines[i], e.text);
}

static void other_lines_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *line, *said;
	} cases[] = {
	        {"", "'' is no source of packages, expected deb [OPTION=VALUE...] URI SUITE "},
	        {"deb", "is no source of packages"},
	        {"deb http://a/debian", "is no source of packages"},
	        {"deb-src http://a/debian trixie main", "is no source of packages"},
	        {"debs http://a/debian trixie main", "is no source of packages"},
	        {"xyz http://a/debian trixie main", "is no source of packages"},
	        {"deb [arch=amd64 http://a/debian trixie main", "is no source of packages"},
	        {"deb [check-valid=no] http://a/debian trixie main",
	         "unknown option 'check-valid=no' of a source, see sources.list(5)"},
	        {"deb [arch=amd64 trusted] http://a/debian trixie main",
	         "unknown option 'trusted' "},
	        {"deb [trusted=] http://a/debian trixie main", "unknown option 'trusted=' "},
	        {"deb [arch+=] http://a/debian trixie main", "unknown option 'arch+=' "},
	        {"deb [arch*=a] http://a/debian trixie main", "unknown option 'arch*=a' "},
	        {"deb [one=1 two=2] http://a/debian trixie main", "unknown option 'one=1' "},
	        {"deb deb.debian.org/debian trixie main",
	         "'deb.debian.org/debian' is no URI of packages, expected one like http://"},
	        {"deb http: trixie main", "'http:' is no URI"},
	        {"deb http:x trixie main", "'http:x' is no URI"},
	        {"deb ://a trixie main", "'://a' is no URI"},
	        {"deb http://a/debian trixie", "names no component, expected one like main"},
	        {"deb http://a/flat ./ main", "a suite that ends with '/' has no components"},
	        {"deb http://a/debian trixie main\ndeb http://b c d",
	         "a source is one line of plain ASCII"},
	        {"deb http://a/d\xc3\xa9 trixie main", "a source is one line of plain ASCII"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(check(cases[i].line, &e), -EINVAL);
		assert_int_equal(e.kind, ERR_INPUT);
		if (!str_starts(e.text, "r.yaml:3:7: ") || !strstr(e.text, cases[i].said))
			fail_msg("'%s': %s", cases[i].line, e.text);
	}
}

static void a_line_is_of_its_suite(void **state)
{
	static const char line[] = "deb [arch=amd64] http://trixie/sid trixie-updates main sid";

	(void)state;
	assert_true(debline_is_of(line, "trixie-updates"));
	assert_false(debline_is_of(line, "trixie"));
	assert_false(debline_is_of(line, "trixie-updates-more"));
	assert_false(debline_is_of(line, "main"));
	assert_false(debline_is_of("deb http://a", "trixie"));
}

static void files_of_keys_are_found(void **state)
{
	static const struct {
		const char *line, *keys; /* each with a space behind it */
	} cases[] = {
	        {"deb http://a/signed-by=/no sid main", ""},
	        {"deb [] http://a sid main", ""},
	        {"deb [arch=amd64] http://a sid signed-by=/no", ""},
	        {"deb [signed-by=/a.gpg] http://a sid main", "/a.gpg "},
	        {"deb [ arch=amd64  signed-by=/k/a.gpg,/b.asc\ttrusted=no ]http://a sid main",
	         "/k/a.gpg /b.asc "},
	        {"deb [signed-by=9DC8,/a,,BD9F!,/b,] http://a sid main", "/a /b "},
	        {"deb [signed-by=/a signed-by=/b] http://a sid main", "/a /b "},
	        {"deb [unsigned-by=/a inrelease-path=/b] http://a sid main", ""},
	        {"deb [signed-by=/a http://a sid main", ""},
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct field_strings keys = debline_keys(cases[i].line, a);
		struct strbuf all = STRBUF(a, 4096);

		strbuf_str(&all, "");
		for (size_t k = 0; k < keys.n; k++)
			strbuf_printf(&all, "%s ", keys.items[k]);
		assert_string_equal(all.data, cases[i].keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lines_of_sources_are_taken),
	        cmocka_unit_test(other_lines_are_refused_with_their_place),
	        cmocka_unit_test(a_line_is_of_its_suite),
	        cmocka_unit_test(files_of_keys_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
