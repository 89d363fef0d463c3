/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining with a service manager and a controller that do as the test says, and a clock that only
 * waits move: how long each refusal is borne, what is restarted, and what the error is at the end.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "host/unit_own.h"
#include "network.h"
#include "scratch.h"
#include "slurm/slurm_own.h"

#define NS_PER_S 1000000000ull
#define STARTED  1795383730 /* 2026-11-22T21:42:10 */
#define RECORD(state, tail)                                                                        \
	"NodeName=n1 Arch=x86_64 State=" state " BootTime=None "                                   \
	"SlurmdStartTime=2026-11-22T21:42:10 LastBusyTime=Unknown" tail "\n"
#define UNKNOWN   "Node n1 not found\n"
#define UNHEARD   "slurm_load_node error: Unable to contact slurm controller (connect failure)"
#define REFUSED   "slurm_load_node error: Zero Bytes were transmitted or received"
#define NO_ANSWER "slurm_load_node error: something else"

static struct clock_fake now;
static uint64_t begun;
static struct host *host;
static struct slurm_spec spec;
static struct step_ctx ctx;
static struct world {
	bool active, failing; /* the unit; whether starting it fails */
	const char *words;    /* its log */
	/* What scontrol says after so many starts; the last one stays. */
	const char *out[4], *complaint[4];
	int starts;
	uint64_t restarted; /* at */
	struct strbuf did;
} w;

static void answer(int i)
{
	put("answer", w.out[i] ? w.out[i] : "");
	put("complaint", w.complaint[i] ? w.complaint[i] : "");
}

static int unit_state(struct host *h, const char *unit, struct host_unit_state *ret,
                      uint64_t deadline, struct err *err)
{
	(void)h, (void)unit, (void)deadline, (void)err;
	*ret = (struct host_unit_state){.known = true,
	                                .active = w.active,
	                                .failed = !w.active,
	                                .started_us = STARTED * 1000000ull};
	snprintf(ret->active_state, sizeof ret->active_state, "%s", w.active ? "active" : "failed");
	snprintf(ret->result, sizeof ret->result, "%s", w.active ? "success" : "exit-code");
	return 0;
}

static int unit_act(struct host *h, const char *unit, enum host_unit_action action,
                    uint64_t deadline, struct err *err)
{
	static const char *const verbs[] = {[HOST_UNIT_START] = "start",
	                                    [HOST_UNIT_STOP] = "stop",
	                                    [HOST_UNIT_RESTART] = "restart"};

	(void)h, (void)deadline;
	assert_string_equal(unit, "slurmd.service");
	strbuf_printf(&w.did, "%s ", verbs[action]);
	w.active = action != HOST_UNIT_STOP && !w.failing;
	if (action == HOST_UNIT_STOP)
		return 0;
	if (action == HOST_UNIT_RESTART)
		w.restarted = clock_now();
	w.starts++;
	if (w.starts < 4 && (w.out[w.starts] || w.complaint[w.starts]))
		answer(w.starts);
	return w.failing ? err_set(err, ERR_HOST, REASON_UNIT_FAILED, EIO, "start: it failed") : 0;
}

static struct blob unit_words(struct host *h, const char *unit, struct arena *a)
{
	(void)h, (void)unit, (void)a;
	return (struct blob){w.words, strlen(w.words)};
}

static const struct unit_ops units = {.state = unit_state, .act = unit_act, .words = unit_words};

static int listening = -1, daemon_port = -1;

static int bound(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons(port),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static unsigned a_port(bool open_it)
{
	struct sockaddr_in address;
	socklen_t len = sizeof address;

	listening = bound(0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &len), 0);
	if (open_it)
		assert_int_equal(listen(listening, 8), 0);
	return ntohs(address.sin_port);
}

static int begin(void **state)
{
	static const char *heads[] = {"127.0.0.1"};

	set_up(state);
	clock_set_fake(NULL);
	now = (struct clock_fake){.now_ns = clock_now(), .wall = STARTED};
	clock_set_fake(&now);
	begun = now.now_ns;
	put("bin/scontrol", arena_printf(arena,
	                                 "#!/bin/sh\necho \"$TZ $SLURM_CONF_SERVER $*\" >%s\n"
	                                 "cat %s; cat %s >&2; test -s %s\n",
	                                 at("asked"), at("answer"), at("complaint"), at("answer")));
	put("sbin/slurmd",
	    "#!/bin/sh\ntest \"$1\" = -C && echo NodeName=n1 CPUs=1 && echo UpTime=1\n");
	assert_int_equal(chmod(at("bin/scontrol"), 0755), 0);
	assert_int_equal(chmod(at("sbin/slurmd"), 0755), 0);
	assert_ok(host_open("/", HOST_LIVE, &host, &e));
	host->units = &units;
	w = (struct world){.words = "", .did = STRBUF(arena, 4096)};
	strbuf_str(&w.did, "");
	spec = (struct slurm_spec){.node = "n1",
	                           .head = {.n = 1, .items = heads},
	                           .prefix = top,
	                           .server = "127.0.0.1:6817",
	                           .port_number = a_port(true),
	                           .configless = true};
	ctx = (struct step_ctx){.host = host, .arena = arena, .deadline = clock_in_ms(60000)};
	return 0;
}

