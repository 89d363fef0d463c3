/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of limits share: texts with a value of just so many characters or entries, and what must then be told. Included
 * behind a header that has `arena` and `e`. */
#pragma once

/* `%s` is `unit`, n times; with commas between if it is of a list. */
struct limit_row {
	const char *text, *key, *unit;
	size_t min, max; /* max 0: not looked at */
};

static inline const char *limit_fill(const struct limit_row *row, size_t n)
{
	const char *s = strstr(row->text, "%s");
	bool many = s > row->text && s[-1] == '[';
	struct strbuf b = STRBUF(arena, 8UL << 20);

	strbuf_add(&b, row->text, (size_t)(s - row->text));
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&b, "%s%s", many && i ? "," : "", row->unit);
	strbuf_str(&b, s + 2);
	return b.data;
}

typedef int limit_read_fn(const char *text);

static inline void assert_limits(limit_read_fn *read, const struct limit_row *row)
{
	const size_t beyond[] = {row->min ? row->min - 1 : SIZE_MAX,
	                         row->max ? row->max + 1 : SIZE_MAX};
	const size_t within[] = {row->min, row->max ? row->max : row->min};

	for (size_t i = 0; i < 2; i++)
		if (read(limit_fill(row, within[i])) < 0)
			fail_msg("%s: %zu should go: %s", row->text, within[i], e.text);
	for (size_t i = 0; i < 2; i++)
		if (beyond[i] != SIZE_MAX) {
			if (read(limit_fill(row, beyond[i])) == 0)
				fail_msg("%s: %zu should not go", row->text, beyond[i]);
			assert_int_equal(e.kind, ERR_INPUT);
			if (!strstr(e.text, row->key))
				fail_msg("'%s' lacks '%s'", e.text, row->key);
		}
}
