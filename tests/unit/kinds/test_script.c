/* SPDX-License-Identifier: Apache-2.0 */
/* scripts on a live machine, in a sandbox of this test. */
#include "kinds_test.h"

#include "base/log.h"

static int setup(void **state)
{
	struct fixture *f = fixture_new(HOST_LIVE);

	vars_set(&f->facts, "instance-id", "i-1", "test");
	f->cloud = cloud_open(&(struct cloud_config){0});
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	fixture_free(*state);
	return 0;
}

static void take_log(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)level, (void)fields, (void)n;
	strbuf_printf(ctx, "%s\n", text);
}

static void arguments_and_environment_are_literal(void **state)
{
	struct fixture *f = *state;
	struct strbuf log = STRBUF(f->arena, 4096);

	log_set_sink(take_log, &log, LOG_LEVEL_INFO);
	fixture_write("/srv/a.sh", "#!/bin/sh\n"
	                           "printf '%s|' \"$@\"; echo; echo \"$A-$HOME-$PATH\"; pwd\n");
	assert_converges(f, "scripts: [{source: 'file:/srv/a.sh', args: ['a b', '$HOME', '*', ''],"
	                    " env: {A: '$(id)'}}]\n");
	assert_string_equal(
	        log.data,
	        "a b|$HOME|*||\n"
	        "$(id)-/root-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
	        "/\n");
	assert_non_null(strstr(f->record.data, "run a.sh 'a b' '$HOME' '*' ''\n"));
}

static void it_runs_as_the_user(void **state)
{
	struct fixture *f = *state;
	struct strbuf log = STRBUF(f->arena, 4096);

	log_set_sink(take_log, &log, LOG_LEVEL_INFO);
	assert_converges(
	        f, "scripts: [{content: \"#!/bin/sh\\nid -un; cat $0 | head -n 1\\n"
	           "(echo >>$0) 2>/dev/null && echo written; true\\n\", user: munge, id: who}]\n");
	assert_non_null(strstr(log.data, "munge\n#!/bin/sh\n"));
	assert_null(strstr(log.data, "\nwritten"));
}

static int runs(struct fixture *f, const char *spec)
{
	struct err e = {0};

	if (unlink("/srv/runs") < 0)
		assert_int_equal(errno, ENOENT);
	assert_ok(fixture_plan(f, spec, &e));
	assert_ok(fixture_apply(f, &e));
	return access("/srv/runs", F_OK) == 0;
}

#define TOUCH "content: \"#!/bin/sh\\ntouch /srv/runs\\n\""

static void once_in_a_boot(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(runs(f, "scripts: [{" TOUCH "}]\n"), 1);
	assert_int_equal(runs(f, "scripts: [{" TOUCH "}]\n"), 0);
	assert_int_equal(runs(f, "scripts: [{" TOUCH ", args: [x]}]\n"), 1);
	assert_int_equal(runs(f, "scripts: [{" TOUCH ", env: {X: x}}]\n"), 1);
	assert_int_equal(runs(f, "scripts: [{run: [touch, /srv/runs]}]\n"), 1);
	assert_int_equal(runs(f, "scripts: [{run: [touch, /srv/runs], id: other}]\n"), 0);
}

static void a_changed_source_runs_again(void **state)
{
	static const char spec[] = "scripts: [{source: 'file:/srv/b.sh'}]\n";
	struct fixture *f = *state;

	fixture_write("/srv/b.sh", "#!/bin/sh\ntouch /srv/runs\n");
	assert_int_equal(runs(f, spec), 1);
	assert_int_equal(runs(f, spec), 0);
	fixture_write("/srv/b.sh", "#!/bin/sh\ntouch /srv/runs # again\n");
	assert_int_equal(runs(f, spec), 1);
	assert_int_equal(runs(f, spec), 0);
}

