/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap and plan below another root: what is done, printed, written down and told to systemd. */
#include "agent_run.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "host/lock.h"

#define STATUS "run/hpc-node/status.json"
#define EVENTS "run/hpc-node/events.jsonl"

#define BOOTSTRAP(...) AGENT("bootstrap", "--root", top, "--config", at("c.yaml"), __VA_ARGS__)

static void machine(const char *config)
{
	put("c.yaml", config);
	put("etc/machine", "");
	assert_int_equal(chmod(top, 0755), 0);
}

static void ready_and_again(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	BOOTSTRAP("--node", "n1");
	assert_status(0);
	assert_string_equal(get("etc/motd"), "hello");
	assert_says(ran.out, "files:/etc/motd  changed ");
	assert_says(ran.err, "hpc-agent: n1 ready in ");
	assert_says(get(STATUS), "\"phase\":\"ready\"");
	assert_says(get(STATUS), "\"exit_status\":0");
	assert_says(get(STATUS), "\"boot_id\":\"");
	assert_says(get(EVENTS), "\"event\":\"run-started\"");
	assert_says(get(EVENTS), "\"event\":\"step-started\",\"step\":\"files:/etc/motd\"");
	assert_says(get(EVENTS), "\"event\":\"step-finished\",\"step\":\"files:/etc/motd\"");
	assert_says(get(EVENTS), "\"event\":\"run-finished\"");
	BOOTSTRAP("--json");
	assert_status(0);
	assert_string_equal(ran.out, get(STATUS));
	assert_says(ran.out, "\"state\":\"ok\"");
	BOOTSTRAP("--quiet");
	assert_status(0);
	assert_string_equal(ran.out, "");
	assert_string_equal(ran.err, "");
	/* Each run appends its events. */
	const char *second = strstr(strstr(get(EVENTS), "run-finished"), "run-started");
	assert_non_null(second);
}

static void a_step_that_fails(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	assert_int_equal(mkdir(at("etc/motd"), 0755), 0);
	BOOTSTRAP("--node", "n1");
	assert_status(1);
	assert_says(ran.err, "files:/etc/motd: failed: ");
	assert_says(ran.err, "n1 failed after ");
	assert_says(ran.err, "files:/etc/motd (host-file)");
	assert_says(get(STATUS), "\"phase\":\"failed\"");
	assert_says(get(STATUS), "\"exit_status\":1");
}

static void an_optional_step_that_fails(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: hello, optional: true}]\n");
	assert_int_equal(mkdir(at("etc/motd"), 0755), 0);
	BOOTSTRAP("-q");
	assert_status(8);
	assert_says(get(STATUS), "\"phase\":\"degraded\"");
	AGENT("status", "--root", top, "-q");
	assert_status(8);
}

/* The summary and the journal name the required step, whichever failed first. */
static void the_cause_is_the_required_step(void **state)
{
	(void)state;
	machine("files: [{path: /etc/a, content: x, optional: true}, {path: /etc/b, content: x},\n"
	        "  {path: /etc/c, content: x}]\n");
	assert_int_equal(mkdir(at("etc/a"), 0755), 0);
	assert_int_equal(mkdir(at("etc/b"), 0755), 0);
	BOOTSTRAP("-q");
	assert_status(1);
	assert_says(ran.err, ": files:/etc/b (host-file)");
}

