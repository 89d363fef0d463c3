/* SPDX-License-Identifier: Apache-2.0 */
/* Writes log records into systemd's journal. */
#include "os/journal.h"

#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>

/* Without this all records would carry this file as their source. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/arena.h"

#define FIELDS_MAX 16

static bool is_field_name(const char *s)
{
	if (*s < 'A' || *s > 'Z')
		return false;
	while ((*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_')
		s++;
	return !*s;
}

static struct iovec field(struct arena *a, const char *name, const char *value)
{
	char *text = arena_printf(a, "%s=%s", name, value);

	return (struct iovec){text, strlen(text)};
}

void journal_sink(void *ctx, enum log_level level, const char *text, const struct log_field *fields,
                  size_t n)
{
	scope_arena struct arena *a = arena_new();
	struct iovec iov[3 + FIELDS_MAX];
	int used = 0;

	iov[used++] = field(a, "MESSAGE", text);
	iov[used++] = field(a, "PRIORITY", arena_printf(a, "%d", (int)level));
	iov[used++] = field(a, "SYSLOG_IDENTIFIER", ctx);
	for (size_t i = 0; i < n && i < FIELDS_MAX; i++)
		if (is_field_name(fields[i].name) && fields[i].value)
			iov[used++] = field(a, fields[i].name, fields[i].value);
	sd_journal_sendv(iov, used);
}
