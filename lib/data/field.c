/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes documents into structs by tables of fields. */
#include "data/field.h"

#include <errno.h>

#include "data/scalar.h"

#define EXPECTED_MAX 300 /* bytes of "one of a, b, ..." in a message */
#define FOUND_MAX    64  /* bytes of the reader's own text in a message */

/* One pending assignment: all are done together, after the last check. */
struct write {
	void *to;
	size_t size;
	_Alignas(max_align_t) char value[sizeof(struct field_strings)];
};

struct decode {
	const struct vars *vars;
	struct arena *arena;
	struct faults *faults; /* NULL: stop at the first fault */
	struct err *err;
	struct write *writes;
	size_t n;
};

typedef int read_fn(struct decode *c, const struct field *row, const struct doc *value, void *to);
static int decode_map(struct decode *c, const struct doc *map, const struct field *fields,
                      void *out);

/* Whether to continue after a failure, which *failed then keeps. */
static bool go_on(struct decode *c, int r, int *failed)
{
	if (r >= 0)
		return true;
	*failed = r;
	return faults_add(c->faults, c->err);
}

static void put(struct decode *c, void *to, const void *value, size_t size)
{
	c->writes = arena_grow(c->arena, c->writes, &c->n, sizeof *c->writes);
	c->writes[c->n - 1].to = to;
	c->writes[c->n - 1].size = size;
	memcpy(c->writes[c->n - 1].value, value, size);
}

static int refuse(struct decode *c, const struct field *row, const struct doc *value,
                  const char *expected, const char *found, enum reason reason)
{
	if (!row->name)
		return doc_err(value, c->err, reason, "expected %s, found %s", expected, found);
	return doc_err(value, c->err, reason, "'%s': expected %s, found %s", row->name, expected,
	               found);
}

static int wrong_shape(struct decode *c, const struct field *row, const struct doc *value,
                       const char *expected)
{
	static const char *const shapes[] = {
	        [DOC_NULL] = "nothing",
	        [DOC_SCALAR] = "a string",
	        [DOC_LIST] = "a list",
	        [DOC_MAP] = "a map",
	};
	struct strbuf text = STRBUF(c->arena, EXPECTED_MAX);

	if (!expected) {
		field_expected(row, &text);
		expected = text.data;
	}
	return refuse(c, row, value, expected, shapes[value->type], REASON_INPUT_TYPE);
}

/* A scalar that its parser rejected; `r` is the parser's result. */
static int wrong_text(struct decode *c, const struct field *row, const struct doc *value, int r)
{
	struct strbuf expected = STRBUF(c->arena, EXPECTED_MAX);
	char text[FOUND_MAX + 1];

	field_expected(row, &expected);
	str_escape(value->text, strlen(value->text), text, sizeof text);
	return refuse(c, row, value, expected.data, arena_printf(c->arena, "'%s'", text),
	              r == -ERANGE ? REASON_INPUT_RANGE : REASON_INPUT_TYPE);
}

static int wrong_count(struct decode *c, const struct field *row, const struct doc *value, size_t n)
{
	struct strbuf expected = STRBUF(c->arena, EXPECTED_MAX);

	field_expected(row, &expected);
	return refuse(c, row, value, expected.data, arena_printf(c->arena, "%zu", n),
	              REASON_INPUT_RANGE);
}

static bool in_limits(const struct field *row, uint64_t n)
{
	if (!row->min && !row->max)
		return true;
	if (row->min > 0 && n < (uint64_t)row->min)
		return false;
	return !row->max || n <= (uint64_t)row->max;
}

/* The text of a scalar with its facts substituted. */
static int text_of(struct decode *c, const struct doc *value, const char **ret)
{
	if (!c->vars || value->foreign || !strchr(value->text, '$')) {
		*ret = value->text;
		return 0;
	}
	return vars_expand(c->vars, value, c->arena, ret, c->err);
}

static int scalar_text(struct decode *c, const struct field *row, const struct doc *value,
                       const char **ret)
{
	if (value->type != DOC_SCALAR)
		return wrong_shape(c, row, value, NULL);
	return text_of(c, value, ret);
}

static int read_string(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	const char *text;
	int r = scalar_text(c, row, value, &text);

	if (r < 0)
		return r;
	if (!in_limits(row, strlen(text)))
		return wrong_text(c, row, value, -ERANGE);
	put(c, to, &text, sizeof text);
	return 0;
}

static int read_bool(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	struct doc scalar = *value;
	bool b;
	int r = scalar_text(c, row, value, &scalar.text);

	if (r < 0)
		return r;
	r = scalar_bool(&scalar, &b);
	if (r < 0)
		return wrong_text(c, row, value, r);
	put(c, to, &b, sizeof b);
	return 0;
}

