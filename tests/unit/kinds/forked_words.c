/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of units: their words, with variables put in. */
#include <ctype.h>

#include "forked.h"

#define WORDS_MAX 256  /* of one command line */
#define VALUE_MAX 4096 /* bytes of a word with its variables expanded */

static void list_add(struct forked_list *l, const char *item, struct arena *a)
{
	l->items = arena_grow(a, l->items, &l->n, sizeof *l->items);
	l->items[l->n - 1] = item;
}

/* One word from *p on; *p moves behind it. NULL: a quote isn't closed. */
static const char *next_word(const char **p, struct arena *a)
{
	char *out = arena_alloc(a, strlen(*p) + 1);
	size_t n = 0;
	char quote = 0;

	for (; **p && (quote || !isspace((unsigned char)**p)); ++*p) {
		if (quote ? **p == quote : **p == '"' || **p == '\'') {
			quote = quote ? '\0' : **p;
			continue;
		}
		if (**p == '\\' && (*p)[1] && quote != '\'')
			++*p;
		out[n++] = **p;
	}
	return quote ? NULL : out;
}

bool forked_split(const char *text, struct arena *a, struct forked_list *ret)
{
	struct forked_list l = {0};

	for (const char *p = text; l.n < WORDS_MAX;) {
		while (isspace((unsigned char)*p))
			p++;
		if (!*p)
			break;
		const char *word = next_word(&p, a);
		if (!word)
			return false;
		list_add(&l, word, a);
	}
	*ret = l;
	return true;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *value_of(const struct forked_list *env, const char *name, size_t len)
{
	for (size_t i = env->n; i-- > 0;)
		if (strncmp(env->items[i], name, len) == 0 && env->items[i][len] == '=')
			return env->items[i] + len + 1;
	return "";
}

void forked_set(struct forked_list *env, const char *assignment, struct arena *a)
{
	size_t len = strcspn(assignment, "=");

	if (!len || !assignment[len])
		return;
	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->items[i], assignment, len + 1) != 0)
			continue;
		env->items[i] = assignment;
		return;
	}
	list_add(env, assignment, a);
}

/* "${NAME}" and "$$" within a word. */
static const char *expand(const char *word, const struct forked_list *env, struct arena *a)
{
	struct strbuf b = STRBUF(a, VALUE_MAX);

	strbuf_str(&b, "");
	for (const char *p = word; *p; p++) {
		size_t len = p[0] == '$' && p[1] == '{' ? strcspn(p + 2, "}") : 0;

		if (p[0] == '$' && p[1] == '$') {
			strbuf_char(&b, *p++);
		} else if (len && p[2 + len] == '}') {
			strbuf_str(&b, value_of(env, p + 2, len));
			p += 2 + len;
		} else {
			strbuf_char(&b, *p);
		}
	}
	return b.data ? b.data : "";
}

static bool is_variable(const char *word)
{
	size_t n = 1;

	while (word[0] == '$' && is_name(word[n]))
		n++;
	return n > 1 && !word[n];
}

const char *const *forked_command(const char *line, const struct forked_list *env, struct arena *a,
                                  bool *ignore_failure)
{
	struct forked_list raw, out = {0}, parts;

	/* "+" and "!" ask for privileges, which a step has; "@" and ":" change the meaning of the
	 * rest. */
	*ignore_failure = false;
	for (; *line && strchr("-+!", *line); line++)
		*ignore_failure |= *line == '-';
	if (*line != '/' || !forked_split(line, a, &raw) || !raw.n)
		return NULL;
	for (size_t i = 0; i < raw.n && out.n < WORDS_MAX; i++) {
		if (i == 0 || !is_variable(raw.items[i])) {
			list_add(&out, expand(raw.items[i], env, a), a);
			continue;
		}
		const char *name = raw.items[i] + 1;
		if (!forked_split(value_of(env, name, strlen(name)), a, &parts))
			return NULL;
		for (size_t k = 0; k < parts.n; k++)
			list_add(&out, parts.items[k], a);
	}
	list_add(&out, NULL, a);
	return out.items;
}

void forked_environment(const char *text, struct arena *a, struct forked_list *env)
{
	for (const char *p = text; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");
		const char *line = arena_memdup(a, p, n);

		p += n;
		line += strspn(line, " \t");
		size_t name = 0;
		while (is_name(line[name]))
			name++;
		if (!name || line[name] != '=')
			continue;
		const char *rest = line + name + 1 + strspn(line + name + 1, " \t");
		struct forked_list words;
		const char *value;
		if (*rest == '"' || *rest == '\'') {
			if (!forked_split(rest, a, &words) || !words.n)
				continue;
			value = words.items[0];
		} else {
			size_t len = strlen(rest);
			while (len && isspace((unsigned char)rest[len - 1]))
				len--;
			value = arena_memdup(a, rest, len);
		}
		forked_set(env, arena_printf(a, "%.*s=%s", (int)name, line, value), a);
	}
}
