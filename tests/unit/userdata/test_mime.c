/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of userdata/mime. */
#include "pack.h"
#include "userdata/mime.h"

static const char *text_of(struct arena *a, struct blob b)
{
	return arena_memdup(a, b.data, b.len);
}

static void test_fields(void **state)
{
	static const struct {
		const char *text, *type, *encoding, *boundary, *body;
	} rows[] = {
	        {"Content-Type: text/plain\n\nbody\n", "text/plain", "", "", "body\n"},
	        {"content-TYPE:text/plain\r\n\r\nbody", "text/plain", "", "", "body"},
	        {"Content-Type: multipart/mixed; boundary=abc\n\n", "multipart/mixed", "", "abc",
	         ""},
	        {"Content-Type: multipart/mixed; boundary=\"a b;=c\"\n\n", "multipart/mixed", "",
	         "a b;=c", ""},
	        {"Content-Type: multipart/mixed;\r\n\tcharset=utf-8;\r\n "
	         "Boundary=\"x\\\"y\"\r\n\r\n",
	         "multipart/mixed", "", "x\"y", ""},
	        {"Content-Type: multipart/mixed; flag; boundary = abc ; x=y\n\n", "multipart/mixed",
	         "", "abc", ""},
	        {"Content-Type: multipart/mixed; xboundary=no\n\n", "multipart/mixed", "", "", ""},
	        {"Content-Type: a/b\nContent-Transfer-Encoding:\n  BASE64 \nX: y\n\nb", "a/b",
	         "BASE64", "", "b"},
	        {"Content-Type: a/b\nContent-Type: c/d\n\n", "a/b", "", "", ""},
	        {"\nno fields\n", "", "", "", "no fields\n"},
	        {"Content-Type: a/b", "a/b", "", "", ""},
	        {"", "", "", "", ""},
	        {"Content-Type: multipart/mixed; boundary="
	         "1234567890123456789012345678901234567890123456789012345678901234567890\n\n",
	         "multipart/mixed", "",
	         "1234567890123456789012345678901234567890123456789012345678901234567890", ""},
	        {"Content-Type: multipart/mixed; boundary="
	         "12345678901234567890123456789012345678901234567890123456789012345678901\n\n",
	         "multipart/mixed", "", "", ""},
	        {"Content-Type: multipart/mixed; boundary=\"open\n\n", "multipart/mixed", "",
	         "open", ""},
	        {"Content-Type: multipart/mixed; boundary=\"x\\\n\n", "multipart/mixed", "", "x\\",
	         ""},
	        {"Content-Type: multipart/mixed; boundary=\"x\\y\"\n\n", "multipart/mixed", "",
	         "xy", ""},
	        {"Content-Type: multipart/mixed; boundary=x\\y\n\n", "multipart/mixed", "", "x\\y",
	         ""},
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mime_entity m;

		print_message("[%zu] %s\n", i, rows[i].text);
		assert_true(mime_read(pack_text(rows[i].text), &m));
		assert_string_equal(text_of(a, m.type), rows[i].type);
		assert_string_equal(text_of(a, m.encoding), rows[i].encoding);
		assert_string_equal(m.boundary, rows[i].boundary);
		assert_string_equal(text_of(a, m.body), rows[i].body);
	}
}

static void test_no_fields(void **state)
{
	static const char *const rows[] = {
	        "#!/bin/sh\n",  "just text\n\n",    ": no name\n\n",
	        " folded: x\n", "A: b\nno colon\n", "caf\xC3\xA9: x\n\n",
	};
	scope_arena struct arena *a = arena_new();
	struct strbuf many = STRBUF(a, 100000);
	struct mime_entity m = {.boundary = "untouched"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(mime_read(pack_text(rows[i]), &m));
	for (int i = 0; i < 65; i++)
		strbuf_str(&many, "A: b\n");
	assert_false(mime_read((struct blob){many.data, many.len}, &m));
	assert_string_equal(m.boundary, "untouched");
}

static void test_parts(void **state)
{
	static const struct {
		const char *text;
		const char *parts[4];
		bool open; /* the last one is not closed */
	} rows[] = {
	        {"--b\none\n--b\ntwo\n--b--\n", {"one", "two"}, false},
	        {"before\r\n--b\r\none\r\n\r\n--b\r\ntwo\r\n--b--\r\nafter\r\n--b\r\nno\r\n",
	         {"one\r\n", "two"},
	         false},
	        {"--b  \t\none\n--b-- \n", {"one"}, false},
	        {"--b\n--b--", {""}, false},
	        {"--b\n--bb\n--b-\n-- b\n --b\n--b--", {"--bb\n--b-\n-- b\n --b"}, false},
	        {"--b\none\n", {"one\n"}, true},
	        {"--b\none\n--b\ntwo", {"one", "two"}, true},
	        {"--b\none\n--b\n", {"one"}, false},
	        {"no delimiter\n", {NULL}, false},
	        {"--b--\n--b\none\n", {NULL}, false},
	        {"", {NULL}, false},
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mime_parts p = {.rest = pack_text(rows[i].text), .boundary = "b"};
		struct blob part;
		bool closed;
		size_t n = 0;

		print_message("[%zu] %s\n", i, rows[i].text);
		while (mime_next(&p, &part, &closed)) {
			assert_non_null(rows[i].parts[n]);
			assert_string_equal(text_of(a, part), rows[i].parts[n]);
			n++;
			assert_int_equal(closed, rows[i].parts[n] || !rows[i].open);
		}
		assert_null(rows[i].parts[n]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_fields),
	        cmocka_unit_test(test_no_fields),
	        cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
