/* SPDX-License-Identifier: Apache-2.0 */
/* Holds a text against a regular expression of a condition. */
#include <regex.h>
#include <string.h>

#include "component/component_own.h"

#define PATTERN_MAX  256
#define EXPANDED_MAX 4096 /* regcomp(3) takes memory by its square: some 100 MiB */

/* What Go's patterns have and those of regcomp(3) lack: `(?i)` in front, `\d` and `\D`, and that a
 * backslash means something between brackets. */
static const char *translated(const char *own, struct arena *a, int *flags)
{
	struct strbuf out = STRBUF(a, 16UL * PATTERN_MAX);
	bool set = false;

	if (str_starts(own, "(?i)")) {
		*flags |= REG_ICASE;
		own += strlen("(?i)");
	}
	for (; *own; own++) {
		if (*own == '\\' && (own[1] == 'd' || (own[1] == 'D' && !set)))
			strbuf_str(&out, set ? "0-9" : own[1] == 'd' ? "[0-9]" : "[^0-9]");
		else if (*own == '\\' && set && (own[1] == 's' || own[1] == 'w'))
			strbuf_str(&out, own[1] == 's' ? "[:space:]" : "[:alnum:]_");
		else if (*own == '\\' && set && own[1] && strchr("./+*?()$|{}\"'", own[1]))
			strbuf_char(&out, own[1]);
		else if (*own == '\\' && own[1])
			strbuf_add(&out, own, 2);
		else {
			set = set ? *own != ']' : *own == '[';
			strbuf_char(&out, *own);
			continue;
		}
		own++;
	}
	return out.data ? out.data : "";
}

/* The most copies that `{n,m}` makes, of what is behind the brace. regcomp(3) takes `\0` for 0. */
static size_t copies(const char *at)
{
	size_t most = 0, n = 0;

	for (; *at && strchr("0123456789,\\", *at); at++) {
		if (*at != '\\')
			n = *at == ',' ? 0 : n * 10 + (size_t)(*at - '0');
		n = n > EXPANDED_MAX ? EXPANDED_MAX : n;
		most = n > most ? n : most;
	}
	return most + 1;
}

/*
 * At most how many characters the pattern has once regcomp(3) has copied what is repeated: `x{9}`
 * nine times, `x+` twice. A repetition behind `)` or another one copies what has copies already, and
 * counts as one of the whole pattern. Brackets and backslashes are not understood: an operator that
 * is none makes the number larger only. Above EXPANDED_MAX it is not exact.
 */
static size_t expanded(const char *text)
{
	size_t sum = 0, times = 1;

	for (char before = '\0'; *text && sum * times <= EXPANDED_MAX; before = *text++) {
		size_t n = *text == '+' ? 2 : *text == '{' ? copies(text + 1) : 1;
		bool again = before && strchr(")*+?}", before);

		times *= again ? n : 1;
		sum += again ? 1 : n;
	}
	return sum * times;
}

static int too_much(const struct doc *own, struct err *e)
{
	return doc_err(own, e, REASON_INPUT_LIMIT,
	               "'%s' is too much of a pattern: expected at most %d bytes, and %d with its "
	               "repetitions written out",
	               own->text, PATTERN_MAX, EXPANDED_MAX);
}

int component_pattern(const struct doc *own, const char *value, struct arena *a, struct err *e)
{
	int flags = REG_EXTENDED | REG_NOSUB;
	regex_t re;
	char why[128];

	if (strlen(own->text) > PATTERN_MAX)
		return too_much(own, e);
	const char *text = translated(own->text, a, &flags);
	if (expanded(text) > EXPANDED_MAX)
		return too_much(own, e);
	int r = regcomp(&re, text, flags);
	if (r) {
		regerror(r, &re, why, sizeof why);
		return doc_err(own, e, REASON_INPUT_RANGE, "'%s' is no regular expression: %s",
		               own->text, why);
	}
	r = regexec(&re, value, 0, NULL, 0) == 0;
	regfree(&re);
	return r;
}
