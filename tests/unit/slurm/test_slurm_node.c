/* SPDX-License-Identifier: Apache-2.0 */
/* What Slurm's programs say, as 22.05.8 and others say it. */
#include "unit.h"

#include <errno.h>

#include "slurm/slurm_own.h"

#define TEXT(s) ((struct blob){(s), strlen(s)})

/* scontrol -o show node, 22.05.8, shortened in the middle. */
#define RECORD(state, started, tail)                                                               \
	"NodeName=n1 Arch=x86_64 CoresPerSocket=1  CPUAlloc=0 CPUTot=1 Gres=(null) NodeAddr=a "    \
	"NodeHostName=n1 Version=22.05.8 OS=Linux 6.1 #1 SMP @0  RealMemory=100 State=" state      \
	" ThreadsPerCore=1 Partitions=q  BootTime=2026-11-22T21:42:11 SlurmdStartTime=" started    \
	" LastBusyTime=Unknown CapWatts=n/a ExtSensorsTemp=n/s" tail "\n"
#define AT   "2026-11-22T21:42:10"
#define WHEN 1795383730

static void records_are_read(void **state)
{
	struct slurm_node n;

	(void)state;
	assert_int_equal(slurm_node_parse(TEXT(RECORD("UNKNOWN+DRAIN+INVALID_REG", AT,
	                                              " Reason=Low RealMemory (reported:24103 < "
	                                              "100.00% of configured:900000) "
	                                              "[slurm@2026-11-22T21:42:10]")),
	                                  &n),
	                 0);
	assert_string_equal(n.state, "UNKNOWN+DRAIN+INVALID_REG");
	assert_string_equal(n.reason,
	                    "Low RealMemory (reported:24103 < 100.00% of configured:900000)");
	assert_int_equal(n.started, WHEN);

	assert_int_equal(slurm_node_parse(TEXT(RECORD("IDLE", "None", "")), &n), 0);
	assert_string_equal(n.reason, "");
	assert_int_equal(n.started, 0);
	assert_int_equal(slurm_node_parse(TEXT(RECORD("IDLE", "Unknown", " Reason=a\x1b[2Jb")), &n),
	                 0);
	assert_string_equal(n.reason, "a\\x1b[2Jb");
}

/* Keys begin a line or follow a blank, and values end with either. */
static void where_keys_and_values_begin_and_end(void **state)
{
	struct slurm_node n;

	(void)state;
	assert_int_equal(
	        slurm_node_parse(TEXT("xState=a\nNodeName=n\nState=IDLE\nReason=no key"), &n), 0);
	assert_string_equal(n.state, "IDLE");
	assert_string_equal(n.reason, "");
	assert_int_equal(n.started, 0);
	assert_int_equal(slurm_node_parse(TEXT("State=s NodeName=n Reason=to the end"), &n), 0);
	assert_string_equal(n.state, "s");
	assert_string_equal(n.reason, "to the end");
	assert_int_equal(slurm_node_parse(TEXT("NodeName=n State=s Reason=a line\nComment=x"), &n),
	                 0);
	assert_string_equal(n.reason, "a line");
	assert_int_equal(slurm_node_parse(TEXT("NodeName=n Reason= State=IDLE"), &n), 0);
	assert_string_equal(n.state, "IDLE");
	/* A text that ends with a key has no value. */
	assert_int_equal(slurm_node_parse(TEXT("NodeName=n State"), &n), -EINVAL);
	assert_int_equal(slurm_node_parse((struct blob){"NodeName=n State=IDLE", 16}, &n), -EINVAL);
}

