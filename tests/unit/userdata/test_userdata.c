/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of userdata/userdata. */
#include "pack.h"
#include "parse.h"
#include "userdata/userdata.h"
#include "userdata/userdata_own.h"

#define DOC              "#hpc-node\nversion: 1\n"
#define HEAD             "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"==B==\"\n\n"
#define PART(type, body) "--==B==\nContent-Type: " type "\n\n" body
#define END              "\n--==B==--\n"
#define SHELL            PART("text/x-shellscript; charset=\"us-ascii\"", "#!/bin/sh\necho hi\n") "\n"

#define CLOUD                                                                                      \
	"#cloud-config\npackages: [a]\nwrite_files:\n- {path: /etc/motd, content: hi}\n"           \
	"- path: /etc/hpc-node/node.yaml\n"

static const struct {
	const char *text, *found;
} rows[] = {
        {"", NULL},
        {"#!/bin/sh\nhpc-agent bootstrap\n", NULL},
        {"#cloud-config\npackages: [a]\n", NULL},
        {CLOUD "  content: |\n    #hpc-node\n    role: head\n", "#hpc-node\nrole: head\n"},
        {CLOUD "  content: 'role: head'\n", "role: head"},
        {CLOUD "  content: cm9sZTogaGVhZAo=\n  encoding: b64\n", "role: head\n"},
        {CLOUD "  content: H4sIAAAAAAACAytPLElNAwDfDXRtBAAAAA==\n  encoding: gz+b64\n  x: *a\n",
         NULL},
        {CLOUD "  content: '?'\n  encoding: base64\n", NULL},
        {CLOUD "  content: 'a: 1'\n- {path: /etc/hpc-node/node.yaml, content: 'a: 2'}\n", "a: 2"},
        {CLOUD "  source: {uri: x}\n", NULL},
        {"#cloud-config\nwrite_files: {path: /etc/hpc-node/node.yaml, content: x}\n", NULL},
        {"#cloud-config\nwrite_files: [/etc/hpc-node/node.yaml]\n", NULL},
        {"#cloud-config\n[", NULL},
        {"#cloud-config-archive\n- {path: /etc/hpc-node/node.yaml, content: x}\n", NULL},
        {HEAD PART("text/cloud-config", CLOUD "  content: 'role: head'\n") END, "role: head"},
        {"#hpc-nodes\nversion: 1\n", NULL},
        {"version: 1\nrole: compute\n", NULL},
        {"\n" DOC, "\n" DOC},
        {"    #hpc-node\n    version: 1\n", "    #hpc-node\n    version: 1\n"},
        {"# hpc-node\nversion: 1\n", "# hpc-node\nversion: 1\n"},
        {"#\thpc-node", "#\thpc-node"},
        {"#", NULL},
        {"# hpc", NULL},
        {"hpc-node\n", NULL},
        {"## template: jinja\n" DOC, NULL},
        {"deadbeef", NULL},
        {DOC, DOC},
        {"#hpc-node", "#hpc-node"},
        {"#hpc-node\r\nversion: 1\r\n", "#hpc-node\r\nversion: 1\r\n"},
        {"\xEF\xBB\xBF" DOC, "\xEF\xBB\xBF" DOC},
        {HEAD SHELL END, NULL},
        {HEAD PART("text/x-hpc-node", "version: 1") END, "version: 1"},
        {HEAD PART("TEXT/X-HPC-Node; charset=utf-8", "version: 1\n") END, "version: 1\n"},
        {HEAD SHELL PART("text/x-hpc-node", "version: 1") "\n" SHELL END, "version: 1"},
        {HEAD PART("text/plain", DOC) END, DOC},
        {HEAD "--==B==\n\n" DOC END, DOC},
        {HEAD PART("text/plain", "some text") END, NULL},
        {HEAD PART("text/cloud-config", DOC) END, NULL},
        {HEAD SHELL "--==B==\nnot a field\n\nx" END, NULL},
        {HEAD SHELL "and no end", NULL},
        {HEAD PART("text/x-hpc-node", "version: 1") "\n" PART("text/plain", "cut"), "version: 1"},
        {"Content-Type: text/x-hpc-node\n\nversion: 1\n", "version: 1\n"},
        {HEAD "--==B==\nContent-Type: text/x-hpc-node\nContent-Transfer-Encoding: 8bit\n\nversion: "
              "1" END,
         "version: 1"},
        {HEAD "--==B==\nContent-Type: text/x-hpc-node\nContent-Transfer-Encoding: Base64\n\n"
              "dmVyc2lv\nbjogMQ==\n" END,
         "version: 1"},
        {HEAD "--==B==\nContent-Type: multipart/alternative; boundary=in\n\n"
              "--in\nContent-Type: text/x-hpc-node\n\nversion: 1\n--in--\n" END,
         "version: 1"},
        /* Unreadable parts that don't claim to be ours. */
        {HEAD "--==B==\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n?!" END,
         NULL},
        {HEAD "--==B==\nContent-Type: text/plain\nContent-Transfer-Encoding: "
              "quoted-printable\n\n=41" END,
         NULL},
        {HEAD PART("application/gzip", "\x1f\x8b\x08 damaged") END, NULL},
        /* They don't hide the document that follows them. */
        {HEAD PART("application/gzip", "\x1f\x8b\x08 damaged") "\n" PART("text/x-hpc-node", "a: 1")
                 END,
         "a: 1"},
        {HEAD "--==B==\n\n\x1f\x8b\x08 damaged\n" PART("text/plain", DOC) END, DOC},
        {HEAD "--==B==\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n?!\n" PART(
                 "text/x-hpc-node", "a: 1") END,
         "a: 1"},
        {HEAD "--==B==\nContent-Type: text/plain\nContent-Transfer-Encoding: x-own\n\nx\n" PART(
                 "text/x-hpc-node", "a: 1") END,
         "a: 1"},
        {HEAD PART("text/x-hpc-node", "a: 1") "\n" PART("application/gzip", "\x1f\x8b\x08 damaged")
                 END,
         "a: 1"},
};

