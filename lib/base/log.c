/* SPDX-License-Identifier: Apache-2.0 */
/* Passes log records to the sink, one line each and without secrets. */
#include "base/log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"

#define LINE_MAX_BYTES 2048

static struct {
	log_sink_fn *fn;
	void *ctx;
	enum log_level max;
} sink;

void log_set_sink(log_sink_fn *fn, void *ctx, enum log_level max)
{
	sink.fn = fn;
	sink.ctx = ctx;
	sink.max = max;
}

static void blank(char *from, const char *to)
{
	for (; from < to; from++)
		*from = '*';
}

static bool id_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* AKIA... and ASIA... key ids have 16 or more capitals and digits after the prefix. */
static void blank_key_ids(char *text)
{
	for (char *p = text; (p = strpbrk(p, "A")); p++) {
		if (strncmp(p, "AKIA", 4) != 0 && strncmp(p, "ASIA", 4) != 0)
			continue;
		char *end = p + 4;
		while (id_char(*end))
			end++;
		if (end - p >= 20)
			blank(p + 4, end);
		p = end - 1;
	}
}

/* Blanks the value after a header or query name, up to the end of such a value. */
static void blank_values(char *text)
{
	static const char *const names[] = {
	        "x-amz-signature=",      "x-amz-security-token=",     "x-amz-credential=",
	        "x-amz-security-token:", "x-aws-ec2-metadata-token:", "authorization:",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (char *p = text; (p = strcasestr(p, names[i]));) {
			p += strlen(names[i]);
			while (*p == ' ')
				p++;
			bool header = names[i][strlen(names[i]) - 1] == ':';
			char *end = p + strcspn(p, header ? "\r\n" : "& \t\r\n\"'");
			blank(p, end);
			p = end;
		}
}

/* scheme://user:password@host */
static void blank_userinfo(char *text)
{
	for (char *p = text; (p = strstr(p, "://")); p += 3) {
		char *authority = p + 3, *end = authority + strcspn(authority, "/?# \t\r\n\"'");
		char *at = memrchr(authority, '@', (size_t)(end - authority));

		if (at)
			blank(authority, at);
	}
}

void log_redact(char *text)
{
	blank_key_ids(text);
	blank_values(text);
	blank_userinfo(text);
}

static void ATTR_PRINTF(4, 0) emit(enum log_level level, const struct log_field *fields, size_t n,
                                   const char *fmt, va_list ap)
{
	char raw[LINE_MAX_BYTES], line[LINE_MAX_BYTES];

	if (!sink.fn || level > sink.max)
		return;
	vsnprintf(raw, sizeof raw, fmt, ap);
	log_redact(raw);
	str_escape(raw, strlen(raw), line, sizeof line);
	sink.fn(sink.ctx, level, line, fields, n);
}

void log_text(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(level, NULL, 0, fmt, ap);
	va_end(ap);
}

void log_record(enum log_level level, const struct log_field *fields, size_t n, const char *fmt,
                ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(level, fields, n, fmt, ap);
	va_end(ap);
}

void log_stderr_sink(void *program, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)level, (void)fields, (void)n;
	dprintf(STDERR_FILENO, "%s: %s\n", (const char *)program, text);
}