static void a_plan_changes_nothing(void **state)
{
	static const char *const dry[][4] = {{"plan"}, {"bootstrap", "--dry-run"}};

	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	for (size_t i = 0; i < ARRAY_LEN(dry); i++) {
		const char *argv[10] = {"hpc-agent", dry[i][0],    "--root", top,
		                        "--config",  at("c.yaml"), dry[i][1]};

		agent_end(agent_start(argv));
		assert_status(10);
		assert_memory_equal(ran.out, "  1 files:/etc/motd\n", 20);
		assert_says(ran.out, "\nstep ");
		assert_says(ran.out, "files:/etc/motd  pending ");
		assert_says(ran.out,
		            "\nfiles:/etc/motd would\n  write /etc/motd 0644 root:root 5 bytes");
		assert_silent_about(ran.out, "more");
		assert_silent_about(ran.out, "\nimds-lock would\n  write");
		assert_int_equal(access(at("etc/motd"), F_OK), -1);
		assert_int_equal(access(at("run"), F_OK), -1);
		argv[7] = "--quiet";
		if (!argv[6])
			argv[6] = "--verbose";
		agent_end(agent_start(argv));
		assert_status(10);
		assert_string_equal(ran.out, "");
		argv[7] = "--json";
		agent_end(agent_start(argv));
		assert_memory_equal(ran.out, "{\"schema\":", 10);
		assert_says(ran.out, "\"phase\":\"pending\"");
		assert_silent_about(ran.out, "would");
	}
	machine("files: [{path: /etc/machine, content: ''}]\nimds-lock: {enabled: false}\n");
	AGENT("plan", "--root", top, "--config", at("c.yaml"));
	assert_status(0);
	assert_silent_about(ran.out, "would");
}

/* Below each change of a file that is there: how it would differ. */
static void a_plan_tells_how_a_file_would_differ(void **state)
{
	(void)state;
	machine("files: [{path: /etc/a, content: \"same\\nnew\\n\"}, {path: /etc/b, content: x}]\n");
	put("etc/a", "same\nold\n");
	put("etc/b", "x");
	AGENT("plan", "--root", top, "--config", at("c.yaml"));
	assert_status(10);
	const char *would = strstr(ran.out, "\nfiles:/etc/a would\n");
	assert_non_null(would);
	assert_says(would, "\n  write /etc/a 0644 root:root 9 bytes sha256:");
	assert_says(would, "\n      @@ -1,2 +1,2 @@\n       same\n      -old\n      +new\n");
	assert_silent_about(ran.out, "files:/etc/b would");
	assert_string_equal(get("etc/a"), "same\nold\n");
}

static void a_plan_that_fails_is_not_pending(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, source: 'file:/nonexistent'}, {path: /etc/a, content: x}]\n");
	AGENT("plan", "--root", top, "--config", at("c.yaml"), "--json");
	assert_status(1);
	assert_says(ran.out, "\"phase\":\"failed\"");
	assert_says(ran.out, "\"state\":\"pending\"");
}

static void what_is_wrong_with_the_input(void **state)
{
	(void)state;
	machine("files: [{path: x}]\n");
	BOOTSTRAP("--node", "n1");
	assert_status(3);
	assert_says(ran.err, "c.yaml:1:16: 'x' is not an absolute path");
	assert_says(get(STATUS), "\"phase\":\"failed\"");
	assert_says(get(STATUS), "\"exit_status\":3");
	assert_says(get(STATUS), "not an absolute path");
	AGENT("bootstrap", "--root", top);
	assert_status(3);
	assert_says(ran.err, "no cluster configuration is named: ");
	assert_silent_about(ran.err, "bytes of user data");
	AGENT("bootstrap", "--root", top, "--config", at("missing"));
	assert_status(3);
	assert_says(ran.err, "missing'");
	AGENT("bootstrap", "--root", top, "--config", "x", "--node", "a.b");
	assert_status(2);
	AGENT("bootstrap", "--root", at("missing"), "--config", at("c.yaml"));
	assert_status(1);
	assert_says(ran.err, "opening the root '");
	AGENT("plan", "--root", at("missing"), "--config", at("c.yaml"));
	assert_status(1);
	assert_says(ran.err, "opening the root '");
}

/* A name that cannot be looked at is a failure, and not a machine without the file. */
static void a_node_document_behind_a_users_link(void **state)
{
	(void)state;
	unit_need_root();
	machine("files: [{path: /etc/motd, content: hello}]\n");
	put("home/node.yaml", "node: n1\n");
	assert_int_equal(symlink("../home", at("etc/hpc-node")), 0);
	assert_int_equal(lchown(at("etc/hpc-node"), 1500, 1500), 0);
	BOOTSTRAP("-q");
	assert_status(1);
	assert_says(ran.err, "looking for '/etc/hpc-node/node.yaml': a user may have put a link");
	assert_int_equal(access(at("etc/motd"), F_OK), -1);
}

