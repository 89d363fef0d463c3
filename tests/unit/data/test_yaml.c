/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/yaml. */

#include "data/yaml.h"
#include "parse.h"

static const struct parse_good good[] = {
        {"", "null"},
        {"# only a comment\n", "null"},
        {"---\n...\n", "null"},
        {"a", "\"a\""},
        {"a: b\n", "{\"a\":\"b\"}"},
        {"\xEF\xBB\xBF"
         "a: b\n",
         "{\"a\":\"b\"}"},
        {"#hpc-node\r\nversion: 1\r\nrole: compute\r\n", "{\"version\":1,\"role\":\"compute\"}"},
        {"%YAML 1.1\n---\na: b\n", "{\"a\":\"b\"}"},
        {"a:\nb: ~\nc: null\nd: NULL\ne: ''\nf: \"null\"\n",
         "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":\"\",\"f\":\"null\"}"},
        {"a: no\nb: 0755\nc: 1.10\nd: 1e3\ne: '5'\nf: true\ng: 18446744073709551615\n",
         "{\"a\":\"no\",\"b\":\"0755\",\"c\":1.10,\"d\":1e3,\"e\":\"5\",\"f\":true,"
         "\"g\":18446744073709551615}"},
        {"b: 1\na: 2\n", "{\"b\":1,\"a\":2}"},
        {"- a\n- - b\n  - c\n- d: e\n  f: g\n", "[\"a\",[\"b\",\"c\"],{\"d\":\"e\",\"f\":\"g\"}]"},
        {"a: [b, {c: d}]\n", "{\"a\":[\"b\",{\"c\":\"d\"}]}"},
        {"a: |\n  x\n  y\nb: >\n  x\n  y\n", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\"}"},
        {"'<<': a\n", "{\"<<\":\"a\"}"},
        {"~: a\nnull: b\n", "{\"~\":\"a\",\"null\":\"b\"}"},
        {"a: caf\xC3\xA9\n", "{\"a\":\"caf\xC3\xA9\"}"},
        {"s3://b/k: s3://b/k\n", "{\"s3://b/k\":\"s3://b/k\"}"},
};

