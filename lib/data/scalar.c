/* SPDX-License-Identifier: Apache-2.0 */
/* Booleans and numbers of scalars, in our spelling and in YAML 1.1's. */
#include "data/scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

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

/* ---- Python's numbers in a text, which marshmallow takes as well as a number ---- */

#define DECIMAL    "0123456789"
#define BLANK      " \t\r\n\f\v"
#define NUMBER_MAX 128

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number's text without blanks around it and '_' between two digits. */
static int bare(const char *s, char out[NUMBER_MAX])
{
	size_t len, n = 0;

	s += strspn(s, BLANK);
	len = strlen(s);
	while (len && strchr(BLANK, s[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '_' && i && is_digit(s[i - 1]) && is_digit(s[i + 1]))
			continue;
		if (s[i] == '_' || n + 1 == NUMBER_MAX)
			return -EINVAL;
		out[n++] = s[i];
	}
	out[n] = '\0';
	return 0;
}

static int python_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	char text[NUMBER_MAX];
	int r = bare(s, text);

	if (r < 0)
		return r;
	return str_i64(text + (text[0] == '+' && is_digit(text[1])), min, max, ret);
}

/* Digits with or without a point, and an exponent: no names of numbers, no hexadecimal ones. */
static bool is_decimal(const char *s)
{
	s += *s == '-' || *s == '+';
	size_t whole = strspn(s, DECIMAL);
	s += whole;
	size_t fraction = *s == '.' ? strspn(s + 1, DECIMAL) : 0;
	s += *s == '.' ? 1 + fraction : 0;
	if (!whole && !fraction)
		return false;
	if (*s != 'e' && *s != 'E')
		return *s == '\0';
	s++;
	s += *s == '-' || *s == '+';
	return *s && !s[strspn(s, DECIMAL)];
}

static int python_number(const char *s, double *ret)
{
	char text[NUMBER_MAX];
	int r = bare(s, text);

	if (r < 0)
		return r;
	if (!is_decimal(text))
		return -EINVAL;
	double v = strtod(text, NULL);
	if (!isfinite(v))
		return -ERANGE;
	*ret = v;
	return 0;
}

/* ---- floats of YAML 1.1 ---- */

/* PyYAML's resolver of tag:yaml.org,2002:float: a point must be there, and an exponent's sign; without
 * infinities and parts of sixty. */
static bool is_yaml_float(const char *s)
{
	bool sign = *s == '-' || *s == '+';

	s += sign;
	size_t whole = is_digit(*s) ? strspn(s, DECIMAL "_") : 0;
	s += whole;
	if (*s++ != '.' || (!whole && (sign || !is_digit(*s))))
		return false;
	s += strspn(s, DECIMAL "_");
	if (*s != 'e' && *s != 'E')
		return *s == '\0';
	s++;
	if (*s != '-' && *s != '+')
		return false;
	s++;
	return *s && !s[strspn(s, DECIMAL)];
}

static int yaml_float(const char *s, double *ret)
{
	char text[NUMBER_MAX];
	size_t n = 0;

	if (!is_yaml_float(s))
		return -EINVAL;
	for (; *s; s++) {
		if (*s == '_')
			continue;
		if (n + 1 == NUMBER_MAX)
			return -EINVAL;
		text[n++] = *s;
	}
	text[n] = '\0';
	return python_number(text, ret);
}

/* marshmallow takes a float for an integer, without what is behind the point. */
static int whole_part(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	double v;
	int r = yaml_float(s, &v);

	if (r < 0)
		return r;
	if (v < -0x1p63 || v >= 0x1p63 || (int64_t)v < min || (int64_t)v > max)
		return -ERANGE;
	*ret = (int64_t)v;
	return 0;
}

/* ---- what a document of others may have ---- */

static int yaml11_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t v;
	int64_t n;
	int r = magnitude(s + (*s == '-' || *s == '+'), &v);

	if (r < 0)
		return r;
	if (negative ? __builtin_sub_overflow(0, v, &n) : __builtin_add_overflow(0, v, &n))
		return -ERANGE;
	if (n < min || n > max)
		return -ERANGE;
	*ret = n;
	return 0;
}