static void test_finds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		struct blob found = {"untouched", 9};
		struct err e;

		print_message("[%zu] %s\n", i, rows[i].text);
		assert_ok(userdata_find(pack_text(rows[i].text), a, &found, &e));
		assert_int_equal(found.len, rows[i].found ? strlen(rows[i].found) : 0);
		if (rows[i].found)
			assert_memory_equal(found.data, rows[i].found, found.len);
	}
}

static struct blob with_crlf(struct arena *a, const char *text)
{
	struct strbuf out = STRBUF(a, 1 << 20);

	for (; *text; text++)
		strbuf_str(&out, *text == '\n' ? "\r\n" : (char[]){*text, '\0'});
	return (struct blob){out.data, out.len};
}

/* Every way to pack gives the same document: around the whole, and around the part. */
static void test_finds_it_packed(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob doc = pack_text(DOC), zipped = pack_gzip(a, doc);
	struct blob message = pack_text(HEAD PART("text/x-hpc-node", DOC) END);
	struct blob head = pack_text(HEAD "--==B==\nContent-Type: text/x-hpc-node\n"
	                                  "Content-Transfer-Encoding: base64\n\n");
	struct blob bare = pack_text(HEAD PART("text/x-hpc-node", ""));
	struct blob vague = pack_text(HEAD PART("application/octet-stream", "")),
	            end = pack_text(END);
	const struct blob packed[] = {
	        zipped,
	        pack_base64(a, doc),
	        pack_base64(a, zipped),
	        pack_gzip(a, pack_base64(a, doc)),
	        pack_gzip(a, zipped),
	        pack_gzip(a, message),
	        pack_base64(a, message),
	        pack_base64(a, pack_gzip(a, message)),
	        pack_join(a, (struct blob[]){head, pack_base64(a, zipped), end, {0}}),
	        pack_join(a, (struct blob[]){bare, zipped, end, {0}}),
	        pack_join(a, (struct blob[]){vague, zipped, end, {0}}),
	        pack_join(a, (struct blob[]){vague, pack_base64(a, zipped), end, {0}}),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(packed); i++) {
		struct blob found = {0};
		struct err e;

		print_message("[%zu]\n", i);
		assert_ok(userdata_find(packed[i], a, &found, &e));
		assert_int_equal(found.len, doc.len);
		assert_memory_equal(found.data, doc.data, doc.len);
	}
}

