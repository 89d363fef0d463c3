/* SPDX-License-Identifier: Apache-2.0 */
/* The kind slurm: what its claim makes of a section, the files it writes, and when it holds. */
#include "claimed.h"
#include "slurm/slurm_kinds.h"
#include "world.h"

#define READY    RECORD("IDLE", "")
#define DEFAULTS "machine/etc/default/slurmd"
#define SYSCONF  "machine/etc/sysconfig/slurmd"
#define DROPIN   "machine/etc/systemd/system/slurmd.service.d/10-hpc-node.conf"
#define UNIT     "machine/etc/systemd/system/slurmd.service"
#define FIRST    "# Written by hpc-agent from the section 'slurm'; changes here don't last.\n"

static struct vars facts;
static const struct slurm_spec *made; /* by claim */

static int claim(const char *section)
{
	int r = claim_of(&kind_slurm, section, &facts);

	made = claimed;
	return r;
}

static int probe(void)
{
	e = (struct err){0};
	return kind_slurm.probe(&ctx, made, &e);
}

static int apply(void)
{
	e = (struct err){0};
	manager_forget();
	return kind_slurm.apply(&ctx, made, &e);
}

static int start_with_facts(void **state)
{
	begin(state);
	facts = (struct vars){.arena = arena};
	vars_set(&facts, "node", "n1", "test");
	vars_set(&facts, "head", "127.0.0.1", "test");
	out[1] = READY;
	return 0;
}

/* The section of a Slurm below the scratch directory, whose controller is there. */
static const char *section(const char *more)
{
	put(arena_printf(arena, "machine%s/sbin/slurmd", top), "");
	return arena_printf(arena, "{prefix: %s, port: '%u'%s}", top, spec.port_number, more);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *section, *message;
		enum reason reason;
	} rows[] = {
	        {"{node: 'n[1-2]'}", "s:1:15: 'n[1-2]' is not the name of one node",
	         REASON_INPUT_RANGE},
	        {"{head: [a b]}", "'a b' contains a quote, a backslash", REASON_INPUT_RANGE},
	        {"{head: ['']}", "an empty word", REASON_INPUT_RANGE},
	        {"{port: '0'}", "'0' is not a port or a range of ports", REASON_INPUT_RANGE},
	        {"{port: '65536'}", "'65536' is not a port", REASON_INPUT_RANGE},
	        {"{port: '20-19'}", "'20-19' is not a port", REASON_INPUT_RANGE},
	        {"{port: 1-65536}", "is not a port", REASON_INPUT_RANGE},
	        {"{port: x}", "'x' is not a port", REASON_INPUT_RANGE},
	        {"{dynamic: ' a'}", "' a' contains a quote", REASON_INPUT_RANGE},
	        {"{dynamic: 'a '}", "'a ' contains a quote", REASON_INPUT_RANGE},
	        {"{dynamic: 'a$b'}", "'a$b' contains a quote", REASON_INPUT_RANGE},
	        {"{options: ['a\"b']}", "contains a quote", REASON_INPUT_RANGE},
	        {"{options: [-v, 'a`b']}", "contains a quote", REASON_INPUT_RANGE},
	        {"{prefix: opt}", "'opt' is not an absolute path", REASON_INPUT_RANGE},
	        {"{prefix: /a b}", "'/a b' contains a quote", REASON_INPUT_RANGE},
	        {"{configless: maybe}", "expected one of auto, true, false", REASON_INPUT_RANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(claim(rows[i].section), ERR_INPUT, rows[i].message);
		assert_string_equal(reason_row(e.reason)->name, reason_row(rows[i].reason)->name);
	}
	facts = (struct vars){.arena = arena};
	assert_err(claim("{head: a}"), ERR_INPUT, "the NodeName is not known");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
	assert_err(claim("{node: a}"), ERR_INPUT, "the head node is not known");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
	assert_ok(claim("{node: a, configless: 'false'}"));
	assert_null(made->server);
}