static int end(void **state)
{
	clock_set_fake(NULL);
	close(listening);
	host_close(host);
	return tear_down(state);
}

static int join(void)
{
	e = (struct err){0};
	return slurm_join(&ctx, &spec, &e);
}

static unsigned waited_ms(void)
{
	return (unsigned)((clock_now() - begun) / 1000000);
}

#define assert_about(want_ms, got)                                                                 \
	do {                                                                                       \
		unsigned got_ = (got);                                                             \
		if (got_ < (want_ms) || got_ > (want_ms) + 6000)                                   \
			fail_msg("%u ms, wanted about %u", got_, (unsigned)(want_ms));             \
	} while (0)

static void it_joins_when_the_controller_says_so(void **state)
{
	(void)state;
	w.out[1] = RECORD("IDLE+CLOUD", "");
	assert_ok(join());
	assert_string_equal(w.did.data, "start ");
	assert_string_equal(get("asked"), "UTC0 127.0.0.1:6817 --oneliner show node n1\n");
	w.out[1] = NULL;
	answer(0);
	put("answer", RECORD("IDLE+DRAIN", " Reason=by hand [root@now]"));
	assert_ok(join()); /* it runs already */
	assert_string_equal(w.did.data, "start ");
}

static void one_that_is_not_listed_is_restarted_once(void **state)
{
	(void)state;
	w.out[0] = UNKNOWN;
	answer(0);
	assert_err(join(), ERR_HOST,
	           "joining as node 'n1': the controller has not seen it register, and does not "
	           "list it");
	assert_int_equal(e.reason, REASON_SLURM_NOT_REGISTERED);
	assert_int_equal(e.no, ETIMEDOUT);
	assert_string_equal(w.did.data, "start restart ");
	assert_about(10000, (unsigned)((w.restarted - begun) / 1000000));
	assert_about(54000, waited_ms());
	assert_true(clock_left_ms(ctx.deadline) >= 1000); /* to tell of it */
}

static void one_that_registers_after_a_restart_has_joined(void **state)
{
	(void)state;
	w.out[1] = RECORD("IDLE*", "");
	w.out[2] = RECORD("IDLE", "");
	assert_ok(join());
	assert_string_equal(w.did.data, "start restart ");
}

static void its_state_is_told_when_time_is_over(void **state)
{
	(void)state;
	w.out[1] = RECORD("IDLE+POWERING_UP", "");
	ctx.deadline = clock_in_ms(9000);
	assert_err(join(), ERR_HOST, "has not seen it register, its state is IDLE+POWERING_UP");
	assert_int_equal(e.reason, REASON_SLURM_NOT_REGISTERED);
	assert_string_equal(w.did.data, "start ");
}

static void one_that_is_smaller_than_configured_is_final(void **state)
{
	(void)state;
	w.out[1] = RECORD("IDLE+DRAIN+INVALID_REG", " Reason=Low RealMemory [slurm@now]");
	assert_err(join(), ERR_HOST,
	           "joining as node 'n1': the controller refuses it, state IDLE+DRAIN+INVALID_REG: "
	           "Low RealMemory; this machine is 'NodeName=n1 CPUs=1'");
	assert_int_equal(e.reason, REASON_SLURM_NODE_INVALID);
	assert_true(waited_ms() < 6000);
}

static void one_that_is_kept_down_gets_some_seconds(void **state)
{
	(void)state;
	w.out[1] = RECORD("DOWN", "");
	assert_err(join(), ERR_HOST,
	           "it registered and the controller keeps it in state DOWN: no reason given");
	assert_int_equal(e.reason, REASON_SLURM_NODE_DOWN);
	assert_about(3000, waited_ms());
	assert_string_equal(w.did.data, "start ");
	w.out[1] = RECORD("DOWN", " Reason=broken [root@now]");
	w.active = false;
	w.starts = 0;
	assert_err(join(), ERR_HOST, "in state DOWN: broken");
}

static void refused_credentials_are_borne_for_ten_seconds(void **state)
{
	(void)state;
	w.complaint[1] = REFUSED;
	assert_err(join(), ERR_DENIED, "looking up node 'n1': asking slurmctld: slurm_load_node");
	assert_int_equal(e.reason, REASON_MUNGE_REFUSED);
	assert_about(10000, waited_ms());
}

static void another_refusal_is_final_at_once(void **state)
{
	(void)state;
	w.complaint[1] = "error: Incompatible versions of client and server code";
	assert_err(join(), ERR_DENIED, "Incompatible versions");
	assert_int_equal(e.reason, REASON_SLURM_VERSION);
	assert_true(waited_ms() < 6000);
}

