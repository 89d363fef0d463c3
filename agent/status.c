/* SPDX-License-Identifier: Apache-2.0 */
/* status: prints what status.json says; with --wait, once the run in progress has ended. */
#include <errno.h>
#include <stdio.h>

#include "agent/source.h"
#include "base/file.h"
#include "data/json.h"
#include "host/dirwatch.h"
#include "host/lock.h"

#define STATUS_MAX_BYTES (4 * 1024 * 1024)
/* A run that is killed while one of its steps is stuck in the kernel releases the lock without any
 * event. */
#define LOOK_AGAIN_MS 5000
#define EXIT_DEADLINE 7
#define TEXT_MAX      (4 * 1024 * 1024)

static int read_status(struct agent *g, struct blob *ret_text, struct doc **ret, struct err *e)
{
	int r = host_exists(g->host, AGENT_STATUS)
	                ? host_read(g->host, AGENT_STATUS, STATUS_MAX_BYTES, g->program.arena,
	                            ret_text, e)
	                : err_set(e, ERR_HOST, REASON_HOST_FILE, ENOENT,
	                          "no bootstrap has run here since the machine started");

	return r < 0 ? r : json_parse(AGENT_STATUS, *ret_text, g->program.arena, ret, e);
}

static bool ended(const struct doc *status)
{
	const char *phase = doc_text(status, "phase");

	return str_eq(phase, "ready") || str_eq(phase, "degraded") || str_eq(phase, "failed");
}

static uint64_t number(const struct doc *d, const char *key)
{
	uint64_t v = 0;
	const char *text = doc_text(d, key);

	if (text)
		(void)str_u64(text, 0, UINT64_MAX, &v);
	return v;
}

static void print_step(const struct doc *step, struct strbuf *b)
{
	uint64_t start = number(step, "start_ns"), end = number(step, "end_ns");
	const struct doc *error = doc_get(step, "error");

	strbuf_printf(b, "  %-8s %-40s", doc_text(step, "state"), doc_text(step, "id"));
	if (start)
		strbuf_printf(b, " %8.3f s", (double)((end ? end : clock_now()) - start) / 1e9);
	if (error && doc_text(error, "text"))
		strbuf_printf(b, "\n           %s", doc_text(error, "text"));
	strbuf_char(b, '\n');
}

static void print_words(const struct doc *status, bool running, struct strbuf *b)
{
	const struct doc *facts = doc_get(status, "facts"), *steps = doc_get(status, "steps"),
	                 *error = doc_get(status, "error");
	const char *phase = ended(status) || running ? doc_text(status, "phase") : "interrupted";
	uint64_t start = number(status, "start_ns"), end = number(status, "end_ns");

	strbuf_str(b, phase);
	if (facts && doc_text(facts, "node"))
		strbuf_printf(b, "  node %s", doc_text(facts, "node"));
	if (facts && doc_text(facts, "role"))
		strbuf_printf(b, "  role %s", doc_text(facts, "role"));
	if (start && end)
		strbuf_printf(b, "  %.3f s", (double)(end - start) / 1e9);
	strbuf_char(b, '\n');
	if (error && doc_text(error, "text"))
		strbuf_printf(b, "  %s\n  %s\n", doc_text(error, "text"),
		              doc_text(error, "hint") ? doc_text(error, "hint") : "");
	for (size_t i = 0; steps && i < steps->n; i++)
		print_step(steps->items[i], b);
}

/* The exit status of the run; 6 while it is in progress, 1 if it was interrupted. A --wait that ran
 * out of time gives EXIT_DEADLINE. */
static int exit_status(const struct doc *status, bool running)
{
	if (!ended(status))
		return running ? 6 : 1;
	return (int)number(status, "exit_status");
}

int verb_status(void *program)
{
	struct agent *g = program;
	struct strbuf b = STRBUF(g->program.arena, TEXT_MAX);
	struct blob text = {0};
	struct doc *status = NULL;
	struct err e;
	scope_dirwatch struct dirwatch changes = DIRWATCH_INIT;
	bool running;
	int r = source_open(g, &e);

	if (r < 0)
		return program_fail(&g->program, &e);
	/* The lock is checked first: a run that ends in between is then seen as ended, not as
	 * interrupted. */
	for (;;) {
		uint64_t deadline = g->program.deadline;

		if (g->opt.wait)
			dirwatch_open(&changes, g->host, HOST_LOCK_DIR);
		running = host_lock_held(g->host);
		r = read_status(g, &text, &status, &e);
		bool wait = g->opt.wait && (r < 0 ? e.no == ENOENT : !ended(status) && running);
		if (!wait || clock_passed(deadline))
			break;
		dirwatch_wait(&changes, clock_min(deadline, clock_in_ms(LOOK_AGAIN_MS)));
	}
	if (r < 0)
		return program_fail(&g->program, &e);
	bool late = g->opt.wait && running && !ended(status);
	if (g->program.json)
		strbuf_add(&b, text.data, text.len);
	else if (!g->program.quiet)
		print_words(status, running, &b);
	if (b.len)
		fwrite(b.data, 1, b.len, stdout);
	return late ? EXIT_DEADLINE : exit_status(status, running);
}
