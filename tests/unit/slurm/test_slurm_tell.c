/* SPDX-License-Identifier: Apache-2.0 */
/* What a node that can't join tells the controller. */
#include "slurm/slurm_tell.h"

#include "world.h"

static struct step step;

static int tell(const char *why)
{
	e = (struct err){0};
	spec.node = "n1";
	step = (struct step){.fields = &spec};
	return slurm_tell_failed(&ctx, &step, "i-1", why, &e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#define ASKED "UTC0 127.0.0.1:6817 update NodeName=n1 Comment=hpc-agent: i-1 failed: "

static void its_comment_says_why(void **state)
{
	(void)state;
	put("answer", "\n");
	assert_ok(tell("mounts:/home: the server doesn't answer (mount-server-down)"));
	assert_string_equal(get("asked"),
	                    ASKED "mounts:/home: the server doesn't answer (mount-server-down)\n");
	/* What a reader would take for something else. */
	assert_ok(tell("a|b\nc"));
	assert_string_equal(get("asked"), ASKED "a/b\\x0ac\n");
}

static void it_is_cut(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	put("answer", "\n");
	assert_ok(tell(text));
	const char *said = strstr(get("asked"), "hpc-agent: ");
	assert_int_equal(strlen(said), SLURM_TELL_MAX + 1);
}

static void a_controller_that_refuses_is_told(void **state)
{
	(void)state;
	put("answer", "");
	put("complaint", UNHEARD);
	assert_err(tell("x"), ERR_RETRY, "telling slurmctld");
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(its_comment_says_why),
	        TEST(it_is_cut),
	        TEST(a_controller_that_refuses_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