static void times_are_whole_or_none(void **state)
{
	static const struct {
		const char *text;
		time_t at;
	} rows[] = {
	        {AT, WHEN},  {"1970-01-01T00:00:01", 1},        {AT "Z", 0}, {"2026-11-22", 0},
	        {"None", 0}, {AT "00000000000000000000000", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[256];
		struct slurm_node n;

		snprintf(text, sizeof text, "NodeName=n State=IDLE SlurmdStartTime=%s",
		         rows[i].text);
		assert_int_equal(slurm_node_parse(TEXT(text), &n), 0);
		if (n.started != rows[i].at)
			fail_msg("'%s': %lld", rows[i].text, (long long)n.started);
	}
}

static void a_record_has_a_ceiling(void **state)
{
	static char text[(64 << 10) + 1] = "NodeName=n State=IDLE ";
	struct slurm_node n;

	(void)state;
	memset(text + strlen(text), 'x', sizeof text - strlen(text));
	assert_int_equal(slurm_node_parse((struct blob){text, 64 << 10}, &n), 0);
	assert_int_equal(slurm_node_parse((struct blob){text, (64 << 10) + 1}, &n), -EINVAL);
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const bad[] = {
	        "",
	        "\n",
	        "Node n1 not found\n",
	        "NodeName= State=IDLE",
	        "NodeName=n1 State=",
	        "xNodeName=n1 xState=IDLE",
	};
	struct slurm_node n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(slurm_node_parse(TEXT(bad[i]), &n), -EINVAL);
}

static void states_are_judged(void **state)
{
	static const struct {
		const char *text;
		enum slurm_verdict verdict;
	} cases[] = {
	        {"IDLE", SLURM_READY},
	        {"IDLE+CLOUD", SLURM_READY},
	        {"IDLE+DYNAMIC_NORM", SLURM_READY},
	        {"IDLE+DRAIN", SLURM_READY},
	        {"ALLOCATED", SLURM_READY},
	        {"MIXED+PLANNED", SLURM_READY},
	        {"ALLOCATED+COMPLETING", SLURM_READY},
	        {"IDLE+MAINTENANCE+RESERVED", SLURM_READY},
	        {"IDLE$", SLURM_READY},
	        {"UNKNOWN", SLURM_WAIT},
	        {"UNKNOWN+NOT_RESPONDING", SLURM_WAIT},
	        {"IDLE*", SLURM_WAIT},
	        {"DOWN*", SLURM_WAIT},
	        {"DOWN+NOT_RESPONDING", SLURM_WAIT},
	        {"IDLE*+DRAIN", SLURM_WAIT},
	        {"IDLE+CLOUD+POWERED_DOWN", SLURM_WAIT},
	        {"ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP", SLURM_WAIT},
	        {"ALLOCATED#+CLOUD", SLURM_WAIT},
	        {"IDLE~+CLOUD", SLURM_WAIT},
	        {"IDLE%+CLOUD", SLURM_WAIT},
	        {"IDLE+REBOOT_ISSUED", SLURM_WAIT},
	        {"FUTURE", SLURM_WAIT},
	        {"UNKNOWN+DRAIN+INVALID_REG", SLURM_INVALID},
	        {"INVAL", SLURM_INVALID},
	        {"ALLOC", SLURM_READY},
	        {"MIX", SLURM_READY},
	        {"COMPLETING", SLURM_READY},
	        {"IDLE-", SLURM_READY},
	        {"IDLE@", SLURM_READY},
	        {"IDLE!", SLURM_READY},
	        {"IDLE+REBOOT^", SLURM_WAIT},
	        {"IDLE+POWER_DOWN", SLURM_WAIT},
	        {"IDLE+POWERING_DOWN", SLURM_WAIT},
	        {"MIXED+POWERING_UP", SLURM_WAIT},
	        {"IDLE+INVAL", SLURM_INVALID},
	        {"DOWN+INVALID_REG", SLURM_INVALID},
	        {"INVALIDATED", SLURM_DOWN},
	        {"IDLER", SLURM_DOWN},
	        {"DOWN", SLURM_DOWN},
	        {"DOWN+DRAIN", SLURM_DOWN},
	        {"ERROR", SLURM_DOWN},
	};
	struct slurm_node n = {.started = 1000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(n.state, sizeof n.state, "%s", cases[i].text);
		if (slurm_node_verdict(&n, 1000) != cases[i].verdict)
			fail_msg("'%s'", n.state);
	}
}

/* The controller's record of before the reboot reads just as well. */
static void an_earlier_life_does_not_count(void **state)
{
	struct slurm_node n = {.state = "IDLE", .started = 1000};

	(void)state;
	assert_int_equal(slurm_node_verdict(&n, 1000), SLURM_READY);
	assert_int_equal(slurm_node_verdict(&n, 1005), SLURM_READY); /* two readings of a clock */
	assert_int_equal(slurm_node_verdict(&n, 1006), SLURM_WAIT);
	assert_int_equal(slurm_node_verdict(&n, 1060), SLURM_WAIT);
	assert_int_equal(slurm_node_verdict(&n, 900), SLURM_READY);
	n.started = 0;
	assert_int_equal(slurm_node_verdict(&n, 0), SLURM_WAIT);
	snprintf(n.state, sizeof n.state, "UNKNOWN+DRAIN+INVALID_REG");
	assert_int_equal(slurm_node_verdict(&n, 1060), SLURM_WAIT);
}

static void complaints_have_their_reasons(void **state)
{
	static const struct {
		const char *said, *line;
		enum reason reason;
		enum err_kind kind;
	} cases[] = {
	        {"slurmd: error: _find_node_record: lookup failure for node \"x\"\n"
	         "slurmd: error: slurmd initialization failed\n",
	         "slurmd: error: _find_node_record: lookup failure for node \"x\"",
	         REASON_SLURM_NODE_UNKNOWN, ERR_HOST},
	        {"scontrol: error: _fetch_child: failed to fetch remote configs: Zero Bytes were "
	         "transmitted or received\nscontrol: fatal: Could not establish a configuration\n",
	         "scontrol: error: _fetch_child: failed to fetch remote configs: Zero Bytes were "
	         "transmitted or received",
	         REASON_MUNGE_REFUSED, ERR_DENIED},
	        {"scontrol: error: If munged is up, restart with --num-threads=10\n"
	         "scontrol: error: Munge encode failed: Failed to access\n"
	         "scontrol: error: failed to fetch remote configs: Protocol authentication error\n",
	         "scontrol: error: Munge encode failed: Failed to access", REASON_MUNGE_ROUND_TRIP,
	         ERR_HOST},
	        {"slurm_load_node error: Invalid authentication credential\n",
	         "slurm_load_node error: Invalid authentication credential", REASON_SLURM_AUTH,
	         ERR_DENIED},
	        {"slurmd: error: Unable to determine this slurmd's NodeName\n", "slurmd's NodeName",
	         REASON_SLURM_NODE_UNKNOWN, ERR_HOST},
	        {"error: Munge decode failed: Invalid credential\n", "Munge decode failed",
	         REASON_MUNGE_REFUSED, ERR_DENIED},
	        {"error: Protocol authentication error\n", "Protocol authentication error",
	         REASON_SLURM_AUTH, ERR_DENIED},
	        {"error: Incompatible versions of client and server code\n",
	         "Incompatible versions", REASON_SLURM_VERSION, ERR_DENIED},
	        {"error: Socket timed out on send/recv operation\n", "Socket timed out",
	         REASON_SLURMCTLD_UNREACHABLE, ERR_RETRY},
	        {"error: connect: Connection refused\n", "Connection refused",
	         REASON_SLURMCTLD_UNREACHABLE, ERR_RETRY},
	        {"error: DNS SRV lookup failed\n", "DNS SRV", REASON_SLURMCTLD_UNREACHABLE,
	         ERR_RETRY},
	        /* The last line of the kind; what is said of a fatal error before one that isn't. */
	        {"x: error: one\nx: fatal: two\nx: fatal: three\nx: error: four",
	         "doing: x: fatal: three", REASON_HOST_COMMAND_FAILED, ERR_HOST},
	        {"error: one\nslurmd: two\nerror: three", "doing: error: three",
	         REASON_HOST_COMMAND_FAILED, ERR_HOST},
	        {"slurmd: fatal: slurmd initialization failed\nslurmd: error: pmix\n",
	         "no word of why", REASON_HOST_COMMAND_FAILED, ERR_HOST},
	        {"x: ConfigLess mode is disabled in slurm configuration.", "x: ConfigLess mode is",
	         REASON_SLURM_NOT_CONFIGLESS, ERR_DENIED},
	        {"slurm_load_node error: Unable to contact slurm controller (connect failure)\n",
	         "Unable to contact", REASON_SLURMCTLD_UNREACHABLE, ERR_RETRY},
	        {"slurmd: error:  mpi/pmix_v4: init: pmi/pmix: can not load PMIx library\n"
	         "slurmd: fatal: Unable to bind listen port (6818)\n"
	         "slurmd: error: mpi/pmix again\n",
	         "slurmd: fatal: Unable to bind listen port (6818)", REASON_HOST_COMMAND_FAILED,
	         ERR_HOST},
	        {"slurmctld: error: _parse_next_key: Parsing error at unrecognized key: NoSuchKey\nslurmctld: fatal: Unable to process configuration file\n",
	         "unrecognized key: NoSuchKey", REASON_SLURM_CONF, ERR_HOST},
	        {"slurmctld: error: Munge encode failed: no socket\nslurmctld: fatal: Duplicated NodeName n1 in the config file\n",
	         "Duplicated NodeName n1", REASON_SLURM_CONF, ERR_HOST},
	        {"build_part_bitmap: invalid node name nobody in partition\nfatal: Invalid node names in partition r\n",
	         "in partition r", REASON_SLURM_CONF, ERR_HOST},
	        {"slurmctld: error: Invalid user for SlurmUser nouser, ignored\nslurmctld: fatal: Unable to process configuration file\n",
	         "SlurmUser nouser", REASON_SLURM_CONF, ERR_HOST},
	        {"slurmctld: error: Error binding slurm stream socket: Address already in use\nslurmctld: fatal: slurm_init_msg_engine_port error Address already in use\n",
	         "engine_port error Address already in use", REASON_SLURM_PORT, ERR_HOST},
	        {"fatal: _open_ports: Unable to listen to file descriptors. Existing slurmctld process "
	         "likely already is listening on the ports.\n",
	         "listening on the ports", REASON_SLURM_PORT, ERR_HOST},
	        {"error: slurm_unpack_received_msg: Invalid Protocol Version 10752 from uid=0\n"
	         "error: failed to fetch remote configs: Protocol authentication error\n",
	         "Invalid Protocol Version", REASON_SLURM_VERSION, ERR_DENIED},
	        {"error: slurm_receive_msg: Insane message length\n"
	         "error: failed to fetch remote configs: Zero Bytes were transmitted or received\n",
	         "Insane message length", REASON_SLURM_VERSION, ERR_DENIED},
	        {"slurmctld: error: This host (n1/n1) not a valid controller\n",
	         "not a valid controller", REASON_SLURM_HOST, ERR_HOST},
	        {"slurmctld: fatal: You are running with a database but for some reason we have no TRES from it.\n",
	         "no TRES from it", REASON_SLURM_DATABASE, ERR_HOST},
	        {"slurmctld: error: Still don't know my ClusterID\n"
	         "error: Sending PersistInit msg: Connection refused\n",
	         "know my ClusterID", REASON_SLURM_DATABASE, ERR_HOST},
	        {"error: mysql_real_connect failed: 2002 Can't connect to server on 'db' (115)\n",
	         "Can't connect to server", REASON_SLURMDBD_SQL, ERR_RETRY},
	        {"error: mysql_real_connect failed: 1045 Access denied for user 'u'@'h'\n",
	         "Access denied for user", REASON_SLURMDBD_SQL, ERR_DENIED},
	        {"error: Can't save state, error writing file /x: No space left on device\n",
	         "No space left", REASON_HOST_SPACE, ERR_HOST},
	        {"/usr/sbin/slurmd: unrecognized option '--no-such'\nUsage: slurmd [OPTIONS]\n",
	         "unrecognized option '--no-such'", REASON_HOST_COMMAND_FAILED, ERR_HOST},
	        {"", "no word of why", REASON_HOST_COMMAND_FAILED, ERR_HOST},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = {0};

		assert_int_equal(slurm_complain(TEXT(cases[i].said), "doing", &e), -EIO);
		assert_true(str_starts(e.text, "doing: "));
		/* To the end of the line, and nothing of what is behind. */
		assert_null(strstr(e.text, "\\x00"));
		if (!strstr(e.text, cases[i].line) || e.reason != cases[i].reason ||
		    e.kind != cases[i].kind)
			fail_msg("case %zu: %s", i, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(records_are_read),
	        cmocka_unit_test(where_keys_and_values_begin_and_end),
	        cmocka_unit_test(times_are_whole_or_none),
	        cmocka_unit_test(a_record_has_a_ceiling),
	        cmocka_unit_test(what_is_no_record_is_refused),
	        cmocka_unit_test(states_are_judged),
	        cmocka_unit_test(an_earlier_life_does_not_count),
	        cmocka_unit_test(complaints_have_their_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
