/* SPDX-License-Identifier: Apache-2.0 */
/* What a ParallelCluster configuration is refused for, all faults at once, and what is noted. */
#include "cluster_test.h"

#define STORAGE(items) TOP QUEUE("") "SharedStorage:\n" items

static void rules(void **state)
{
	static const char *const cases[][2] = {
	        {STORAGE("- {MountDir: /etc, Name: a, StorageType: Ebs}\n"),
	         "c.yaml:9:14: MountDir: "
	         "'/etc' is the system's"},
	        {STORAGE("- {MountDir: NONE, Name: a, StorageType: Ebs}\n"), "'/NONE' is"},
	        {STORAGE("- {MountDir: //, Name: a, StorageType: Ebs}\n"), "'/' is the system's"},
	        {STORAGE("- {MountDir: opt/, Name: a, StorageType: Ebs}\n"), "'/opt' is the"},
	        {STORAGE("- {MountDir: /proc/x, Name: a, StorageType: Ebs}\n"), "'/proc/x' is the"},
	        {STORAGE("- {MountDir: /a/../etc, Name: a, StorageType: Ebs}\n"), "without '.'"},
	        {STORAGE("- {MountDir: '/a b', Name: a, StorageType: Ebs}\n"), "without '.'"},
	        {STORAGE("- {MountDir: /a, Name: a, StorageType: Ebs}\n"
	                 "- {MountDir: a/, Name: b, StorageType: Ebs}\n"),
	         "c.yaml:10:14: MountDir '/a' is given twice: the first is at line 9"},
	        {STORAGE("- {MountDir: /a/b, Name: a, StorageType: Ebs}\n"
	                 "- {MountDir: /a, Name: b, StorageType: Ebs}\n"),
	         "MountDir '/a' and '/a/b' of line 9 lie one in the other"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Ebs}\n"
	                 "- {MountDir: /b, Name: s, StorageType: Ebs}\n"),
	         "c.yaml:10:24: Name 's' is given twice: the first is at line 9"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Ebs, EfsSettings: {FileSystemId: "
	                 "fs-1}}\n"),
	         "EfsSettings: StorageType is Ebs"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Efs, EfsSettings: {FileSystemId: "
	                 "efs}}\n"),
	         "c.yaml:9:73: EfsSettings.FileSystemId: 'efs' is no id, expected one that begins "
	         "with 'fs-'"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: FileCache, FileCacheSettings: "
	                 "{FileCacheId: fs-1}}\n"),
	         "begins with 'fc-'"},
	        {TOP QUEUE("    CustomActions: {OnNodeUpdated: {Script: 's3://b/a.sh'}}\n"),
	         "OnNodeUpdated: a queue has"},
	        {TOP QUEUE("    ComputeResources: [{Name: r}, {Name: r}]\n"), "Name 'r' is given"},
	        {TOP QUEUE("  - {Name: q-1, Networking: {SubnetIds: [s]}}\n"),
	         "Name 'q-1' is given"},
	        {TOP QUEUE(
	                 "    ComputeSettings: {LocalStorage: {EphemeralVolume: {MountDir: /s/x}}}\n") "SharedStorage: [{MountDir: /s, Name: a, StorageType: Ebs}]\n",
	         "MountDir '/s/x' and '/s' of line 9"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 10.0.0.0/33}, "
	         "Networking: {SubnetId: s}}\n" QUEUE(""),
	         "AllowedIps: '10.0.0.0/33'"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Dcv: {AllowedIps: anywhere}, "
	         "Networking: {SubnetId: s}}\n" QUEUE(""),
	         "AllowedIps: 'anywhere'"},
	        {TOP
	         "Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n    Networking: "
	         "{SubnetIds: [s], Proxy: {HttpProxyAddress: \"http://h:1';x\"}}\n",
	         "HttpProxyAddress: "},
	};
	static const char *const fine[] = {
	        STORAGE("- {MountDir: /mnt/a, Name: a, StorageType: Ebs}\n"
	                "- {MountDir: /mnt/ab, Name: b, StorageType: Ebs}\n"
	                "- {MountDir: /opt/x, Name: c, StorageType: Ebs}\n"),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 'fd00::/8'}, "
	        "Dcv: {AllowedIps: pl-0123}, Networking: {SubnetId: s}}\n" QUEUE(""),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 10.0.0.0/32}, "
	        "Networking: {SubnetId: s}}\n" QUEUE(""),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, "
	        "SharedStorageEfsSettings: {Encrypted: true}, Networking: {SubnetId: s}}\n"
	        "DevSettings: {EfaInterfaceType: efa-only, AmiSearchFilters: {NamePrefix: n}}\n" QUEUE(
	                "    ComputeResources:\n"
	                "    - {Name: small, LaunchTemplateOverrides: {LaunchTemplateId: lt-1, "
	                "Version: 2}}\n"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(cases[i][0], cases[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		scope_arena struct arena *a = arena_new();
		const char *json;
		struct err e;

		assert_ok(translate(a, fine[i], &compute, baked, &json, &e));
	}
}

/* Whoever asks for all faults gets those of the schema and of the rules together. */
static void all_faults_at_once(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct faults faults = {.arena = a};
	const char *json;
	struct err e;

	(void)state;
	reading.faults = &faults;
	assert_err(translate(a,
	                     STORAGE("- {MountDir: /etc, Name: a, StorageType: Ebs}\n"
	                             "- {MountDir: /proc, Name: a, StorageType: Ebs, Wrong: 1}\n"
	                             "- {MountDir: [], Name: {}, StorageType: []}\n"),
	                     &compute, baked, &json, &e),
	           ERR_INPUT, "");
	reading.faults = NULL;
	assert_int_equal(faults.n, 7);
}

/* ---- notes ---- */

static const char *noted(const char *text, const struct cluster_node *node, struct arena *a)
{
	static struct cluster_notes notes;
	const char *json;
	struct err e;

	notes = (struct cluster_notes){.arena = a};
	reading = (struct cluster_reading){.notes = &notes, .elsewhere = true};
	assert_ok(translate(a, text, node, baked, &json, &e));
	reading = (struct cluster_reading){.strict = true};
	if (notes.n == 0)
		return "";
	assert_int_equal(notes.n, 1);
	return notes.items[0];
}

static void what_has_no_effect_is_noted(void **state)
{
	static const char *const cases[][2] = {
	        {TOP QUEUE(
	                 "    ComputeSettings: {LocalStorage: {EphemeralVolume: {MountDir: /l}}}\n"),
	         "c.yaml:8:55: EphemeralVolume: "},
	        /* Of the same directory as shared storage's ParallelCluster itself only warns. */
	        {TOP QUEUE(
	                 "    ComputeSettings: {LocalStorage: {EphemeralVolume: {MountDir: /s}}}\n") "SharedStorage: [{MountDir: /s/, Name: a, StorageType: Ebs}]\n",
	         "c.yaml:8:55: EphemeralVolume: "},
	        {TOP QUEUE(
	                 "") "DirectoryService: {DomainName: d, DomainAddr: l, PasswordSecretArn: a, "
	                     "DomainReadOnlyUser: c}\n",
	         ""},
	        {TOP QUEUE("") "DeploymentSettings: {DisableSudoAccessForDefaultUser: false}\n",
	         ""},
	        {TOP QUEUE("") "DeploymentSettings: {DefaultUserHome: Local}\n", ""},
	        {TOP QUEUE("") "DeploymentSettings: {DefaultUserHome: Shared}\n", ""},
	        {TOP
	         "Scheduling:\n  Scheduler: slurm\n  SlurmSettings: {Dns: {UseEc2Hostnames: true}}\n",
	         "UseEc2Hostnames: "},
	        {TOP QUEUE("") "Brandnew: {}\n", "c.yaml:8:1: unknown key 'Brandnew' is ignored"},
	        {TOP QUEUE("") "Tag: {}\n", "did you mean 'Tags'?"},
	        {TOP QUEUE("    AllocationStrategy: cheapest\n"),
	         "AllocationStrategy: 'cheapest' is no value that is known"},
	        {TOP QUEUE("    CapacityType: LEASED\n"),
	         "c.yaml:8:19: CapacityType: 'LEASED' is no value that is known"},
	        {STORAGE("- {MountDir: /fs, Name: fs, StorageType: FsxOntap, FsxOntapSettings: "
	                 "{VolumeId: fsvol-1}}\n"),
	         "c.yaml:9:3: shared storage 'fs': the file does not tell the server of a volume: the "
	         "node document needs 'storage: {fs: "},
	        {STORAGE("- {MountDir: /fs, Name: fs, StorageType: Efs}\n"), "'storage: {fs: fs-"},
	        {STORAGE("- {MountDir: /fs, Name: fs, StorageType: FsxLustre}\n"),
	         "'storage: {fs: fs-"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, SharedStorageType: Efs, "
	         "Networking: {SubnetId: s}}\n" QUEUE(""),
	         "'storage: {home: fs-"},
	        {TOP QUEUE(""), ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scope_arena struct arena *a = arena_new();
		const char *note = noted(cases[i][0], &compute, a);

		if (!strstr(note, cases[i][1]) || (*note && !*cases[i][1]))
			fail_msg("case %zu: '%s' lacks '%s'", i, note, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rules),
	        cmocka_unit_test(all_faults_at_once),
	        cmocka_unit_test(what_has_no_effect_is_noted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
