/* SPDX-License-Identifier: Apache-2.0 */
/* The kind login: the files it writes, sackd where the machine has it, and waiting for an answer. */
#include <sched.h>
#include <sys/mount.h>

#include "claimed.h"
#include "slurm/slurm_kinds.h"
#include "world.h"

#define ENVIRONMENT "machine/etc/environment"
#define OPTIONS     "machine/etc/default/sackd"
#define SERVER      "SLURM_CONF_SERVER=127.0.0.1:"

static struct vars facts;
static const struct slurm_spec *made; /* by claim */

static void sinfo_is(const char *place, const char *then)
{
	const char *name = arena_printf(arena, "%s/sinfo", place);

	put(name, arena_printf(arena, "#!/bin/sh\necho \"$SLURM_CONF_SERVER $*\" >>%s\n%s\n",
	                       at("asked"), then));
	assert_int_equal(chmod(at(name), 0755), 0);
}

static int start_world(void **state)
{
	begin(state);
	w.unit = "sackd.service";
	w.on_start = NULL;
	facts = (struct vars){.arena = arena};
	sinfo_is("bin", "echo queue1");
	return 0;
}

static int claim(const char *section)
{
	int r = claim_of(&kind_login, section, &facts);

	made = claimed;
	return r;
}

/* Of a Slurm below the scratch directory, whose controller is there. */
static void claim_own(void)
{
	assert_ok(claim(arena_printf(arena, "{prefix: %s, head: 127.0.0.1, port: '%u'}", top,
	                             spec.port_number)));
}

static int probe(void)
{
	e = (struct err){0};
	return kind_login.probe(&ctx, made, &e);
}

static int apply(void)
{
	e = (struct err){0};
	manager_forget();
	return kind_login.apply(&ctx, made, &e);
}

static void what_it_needs(void **state)
{
	(void)state;
	assert_err(claim("{}"), ERR_INPUT, "the head node is not known");
	assert_err(claim("{head: 'a b'}"), ERR_INPUT, "s:1:");
	assert_err(claim("{head: a, port: none}"), ERR_INPUT, "not a port");
	assert_err(claim("{head: a, prefix: opt}"), ERR_INPUT, "not an absolute path");
	assert_err(claim("{head: a, node: n}"), ERR_INPUT, "unknown key 'node'");
	vars_set(&facts, "head", "10.0.0.5", "test");
	assert_ok(claim("{}"));
	assert_string_equal(made->server, "10.0.0.5:6817");
}

static void clients_ask_by_a_line_of_the_environment(void **state)
{
	const char *line = arena_printf(arena, SERVER "%u\n", spec.port_number);

	(void)state;
	claim_own();
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(get(ENVIRONMENT), line);
	assert_string_equal(
	        get("asked"),
	        arena_printf(arena, "127.0.0.1:%u --noheader --format=%%P\n", spec.port_number));
	assert_string_equal(get("machine/etc/profile.d/hpc-node-slurm.sh"),
	                    arena_printf(arena, "PATH=%s/bin:$PATH\n", top));
	assert_string_equal(w.did.data, "");
	assert_int_equal(probe(), 1);

	put(ENVIRONMENT, "A=1\nSLURM_CONF_SERVER=old:1\nB=2");
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(get(ENVIRONMENT), arena_printf(arena, "A=1\nB=2\n%s", line));
	assert_int_equal(probe(), 1);
}

/* What can't be read is not taken for what is not there. */
static void an_environment_that_cannot_be_read(void **state)
{
	char *much = arena_alloc(arena, (64 << 10) + 2);

	(void)state;
	claim_own();
	memset(much, '#', (64 << 10) + 1);
	put(ENVIRONMENT, much);
	assert_err(probe(), ERR_INPUT, "/etc/environment:1:1: ");
	assert_err(apply(), ERR_INPUT, "/etc/environment:1:1: ");
	assert_string_equal(get(ENVIRONMENT), much);
	much[64 << 10] = '\0';
	put(ENVIRONMENT, much);
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_int_equal(strlen(get(ENVIRONMENT)), (64 << 10) + strlen(SERVER "12345\n") + 1);
}