static void test_crlf(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob found;
	struct err e;

	(void)state;
	assert_ok(
	        userdata_find(with_crlf(a, HEAD SHELL PART("text/x-hpc-node", "a: 1\nb: 2\n") END),
	                      a, &found, &e));
	assert_int_equal(found.len, 12);
	assert_memory_equal(found.data, "a: 1\r\nb: 2\r\n", 12);
}

static const struct {
	const char *text, *message;
	enum reason reason;
} bad[] = {
        {HEAD PART("text/x-hpc-node", "a: 1") "\n" PART("text/x-hpc-node", "a: 2") END,
         "user-data:11:1: a second node document, expected one (first on line 7)...",
         REASON_INPUT_DUPLICATE},
        {HEAD PART("text/x-hpc-node", "a: 1") "\n" PART("text/plain", DOC) END,
         "user-data:11:1: a second node document...", REASON_INPUT_DUPLICATE},
        {HEAD PART("text/x-hpc-node", "") END,
         "user-data:7:1: the part of type text/x-hpc-node is empty, expected a node document",
         REASON_INPUT_REQUIRED},
        {HEAD PART("text/x-hpc-node", "a: 1\n"),
         "user-data:5:15: the text ends inside this part, expected its closing boundary",
         REASON_INPUT_SYNTAX},
        {HEAD PART("application/x-hpc-node", "a: 1") END,
         "user-data:5:15: a part of type 'application/x-hpc-node', expected 'text/x-hpc-node'",
         REASON_INPUT_UNSUPPORTED},
        {HEAD "--==B==\nContent-Type: text/x-hpc-node\n"
              "Content-Transfer-Encoding: quoted-printable\n\na: 1" END,
         "user-data:6:28: the encoding 'quoted-printable' is not supported, expected base64, 7bit, "
         "8bit or binary",
         REASON_INPUT_UNSUPPORTED},
        {HEAD "--==B==\nContent-Type: text/x-hpc-node\n"
              "Content-Transfer-Encoding: base64\n\na: 1" END,
         "user-data:6:28: the part is not base64, expected what its encoding says",
         REASON_INPUT_SYNTAX},
        {"Content-Type: multipart/mixed\n\n--x\n\n--x--\n",
         "user-data:1:15: a multipart without its boundary, expected one of 1 to 70 characters",
         REASON_INPUT_SYNTAX},
        {"\x1f\x8b\x08 and no more", "user-data:1:1: unpacking gzip: ...", REASON_INPUT_SYNTAX},
        {HEAD PART("text/x-hpc-node", "\x1f\x8b\x08 and no more") END,
         "user-data:7:1: unpacking gzip: ...", REASON_INPUT_SYNTAX},
};

static void refused(struct blob text, enum reason reason, const char *message)
{
	scope_arena struct arena *a = arena_new();
	struct blob found = {"untouched", 9};
	struct err e = {0};

	assert_true(userdata_find(text, a, &found, &e) < 0);
	assert_message(&e, message);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_string_equal(reason_row(e.reason)->name, reason_row(reason)->name);
	assert_string_equal(found.data, "untouched");
}

static void test_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("[%zu] %s\n", i, bad[i].text);
		refused(pack_text(bad[i].text), bad[i].reason, bad[i].message);
	}
}

static void test_bombs(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob zeros = {arena_alloc(a, 10 << 20), 10 << 20}, bomb = pack_gzip(a, zeros);
	struct blob head = pack_text(HEAD PART("text/x-hpc-node", "")), end = pack_text(END);
	struct blob nested = pack_text(DOC);
	struct strbuf parts = STRBUF(a, 1 << 20);

	(void)state;
	refused(bomb, REASON_INPUT_LIMIT,
	        "user-data:1:1: unpacking gzip: it holds more than 1048576 bytes");
	refused(pack_join(a, (struct blob[]){head, bomb, end, {0}}), REASON_INPUT_LIMIT,
	        "user-data:7:1: unpacking gzip: it holds more than 1048576 bytes");
	for (int i = 0; i < 20; i++)
		nested = pack_gzip(a, nested);
	refused(nested, REASON_INPUT_LIMIT,
	        "user-data (unpacked):1:1: layers of packing nested too deep, expected at most 16");
	strbuf_str(&parts, HEAD);
	for (int i = 0; i < 300; i++)
		strbuf_str(&parts, PART("x/y", "") "\n");
	refused((struct blob){parts.data, parts.len}, REASON_INPUT_LIMIT,
	        "user-data:1029:1: too many parts, expected at most 256");
	refused((struct blob){zeros.data, USERDATA_SIZE_MAX + 1}, REASON_INPUT_LIMIT,
	        "user-data:1:65537: the user data has 65537 bytes, expected at most 65536");
}

