/* SPDX-License-Identifier: Apache-2.0 */
/* Units of a root where no systemd runs: by their files, and by systemctl, which can enable units
 * without PID 1. */
#include <errno.h>
#include <stdio.h>

#include "machine/unit_own.h"

int unit_image_state(struct host *h, const char *unit, struct host_unit_state *ret,
                     uint64_t deadline, struct err *e)
{
	struct unit_file f;
	int r = unit_file_load(h, unit, &f, e);

	(void)deadline;
	if (r < 0)
		return r;
	*ret = (struct host_unit_state){.known = f.known,
	                                .condition = true,
	                                .active_state = "inactive",
	                                .sub_state = "dead"};
	snprintf(ret->file_state, sizeof ret->file_state, "%s", unit_file_state(h, unit, &f));
	return 0;
}

static int image_act(struct host *h, const char *unit, enum host_unit_action action,
                     uint64_t deadline, struct err *e)
{
	(void)action, (void)deadline;
	if (h->running)
		return err_set(e, ERR_HOST, REASON_UNIT_MISSING, ENOTSUP,
		               "starting '%s': systemd is not this machine's PID 1", unit);
	return err_set(e, ERR_HOST, REASON_UNIT_MISSING, ENOTSUP,
	               "starting '%s': '%s' is not a running machine", unit, h->root);
}

int unit_image_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                      struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *const argv[] = {"systemctl", enable ? "enable" : "disable", "--quiet", unit,
	                            NULL};
	/* Not recorded as a program: it is how this host carries out the recorded change. */
	struct host_exec x = {.argv = argv, .deadline = deadline};
	struct host_result res;
	int r = host_run_ok(h, &x, a, &res, e);

	return r < 0 ? err_wrap(e, "%s '%s'", argv[1], unit) : 0;
}

int unit_image_reload(struct host *h, uint64_t deadline, struct err *e)
{
	(void)h, (void)deadline, (void)e;
	return 0;
}

static struct blob image_words(struct host *h, const char *unit, struct arena *a)
{
	(void)h, (void)unit, (void)a;
	return (struct blob){"", 0};
}

const struct unit_ops unit_image = {unit_image_state, image_act, unit_image_enable,
                                    unit_image_reload, image_words};
