/* SPDX-License-Identifier: Apache-2.0 */
/* Parcels: what is sent arrives, and what is cut short is refused. */
#include "scratch.h"

#include "data/yaml.h"
#include "sandbox/parcel.h"

struct thing {
	uint64_t number;
	size_t size;
	bool yes, no;
	const char *text, *empty, *none;
	struct field_strings texts, no_texts;
	const char *const *list, *const *no_list, *const *empty_list;
	struct vars vars;
	const struct doc *doc, *no_doc;
};

static void thing_parcel(struct parcel *p, struct thing *t)
{
	parcel_u64(p, &t->number);
	parcel_size(p, &t->size);
	parcel_bool(p, &t->yes);
	parcel_bool(p, &t->no);
	parcel_text(p, &t->text);
	parcel_text(p, &t->empty);
	parcel_text(p, &t->none);
	parcel_texts(p, &t->texts);
	parcel_texts(p, &t->no_texts);
	parcel_list(p, &t->list);
	parcel_list(p, &t->no_list);
	parcel_list(p, &t->empty_list);
	parcel_vars(p, &t->vars);
	parcel_doc(p, &t->doc);
	parcel_doc(p, &t->no_doc);
}

static const char text[] = "a: [1, {b: 'two'}, null]\nlong:\n  - {c: d}\n";

static struct blob sent(void)
{
	static const char *items[] = {"one", NULL, "three"};
	static const char *const list[] = {"x", "y", NULL}, *const empty_list[] = {NULL};
	struct doc *d;
	struct parcel p;
	struct thing t = {.number = UINT64_MAX,
	                  .size = 7,
	                  .yes = true,
	                  .text = "t\nu",
	                  .empty = "",
	                  .texts = {3, items},
	                  .list = list,
	                  .empty_list = empty_list,
	                  .vars = {.arena = arena}};

	assert_ok(yaml_parse("f.yaml", (struct blob){text, sizeof text - 1}, arena, &d, &e));
	t.doc = d;
	vars_set(&t.vars, "name", "value", "where");
	parcel_begin(&p, arena);
	thing_parcel(&p, &t);
	assert_false(p.broken);
	return (struct blob){p.out.data, p.out.len};
}

static void all_arrives(void **state)
{
	struct thing t;
	struct parcel p;

	(void)state;
	memset(&t, 1, sizeof t);
	parcel_open(&p, sent(), arena);
	t.text = t.empty = t.none = NULL;
	thing_parcel(&p, &t);
	assert_false(p.broken);
	assert_int_equal(p.in.len, 0);
	assert_true(t.number == UINT64_MAX);
	assert_int_equal(t.size, 7);
	assert_true(t.yes);
	assert_false(t.no);
	assert_string_equal(t.text, "t\nu");
	assert_string_equal(t.empty, "");
	assert_null(t.none);
	assert_int_equal(t.texts.n, 3);
	assert_string_equal(t.texts.items[0], "one");
	assert_null(t.texts.items[1]);
	assert_string_equal(t.texts.items[2], "three");
	assert_int_equal(t.no_texts.n, 0);
	assert_string_equal(t.list[0], "x");
	assert_string_equal(t.list[1], "y");
	assert_null(t.list[2]);
	assert_null(t.no_list);
	assert_non_null(t.empty_list);
	assert_null(t.empty_list[0]);
	assert_ptr_equal(t.vars.arena, arena);
	assert_string_equal(vars_get(&t.vars, "name"), "value");
	assert_string_equal(t.vars.items[0].source, "where");
	assert_null(t.no_doc);
}

/* Places, quotes and types too: messages and scalars depend on them. */
static void a_document_is_the_same(void **state)
{
	struct thing t = {0};
	struct strbuf was = STRBUF(arena, 4096), is = STRBUF(arena, 4096);
	struct doc *d;
	struct parcel p;

	(void)state;
	parcel_open(&p, sent(), arena);
	thing_parcel(&p, &t);
	assert_ok(yaml_parse("f.yaml", (struct blob){text, sizeof text - 1}, arena, &d, &e));
	doc_json(d, &was);
	doc_json(t.doc, &is);
	assert_string_equal(is.data, was.data);
	const struct doc *two = doc_get(doc_get(t.doc, "a")->items[1], "b");
	const struct doc *same = doc_get(doc_get(d, "a")->items[1], "b");
	assert_true(two->quoted);
	assert_false(doc_get(t.doc, "a")->items[0]->quoted);
	assert_int_equal(two->line, same->line);
	assert_int_equal(two->col, same->col);
	assert_string_equal(two->file, "f.yaml");
	assert_int_equal(doc_get(t.doc, "a")->items[2]->type, DOC_NULL);
	assert_int_equal(t.doc->keys[1]->line, 2);
	assert_err(doc_err(two, &e, REASON_INPUT_RANGE, "no"), ERR_INPUT, "f.yaml:1:12: no");
}

/* At every length: broken, and nothing that was not sent is read. */
static void one_cut_short_is_broken(void **state)
{
	struct blob whole = sent();

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		scope_arena struct arena *own = arena_new();
		char *part = malloc(len ? len : 1);
		struct thing t = {0};
		struct parcel p;

		memcpy(part, whole.data, len);
		parcel_open(&p, (struct blob){part, len}, own);
		thing_parcel(&p, &t);
		assert_true(p.broken);
		free(part);
	}
}