static const struct parse_bad bad[] = {
        {"a: &x 1\n", 0, REASON_INPUT_UNSUPPORTED,
         "f:1:4: the anchor '&x' is not supported, expected a plain value"},
        {"a: &x [1]\n", 0, REASON_INPUT_UNSUPPORTED, "f:1:4: the anchor '&x'..."},
        {"a: &x {b: 1}\n", 0, REASON_INPUT_UNSUPPORTED, "f:1:4: the anchor '&x'..."},
        {"a: *x\n", 0, REASON_INPUT_UNSUPPORTED,
         "f:1:4: the alias '*x' is not supported, expected the value itself"},
        {"a: !!str 1\n", 0, REASON_INPUT_UNSUPPORTED,
         "f:1:4: the tag 'tag:yaml.org,2002:str' is not supported, expected a plain value"},
        {"a: ! 1\n", 0, REASON_INPUT_UNSUPPORTED, "f:1:4: the tag '!'..."},
        {"a: !Ref b\n", 0, REASON_INPUT_UNSUPPORTED, "f:1:4: the tag '!Ref'..."},
        {"a: !x [b]\n", 0, REASON_INPUT_UNSUPPORTED, "f:1:4: the tag '!x'..."},
        {"%TAG !e! tag:e,2000:\n---\na: b\n", 0, REASON_INPUT_UNSUPPORTED,
         "f:1:1: the directive %TAG is not supported, expected a plain document"},
        {"a:\n  <<: {b: c}\n", 0, REASON_INPUT_UNSUPPORTED,
         "f:2:3: the merge key '<<' is not supported, expected the keys themselves"},
        {"a: b\n---\nc: d\n", 0, REASON_INPUT_UNSUPPORTED,
         "f:2:1: a second document starts here, expected one"},
        {"---\n---\n", 0, REASON_INPUT_UNSUPPORTED, "f:2:1: a second document..."},
        {"a: 1\nb: 2\na: 3\n", 0, REASON_INPUT_DUPLICATE,
         "f:3:1: duplicate key 'a', expected it once (first on line 1)"},
        {"x:\n  b: 1\n  'b': 2\n", 0, REASON_INPUT_DUPLICATE, "f:3:3: duplicate key 'b'..."},
        {"[a, b]: c\n", 0, REASON_INPUT_SYNTAX, "f:1:1: a list as a key, expected plain text"},
        {"{: a}\n", 0, REASON_INPUT_SYNTAX, "f:1:2: ':' cannot stand here, expected a value"},
        {"?\n: a\n", 0, REASON_INPUT_SYNTAX, "f:1:2: nothing stands before ':', expected a key"},
        {"a: |x\n", 0, REASON_INPUT_SYNTAX,
         "f:1:5: 'x' after '|' or '>', expected the end of the line"},
        {"a: >0\n", 0, REASON_INPUT_SYNTAX,
         "f:1:5: the indentation 0 after '|' or '>', expected 1 to 9"},
        {"a: |\n\tb\n", 0, REASON_INPUT_SYNTAX, "f:2:1: a tab in the indentation, expected spaces"},
        {"a: \"\\x4\"\n", 0, REASON_INPUT_SYNTAX,
         "f:1:7: an escape without its hexadecimal digits in a \"string\", expected \\xNN or "
         "\\uNNNN"},
        {"a: \"b\n---\n\"", 0, REASON_INPUT_SYNTAX,
         "f:1:4: a quote is not closed, expected its end"},
        {"a: [b}\n", 0, REASON_INPUT_SYNTAX, "f:1:6: '}' inside '[', expected ',' or ']'"},
        {"[a]]\n", 0, REASON_INPUT_SYNTAX,
         "f:1:4: ']' after the end of the document, expected nothing more"},
        {"a: \"b\" caf\xC3\xA9\x7F x\n", 0, REASON_INPUT_SYNTAX,
         "f:1:12: a control character, expected text"},
        {"a: \"b\" caf\xC3\xA9\xE2\x80\xAE x\n", 0, REASON_INPUT_SYNTAX,
         "f:1:8: 'caf\xC3\xA9\\xe2\\x80\\xae' cannot stand here, expected the next key on its own "
         "line, "
         "in the column of the others"},
        {"a: &\n", 0, REASON_INPUT_SYNTAX,
         "f:1:4: the end of the line after '&' or '*', expected quotes around the value"},
        {"a: & b\n", 0, REASON_INPUT_SYNTAX,
         "f:1:4: a space after '&' or '*', expected quotes around the value"},
        {"a: !x!y z\n", 0, REASON_INPUT_SYNTAX,
         "f:1:4: a tag is not supported, expected a plain value"},
        {"a: ]\n", 0, REASON_INPUT_SYNTAX, "f:1:4: ']' cannot stand here, expected a value"},
        {"%YAML 2.0\n---\na\n", 0, REASON_INPUT_SYNTAX,
         "f:1:1: an unknown version of YAML, expected 1.1 or 1.2"},
        {"%FOO a\n---\na\n", 0, REASON_INPUT_SYNTAX,
         "f:1:1: an unknown directive, expected a plain document"},
        {"%YAML 1\n---\na\n", 0, REASON_INPUT_SYNTAX, "f:1:8: did not find expected digit..."},
        {"\xEF\xBB\xBF"
         "a: \xFF\n",
         0, REASON_INPUT_SYNTAX, "f:1:4: byte 0xFF..."},
        {"\xEF\xBB\xBF"
         "a: @\n",
         0, REASON_INPUT_SYNTAX, "f:1:4: '@' cannot start a value..."},
        {"? {a: b}\n: c\n", 0, REASON_INPUT_SYNTAX, "f:1:3: a map as a key, expected plain text"},
        {": a\n", 0, REASON_INPUT_SYNTAX,
         "f:1:1: ':' cannot stand here, expected the next key on its own line, in the column of "
         "the others"},
        {"a: b\0c\n", 7, REASON_INPUT_SYNTAX, "f:1:5: a NUL byte, expected text"},
        {"a: \"b\\0c\"\n", 0, REASON_INPUT_SYNTAX,
         "f:1:4: the escape of a NUL character in a string, expected text"},
        {"a: b\nc: \xC3\xA9\xFF\n", 0, REASON_INPUT_SYNTAX,
         "f:2:5: byte 0xFF is not valid UTF-8, expected text"},
        {"\xFF\xFE"
         "a",
         0, REASON_INPUT_SYNTAX, "f:1:1: byte 0xFF is not valid UTF-8..."},
        {"a: \xED\xA0\x80", 0, REASON_INPUT_SYNTAX, "f:1:4: byte 0xED is not valid UTF-8..."},
        {"a:\r\n  \x01", 0, REASON_INPUT_SYNTAX, "f:2:3: a control character, expected text"},
        {"a:\n\tb: c\n", 0, REASON_INPUT_SYNTAX,
         "f:2:1: a tab cannot start a value, expected quotes around it"},
        {"a: @b\n", 0, REASON_INPUT_SYNTAX,
         "f:1:4: '@b' cannot start a value, expected quotes around it"},
        {"a: b\nc\nd: e\n", 0, REASON_INPUT_SYNTAX,
         "f:2:1: a line without ':', expected 'key: value'"},
        {"a: b: c\n", 0, REASON_INPUT_SYNTAX, "f:1:5: ': ' cannot stand here..."},
        {"a: [b, c\n", 0, REASON_INPUT_SYNTAX, "f:2:1: ..."},
        {"a: {b: c\n", 0, REASON_INPUT_SYNTAX, "f:2:1: ..."},
        {"a: 'b\n", 0, REASON_INPUT_SYNTAX, "f:1:4: a quote is not closed, expected its end"},
        {"a: \"b\\q\"\n", 0, REASON_INPUT_SYNTAX, "f:1:6: an unknown escape..."},
        {"a: \"\\uD800\"\n", 0, REASON_INPUT_SYNTAX, "f:1:..."},
        {"- a\nb: c\n", 0, REASON_INPUT_SYNTAX,
         "f:2:1: 'b:' cannot stand here, expected the next '- ' on its own line..."},
        {"a: b\n c: d\n", 0, REASON_INPUT_SYNTAX, "f:2:3: ': ' cannot stand here..."},
        {"  a: b\n c: d\n", 0, REASON_INPUT_SYNTAX, "f:2:2: ..."},
        {"a: - b\n", 0, REASON_INPUT_SYNTAX, "f:1:4: '- ' cannot stand here..."},
        {"a: ? b\n", 0, REASON_INPUT_SYNTAX, "f:1:4: '? ' cannot stand here..."},
};

