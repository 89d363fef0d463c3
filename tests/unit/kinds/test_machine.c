/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds on a live machine, real programs and a real kernel, in a sandbox of this test. */
#include "kinds_test.h"

#include "machine/kernel.h"
#include "plan/run.h"

static int setup(void **state)
{
	*state = fixture_new(HOST_LIVE);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static void accounts_are_made_by_useradd(void **state)
{
	struct fixture *f = *state;
	struct host_user u = {0};
	struct stat st;
	struct err e = {0};
	gid_t hpc = 0;

	assert_converges(f,
	                 "groups: [{name: hpc, gid: 2000}]\n"
	                 "users:\n"
	                 "- {name: alice, uid: 2001, group: hpc, groups: video}\n"
	                 "- {name: slurm, uid: 401, gid: 401, system: true, home: /var/lib/slurm}\n"
	                 "- {name: bob}\n"
	                 "- {name: munge, uid: 110}\n");
	assert_ok(host_user(f->host, "alice", f->arena, &u, &e));
	assert_ok(host_group(f->host, "hpc", &hpc, &e));
	assert_int_equal(hpc, 2000);
	assert_int_equal(u.uid, 2001);
	assert_int_equal(u.gid, 2000);
	assert_string_equal(u.shell, "/bin/bash");
	assert_int_equal(stat("/home/alice", &st), 0);
	assert_int_equal(st.st_uid, 2001);
	assert_ok(host_user(f->host, "slurm", f->arena, &u, &e));
	assert_string_equal(u.shell, "/usr/sbin/nologin");
	assert_int_equal(u.gid, 401);
	assert_true(access("/var/lib/slurm", F_OK) < 0);
	assert_int_equal(access("/home/bob", F_OK), 0);
}

static void accounts_are_changed_and_removed(void **state)
{
	struct fixture *f = *state;
	struct host_user u = {0};
	struct err e = {0};

	assert_converges(f, "users: [{name: dora, uid: 2100, create-home: false}]\n");
	assert_converges(f, "groups: [{name: render, gid: 45}]\n"
	                    "users:\n"
	                    "- {name: dora, uid: 2100, gid: 45, group: render, shell: /bin/sh,\n"
	                    "   home: /srv/dora, groups: [video]}\n");
	assert_string_equal(f->record.data,
	                    "run groupadd --gid 45 render\n"
	                    "run usermod --gid render --home /srv/dora --shell /bin/sh --append "
	                    "--groups video dora\n"
	                    "run rm -rf --one-file-system /srv/dora.hpc-new\n"
	                    "run mkdir -p /srv\n"
	                    "run mkdir --mode=0755 /srv/dora.hpc-new\n"
	                    "run chown -Rh dora: /srv/dora.hpc-new\n"
	                    "run mv -T /srv/dora.hpc-new /srv/dora\n");
	assert_ok(host_user(f->host, "dora", f->arena, &u, &e));
	assert_string_equal(u.home, "/srv/dora");
	assert_int_equal(u.gid, 45);
	assert_converges(f, "users: [{name: dora, state: absent}]\n"
	                    "groups: [{name: dora, state: absent}]\n");
	assert_int_equal(host_user(f->host, "dora", f->arena, &u, &e), -ENOENT);
}

#define HALF "users: [{name: half, uid: 2300, groups: [pals]}]\n"

/* As after a kill between any two of useradd's files: all is there in the end. */
static void half_made_accounts_are_finished(void **state)
{
	static const char *const losses[] = {
	        ("sed -i /^half:/d /etc/shadow /etc/group /etc/gshadow /etc/subuid /etc/subgid; "
	         "rm -r /home/half"),
	        "sed -i /^half:/d /etc/group /etc/gshadow /etc/subuid /etc/subgid; rm -r /home/half",
	        "sed -i /^half:/d /etc/gshadow /etc/subuid /etc/subgid; rm -r /home/half",
	        "sed -i /^half:/d /etc/subuid /etc/subgid; rm -r /home/half",
	        "sed -i /^half:/d /etc/subgid; rm -r /home/half",
	        "rm -r /home/half; mkdir /home/half.hpc-new",
	        /* and what its owner, who has it since the chown, put there */
	        ("rm -r /home/half; mkdir /home/half.hpc-new; "
	         "ln -s /etc/victim /home/half.hpc-new/.skeleton; chown -Rh half: /home/half.hpc-new"),
	        "sed -i /^half:/d /etc/shadow",
	        "sed -i /^half:/d /etc/gshadow",
	        "sed -i '/^pals:/s/half//' /etc/gshadow",
	};
	struct fixture *f = *state;
	struct host_user u = {0};
	struct stat st;
	struct err e = {0};

	assert_int_equal(mkdir("/etc/skel", 0755), 0);
	fixture_write("/etc/skel/.skeleton", "x");
	fixture_write("/etc/victim", "kept");
	fixture_write("/etc/subuid", "other:100000:65536\n");
	fixture_write("/etc/subgid", "other:100000:70000\n");
	assert_converges(f, "groups: [{name: pals, gid: 2301}]\n");
	assert_converges(f, HALF);
	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		const char *argv[] = {"sh", "-c", losses[i], NULL};
		struct host_exec x = {.argv = argv, .deadline = clock_in_ms(10000)};
		struct host_result r;

		assert_ok(host_run_ok(f->host, &x, f->arena, &r, &e));
		assert_int_equal(fixture_probe(f, &e), 0);
		assert_converges(f, HALF);
		assert_string_equal(fixture_read(f, "/etc/victim"), "kept");
		assert_non_null(strstr(fixture_read(f, "/etc/gshadow"), "\nhalf:!:"));
		assert_non_null(strstr(fixture_read(f, "/etc/gshadow"), "\npals:!::half\n"));
		assert_ok(host_user(f->host, "half", f->arena, &u, &e));
		assert_int_equal(stat("/home/half", &st), 0);
		assert_int_equal(st.st_uid, 2300);
		assert_int_equal(st.st_gid, u.gid);
		assert_int_equal(stat("/home/half/.skeleton", &st), 0);
		assert_int_equal(st.st_uid, 2300);
		assert_non_null(strstr(fixture_read(f, "/etc/shadow"), "\nhalf:!:"));
		assert_non_null(strstr(fixture_read(f, "/etc/group"), "half:x:2300:"));
		assert_non_null(strstr(fixture_read(f, "/etc/subuid"), "half:165536:65536"));
		assert_non_null(strstr(fixture_read(f, "/etc/subgid"), "half:170000:65536"));
	}
	assert_int_equal(unlink("/etc/subuid"), 0);
	assert_int_equal(unlink("/etc/subgid"), 0);
	/* What it has beyond the spec, or has not by somebody's decision, stays. */
	assert_converges(f, "users: [{name: half, uid: 2300, create-home: false}]\n");
	assert_string_equal(f->record.data, "");
}

