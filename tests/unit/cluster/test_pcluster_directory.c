/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what DirectoryService makes of a node: cluster/pcluster_directory. */
#include "section_test.h"

#define FILE_OF(more)                                                                                     \
	"Image: {Os: ubuntu2204}\n"                                                                       \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-1}}\n"                          \
	"Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q, Networking: {SubnetIds: [subnet-1]}}]}\n" \
	"HpcNode: {DefaultUser: no, SharedHome: no, Packages: {}}\n"                                      \
	"DirectoryService: {PasswordSecretArn: 'arn:s', DomainReadOnlyUser: 'cn=r'" more "}\n"
#define PLAIN ", DomainName: d.e, DomainAddr: 'ldaps://h'"
#define TAIL  "\"base\":\"DC=d,DC=e\",\"bind-dn\":\"cn=r\",\"password\":\"arn:s\""

static void what_follows(void **state)
{
	static const struct {
		enum cluster_role role;
		const char *more, *want;
	} rows[] = {
	        {CLUSTER_COMPUTE, PLAIN, "{\"uris\":[\"ldaps://h\"]," TAIL "}"},
	        {CLUSTER_LOGIN, PLAIN, "{\"uris\":[\"ldaps://h\"]," TAIL ",\"ssh-keys\":true}"},
	        {CLUSTER_HEAD, PLAIN, "{\"uris\":[\"ldaps://h\"]," TAIL ",\"ssh-keys\":true}"},
	        {CLUSTER_HEAD, PLAIN ", GenerateSshKeysForUsers: yes",
	         "{\"uris\":[\"ldaps://h\"]," TAIL ",\"ssh-keys\":true}"},
	        {CLUSTER_HEAD, PLAIN ", GenerateSshKeysForUsers: no",
	         "{\"uris\":[\"ldaps://h\"]," TAIL "}"},
	        {CLUSTER_COMPUTE, ", DomainName: 'dc=d,dc=e', DomainAddr: 'a, ldap://b:3,'",
	         "{\"uris\":[\"ldaps://a\",\"ldap://b:3\"],\"base\":\"dc=d,dc=e\","
	         "\"bind-dn\":\"cn=r\",\"password\":\"arn:s\"}"},
	        {CLUSTER_COMPUTE,
	         PLAIN ", LdapTlsCaCert: /ca.pem, LdapTlsReqCert: never, LdapAccessFilter: 'm=n'",
	         "{\"uris\":[\"ldaps://h\"]," TAIL ",\"options\":{\"ldap_tls_reqcert\":\"never\","
	         "\"ldap_tls_cacert\":\"/ca.pem\",\"access_provider\":\"ldap\","
	         "\"ldap_access_filter\":\"m=n\"}}"},
	        /* Whoever writes the options themselves has the last word. */
	        {CLUSTER_COMPUTE,
	         PLAIN ", LdapTlsReqCert: never, AdditionalSssdConfigs: {ldap_tls_reqcert: allow, "
	               "debug_level: 9, x: }",
	         "{\"uris\":[\"ldaps://h\"]," TAIL
	         ",\"options\":{\"ldap_tls_reqcert\":\"allow\",\"debug_level\":9}}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		const char *text = arena_printf(a, FILE_OF("%s"), rows[i].more);

		assert_string_equal(section(a, text, rows[i].role, "debian", "directory"),
		                    rows[i].want);
		assert_null(strstr(notes.n ? notes.items[notes.n - 1] : "", "DirectoryService"));
	}
}

/* Users log in by their passwords where they log in. */
static void what_else_there_is(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *text = FILE_OF(PLAIN);

	(void)state;
	assert_non_null(strstr(section(a, text, CLUSTER_LOGIN, "debian", "files"),
	                       "\\nPasswordAuthentication yes\\n"));
	assert_non_null(strstr(section(a, text, CLUSTER_LOGIN, "debian", "units"), "ssh.service"));
	assert_null(strstr(section(a, text, CLUSTER_COMPUTE, "debian", "files"), "Password"));
	assert_string_equal(section(a, text, CLUSTER_COMPUTE, "debian", "packages"),
	                    "{\"names\":[\"munge\",\"slurmd\",\"slurm-client\",\"sssd-ldap\","
	                    "\"libnss-sss\",\"libpam-sss\",\"openssh-client\"]}");
	assert_string_equal(section(a, text, CLUSTER_LOGIN, "amzn", "packages"),
	                    "{\"names\":[\"munge\",\"slurm\",\"sssd-ldap\",\"sssd-client\","
	                    "\"authselect\",\"oddjob-mkhomedir\"]}");
	assert_null(strstr(section(a, text, CLUSTER_LOGIN, "amzn", "directory"), "ssh-keys"));
	assert_int_equal(notes.n, 1);
	assert_non_null(strstr(notes.items[0], "GenerateSshKeysForUsers: users get keys only"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_follows),
	        cmocka_unit_test(what_else_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
