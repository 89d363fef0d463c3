/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what a ParallelCluster file installs: cluster/pcluster_packages. */
#include "section_test.h"

#define TEXT_OF(slurm, own)                                                                                  \
	"Image: {Os: rhel9}\n"                                                                               \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-1}}\n"                             \
	"Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q, Networking: {SubnetIds: [subnet-1]}}]" slurm \
	"}\n"                                                                                                \
	"HpcNode: {DefaultUser: no" own "}\n"
#define FILE_OF(own) TEXT_OF("", own)
#define DATABASE_OF(own)                                                                           \
	TEXT_OF(", SlurmSettings: {Database: {Uri: db, UserName: u, PasswordSecretArn: "           \
	        "'arn:aws:secretsmanager:r:1:secret:s'}}",                                         \
	        own)
#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void nothing_is_installed_unasked(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_string_equal(section(a, FILE_OF(""), CLUSTER_COMPUTE, "debian", "packages"), "");
	assert_non_null(
	        strstr(section(a, FILE_OF(""), CLUSTER_COMPUTE, "debian", "mounts"), "/opt/slurm"));
	assert_non_null(
	        strstr(section(a, FILE_OF(""), CLUSTER_LOGIN, "debian", "login"), "/opt/slurm"));
}

static void what_a_role_needs(void **state)
{
	static const struct {
		enum cluster_role role;
		const char *distribution, *own, *want;
	} cases[] = {
	        {CLUSTER_COMPUTE, "debian", FILE_OF(", Packages: {}"),
	         "{\"names\":[\"munge\",\"slurmd\",\"slurm-client\",\"nfs-common\"]}"},
	        {CLUSTER_COMPUTE, "ubuntu", FILE_OF(", SharedHome: no, Packages: {Names: chrony}"),
	         "{\"names\":[\"munge\",\"slurmd\",\"slurm-client\",\"chrony\"]}"},
	        {CLUSTER_LOGIN, "debian", FILE_OF(", Packages: {}"),
	         "{\"names\":[\"munge\",\"slurm-client\",\"nfs-common\"]}"},
	        {CLUSTER_COMPUTE, "amzn", FILE_OF(", Packages: {}"),
	         "{\"names\":[\"munge\",\"slurm-slurmd\",\"slurm\",\"nfs-utils\"]}"},
	        {CLUSTER_HEAD, "debian", FILE_OF(", SharedHome: no, Packages: {}"),
	         "{\"names\":[\"munge\",\"slurmctld\",\"slurm-client\",\"nfs-kernel-server\"]}"},
	        {CLUSTER_HEAD, "debian", DATABASE_OF(", SharedHome: no, Packages: {}"),
	         "{\"names\":[\"munge\",\"slurmctld\",\"slurm-client\",\"nfs-kernel-server\","
	         "\"slurmdbd\"]}"},
	        {CLUSTER_HEAD, "amzn", DATABASE_OF(", SharedHome: no, Packages: {}"),
	         "{\"names\":[\"munge\",\"slurm-slurmctld\",\"slurm\",\"nfs-utils\","
	         "\"slurm-slurmdbd\"]}"},
	        {CLUSTER_COMPUTE, "debian", DATABASE_OF(", SharedHome: no, Packages: {}"),
	         "{\"names\":[\"munge\",\"slurmd\",\"slurm-client\"]}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scope_arena struct arena *a = arena_new();

		assert_string_equal(
		        section(a, cases[i].own, cases[i].role, cases[i].distribution, "packages"),
		        cases[i].want);
		/* Slurm is then that of the packages. */
		assert_null(strstr(
		        section(a, cases[i].own, cases[i].role, cases[i].distribution, "mounts"),
		        "/opt/slurm"));
	}
}

static void where_packages_come_from(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *text = FILE_OF(
	        ", SharedHome: no, Packages: {Repository: deb x, RepositoryKey: {Source: s3://b/k, "
	        "Sha256: " SUM "}, Files: [{Source: 's3://b/p/m_1_all.deb?v=a/b', Sha256: " SUM
	        "}]}");

	(void)state;
	assert_string_equal(section(a, text, CLUSTER_LOGIN, "debian", "files"),
	                    "[{\"path\":\"/var/cache/hpc-node/packages/m_1_all.deb\","
	                    "\"source\":\"s3://b/p/m_1_all.deb?v=a/b\",\"sha256\":\"" SUM "\"},"
	                    "{\"path\":\"/etc/apt/keyrings/hpc-node.asc\",\"source\":\"s3://b/k\","
	                    "\"sha256\":\"" SUM "\"},"
	                    "{\"path\":\"/etc/apt/sources.list.d/hpc-node.list\","
	                    "\"content\":\"deb x\\n\"}]");
	assert_string_equal(section(a, text, CLUSTER_LOGIN, "debian", "packages"),
	                    "{\"names\":[\"munge\",\"slurm-client\"],"
	                    "\"files\":[\"/var/cache/hpc-node/packages/m_1_all.deb\"]}");
	const char *rpm = section(a, text, CLUSTER_LOGIN, "fedora", "files");
	assert_non_null(strstr(rpm, "/etc/yum.repos.d/hpc-node.repo"));
	assert_non_null(strstr(rpm, "/etc/pki/rpm-gpg/RPM-GPG-KEY-hpc-node"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_is_installed_unasked),
	        cmocka_unit_test(what_a_role_needs),
	        cmocka_unit_test(where_packages_come_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
