/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps status file, events, journal, systemd and console up to date during a run. */
#include "agent/progress.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/console.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "os/journal.h"
#include "os/notify.h"

#define STATUS_MAX (4 * 1024 * 1024) /* 1000 steps with their changes */
#define EVENT_MAX  (64 * 1024)
#define EXTEND_RUN_US                                                                              \
	(30 * 1000 * 1000) /* a tick comes every second; thirty missing mean that we hang */
#define EXTEND_SLACK_MS 10000
#define STATUS_EVERY_MS                                                                            \
	500             /* if everything already holds, writing a status takes longer than a step */
#define SUMMARY_MAX 512 /* bytes of the last line */
#define WHOLE_RUN   SIZE_MAX /* in place of a step */

/*
 * A status that can't be replaced would be wrong from now on. Removing it frees space for the next
 * one, and if even that doesn't help, no status is better than a wrong one.
 */
static int replace_status(struct progress *p, const struct strbuf *b, struct err *e)
{
	const struct file_attr attr = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
	int root = host_root_fd(p->agent->host);
	struct err ignored;
	int r = file_replace(root, AGENT_STATUS, b->data, b->len, &attr, e);

	if (r >= 0 || file_remove(root, AGENT_STATUS, &ignored) < 0)
		return r;
	return file_replace(root, AGENT_STATUS, b->data, b->len, &attr, e);
}

static int try_write_status(struct progress *p, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, STATUS_MAX);

	p->status_stale = false;
	p->status_next = clock_in_ms(STATUS_EVERY_MS);
	if (!p->writes)
		return 0;
	report_json(&p->report, &b);
	return replace_status(p, &b, e);
}

static void write_status(struct progress *p)
{
	struct err e;

	if (try_write_status(p, &e) < 0)
		log_warning("%s", e.text);
}

static void add_event(struct progress *p, const char *event, size_t step,
                      const struct step_outcome *o)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, EVENT_MAX);

	if (p->events < 0)
		return;
	report_event(&b, event, step == WHOLE_RUN ? NULL : p->report.plan, step, o);
	(void)file_write_all(p->events, b.data, b.len); /* a full /run must not end the run */
}

static const char *boot_id(struct agent *g)
{
	struct blob text;
	struct err e;

	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, g->program.arena, &text,
	              &e) < 0)
		return NULL;
	return arena_memdup(g->program.arena, text.data, strcspn(text.data, "\n"));
}

void progress_begin(struct progress *p, struct agent *g, bool writes)
{
	*p = (struct progress){
	        .agent = g,
	        .events = -1,
	        .writes = writes,
	        .report = {.phase = REPORT_STARTING,
	                   .program = g->program.info->command.name,
	                   .version = HPC_VERSION,
	                   .hints = g->program.info->hints,
	                   /* on standard error each step reports its failure when it happens */
	                   .brief = !g->program.journal,
	                   .facts = &g->facts,
	                   .start_ns = g->program.start,
	                   .boot_id = boot_id(g)},
	};
	if (writes)
		p->events = file_open(host_root_fd(g->host), AGENT_EVENTS,
		                      O_WRONLY | O_CREAT | O_APPEND, 0644);
	/* Until there is a plan every wait is bounded by the run's deadline, so ask systemd for
	 * that much. */
	notify_extend(1000 * (clock_left_ms(g->program.deadline) + EXTEND_SLACK_MS));
	notify_status("Finding out who this node is");
	write_status(p);
	add_event(p, "run-started", WHOLE_RUN, NULL);
}

void progress_plan(struct progress *p)
{
	p->report.plan = &p->agent->plan;
	p->report.notes = p->agent->notes.items;
	p->report.n_notes = p->agent->notes.n;
	p->outcomes = arena_array(p->agent->program.arena, p->agent->plan.n, sizeof *p->outcomes);
	p->report.outcomes = p->outcomes;
	p->report.phase = REPORT_RUNNING;
	write_status(p);
}

static void started(void *ctx, const struct plan *plan, size_t step)
{
	struct progress *p = ctx;

	(void)plan;
	p->outcomes[step].state = STEP_RUNNING;
	p->outcomes[step].start_ns = clock_now();
	p->status_stale = true;
	add_event(p, "step-started", step, &p->outcomes[step]);
}