/* The release of slurmctld is what the head's files follow from: one that can't be asked is a failure. */
static void a_slurmctld_that_cannot_be_asked(void **state)
{
	(void)state;
	unit_need_root();
	machine("files: [{path: /etc/motd, content: hello}]\n");
	put("usr/sbin/slurmctld", "no program");
	BOOTSTRAP("-q", "--role", "head");
	assert_status(1);
	assert_says(ran.err, "running '/usr/sbin/slurmctld': Permission denied");
	BOOTSTRAP("-q", "--role", "compute"); /* a node doesn't ask */
	assert_status(0);
}

/* What is on /run may fill it: the status of the run that is over makes room for this one's. */
static void a_full_run_directory_keeps_a_true_status(void **state)
{
	(void)state;
	unit_need_root();
	machine("files: [{path: /etc/motd, content: hello}]\n");
	assert_int_equal(mkdir(at("run"), 0755), 0);
	assert_int_equal(mkdir(at("run/hpc-node"), 0755), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		assert_int_equal(unshare(CLONE_NEWNS), 0);
		assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
		/* A page for the status, and one for the events. */
		assert_int_equal(mount("none", at("run/hpc-node"), "tmpfs", 0, "size=8k"), 0);
		BOOTSTRAP("-q", "--node", "n1");
		assert_status(0);
		assert_string_equal(ran.err, "");
		assert_says(get(STATUS), "\"phase\":\"ready\"");
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void one_run_at_a_time(void **state)
{
	struct host *h;
	int fd = -1;

	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	assert_ok(host_open(top, HOST_LIVE, &h, &e));
	assert_ok(host_lock(h, &fd, &e));
	BOOTSTRAP("-q");
	assert_status(6);
	AGENT("plan", "--root", top, "--config", at("c.yaml"), "-q"); /* needs no lock */
	assert_status(10);
	close(fd);
	host_close(h);
	BOOTSTRAP("-q");
	assert_status(0);
	assert_ok(host_open(top, HOST_LIVE, &h, &e));
	assert_false(host_lock_held(h));
	host_close(h);
}

static void the_node_document_lies_on_the_machine(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: '${node} ${role} ${slurm-prefix}'}]\n");
	put("etc/hpc-node/node.yaml",
	    arena_printf(arena, "config: %s\nnode: n1\nrole: login\n", at("c.yaml")));
	put("usr/sbin/slurmd", "");
	AGENT("bootstrap", "--root", top, "-q");
	assert_status(0);
	assert_string_equal(get("etc/motd"), "n1 login /usr");
	put("opt/slurm/sbin/slurmd", ""); /* comes first */
	AGENT("bootstrap", "--root", top, "-q", "--node", "n2");
	assert_status(0);
	assert_string_equal(get("etc/motd"), "n2 login /opt/slurm");
	put("etc/hpc-node/node.yaml", "");
	BOOTSTRAP("-q", "--node", "n3");
	assert_status(0);
	assert_string_equal(get("etc/motd"), "n3 compute /opt/slurm");
	put("etc/hpc-node/node.yaml", "- n1\n");
	BOOTSTRAP("-q");
	assert_status(3);
	assert_says(ran.err, "/etc/hpc-node/node.yaml:1:1: expected a map, found list");
	put("etc/hpc-node/node.yaml", "node: 'a b'\n");
	BOOTSTRAP("-q");
	assert_status(3);
	assert_says(ran.err, "/etc/hpc-node/node.yaml:1:7: node: ");
}

static void a_node_document_that_cannot_be_read(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	put("etc/hpc-node/node.yaml/in-the-way", "");
	BOOTSTRAP("-q");
	assert_status(3);
	assert_says(ran.err, "/etc/hpc-node/node.yaml");
	assert_int_equal(access(at("etc/motd"), F_OK), -1);
}

