/* SPDX-License-Identifier: Apache-2.0 */
/* What a ParallelCluster configuration is refused for, all faults at once, and what is noted. */
#include "cluster_test.h"

#define STORAGE(items) TOP QUEUE("") "SharedStorage:\n" items

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void rules(void **state)
{
	static const char *const cases[][2] = {
	        {STORAGE("- {MountDir: /etc, Name: a, StorageType: Ebs}\n"),
	         "c.yaml:9:14: MountDir: "
	         "'/etc' is the system's"},
	        {STORAGE("- {MountDir: NONE, Name: a, StorageType: Ebs}\n"), "'/NONE' is"},
	        {STORAGE("- {MountDir: //, Name: a, StorageType: Ebs}\n"), "'/' is the system's"},
	        {STORAGE("- {MountDir: opt/, Name: a, StorageType: Ebs}\n"), "'/opt' is the"},
	        {STORAGE("- {MountDir: /opt/slurm/, Name: a, StorageType: Ebs}\n"),
	         "'/opt/slurm' is what ParallelCluster's head"},
	        {STORAGE("- {MountDir: /opt/parallelcluster/shared, Name: a, StorageType: Ebs}\n"),
	         "shared' is what Para"},
	        {STORAGE("- {MountDir: /" X64 X64 X64 X64 ", Name: a, StorageType: Ebs}\n"),
	         "of names of 255 bytes"},
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
	         "c.yaml:9:73: FileSystemId: 'efs' is no id, expected one that begins "
	         "with 'fs-'"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: FileCache, FileCacheSettings: "
	                 "{FileCacheId: fs-1}}\n"),
	         "begins with 'fc-'"},
	        {TOP QUEUE("    CustomActions: {OnNodeUpdated: {Script: 's3://b/a.sh'}}\n"),
	         "OnNodeUpdated: a queue has"},
	        {TOP QUEUE("    ComputeResources: [{Name: r}, {Name: r}]\n"), "Name 'r' is given"},
	        {TOP QUEUE("  - {Name: q-1, Networking: {SubnetIds: [subnet-1]}}\n"),
	         "Name 'q-1' is given"},
	        {TOP QUEUE(
	                 "    ComputeSettings: {LocalStorage: {EphemeralVolume: {MountDir: /s/x}}}\n") "SharedStorage: [{MountDir: /s, Name: a, StorageType: Ebs}]\n",
	         "MountDir '/s/x' and '/s' of line 9"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 10.0.0.0/33}, "
	         "Networking: {SubnetId: subnet-1}}\n" QUEUE(""),
	         "AllowedIps: '10.0.0.0/33'"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Dcv: {AllowedIps: anywhere}, "
	         "Networking: {SubnetId: subnet-1}}\n" QUEUE(""),
	         "AllowedIps: 'anywhere'"},
	        {TOP
	         "Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n    Networking: "
	         "{SubnetIds: [subnet-1], Proxy: {HttpProxyAddress: \"http://h:1';x\"}}\n",
	         "HttpProxyAddress: "},
	        /* ---- values that are no texts, as YAML 1.1 has them ---- */
	        {TOP QUEUE("    Tags: [{Key: k, Value: 12}]\n"),
	         "'Value': expected a string, found the number 12"},
	        {TOP QUEUE("    Tags: [{Key: on, Value: v}]\n"),
	         "'Key': expected a string, found the boolean on"},
	        {TOP QUEUE("    Tags: [{Key: k, Value: 2024-01-31}]\n"),
	         "'Value': expected a string, found the time 2024-01-31"},
	        {TOP QUEUE(
	                 "    CustomActions: {OnNodeStart: {Script: 's3://bkt/a.sh', Args: [1.5]}}\n"),
	         "'Args': expected a string, found the number 1.5"},
	        {TOP QUEUE(
	                 "    CustomActions: {OnNodeStart: {Script: 's3://bkt/a.sh', Args: a}}\n"),
	         "'Args': expected a list, found string"},
	        {TOP QUEUE("    CapacityType: 1\n"), "'CapacityType': expected a string, found"},
	        {"Region: 1\n" TOP QUEUE(""), "'Region': expected a string, found the number 1"},
	        {TOP QUEUE("") "CustomS3Bucket: {}\n",
	         "'CustomS3Bucket': expected a string, found map"},
	        /* ---- ids and ARNs ---- */
	        {"Image: {Os: alinux2, CustomAmi: nope}\nHeadNode: {InstanceType: t, Networking: "
	         "{SubnetId: subnet-1}}\n" QUEUE(""),
	         "CustomAmi: 'nope' is no id, expected one that begins with 'ami-'"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Image: {CustomAmi: ami-}, "
	         "Networking: {SubnetId: subnet-1}}\n" QUEUE(""),
	         "CustomAmi: 'ami-' is no id"},
	        {TOP QUEUE("    Image: {CustomAmi: AMI-0123}\n"), "CustomAmi: 'AMI-0123' is no id"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Networking: {SubnetId: "
	         "subnet-A}}\n" QUEUE(""),
	         "SubnetId: 'subnet-A' is no id"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Networking: {SubnetId: subnet-1, "
	         "SecurityGroups: [sg-1, default]}}\n" QUEUE(""),
	         "SecurityGroups: 'default' is no id, expected one that begins with 'sg-'"},
	        {TOP QUEUE("    Iam: {InstanceRole: r}\n"),
	         "InstanceRole: 'r' is no ARN, expected one that begins with 'arn:' and has ':role/'"},
	        {TOP QUEUE("    Iam: {AdditionalIamPolicies: [{Policy: ReadOnly}]}\n"),
	         "Policy: 'ReadOnly' is no ARN"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Ebs, EbsSettings: {VolumeId: v-1}}\n"),
	         "VolumeId: 'v-1' is no id"},
	        /* ---- numbers and counts ---- */
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Ebs, EbsSettings: {Raid: {Type: 2}}}\n"),
	         "Type: '2' is out of range, expected 0 to 1"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Ebs, EbsSettings: {Raid: {Type: 1, "
	                 "NumberOfVolumes: 9}}}\n"),
	         "NumberOfVolumes: '9' is out of range"},
	        {TOP QUEUE(
	                 "") "LoginNodes: {Pools: [{Name: p, InstanceType: t, Count: 1, GracetimePeriod: "
	                     "121, Networking: {SubnetIds: [subnet-1]}}]}\n",
	         "GracetimePeriod: '121' is out of range"},
	        {TOP QUEUE("") "LoginNodes: {Pools: []}\n",
	         "'Pools': expected 1 at least, found 0"},
	        {TOP "Scheduling: {Scheduler: slurm, SlurmQueues: []}\n",
	         "SlurmQueues: expected one queue at least"},
	        {TOP "Scheduling: {Scheduler: slurm}\n",
	         "SlurmQueues: expected one queue at least"},
	        {TOP
	         "Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q, Networking: {SubnetIds: "
	         "[]}}]}\n",
	         "'SubnetIds': expected 1 at least"},
	        /* ---- keys that exclude or need each other ---- */
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Networking: {SubnetId: subnet-1, "
	         "SecurityGroups: [sg-1], AdditionalSecurityGroups: [sg-2]}}\n" QUEUE(""),
	         "AdditionalSecurityGroups: it and SecurityGroups exclude each other"},
	        {TOP QUEUE(
	                 "    Iam: {InstanceRole: 'arn:a:role/r', AdditionalIamPolicies: [{Policy: "
	                 "'arn:a:policy/p'}]}\n"),
	         "AdditionalIamPolicies: it and InstanceRole exclude each other"},
	        {TOP QUEUE(
	                 "    Iam: {InstanceProfile: 'arn:a:instance-profile/r', S3Access: [{BucketName: "
	                 "b}]}\n"),
	         "S3Access: it and InstanceProfile exclude each other"},
	        {TOP QUEUE("    CapacityReservationTarget: {CapacityReservationId: cr-1, "
	                   "CapacityReservationResourceGroupArn: 'arn:g'}\n"),
	         "CapacityReservationResourceGroupArn: it and CapacityReservationId exclude"},
	        {TOP QUEUE("    CapacityReservationTarget: {}\n"),
	         "CapacityReservationTarget: expected CapacityReservationId or"},
	        {TOP
	         "Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q, Networking: {SubnetIds: "
	         "[subnet-1], PlacementGroup: {Id: a, Name: b}}}]}\n",
	         "Name: it and Id exclude each other"},
	        {TOP
	         "Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q, Networking: {SubnetIds: "
	         "[subnet-1], PlacementGroup: {Enabled: no, Name: b}}}]}\n",
	         "PlacementGroup: Name: 'Enabled: false' excludes it"},
	        {TOP QUEUE(
	                 "    ComputeResources: [{Name: r, Instances: [{InstanceType: t}, {InstanceType: "
	                 "t}]}]\n"),
	         "InstanceType 't' is given twice"},
	        {TOP QUEUE("") "Tags: [{Key: 'parallelcluster:x', Value: v}]\n",
	         "Tags: 'parallelcluster:x': what begins with 'parallelcluster:' is"},
	        {TOP QUEUE("") "Tags: [{Key: k, Value: v}, {Key: k, Value: w}]\n",
	         "Tags: 'k' is given twice"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Efs, EfsSettings: {FileSystemId: fs-1, "
	                 "Encrypted: yes}}\n"),
	         "Encrypted: what FileSystemId names has it already"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: FsxLustre, FsxLustreSettings: "
	                 "{FileSystemId: fs-1, StorageCapacity: 1200}}\n"),
	         "StorageCapacity: what FileSystemId names has it already"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: FsxLustre, FsxLustreSettings: {BackupId: "
	                 "backup-0123, StorageCapacity: 1200}}\n"),
	         "StorageCapacity: what BackupId names has it already"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Efs, EfsSettings: {EncryptionInTransit: "
	                 "yes, AccessPointId: fsap-1}}\n"),
	         "AccessPointId: expected the FileSystemId that it is of"},
	        {STORAGE("- {MountDir: /a, Name: default, StorageType: Ebs}\n"),
	         "Name of shared storage: 'default'"},
	        {STORAGE("- {MountDir: /a, Name: a b, StorageType: Ebs}\n"),
	         "Name of shared storage: 'a b'"},
	        {STORAGE("- {MountDir: /a, Name: a123456789b123456789c123456789d, StorageType: Ebs}\n"),
	         "at most 30 of them"},
	};
	static const char *const fine[] = {
	        TOP QUEUE("    Tags: [{Key: '1', Value: \"12\"}, {Key: 08, Value: 1.2.3}, {Key: "
	                  "'parallelcluster:custom_resource', Value: y}]\n"),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Networking: {SubnetId: "
	        "subnet-0abcdef1234567890, ElasticIp: true, SecurityGroups: [], "
	        "AdditionalSecurityGroups: [sg-1]}}\n" QUEUE(""),
	        TOP QUEUE(
	                "    CustomSlurmSettings: {Id: 1, Name: 2, Tags: [{Key: 'parallelcluster:x'}]}\n"),
	        TOP QUEUE(
	                "") "AdditionalPackages: {IntelSoftware: {OneApi: {BaseToolkit: yes, HpcToolkit: "
	                    "no}, Python: no}}\n",
	        STORAGE("- {MountDir: /a, Name: s, StorageType: Efs, EfsSettings: {FileSystemId: fs-1, "
	                "EncryptionInTransit: yes, IamAuthorization: yes, AccessPointId: fsap-1, KmsKeyId: "
	                "null}}\n"),
	        STORAGE("- {MountDir: /a, Name: s, StorageType: Ebs, EbsSettings: {Raid: {Type: '0', "
	                "NumberOfVolumes: 2}}}\n"),
	        STORAGE("- {MountDir: /mnt/a, Name: a, StorageType: Ebs}\n"
	                "- {MountDir: /mnt/ab, Name: b, StorageType: Ebs}\n"
	                "- {MountDir: /opt/x, Name: c, StorageType: Ebs}\n"
	                "- {MountDir: /opt/slurmx, Name: d, StorageType: Ebs}\n"),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 'fd00::/8'}, "
	        "Dcv: {AllowedIps: pl-0123}, Networking: {SubnetId: subnet-1}}\n" QUEUE(""),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 10.0.0.0/32}, "
	        "Networking: {SubnetId: subnet-1}}\n" QUEUE(""),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, "
	        "SharedStorageEfsSettings: {Encrypted: true}, Networking: {SubnetId: subnet-1}}\n"
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
	        /* Of the same directory as shared storage's ParallelCluster itself only warns. */
	        {TOP QUEUE(
	                 "    ComputeSettings: {LocalStorage: {EphemeralVolume: {MountDir: /s}}}\n") "SharedStorage: [{MountDir: /s/, Name: a, StorageType: Ebs}]\n",
	         "c.yaml:8:55: EphemeralVolume: "},
	        {TOP QUEUE(
	                 "") "DirectoryService: {DomainName: d, DomainAddr: l, PasswordSecretArn: 'arn:a', "
	                     "DomainReadOnlyUser: c}\n",
	         ""},
	        {TOP QUEUE("") "DeploymentSettings: {DisableSudoAccessForDefaultUser: false}\n",
	         ""},
	        {TOP QUEUE("") "DeploymentSettings: {DefaultUserHome: Local}\n", ""},
	        {TOP QUEUE("") "DeploymentSettings: {DefaultUserHome: Shared}\n", ""},
	        {TOP
	         "Scheduling:\n  Scheduler: slurm\n  SlurmSettings: {Dns: {UseEc2Hostnames: true}}\n  "
	         "SlurmQueues: [{Name: q-1, Networking: {SubnetIds: [subnet-1]}}]\n",
	         "UseEc2Hostnames: "},
	        {TOP QUEUE("    HealthChecks: {Gpu: {Enabled: true}}\n"),
	         "HealthChecks: no program looks at GPUs"},
	        {TOP QUEUE("    HealthChecks: {Gpu: {Enabled: false}}\n"), ""},
	        {TOP QUEUE(
	                 "    ComputeResources: [{Name: small, InstanceType: t, HealthChecks: {Gpu: "
	                 "{Enabled: true}}}]\n"),
	         "HealthChecks: no program looks at GPUs"},
	        {TOP QUEUE("") "AdditionalPackages: {IntelSoftware: {IntelHpcPlatform: true}}\n",
	         "IntelSoftware: nothing of it"},
	        {TOP QUEUE("") "DevSettings: {Cookbook: {ChefCookbook: 's3://bkt/c'}}\n",
	         "Cookbook: no Chef runs"},
	        {TOP QUEUE("") "DevSettings: {NodePackage: 's3://bkt/c'}\n", "NodePackage: "},
	        {TOP QUEUE("") "Imds: {ImdsSupport: v1.0}\n",
	         "ImdsSupport: the instances that are"},
	        {TOP QUEUE("") "Imds: {ImdsSupport: v2.0}\n", ""},
	        {TOP "Scheduling:\n  Scheduler: slurm\n  SlurmSettings: {Dns: {HostedZoneId: Z1}}\n"
	             "  SlurmQueues: [{Name: q-1, Networking: {SubnetIds: [subnet-1]}}]\n",
	         "HostedZoneId: no records are made"},
	        {STORAGE("- {MountDir: /opt/intel/x, Name: a, StorageType: Ebs}\n"),
	         "'/opt/intel/x' is what ParallelCluster's head serves"},
	        {STORAGE("- {MountDir: /a, Name: /a b, StorageType: Ebs}\n"),
	         "Name of shared storage: '/a b'"},
	        {TOP
	         "Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q-1, Networking: {SubnetIds: "
	         "[subnet-1], PlacementGroup: {Id: a, Name: b}}}]}\n",
	         "Name: it and Id exclude each other"},
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
	         "Networking: {SubnetId: subnet-1}}\n" QUEUE(""),
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
