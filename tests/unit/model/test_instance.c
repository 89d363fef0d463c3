/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of instance types: reading, replacing, finding, and what is shipped. */
#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "model/instance.h"
#include "unit.h"

#define SHIPPED UNIT_SOURCE "/lib/model/instance-types.tsv"

static int add(struct instance_table *t, struct arena *a, const char *text, struct err *e)
{
	return instance_add(t, "types.tsv", (struct blob){text, strlen(text)}, a, e);
}

static void test_read(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct instance_table t = {0};
	struct err e;

	(void)state;
	assert_ok(add(&t, a,
	              "type\tarch\n# mine\n\n"
	              "b.gpu\tx86_64\t8\t4\t2\t1000\tNVIDIA\ta100\t2\t1\t3\t4\t500\n"
	              "a.plain\tarm64\t1\t1\t1\t512\t-\t-\t0\t0\t1\t0\t0",
	              &e));
	assert_int_equal(t.n, 2);
	assert_string_equal(t.items[0].name, "a.plain");
	const struct instance_type *b = instance_find(&t, "b.gpu");
	assert_non_null(b);
	assert_string_equal(b->arch, "x86_64");
	assert_int_equal(b->vcpus, 8);
	assert_int_equal(b->cores, 4);
	assert_int_equal(b->threads, 2);
	assert_int_equal(b->memory_mib, 1000);
	assert_string_equal(b->gpu_maker, "NVIDIA");
	assert_string_equal(b->gpu_model, "a100");
	assert_int_equal(b->gpus, 2);
	assert_int_equal(b->efa_interfaces, 1);
	assert_null(instance_find(&t, "a.plain")->gpu_model);
	assert_null(instance_find(&t, "a.plai"));
}

#define ROW(name, mib) name "\tx86_64\t2\t1\t2\t" mib "\t-\t-\t0\t0\t1\t0\t0\n"

static void test_later_ones_win(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct instance_table t = {0};
	struct err e;

	(void)state;
	assert_null(instance_find(&t, "a"));
	assert_ok(add(&t, a, ROW("c", "1") ROW("a", "2") ROW("e", "3"), &e));
	assert_ok(add(&t, a, ROW("d", "4") ROW("c", "5") ROW("z", "6") ROW("a", "7"), &e));
	assert_ok(add(&t, a, "", &e));
	assert_int_equal(t.n, 5);
	for (size_t i = 1; i < t.n; i++)
		assert_true(strcmp(t.items[i - 1].name, t.items[i].name) < 0);
	assert_int_equal(instance_find(&t, "a")->memory_mib, 7);
	assert_int_equal(instance_find(&t, "c")->memory_mib, 5);
	assert_int_equal(instance_find(&t, "e")->memory_mib, 3);
	assert_int_equal(instance_find(&t, "z")->memory_mib, 6);
}

static void test_bad_lines(void **state)
{
	static const char *const lines[] = {
	        "a\tx86_64\t2\t1\t2\t1\t-\t-\t0\t0\t1\t0",       /* a column too few */
	        "a\tx86_64\t2\t1\t2\t1\t-\t-\t0\t0\t1\t0\t0\t0", /* a column too many */
	        "a\tx86_64\t3\t1\t2\t1\t-\t-\t0\t0\t1\t0\t0",    /* 1 * 2 is not 3 */
	        "a\tx86_64\t2\t1\t2\t0\t-\t-\t0\t0\t1\t0\t0",    /* no memory */
	        "a\tsparc\t2\t1\t2\t1\t-\t-\t0\t0\t1\t0\t0",     /* no such architecture */
	        "\tx86_64\t2\t1\t2\t1\t-\t-\t0\t0\t1\t0\t0",     /* no name */
	        "a\tx86_64\t2\t1\t2\tmuch\t-\t-\t0\t0\t1\t0\t0", /* no number */
	        "a x86_64 2 1 2 1 - - 0 0 1 0 0",                /* no tabs */
	        "a\tx86_64\t2\t1\t2\t1\t-\t-\t0\t0\t1\t0\t0\r",  /* written elsewhere */
	};
	scope_arena struct arena *a = arena_new();
	struct instance_table t = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct err e = {0};

		print_message("[%zu]\n", i);
		assert_int_equal(add(&t, a, arena_printf(a, ROW("b", "1") "%s\n", lines[i]), &e),
		                 -EINVAL);
		assert_true(strncmp(e.text, "types.tsv:2:1: ", 15) == 0);
		assert_int_equal(t.n, 0);
	}
}

static void test_shipped(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct instance_table t = {0};
	struct blob text;
	struct err e;

	(void)state;
	assert_ok(file_read(AT_FDCWD, SHIPPED, INSTANCE_TABLE_MAX, a, &text, &e));
	assert_true(text.len < 80 * 1024);
	assert_ok(instance_add(&t, "instance-types.tsv", text, a, &e));
	assert_true(t.n > 1200);
	const struct instance_type *p5 = instance_find(&t, "p5.48xlarge");
	assert_int_equal(p5->vcpus, 192);
	assert_string_equal(p5->gpu_model, "h100");
	assert_int_equal(p5->gpus, 8);
	assert_int_equal(p5->efa_interfaces, 32);
	assert_int_equal(instance_find(&t, "hpc7a.96xlarge")->threads, 1);
	assert_int_equal(instance_find(&t, "g6f.large")->gpus, 1);
	assert_int_equal(instance_find(&t, "t3.micro")->memory_mib, 1024);
	assert_null(instance_find(&t, "mac1.metal"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_read),
	        cmocka_unit_test(test_later_ones_win),
	        cmocka_unit_test(test_bad_lines),
	        cmocka_unit_test(test_shipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
