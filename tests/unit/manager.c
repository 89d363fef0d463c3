/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager of the tests. */
#include "unit.h"

#include <errno.h>

#include "base/clock.h"
#include "manager.h"

struct manager w;

static int state_of(struct host *h, const char *unit, struct host_unit_state *ret,
                    uint64_t deadline, struct err *err)
{
	(void)h, (void)deadline;
	assert_string_equal(unit, w.unit);
	if (w.deaf && --w.deaf == 0) {
		w.deaf = 1;
		return err_set(err, ERR_HOST, REASON_UNIT_TIMEOUT, ETIMEDOUT, "no answer");
	}
	const char *dead = w.dead ? w.dead : "failed";
	const char *shown = w.meanwhile ? w.meanwhile : w.active ? "active" : dead;
	*ret = (struct host_unit_state){.known = !w.missing,
	                                .need_reload = w.stale,
	                                .active = w.active,
	                                .failed = str_eq(shown, "failed"),
	                                .started_us = w.started_us};
	snprintf(ret->file_state, sizeof ret->file_state, "%s", w.file_state ? w.file_state : "");
	snprintf(ret->active_state, sizeof ret->active_state, "%s", shown);
	snprintf(ret->result, sizeof ret->result, "%s", w.active ? "success" : "exit-code");
	return 0;
}

static int act(struct host *h, const char *unit, enum host_unit_action action, uint64_t deadline,
               struct err *err)
{
	static const char *const verbs[] = {[HOST_UNIT_START] = "start",
	                                    [HOST_UNIT_STOP] = "stop",
	                                    [HOST_UNIT_RESTART] = "restart"};

	(void)h;
	assert_string_equal(unit, w.unit);
	strbuf_printf(&w.did, "%s ", verbs[action]);
	if (action != HOST_UNIT_STOP && w.lasting-- > 0) {
		w.clock->now_ns = deadline;
		return err_set(err, ERR_HOST, REASON_UNIT_TIMEOUT, ETIMEDOUT, "still activating");
	}
	w.meanwhile = NULL;
	w.active = action != HOST_UNIT_STOP && !w.failing;
	if (action == HOST_UNIT_STOP)
		return 0;
	if (action == HOST_UNIT_RESTART)
		w.restarted = clock_now();
	if (action == HOST_UNIT_RESTART && w.restart_fails)
		return err_set(err, ERR_HOST, REASON_UNIT_FAILED, EPERM, "restart: it is masked");
	w.starts++;
	if (w.on_start)
		w.on_start();
	return w.failing ? err_set(err, ERR_HOST, REASON_UNIT_FAILED, EIO, "start: it failed") : 0;
}

static int enable(struct host *h, const char *unit, bool on, uint64_t deadline, struct err *err)
{
	(void)h, (void)deadline, (void)err;
	assert_string_equal(unit, w.unit);
	strbuf_str(&w.did, on ? "enable " : "disable ");
	w.file_state = on ? "enabled" : "disabled";
	return 0;
}

static int reload(struct host *h, uint64_t deadline, struct err *err)
{
	(void)h, (void)deadline;
	strbuf_str(&w.did, "reload ");
	if (w.reload_fails)
		return err_set(err, ERR_HOST, REASON_UNIT_TIMEOUT, ETIMEDOUT, "reload: no answer");
	w.stale = false;
	return 0;
}

static struct blob words(struct host *h, const char *unit, struct arena *a)
{
	(void)h, (void)unit, (void)a;
	return (struct blob){w.words, strlen(w.words)};
}

const struct unit_ops manager_ops = {
        .state = state_of, .act = act, .enable = enable, .reload = reload, .words = words};

void manager_forget(void)
{
	w.did.len = 0;
	strbuf_str(&w.did, "");
}
