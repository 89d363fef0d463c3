/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap: finds out who this node is, fetches its configuration, applies it and reports the
 * result. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/progress.h"
#include "agent/source.h"
#include "agent/tell.h"
#include "base/log.h"
#include "base/scope.h"
#include "host/lock.h"
#include "program/stop.h"

#define TEXT_MAX    (4 * 1024 * 1024)
#define POWEROFF_MS 30000

#define EXIT_DEGRADED 8  /* only optional steps failed */
#define EXIT_PENDING  10 /* something would change */

/* ---- printing ---- */

static void list_change(const struct step_outcome *o, size_t k, struct strbuf *b)
{
	strbuf_printf(b, "  %s\n", o->changes.items[k]);
	for (size_t d = 0; d < o->n_details; d++)
		if (o->details[d].change == k)
			strbuf_printf(b, "      %s\n", o->details[d].line);
}

static void list_changes(const struct agent *g, const struct progress *p, struct strbuf *b)
{
	for (size_t i = 0; i < g->plan.n; i++) {
		const struct step_outcome *o = &p->report.outcomes[i];

		if (o->changes.n)
			strbuf_printf(b, "\n%s would\n", g->plan.steps[i]->id);
		for (size_t k = 0; k < o->changes.n; k++)
			list_change(o, k, b);
		if (o->changes_total > o->changes.n)
			strbuf_printf(b, "  and %zu more\n", o->changes_total - o->changes.n);
	}
}

static void print_run(const struct agent *g, const struct progress *p)
{
	struct strbuf b = STRBUF(g->program.arena, TEXT_MAX);

	if (g->program.quiet)
		return;
	if (g->program.json)
		report_json(&p->report, &b);
	else
		report_table(&p->report, &b);
	if (!p->writes && !g->program.json)
		list_changes(g, p, &b);
	fwrite(b.data, 1, b.len, stdout);
}

static void print_plan(const struct agent *g)
{
	struct strbuf b = STRBUF(g->program.arena, TEXT_MAX);

	if (g->program.quiet || g->program.json)
		return;
	plan_print(&g->plan, &b);
	for (size_t i = 0; i < g->notes.n; i++)
		strbuf_printf(&b, "note: %s\n", g->notes.items[i]);
	fwrite(b.data, 1, b.len, stdout);
}

static void log_notes(const struct agent *g)
{
	for (size_t i = 0; i < g->notes.n; i++)
		log_warning("%s", g->notes.items[i]);
}

/* ---- the run ---- */

static const struct err *first_failure(const struct plan *p, const struct run_result *r)
{
	for (int optional = 0; optional <= 1; optional++)
		for (size_t i = 0; i < p->n; i++)
			if (r->outcomes[i].state == STEP_FAILED &&
			    p->steps[i]->policy.optional == (optional == 1))
				return &r->outcomes[i].err;
	return NULL;
}

static bool any_pending(const struct run_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->outcomes[i].state == STEP_PENDING)
			return true;
	return false;
}

static enum report_phase phase_of(int status, const struct run_result *r)
{
	if (any_pending(r) && (status == 0 || status == EXIT_PENDING))
		return REPORT_PENDING;
	if (status == 0)
		return REPORT_READY;
	return status == EXIT_DEGRADED ? REPORT_DEGRADED : REPORT_FAILED;
}

static int run(struct agent *g, struct progress *p)
{
	struct run_observer observer = progress_observer(p);
	scope_stop struct stop stop = stop_open();
	struct run_options options = {
	        .host = g->host,
	        .cloud = g->cloud,
	        .facts = &g->facts,
	        .deadline = g->program.deadline,
	        .stop_fd = stop.fd,
	        .observer = &observer,
	};
	struct run_result result;
	struct err e;

	progress_plan(p);
	if (plan_run(&g->plan, &options, g->program.arena, &result, &e) < 0)
		return progress_end(p, REPORT_FAILED, program_status(&g->program, &e), &e, &e);
	p->report.outcomes = result.outcomes;
	int status = run_exit_status(&g->plan, &result, !p->writes);
	const struct err *cause = first_failure(&g->plan, &result);
	status = progress_end(p, phase_of(status, &result), status, NULL, cause);
	print_run(g, p);
	if (status && status != EXIT_DEGRADED && p->writes)
		tell_failed(g, result.outcomes, cause);
	if (status || (fflush(stdout) == 0 && !ferror(stdout)))
		return status;
	err_errno(&e, errno, "writing standard output");
	log_err("%s", e.text);
	return progress_amend(p, &e);
}

