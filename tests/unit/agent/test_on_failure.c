/* SPDX-License-Identifier: Apache-2.0 */
/* What a node does about its failure: a whole run on a machine whose /run, console and service
 * manager are the test's, with a network of its own. */
#include <sched.h>
#include <sys/mount.h>

#include "agent_run.h"
#include "network.h"
#include "script.h"

static struct script s;

static void bind_over(const char *from, const char *to)
{
	assert_int_equal(mount(from, to, NULL, MS_BIND, NULL), 0);
}

/* Stands in for systemctl and systemd-run, and says how it was called. */
static void enter(void)
{
	put("called", "");
	put("console", "");
	(void)mkdir(at("etc"), 0755);
	(void)mkdir(at("work"), 0755);
	put("tool", arena_printf(arena, "#!/bin/sh\necho \"${0##*/} $*\" >>%s\n", at("called")));
	assert_int_equal(chmod(at("tool"), 0755), 0);
	network_own();
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"), 0);
	bind_over(at("tool"), "/usr/bin/systemctl");
	bind_over(at("tool"), "/usr/bin/systemd-run");
	bind_over(at("tool"), "/usr/bin/scontrol");
	bind_over(at("console"), "/dev/console");
	assert_int_equal(mount("none", "/etc", "overlay", 0,
	                       arena_printf(arena, "lowerdir=/etc,upperdir=%s,workdir=%s",
	                                    at("etc"), at("work"))),
	                 0);
}

/* The run, in its own machine; what it wrote is in the scratch directory. */
static void run_here(const struct script_row *rows, const char *const *words)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		enter();
		s = script_start(rows);
		ran.metadata = s.url;
		agent_end(agent_start(words));
		put("status.json", "");
		struct blob text = {0};
		if (file_read(AT_FDCWD, "/run/hpc-node/status.json", 1 << 20, arena, &text, &e) ==
		    0)
			put("status.json", text.data);
		script_stop(&s);
		_exit(ran.status);
	}
	agent_end(pid);
}

static const char *config_of(const char *text)
{
	put("c.yaml", text);
	return arena_printf(arena, "#hpc-node\nconfig: file:%s\nnode: n1\n", at("c.yaml"));
}

static void bootstrap(const char *verb, const char *config, const char *on_failure)
{
	const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        {"GET /latest/dynamic/instance-identity/document", 0, 200, NULL,
	         "{\"instanceId\":\"i-1\",\"region\":\"eu-west-1\"}"},
	        {"GET /latest/user-data", 0, 200, NULL,
	         arena_printf(arena, "%s%s", config_of(config), on_failure)},
	        {0},
	};
	const char *const words[] = {"hpc-agent", verb, "--deadline", "60s", NULL};

	run_here(rows, words);
}

#define FAILING "files: [{path: /run/x, source: file:/nonexistent}]\nimds-lock: {enabled: false}\n"
#define BROKEN  "files: [\n"
#define GOOD    "files: [{path: /run/x, content: a}]\nimds-lock: {enabled: false}\n"
#define OPTIONAL                                                                                   \
	"files: [{path: /run/x, source: file:/nonexistent, optional: true}]\n"                     \
	"imds-lock: {enabled: false}\n"

static void what_was_asked_for_is_done(void **state)
{
	static const struct {
		const char *on_failure, *called, *said;
	} rows[] = {
	        {"", "", ""},
	        {"on-failure: hold\n", "", ""},
	        {"on-failure: poweroff\n", "systemctl --no-block poweroff\n",
	         "on-failure: powering off\n"},
	        {"on-failure: terminate\n", "systemctl --no-block poweroff\n",
	         "must be 'terminate'"},
	        {"on-failure: {hold-for: 90s}\n",
	         "systemd-run --quiet --on-active=90000ms systemctl poweroff\n",
	         "on-failure: powering off in 90 s"},
	};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bootstrap("bootstrap", BROKEN, rows[i].on_failure);
		assert_status(3);
		assert_string_equal(get("called"), rows[i].called);
		assert_says(ran.err, rows[i].said);
		assert_says(get("status.json"), "\"phase\":\"failed\"");
	}
}

