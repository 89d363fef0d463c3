/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining: starts slurmd when the controller can be reached; the node has joined when the
 * controller says so.
 *
 * slurmd 22.05 gives up fetching its configuration after some seconds and, once running, doubles
 * the pause between tries to register up to 128 s; hence the port check before and the one restart
 * after. It is enough to begin that the controller listens: if it refuses us, slurmd reports that
 * as scontrol would. The record of a static node that rebooted still says IDLE: only a record of
 * the slurmd that runs now counts.
 */
#include <errno.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "slurm/slurm_own.h"

#define MARGIN_MS      1000  /* part of the step's time that is kept for reporting the error */
#define KNOCK_MS       3000  /* scontrol itself keeps trying for 9 s */
#define QUERY_MS       10000 /* a busy slurmctld */
#define CONNECT_MS     3000
#define DOWN_MS        3000 /* a node that registers comes up at once, unless it is kept down */
#define NUDGE_MS       10000
#define LISTEN_MS      5000
#define LISTEN_EACH_MS 20
#define LISTEN_LOOKS   10 /* port checks for each check of the unit's state */
/* A slurmd that can register does so within a second, so queries of 15 ms begin at short intervals;
 * when a thousand nodes can't, their queries must not overload the head. */
#define SOON_MS     3000
#define SOON_CAP_MS 150
#define LATE_CAP_MS 3000

struct join {
	const struct step_ctx *c;
	const struct slurm_spec *s;
	uint64_t until;
	time_t since; /* when slurmd was started */
};

static uint64_t in_ms(const struct join *j, uint64_t ms)
{
	return clock_min(j->until, clock_in_ms(ms));
}

static int unreachable(const struct join *j, struct err *e)
{
	return err_wrap(e, "waiting for slurmctld of node '%s'", j->s->node);
}

static int wait_for_port(const struct join *j, struct err *e)
{
	return slurm_wait_port(j->s, CONNECT_MS, j->until, e) < 0 ? unreachable(j, e) : 0;
}

/* Waits until the controller answers us. */
static int gate(const struct join *j, struct err *e)
{
	struct backoff b = {.base_ms = 200, .cap_ms = 5000};
	uint64_t patience = in_ms(j, SLURM_PATIENCE_MS), wait = KNOCK_MS;

	for (;;) {
		struct slurm_node node;
		int r = slurm_query(j->c, j->s, in_ms(j, wait), &node, e);

		if (r >= 0)
			return 0;
		if (e->reason != REASON_SLURMCTLD_UNREACHABLE &&
		    (!slurm_may_pass(e) || clock_passed(patience)))
			return r;
		if (e->reason == REASON_SLURMCTLD_UNREACHABLE) {
			log_notice("slurmctld does not answer yet: %s", e->text);
			/* Only scontrol knows the port in a slurm.conf. */
			r = j->s->configless ? wait_for_port(j, e) : 0;
			if (r < 0)
				return r;
		}
		if (!backoff_wait(&b, 0, j->until))
			return unreachable(j, e);
		wait = QUERY_MS;
	}
}

static int start(const struct join *j, struct err *e)
{
	return slurm_start(j->c, j->s, HOST_UNIT_RESTART, j->until, e);
}

/* slurmd ended by itself. Its log decides: it is started again only if slurmctld was unreachable or
 * refused our credentials, which may pass. */
static int restart_dead(const struct join *j, const struct host_unit_state *state, struct err *e)
{
	struct err ignored;

	slurm_refusal(j->c, j->s, host_unit_words(j->c->host, SLURM_UNIT, j->c->arena),
	              "slurmd ended by itself", e);
	err_wrap(e, "joining as node '%s': %s is %s (%s)", j->s->node, SLURM_UNIT,
	         state->active_state, *state->result ? state->result : state->sub_state);
	bool passing = e->reason == REASON_SLURMCTLD_UNREACHABLE || slurm_may_pass(e);
	/* Otherwise systemd would restart it forever. */
	(void)!host_unit_do(j->c->host, SLURM_UNIT, HOST_UNIT_STOP, j->c->deadline, &ignored);
	if (!passing)
		return -e->no;
	int r = gate(j, e);
	return r < 0 ? r : start(j, e);
}

static int check_daemon(struct join *j, struct err *e)
{
	struct host_unit_state state;
	int r = host_unit_state(j->c->host, SLURM_UNIT, &state, j->until, e);

	if (r < 0)
		return r;
	j->since = (time_t)(state.started_us / 1000000);
	return state.active ? 0 : restart_dead(j, &state, e);
}

static int not_registered(const struct join *j, const struct slurm_node *n, struct err *e)
{
	return err_set(e, ERR_HOST, REASON_SLURM_NOT_REGISTERED, ETIMEDOUT,
	               "joining as node '%s': the controller has not seen it register, %s%s",
	               j->s->node, n ? "its state is " : "and does not list it", n ? n->state : "");
}

static int invalid(const struct join *j, const struct slurm_node *n, struct err *e)
{
	return err_set(
	        e, ERR_HOST, REASON_SLURM_NODE_INVALID, EINVAL,
	        "joining as node '%s': the controller refuses it, state %s: %s; this machine is "
	        "'%s'",
	        j->s->node, n->state, n->reason, slurm_hardware(j->c, j->s));
}