/* ---- afterwards ---- */

static void power_off(struct agent *g, const char *const *argv)
{
	const struct host_exec x = {
	        .argv = argv, .changes = true, .deadline = clock_in_ms(POWEROFF_MS)};
	struct host_result result;
	struct err e;

	if (host_run_ok(g->host, &x, g->program.arena, &result, &e) < 0)
		log_err("on-failure: %s", e.text);
}

/*
 * EC2 turns the power-off into what the instance's InstanceInitiatedShutdownBehavior says.
 * `terminate` does the same and logs that the launch template must say terminate: a compute node
 * has no permission to terminate instances, and needs none.
 */
static void on_failure(struct agent *g)
{
	const char *delay = arena_printf(g->program.arena, "--on-active=%llums",
	                                 (unsigned long long)g->node.hold_ms);
	const char *const now[] = {"systemctl", "--no-block", "poweroff", NULL};
	const char *const later[] = {"systemd-run", "--quiet",  delay,
	                             "systemctl",   "poweroff", NULL};

	if (!host_is_self(g->host) || host_mode(g->host) != HOST_LIVE)
		return;
	switch (g->node.on_failure) {
	case ON_FAILURE_HOLD:
		return;
	case ON_FAILURE_HOLD_FOR:
		log_notice("on-failure: powering off in %llu s",
		           (unsigned long long)(g->node.hold_ms / 1000));
		power_off(g, later);
		return;
	case ON_FAILURE_TERMINATE:
		log_notice("on-failure: powering off; the launch template's shutdown behaviour "
		           "must be 'terminate'");
		power_off(g, now);
		return;
	case ON_FAILURE_POWEROFF:
		log_notice("on-failure: powering off");
		power_off(g, now);
		return;
	}
}

/* Opens what a run works with; changing things needs root and the machine's lock. */
static int begin(struct agent *g, bool writes, int *ret_lock, struct err *e)
{
	int r = source_open(g, e);

	if (r < 0 || !writes)
		return r;
	if (host_is_self(g->host) && geteuid() != 0)
		return err_set(e, ERR_HOST, REASON_HOST_PRIVILEGE, EPERM,
		               "changing this machine needs root; 'hpc-agent plan' does not");
	return host_lock(g->host, ret_lock, e);
}

static int find_plan(struct agent *g, struct err *e)
{
	int r = source_node(g, e);

	if (r < 0)
		return r;
	return config_plan(g, e);
}

static int converge(struct agent *g, bool writes)
{
	scope_fd int lock = -1;
	struct progress p;
	struct err e = {0};

	if (begin(g, writes, &lock, &e) < 0)
		return program_fail(&g->program, &e);
	g->boots = writes && !host_exists(g->host, AGENT_STATUS);
	progress_begin(&p, g, writes);
	if (find_plan(g, &e) < 0) {
		int status =
		        progress_end(&p, REPORT_FAILED, program_status(&g->program, &e), &e, &e);

		program_hint(&g->program, &e);
		on_failure(g);
		return status;
	}
	if (writes)
		log_notes(g);
	else
		print_plan(g);
	int status = run(g, &p);
	if (status && status != EXIT_DEGRADED && writes)
		on_failure(g);
	return status;
}

int verb_bootstrap(void *program)
{
	struct agent *g = program;

	return converge(g, !g->opt.dry_run);
}

int verb_plan(void *program)
{
	return converge(program, false);
}