/* What YAML takes for no number is a text, as one in quotes is. */
static int foreign_i64(const struct doc *d, int64_t min, int64_t max, int64_t *ret)
{
	int r = d->quoted ? -EINVAL : yaml11_i64(d->text, min, max, ret);

	if (r == -EINVAL && !d->quoted)
		r = whole_part(d->text, min, max, ret);
	return r == -EINVAL ? python_i64(d->text, min, max, ret) : r;
}

int scalar_i64(const struct doc *d, int64_t min, int64_t max, int64_t *ret)
{
	if (d->type != DOC_SCALAR)
		return -EINVAL;
	if (d->foreign)
		return foreign_i64(d, min, max, ret);
	return str_i64(d->text, min, max, ret);
}

int scalar_number(const struct doc *d, double *ret)
{
	int64_t whole;

	if (d->type != DOC_SCALAR)
		return -EINVAL;
	int r = d->foreign && !d->quoted ? yaml11_i64(d->text, INT64_MIN, INT64_MAX, &whole)
	                                 : -EINVAL;
	if (r == 0) {
		*ret = (double)whole;
		return 0;
	}
	r = d->foreign && !d->quoted ? yaml_float(d->text, ret) : -EINVAL;
	return r == -EINVAL ? python_number(d->text, ret) : r;
}

/* ---- what is no text ---- */

/* A float whose last parts are of sixty, an infinity, no number: all that yaml_float() leaves out. */
static bool is_other_float(const char *s)
{
	static const char *const names[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
	bool sign = *s == '-' || *s == '+';

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(s + (sign && i < 3), names[i]))
			return true;
	s += sign;
	if (!is_digit(*s))
		return false;
	s += strspn(s, DECIMAL "_");
	if (*s != ':')
		return false;
	while (*s == ':') {
		size_t len = strspn(++s, DECIMAL);

		if (len < 1 || len > 2 || (len == 2 && *s > '5'))
			return false;
		s += len;
	}
	return *s == '.' && !s[1 + strspn(s + 1, DECIMAL "_")];
}

/* "4-2-2" digits and dashes; with a clock's time behind them, one digit of month and day will do. */
static bool is_yaml_time(const char *s)
{
	size_t year = strspn(s, DECIMAL), month, day;

	if (year != 4 || s[4] != '-')
		return false;
	s += 5;
	month = strspn(s, DECIMAL);
	if (month < 1 || month > 2 || s[month] != '-')
		return false;
	s += month + 1;
	day = strspn(s, DECIMAL);
	if (day < 1 || day > 2)
		return false;
	s += day;
	if (!*s)
		return month == 2 && day == 2;
	size_t gap = *s == 'T' || *s == 't' ? 1 : strspn(s, " \t");
	s += gap;
	size_t hour = strspn(s, DECIMAL);
	return gap && hour >= 1 && hour <= 2 && s[hour] == ':' && is_digit(s[hour + 1]) &&
	       is_digit(s[hour + 2]) && s[hour + 3] == ':' && is_digit(s[hour + 4]) &&
	       is_digit(s[hour + 5]);
}

const char *scalar_no_text(const struct doc *d)
{
	double number;
	int64_t whole;
	bool on;

	if (!d->foreign || d->quoted)
		return NULL;
	/* Their range doesn't matter: Python's integers have none. */
	if (yaml11_i64(d->text, INT64_MIN, INT64_MAX, &whole) != -EINVAL ||
	    yaml_float(d->text, &number) != -EINVAL || is_other_float(d->text))
		return "the number";
	if (is_yaml_time(d->text))
		return "the time";
	return str_bool(d->text, &on) == 0 ? "the boolean" : NULL;
}

bool scalar_on(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);
	bool on = false;

	return at && scalar_bool(at, &on) == 0 && on;
}
