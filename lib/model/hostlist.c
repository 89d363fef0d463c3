/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Slurm's short form for many nodes. */
#include "model/hostlist.h"

#include <errno.h>

#define DIGITS     "0123456789"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-_."
#define DIGITS_MAX 9 /* of a number, so that it fits into 32 bits */

struct reading {
	const char *text, *at;
	struct arena *arena;
	struct hostlist list;
	struct err *err;
};

static int bad(const struct reading *x, const char *expected)
{
	return err_set(x->err, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
	               "'%.100s' is no list of nodes: expected %s at character %zu", x->text,
	               expected, (size_t)(x->at - x->text) + 1);
}

static int add(struct reading *x, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > HOSTLIST_NAME || name[0] == '-' || name[0] == '.')
		return bad(x, "a name of 1 to 63 letters, digits, '-', '_' and '.'");
	if (x->list.n == HOSTLIST_MAX)
		return err_set(x->err, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "'%.100s' is no list of nodes: expected at most %d names", x->text,
		               HOSTLIST_MAX);
	x->list.names = arena_grow(x->arena, x->list.names, &x->list.n, sizeof *x->list.names);
	x->list.names[x->list.n - 1] = name;
	return 0;
}

/* *ret_width: how many digits it has, which the names keep. */
static int number(struct reading *x, uint32_t *ret, size_t *ret_width)
{
	size_t len = strspn(x->at, DIGITS);
	uint32_t n = 0;

	if (len == 0 || len > DIGITS_MAX)
		return bad(x, "a number of at most 9 digits");
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (uint32_t)(x->at[i] - '0');
	x->at += len;
	*ret = n;
	*ret_width = len;
	return 0;
}

/* "7" or "007-106" */
static int range(struct reading *x, const char *prefix)
{
	uint32_t first, last;
	size_t width, ignored;
	int r = number(x, &first, &width);

	if (r < 0)
		return r;
	last = first;
	if (*x->at == '-') {
		x->at++;
		r = number(x, &last, &ignored);
		if (r < 0)
			return r;
	}
	if (last < first)
		return bad(x, "a range that ascends");
	for (uint32_t i = first; i <= last; i++) {
		r = add(x, arena_printf(x->arena, "%s%0*u", prefix, (int)width, (unsigned)i));
		if (r < 0)
			return r;
	}
	return 0;
}

static int brackets(struct reading *x, const char *prefix)
{
	do {
		x->at++;
		int r = range(x, prefix);
		if (r < 0)
			return r;
	} while (*x->at == ',');
	if (*x->at != ']')
		return bad(x, "',' or ']'");
	x->at++;
	return 0;
}

static int item(struct reading *x)
{
	size_t len = strspn(x->at, NAME_CHARS);
	const char *prefix = arena_memdup(x->arena, x->at, len);

	x->at += len;
	if (*x->at == '[' && len)
		return brackets(x, prefix);
	return add(x, prefix);
}

int hostlist_parse(const char *text, struct arena *a, struct hostlist *ret, struct err *e)
{
	struct reading x = {.text = text, .at = text, .arena = a, .err = e};

	if (strlen(text) > HOSTLIST_TEXT)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "a list of nodes of more than %lu bytes", HOSTLIST_TEXT);
	for (;;) {
		int r = item(&x);

		if (r < 0)
			return r;
		if (!*x.at)
			break;
		if (*x.at != ',')
			return bad(&x, "','");
		x.at++;
	}
	*ret = x.list;
	return 0;
}

bool hostlist_has(const struct hostlist *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->names[i], name))
			return true;
	return false;
}