static int down(const struct join *j, const struct slurm_node *n, struct err *e)
{
	return err_set(
	        e, ERR_HOST, REASON_SLURM_NODE_DOWN, EHOSTDOWN,
	        "joining as node '%s': it registered and the controller keeps it in state %s: "
	        "%s",
	        j->s->node, n->state, *n->reason ? n->reason : "no reason given");
}

struct patience {
	uint64_t refused, down, nudge;
};

/* Checks the controller's view once: 1 joined, 0 not yet (`e` says why), <0 never. */
static int look(const struct join *j, const struct patience *p, struct err *e)
{
	struct slurm_node n;
	int r = slurm_query(j->c, j->s, in_ms(j, QUERY_MS), &n, e);

	if (r < 0)
		return slurm_is_final(e, p->refused) ? r : 0;
	if (r == 0) {
		not_registered(j, NULL, e);
		return 0;
	}
	enum slurm_verdict v = slurm_node_verdict(&n, j->since);
	if (v == SLURM_WAIT) {
		not_registered(j, &n, e);
		return 0;
	}
	if (v == SLURM_INVALID)
		return invalid(j, &n, e);
	if (v == SLURM_DOWN) {
		r = down(j, &n, e);
		return clock_passed(p->down) ? r : 0;
	}
	log_info("the controller lists node '%s' as %s%s%s", j->s->node, n.state,
	         *n.reason ? ": " : "", n.reason);
	return 1;
}

/* Waits until slurmd listens, ends, or takes long: until then queries to the controller would only
 * take processor time from slurmd. */
static void let_start(const struct join *j)
{
	uint64_t until = in_ms(j, LISTEN_MS);
	struct host_unit_state state;
	struct err ignored;

	for (unsigned looks = 1; !slurm_listens(j->c, j->s); looks++) {
		if (looks % LISTEN_LOOKS == 0 &&
		    (host_unit_state(j->c->host, SLURM_UNIT, &state, until, &ignored) < 0 ||
		     !state.active))
			return;
		if (!clock_sleep_ms(LISTEN_EACH_MS, until))
			return;
	}
}

static int wait_registered(struct join *j, struct err *e)
{
	struct backoff b = {.base_ms = 50, .cap_ms = SOON_CAP_MS};
	struct patience p = {in_ms(j, SLURM_PATIENCE_MS), in_ms(j, DOWN_MS), in_ms(j, NUDGE_MS)};
	uint64_t soon = in_ms(j, SOON_MS);
	struct err before = {0}; /* why the node has not joined yet */
	bool nudged = false;

	for (;;) {
		int r = check_daemon(j, e);
		/* No time is left. What kept the node from joining says more than that. */
		if (r < 0 && e->reason == REASON_UNIT_TIMEOUT && before.kind != ERR_NONE)
			*e = before;
		if (r < 0)
			return -e->no;
		r = look(j, &p, e);
		if (r != 0)
			return r < 0 ? r : 0;
		before = *e;
		if (!nudged && e->reason == REASON_SLURM_NOT_REGISTERED && clock_passed(p.nudge)) {
			struct err again;

			nudged = true;
			log_notice("restarting slurmd: %s", e->text);
			r = start(j, &again);
			if (r < 0) {
				*e = again;
				return r;
			}
		}
		if (clock_passed(soon))
			b.cap_ms = LATE_CAP_MS;
		if (!backoff_wait(&b, 0, j->until))
			return -e->no;
	}
}

/* Without a cgroup.conf slurmd 22.05 looks for control groups below "(null)", and no job starts. */
static void warn_of_cgroups(const struct join *j)
{
	static const char cache[] = "/run/slurm/conf/";
	struct arena *a = j->c->arena;
	struct blob conf;
	struct err ignored;

	if (!j->s->configless || host_exists(j->c->host, arena_printf(a, "%scgroup.conf", cache)) ||
	    host_read(j->c->host, arena_printf(a, "%sslurm.conf", cache), 4UL << 20, a, &conf,
	              &ignored) < 0)
		return;
	if (memmem(conf.data, conf.len, "/cgroup", 7))
		log_warning(
		        "the controller uses control groups and sends no cgroup.conf: put one with "
		        "CgroupMountpoint=/sys/fs/cgroup beside its slurm.conf");
}

/* A slurmd that the installation of its package started, without a configuration, waits for systemd's
 * next try; a start would wait for that time, too, and a restart doesn't. */
static enum host_unit_action first_action(const struct join *j)
{
	struct host_unit_state state;
	struct err ignored;

	if (host_unit_state(j->c->host, SLURM_UNIT, &state, j->until, &ignored) == 0 &&
	    str_eq(state.sub_state, "auto-restart"))
		return HOST_UNIT_RESTART;
	return HOST_UNIT_START;
}

int slurm_join(const struct step_ctx *c, const struct slurm_spec *s, struct err *e)
{
	uint64_t left = clock_left_ms(c->deadline);
	struct join j = {
	        .c = c,
	        .s = s,
	        .until = clock_in_ms(left > 2 * MARGIN_MS ? left - MARGIN_MS : left / 2),
	};
	/* Only scontrol knows the port in a slurm.conf. */
	int r = s->configless ? wait_for_port(&j, e) : gate(&j, e);

	if (r < 0)
		return r;
	r = slurm_start(c, s, first_action(&j), j.until, e);
	/* wait_registered() finds out why a unit has failed. */
	if (r < 0 && e->reason != REASON_UNIT_FAILED)
		return r;
	let_start(&j);
	r = wait_registered(&j, e);
	if (r < 0)
		return r;
	warn_of_cgroups(&j);
	return 0;
}
