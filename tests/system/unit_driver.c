/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine floor does with a unit, from a command line: test_units.py runs it in a booted
 * node. unit_driver state|words|start|restart|stop|enable|disable|reload UNIT [DEADLINE_MS] Prints
 * "record LINE" for each change, a state as "name=value" lines, and at the end "ok" or "error
 * REASON TEXT".
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "host/host.h"
#include "machine/unit.h"

static void print_record(void *ctx, const char *change)
{
	(void)ctx;
	printf("record %s\n", change);
}

static int print_state(struct host *h, const char *unit, uint64_t deadline, struct err *e)
{
	struct host_unit_state s;
	int r = host_unit_state(h, unit, &s, deadline, e);

	if (r >= 0)
		printf("known=%d\nactive=%d\nfailed=%d\ncondition=%d\nneed_reload=%d\nactive_state="
		       "%s\n"
		       "sub_state=%s\nresult=%s\nfile_state=%s\nstarted_us=%" PRIu64 "\n",
		       s.known, s.active, s.failed, s.condition, s.need_reload, s.active_state,
		       s.sub_state, s.result, s.file_state, s.started_us);
	return r;
}

static void print_words(struct host *h, const char *unit)
{
	scope_arena struct arena *a = arena_new();
	struct blob words = host_unit_words(h, unit, a);

	fwrite(words.data, 1, words.len, stdout);
}

static int carry_out(struct host *h, const char *verb, const char *unit, uint64_t deadline,
                     struct err *e)
{
	static const char *const actions[] = {"start", "restart", "stop"};

	for (int i = 0; i < (int)ARRAY_LEN(actions); i++)
		if (str_eq(verb, actions[i]))
			return host_unit_do(h, unit, (enum host_unit_action)i, deadline, e);
	if (str_eq(verb, "state"))
		return print_state(h, unit, deadline, e);
	if (str_eq(verb, "words")) {
		print_words(h, unit);
		return 0;
	}
	if (str_eq(verb, "reload"))
		return host_daemon_reload(h, deadline, e);
	return host_unit_enable(h, unit, str_eq(verb, "enable"), deadline, e);
}

int main(int argc, char **argv)
{
	struct host *h;
	struct err e = {0};
	uint64_t ms = 20000;

	if (argc < 3 || (argc > 3 && str_u64(argv[3], 1, 600000, &ms) < 0))
		return 2;
	if (host_open("/", HOST_LIVE, &h, &e) < 0)
		return 1;
	host_record_to(h, print_record, NULL);
	int r = carry_out(h, argv[1], argv[2], clock_in_ms(ms), &e);
	host_close(h);
	if (r < 0)
		printf("error %s %s\n", reason_row(e.reason)->name, e.text);
	else
		printf("ok\n");
	return r < 0;
}
