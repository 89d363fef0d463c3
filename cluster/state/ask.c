/* SPDX-License-Identifier: Apache-2.0 */
/* Asks questions, and reads answers. */
#include "state/ask.h"

#include <errno.h>
#include <stdio.h>

#include "base/str.h"

/* ---- lists ---- */

static size_t columns(const struct ask_list *l)
{
	size_t n = 0;

	while (n < ASK_COLUMNS && l->headers[n])
		n++;
	return n;
}

static const char *cell(const struct ask_item *i, size_t column)
{
	return i->cells[column] ? i->cells[column] : "";
}

static size_t width(const struct ask_list *l, size_t column)
{
	size_t w = strlen(l->headers[column]) + 2;

	for (size_t i = 0; i < l->n; i++) {
		size_t len = strlen(cell(&l->items[i], column));

		w = len > w ? len : w;
	}
	return w;
}

static void print_row(const struct ask_list *l, const char *number, const struct ask_item *i)
{
	printf("%3s", number);
	for (size_t c = 0; c < columns(l); c++)
		if (c + 1 == columns(l) && !l->numbers[c])
			printf("  %s", cell(i, c));
		else
			printf("  %*s", (int)width(l, c) * (l->numbers[c] ? 1 : -1), cell(i, c));
	putchar('\n');
}

static void print_table(const struct ask_list *l)
{
	struct ask_item headers = {0};
	char number[24];

	for (size_t c = 0; c < columns(l); c++)
		headers.cells[c] = l->headers[c];
	print_row(l, "#", &headers);
	printf("---");
	for (size_t c = 0; c < columns(l); c++) {
		printf("  ");
		for (size_t i = 0; i < width(l, c); i++)
			putchar('-');
	}
	putchar('\n');
	for (size_t i = 0; i < l->n; i++) {
		snprintf(number, sizeof number, "%zu", i + 1);
		print_row(l, number, &l->items[i]);
	}
}

static void print_list(const struct ask_question *q)
{
	const struct ask_list *l = q->among;

	printf("Allowed values for %s:\n", q->text);
	if (l->headers[0]) {
		print_table(l);
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		printf("%zu. %s\n", i + 1, l->items[i].cells[0]);
}

/* By its number or its name; NULL: none of them. */
static const char *choose(const struct ask_list *l, const char *answer)
{
	uint64_t n;

	if (str_u64(answer, 1, l->n, &n) == 0)
		return l->items[n - 1].cells[0];
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->items[i].cells[0], answer))
			return answer;
	return NULL;
}

/* ---- one question ---- */

static int read_line(struct ask *k, const struct ask_question *q, const char **ret, struct err *e)
{
	char line[ASK_ANSWER_MAX + 2];
	size_t begin, end;

	if (k->ended || !fgets(line, sizeof line, stdin)) {
		k->ended = true;
		putchar('\n');
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "the answers end before '%s' is answered", q->text);
	}
	end = strlen(line);
	if (end > ASK_ANSWER_MAX && line[end - 1] != '\n')
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "the answer to '%s' is longer than %d bytes", q->text,
		               ASK_ANSWER_MAX);
	begin = strspn(line, " \t\r\n");
	while (end > begin && strchr(" \t\r\n", line[end - 1]))
		end--;
	*ret = arena_memdup(k->arena, line + begin, end - begin);
	return 0;
}

/* NULL, or what is wrong. */
static const char *check(const struct ask_question *q, const char **answer)
{
	const char *chosen;

	if (!q->among)
		return q->valid ? q->valid(q->ctx, *answer) : NULL;
	chosen = choose(q->among, *answer);
	if (!chosen)
		return "";
	*answer = chosen;
	return q->valid ? q->valid(q->ctx, chosen) : NULL;
}

int ask(struct ask *k, const struct ask_question *q, const char **ret, struct err *e)
{
	const char *answer, *fault;

	if (q->among)
		print_list(q);
	for (;;) {
		printf("%s [%s]: ", q->text, q->fallback ? q->fallback : "");
		fflush(stdout);
		int r = read_line(k, q, &answer, e);
		if (r < 0)
			return r;
		if (!*answer && q->fallback)
			answer = q->fallback;
		fault = check(q, &answer);
		if (!fault)
			break;
		printf("ERROR: %s is not an acceptable value for %s%s%s\n", answer, q->text,
		       *fault ? ": " : "", fault);
	}
	*ret = answer;
	return 0;
}

/* ---- numbers, yes and no ---- */

struct range {
	uint64_t min, max;
};

static const char *in_range(void *ctx, const char *answer)
{
	const struct range *r = ctx;
	uint64_t n;

	return str_u64(answer, r->min, r->max, &n) < 0 ? "" : NULL;
}

int ask_number(struct ask *k, const char *text, uint64_t fallback, uint64_t min, uint64_t max,
               uint64_t *ret, struct err *e)
{
	struct range range = {min, max};
	const struct ask_question q = {
	        .text = text,
	        .fallback = arena_printf(k->arena, "%llu", (unsigned long long)fallback),
	        .valid = in_range,
	        .ctx = &range};
	const char *answer;
	int r = ask(k, &q, &answer, e);

	return r < 0 ? r : str_u64(answer, min, max, ret);
}

static const char *is_y_or_n(void *ctx, const char *answer)
{
	(void)ctx;
	return str_eq(answer, "y") || str_eq(answer, "n") ? NULL : "";
}

int ask_yes(struct ask *k, const char *text, bool fallback, bool *ret, struct err *e)
{
	const struct ask_question q = {
	        .text = text, .fallback = fallback ? "y" : "n", .valid = is_y_or_n};
	const char *answer;
	int r = ask(k, &q, &answer, e);

	if (r < 0)
		return r;
	*ret = str_eq(answer, "y");
	return 0;
}
