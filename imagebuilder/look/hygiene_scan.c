/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for secrets in content. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "look/hygiene_own.h"

#define KEY_ID_LEN 20 /* AKIA or ASIA and sixteen more */

static bool is_key_id_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* AWS writes its examples so that they end like this. */
static bool is_example(const char *id)
{
	return memcmp(id + KEY_ID_LEN - 7, "EXAMPLE", 7) == 0;
}

static bool is_key_id(const char *text, size_t len, size_t at)
{
	if (len - at < KEY_ID_LEN || (at > 0 && isalnum((unsigned char)text[at - 1])))
		return false;
	for (size_t i = 4; i < KEY_ID_LEN; i++)
		if (!is_key_id_char(text[at + i]))
			return false;
	if (at + KEY_ID_LEN < len && isalnum((unsigned char)text[at + KEY_ID_LEN]))
		return false;
	return !is_example(text + at);
}

static long scan_key_id(const char *text, size_t len, const char *prefix)
{
	const char *p = text;

	while ((p = memmem(p, len - (size_t)(p - text), prefix, 4))) {
		if (is_key_id(text, len, (size_t)(p - text)))
			return p - text;
		p += 4;
	}
	return -1;
}

long hygiene_scan_aws(const char *text, size_t len)
{
	long at = scan_key_id(text, len, "AKIA");

	return at >= 0 ? at : scan_key_id(text, len, "ASIA");
}

/* After the BEGIN line comes a line of at least this many characters of base64, or headers. */
static bool has_key_body(const char *p, const char *end)
{
	size_t n = 0;

	while (p < end && (*p == '\r' || *p == '\n'))
		p++;
	if (end - p > 10 && memcmp(p, "Proc-Type:", 10) == 0)
		return true;
	for (; p < end && (isalnum((unsigned char)*p) || *p == '+' || *p == '/' || *p == '='); p++)
		n++;
	return n >= 32;
}

/* "-----BEGIN [KIND ]PRIVATE KEY-----" and what looks like a key: programs that read keys have the
 * first without the second. */
long hygiene_scan_key(const char *text, size_t len)
{
	static const char begin[] = "-----BEGIN ", tail[] = "PRIVATE KEY-----";
	const char *p = text, *end = text + len;

	while ((p = memmem(p, (size_t)(end - p), begin, sizeof begin - 1))) {
		const char *word = p + sizeof begin - 1;
		const char *limit = end - word > 64 ? word + 64 : end;
		const char *found = memmem(word, (size_t)(limit - word), tail, sizeof tail - 1);
		if (found && has_key_body(found + sizeof tail - 1, end))
			return p - text;
		p = word;
	}
	return -1;
}

/* A line that is not a comment and has all of these words, in any case. */
static long scan_line(const char *text, size_t len, const char *const *words)
{
	for (size_t at = 0; at < len;) {
		const char *eol = memchr(text + at, '\n', len - at);
		size_t n = eol ? (size_t)(eol - text) - at : len - at;
		char line[512];
		size_t i = 0, cut = n < sizeof line ? n : sizeof line - 1;

		memcpy(line, text + at, cut);
		line[cut] = '\0';
		while (line[i] == ' ' || line[i] == '\t')
			i++;
		bool all = line[i] != '#' && !(line[i] == '/' && line[i + 1] == '/');
		for (size_t k = 0; all && words[k]; k++)
			all = strcasestr(line, words[k]);
		if (all)
			return (long)at;
		at += n + 1;
	}
	return -1;
}

long hygiene_scan_proxy(const char *text, size_t len)
{
	static const char *const apt[] = {"acquire::", "proxy", NULL},
	                         *const env[] = {"_proxy=", NULL},
	                         *const dnf[] = {"proxy", "=", "://", NULL};
	long at = scan_line(text, len, apt);

	if (at < 0)
		at = scan_line(text, len, env);
	return at >= 0 ? at : scan_line(text, len, dnf);
}

/* scheme://user:password@ */
long hygiene_scan_userinfo(const char *text, size_t len)
{
	const char *p = text, *end = text + len;

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

/* A finding at the very beginning of a later piece was seen in the one before, with what precedes
 * it, and was none. */
static long scan_piece(hygiene_scan_fn *scan, const char *text, size_t len, bool later)
{
	long at = scan(text, len);

	if (at != 0 || !later)
		return at;
	at = scan(text + 1, len - 1);
	return at < 0 ? -1 : at + 1;
}

int hygiene_scan_file(int fd, hygiene_scan_fn *const *scans, size_t n, long *ret, char *buffer)
{
	size_t have = 0;
	long before = 0; /* bytes of the file that are out of the buffer */
	size_t left = n;

	for (size_t i = 0; i < n; i++)
		ret[i] = -1;
	while (left) {
		ssize_t got = read(fd, buffer + have, HYGIENE_BUFFER - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		have += (size_t)got;
		if (got > 0 && have < HYGIENE_BUFFER)
			continue;
		for (size_t i = 0; i < n; i++) {
			long at = ret[i] < 0 ? scan_piece(scans[i], buffer, have, before > 0) : -1;
			if (at < 0)
				continue;
			ret[i] = before + at;
			left--;
		}
		if (got == 0)
			return 0;
		/* One character more than what a finding spans: the one before it counts, too. */
		memmove(buffer, buffer + have - HYGIENE_OVERLAP, HYGIENE_OVERLAP);
		before += (long)(have - HYGIENE_OVERLAP);
		have = HYGIENE_OVERLAP;
	}
	return 0;
}