/* The head is told of a compute node's failure, and before it powers off. */
static void the_head_is_told(void **state)
{
	(void)state;
	unit_need_root();
	bootstrap("bootstrap", FAILING "slurm: {head: 127.0.0.1, after: [files]}\n",
	          "on-failure: poweroff\n");
	assert_status(1);
	const char *told = strstr(get("called"), "scontrol update NodeName=n1 Comment=hpc-agent: "
	                                         "i-1 failed: files:/run/x: ");
	assert_non_null(told);
	assert_non_null(strstr(told, "\nsystemctl --no-block poweroff\n"));
	/* One that is no compute node has nobody to tell. */
	bootstrap("bootstrap", FAILING, "");
	assert_status(1);
	assert_string_equal(get("called"), "");
}

static void only_a_run_that_failed(void **state)
{
	(void)state;
	unit_need_root();
	bootstrap("bootstrap", GOOD, "on-failure: poweroff\n");
	assert_status(0);
	assert_string_equal(get("called"), "");
	bootstrap("bootstrap", FAILING, "on-failure: poweroff\n");
	assert_status(1);
	assert_string_equal(get("called"), "systemctl --no-block poweroff\n");
	bootstrap("bootstrap", OPTIONAL, "on-failure: poweroff\n");
	assert_status(8);
	assert_string_equal(get("called"), "");
	bootstrap("plan", BROKEN, "on-failure: poweroff\n");
	assert_status(3);
	assert_string_equal(get("called"), "");
	assert_string_equal(get("status.json"), "");
}

static void the_console_has_one_line(void **state)
{
	(void)state;
	unit_need_root();
	bootstrap("bootstrap", GOOD, "");
	assert_status(0);
	assert_says(get("console"), "\r\nhpc-agent: n1 ready in ");
	assert_says(get("console"), "\r\n");
	bootstrap("bootstrap", BROKEN, "");
	assert_says(get("console"), "hpc-agent: n1 failed after ");
	assert_says(get("console"), "c.yaml:2:1: "); /* all of it, though standard error has it */
	bootstrap("plan", GOOD, "");
	assert_string_equal(get("console"), "");
}

/* For who logs in: EC2 hands out what the machine itself said, and no name that it had once. */
static void heads_tell_their_host_keys(void **state)
{
	static const char block[] = "\r\n-----BEGIN SSH HOST KEY KEYS-----\r\n"
	                            "ssh-ed25519 AAAAC3Nz\r\n"
	                            "ssh-rsa AAAAB3Nz\r\n"
	                            "-----END SSH HOST KEY KEYS-----\r\n";

	(void)state;
	unit_need_root();
	assert_int_equal(mkdir(at("etc"), 0755), 0);
	assert_int_equal(mkdir(at("etc/ssh"), 0755), 0);
	put("etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAAC3Nz root@build\n");
	put("etc/ssh/ssh_host_ecdsa_key.pub", "ecdsa-sha2-nistp256\n");
	put("etc/ssh/ssh_host_rsa_key.pub", "ssh-rsa AAAAB3Nz\n");
	bootstrap("bootstrap", GOOD, "role: head\n");
	assert_says(get("console"), block);
	assert_says(strstr(get("console"), block), "\r\nhpc-agent: n1 ready in ");
	bootstrap("bootstrap", BROKEN, "role: login\n");
	assert_says(get("console"), block);
	bootstrap("bootstrap", GOOD, "role: compute\n");
	assert_null(strstr(get("console"), "HOST KEY"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(what_was_asked_for_is_done), SCRATCH_TEST(the_head_is_told),
	        SCRATCH_TEST(only_a_run_that_failed),     SCRATCH_TEST(the_console_has_one_line),
	        SCRATCH_TEST(heads_tell_their_host_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
