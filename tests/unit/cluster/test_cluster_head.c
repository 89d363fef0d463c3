/* SPDX-License-Identifier: Apache-2.0 */
/* A head node's sections, and what keeps a machine from being a head. */
#include "cluster_test.h"

static const struct cluster_node head = {.role = CLUSTER_HEAD};
static const char *const head_facts[][2] = {
        {"cluster", "c"}, {"slurm-version", "22.05.8"}, {"vpc-cidrs", "10.0.0.0/16"}, {0}};
#define HEAD_QUEUE QUEUE("    ComputeResources: [{Name: r, InstanceType: x.small}]\n")
#define ROW        "x.small\tx86_64\t16\t8\t2\t1000\t-\t-\t0\t0\t1\t0\t0\n"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static int try_with(struct arena *a, const char *text, const char *const facts[][2],
                    const char **ret, struct err *e)
{
	struct instance_table types = {0};

	assert_int_equal(instance_add(&types, "types", (struct blob){ROW, strlen(ROW)}, a, e), 0);
	reading.types = &types;
	int r = translate(a, text, &head, facts, ret, e);
	reading.types = NULL;
	return r;
}

static void spec_with(struct arena *a, const char *text, const char *const facts[][2],
                      const char **ret)
{
	struct err e;

	assert_ok(try_with(a, text, facts, ret, &e));
}

static void spec_of_head(struct arena *a, const char *text, const char **ret)
{
	spec_with(a, text, head_facts, ret);
}

/* A volume at /home is that, also where what the head would serve itself is on EFS. */
static void homes_of_a_head_are_in_one_place(void **state)
{
	static const char efs[] =
	        "Image: {Os: alinux2}\n"
	        "HeadNode: {InstanceType: x.small, SharedStorageType: Efs, Networking: {SubnetId: "
	        "subnet-1}}\n"
	        "SharedStorage: [{MountDir: home, Name: v, StorageType: Ebs}]\n" HEAD_QUEUE;
	scope_arena struct arena *a = arena_new();
	const char *json;

	(void)state;
	spec_of_head(a, efs, &json);
	assert_null(strstr(json, "\"mounts\""));
	assert_non_null(strstr(json, "\"exports\":{\"networks\":[\"10.0.0.0/16\"],"
	                             "\"read-write\":[\"/home\"],\"threads\":64}"));
}

/* As the instance has it once the script that switches the second threads off has run. */
static void threads_of_a_heads_server(void **state)
{
	static const char *const rows[][2] = {
	        {"InstanceType: x.small, DisableSimultaneousMultithreading: true", "32"},
	        {"InstanceType: x.small", "64"},
	};
	scope_arena struct arena *a = arena_new();
	const char *json;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		spec_of_head(a,
		             arena_printf(a,
		                          "Image: {Os: alinux2}\nHeadNode: {%s, Networking: "
		                          "{SubnetId: subnet-1}}\n" HEAD_QUEUE,
		                          rows[i][0]),
		             &json);
		assert_non_null(strstr(json, arena_printf(a, "\"threads\":%s", rows[i][1])));
	}
	spec_of_head(a, TOP HEAD_QUEUE, &json); /* of a type that isn't known */
	assert_null(strstr(json, "\"threads\""));
}

/* What slurmctld starts runs as SlurmUser. */
static void who_has_a_heads_role(void **state)
{
	static const char *const rows[][2] = {
	        {"HpcNode: {MetadataUsers: [slurm, a]}\n",
	         "\"imds-lock\":{\"users\":[\"slurm\",\"a\"]}"},
	        {"HpcNode: {MetadataUsers: slurm}\n", "\"imds-lock\":{\"users\":[\"slurm\"]}"},
	        {"", "\"imds-lock\":{}"},
	};
	scope_arena struct arena *a = arena_new();
	const char *json;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		spec_of_head(a, arena_printf(a, TOP "%s" HEAD_QUEUE, rows[i][0]), &json);
		assert_non_null(strstr(json, rows[i][1]));
	}
}

#define FLEET_TOP                                                                                  \
	"Image: {Os: alinux2, CustomAmi: ami-1}\n"                                                 \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-1}}\n"