static void the_configuration_is_verified(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	put("etc/hpc-node/node.yaml",
	    "config-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
	BOOTSTRAP("-q");
	assert_status(5);
	assert_int_equal(access(at("etc/motd"), F_OK), -1);
}

/* ---- what systemd is told ---- */

static int manager = -1;
static char told[16384];

static void listen_here(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", top);
	assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
	ran.notify = at("notify");
}

static const char *all_told(void)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(manager, told + len, sizeof told - len - 2, MSG_DONTWAIT)) > 0) {
		len += (size_t)n;
		told[len++] = '\n';
	}
	told[len] = '\0';
	return told;
}

static void the_manager_hears_how_it_goes(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	listen_here();
	BOOTSTRAP("-q", "--deadline", "50s", "--node", "n1");
	assert_status(0);
	assert_says(all_told(), "STATUS=Finding out who this node is\n");
	/* What is left until the deadline, and 10 s. */
	unsigned long long usec = strtoull(strstr(told, "EXTEND_TIMEOUT_USEC=") + 20, NULL, 10);
	assert_true(usec > 20000000 && usec <= 60000000);
	assert_says(told, "STATUS=3 of 3 steps done, 0 running\nEXTEND_TIMEOUT_USEC=30000000\n");
	assert_says(told, "READY=1\nSTATUS=n1 ready in ");
	assert_int_equal(mkdir(at("etc/dir"), 0755), 0);
	put("c.yaml", "files: [{path: /etc/dir, content: x}]\n");
	BOOTSTRAP("-q", "--node", "n1");
	assert_status(1);
	assert_silent_about(all_told(), "READY=1");
	assert_says(told, "STATUS=n1 failed after ");
	assert_says(told, "\nERRNO=21\n"); /* EISDIR */
	AGENT("plan", "--root", top, "--config", at("c.yaml"));
	assert_silent_about(all_told(), "ERRNO=");
	close(manager);
	ran.notify = NULL;
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	ran.failing_output = true;
	BOOTSTRAP("--node", "n1");
	ran.failing_output = false;
	assert_status(1);
	assert_says(ran.err, "writing standard output: No space left on device");
	assert_says(get(STATUS), "\"phase\":\"failed\"");
	assert_says(get(STATUS), "\"exit_status\":1");
	assert_says(get(STATUS), "writing standard output");
}

static void a_status_that_cannot_be_written_is_a_failure(void **state)
{
	(void)state;
	machine("files: [{path: /etc/motd, content: hello}]\n");
	put("run/hpc-node/status.json/in-the-way", "");
	BOOTSTRAP("-q", "--node", "n1");
	assert_status(1);
	assert_string_equal(get("etc/motd"), "hello");
	assert_says(ran.err, "status.json");
	assert_silent_about(ran.err, "ready in");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(ready_and_again),
	        SCRATCH_TEST(a_step_that_fails),
	        SCRATCH_TEST(an_optional_step_that_fails),
	        SCRATCH_TEST(the_cause_is_the_required_step),
	        SCRATCH_TEST(a_plan_changes_nothing),
	        SCRATCH_TEST(a_plan_tells_how_a_file_would_differ),
	        SCRATCH_TEST(a_plan_that_fails_is_not_pending),
	        SCRATCH_TEST(what_is_wrong_with_the_input),
	        SCRATCH_TEST(a_node_document_behind_a_users_link),
	        SCRATCH_TEST(a_slurmctld_that_cannot_be_asked),
	        SCRATCH_TEST(a_full_run_directory_keeps_a_true_status),
	        SCRATCH_TEST(one_run_at_a_time),
	        SCRATCH_TEST(the_node_document_lies_on_the_machine),
	        SCRATCH_TEST(a_node_document_that_cannot_be_read),
	        SCRATCH_TEST(the_configuration_is_verified),
	        SCRATCH_TEST(the_manager_hears_how_it_goes),
	        SCRATCH_TEST(output_that_cannot_be_written_is_a_failure),
	        SCRATCH_TEST(a_status_that_cannot_be_written_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
