/* SPDX-License-Identifier: Apache-2.0 */
/* The service: reads the spool, acts, compares, waits. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "host/dirwatch.h"
#include "host/host.h"
#include "os/notify.h"
#include "program/stop.h"
#include "serve/act.h"
#include "serve/queue.h"
#include "serve/reconcile.h"
#include "serve/word.h"
#include "spool/spool.h"

#define UNWATCHED_MS 1000
#define FAILED_MS    5000 /* after a failure of this machine, such as a full disk */

/* ---- the beginning ---- */

static int open_all(struct fleet *f, struct err *e)
{
	f->spool = fleet_path(f, FLEET_SPOOL);
	if (geteuid() == 0)
		log_warning("running as root: the unit runs it as SlurmUser, which is enough");
	if (mkdir(f->spool, 0700) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making '%s'", f->spool);
	int r = ledger_open(&f->ledger, fleet_path(f, FLEET_JOURNAL), e);
	if (r < 0)
		return r;
	f->cloud = cloud_open(&f->program.cloud_config);
	queue_restore(f);
	return word_open(f, e);
}

/* ---- one request ---- */

static int of_nodes(struct fleet *f, const struct spool_item *item, struct arena *a, struct err *e)
{
	struct hostlist nodes;
	struct jobs jobs = {0};
	struct err why;

	if (hostlist_parse(item->nodes, a, &nodes, &why) < 0) {
		log_err("%s: %s", spool_verbs[item->verb], why.text);
		return 0;
	}
	if (item->verb == SPOOL_SUSPEND)
		return act_suspend(f, &nodes, "Slurm powered it down", e);
	if (item->verb == SPOOL_RESUME_FAIL)
		return act_resume_failed(f, &nodes, e);
	/* Each node for itself is better than none. */
	if (jobs_read(item->jobs, a, &jobs, &why) < 0)
		log_warning("%s", why.text);
	return act_resume(f, &nodes, &jobs, e);
}

static int carry_out(struct fleet *f, const struct spool_item *item, struct arena *a, struct err *e)
{
	log_info("%s %s", spool_verbs[item->verb], item->nodes);
	switch (item->verb) {
	case SPOOL_START:
		return fleet_mode(f, false, e);
	case SPOOL_STOP:
		return fleet_mode(f, true, e);
	case SPOOL_RECONCILE:
		f->reconcile = clock_now();
		return 0;
	case SPOOL_RESUME:
	case SPOOL_SUSPEND:
	case SPOOL_RESUME_FAIL:
	case SPOOL_VERBS:
		break;
	}
	return of_nodes(f, item, a, e);
}

/* ---- the loop ---- */

static int gather(struct fleet *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct spool all;
	int r = spool_read(f->spool, a, &all, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n; i++) {
		r = carry_out(f, &all.items[i], a, e);
		if (r < 0)
			return r;
		r = spool_done(f->spool, &all.items[i], e);
		if (r < 0)
			return r;
	}
	if (all.n == SPOOL_FILES_MAX)
		fleet_wake(f, clock_now());
	return 0;
}

static int once(struct fleet *f, struct err *e)
{
	bool first = !f->reconcile;

	f->wake = CLOCK_NEVER;
	int r = gather(f, e);
	if (r < 0)
		return r;
	/* A journal that lost its end may want what is there: EC2 is looked at before it is asked. */
	r = first ? 0 : act_pending(f, e);
	if (r < 0)
		return r;
	if (!clock_passed(f->reconcile))
		return 0;
	r = word_read(f, e);
	if (r < 0)
		return r;
	r = reconcile(f, e);
	if (r < 0)
		return r;
	word_tell(f);
	return act_pending(f, e);
}

/* True: go on; false: it is to stop. */
static bool wait_for_work(const struct fleet *f, struct dirwatch *w, int stop)
{
	/* A kernel that has no watches left tells of nothing. */
	uint64_t look = w->fd < 0 ? clock_in_ms(UNWATCHED_MS) : CLOCK_NEVER;
	uint64_t until = clock_min(look, clock_min(f->wake, f->reconcile));
	struct pollfd fds[] = {{.fd = stop, .events = POLLIN}, {.fd = w->fd, .events = POLLIN}};

	(void)clock_poll(fds, ARRAY_LEN(fds), until);
	return !(fds[0].revents & POLLIN);
}

static void tell_systemd(const struct fleet *f)
{
	size_t asked = 0;

	for (size_t i = 0; i < f->ledger.n; i++)
		asked += f->ledger.launches[i].state == LEDGER_ASKED;
	notify_status("%zu instances, %zu launches unanswered%s", fleet_alive(f), asked,
	              f->ledger.stopped ? ", stopped" : "");
}

/* A journal that can't be written ends the service: started again, it reads what is really there. */
static int work(struct fleet *f, const struct host *h, int stop, struct err *e)
{
	scope_dirwatch struct dirwatch w = DIRWATCH_INIT;

	do {
		dirwatch_open(&w, h, f->spool);
		int r = once(f, e);
		if (r < 0 && f->ledger.broken)
			return r;
		if (r < 0) {
			log_err("%s", e->text);
			fleet_wake(f, clock_in_ms(FAILED_MS));
		}
		tell_systemd(f);
	} while (wait_for_work(f, &w, stop));
	return 0;
}

int verb_serve(void *program)
{
	struct fleet *f = program;
	int status = fleet_read_site(f);
	struct host *h = NULL;
	struct err e;

	if (status)
		return status;
	if (open_all(f, &e) < 0 || host_open("/", HOST_LIVE, &h, &e) < 0)
		return program_fail(&f->program, &e);
	struct stop stop = stop_open();
	notify_ready("reading the spool");
	int r = work(f, h, stop.fd, &e);
	stop_close(&stop);
	host_close(h);
	return r < 0 ? program_fail(&f->program, &e) : 0;
}
