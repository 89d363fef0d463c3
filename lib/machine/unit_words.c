/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a unit's last output from the journal. */
#include <stdio.h>

#include "base/clock.h"
#include "machine/unit_own.h"

/* SD_MESSAGE_SPAWN_FAILED, <systemd/sd-messages.h> */
#define SPAWN_FAILED "MESSAGE_ID=641257651c1b4ec9a8624d7a40a9e1e7"
#define QUERY_MS     3000
#define LINES        "64"

static struct blob query(struct host *h, const char *const *argv, struct arena *a)
{
	struct host_exec x = {.argv = argv, .deadline = clock_in_ms(QUERY_MS)};
	struct host_result res;
	struct err ignored;

	if (host_run(h, &x, a, &res, &ignored) < 0 || res.status != 0)
		return (struct blob){"", 0};
	return res.out;
}

/* The lines come newest first, as requested: with --since, --lines would otherwise count from the
 * oldest. */
static struct blob turn_around(struct blob lines, struct arena *a)
{
	struct strbuf out = STRBUF(a, lines.len + 1);
	size_t end = lines.len;

	while (end) {
		size_t start = end - 1;

		while (start && lines.data[start - 1] != '\n')
			start--;
		strbuf_add(&out, lines.data + start, end - start);
		end = start;
	}
	return (struct blob){out.data ? out.data : "", out.len};
}

/* The journal's last lines of the unit, `by` its processes or including systemd's about it; only
 * those that match `also`, if given. */
static struct blob journal_of(struct host *h, const char *by, const char *unit, const char *also,
                              time_t since, const char *lines, struct arena *a)
{
	const char *const argv[] = {"journalctl",
	                            "--no-pager",
	                            "--quiet",
	                            "--output=cat",
	                            "--reverse",
	                            arena_printf(a, "--lines=%s", lines),
	                            arena_printf(a, "--since=@%lld", (long long)since),
	                            arena_printf(a, "%s=%s", by, unit),
	                            also,
	                            NULL};

	return turn_around(query(h, argv, a), a);
}

/* The output of its processes if there is any since then; else the reason why its program could not
 * be run; else systemd's message about it. Selected by unit, not by invocation: the journal no
 * longer knows the invocation of a process that has ended. Sometimes it doesn't know the unit
 * either, but a process that could not run its program logs the unit itself. */
const char *unit_last_words(struct host *h, const char *unit, time_t since, struct arena *a)
{
	static const struct {
		const char *by, *also;
	} matches[] = {{"_SYSTEMD_UNIT", NULL}, {"UNIT", SPAWN_FAILED}, {"--unit", NULL}};
	char line[300] = "";

	query(h, (const char *const[]){"journalctl", "--sync", NULL}, a);
	for (size_t i = 0; i < ARRAY_LEN(matches) && !*line; i++)
		host_last_line(journal_of(h, matches[i].by, unit, matches[i].also, since, "1", a),
		               line, sizeof line);
	return arena_strdup(a, line);
}

struct blob unit_words_since(struct host *h, const char *unit, time_t since, struct arena *a)
{
	query(h, (const char *const[]){"journalctl", "--sync", NULL}, a);
	return journal_of(h, "_SYSTEMD_UNIT", unit, NULL, since, LINES, a);
}