/* All layers share one allowance. */
static void test_layers_add_up(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob head = pack_text(HEAD "--==B==\nContent-Type: text/x-hpc-node\n"
	                                  "Content-Transfer-Encoding: base64\n\n");
	struct blob spaces = {memset(arena_alloc(a, 600 << 10), ' ', 600 << 10), 600 << 10};
	struct blob half = pack_base64(a, spaces), whole;

	(void)state;
	whole = pack_gzip(a, pack_join(a, (struct blob[]){head, half, pack_text(END), {0}}));
	refused(whole, REASON_INPUT_LIMIT,
	        "user-data (unpacked):6:28: the part unpacks to too much, expected at most 1048576 "
	        "bytes "
	        "in all");
}

/* Each message inside the one before it, with the same boundary: the ways to read it must not grow.
 */
static void test_messages_in_messages(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf text = STRBUF(a, 1 << 20);

	(void)state;
	for (int i = 0; i < 20; i++)
		strbuf_printf(&text, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i,
		              i);
	refused((struct blob){text.data, text.len}, REASON_INPUT_LIMIT,
	        "user-data:46:15: messages nested too deep, expected at most 16");
}

/* Each end of each range, in both byte orders. */
static void test_utf16_characters(void **state)
{
	static const struct {
		uint16_t units[2]; /* the second may be 0 */
		const char *utf8;
	} characters[] = {
	        {{0x7f}, "\x7f"},
	        {{0x80}, "\xc2\x80"},
	        {{0x7ff}, "\xdf\xbf"},
	        {{0x800}, "\xe0\xa0\x80"},
	        {{0xd7ff}, "\xed\x9f\xbf"},
	        {{0xe000}, "\xee\x80\x80"},
	        {{0xffff}, "\xef\xbf\xbf"},
	        {{0xd800, 0xdc00}, "\xf0\x90\x80\x80"},
	        {{0xd800, 0xdfff}, "\xf0\x90\x8f\xbf"},
	        {{0xdbff, 0xdc00}, "\xf4\x8f\xb0\x80"},
	        {{0xdbff, 0xdfff}, "\xf4\x8f\xbf\xbf"},
	        /* Halves of a pair. */
	        {{0xd800}, "\xef\xbf\xbd"},
	        {{0xdbff}, "\xef\xbf\xbd"},
	        {{0xdc00}, "\xef\xbf\xbd"},
	        {{0xdfff}, "\xef\xbf\xbd"},
	        {{0xd800, 0xd7ff}, "\xef\xbf\xbd\xed\x9f\xbf"},
	        {{0xd800, 0xe000}, "\xef\xbf\xbd\xee\x80\x80"},
	        {{0xd800, 0xd800}, "\xef\xbf\xbd\xef\xbf\xbd"},
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(characters); i++) {
		const uint16_t *units = characters[i / 2].units;
		unsigned char text[6] = {0xff, 0xfe};
		size_t n = 2;

		if (i % 2) {
			text[0] = 0xfe;
			text[1] = 0xff;
		}
		for (size_t k = 0; k < 2 && (!k || units[k]); k++) {
			text[n++] = (unsigned char)(i % 2 ? units[k] >> 8 : units[k]);
			text[n++] = (unsigned char)(i % 2 ? units[k] : units[k] >> 8);
		}
		assert_true(userdata_is_utf16((struct blob){(char *)text, n}));
		struct blob got = userdata_from_utf16((struct blob){(char *)text, n}, a);
		assert_int_equal(got.len, strlen(characters[i / 2].utf8));
		assert_memory_equal(got.data, characters[i / 2].utf8, got.len);
	}
	/* A byte that is left over is no character; one byte is no mark. */
	assert_int_equal(userdata_from_utf16((struct blob){"\xff\xfe"
	                                                   "a",
	                                                   3},
	                                     a)
	                         .len,
	                 0);
	assert_false(userdata_is_utf16((struct blob){"\xff", 1}));
	assert_false(userdata_is_utf16((struct blob){"\xff\xff", 2}));
}

