/* SPDX-License-Identifier: Apache-2.0 */
/* Booleans and integers of scalars, in our spelling and in YAML 1.1's. */
#include "data/scalar.h"

#include <errno.h>

int scalar_bool(const struct doc *d, bool *ret)
{
	/* marshmallow's truthy and falsy words in addition to those of YAML 1.1. */
	static const char *const words[2][5] = {{"0", "f", "F", "n", "N"},
	                                        {"1", "t", "T", "y", "Y"}};

	if (d->type != DOC_SCALAR)
		return -EINVAL;
	for (size_t v = 0; d->foreign && v < ARRAY_LEN(words); v++)
		for (size_t i = 0; i < ARRAY_LEN(words[v]); i++)
			if (str_eq(d->text, words[v][i])) {
				*ret = v == 1;
				return 0;
			}
	return str_bool(d->text, ret);
}

/* Digits with '_' anywhere between or after them; stops at any other character. */
static int digits(const char **s, int base, uint64_t *ret)
{
	uint64_t v = 0;
	bool any = false;

	for (;; ++*s) {
		int digit = str_hex_digit(**s);

		if (**s == '_')
			continue;
		if (digit < 0 || digit >= base)
			break;
		any = true;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit, &v))
			return -ERANGE;
	}
	if (!any)
		return -EINVAL;
	*ret = v;
	return 0;
}

/* "1:30:00": every further part is below 60. */
static int sexagesimal(const char *s, uint64_t v, uint64_t *ret)
{
	while (*s == ':') {
		uint64_t part = 0;
		size_t len = strspn(++s, "0123456789");

		for (size_t i = 0; i < len && i < 3; i++)
			part = 10 * part + (uint64_t)(s[i] - '0');
		if (len < 1 || len > 2 || part > 59)
			return -EINVAL;
		s += len;
		if (__builtin_mul_overflow(v, UINT64_C(60), &v) ||
		    __builtin_add_overflow(v, part, &v))
			return -ERANGE;
	}
	if (*s)
		return -EINVAL;
	*ret = v;
	return 0;
}

/* PyYAML's resolver of tag:yaml.org,2002:int, without the sign. */
static int magnitude(const char *s, uint64_t *ret)
{
	static const struct {
		const char *prefix;
		int base;
	} bases[] = {{"0b", 2}, {"0x", 16}, {"0", 8}};
	uint64_t v;

	for (size_t i = 0; s[0] == '0' && s[1] && i < ARRAY_LEN(bases); i++) {
		if (!str_starts(s, bases[i].prefix))
			continue;
		s += strlen(bases[i].prefix);
		int r = digits(&s, bases[i].base, &v);
		if (r < 0)
			return r;
		if (*s)
			return -EINVAL;
		*ret = v;
		return 0;
	}
	if (*s < '0' || *s > '9')
		return -EINVAL;
	int r = digits(&s, 10, &v);
	return r < 0 ? r : sexagesimal(s, v, ret);
}

/* "10.0": a float of YAML 1.1 whose value is an integer, which marshmallow takes for one. */
static int whole_float(const char *s, uint64_t *ret)
{
	uint64_t v;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	int r = digits(&s, 10, &v);
	if (r < 0)
		return r;
	if (*s != '.' || s[1 + strspn(s + 1, "0_")])
		return -EINVAL;
	*ret = v;
	return 0;
}

static int yaml11_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t v;
	int64_t n;
	const char *unsigned_part = s + (*s == '-' || *s == '+');
	int r = magnitude(unsigned_part, &v);

	if (r == -EINVAL)
		r = whole_float(unsigned_part, &v);
	if (r < 0)
		return r;
	if (negative ? __builtin_sub_overflow(0, v, &n) : __builtin_add_overflow(0, v, &n))
		return -ERANGE;
	if (n < min || n > max)
		return -ERANGE;
	*ret = n;
	return 0;
}

int scalar_i64(const struct doc *d, int64_t min, int64_t max, int64_t *ret)
{
	if (d->type != DOC_SCALAR)
		return -EINVAL;
	if (d->foreign && !d->quoted)
		return yaml11_i64(d->text, min, max, ret);
	return str_i64(d->text, min, max, ret);
}

bool scalar_on(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);
	bool on = false;

	return at && scalar_bool(at, &on) == 0 && on;
}
