/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind directory: what its claim makes of a section; sssd.conf, the name service and sessions on a
 * machine whose unit and pam-auth-update do as the test says. tests/system/test_directory.py has the real ones.
 */
#include "kind_world.h"

#include "kinds/directory_own.h"
#include "kinds/kinds.h"

#define PLACE    "machine/etc/sssd/sssd.conf"
#define SESSION  "machine/etc/pam.d/common-session"
#define NSSWITCH "machine/etc/nsswitch.conf"
#define HEAD                                                                                       \
	"# Written by hpc-agent from the section 'directory'; changes here don't last.\n"          \
	"[sssd]\nservices = nss, pam\ndomains = default\n\n"                                       \
	"[nss]\nfilter_users = nobody,root\nfilter_groups = nobody,root\n\n"                       \
	"[pam]\noffline_credentials_expiration = 7\n\n[domain/default]\n"

static const struct directory_spec *made; /* by claim */

static int claim(const char *more)
{
	int r = claim_of(&kind_directory,
	                 arena_printf(arena,
	                              "{uris: ['ldaps://a', 'ldap://b:389'], base: 'DC=c,DC=d', "
	                              "bind-dn: 'cn=r', password: 'file:%s/password'%s}",
	                              top, more),
	                 NULL);

	made = claimed;
	return r;
}

static int probe(void)
{
	return kind_probe(&kind_directory);
}

static int apply(void)
{
	return kind_apply(&kind_directory);
}

