/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the progress of work, as lines or JSON events. */
#include "program/feed.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define EVENT_MAX  (64 * 1024)
#define COLUMNS    80
#define PAUSE_MS   200
#define ERASE_LINE "\r\033[K" /* ECMA-48: back to the first column, erase to the end */

void feed_open(struct feed *f, const struct program *p, FILE *lines)
{
	*f = (struct feed){
	        .json = p->json,
	        .quiet = p->quiet,
	        .terminal = isatty(fileno(lines)) == 1,
	        .lines = lines,
	};
}

void feed_close(struct feed *f)
{
	if (f->passing)
		fputc('\n', f->lines);
	fflush(f->lines);
	f->passing = false;
}

void feed_clear(struct feed *f)
{
	if (f->passing)
		fputs(ERASE_LINE, f->lines);
	f->passing = false;
	fflush(f->lines);
}

void feed_line(struct feed *f, const char *fmt, ...)
{
	va_list ap;

	if (f->json || f->quiet)
		return;
	if (f->passing)
		fputs(ERASE_LINE, f->lines);
	f->passing = false;
	f->pause = 0;
	va_start(ap, fmt);
	vfprintf(f->lines, fmt, ap);
	va_end(ap);
	fputc('\n', f->lines);
	fflush(f->lines);
}

void feed_passing(struct feed *f, const char *fmt, ...)
{
	char text[COLUMNS];
	va_list ap;

	if (f->json || f->quiet || !f->terminal || !clock_passed(f->pause))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fprintf(f->lines, "%s%s", f->passing ? ERASE_LINE : "", text);
	fflush(f->lines);
	f->passing = true;
	f->pause = clock_in_ms(PAUSE_MS);
}

struct jsonw *feed_begin(struct feed *f, const char *event)
{
	f->arena = arena_new();
	f->text = (struct strbuf)STRBUF(f->arena, EVENT_MAX);
	f->writer = (struct jsonw){.out = &f->text};
	jsonw_begin(&f->writer, NULL, '{');
	jsonw_u64(&f->writer, "schema", PROGRAM_SCHEMA);
	jsonw_str(&f->writer, "event", event);
	return &f->writer;
}

void feed_end(struct feed *f)
{
	jsonw_end(&f->writer, '}');
	strbuf_char(&f->text, '\n');
	fwrite(f->text.data, 1, f->text.len, stdout);
	fflush(stdout);
	arena_close(f->arena);
	f->arena = NULL;
}
