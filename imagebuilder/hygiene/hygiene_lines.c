/* SPDX-License-Identifier: Apache-2.0 */
/* Finds secrets line by line, in files with a known format. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "hygiene/hygiene_own.h"

#define LINE 1024 /* the rest of a longer line is ignored */

struct line {
	char text[LINE]; /* without leading spaces */
	bool comment;
	long at;
	size_t next; /* offset of the line after it */
};

/* Gets the line that begins at this offset; false: end of the text. */
static bool line_at(const char *text, size_t len, size_t at, struct line *ret)
{
	if (at >= len)
		return false;
	const char *eol = memchr(text + at, '\n', len - at);
	size_t n = eol ? (size_t)(eol - text) - at : len - at, skip = 0;

	while (skip < n && (text[at + skip] == ' ' || text[at + skip] == '\t'))
		skip++;
	size_t cut = n - skip < LINE ? n - skip : LINE - 1;
	memcpy(ret->text, text + at + skip, cut);
	ret->text[cut] = '\0';
	ret->comment = ret->text[0] == '#' || ret->text[0] == ';' || ret->text[0] == '\0';
	ret->at = (long)at;
	ret->next = at + n + 1;
	return true;
}

typedef bool line_fn(const struct hygiene_check *c, const char *line);

static long first_line(const struct hygiene_check *c, const char *text, size_t len, line_fn *is)
{
	struct line l;

	for (size_t at = 0; line_at(text, len, at, &l); at = l.next)
		if (!l.comment && is(c, l.text))
			return l.at;
	return -1;
}

/* ---- proxies and addresses ---- */

static bool has_all(const char *line, const char *const *words)
{
	for (; *words; words++)
		if (!strcasestr(line, *words))
			return false;
	return true;
}

static bool is_proxy(const struct hygiene_check *c, const char *line)
{
	static const char *const apt[] = {"acquire::", "proxy", NULL},
	                         *const env[] = {"_proxy=", NULL},
	                         *const dnf[] = {"proxy", "=", "://", NULL};

	(void)c;
	if (str_starts(line, "//")) /* a comment to apt */
		return false;
	return has_all(line, apt) || has_all(line, env) || has_all(line, dnf);
}

long hygiene_line_proxy(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, is_proxy);
}

/* scheme://user:password@, also in a comment */
long hygiene_line_userinfo(const struct hygiene_check *c, const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	(void)c;
	while ((p = memmem(p, (size_t)(end - p), "://", 3))) {
		p += 3;
		const char *at = p;
		while (at < end && !isspace((unsigned char)*at) && *at != '/' && *at != '@')
			at++;
		if (at < end && *at == '@')
			return p - 3 - text;
	}
	return -1;
}

/* ---- names with values ---- */

/* A path, a variable or a placeholder is not a secret. */
static bool is_value(const char *p)
{
	p += strspn(p, "\"'");
	return *p && !strchr("\"' \t\r/$<{*", *p);
}

/* NAME = VALUE, NAME: VALUE, NAME VALUE; also "export NAME=", and in YAML and JSON. */
static bool has_value(const struct hygiene_check *c, const char *line)
{
	line += str_starts(line, "export ") ? strlen("export ") : 0;
	line += strspn(line, "-\"' ");
	for (const char *const *word = c->words; *word; word++) {
		size_t n = strlen(*word);
		if (strncasecmp(line, *word, n) != 0)
			continue;
		const char *p = line + n + strspn(line + n, "\"'");
		size_t between = strspn(p, " \t=:");
		const char *value = p + between;
		/* "password server = x" is a different name. */
		bool sign = strcspn(p, "=:") < between;
		if (between && is_value(value) && (sign || !value[strcspn(value, " \t")]))
			return true;
	}
	return false;
}

long hygiene_line_value(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, has_value);
}

/* 28 bytes in base64, the first of which give its kind and creation time. */
static bool is_ceph_key(const struct hygiene_check *c, const char *line)
{
	(void)c;
	for (const char *p = line; (p = strstr(p, "AQ")); p += 2) {
		size_t n = 0;
		while (isalnum((unsigned char)p[n]) || p[n] == '+' || p[n] == '/')
			n++;
		if (n == 38 && p[n] == '=' && p[n + 1] == '=')
			return true;
	}
	return false;
}

long hygiene_line_ceph(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, is_ceph_key);
}

static bool has_option(const struct hygiene_check *c, const char *line)
{
	for (const char *const *word = c->words; *word; word++) {
		size_t n = strlen(*word);
		for (const char *p = line; (p = strcasestr(p, *word)); p += n) {
			bool begins = p == line || strchr(", \t=\"'", p[-1]);
			if (begins && p[n] == '=' && is_value(p + n + 1) && p[n + 1] != ',')
				return true;
		}
	}
	return false;
}

long hygiene_line_option(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, has_option);
}

static bool is_any(const struct hygiene_check *c, const char *line)
{
	(void)c, (void)line;
	return true;
}

long hygiene_line_any(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, is_any);
}

/* Client, server and secret of pppd: "*" as a secret is in no use, and an empty one is login's. */
static bool is_ppp_secret(const struct hygiene_check *c, const char *line)
{
	const char *p = line;

	(void)c;
	for (int i = 0; i < 2; i++) {
		p += strcspn(p, " \t");
		p += strspn(p, " \t");
	}
	p += *p == '"';
	return *p && *p != '"' && *p != '*' && *p != '@';
}

long hygiene_line_ppp(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, is_ppp_secret);
}

/* NAME=VALUE of a shell, systemd or make, where the name says that the value is a secret. */
static bool is_environment(const struct hygiene_check *c, const char *line)
{
	for (const char *p = line; (p = strchr(p, '=')); p++) {
		const char *name = p;
		while (name > line && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
			name--;
		for (const char *const *word = c->words; *word; word++) {
			size_t n = strlen(*word);
			if ((size_t)(p - name) >= n && strncasecmp(p - n, *word, n) == 0 &&
			    is_value(p + 1))
				return true;
		}
	}
	return false;
}

long hygiene_line_environment(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, is_environment);
}

static bool has_word(const struct hygiene_check *c, const char *line)
{
	for (const char *const *word = c->words; *word; word++)
		if (strstr(line, *word))
			return true;
	return false;
}

long hygiene_line_with(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, has_word);
}

/* ---- accounts ---- */

static const char *field(const char *line, int i, size_t *ret_len)
{
	for (; i > 0 && line; i--)
		line = strchr(line, ':') ? strchr(line, ':') + 1 : NULL;
	*ret_len = line ? strcspn(line, ":") : 0;
	return line;
}

/*
 * Lines of passwd(5), shadow(5) and gshadow(5), distinguished by their fields: a second user with
 * root's id, an empty password (in gshadow that means there is none), or a password hash, also
 * after the '!' that locks it.
 */
static bool is_account(const struct hygiene_check *c, const char *line)
{
	size_t n, id_len;
	const char *password = field(line, 1, &n), *id = field(line, 2, &id_len);
	int fields = 1;

	(void)c;
	for (const char *p = line; (p = strchr(p, ':')); p++)
		fields++;
	if (!password || !id || fields < 4)
		return false;
	if (fields == 7 && id_len == 1 && *id == '0' && !str_starts(line, "root:"))
		return true;
	if (n == 0)
		return fields != 4;
	return memchr(password, '$', n) || n == 13; /* crypt(5), and traditional DES */
}

long hygiene_line_account(const struct hygiene_check *c, const char *text, size_t len)
{
	return first_line(c, text, len, is_account);
}