static int begin(void **state)
{
	if (!kind_begin(state, "sssd.service"))
		return 0;
	put(NSSWITCH, "passwd: files systemd\ngroup:\tfiles sss\nshadow: files\nhosts: files\n");
	put(SESSION, "session required pam_unix.so\n");
	put("machine/usr/other", "");
	put("password", "p w\n");
	/* As it would: a line for each profile it is told of. */
	put_program("pam-auth-update",
	            arena_printf(arena,
	                         "cd %s/machine/etc/pam.d\n"
	                         "case $* in *mkhomedir*) echo pam_mkhomedir.so ;; esac "
	                         ">>common-session\n"
	                         "case $* in *hpc-node-ssh-keys*) echo "
	                         "/usr/lib/hpc-node/ssh-user-key ;; esac >>common-session\n",
	                         top));
	assert_ok(claim(""));
	return 0;
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *section, *message;
	} rows[] = {
	        {"uris: ['ldaps://a'], base: b, bind-dn: c", "'password'"},
	        {"uris: ['ldaps://a'], base: b, bind-dn: c, password: p",
	         "is no place of a password"},
	        {"uris: ['ldaps://a'], base: b, bind-dn: c, password: 'arn:aws:ssm:r:1:parameter/p'",
	         "is no place of a password"},
	        {"uris: ['a'], base: b, bind-dn: c, password: 'file:/p'",
	         "s:1:20: 'a' is no directory's place"},
	        {"uris: ['ldap://a,ldap://b'], base: b, bind-dn: c, password: 'file:/p'",
	         "is no directory's place"},
	        {"uris: ['ldap://a'], base: ' b', bind-dn: c, password: 'file:/p'",
	         "' b': expected one line without blanks around it"},
	        {"uris: ['ldap://a'], base: b, bind-dn: \"c\\nd = e\", password: 'file:/p'",
	         "expected one line"},
	        {"uris: ['ldap://a'], base: b, bind-dn: c, password: 'file:/p', options: {A: b}",
	         "'A' is no option of sssd"},
	        {"uris: ['ldap://a'], base: b, bind-dn: c, password: 'file:/p', options: {a: \"b\\nc\"}",
	         "'a' is no option of sssd"},
	        {"uris: ['ldap://a'], base: b, bind-dn: c, password: 'file:/p', options: "
	         "{ldap_tls_reqcert: maybe}",
	         "option 'ldap_tls_reqcert': expected never, allow, try, demand or hard"},
	        {"uris: ['ldap://a'], base: b, bind-dn: c, password: 'file:/p', options: "
	         "{id_provider: ad}",
	         "option 'id_provider': expected ldap"},
	        {"uris: ['ldap://a'], base: b, bind-dn: c, password: 'file:/p', options: "
	         "{ldap_default_authtok: p}",
	         "option 'ldap_default_authtok': expected the secret"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_err(claim_of(&kind_directory, arena_printf(arena, "{%s}", rows[i].section),
		                    NULL),
		           ERR_INPUT, rows[i].message);
	assert_ok(claim(", options: {ldap_tls_reqcert: demand}"));
}

static void it_is_set_up_once(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "start ");
	assert_string_equal(
	        get(PLACE),
	        HEAD "id_provider = ldap\nldap_schema = AD\nldap_tls_reqcert = hard\n"
	             "cache_credentials = True\ndefault_shell = /bin/bash\n"
	             "fallback_homedir = /home/%u\nldap_id_mapping = True\nldap_referrals = False\n"
	             "use_fully_qualified_names = False\nldap_uri = ldaps://a,ldap://b:389\n"
	             "ldap_search_base = DC=c,DC=d\nldap_default_bind_dn = cn=r\n"
	             "ldap_default_authtok = p w\n");
	assert_int_equal(stat(at(PLACE), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_uid, 0);
	assert_string_equal(get(NSSWITCH), "passwd: files systemd sss\ngroup:\tfiles sss\n"
	                                   "shadow: files sss\nhosts: files\n");
	assert_string_equal(calls_of("pam-auth-update"), "--package --enable mkhomedir\n");
	assert_int_equal(access(at("machine/usr/lib/hpc-node/ssh-user-key"), F_OK), -1);
	assert_int_equal(probe(), 1);
	assert_false(made->fetched->known);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
	w.active = false;
	assert_int_equal(probe(), 0);
}

/* As sssd's own unit does from 2.10 on. */
static void its_group_may_read_it(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(apply());
	assert_int_equal(chmod(at(PLACE), 0640), 0);
	assert_int_equal(chown(at(PLACE), 0, 64030), 0);
	assert_int_equal(probe(), 1);
	assert_int_equal(chmod(at(PLACE), 0644), 0);
	assert_int_equal(probe(), 0);
	assert_int_equal(chmod(at(PLACE), 0660), 0);
	assert_int_equal(probe(), 0);
	assert_int_equal(chmod(at(PLACE), 0640), 0);
	assert_int_equal(chown(at(PLACE), 64030, 0), 0);
	assert_int_equal(probe(), 0);
}

/* Those of the section are over ours. */
static void options_and_keys(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(
	        claim(", ssh-keys: true, options: {ldap_schema: rfc2307, access_provider: ldap}"));
	assert_ok(apply());
	assert_non_null(strstr(get(PLACE), "\nldap_schema = rfc2307\naccess_provider = ldap\n"
	                                   "ldap_default_authtok = p w\n"));
	assert_null(strstr(get(PLACE), "ldap_schema = AD"));
	assert_string_equal(calls_of("pam-auth-update"),
	                    "--package --enable mkhomedir hpc-node-ssh-keys\n");
	assert_non_null(strstr(get("machine/usr/share/pam-configs/hpc-node-ssh-keys"),
	                       "pam_exec.so quiet /usr/lib/hpc-node/ssh-user-key\n"));
	assert_int_equal(access(at("machine/usr/lib/hpc-node/ssh-user-key"), X_OK), 0);
	assert_int_equal(probe(), 1);
	put("machine/usr/lib/hpc-node/ssh-user-key", "#!/bin/sh\n");
	assert_int_equal(probe(), 0);
}

/* It is stopped before its file changes. */
static void another_password(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(apply());
	password_close(made->fetched);
	put("password", "other");
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "stop start ");
	assert_non_null(strstr(get(PLACE), "ldap_default_authtok = other\n"));
	password_close(made->fetched);
	put("password", "blank ");
	assert_err(apply(), ERR_INPUT,
	           "it begins or ends with a blank, which sssd.conf can't hold");
	assert_int_equal(e.reason, REASON_PASSWORD_INVALID);
	assert_non_null(strstr(get(PLACE), "ldap_default_authtok = other\n"));
}

static void where_authselect_is(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(unlink(at(SESSION)), 0);
	put("machine/etc/pam.d/system-auth", "session required pam_unix.so\n");
	put_program("authselect", arena_printf(arena,
	                                       "echo pam_mkhomedir.so "
	                                       ">>%s/machine/etc/pam.d/system-auth\n",
	                                       top));
	assert_ok(apply());
	assert_string_equal(calls_of("authselect"), "select sssd with-mkhomedir --force\n");
	assert_int_equal(probe(), 1);
	assert_ok(claim(", ssh-keys: true"));
	assert_err(apply(), ERR_INPUT,
	           "ssh-keys: sessions make keys only where pam-auth-update(8)");
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, begin, kind_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD(what_is_refused),       WORLD(it_is_set_up_once), WORLD(options_and_keys),
	        WORLD(its_group_may_read_it), WORLD(another_password),  WORLD(where_authselect_is),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
