/* SPDX-License-Identifier: Apache-2.0 */
/* Tells jobs why their nodes can't be had. */
#include "controller/comment.h"

#include "base/clock.h"
#include "base/log.h"
#include "controller/listing.h"
#include "controller/nodes.h"
#include "host/exec.h"

#define CALL_MS     20000
#define LIST_MAX    (4U << 20)
#define AT_ONCE     100 /* jobs of one scontrol */
#define COMMENT_MAX 400 /* bytes of it that are shown */

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

struct comment_jobs comment_parse(const char *text, struct arena *a)
{
	struct comment_jobs all = {0};

	for (const char *at = text; *at;) {
		const char *end = at + strcspn(at, "\n");
		const char *id = arena_memdup(a, at, (size_t)(end - at));

		at = *end ? end + 1 : end;
		if (!is_number(id))
			continue;
		all.ids = arena_grow(a, all.ids, &all.n, sizeof *all.ids);
		all.ids[all.n - 1] = id;
	}
	return all;
}

struct comment_jobs comment_jobs_of(const char *list, struct arena *a)
{
	const char *argv[] = {"squeue",      "--noheader",
	                      "--all",       arena_printf(a, "--nodelist=%s", list),
	                      "--format=%A", NULL};
	const char *lines;
	struct err e;

	if (listing_read(argv, a, &lines, &e) < 0) {
		log_warning("which jobs wait for %s isn't known: %s", list, e.text);
		return (struct comment_jobs){0};
	}
	return comment_parse(lines, a);
}

static void set_some(const char *const *ids, size_t n, const char *text, struct arena *a)
{
	struct strbuf list = STRBUF(a, LIST_MAX);
	struct host_result said;
	struct err e;

	strbuf_str(&list, "JobId=");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&list, "%s%s", i ? "," : "", ids[i]);
	const char *argv[] = {"scontrol", "update", list.data,
	                      arena_printf(a, "AdminComment=%s", text), NULL};
	const struct host_exec x = {
	        .argv = argv, .changes = true, .deadline = clock_in_ms(CALL_MS)};
	/* One that was cancelled meanwhile is none to be told. */
	if (host_run_here_ok(&x, a, &said, &e) < 0)
		log_warning("telling jobs of it: %s", e.text);
}

void comment_set(const struct comment_jobs *jobs, const char *why)
{
	scope_arena struct arena *a = arena_new();
	char at[21];

	clock_rfc3339((time_t)clock_wall(), at);
	const char *text = arena_printf(a, NODES_MARK "%s: %.*s", at, COMMENT_MAX, why);
	for (size_t i = 0; i < jobs->n; i += AT_ONCE)
		set_some(jobs->ids + i, jobs->n - i < AT_ONCE ? jobs->n - i : AT_ONCE, text, a);
}