static int read_int(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	bool any = !row->min && !row->max;
	int64_t min = any ? INT64_MIN : row->min;
	int64_t max = any || (row->min > 0 && !row->max) ? INT64_MAX : row->max;
	struct doc scalar = *value;
	int64_t n;
	int r = scalar_text(c, row, value, &scalar.text);

	if (r < 0)
		return r;
	r = scalar_i64(&scalar, min, max, &n);
	if (r < 0)
		return wrong_text(c, row, value, r);
	put(c, to, &n, sizeof n);
	return 0;
}

static int read_number(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	struct doc scalar = *value;
	double n;
	int r = scalar_text(c, row, value, &scalar.text);

	if (r < 0)
		return r;
	r = scalar_number(&scalar, &n);
	if (r < 0)
		return wrong_text(c, row, value, r);
	put(c, to, &n, sizeof n);
	return 0;
}

static int read_u64(struct decode *c, const struct field *row, const struct doc *value, void *to,
                    int (*parse)(const char *, uint64_t *))
{
	const char *text;
	uint64_t n;
	int r = scalar_text(c, row, value, &text);

	if (r < 0)
		return r;
	r = parse(text, &n);
	if (r < 0)
		return wrong_text(c, row, value, r);
	if (!in_limits(row, n))
		return wrong_text(c, row, value, -ERANGE);
	put(c, to, &n, sizeof n);
	return 0;
}

static int read_duration(struct decode *c, const struct field *row, const struct doc *value,
                         void *to)
{
	return read_u64(c, row, value, to, str_duration_ms);
}

static int read_size(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	return read_u64(c, row, value, to, str_size);
}

static int read_mode(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	const char *text;
	unsigned mode;
	int r = scalar_text(c, row, value, &text);

	if (r < 0)
		return r;
	r = str_mode(text, &mode);
	if (r < 0)
		return wrong_text(c, row, value, r);
	put(c, to, &mode, sizeof mode);
	return 0;
}

static int read_choice(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	const char *text;
	int r = scalar_text(c, row, value, &text);

	if (r < 0)
		return r;
	for (int i = 0; row->choices[i]; i++)
		if (str_eq(text, row->choices[i])) {
			put(c, to, &i, sizeof i);
			return 0;
		}
	return wrong_text(c, row, value, -ERANGE);
}

static int entry_text(struct decode *c, const struct field *row, const struct doc *value,
                      const char **ret)
{
	if (value->type != DOC_SCALAR)
		return wrong_shape(c, row, value, "a string");
	return text_of(c, value, ret);
}

static int read_strings(struct decode *c, const struct field *row, const struct doc *value,
                        void *to)
{
	bool single = value->type == DOC_SCALAR;
	struct field_strings s = {.n = single ? 1 : value->n};

	if (value->type == DOC_MAP)
		return wrong_shape(c, row, value, NULL);
	if (!in_limits(row, s.n))
		return wrong_count(c, row, value, s.n);
	s.items = arena_array(c->arena, s.n, sizeof *s.items);
	for (size_t i = 0; i < s.n; i++) {
		int r = entry_text(c, row, single ? value : value->items[i], &s.items[i]);

		if (r < 0)
			return r;
	}
	put(c, to, &s, sizeof s);
	return 0;
}

static int read_pairs(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	struct field_pairs p = {.n = value->n};
	int failed = 0;

	if (value->type != DOC_MAP && value->type != DOC_NULL)
		return wrong_shape(c, row, value, NULL);
	if (!in_limits(row, p.n))
		return wrong_count(c, row, value, p.n);
	p.items = arena_array(c->arena, p.n, sizeof *p.items);
	p.n = 0;
	for (size_t i = 0; i < value->n; i++) {
		const struct field entry = {.name = value->keys[i]->text};
		struct field_pair *pair = &p.items[p.n];

		if (value->items[i]->type == DOC_NULL)
			continue;
		if (!go_on(c, entry_text(c, &entry, value->items[i], &pair->value), &failed))
			return failed;
		pair->name = value->keys[i]->text;
		pair->at = value->items[i];
		p.n++;
	}
	put(c, to, &p, sizeof p);
	return failed;
}

static int read_map(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	if (value->type != DOC_MAP && value->type != DOC_NULL)
		return wrong_shape(c, row, value, NULL);
	return decode_map(c, value, row->sub, to);
}

static int read_element(struct decode *c, const struct field *row, const struct doc *value,
                        void *item)
{
	if (value->type != DOC_MAP)
		return wrong_shape(c, row, value, "a map");
	return decode_map(c, value, row->sub, item);
}

static int read_list(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	struct field_list list = {.n = value->n};
	char *item;
	int failed = 0;

	if (value->type != DOC_LIST && value->type != DOC_NULL)
		return wrong_shape(c, row, value, NULL);
	if (!in_limits(row, list.n))
		return wrong_count(c, row, value, list.n);
	list.items = item = arena_array(c->arena, list.n, row->size);
	for (size_t i = 0; i < list.n; i++, item += row->size) {
		if (row->defaults)
			memcpy(item, row->defaults, row->size);
		if (!go_on(c, read_element(c, row, value->items[i], item), &failed))
			return failed;
	}
	put(c, to, &list, sizeof list);
	return failed;
}

