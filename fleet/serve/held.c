/* SPDX-License-Identifier: Apache-2.0 */
/* Releases jobs that were requeued and held. */
#include "serve/held.h"

#include "base/log.h"
#include "controller/listing.h"
#include "host/exec.h"

#define CALL_MS  20000
#define LIST_MAX (16U << 20)
#define AT_ONCE  100 /* jobs of one scontrol */

/* A line's next column, without the blanks behind it. */
static const char *column(const char **at, const char *end, struct arena *a)
{
	const char *bar = memchr(*at, '|', (size_t)(end - *at)), *stop = bar ? bar : end;
	size_t n = (size_t)(stop - *at);

	while (n && (*at)[n - 1] == ' ')
		n--;
	const char *text = arena_memdup(a, *at, n);
	*at = bar ? bar + 1 : end;
	return text;
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

struct hostlist held_parse(const char *text, struct arena *a)
{
	struct hostlist all = {0};

	for (const char *at = text; *at;) {
		const char *end = at + strcspn(at, "\n");
		const char *id = column(&at, end, a), *priority = column(&at, end, a),
		           *reason = column(&at, end, a), *restarts = column(&at, end, a);

		at = *end ? end + 1 : end;
		if (!is_number(id) || !is_number(restarts) || str_eq(restarts, "0") ||
		    !str_eq(priority, "0") || !str_eq(reason, "BadConstraints"))
			continue;
		all.names = arena_grow(a, all.names, &all.n, sizeof *all.names);
		all.names[all.n - 1] = arena_printf(a, "%s/%s", id, restarts);
	}
	return all;
}

static int list_held(struct arena *a, struct hostlist *ret, struct err *e)
{
	const char *argv[] = {"squeue",
	                      "--noheader",
	                      "--all",
	                      "--states=PENDING",
	                      "--Format=JobID:|,PriorityLong:|,Reason:|,RestartCnt:",
	                      NULL};
	const char *lines;
	int r = listing_read(argv, a, &lines, e);

	if (r < 0)
		return r;
	*ret = held_parse(lines, a);
	return 0;
}

static void release(const char *const *jobs, size_t n, struct arena *a)
{
	struct strbuf list = STRBUF(a, LIST_MAX);
	struct host_result said;
	struct err e;

	strbuf_str(&list, "");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&list, "%s%.*s", i ? "," : "", (int)strcspn(jobs[i], "/"), jobs[i]);
	const char *argv[] = {"scontrol", "release", list.data, NULL};
	const struct host_exec x = {
	        .argv = argv, .changes = true, .deadline = clock_in_ms(CALL_MS)};
	log_notice("released, as they were requeued and held with BadConstraints: jobs %s",
	           list.data);
	if (host_run_here_ok(&x, a, &said, &e) < 0)
		log_warning("releasing jobs: %s", e.text);
}

void held_release(struct fleet *f)
{
	struct arena *a = arena_new();
	struct hostlist now = {0};
	struct err e;

	if (list_held(a, &now, &e) < 0) {
		log_err("asking Slurm for held jobs: %s", e.text);
		arena_close(a);
		return;
	}
	const char **new = arena_array(a, now.n, sizeof *new);
	size_t n = 0;
	for (size_t i = 0; i < now.n; i++)
		if (!hostlist_has(&f->held, now.names[i]))
			new[n++] = now.names[i];
	for (size_t i = 0; i < n; i += AT_ONCE)
		release(new + i, n - i < AT_ONCE ? n - i : AT_ONCE, a);
	arena_close(f->held_arena);
	f->held_arena = a;
	f->held = now;
}