/* An image made of a node that has run is a new instance, and runs it again. */
static void once_in_the_life_of_the_instance(void **state)
{
	static const char spec[] = "scripts: [{source: 'file:/srv/c.sh', when: first-boot}]\n";
	struct fixture *f = *state;
	struct stat st;

	fixture_write("/srv/c.sh", "#!/bin/sh\ntouch /srv/runs\n");
	assert_int_equal(runs(f, spec), 1);
	assert_int_equal(stat("/var/lib/hpc-node", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	fixture_write("/srv/c.sh", "#!/bin/sh\ntouch /srv/runs # again\n");
	assert_int_equal(runs(f, spec), 0);
	vars_set(&f->facts, "instance-id", "i-2", "test");
	assert_int_equal(runs(f, spec), 1);
}

static void not_when_it_has_created(void **state)
{
	static const char spec[] =
	        "scripts: [{run: [touch, /srv/runs, /srv/created], creates: /srv/created}]\n";
	struct fixture *f = *state;

	assert_int_equal(runs(f, spec), 1);
	assert_int_equal(runs(f, spec), 0);
	assert_int_equal(unlink("/srv/created"), 0);
	assert_int_equal(runs(f, spec), 1);
	assert_null(strstr(f->record.data, "/run/hpc-node"));
}

static void what_fails(void **state)
{
	static const struct {
		const char *spec, *words;
		enum err_kind kind;
		enum reason reason;
	} cases[] = {
	        {"content: \"#!/bin/sh\\necho one; echo two; echo 3 >&2; exit 7\\n\"",
	         "running script 'content': exit status 7: ", ERR_HOST, REASON_SCRIPT_FAILED},
	        {"content: \"#!/bin/sh\\nfor i in 1 2 3 4 5; do echo $i; done; exit 1\\n\"",
	         "exit status 1: 2 | 3 | 4 | 5", ERR_HOST, REASON_SCRIPT_FAILED},
	        {"content: \"#!/bin/sh\\nkill -9 $$$$\\n\"", "ended by SIGKILL", ERR_HOST,
	         REASON_SCRIPT_FAILED},
	        {"content: \"#!/bin/sh\\nexit 254\\n\"", "exit status 254", ERR_HOST,
	         REASON_SCRIPT_FAILED},
	        {"content: \"#!/bin/sh\\r\\ntrue\\r\\n\"", "its lines end as on DOS", ERR_INPUT,
	         REASON_SCRIPT_FAILED},
	        {"content: \"#! /no/such/sh -e\\n\"", "its interpreter '/no/such/sh' is not there",
	         ERR_HOST, REASON_HOST_EXEC},
	        {"content: \"echo hello\\n\"", "begins with neither #!", ERR_INPUT,
	         REASON_SCRIPT_FAILED},
	        {"run: [/no/such]", "No such file", ERR_HOST, REASON_HOST_EXEC},
	        {"run: [sleep, '100']", "not finished by its deadline", ERR_HOST,
	         REASON_STEP_TIMEOUT},
	        {"source: 'file:/srv/none'", "fetching script 'none'", ERR_HOST, REASON_HOST_FILE},
	        {"source: 'file:/srv/b.sh', sha256: "
	         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	         "sha256", ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH},
	        {"run: [id], user: nobody-here", "nobody-here", ERR_HOST, REASON_HOST_USER},
	};
	struct fixture *f = *state;

	fixture_write("/srv/b.sh", "#!/bin/sh\ntouch /srv/runs\n");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct step_ctx c = fixture_ctx(f);
		struct err e = {0};

		c.deadline = clock_in_ms(3000);
		assert_ok(fixture_plan(
		        f, arena_printf(f->arena, "scripts: [{%s}]\n", cases[i].spec), &e));
		const struct step *s = f->plan.steps[0];
		if (s->kind->apply(&c, s->fields, &e) >= 0 || e.kind != cases[i].kind ||
		    e.reason != cases[i].reason || !strstr(e.text, cases[i].words))
			fail_msg("case %zu: kind %d, %s: %s", i, (int)e.kind,
			         reason_row(e.reason)->name, e.text);
		assert_int_equal(s->kind->probe(&c, s->fields, &e) > 0, 0);
	}
}

static void bad_specs(void **state)
{
	static const struct {
		const char *spec, *message;
	} cases[] = {
	        {"{}", "expected one of 'run', 'source' and 'content'"},
	        {"{run: [a], source: 's3://bkt/k'}", "expected one of"},
	        {"{run: [a], args: [b]}", "stand in its own list"},
	        {"{run: [a], sha256: x}", "'sha256' is of a 'source'"},
	        {"{source: 's3://bkt/k', sha256: x}", "'x' is not a sha256"},
	        {"{source: /a}", "'/a': expected s3://BUCKET/KEY, https://... or file:/PATH"},
	        {"{source: 'http://a/b'}",
	         "'http://a/b': http isn't protected against changes on the way"},
	        {"{run: [a], env: {'A B': x}}", "'A B' is not the name of a variable"},
	        {"{run: [a], env: {1A: x}}", "'1A' is not the name of a variable"},
	        {"{run: [a], user: 'a b'}", "'a b' is not the name"},
	        {"{run: [a], creates: x}", "'x' is not an absolute path"},
	        {"{run: [a], stage: later}", "expected one of start, configured, joined"},
	        {"{run: [a], when: always}", "expected one of every-boot, first-boot"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e;

		assert_err(fixture_plan(f, arena_printf(f->arena, "scripts: [%s]\n", cases[i].spec),
		                        &e),
		           ERR_INPUT, cases[i].message);
	}
}

/* Whatever is in the file, and however many stages. */
static void stages_stand_where_they_should(void **state)
{
	struct fixture *f = *state;
	struct strbuf order = STRBUF(f->arena, 4096);
	struct err e = {0};

	assert_ok(fixture_plan(f,
	                       "slurm: {head: h, node: n}\n"
	                       "scripts:\n"
	                       "- {run: [j], stage: joined}\n"
	                       "- {run: [c]}\n"
	                       "- {run: [s], stage: start}\n"
	                       "munge: {key: 's3://bkt/k'}\n"
	                       "files: [{path: /etc/x, content: x}]\n"
	                       "mounts: [{path: /data, type: tmpfs}, {path: /home, type: tmpfs}]\n"
	                       "hostname: n\n",
	                       &e));
	for (size_t i = 0; i < f->plan.n; i++)
		strbuf_printf(&order, "%s%s", i ? " " : "", f->plan.steps[i]->id);
	assert_string_equal(order.data,
	                    "hostname mounts:/home files:/etc/x munge scripts:s mounts:/data "
	                    "scripts:c slurm scripts:j");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(arguments_and_environment_are_literal),
	        T(it_runs_as_the_user),
	        T(once_in_a_boot),
	        T(a_changed_source_runs_again),
	        T(once_in_the_life_of_the_instance),
	        T(not_when_it_has_created),
	        T(what_fails),
	        T(bad_specs),
	        T(stages_stand_where_they_should),
	};

	sandbox_enter();
	assert_int_equal(mkdir("/srv", 0777), 0);
	assert_int_equal(chmod("/srv", 0777), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