static void test_accepts(void **state)
{
	(void)state;
	parse_good(yaml_parse, good, ARRAY_LEN(good));
}

static void test_refuses(void **state)
{
	(void)state;
	parse_bad(yaml_parse, bad, ARRAY_LEN(bad));
}

static void test_places(void **state)
{
	static const char text[] = "#hpc-node\n"
	                           "a:\n"
	                           "  - caf\xC3\xA9\n"
	                           "  - {b: \"c\", d: e}\n";
	static const struct {
		size_t item;
		const char *key;
		unsigned line, col;
	} rows[] = {{0, NULL, 3, 5}, {1, NULL, 4, 5}, {1, "b", 4, 9}, {1, "d", 4, 17}};
	scope_arena struct arena *a = arena_new();
	struct doc *d, *list;
	struct err e;

	(void)state;
	assert_ok(yaml_parse("f", (struct blob){text, sizeof text - 1}, a, &d, &e));
	assert_int_equal(d->line, 2);
	assert_int_equal(d->col, 1);
	list = doc_get(d, "a");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct doc *node = list->items[rows[i].item];

		if (rows[i].key)
			node = doc_get(node, rows[i].key);
		assert_int_equal(node->line, rows[i].line);
		assert_int_equal(node->col, rows[i].col);
		assert_string_equal(node->file, "f");
	}
	assert_true(doc_get(list->items[1], "b")->quoted);
	assert_false(doc_get(list->items[1], "d")->quoted);
}

