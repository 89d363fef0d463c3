/* SPDX-License-Identifier: Apache-2.0 */
/* Table rows shared by the tests of the parsers: a text, and the document or the message it gives.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "data/doc.h"
#include "unit.h"

typedef int parse_fn(const char *file, struct blob text, struct arena *a, struct doc **ret,
                     struct err *e);

struct parse_good {
	const char *text, *json;
};

struct parse_bad {
	const char *text;
	size_t len; /* 0: strlen(text) */
	enum reason reason;
	const char *message; /* for assert_message() */
};

/* `want` is the whole message, or with a final "..." what it starts with. */
static inline void assert_message(const struct err *e, const char *want)
{
	size_t len = strlen(want);
	bool whole = len < 3 || strcmp(want + len - 3, "...") != 0;

	if (whole ? strcmp(e->text, want) != 0 : strncmp(e->text, want, len - 3) != 0)
		fail_msg("\n got  %s\n want %s", e->text, want);
}

static inline void parse_good(parse_fn *parse, const struct parse_good *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		scope_arena struct arena *a = arena_new();
		struct strbuf out = STRBUF(a, 1 << 20);
		struct doc *d = NULL;
		struct err e = {0};

		print_message("[%zu] %s\n", i, rows[i].text);
		assert_ok(parse("f", (struct blob){rows[i].text, strlen(rows[i].text)}, a, &d, &e));
		doc_json(d, &out);
		assert_string_equal(out.data, rows[i].json);
	}
}

static inline void parse_bad(parse_fn *parse, const struct parse_bad *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		scope_arena struct arena *a = arena_new();
		struct doc untouched, *d = &untouched;
		struct err e = {0};
		size_t len = rows[i].len ? rows[i].len : strlen(rows[i].text);
		/* Of its own exact size, so that a sanitizer sees a byte too far. */
		char *copy = malloc(len + !len);

		memcpy(copy, rows[i].text, len);
		print_message("[%zu] %.*s\n", i, (int)(len < 60 ? len : 60), rows[i].text);
		assert_int_equal(parse("f", (struct blob){copy, len}, a, &d, &e), -EINVAL);
		free(copy);
		assert_message(&e, rows[i].message);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_string_equal(reason_row(e.reason)->name, reason_row(rows[i].reason)->name);
		assert_ptr_equal(d, &untouched);
	}
}

/* `unit` `times` times, in the arena. */
static inline struct blob parse_repeat(struct arena *a, const char *unit, size_t times)
{
	size_t len = strlen(unit);
	char *text = arena_alloc(a, len * times + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, unit, len);
	return (struct blob){text, len * times};
}