static void where_the_controller_is(void **state)
{
	(void)state;
	assert_ok(claim("{}"));
	assert_string_equal(made->node, "n1");
	assert_string_equal(made->server, "127.0.0.1:6817");
	assert_int_equal(made->port_number, 6817);
	assert_ok(claim("{node: A-b_c.9, head: [a, 'fd00::1'], port: '65535'}"));
	assert_string_equal(made->node, "A-b_c.9");
	assert_string_equal(made->server, "a:65535,[fd00::1]:65535");
	assert_ok(claim("{port: '1'}"));
	assert_int_equal(made->port_number, 1);
	/* By name, and always the same; each of the range is somebody's. */
	bool seen[3] = {0};
	for (int i = 0; i < 40; i++) {
		assert_ok(claim(arena_printf(arena, "{node: n%d, port: 6820-6822}", i)));
		unsigned first = made->port_number;
		assert_in_range(first, 6820, 6822);
		seen[first - 6820] = true;
		assert_ok(claim(arena_printf(arena, "{node: n%d, port: 6820-6822}", i)));
		assert_int_equal(made->port_number, first);
	}
	assert_true(seen[0] && seen[1] && seen[2]);
	/* The name as a number of base 31, as the head and its nodes had it in every version. */
	assert_ok(claim("{node: a, port: 6820-6829}"));
	assert_int_equal(made->port_number, 6827);
	assert_ok(claim("{node: q-dy-a-1, port: 6820-6829}"));
	assert_int_equal(made->port_number, 6825);
	assert_ok(claim("{node: q-dy-a-2, port: 6820-6829}"));
	assert_int_equal(made->port_number, 6826);
}

static const char *joined(const struct field_strings *l)
{
	struct strbuf text = STRBUF(arena, 1024);

	for (size_t i = 0; i < l->n; i++)
		strbuf_printf(&text, "%s%s", i ? " " : "", l->items[i]);
	return text.data;
}

static void what_it_needs_and_provides(void **state)
{
	(void)state;
	assert_ok(claim("{head: [a, b], prefix: /opt/slurm}"));
	assert_string_equal(joined(&plan.steps[0]->needs),
	                    "name:a name:b path:/opt/slurm/sbin/slurmd munge:ready imds:locked "
	                    "name:self *");
	assert_string_equal(joined(&plan.steps[0]->provides),
	                    "unit:slurmd.service slurm:registered");
}

/* One machine's file of arguments: Debian's place, or the others'. */
static void the_arguments_of_slurmd(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim(section("")));
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(get(SYSCONF),
	                    arena_printf(arena,
	                                 FIRST "SLURMD_OPTIONS=\"-b -N n1 --conf-server "
	                                       "127.0.0.1:%u\"\n",
	                                 spec.port_number));
	put("machine/etc/debian_version", "12\n");
	assert_ok(claim(section(", dynamic: Feature=a Gres=gpu:1, options: [-v, a b], "
	                        "configless: 'false'")));
	assert_ok(apply());
	assert_string_equal(get(DEFAULTS),
	                    FIRST "SLURMD_OPTIONS=\"-b -N n1 -Z --conf 'Feature=a Gres=gpu:1' -v "
	                          "'a b'\"\n");
}

static void a_unit_below_a_prefix_a_drop_in_without(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim(section("")));
	assert_ok(apply());
	assert_non_null(strstr(get(UNIT), arena_printf(arena,
	                                               "\nExecStart=%s/sbin/slurmd -D -s "
	                                               "$SLURMD_OPTIONS\n",
	                                               top)));
	assert_int_equal(access(at(DROPIN), F_OK), -1);
	assert_int_equal(access(at("machine/etc/slurm/cgroup.conf"), F_OK), -1);
	assert_int_equal(access(at("machine/var/spool/slurmd"), F_OK), 0);
	assert_int_equal(access(at("machine/var/log/slurm"), F_OK), 0);
	assert_string_equal(w.did.data, "reload start ");
	assert_int_equal(unlink(at(UNIT)), 0);
	/* By packages. The program's path is the machine's, so only the files are looked at. */
	struct slurm_spec s = {.node = "n1"};
	assert_ok(slurm_files_write(&ctx, &s, &e));
	assert_non_null(strstr(get(DROPIN), "\nRestart=on-failure\n"));
	assert_string_equal(get("machine/etc/slurm/cgroup.conf"),
	                    "CgroupMountpoint=/sys/fs/cgroup\n");
	assert_int_equal(access(at(UNIT), F_OK), -1);
	assert_int_equal(slurm_files_hold(&ctx, &s, &e), 1);
	/* What an admin wrote there stays. */
	put("machine/etc/slurm/cgroup.conf", "mine\n");
	assert_ok(slurm_files_write(&ctx, &s, &e));
	assert_string_equal(get("machine/etc/slurm/cgroup.conf"), "mine\n");
	/* A package that brings the drop-in itself. */
	assert_int_equal(unlink(at(DROPIN)), 0);
	assert_int_equal(slurm_files_hold(&ctx, &s, &e), 0);
	put("machine/usr/lib/systemd/system/slurmd.service.d/10-hpc-node.conf", "");
	assert_int_equal(slurm_files_hold(&ctx, &s, &e), 1);
	assert_ok(slurm_files_write(&ctx, &s, &e));
	assert_int_equal(access(at(DROPIN), F_OK), -1);
}

