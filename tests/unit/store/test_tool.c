/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of store/tool. */
#include "store/tool.h"

#include "unit.h"

static struct err e;

/* Where root looks for programs; and one that can't be run is none. */
static void a_tool_can_be_run(void **state)
{
	(void)state;
	assert_ok(tool_need("chroot", "coreutils", &e)); /* /usr/sbin */
	assert_ok(tool_need("ls", "coreutils", &e));     /* /usr/bin */
	assert_err(tool_need("../lib/os-release", "x", &e), ERR_HOST,
	           "looking for '../lib/os-release': not on this machine; install x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_tool_can_be_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