static void refused(struct blob text, enum reason reason, const char *message)
{
	parse_bad(yaml_parse, &(struct parse_bad){text.data, text.len, reason, message}, 1);
}

static void test_ceilings(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob text;
	struct doc *d;
	struct err e;

	(void)state;
	text = parse_repeat(a, "[", 80000);
	refused(text, REASON_INPUT_LIMIT,
	        "f:1:33: maps and lists nested too deep, expected at most 32");
	text = parse_repeat(a, "- ", 80000);
	refused(text, REASON_INPUT_LIMIT, "f:1:65: maps and lists nested too deep...");
	text = parse_repeat(a, "{a: ", 80000);
	refused(text, REASON_INPUT_LIMIT, "f:1:129: maps and lists nested too deep...");
	text = parse_repeat(a, "? ", 80000);
	refused(text, REASON_INPUT_SYNTAX, "f:1:3: a map as a key...");
	text = parse_repeat(a, "#23456789\n", 10 * 1024 * 1024 / 10);
	refused(text, REASON_INPUT_LIMIT,
	        "f:104858:7: the text has 10485760 bytes, expected at most 1048576");
	text = parse_repeat(a, "- a\n", 200000);
	refused(text, REASON_INPUT_LIMIT,
	        "f:200000:3: too many keys and values, expected at most 200000");
	/* A file's content is one value, so one may be as long as the whole. */
	text = parse_repeat(a, "0123456789abcdef", 65536);
	assert_ok(yaml_parse("f", text, a, &d, &e));
}

static void test_depth_limit_is_reachable(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob open = parse_repeat(a, "[", 32), close = parse_repeat(a, "]", 32);
	struct strbuf text = STRBUF(a, 100);
	struct doc *d;
	struct err e;

	(void)state;
	strbuf_add(&text, open.data, open.len);
	strbuf_add(&text, close.data, close.len);
	assert_ok(yaml_parse("f", (struct blob){text.data, text.len}, a, &d, &e));
}

static void test_alias_bomb(void **state)
{
	static const char bomb[] = "a: &a [x,x,x,x,x,x,x,x,x]\n"
	                           "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
	                           "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n";

	(void)state;
	refused((struct blob){bomb, sizeof bomb - 1}, REASON_INPUT_UNSUPPORTED,
	        "f:1:4: the anchor '&a'...");
	refused((struct blob){"a: [*a]", 7}, REASON_INPUT_UNSUPPORTED, "f:1:5: the alias '*a'...");
}

/* The duplicate check of a big map must not be quadratic: 20,000 keys, the last one repeated. */
static void test_big_map(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf text = STRBUF(a, YAML_SIZE_MAX);
	struct doc *d;
	struct err e;

	(void)state;
	for (int i = 0; i < 20000; i++)
		strbuf_printf(&text, "key-number-%d: value of the key %d\n", i, i);
	assert_ok(yaml_parse("f", (struct blob){text.data, text.len}, a, &d, &e));
	assert_int_equal(d->n, 20000);
	assert_string_equal(d->keys[19999]->text, "key-number-19999");
	strbuf_str(&text, "key-number-7: again\nkey-number-3: again\n");
	refused((struct blob){text.data, text.len}, REASON_INPUT_DUPLICATE,
	        "f:20001:1: duplicate key 'key-number-7', expected it once (first on line 8)");
}