static void an_answer_that_says_nothing_may_pass(void **state)
{
	(void)state;
	w.complaint[1] = NO_ANSWER;
	ctx.deadline = clock_in_ms(9000);
	assert_err(join(), ERR_HOST, "asking slurmctld: ");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_true(waited_ms() > 4000);
}

static void without_scontrol_nothing_is_waited_for(void **state)
{
	(void)state;
	assert_int_equal(unlink(at("bin/scontrol")), 0);
	assert_err(join(), ERR_HOST, "scontrol");
	assert_int_equal(e.reason, REASON_SLURM_MISSING);
	assert_true(waited_ms() < 6000);
}

static void a_controller_that_is_not_there(void **state)
{
	(void)state;
	close(listening);
	spec.port_number = a_port(false);
	assert_err(join(), ERR_RETRY,
	           "waiting for slurmctld of node 'n1': connecting to '127.0.0.1'");
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_string_equal(w.did.data, "");
	assert_about(53500, waited_ms());
}

static void a_backup_controller_is_enough(void **state)
{
	static const char *heads[] = {"nowhere.invalid", "127.0.0.1"};

	(void)state;
	spec.head = (struct field_strings){.n = 2, .items = heads};
	w.out[1] = RECORD("IDLE", "");
	assert_ok(join());
	assert_true(waited_ms() < 6000);
}

/* With a slurm.conf of its own only scontrol knows where the controller is. */
static void its_own_configuration_is_asked_by_scontrol(void **state)
{
	(void)state;
	spec.configless = false;
	w.complaint[0] = UNHEARD;
	answer(0);
	assert_err(join(), ERR_RETRY, "waiting for slurmctld of node 'n1': looking up node 'n1'");
	assert_string_equal(w.did.data, "");
	assert_string_equal(get("asked"), "UTC0  --oneliner show node n1\n");
	assert_about(53500, waited_ms());
	w.complaint[0] = REFUSED;
	answer(0);
	begun = clock_now();
	ctx.deadline = clock_in_ms(60000);
	assert_err(join(), ERR_DENIED, "Zero Bytes");
	assert_about(10000, waited_ms());
	w.complaint[0] = NO_ANSWER;
	answer(0);
	begun = clock_now();
	assert_err(join(), ERR_HOST, "something else");
	assert_int_equal(waited_ms(), 0);
	w.complaint[0] = NULL;
	w.out[0] = UNKNOWN; /* it answers */
	w.out[1] = RECORD("IDLE", "");
	answer(0);
	assert_ok(join());
	assert_string_equal(w.did.data, "start ");
}

static void a_slurmd_that_ends_by_itself_is_quoted_and_stopped(void **state)
{
	(void)state;
	w.failing = true;
	w.words = "slurmd: debug\nslurmd: fatal: no such thing\n";
	assert_err(join(), ERR_HOST,
	           "joining as node 'n1': slurmd.service is failed (exit-code): slurmd ended by "
	           "itself: slurmd: fatal: no such thing");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_string_equal(w.did.data, "start ");
	assert_true(waited_ms() < 6000);
	w.words = "error: Unable to determine this slurmd's NodeName";
	assert_err(join(), ERR_HOST, "NodeName");
	assert_int_equal(e.reason, REASON_SLURM_NODE_UNKNOWN);
}

/* It had no answer from the controller, or was refused: that may pass. */
static void one_that_ended_for_the_controller_is_started_again(void **state)
{
	(void)state;
	w.out[0] = UNKNOWN;
	answer(0);
	w.failing = true;
	w.words = "slurmd: error: Unable to contact slurm controller";
	ctx.deadline = clock_in_ms(9000);
	assert_err(join(), ERR_HOST, "start: it failed");
	assert_string_equal(w.did.data, "start restart ");
	w.words = "error: Invalid authentication credential";
	assert_err(join(), ERR_HOST, "start: it failed");
	assert_string_equal(w.did.data, "start restart start restart ");
}

/* slurmd listens from the start, in a network of the test's own. */
static int own_network(void **state)
{
	(void)state;
	network_own();
	daemon_port = bound(6818);
	return listen(daemon_port, 1);
}

int main(void)
{
#define JOIN(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        JOIN(it_joins_when_the_controller_says_so),
	        JOIN(one_that_is_not_listed_is_restarted_once),
	        JOIN(one_that_registers_after_a_restart_has_joined),
	        JOIN(its_state_is_told_when_time_is_over),
	        JOIN(one_that_is_smaller_than_configured_is_final),
	        JOIN(one_that_is_kept_down_gets_some_seconds),
	        JOIN(refused_credentials_are_borne_for_ten_seconds),
	        JOIN(another_refusal_is_final_at_once),
	        JOIN(an_answer_that_says_nothing_may_pass),
	        JOIN(without_scontrol_nothing_is_waited_for),
	        JOIN(a_controller_that_is_not_there),
	        JOIN(a_backup_controller_is_enough),
	        JOIN(its_own_configuration_is_asked_by_scontrol),
	        JOIN(a_slurmd_that_ends_by_itself_is_quoted_and_stopped),
	        JOIN(one_that_ended_for_the_controller_is_started_again),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