/* Each file or directory by itself. */
static void files_that_are_missing_do_not_hold(void **state)
{
	static const char *const needed[] = {SYSCONF, DROPIN, "machine/etc/slurm/cgroup.conf",
	                                     "machine/var/spool/slurmd", "machine/var/log/slurm"};
	const struct slurm_spec s = {.node = "n1"};

	(void)state;
	unit_need_root();
	assert_ok(slurm_files_write(&ctx, &s, &e));
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		assert_int_equal(slurm_files_hold(&ctx, &s, &e), 1);
		assert_int_equal(remove(at(needed[i])), 0);
		assert_int_equal(slurm_files_hold(&ctx, &s, &e), 0);
		assert_ok(slurm_files_write(&ctx, &s, &e));
	}
	put(DROPIN, "other\n");
	assert_int_equal(slurm_files_hold(&ctx, &s, &e), 0);
	assert_ok(slurm_files_write(&ctx, &s, &e));
	assert_int_equal(chmod(at(SYSCONF), 0666), 0);
	assert_int_equal(slurm_files_hold(&ctx, &s, &e), 0);
}

static void when_it_holds(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim(section("")));
	assert_ok(apply());
	assert_int_equal(unlink(at("asked")), 0);
	assert_int_equal(probe(), 1); /* it has just joined: nobody is asked */
	assert_int_equal(access(at("asked"), F_OK), -1);
	assert_ok(claim(section(""))); /* another process doesn't know that */
	assert_int_equal(probe(), 1);
	assert_int_equal(access(at("asked"), F_OK), 0);
	w.stale = true;
	assert_int_equal(probe(), 0);
	w.stale = false;
	w.active = false;
	assert_int_equal(probe(), 0);
	w.active = true;
	put("answer", UNKNOWN);
	assert_int_equal(probe(), 0);
	put("answer", RECORD("DOWN", ""));
	assert_int_equal(probe(), 0);
	put("answer", READY);
	assert_int_equal(probe(), 1);
	put(SYSCONF, "other\n");
	assert_int_equal(probe(), 0);
}

/* slurmd is stopped before its files change, so that one that runs always runs with them. */
static void changed_files_stop_it_first(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim(section("")));
	assert_ok(apply());
	assert_string_equal(w.did.data, "reload start ");
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
	w.stale = true;
	assert_ok(apply());
	assert_string_equal(w.did.data, "reload ");
	assert_ok(claim(section(", options: [-v]")));
	assert_ok(apply());
	assert_string_equal(w.did.data, "stop reload start ");
}