/* useradd would leave a part of /etc/skel when it is killed; and root's cp and chown would follow
 * what a user has put there. */
static void a_home_is_made_whole_and_only_where_no_user_interferes(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};

	fixture_write("/etc/login.defs", "UMASK 027\nHOME_MODE 0700\n");
	assert_converges(f, "users: [{name: wholly, uid: 2400}]\n");
	assert_non_null(strstr(f->record.data, " --no-create-home "));
	assert_non_null(strstr(f->record.data, "run mv -T /home/wholly.hpc-new /home/wholly\n"));
	assert_int_equal(stat("/home/wholly", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(unlink("/etc/login.defs"), 0);

	assert_int_equal(mkdir("/srv", 0755) == 0 || errno == EEXIST, 1);
	assert_int_equal(mkdir("/srv/open", 0755), 0);
	assert_int_equal(chmod("/srv/open", 01777), 0);
	assert_int_equal(mkdir("/srv/target", 0755), 0);
	assert_int_equal(symlink("/srv/target", "/srv/open/eve.hpc-new"), 0);
	assert_ok(fixture_plan(f, "users: [{name: eve, uid: 2401, home: /srv/open/eve}]\n", &e));
	fixture_forget(f);
	assert_err(fixture_apply(f, &e), ERR_HOST, "using '/srv/open'");
	assert_string_equal(f->record.data, "");
	assert_int_equal(stat("/srv/target", &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void root_is_root_and_nobody_else_is(void **state)
{
	static const struct {
		const char *spec, *message;
	} cases[] = {
	        {"users: [{name: eve, uid: 0}]", "spec:1:26: id 0 is root's: 'eve' would be root"},
	        {"users: [{name: root, uid: 5}]", "'root' has the id 0 and no other"},
	        {"users: [{name: root, state: absent}]", "spec:1:29: 'root' can't be absent"},
	        {"groups: [{name: eve, gid: 0}]", "id 0 is root's"},
	        {"groups: [{name: root, state: absent}]", "'root' can't be absent"},
	};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_err(fixture_plan(f, cases[i].spec, &e), ERR_INPUT, cases[i].message);
	assert_ok(fixture_plan(f, "users: [{name: root, uid: 0, shell: /bin/sh}]\n", &e));
}

static void ids_are_never_changed(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "users: [{name: munge, uid: 402}]\n", &e));
	assert_err(fixture_probe(f, &e), ERR_HOST, "user 'munge' has uid 110");
	assert_int_equal(e.reason, REASON_HOST_USER);
	assert_err(fixture_apply(f, &e), ERR_HOST, "asked for is 402");
	assert_ok(fixture_plan(f, "groups: [{name: munge, gid: 402}]\n", &e));
	assert_err(fixture_probe(f, &e), ERR_HOST, "group 'munge' has gid 111");
	assert_string_equal(f->record.data, "");
}

static void useradd_has_the_last_word(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "users: [{name: eve, uid: 110}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "useradd: UID 110 is not unique");
	assert_ok(fixture_plan(f, "users: [{name: eve, group: nobodys}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "group 'nobodys' does not exist");
}

static void the_name_is_set_and_resolves(void **state)
{
	struct fixture *f = *state;
	char name[65] = "";

	fixture_write("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 Node7\n10.0.0.1 node70 head");
	vars_set(&f->facts, "local-ipv4", "10.0.0.7", "test");
	assert_converges(f, "hostname: node7.cluster.internal\n");
	assert_int_equal(gethostname(name, sizeof name), 0);
	assert_string_equal(name, "node7.cluster.internal");
	assert_string_equal(fixture_read(f, "/etc/hostname"), "node7.cluster.internal\n");
	assert_string_equal(fixture_read(f, "/etc/hosts"),
	                    "10.0.0.7\tnode7.cluster.internal node7\t# hpc-node: this machine\n"
	                    "127.0.0.1 localhost\n"
	                    "10.0.0.1 node70 head\n");

	vars_set(&f->facts, "local-ipv4", "10.0.0.8", "test");
	assert_converges(f, "hostname: node8\n");
	assert_string_equal(fixture_read(f, "/etc/hosts"),
	                    "10.0.0.8\tnode8\t# hpc-node: this machine\n"
	                    "127.0.0.1 localhost\n"
	                    "10.0.0.1 node70 head\n");
}

static void settings_reach_the_kernel(void **state)
{
	struct fixture *f = *state;
	const char *value = NULL;
	struct err e = {0};

	assert_converges(f, "sysctl:\n"
	                    "  net.ipv4.ip_forward: 1\n"
	                    "  net.ipv4.ip_local_port_range: 32000    61000\n");
	assert_ok(host_sysctl_get(f->host, "net.ipv4.ip_local_port_range", f->arena, &value, &e));
	assert_string_equal(value, "32000 61000");
	assert_string_equal(fixture_read(f, "/etc/sysctl.d/90-hpc-node.conf"),
	                    "# Written by hpc-agent from the section 'sysctl'; changes here don't "
	                    "last.\n"
	                    "net.ipv4.ip_forward = 1\n"
	                    "net.ipv4.ip_local_port_range = 32000    61000\n");
}

static void a_refused_setting_is_not_written(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_converges(f, "sysctl: {net.ipv4.ip_forward: 1}\n");
	assert_ok(fixture_plan(f, "sysctl: {net.ipv4.no_such_setting: 1}\n", &e));
	assert_int_equal(fixture_probe(f, &e), 0);
	assert_err(fixture_apply(f, &e), ERR_HOST, "no such setting");
	assert_int_equal(e.reason, REASON_HOST_SYSCTL);
	assert_ok(fixture_plan(f, "sysctl: {net.ipv4.ip_forward: yes}\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "ip_forward");
	assert_non_null(strstr(fixture_read(f, "/etc/sysctl.d/90-hpc-node.conf"), "forward = 1\n"));
}

static void limits_are_written_twice(void **state)
{
	struct fixture *f = *state;

	assert_converges(f, "limits: {memlock: unlimited, stack: '1M:2M'}\n");
	assert_string_equal(fixture_read(f, "/etc/systemd/system.conf.d/90-hpc-node.conf"),
	                    "# Written by hpc-agent from the section 'limits'; changes here don't "
	                    "last.\n"
	                    "[Manager]\n"
	                    "DefaultLimitMEMLOCK=infinity:infinity\n"
	                    "DefaultLimitSTACK=1048576:2097152\n");
	assert_non_null(strstr(fixture_read(f, "/etc/security/limits.d/90-hpc-node.conf"),
	                       "root hard stack 2048\n"));
}

static void mounts_nest(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_converges(f, "mounts:\n"
	                    "- {path: /shared/deep/dir, type: bind, source: /etc}\n"
	                    "- {path: /shared, type: tmpfs, options: 'size=1m,mode=1777'}\n"
	                    "- {path: /shared/deep, type: tmpfs, options: suid}\n");
	assert_string_equal(f->record.data,
	                    "mkdir /shared 0755 root:root\n"
	                    "mount tmpfs /shared tmpfs nosuid,nodev,size=1m,mode=1777\n"
	                    "mkdir /shared/deep 0755 root:root\n"
	                    "mount tmpfs /shared/deep tmpfs nodev,suid\n"
	                    "mkdir /shared/deep/dir 0755 root:root\n"
	                    "mount /etc /shared/deep/dir bind bind\n");
	assert_int_equal(stat("/shared/deep/dir/passwd", &st), 0);
}

static void another_mount_there_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_converges(f, "mounts: [{path: /busy, type: tmpfs}]\n");
	assert_ok(fixture_plan(f, "mounts: [{path: /busy, type: bind, source: /etc}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "'tmpfs' (tmpfs) is mounted there already");
	assert_int_equal(e.reason, REASON_MOUNT_BUSY);
}

/* useradd and its kin lock the account files; many at once have to wait for each other. */
static void accounts_made_at_once_are_all_there(void **state)
{
	struct fixture *f = *state;
	struct strbuf yaml = STRBUF(f->arena, 8192);
	struct err e = {0};
	struct run_options options = {
	        .host = f->host, .facts = &f->facts, .deadline = clock_in_ms(120000)};
	struct run_result result = {0};

	strbuf_str(&yaml, "groups: [{name: crowd, gid: 3000}]\nusers:\n");
	for (unsigned i = 0; i < 12; i++)
		strbuf_printf(&yaml, "- {name: crowd%u, uid: %u, groups: crowd}\n", i, 3001 + i);
	assert_ok(fixture_plan(f, yaml.data, &e));
	assert_ok(plan_run(&f->plan, &options, f->arena, &result, &e));
	for (size_t i = 0; i < result.n; i++)
		if (result.outcomes[i].state != STEP_CHANGED)
			fail_msg("%s: %s: %s", f->plan.steps[i]->id,
			         step_state_name(result.outcomes[i].state),
			         result.outcomes[i].err.text);
	assert_int_equal(run_exit_status(&f->plan, &result, false), 0);

	assert_ok(plan_run(&f->plan, &options, f->arena, &result, &e));
	for (size_t i = 0; i < result.n; i++) {
		assert_int_equal(result.outcomes[i].state, STEP_OK);
		assert_int_equal(result.outcomes[i].changes.n, 0);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(accounts_are_made_by_useradd),
	        T(accounts_are_changed_and_removed),
	        T(accounts_made_at_once_are_all_there),
	        T(ids_are_never_changed),
	        T(useradd_has_the_last_word),
	        T(half_made_accounts_are_finished),
	        T(a_home_is_made_whole_and_only_where_no_user_interferes),
	        T(root_is_root_and_nobody_else_is),
	        T(the_name_is_set_and_resolves),
	        T(settings_reach_the_kernel),
	        T(a_refused_setting_is_not_written),
	        T(limits_are_written_twice),
	        T(mounts_nest),
	        T(another_mount_there_is_an_error),
	};

	sandbox_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