/* Whatever was there before: zero, false or nothing. */
static void what_did_not_arrive_is_nothing(void **state)
{
	for (size_t len = 0; len <= 8; len++) {
		uint64_t v = 7;
		size_t size = 8;
		bool on = true;
		const char *words = "before";
		struct parcel p;

		parcel_open(&p, (struct blob){"\5\0\0\0\0\0\0\0", len}, arena);
		parcel_u64(&p, &v);
		assert_int_equal(v, len == 8 ? 5 : 0);
		assert_int_equal(p.broken, len < 8);
		parcel_size(&p, &size);
		assert_int_equal(size, 0);
		parcel_bool(&p, &on);
		assert_false(on);
		parcel_text(&p, &words);
		assert_null(words);
		assert_true(p.broken);
	}
	(void)state;
}

/* A length that lies takes no memory. */
static void a_count_beyond_the_end_is_broken(void **state)
{
	uint64_t n = 1ULL << 40;
	struct field_strings l = {0};
	const char *s = NULL;
	char bytes[17] = {1};
	struct parcel p;

	(void)state;
	parcel_open(&p, (struct blob){(const char *)&n, sizeof n}, arena);
	parcel_texts(&p, &l);
	assert_true(p.broken);
	assert_int_equal(l.n, 0);
	n = 2;
	memcpy(bytes + 8, &n, sizeof n);
	parcel_open(&p, (struct blob){bytes, sizeof bytes}, arena);
	parcel_text(&p, &s);
	assert_true(p.broken);
	assert_string_equal(s, "");
	n = 1;
	memcpy(bytes + 8, &n, sizeof n);
	bytes[16] = 'x';
	parcel_open(&p, (struct blob){bytes, sizeof bytes}, arena);
	parcel_text(&p, &s);
	assert_false(p.broken);
	assert_string_equal(s, "x");
}

static void one_that_is_too_large_is_not_sent(void **state)
{
	char *large = calloc(1, PARCEL_MAX + 1);
	const char *s = large;
	struct parcel p;

	(void)state;
	assert_non_null(large);
	memset(large, 'x', PARCEL_MAX);
	parcel_begin(&p, arena);
	parcel_text(&p, &s);
	assert_true(p.broken);
	free(large);
}

/* As large as one may be, to the byte or so that ends it. */
static void one_that_just_fits_is_sent(void **state)
{
	const size_t head = 2 * sizeof(uint64_t); /* that it is there, and its length */
	char *large = calloc(1, PARCEL_MAX + 2);
	const char *s = large;
	struct parcel p;

	(void)state;
	assert_non_null(large);
	memset(large, 'x', PARCEL_MAX - head + 1);
	parcel_begin(&p, arena);
	parcel_text(&p, &s);
	assert_true(p.broken);
	large[PARCEL_MAX - head - 1] = '\0';
	parcel_begin(&p, arena);
	parcel_text(&p, &s);
	assert_false(p.broken);
	assert_int_equal(p.out.len, PARCEL_MAX - 1);
	free(large);
}

static const struct doc *nested(int levels)
{
	const struct doc at = {.file = "f.yaml", .line = 1, .col = 1};
	struct doc *d = doc_new_list(arena, &at);

	for (int i = 1; i < levels; i++) {
		struct doc *above = doc_new_list(arena, &at);

		doc_push(arena, above, d);
		d = above;
	}
	return d;
}

static void a_document_has_so_many_levels(void **state)
{
	const struct doc *d = nested(256), *again = NULL;
	struct parcel p, q;
	int levels = 0;

	(void)state;
	parcel_begin(&p, arena);
	parcel_doc(&p, &d);
	assert_false(p.broken);
	parcel_open(&q, (struct blob){p.out.data, p.out.len}, arena);
	parcel_doc(&q, &again);
	assert_false(q.broken);
	for (; again; again = again->n ? again->items[0] : NULL)
		levels++;
	assert_int_equal(levels, 256);
	d = nested(257);
	parcel_begin(&p, arena);
	parcel_doc(&p, &d);
	assert_true(p.broken);
}

/* Of another program's text the marks go with it; a type that doesn't exist is none. */
static void marks_of_a_document_arrive(void **state)
{
	const struct doc *d, *again = NULL;
	struct doc *read;
	struct parcel p, q;

	(void)state;
	assert_ok(yaml_parse_foreign("g.yaml", (struct blob){"[yes]", 5}, arena, &read, &e));
	d = read;
	parcel_begin(&p, arena);
	parcel_doc(&p, &d);
	parcel_open(&q, (struct blob){p.out.data, p.out.len}, arena);
	parcel_doc(&q, &again);
	assert_true(again->foreign && again->items[0]->foreign);
	assert_string_equal(again->items[0]->file, "g.yaml");
	assert_ptr_equal(again->items[0]->file, again->file);
	for (uint64_t type = DOC_MAP; type <= DOC_MAP + 1; type++) {
		memcpy(p.out.data + sizeof type, &type, sizeof type);
		parcel_open(&q, (struct blob){p.out.data, p.out.len}, arena);
		parcel_doc(&q, &again);
		assert_int_equal(again->type, type == DOC_MAP ? DOC_MAP : DOC_NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(all_arrives, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_document_is_the_same, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(what_did_not_arrive_is_nothing, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(one_cut_short_is_broken, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_count_beyond_the_end_is_broken, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(one_that_is_too_large_is_not_sent, set_up,
	                                        tear_down),
	        SCRATCH_TEST(one_that_just_fits_is_sent),
	        SCRATCH_TEST(a_document_has_so_many_levels),
	        SCRATCH_TEST(marks_of_a_document_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