static void finished(void *ctx, const struct plan *plan, size_t step, const struct step_outcome *o)
{
	struct progress *p = ctx;

	p->outcomes[step] = *o;
	report_log(plan, step, o);
	add_event(p, "step-finished", step, o);
	p->status_stale = true;
}

static void tick(void *ctx, size_t running, size_t done)
{
	struct progress *p = ctx;

	if (p->status_stale && clock_passed(p->status_next))
		write_status(p);
	notify_status("%zu of %zu steps done, %zu running", done, p->agent->plan.n, running);
	notify_extend(EXTEND_RUN_US);
}

struct run_observer progress_observer(struct progress *p)
{
	return (struct run_observer){
	        .ctx = p, .started = started, .finished = finished, .tick = tick};
}

static bool is_good(enum report_phase phase)
{
	return phase == REPORT_READY || phase == REPORT_DEGRADED;
}

/* The summary without its newline; *ret_text is the part after the program's name. */
static const char *summary(const struct report *r, struct arena *a, const char **ret_text)
{
	struct strbuf line = STRBUF(a, SUMMARY_MAX);

	report_summary(r, &line);
	line.data[strcspn(line.data, "\n")] = '\0';
	*ret_text = line.data + strlen(r->program) + strlen(": ");
	return line.data;
}

static void log_summary(const struct progress *p, const struct err *cause)
{
	scope_arena struct arena *a = arena_new();
	bool good = is_good(p->report.phase);
	const struct log_field fields[] = {
	        {"HPC_STATE", report_phase_name(p->report.phase)},
	        {"MESSAGE_ID", good ? JOURNAL_ID_RUN_READY : JOURNAL_ID_RUN_FAILED},
	        {"HPC_REASON", cause ? reason_row(cause->reason)->name : ""},
	};
	const char *text;

	(void)summary(&p->report, a, &text);
	log_record(good ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERR, fields,
	           ARRAY_LEN(fields) - (cause ? 0 : 1), "%s", text);
}

/* Compute nodes are logged in to from the cluster, the others from anywhere. */
static void tell_console(const struct progress *p, const char *line)
{
	if (p->agent->node.node.role != CLUSTER_COMPUTE)
		console_host_keys(host_root_fd(p->agent->host));
	console_line(line);
}

/* One line for the journal, systemd and the console, which has it last. */
static void tell_end(struct progress *p, const struct err *cause)
{
	scope_arena struct arena *a = arena_new();
	struct report whole = p->report;
	const char *text;

	add_event(p, "run-finished", WHOLE_RUN, NULL);
	scope_close(&p->events);
	if (p->report.phase == REPORT_PENDING)
		return;
	log_summary(p, cause);
	if (!p->writes)
		return;
	whole.brief = false;
	const char *line = summary(&whole, a, &text);
	if (host_is_self(p->agent->host))
		tell_console(p, line);
	if (is_good(p->report.phase)) {
		notify_ready(text);
		return;
	}
	notify_status("%s", text);
	notify_errno(cause && cause->no ? cause->no : 1);
}

/* The status must never say "ready" when the exit status says otherwise, nor the reverse. */
static void write_end(struct progress *p, const struct err *outside)
{
	p->report.err = outside;
	if (try_write_status(p, &p->unwritten) >= 0)
		return;
	log_err("%s", p->unwritten.text);
	if (!is_good(p->report.phase))
		return;
	p->report.phase = REPORT_FAILED;
	p->report.err = &p->unwritten;
	p->report.exit_status = err_exit_status(p->unwritten.kind);
}

int progress_amend(struct progress *p, const struct err *e)
{
	p->report.phase = REPORT_FAILED;
	p->report.exit_status = err_exit_status(e->kind);
	write_end(p, e);
	return p->report.exit_status;
}

int progress_end(struct progress *p, enum report_phase phase, int exit_status,
                 const struct err *outside, const struct err *cause)
{
	p->report.phase = phase;
	p->report.exit_status = exit_status;
	p->report.end_ns = clock_now();
	write_end(p, outside);
	tell_end(p, p->report.err == &p->unwritten ? &p->unwritten : cause);
	return p->report.exit_status;
}
