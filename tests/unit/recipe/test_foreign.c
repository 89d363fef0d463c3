/* SPDX-License-Identifier: Apache-2.0 */
/* ParallelCluster's image configuration in place of a recipe. */
#include "recipe_test.h"

#include "recipe/foreign.h"

#define FULL                                                                                                 \
	"Region: eu-west-1\nCustomS3Bucket: b\nImage:\n  Name: x\n  Tags: [{Key: a, Value: b}]\n  "          \
	"RootVolume: {Size: 50}\nBuild:\n  InstanceType: c5.large\n  ParentImage: ami-0123456789\n  "        \
	"SubnetId: subnet-1\n  SecurityGroupIds: [sg-1]\n  Iam: {InstanceRole: 'arn:r'}\n  Tags: [{Key: a, " \
	"Value: b}]\n  Imds: {ImdsSupport: v2.0}\n  UpdateOsPackages: {Enabled: yes}\n  "                    \
	"Installation: {LustreClient: {Enabled: no}}\n  Components:\n    - &one {Type: script, "             \
	"Value: 's3://tools/a.sh'}\n    - {Type: script, Value: 'https://h/b.sh'}\nDevSettings: {}\n"        \
	"DeploymentSettings: {}\n"

static struct foreign got;
static struct faults faults;

static int read_text(const char *text)
{
	put("image.yaml", text);
	faults = (struct faults){.arena = arena};
	return foreign_read(at("image.yaml"), &faults, arena, &got, &e);
}

static bool noted(const char *part)
{
	for (size_t i = 0; i < got.notes.n; i++)
		if (strstr(got.notes.items[i], part))
			return true;
	return false;
}

static void what_is_done_is_in_the_order_of_the_file(void **state)
{
	(void)state;
	assert_int_equal(read_text(FULL), 1);
	assert_int_equal(got.update.n, 1);
	assert_int_equal(got.plan.n, 2);
	assert_string_equal(got.plan.steps[0]->id, "component-1");
	assert_string_equal(got.plan.steps[1]->id, "component-2");
	assert_int_equal(got.plan.edges[1].n, 1);
}

static void what_is_left_out_is_said_line_by_line(void **state)
{
	(void)state;
	static const char *const keys[] = {"Region",
	                                   "CustomS3Bucket",
	                                   "Image.Name",
	                                   "Image.Tags",
	                                   "Image.RootVolume",
	                                   "Build.ParentImage",
	                                   "Build.InstanceType",
	                                   "Build.Iam",
	                                   "Build.SecurityGroupIds",
	                                   "Build.SubnetId",
	                                   "Build.Tags",
	                                   "Build.Imds",
	                                   "DevSettings",
	                                   "DeploymentSettings"};

	assert_int_equal(read_text(FULL), 1);
	assert_int_equal(got.notes.n, ARRAY_LEN(keys));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_true(noted(arena_printf(arena, "'%s' is left out: ", keys[i])));
	assert_true(noted("image.yaml:1:9: 'Region'"));
	assert_int_equal(read_text("Build: {InstanceType: x, ParentImage: ami-y}\n"), 1);
	assert_int_equal(got.notes.n, 2);
	assert_int_equal(got.update.n, 0);
	assert_int_equal(got.plan.n, 0);
}

static void what_the_image_lacks_is_counted(void **state)
{
	(void)state;
	assert_int_equal(
	        read_text(
	                "Build: {InstanceType: x, ParentImage: ami-y, Components: [{Type: arn, Value: arn:z}, "
	                "{Type: script, Value: 's3://tools/a.sh'}], Installation: "
	                "{NvidiaSoftware: {Enabled: true}}}\n"),
	        1);
	assert_int_equal(got.lacks.n, 2);
	assert_int_equal(got.plan.n, 1);
	assert_true(noted("'arn:z' is left out"));
	assert_int_equal(read_text(FULL), 1);
	assert_int_equal(got.lacks.n, 0);
}

static void faults_are_found(void **state)
{
	(void)state;
	assert_err(read_text("Build:\n"), ERR_INPUT, "Build");
	assert_err(read_text("Build: []\n"), ERR_INPUT, "'Build': expected a map");
	assert_err(read_text("Build: {InstanceType: x}\n"), ERR_INPUT, "ParentImage");
	assert_err(read_text("Build: {InstanceType: x, ParentImage: ami-y, Componets: []}\n"),
	           ERR_INPUT, "did you mean 'Components'");
	assert_err(
	        read_text(
	                "Build: {InstanceType: x, ParentImage: ami-y, Components: [{Type: script, Value: 'ftp://z'}]}\n"),
	        ERR_INPUT, "ftp://z");
}

static void each_key_may_be_empty(void **state)
{
	(void)state;
	static const char text[] = FULL;

	/* One line after another loses what is behind its colon. */
	for (const char *p = text; *p;) {
		size_t line = strcspn(p, "\n"), colon = strcspn(p, ":\n");
		const char *emptied =
		        arena_printf(arena, "%.*s:%s", (int)(p + colon - text), text, p + line);

		int r = read_text(emptied);
		assert_true(r >= 0 || e.kind == ERR_INPUT);
		p += line + 1;
	}
}

static void other_files_are_none(void **state)
{
	(void)state;
	assert_int_equal(read_text("image: {name: x}\n"), 0);
	assert_int_equal(read_text("[Build]\n"), 0);
	assert_int_equal(read_text("a: b: c\n"), 0);
	assert_int_equal(foreign_read(at("none"), NULL, arena, &got, &e), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(what_is_done_is_in_the_order_of_the_file),
	        T(what_is_left_out_is_said_line_by_line),
	        T(what_the_image_lacks_is_counted),
	        T(faults_are_found),
	        T(each_key_may_be_empty),
	        T(other_files_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