/* ---- documents of other programs ---- */

static const struct parse_good foreign_good[] = {
        {"a: &x {b: 1}\nc: *x\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
        {"a: &x one\nb: [*x, *x]\n", "{\"a\":\"one\",\"b\":[\"one\",\"one\"]}"},
        {"- &x a\n- &x b\n- *x\n", "[\"a\",\"b\",\"b\"]"},
        {"a: &x k\n*x : v\n", "{\"a\":\"k\",\"k\":\"v\"}"},
        {"a: &x\nb: *x\n", "{\"a\":null,\"b\":null}"},
        {"d: &d {p: 1, q: 2}\ne: {<<: *d, q: 3}\n",
         "{\"d\":{\"p\":1,\"q\":2},\"e\":{\"q\":3,\"p\":1}}"},
        {"- &d {p: 1}\n- &e {p: 2, q: 3}\n- {<<: [*d, *e], r: 4}\n",
         "[{\"p\":1},{\"p\":2,\"q\":3},{\"r\":4,\"p\":1,\"q\":3}]"},
        {"a: {<<: {b: 1}}\n", "{\"a\":{\"b\":1}}"},
        {"a: {<<: []}\n", "{\"a\":{}}"},
        {"a: {'<<': 1}\n", "{\"a\":{\"<<\":1}}"},
        {"a: !!str 1\nb: !!str\nc: ! 2\n", "{\"a\":\"1\",\"b\":\"\",\"c\":\"2\"}"},
        {"a: !!int 1\nb: !!bool true\nc: !!map {d: !!seq [!!float 1.5]}\ne: !!null\n",
         "{\"a\":1,\"b\":true,\"c\":{\"d\":[1.5]},\"e\":null}"},
};

static const struct parse_bad foreign_bad[] = {
        {"a: *x\n", 0, REASON_INPUT_SYNTAX,
         "f:1:4: the alias '*x' names nothing, expected '&x' before it"},
        {"a: *x\nb: &x 1\n", 0, REASON_INPUT_SYNTAX, "f:1:4: the alias '*x' names nothing..."},
        {"a: &x [1, *x]\n", 0, REASON_INPUT_SYNTAX,
         "f:1:11: the alias '*x' stands inside the value it names, expected it behind that"},
        {"a: &x {b: {c: *x}}\n", 0, REASON_INPUT_SYNTAX, "f:1:15: the alias '*x' stands inside..."},
        {"a: {<<: 1}\n", 0, REASON_INPUT_TYPE,
         "f:1:9: '<<': expected a map or a list of maps, found a string"},
        {"a: {<<: [{b: 1}, c]}\n", 0, REASON_INPUT_TYPE, "f:1:18: '<<': expected a map..."},
        {"a: {<<: {b: 1}, <<: {c: 1}}\n", 0, REASON_INPUT_DUPLICATE,
         "f:1:17: duplicate key '<<'..."},
        {"a: !Ref b\n", 0, REASON_INPUT_UNSUPPORTED,
         "f:1:4: the tag '!Ref' is not supported, expected a plain value"},
        {"a: !!binary b\n", 0, REASON_INPUT_UNSUPPORTED, "f:1:4: the tag 'tag:yaml.org..."},
        {"a: 1\na: 2\n", 0, REASON_INPUT_DUPLICATE, "f:2:1: duplicate key 'a'..."},
        {"a: &x [1]\n*x : 1\n", 0, REASON_INPUT_SYNTAX,
         "f:1:4: a list as a key, expected plain text"},
};

static void test_foreign_accepts(void **state)
{
	(void)state;
	parse_good(yaml_parse_foreign, foreign_good, ARRAY_LEN(foreign_good));
	parse_good(yaml_parse_foreign, good, ARRAY_LEN(good));
}

static void test_foreign_refuses(void **state)
{
	(void)state;
	parse_bad(yaml_parse_foreign, foreign_bad, ARRAY_LEN(foreign_bad));
}

static void foreign_refused(struct blob text, const char *message)
{
	parse_bad(yaml_parse_foreign,
	          &(struct parse_bad){text.data, text.len, REASON_INPUT_LIMIT, message}, 1);
}

/* `n` levels, each ten times the one before it. */
static struct blob bomb(struct arena *a, int n)
{
	struct strbuf text = STRBUF(a, 4096);

	strbuf_str(&text, "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i <= n; i++) {
		strbuf_printf(&text, "l%d: &l%d [", i, i);
		for (int k = 0; k < 10; k++)
			strbuf_printf(&text, "*l%d%s", i - 1, k < 9 ? ", " : "]\n");
	}
	return (struct blob){text.data, text.len};
}

static void test_foreign_ceilings(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf deep = STRBUF(a, 4096), anchors = STRBUF(a, 65536), merge = STRBUF(a, 65536);
	struct doc *d;
	struct err e;

	(void)state;
	assert_ok(yaml_parse_foreign("f", bomb(a, 4), a, &d, &e));
	foreign_refused(bomb(a, 5), "f:6:10: too many keys and values, expected at most 200000");
	foreign_refused(bomb(a, 20), "f:6:10: too many keys and values...");
	strbuf_str(&deep, "d0: &d0 [x]\n");
	for (int i = 1; i < 31; i++)
		strbuf_printf(&deep, "d%d: &d%d [*d%d]\n", i, i, i - 1);
	assert_ok(yaml_parse_foreign("f", (struct blob){deep.data, deep.len}, a, &d, &e));
	strbuf_str(&deep, "e: [*d30]\n");
	foreign_refused((struct blob){deep.data, deep.len},
	                "f:32:5: maps and lists nested too deep, expected at most 32");
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&anchors, "- &a%d x\n", i);
	assert_ok(yaml_parse_foreign("f", (struct blob){anchors.data, anchors.len}, a, &d, &e));
	strbuf_str(&anchors, "- &b x\n");
	foreign_refused((struct blob){anchors.data, anchors.len},
	                "f:1001:3: too many anchors, expected at most 1000");
	strbuf_str(&merge, "<<: {");
	for (int i = 0; i < 1001; i++)
		strbuf_printf(&merge, "k%d: v, ", i);
	strbuf_str(&merge, "}\n");
	foreign_refused((struct blob){merge.data, merge.len},
	                "f:1:5: '<<': too many keys, expected at most 1000");
}