static void test_utf16(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *found;
	} cases[] = {
	        {"\xff\xfe#\0h\0p\0c\0-\0n\0o\0d\0e\0\n\0a\0:\0 \0\xe9\0", 30,
	         "#hpc-node\na: \xc3\xa9"},
	        {"\xfe\xff\0#\0h\0p\0c\0-\0n\0o\0d\0e\0\n\x20\xac", 24, "#hpc-node\n\xe2\x82\xac"},
	        {"\xff\xfe#\0h\0p\0c\0-\0n\0o\0d\0e\0\n\0\x3d\xd8\x00\xde", 26,
	         "#hpc-node\n\xf0\x9f\x98\x80"},
	        {"\xff\xfe#\0h\0p\0c\0-\0n\0o\0d\0e\0\n\0\x3d\xd8", 24, "#hpc-node\n\xef\xbf\xbd"},
	        {"\xff\xfe#\0!\0", 6, ""},
	        {"\xff\xfe", 2, ""},
	        {"\xff", 1, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scope_arena struct arena *a = arena_new();
		struct blob found;
		struct err e;

		assert_ok(
		        userdata_find((struct blob){cases[i].bytes, cases[i].len}, a, &found, &e));
		assert_int_equal(found.len, strlen(cases[i].found));
		assert_memory_equal(found.len ? found.data : "", cases[i].found, found.len);
	}
}

static void test_describes(void **state)
{
	static const struct {
		const char *text, *what;
		bool near;
	} cases[] = {
	        {"", "empty", false},
	        {" \n\n", "empty", false},
	        {"#!/bin/sh\necho hpc-node\n", "a script", false},
	        {"#cloud-config\nwrite_files: [/etc/hpc-node/node.yaml]\n", "cloud-config", false},
	        {"## template: jinja\n#hpc-node\n", "a template", true},
	        {"## template: jinja\n#cloud-config\n", "a template", false},
	        {"Content-Type: multipart/mixed; boundary=hpc-node\n", "a MIME message", false},
	        {"#hpc_node\nconfig: x\n", "text whose first line", true},
	        {"\n #HPC-Node:\nconfig: x\n", "text whose first line", true},
	        {"cluster: x\n#hpc-node\n", "text whose first line", true},
	        {"---\n# hpc-node\nhead: x\n", "text whose first line", true},
	        {"#hpcnode\nhead: x\n", "text whose first line", true},
	        {"cluster: x\nhead: y\n", "text whose first line", true},
	        {"cluster: x\nahead: y\n", "text whose first line", false},
	        {"cluster: x\n  head: y\n", "text whose first line", false},
	        {"#cloud-config\nhpc-node:\n  head: x\n", "cloud-config", true},
	        {"I2hwYy1ub2RlCmhlYWQ6IHgK", "text whose first line", true},
	        {"I2hwYy1ub2RlCmhlYWQ6IHg", "text whose first line", false},
	        {"\xfd"
	         "7zXZ\n",
	         "text whose first line", true},
	        {"\x28\xb5\x2f\xfd\n", "text whose first line", true},
	        {"BZh91AY", "text whose first line", true},
	        {"PK\x03\x04", "text whose first line", true},
	        {"{\"a\": 1}", "JSON", false},
	        {"\x1f\x8b\x08", "compressed", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(str_starts(userdata_describe(pack_text(cases[i].text)), cases[i].what));
		assert_int_equal(userdata_near(pack_text(cases[i].text)) != NULL, cases[i].near);
	}
	assert_non_null(strstr(userdata_near((struct blob){"#\0h\0p\0c\0", 8}), "NUL bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_finds),
	        cmocka_unit_test(test_finds_it_packed),
	        cmocka_unit_test(test_crlf),
	        cmocka_unit_test(test_refuses),
	        cmocka_unit_test(test_bombs),
	        cmocka_unit_test(test_messages_in_messages),
	        cmocka_unit_test(test_layers_add_up),
	        cmocka_unit_test(test_utf16),
	        cmocka_unit_test(test_utf16_characters),
	        cmocka_unit_test(test_describes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
