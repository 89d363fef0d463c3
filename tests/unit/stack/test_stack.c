/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of stack/stack: what the golden cases don't show, as a caller who wants the first fault only. */
#include "unit.h"

#include "cluster/cluster.h"
#include "stack/stack_own.h"

static struct arena *arena;
static struct err e;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	memset(&e, 0, sizeof e);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

#define FILE_TEXT(storage)                                                                         \
	"Image: {Os: debian12}\n"                                                                  \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-1}}\n"                   \
	"Scheduling: {Scheduler: slurm, SlurmQueues: []}\n" storage

static int write_stack(const char *text, struct stack *ret)
{
	static const struct model model;
	struct doc *config;

	assert_ok(cluster_read("f.yaml", (struct blob){text, strlen(text)}, arena, &config, &e));
	const struct stack_input in = {
	        .config = config, .model = &model, .sha256 = "00", .arena = arena};
	return stack_write(&in, ret, &e);
}

static void without_queues_there_is_a_head_alone(void **state)
{
	struct stack s = {0};

	(void)state;
	assert_ok(write_stack(FILE_TEXT(""), &s));
	assert_int_equal(s.resources, 9);
	assert_true(s.roles);
	assert_non_null(strstr(s.text.data, "\"HeadRole\""));
	assert_null(strstr(s.text.data, "ComputeSecurityGroup"));
	assert_int_equal(s.text.data[s.text.len - 1], '\n');
}

static void the_first_fault_ends_it(void **state)
{
	struct stack s = {.resources = 7};

	(void)state;
	assert_err(write_stack(FILE_TEXT("SharedStorage:\n"
	                                 "- {Name: a, MountDir: /a, StorageType: Ebs, EbsSettings: "
	                                 "{Raid: {Type: 0}}}\n"
	                                 "- {Name: b, MountDir: /b, StorageType: Ebs, EbsSettings: "
	                                 "{DeletionPolicy: Never}}\n"),
	                       &s),
	           ERR_INPUT, "f.yaml:5:65: Raid");
	assert_int_equal(s.resources, 7);
}

static void one_name_is_one_logical_name(void **state)
{
	struct stack_writer x = {.arena = arena};

	(void)state;
	assert_string_equal(stack_id(&x, "data1"), "Storagedata1");
	assert_string_not_equal(stack_id(&x, "a-b"), stack_id(&x, "ab"));
	assert_string_not_equal(stack_id(&x, "a-b"), stack_id(&x, "a_b"));
	assert_string_equal(stack_id(&x, "a-b"), stack_id(&x, "a-b"));
}

static void a_text_of_the_user_is_not_put_in(void **state)
{
	struct stack_writer x = {.arena = arena};

	(void)state;
	assert_string_equal(stack_literal(&x, "a ${B} $c {d}"), "a ${!B} $c {d}");
	assert_string_equal(stack_literal(&x, ""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(without_queues_there_is_a_head_alone, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(the_first_fault_ends_it, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(one_name_is_one_logical_name, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_text_of_the_user_is_not_put_in, set_up,
	                                        tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