/* There may be passwords in it, or what it is a link to. */
static void who_may_read_the_environment_stays(void **state)
{
	bool root = unit_is_root();
	struct stat st;

	(void)state;
	claim_own();
	put(ENVIRONMENT, "https_proxy=http://a:b@c\n");
	assert_int_equal(chmod(at(ENVIRONMENT), 0640), 0);
	if (root)
		assert_int_equal(chown(at(ENVIRONMENT), 0, 4711), 0);
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_non_null(strstr(get(ENVIRONMENT), "\n" SERVER));
	assert_int_equal(lstat(at(ENVIRONMENT), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	if (root)
		assert_int_equal(st.st_gid, 4711);
	assert_int_equal(probe(), 1);

	assert_int_equal(rename(at(ENVIRONMENT), at("machine/etc/secret")), 0);
	put("machine/etc/secret", "A=1\n");
	assert_int_equal(symlink("secret", at(ENVIRONMENT)), 0);
	assert_ok(apply());
	assert_int_equal(lstat(at(ENVIRONMENT), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(unlink(at(ENVIRONMENT)), 0);
	assert_ok(apply());
	assert_int_equal(lstat(at(ENVIRONMENT), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
}

static void a_slurm_conf_of_the_machine_is_enough(void **state)
{
	(void)state;
	put(arena_printf(arena, "machine%s/etc/slurm.conf", top), "ClusterName=c\n");
	put(ENVIRONMENT, "A=1\n");
	claim_own();
	assert_ok(apply());
	assert_string_equal(get(ENVIRONMENT), "A=1\n");
	assert_string_equal(get("asked"), " --noheader --format=%P\n");
}

static void an_answer_is_waited_for(void **state)
{
	(void)state;
	claim_own();
	sinfo_is("bin",
	         arena_printf(arena,
	                      "test $(wc -l <%s) -gt 3 && exit 0\necho '" UNHEARD "' >&2; exit 1",
	                      at("asked")));
	assert_ok(apply());
	assert_true(clock_now() > begun);

	sinfo_is("bin", "echo '" UNHEARD "' >&2; exit 1");
	assert_int_equal(probe(), 0);
	ctx.deadline = clock_in_ms(20000);
	assert_err(apply(), ERR_RETRY, "waiting for the controller: ");
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_true(clock_now() <= ctx.deadline);
}

static void a_refusal_ends_it(void **state)
{
	uint64_t before = clock_now();

	(void)state;
	claim_own();
	sinfo_is("bin", "echo 'sinfo: error: Invalid authentication credential' >&2; exit 1");
	assert_err(apply(), ERR_DENIED, "Invalid authentication credential");
	assert_int_equal(e.reason, REASON_SLURM_AUTH);
	/* The head may have been rotating its key. */
	assert_true(clock_now() - before >= SLURM_PATIENCE_MS * 1000000ull);
	assert_true(clock_now() < ctx.deadline);
}

static void clients_may_be_missing(void **state)
{
	(void)state;
	claim_own();
	assert_int_equal(unlink(at("bin/sinfo")), 0);
	assert_err(apply(), ERR_HOST, "sinfo");
	assert_int_equal(e.reason, REASON_SLURM_MISSING);
}

static void sackd_brings_the_configuration(void **state)
{
	(void)state;
	if (!unit_is_root())
		return;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount(at("bin"), "/usr/local/sbin", NULL, MS_BIND, NULL), 0);
	put("machine/usr/sbin/sackd", "");
	put("machine/etc/debian_version", "13\n");
	put(ENVIRONMENT, "SLURM_CONF_SERVER=old:1\n");
	assert_ok(claim(arena_printf(arena, "{head: 127.0.0.1, port: '%u'}", spec.port_number)));
	w.active = false;
	assert_ok(apply());
	assert_string_equal(w.did.data, "start ");
	assert_string_equal(get(ENVIRONMENT), "");
	assert_non_null(strstr(get(OPTIONS), arena_printf(arena,
	                                                  "\nSACKD_OPTIONS=\"--conf-server "
	                                                  "127.0.0.1:%u\"\n",
	                                                  spec.port_number)));
	assert_int_equal(probe(), 1);

	/* One that runs with other options is stopped before they change. */
	put(OPTIONS, "SACKD_OPTIONS=\n");
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "stop start ");
	w.active = false;
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "start ");

	/* As is one that is still on its way up with them. */
	put(OPTIONS, "SACKD_OPTIONS=\n");
	w.active = false;
	w.meanwhile = "activating";
	assert_ok(apply());
	assert_string_equal(w.did.data, "stop start ");

	/* It isn't started before slurmctld listens, as it would wait without a word. */
	w.active = false;
	close(listening);
	listening = -1;
	ctx.deadline = clock_in_ms(5000);
	assert_err(apply(), ERR_RETRY, "waiting for the controller: connecting to '127.0.0.1'");
	assert_string_equal(w.did.data, "");
	assert_int_equal(umount2("/usr/local/sbin", MNT_DETACH), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, start_world, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(what_it_needs),
	        T(clients_ask_by_a_line_of_the_environment),
	        T(an_environment_that_cannot_be_read),
	        T(who_may_read_the_environment_stays),
	        T(a_slurm_conf_of_the_machine_is_enough),
	        T(an_answer_is_waited_for),
	        T(a_refusal_ends_it),
	        T(clients_may_be_missing),
	        T(sackd_brings_the_configuration),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
