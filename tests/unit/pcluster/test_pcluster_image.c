/* SPDX-License-Identifier: Apache-2.0 */
/* ParallelCluster's build image configuration: its components as steps, notes and refusals. */
#include "pcluster/pcluster_image.h"

#include <errno.h>

#include "data/yaml.h"
#include "unit.h"

#define BUILD "Build:\n  ParentImage: ami-1\n  InstanceType: t3.micro\n"

static struct arena *a;
static struct err e;
static struct pcluster_image image;
static struct cluster_notes notes;
static struct faults faults;

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_close(a);
	return 0;
}

static struct doc *parse(const char *text)
{
	struct doc *d = NULL;

	assert_ok(yaml_parse_foreign("i.yaml", (struct blob){text, strlen(text)}, a, &d, &e));
	return d;
}

static int read_it(const char *text)
{
	notes = (struct cluster_notes){.arena = a};
	faults = (struct faults){.arena = a};
	image = (struct pcluster_image){.update_os = true, .sections = NULL};
	e = (struct err){0};
	return pcluster_image_read(parse(text), &notes, &faults, a, &image, &e);
}

static void it_has_build_at_its_top(void **state)
{
	(void)state;
	assert_true(pcluster_image_is(parse(BUILD)));
	assert_false(pcluster_image_is(parse("Image: {}\n")));
}

static void components_run_in_their_order(void **state)
{
	struct strbuf json = STRBUF(a, 4096);

	(void)state;
	assert_ok(read_it(BUILD "  Components:\n  - {Type: script, Value: s3://bucket/a}\n"
	                        "  - {Type: script, Value: s3://bucket/b}\n"
	                        "  - {Type: script, Value: s3://bucket/c}\n"));
	doc_json(image.sections, &json);
	assert_string_equal(json.data,
	                    "{\"scripts\":[{\"source\":\"s3://bucket/a\",\"id\":\"component-1\"},"
	                    "{\"source\":\"s3://bucket/b\",\"id\":\"component-2\","
	                    "\"after\":[\"component-1\"]},"
	                    "{\"source\":\"s3://bucket/c\",\"id\":\"component-3\","
	                    "\"after\":[\"component-2\"]}]}");
	assert_int_equal(faults.n, 0);
	assert_int_equal(notes.n, 2); /* ParentImage, InstanceType */
	assert_false(image.update_os);
	assert_ok(read_it(BUILD));
	assert_int_equal(doc_get(image.sections, "scripts")->n, 0);
}

static void packages_are_updated_if_asked_for(void **state)
{
	(void)state;
	assert_ok(read_it(BUILD "  UpdateOsPackages: {Enabled: true}\n"));
	assert_true(image.update_os);
	assert_ok(read_it(BUILD "  UpdateOsPackages: {Enabled: false}\n"));
	assert_false(image.update_os);
	assert_ok(read_it(BUILD "  UpdateOsPackages: {}\n"));
	assert_false(image.update_os);
}

static void what_others_decide_is_noted(void **state)
{
	static const char *const left_out[] = {
	        "'Region' is left out: whoever starts",
	        "'CustomS3Bucket' is left out: nothing",
	        "'Image.Name' is left out: it belongs",
	        "'Image.Tags' is left out: it belongs",
	        "'Image.RootVolume' is left out: it",
	        "'Build.ParentImage' is left out: whoever",
	        "'Build.InstanceType' is left out: who",
	        "'Build.Iam' is left out: whoever",
	        "'Build.SecurityGroupIds' is left out",
	        "'Build.SubnetId' is left out: whoever",
	        "'Build.Tags' is left out: whoever",
	        "'Build.Imds' is left out: it belongs",
	        "'DevSettings' is left out: it is for",
	        "'DeploymentSettings' is left out: nothing",
	};

	(void)state;
	assert_ok(read_it(
	        "Region: eu-west-1\nCustomS3Bucket: b\nDevSettings: {a: b}\n"
	        "DeploymentSettings: {a: b}\n"
	        "Image: {Name: n, Tags: [{Key: k, Value: v}], RootVolume: {Size: 9}}\n" BUILD
	        "  Iam: {InstanceRole: 'arn:r'}\n  SecurityGroupIds: [sg-1]\n"
	        "  SubnetId: subnet-1\n  Tags: [{Key: k, Value: v}]\n"
	        "  Imds: {ImdsSupport: v2.0}\n"));
	assert_int_equal(notes.n, ARRAY_LEN(left_out));
	for (size_t i = 0; i < notes.n; i++)
		if (!strstr(notes.items[i], left_out[i]))
			fail_msg("'%s' lacks '%s'", notes.items[i], left_out[i]);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *more, *text;
		enum reason reason;
	} rows[] = {
	        {"  Components: [{Type: other, Value: x}]\n", "i.yaml:4:", REASON_INPUT_RANGE},
	        {"  Components: [{Type: script}]\n", "'Value'", REASON_INPUT_REQUIRED},
	        {"  UpdateOsPackages: {Enabled: perhaps}\n", "i.yaml:4:", REASON_INPUT_TYPE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = arena_printf(a, BUILD "%s", rows[i].more);

		assert_err(read_it(text), ERR_INPUT, rows[i].text);
		assert_string_equal(reason_row(e.reason)->name, reason_row(rows[i].reason)->name);
		assert_null(image.sections);
		/* Without a list of faults the first one ends it. */
		assert_err(pcluster_image_read(parse(text), NULL, NULL, a, &image, &e), ERR_INPUT,
		           rows[i].text);
	}
	assert_ok(read_it(BUILD "  Installation: {NvidiaSoftware: {Enabled: false}}\n"));
	assert_ok(read_it(BUILD "  Installation: {LustreClient: {}}\n"));
	assert_err(read_it("Build: {ParentImage: a}\n"), ERR_INPUT, "InstanceType");
}