/* Slurm's clients would go on asking the controller of before. */
static void what_an_earlier_slurmd_fetched_goes(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim(section("")));
	put("machine/run/slurm/other", "");
	assert_int_equal(symlink("/nowhere", at("machine/run/slurm/conf")), 0);
	assert_ok(apply());
	assert_int_equal(
	        faccessat(AT_FDCWD, at("machine/run/slurm/conf"), F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(symlink("/nowhere", at("machine/run/slurm/conf")), 0);
	w.stale = true;
	assert_ok(apply()); /* of the one that runs */
	assert_int_equal(
	        faccessat(AT_FDCWD, at("machine/run/slurm/conf"), F_OK, AT_SYMLINK_NOFOLLOW), 0);
	w.active = false;
	assert_ok(claim(section(", configless: 'false'")));
	put("answer", READY);
	assert_ok(apply());
	assert_int_equal(
	        faccessat(AT_FDCWD, at("machine/run/slurm/conf"), F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

static void without_slurm_it_says_what_is_missing(void **state)
{
	(void)state;
	assert_ok(claim("{}"));
	assert_err(apply(), ERR_HOST,
	           "joining: there is no '/usr/sbin/slurmd'; is Slurm below a 'prefix'?");
	assert_int_equal(e.reason, REASON_SLURM_MISSING);
	put("machine/usr/sbin/slurmd", "");
	w.missing = true;
	assert_err(apply(), ERR_HOST, "joining: there is no slurmd.service");
	assert_int_equal(e.reason, REASON_SLURM_MISSING);
	assert_ok(claim("{prefix: /opt/slurm}"));
	assert_err(apply(), ERR_HOST, "joining: there is no '/opt/slurm/sbin/slurmd'");
	assert_int_equal(e.text[strlen("joining: there is no '/opt/slurm/sbin/slurmd'")], '\0');
}

static void places_that_cannot_be_looked_at(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim(section("")));
	assert_ok(apply());
	assert_int_equal(rename(at("machine/var/spool"), at("machine/var/elsewhere")), 0);
	assert_int_equal(symlink("spool", at("machine/var/spool")), 0);
	assert_err(probe(), ERR_HOST, "/var/spool/slurmd'");
	assert_err(apply(), ERR_HOST, "/var/spool/slurmd'");
	assert_string_equal(w.did.data, "");
}

/* systemd's own errors are the step's, and nothing goes on behind them. */
static void a_service_manager_that_fails(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim(section("")));
	w.deaf = 1;
	assert_err(apply(), ERR_HOST, "no answer");
	assert_int_equal(e.reason, REASON_UNIT_TIMEOUT);
	assert_int_equal(access(at(SYSCONF), F_OK), -1);
	w.deaf = 2; /* after the files are written */
	assert_err(apply(), ERR_HOST, "no answer");
	assert_string_equal(w.did.data, "");
	w.deaf = 1;
	assert_err(probe(), ERR_HOST, "no answer");
	w.deaf = 0;
	w.reload_fails = true;
	assert_err(apply(), ERR_HOST, "reload: no answer");
	assert_string_equal(w.did.data, "reload ");
	assert_int_equal(access(at("asked"), F_OK), -1);
}

static void an_image_cannot_join(void **state)
{
	(void)state;
	assert_ok(claim("{}"));
	host->running = false;
	assert_err(probe(), ERR_INPUT, "is an image, and this is only for a running machine");
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	assert_err(apply(), ERR_INPUT, "is an image");
	host->mode = HOST_DRY; /* shows what an instance would do */
	assert_int_equal(probe(), 0);
}

/* Where Slurm's own slurm.conf is, its clients go by it; `auto` does so, too. */
static void configless_unless_there_is_a_slurm_conf(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim(section("")));
	put(arena_printf(arena, "machine%s/etc/slurm.conf", top), "");
	put("answer", READY);
	assert_ok(apply());
	assert_string_equal(get(SYSCONF), FIRST "SLURMD_OPTIONS=\"-b -N n1\"\n");
	assert_ok(claim(section(", configless: 'true'")));
	assert_ok(apply());
	assert_non_null(strstr(get(SYSCONF), "--conf-server"));
}

static void the_port_of_slurmd_is_in_what_it_fetched(void **state)
{
	struct slurm_spec s = {.configless = true};
	int fd = bound(7001);

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	assert_true(slurm_listens(&ctx, &s)); /* Slurm's default port: the network's */
	put("machine/run/slurm/conf/slurm.conf", "A=b\n \tslurmdport=7001\n");
	assert_true(slurm_listens(&ctx, &s));
	close(fd);
	assert_false(slurm_listens(&ctx, &s));
	s.configless = false; /* its slurm.conf is elsewhere */
	assert_true(slurm_listens(&ctx, &s));
	s.configless = true;
	put("machine/run/slurm/conf/slurm.conf", "SlurmdPort=none\n");
	assert_true(slurm_listens(&ctx, &s));
	put("machine/run/slurm/conf/slurm.conf", "XSlurmdPort=7001\n");
	assert_true(slurm_listens(&ctx, &s));
	fd = bound(7002); /* bound, and nobody listens */
	put("machine/run/slurm/conf/slurm.conf", "SlurmdPort=7002");
	assert_false(slurm_listens(&ctx, &s));
	close(fd);
}

int main(void)
{
#define SLURM(fn) cmocka_unit_test_setup_teardown(fn, start_with_facts, end)
	const struct CMUnitTest tests[] = {
	        SLURM(what_is_refused),
	        SLURM(where_the_controller_is),
	        SLURM(what_it_needs_and_provides),
	        SLURM(the_arguments_of_slurmd),
	        SLURM(a_unit_below_a_prefix_a_drop_in_without),
	        SLURM(files_that_are_missing_do_not_hold),
	        SLURM(when_it_holds),
	        SLURM(changed_files_stop_it_first),
	        SLURM(what_an_earlier_slurmd_fetched_goes),
	        SLURM(without_slurm_it_says_what_is_missing),
	        SLURM(places_that_cannot_be_looked_at),
	        SLURM(a_service_manager_that_fails),
	        SLURM(an_image_cannot_join),
	        SLURM(configless_unless_there_is_a_slurm_conf),
	        SLURM(the_port_of_slurmd_is_in_what_it_fetched),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
