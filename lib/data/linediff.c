/* SPDX-License-Identifier: Apache-2.0 */
/* Compares two texts line by line: their longest common subsequence, shown as hunks. */
#include "data/linediff.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/scope.h"

#define AROUND    3
#define CELLS_MAX (4UL << 20) /* of the table: 8 MiB */

struct op {
	char mark;        /* ' ', '-' or '+' */
	struct blob line; /* with its newline, if it has one */
};

struct ops {
	struct op *items;
	size_t n;
};

/* -1: too many. */
static int split(struct blob text, struct blob *lines, size_t *ret_n)
{
	size_t n = 0;

	for (size_t at = 0; at < text.len; n++) {
		const char *nl = memchr(text.data + at, '\n', text.len - at);
		size_t end = nl ? (size_t)(nl - text.data) + 1 : text.len;

		if (n == LINEDIFF_LINES_MAX)
			return -1;
		lines[n] = (struct blob){text.data + at, end - at};
		at = end;
	}
	*ret_n = n;
	return 0;
}

static bool same(struct blob x, struct blob y)
{
	return x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}

static void add(struct ops *ops, char mark, const struct blob *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ops->items[ops->n++] = (struct op){mark, lines[i]};
}

/* t[i][j]: the length of the longest common subsequence of x from i and y from j. */
static void fill(uint16_t *t, const struct blob *x, size_t n, const struct blob *y, size_t m)
{
	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			uint16_t *at = t + i * (m + 1) + j;
			uint16_t down = at[m + 1], right = at[1];

			if (same(x[i], y[j]))
				*at = (uint16_t)(at[m + 2] + 1);
			else
				*at = down >= right ? down : right;
		}
}

static void between(struct ops *ops, const struct blob *x, size_t n, const struct blob *y, size_t m)
{
	bool fits = (n + 1) * (m + 1) <= CELLS_MAX;
	scope_mem uint16_t *t = fits ? calloc((n + 1) * (m + 1), sizeof *t) : NULL;
	size_t i = 0, j = 0;

	if (t)
		fill(t, x, n, y, m);
	while (t && i < n && j < m) {
		const uint16_t *at = t + i * (m + 1) + j;

		if (same(x[i], y[j])) {
			add(ops, ' ', &x[i++], 1);
			j++;
		} else if (at[m + 1] >= at[1]) {
			add(ops, '-', &x[i++], 1);
		} else {
			add(ops, '+', &y[j++], 1);
		}
	}
	add(ops, '-', x + i, n - i);
	add(ops, '+', y + j, m - j);
}

static void compare(struct ops *ops, const struct blob *x, size_t n, const struct blob *y, size_t m)
{
	size_t head = 0, tail = 0;

	while (head < n && head < m && same(x[head], y[head]))
		head++;
	while (tail < n - head && tail < m - head && same(x[n - 1 - tail], y[m - 1 - tail]))
		tail++;
	add(ops, ' ', x, head);
	between(ops, x + head, n - head - tail, y + head, m - head - tail);
	add(ops, ' ', x + n - tail, tail);
}

/* ---- hunks ---- */

static size_t count(const struct ops *ops, size_t from, size_t to, char not_this)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += ops->items[i].mark != not_this;
	return n;
}

/* The end of the hunk whose first change is at `i`: more than 2 * AROUND lines behind it stay. */
static size_t hunk_end(const struct ops *ops, size_t i)
{
	size_t end = i + 1;

	for (size_t k = i; k < ops->n && k <= end + 2 * AROUND; k++)
		if (ops->items[k].mark != ' ')
			end = k + 1;
	return end;
}

static void emit_op(const struct op *op, struct arena *a, void (*emit)(void *ctx, const char *line),
                    void *ctx)
{
	bool ends = op->line.len && op->line.data[op->line.len - 1] == '\n';

	emit(ctx, arena_printf(a, "%c%.*s", op->mark, (int)(op->line.len - ends), op->line.data));
	if (!ends)
		emit(ctx, "\\ No newline at end of file");
}

static void emit_hunk(const struct ops *ops, size_t from, size_t to, struct arena *a,
                      void (*emit)(void *ctx, const char *line), void *ctx)
{
	size_t x = count(ops, from, to, '+'), y = count(ops, from, to, '-');

	/* As diff(1): a side without lines is named by the line before. */
	emit(ctx, arena_printf(a, "@@ -%zu,%zu +%zu,%zu @@", count(ops, 0, from, '+') + (x > 0), x,
	                       count(ops, 0, from, '-') + (y > 0), y));
	for (size_t i = from; i < to; i++)
		emit_op(&ops->items[i], a, emit, ctx);
}

int linediff(struct blob from, struct blob to, struct arena *a,
             void (*emit)(void *ctx, const char *line), void *ctx)
{
	struct blob *x = arena_array(a, LINEDIFF_LINES_MAX, sizeof *x);
	struct blob *y = arena_array(a, LINEDIFF_LINES_MAX, sizeof *y);
	struct ops ops = {.items = arena_array(a, 2 * LINEDIFF_LINES_MAX, sizeof *ops.items)};
	size_t n = 0, m = 0;

	if (split(from, x, &n) < 0 || split(to, y, &m) < 0)
		return -1;
	compare(&ops, x, n, y, m);
	for (size_t i = 0; i < ops.n; i++) {
		if (ops.items[i].mark == ' ')
			continue;
		size_t end = hunk_end(&ops, i), last = end + AROUND < ops.n ? end + AROUND : ops.n;

		emit_hunk(&ops, i > AROUND ? i - AROUND : 0, last, a, emit, ctx);
		i = end - 1;
	}
	return 0;
}