static int read_doc(struct decode *c, const struct field *row, const struct doc *value, void *to)
{
	(void)row;
	put(c, to, &value, sizeof value);
	return 0;
}

static int read_nothing(struct decode *c, const struct field *row, const struct doc *value,
                        void *to)
{
	(void)c, (void)row, (void)value, (void)to;
	return 0;
}

static read_fn *const readers[] = {
        [FIELD_STRING] = read_string,     [FIELD_BOOL] = read_bool,
        [FIELD_INT] = read_int,           [FIELD_NUMBER] = read_number,
        [FIELD_DURATION] = read_duration, [FIELD_SIZE] = read_size,
        [FIELD_MODE] = read_mode,         [FIELD_CHOICE] = read_choice,
        [FIELD_STRINGS] = read_strings,   [FIELD_PAIRS] = read_pairs,
        [FIELD_MAP] = read_map,           [FIELD_LIST] = read_list,
        [FIELD_DOC] = read_doc,           [FIELD_ANY] = read_nothing,
};

static int read_value(struct decode *c, const struct field *row, const struct doc *value, void *out)
{
	return readers[row->type](c, row, value, (char *)out + row->offset);
}

static int unknown_key(struct decode *c, const struct doc *key, const struct field *fields)
{
	struct strbuf known = STRBUF(c->arena, EXPECTED_MAX);
	const char **names = NULL;
	const char *near;
	size_t n = 0;

	for (const struct field *f = fields; f->name; f++) {
		names = arena_grow(c->arena, names, &n, sizeof *names);
		names[n - 1] = f->name;
		strbuf_str(&known, n > 1 ? ", " : "");
		strbuf_str(&known, f->name);
	}
	near = str_nearest(key->text, names, n);
	if (near)
		return doc_err(key, c->err, REASON_INPUT_UNKNOWN_KEY,
		               "unknown key '%s', did you mean '%s'?", key->text, near);
	return doc_err(key, c->err, REASON_INPUT_UNKNOWN_KEY,
	               "unknown key '%s', expected one of %s%s", key->text,
	               known.data ? known.data : "", known.overflow ? "..." : "");
}

static int missing_key(struct decode *c, const struct doc *map, const struct field *row)
{
	struct strbuf expected = STRBUF(c->arena, EXPECTED_MAX);

	field_expected(row, &expected);
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->keys[i]->text, row->name))
			return doc_err(map->keys[i], c->err, REASON_INPUT_REQUIRED,
			               "the key '%s' has no value, expected %s", row->name,
			               expected.data);
	return doc_err(map, c->err, REASON_INPUT_REQUIRED, "the key '%s' is missing, expected %s",
	               row->name, expected.data);
}

static const struct field *row_of(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (str_eq(fields->name, name))
			return fields;
	return NULL;
}

static int decode_key(struct decode *c, const struct doc *map, size_t i, const struct field *fields,
                      void *out)
{
	const struct field *row = row_of(fields, map->keys[i]->text);

	if (!row)
		return unknown_key(c, map->keys[i], fields);
	if (map->items[i]->type == DOC_NULL)
		return 0;
	return read_value(c, row, map->items[i], out);
}

static int decode_map(struct decode *c, const struct doc *map, const struct field *fields,
                      void *out)
{
	int failed = 0;

	for (size_t i = 0; i < map->n; i++)
		if (!go_on(c, decode_key(c, map, i, fields, out), &failed))
			return failed;
	for (const struct field *f = fields; f->name; f++)
		if (f->required && !doc_get(map, f->name) &&
		    !go_on(c, missing_key(c, map, f), &failed))
			return failed;
	return failed;
}

static void apply(const struct decode *c)
{
	for (size_t i = 0; i < c->n; i++)
		memcpy(c->writes[i].to, c->writes[i].value, c->writes[i].size);
}

int field_decode(const struct doc *map, const struct field *fields, const struct vars *v,
                 struct arena *a, void *out, struct err *e)
{
	return field_decode_all(map, fields, v, NULL, a, out, e);
}

int field_decode_all(const struct doc *map, const struct field *fields, const struct vars *v,
                     struct faults *faults, struct arena *a, void *out, struct err *e)
{
	const struct field whole = {.type = FIELD_MAP, .sub = fields};

	return field_decode_value_all(map, &whole, v, faults, a, out, e);
}

int field_decode_value(const struct doc *value, const struct field *row, const struct vars *v,
                       struct arena *a, void *out, struct err *e)
{
	return field_decode_value_all(value, row, v, NULL, a, out, e);
}

int field_decode_value_all(const struct doc *value, const struct field *row, const struct vars *v,
                           struct faults *faults, struct arena *a, void *out, struct err *e)
{
	struct decode c = {.vars = v, .arena = a, .faults = faults, .err = e};
	int r = read_value(&c, row, value, out);

	if (r < 0)
		return r;
	apply(&c);
	return 0;
}