/* What the image lacks then is both a note and a part of a list of its own, and the rest is done. */
static void what_the_image_lacks(void **state)
{
	static const char *const rows[] = {
	        "i.yaml:4:34: 'NvidiaSoftware' is left out: it is not installed from here",
	        "i.yaml:6:24: 'arn:1' is left out: a component in AWS's keeping",
	        "i.yaml:8:24: 'arn:2' is left out: a component in AWS's keeping",
	};
	struct strbuf json = STRBUF(a, 4096);

	(void)state;
	assert_ok(read_it(BUILD
	                  "  Installation: {NvidiaSoftware: {Enabled: true}}\n"
	                  "  Components:\n  - {Type: arn, Value: arn:1}\n"
	                  "  - {Type: script, Value: s3://bkt/s}\n  - {Type: arn, Value: arn:2}\n"
	                  "  - {Type: script, Value: s3://bkt/t}\n"));
	assert_int_equal(faults.n, 0);
	assert_int_equal(image.lacks.n, ARRAY_LEN(rows));
	assert_int_equal(notes.n, ARRAY_LEN(rows) + 2);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_non_null(strstr(image.lacks.items[i].text, rows[i]));
		assert_non_null(strstr(notes.items[i], rows[i]));
	}
	doc_json(image.sections, &json);
	assert_string_equal(json.data,
	                    "{\"scripts\":[{\"source\":\"s3://bkt/s\",\"id\":\"component-2\"},"
	                    "{\"source\":\"s3://bkt/t\",\"id\":\"component-4\","
	                    "\"after\":[\"component-2\"]}]}");
	assert_ok(read_it(BUILD "  Installation: {LustreClient: {Enabled: true}}\n"));
	assert_int_equal(image.lacks.n, 1);
	assert_ok(read_it(
	        BUILD "  Installation: {LustreClient: {Enabled: false}, NvidiaSoftware: {}}\n"));
	assert_int_equal(image.lacks.n, 0);
	assert_ok(pcluster_image_read(parse(BUILD "  Components: [{Type: arn, Value: arn:x}]\n"),
	                              NULL, NULL, a, &image, &e));
	assert_int_equal(image.lacks.n, 1);
}

/* By the rules of ParallelCluster's own schema. */
static void what_no_value_is(void **state)
{
	static const char *const rows[][2] = {
	        {"Build: {ParentImage: nope, InstanceType: t}\n",
	         "ParentImage: 'nope' is no image"},
	        {"Build: {ParentImage: 1, InstanceType: t}\n",
	         "'ParentImage': expected a string, found the number 1"},
	        {BUILD "  Components: [{Type: arn, Value: 's3://bucket/a'}]\n",
	         "Value: 's3://bucket/a' is none of 'Type: arn', expected arn:..."},
	        {BUILD "  SubnetId: x\n", "SubnetId: 'x' is no id"},
	        {BUILD "  SecurityGroupIds: [sg-1, x]\n", "SecurityGroupIds: 'x' is no id"},
	        {BUILD "  SecurityGroupIds: sg-1\n", "'SecurityGroupIds': expected a list"},
	        {BUILD "  Iam: {InstanceRole: r}\n", "InstanceRole: 'r' is no ARN"},
	        {BUILD "  Iam: {InstanceRole: 'arn:r', AdditionalIamPolicies: [{Policy: "
	               "'arn:a:policy/p'}]}\n",
	         "AdditionalIamPolicies: it and InstanceRole exclude"},
	        {BUILD "  Tags: [{Key: k, Value: 1}]\n",
	         "'Value': expected a string, found the number"},
	        {BUILD "Image: {Tags: [{Key: 'parallelcluster:x', Value: v}]}\n",
	         "Tags: 'parallelcluster:x'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(read_it(rows[i][0]), -EINVAL);
		if (!strstr(e.text, rows[i][1]) &&
		    !(faults.n && strstr(faults.items[0].text, rows[i][1])))
			fail_msg("row %zu: expected '%s', told '%s'", i, rows[i][1], e.text);
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(it_has_build_at_its_top),
	        T(components_run_in_their_order),
	        T(packages_are_updated_if_asked_for),
	        T(what_others_decide_is_noted),
	        T(what_is_refused),
	        T(what_the_image_lacks),
	        T(what_no_value_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