#define FLEET_QUEUE                                                                                                    \
	"Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q1, Networking: {SubnetIds: "                             \
	"[subnet-1]}, Iam: {InstanceProfile: 'arn:a:instance-profile/p'}, ComputeResources: [{Name: r, InstanceType: " \
	"x.small}]}]}\n"

/* A head has a fleet where there is an image to launch, and hpc-fleet, or a package of it to come; and
 * SlurmUser has its role then alone. */
static void when_a_head_has_a_fleet(void **state)
{
	static const struct {
		const char *text, *note; /* NULL: there is a fleet, and nothing to say */
		bool there;
	} rows[] = {
	        {FLEET_TOP FLEET_QUEUE, NULL, true},
	        {FLEET_TOP FLEET_QUEUE, "hpc-fleet is not installed", false},
	        {TOP FLEET_QUEUE, "nothing says from which image", true},
	        {FLEET_TOP "HpcNode: {Packages: {Names: [hpc-fleet]}}\n" FLEET_QUEUE, NULL, false},
	        {FLEET_TOP
	         "HpcNode: {Packages: {Files: [{Source: \"s3://b/hpc-fleet_0.1_amd64.deb\", "
	         "Sha256: \"" ZEROS "\"}]}}\n" FLEET_QUEUE,
	         NULL, false},
	        {FLEET_TOP "HpcNode: {Packages: {Names: [hpc-fleetwood]}}\n" FLEET_QUEUE,
	         "hpc-fleet is not installed", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		struct cluster_notes notes = {.arena = a};
		const char *const facts[][2] = {
		        {"cluster", "c"},
		        {"slurm-version", "22.05.8"},
		        {"vpc-cidrs", "10.0.0.0/16"},
		        {"config", "s3://b/c.yaml"},
		        {rows[i].there ? "fleet-program" : NULL, "/usr/sbin/hpc-fleet"},
		        {0}};
		const char *json;

		reading.notes = &notes;
		spec_with(a, rows[i].text, facts, &json);
		reading.notes = NULL;
		assert_int_equal(strstr(json, "\"fleet\":{\"cluster\":\"c\"") != NULL,
		                 !rows[i].note);
		assert_int_equal(strstr(json, "\"imds-lock\":{\"users\":[\"slurm\"]}") != NULL,
		                 !rows[i].note);
		assert_int_equal(notes.n, rows[i].note ? 1 : 0);
		if (rows[i].note)
			assert_non_null(strstr(notes.items[0], rows[i].note));
	}
}

/* What hpc-fleet doesn't do of the file yet is said, and what no instance can be launched with refused. */
static void what_a_fleet_lacks(void **state)
{
	static const struct {
		const char *before, *after, *says;
	} rows[] = {
	        {"Name: q1",
	         "Name: q1, CapacityType: SPOT, "
	         "CapacityReservationTarget: {CapacityReservationId: cr-1}",
	         "Spot instances use none"},
	        {"Name: q1", "Name: q1, CapacityReservationTarget: {CapacityReservationId: r-1}",
	         "'r-1': expected cr-... or the ARN of a group"},
	        {"ComputeResources: [{Name: r",
	         "CapacityType: CAPACITY_BLOCK, ComputeResources: [{MinCount: 2, MaxCount: 2, Name: r",
	         "CAPACITY_BLOCK: expected the block"},
	        {"InstanceType: x.small", "InstanceType: x.small, SpotPrice: -1",
	         "'-1' is no price of an hour"},
	        {"InstanceType: x.small", "InstanceType: x.small, SpotPrice: 1.0e+30",
	         "'1.0e+30' is no price of an hour"},
	        {"Networking: {SubnetIds",
	         "Networking: {PlacementGroup: {Enabled: true}, SubnetIds",
	         "hpc-fleet makes none: expected the Name"},
	        {"Iam: {InstanceProfile: 'arn:a:instance-profile/p'}, ", "",
	         "its instances have no role"},
	        {"InstanceType: x.small",
	         "InstanceType: x.small, LaunchTemplateOverrides: {LaunchTemplateId: lt-1, Version: "
	         "2}",
	         "LaunchTemplateOverrides: hpc-fleet launches these instances without that "
	         "template"},
	        {"Name: q1", "Name: q1, Tags: [{Key: a b, Value: v}]", "'a b' is not on instances"},
	        {"[subnet-1]", "[vpc-1]",
	         "SubnetIds: 'vpc-1' is no id, expected one that begins with 'subnet-'"},
	        {"ami-1", "ami-",
	         "CustomAmi: 'ami-' is no id, expected one that begins with 'ami-'"},
	};
	static const char *const facts[][2] = {{"cluster", "c"},
	                                       {"slurm-version", "22.05.8"},
	                                       {"vpc-cidrs", "10.0.0.0/16"},
	                                       {"config", "s3://b/c.yaml"},
	                                       {"fleet-program", "/usr/sbin/hpc-fleet"},
	                                       {0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		struct cluster_notes notes = {.arena = a};
		const char *whole = FLEET_TOP FLEET_QUEUE, *at = strstr(whole, rows[i].before);
		const char *json, *text;
		struct err e = {0};

		assert_non_null(at);
		text = arena_printf(a, "%.*s%s%s", (int)(at - whole), whole, rows[i].after,
		                    at + strlen(rows[i].before));
		reading.notes = &notes;
		int r = try_with(a, text, facts, &json, &e);
		reading.notes = NULL;
		const char *said = r < 0 ? e.text : notes.items ? notes.items[0] : "nothing";
		if (!strstr(said, rows[i].says))
			fail_msg("row %zu: expected '%s', told '%s'", i, rows[i].says, said);
	}
}

static void why_a_machine_is_no_head(void **state)
{
	static const struct {
		const char *const facts[3][2];
		enum reason reason;
		const char *says;
	} rows[] = {
	        {{{"cluster", "c"}, {"region", "r"}},
	         REASON_SLURM_MISSING,
	         "there is no slurmctld"},
	        {{{"cluster", "c"}, {"slurm-prefix", "/opt/slurm"}},
	         REASON_INPUT_UNSUPPORTED,
	         "its Slurm is in '/opt/slurm'"},
	        {{{"cluster", "c"}, {"slurm-version", "21.08.8"}},
	         REASON_INPUT_UNSUPPORTED,
	         "slurmctld is of release '21.08.8', expected 22.05 or later"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		const char *json;
		struct err e;

		assert_err(translate(a, TOP HEAD_QUEUE, &head, rows[i].facts, &json, &e), ERR_HOST,
		           rows[i].says);
		assert_int_equal(e.reason, rows[i].reason);
	}
}

static void an_efs_of_the_head_is_mounted_where_it_is_known(void **state)
{
	const char *text =
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, SharedStorageType: efs, "
	        "Networking: {SubnetId: subnet-1}}\n" QUEUE("");
	static const char *const facts[][2] = {{"tag.hpc-node:storage.home", "fs-01234567"},
	                                       {NULL, NULL}};

	(void)state;
	check_refused(text, "add 'storage: {home: fs-");
	check_spec(
	        text, facts,
	        "{\"mounts\":[{\"path\":\"/home\",\"type\":\"efs\",\"source\":\"fs-01234567:/home\"},"
	        "{\"path\":\"/opt/slurm\",\"type\":\"efs\",\"source\":\"fs-01234567:/opt/"
	        "slurm\"}],\"munge\":{\"key\":\"s3://b/c/munge.key\"},\"slurm\":{\"prefix\":\"/opt/"
	        "slurm\",\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"}," VOLUMES
	        "\"hostname\":\"q-1-dy-small-3\",\"imds-lock\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(homes_of_a_head_are_in_one_place),
	        cmocka_unit_test(threads_of_a_heads_server),
	        cmocka_unit_test(who_has_a_heads_role),
	        cmocka_unit_test(when_a_head_has_a_fleet),
	        cmocka_unit_test(what_a_fleet_lacks),
	        cmocka_unit_test(why_a_machine_is_no_head),
	        cmocka_unit_test(an_efs_of_the_head_is_mounted_where_it_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