static void test_foreign_is_marked(void **state)
{
	static const char text[] = "a: &x {b: [c]}\nd: *x\n";
	scope_arena struct arena *a = arena_new();
	struct doc *d, *own;
	struct err e;

	(void)state;
	assert_ok(yaml_parse_foreign("f", (struct blob){text, sizeof text - 1}, a, &d, &e));
	assert_true(d->foreign && d->keys[0]->foreign);
	assert_true(doc_find(d, "d.b")->items[0]->foreign);
	assert_ptr_equal(doc_find(d, "a.b"), doc_find(d, "d.b"));
	assert_int_equal(doc_find(d, "d.b")->line, 1);
	assert_true(doc_new_text(a, doc_get(d, "a"), "made of it")->foreign);
	assert_ok(yaml_parse("f", (struct blob){"a: b", 4}, a, &own, &e));
	assert_false(own->foreign || own->keys[0]->foreign || own->items[0]->foreign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_accepts),
	        cmocka_unit_test(test_refuses),
	        cmocka_unit_test(test_places),
	        cmocka_unit_test(test_ceilings),
	        cmocka_unit_test(test_alias_bomb),
	        cmocka_unit_test(test_depth_limit_is_reachable),
	        cmocka_unit_test(test_big_map),
	        cmocka_unit_test(test_foreign_accepts),
	        cmocka_unit_test(test_foreign_refuses),
	        cmocka_unit_test(test_foreign_ceilings),
	        cmocka_unit_test(test_foreign_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
