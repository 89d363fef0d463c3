/* SPDX-License-Identifier: Apache-2.0 */
/* Fills errors, and maps their kinds to exit statuses. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Formats into e->text with control characters escaped and "..." where it had to be cut. */
static void ATTR_PRINTF(2, 0) set_text(struct err *e, const char *fmt, va_list ap)
{
	char raw[2 * sizeof e->text], shown[4 * sizeof raw];
	int n = vsnprintf(raw, sizeof raw, fmt, ap);
	size_t len = strlen(str_escape(raw, n < 0 ? 0 : strlen(raw), shown, sizeof shown));

	if (len < sizeof e->text && (size_t)n < sizeof raw) {
		memcpy(e->text, shown, len + 1);
		return;
	}
	if (len > sizeof e->text - 4)
		len = sizeof e->text - 4;
	while (len > 0 && ((unsigned char)shown[len] & 0xc0) == 0x80)
		len--; /* don't cut within a character */
	memcpy(e->text, shown, len);
	memcpy(e->text + len, "...", 4);
}

int err_set(struct err *e, enum err_kind kind, enum reason reason, int no, const char *fmt, ...)
{
	va_list ap;

	e->no = no > 0 ? no : EIO;
	e->kind = kind;
	e->reason = reason;
	va_start(ap, fmt);
	set_text(e, fmt, ap);
	va_end(ap);
	return -e->no;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof e->text], outer[sizeof e->text];
	va_list ap;

	memcpy(inner, e->text, sizeof inner);
	va_start(ap, fmt);
	set_text(e, fmt, ap);
	va_end(ap);
	memcpy(outer, e->text, sizeof outer);
	return err_set(e, e->kind, e->reason, e->no, "%s: %s", outer, inner);
}

int err_errno(struct err *e, int no, const char *fmt, ...)
{
	char what[sizeof e->text];
	va_list ap;
	enum reason reason = no == ENOSPC || no == EDQUOT ? REASON_HOST_SPACE : REASON_HOST_FILE;

	va_start(ap, fmt);
	set_text(e, fmt, ap);
	va_end(ap);
	memcpy(what, e->text, sizeof what);
	return err_set(e, ERR_HOST, reason, no, "%s: %s", what, strerror(no));
}

static const struct {
	const char *name;
	int exit_status;
} kinds[] = {
        [ERR_NONE] = {"none", 0},     [ERR_INPUT] = {"input", 3},
        [ERR_DENIED] = {"denied", 4}, [ERR_ABSENT] = {"absent", 4},
        [ERR_RETRY] = {"retry", 4},   [ERR_INTEGRITY] = {"integrity", 5},
        [ERR_HOST] = {"host", 1},     [ERR_BUG] = {"bug", 70},
        [ERR_BUSY] = {"busy", 6},     [ERR_DEADLINE] = {"deadline", 7},
        [ERR_USAGE] = {"usage", 2},
};

int err_exit_status(enum err_kind kind)
{
	return (size_t)kind < ARRAY_LEN(kinds) ? kinds[kind].exit_status : 70;
}

const char *err_kind_name(enum err_kind kind)
{
	return (size_t)kind < ARRAY_LEN(kinds) ? kinds[kind].name : "bug";
}
