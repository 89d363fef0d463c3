/* SPDX-License-Identifier: Apache-2.0 */
/* Bases of rpm packages: which repositories count, what dnf is called with, what is left of its run. */
#include "bases_test.h"

#include "base/log.h"
#include "sandbox/sandbox.h"

static char heard[4096];

static void hear_log(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)ctx, (void)level, (void)fields, (void)n;
	snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s\n", text);
}

#define REPO(id, rest) "[" id "]\nname=x\nbaseurl=http://x\n" rest "\n"
#define CHECKED        "gpgkey=https://x/k"

/* The root is where --installroot says. */
#define FAKE_DNF                                                                                   \
	"for a; do case $a in --installroot=*) root=${a#*=};; esac; done\n"                        \
	"cd $root || exit 9\nmkdir -p var/cache/dnf/x var/lib/dnf var/log\n"                       \
	"touch var/cache/dnf/x/y var/lib/dnf/z var/log/dnf.log var/log/dnf.rpm.log "               \
	"var/log/dnf.librepo.log var/log/hawkey.log var/log/other.log\n"                           \
	"db=usr/lib/sysimage/rpm; mkdir -p $db; touch $db/rpmdb.sqlite-wal $db/rpmdb.sqlite-shm\n"

static int begin(void **state)
{
	machine_set_up(state);
	heard[0] = '\0';
	log_set_sink(hear_log, NULL, LOG_LEVEL_WARNING);
	put_program("rpm", "");
	return 0;
}

static int end(void **state)
{
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	return machine_tear_down(state);
}

/* A directory of repositories of the test's own. */
static void open_repos(void)
{
	(void)mkdir("/etc/yum.repos.d", 0755);
	assert_int_equal(mount("none", "/etc/yum.repos.d", "tmpfs", 0, NULL), 0);
}

static void close_repos(void)
{
	assert_int_equal(umount("/etc/yum.repos.d"), 0);
}

static void put_repo(const char *name, const char *text)
{
	put_etc(arena_printf(arena, "/etc/yum.repos.d/%s", name), text);
}

static void repositories_of_the_distribution_count(void **state)
{
	static const char one[] = REPO("main", CHECKED) REPO("off", "enabled = 0"),
	                  two[] = REPO("more", CHECKED "\nenabled=1");

	(void)state;
	unit_need_root();
	open_repos();
	put_program("dnf", FAKE_DNF);
	put_repo("fedora.repo", one);
	put_repo("Fedora-more.repo", two);
	put_repo("fedora.repo.bak", REPO("bak", ""));
	put_repo("rocky.repo", REPO("rocky", ""));
	load("fedora:41", "packages: [tool=1.2-3, bash]\n");
	assert_true(base_brings_packages(&recipe));
	assert_false(base_locks(&recipe));
	assert_ok(plan_base(NULL));
	assert_string_equal(key.data, arena_printf(arena,
	                                           "distribution fedora:41\npackage bash\n"
	                                           "package tool=1.2-3\nrepositories %s\n"
	                                           "repositories %s\n",
	                                           digest_of(two), digest_of(one)));
	assert_ok(make_base(NULL));
	assert_string_equal(
	        calls_of("dnf"),
	        arena_printf(arena,
	                     "-y --noplugins --setopt=reposdir=/etc/yum.repos.d "
	                     "--setopt=varsdir=/etc/dnf/vars --setopt=gpgcheck=1 "
	                     "--setopt=install_weak_deps=False "
	                     "--setopt=skip_if_unavailable=False --setopt=best=True "
	                     "--setopt=keepcache=False --setopt=module_platform_id=platform:f41 "
	                     "--installroot=%s/new --releasever=41 --repo=more --repo=main install "
	                     "system-release basesystem bash coreutils dnf bash tool-1.2-3\n",
	                     top));
	assert_string_equal(heard, "");
	const struct lock lock = {.file = "r.lock"};
	assert_err(plan_base(&lock), ERR_INPUT,
	           "r.lock: a lock is of Debian's packages, and "
	           "'fedora:41' has others");
	close_repos();
}

static void a_release_may_be_the_latest(void **state)
{
	(void)state;
	unit_need_root();
	open_repos();
	put_program("dnf", "");
	put_repo("amazonlinux.repo", REPO("amazon", CHECKED));
	load("amazonlinux:2023", "");
	assert_ok(plan_base(NULL));
	assert_ok(make_base(NULL));
	assert_has(calls_of("dnf"), "=platform:al2023 ");
	assert_has(calls_of("dnf"), " --releasever=latest --repo=amazon install ");
	close_repos();
}

static void what_checks_no_signature_is_told(void **state)
{
	static const char *const no[] = {"0", "no", "False", "OFF"};

	(void)state;
	unit_need_root();
	open_repos();
	put_program("dnf", "");
	load("rhel:9", "");
	put_repo("redhat.repo", REPO("main", "gpgcheck=1"));
	assert_err(plan_base(NULL), ERR_HOST,
	           "the repository 'main' of /etc/yum.repos.d has no gpgkey=");
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		put_repo("redhat.repo", arena_printf(arena, REPO("main", "gpgcheck = %s"), no[i]));
		assert_ok(plan_base(NULL));
	}
	assert_string_equal(heard, "");
	(void)mkdir(at("new"), 0755);
	assert_ok(make_base(NULL));
	assert_has(heard, "the repository 'main' are taken without a check of their signatures");
	put_repo("redhat.repo", REPO("main", "gpgcheck=0\nenabled=no"));
	assert_err(plan_base(NULL), ERR_HOST,
	           "building 'rhel:9': this machine has no repository "
	           "for it: add its own as /etc/yum.repos.d/redhat.repo");
	/* What stands before the first name says nothing. */
	put_repo("redhat.repo", "gpgcheck=0\n" REPO("main", ""));
	assert_err(plan_base(NULL), ERR_HOST, "has no gpgkey=");
	close_repos();
}

/* With others in the same file, other packages count as the distribution's. */
static void the_keys_are_part_of_the_base(void **state)
{
	static const char repo[] =
	        REPO("main", "gpgkey=file:///etc/yum.repos.d/a-$releasever, "
	                     "https://x/k\n  file:///etc/yum.repos.d/b-$basearch\n"
	                     "  file:///etc/yum.repos.d/c-$other\nenabled=1")
	                REPO("off", "gpgkey=file:///none\nenabled=0");

	(void)state;
	unit_need_root();
	open_repos();
	put_program("dnf", "");
	load("fedora:41", "");
	put_repo("fedora.repo", repo);
	assert_err(plan_base(NULL), ERR_HOST,
	           "the repository 'main' of /etc/yum.repos.d has its keys in files: opening "
	           "'/etc/yum.repos.d/a-41'");
	put_repo("a-41", "one");
	put_repo("b-x86_64", "two");
	assert_ok(plan_base(NULL));
	assert_has(key.data,
	           arena_printf(arena, "keys %s\nkeys %s\n", digest_of("one"), digest_of("two")));
	put_repo("a-41", "another");
	assert_ok(plan_base(NULL));
	assert_has(key.data, arena_printf(arena, "keys %s\n", digest_of("another")));
	close_repos();
}

static void a_run_leaves_what_an_image_has(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	open_repos();
	put_program("dnf",
	            arena_printf(arena,
	                         FAKE_DNF "cat $HOME/.rpmmacros >%s/macros\n"
	                                  "echo \"$SOURCE_DATE_EPOCH $LC_ALL $TZ\" >%s/env\n"
	                                  "test -r proc/self/stat && echo proc\n"
	                                  "echo 'Error in POSTIN scriptlet in rpm package x'\n",
	                         top, top));
	put_repo("fedora.repo", REPO("main", CHECKED));
	load("fedora:41", "");
	assert_ok(plan_base(NULL));
	assert_ok(make_base(NULL));
	assert_string_equal(get("macros"), "%_dbpath /usr/lib/sysimage/rpm\n%_db_backend sqlite\n");
	assert_string_equal(get("env"), BASE_EPOCH_TEXT " C.UTF-8 UTC\n");
	assert_has(get("lines"), "proc\n");
	assert_has(heard, "Error in POSTIN scriptlet in rpm package x\n");
	assert_int_equal(stat(at("new/proc"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(stat(at("new/sys"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(stat(at("new/dev"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	static const char *const gone[] = {"new/var/cache/dnf/x",
	                                   "new/var/lib/dnf/z",
	                                   "new/var/log/dnf.log",
	                                   "new/var/log/dnf.rpm.log",
	                                   "new/var/log/dnf.librepo.log",
	                                   "new/var/log/hawkey.log",
	                                   "new/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
	                                   "new/usr/lib/sysimage/rpm/rpmdb.sqlite-shm"};
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		if (lstat(at(gone[i]), &st) == 0)
			fail_msg("'%s' is there", gone[i]);
	assert_int_equal(access(at("new/var/log/other.log"), F_OK), 0);
	assert_int_equal(access(at("new/var/cache/dnf"), F_OK), 0);
	close_repos();
}

/* A journal with something in it belongs to the database. */
static void a_journal_with_content_stays(void **state)
{
	(void)state;
	unit_need_root();
	open_repos();
	put_program("dnf", FAKE_DNF "echo x >$db/rpmdb.sqlite-wal\n");
	put_repo("fedora.repo", REPO("main", CHECKED));
	load("fedora:41", "");
	assert_ok(plan_base(NULL));
	assert_ok(make_base(NULL));
	assert_int_equal(access(at("new/usr/lib/sysimage/rpm/rpmdb.sqlite-wal"), F_OK), 0);
	assert_int_equal(access(at("new/usr/lib/sysimage/rpm/rpmdb.sqlite-shm"), F_OK), 0);
	close_repos();
}

static void what_dnf_says_is_told(void **state)
{
	static const struct {
		const char *script;
		enum err_kind kind;
		const char *told;
	} rows[] = {
	        {"echo x >&2; echo 'Error: no such package' >&2; echo more >&2; exit 1", ERR_HOST,
	         "installing with dnf: exit status 1: Error: no such package"},
	        {"echo first >&2; echo last >&2; echo >&2; exit 3", ERR_HOST,
	         "exit status 3: last"},
	        {"exit 4", ERR_HOST, "exit status 4: "},
	        {"echo 'Error: GPG check FAILED' >&2; exit 1", ERR_INTEGRITY, "GPG check FAILED"},
	        {"echo 'Package x.rpm is not signed' >&2; exit 1", ERR_INTEGRITY, "is not signed"},
	};

	(void)state;
	unit_need_root();
	open_repos();
	put_repo("fedora.repo", REPO("main", CHECKED));
	load("fedora:41", "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_program("dnf", rows[i].script);
		assert_ok(plan_base(NULL));
		assert_err(make_base(NULL), rows[i].kind, rows[i].told);
		assert_null(strchr(e.text, '\n'));
		assert_ok(tree_remove(AT_FDCWD, at("new"), true, &e));
	}
	close_repos();
}

int main(int argc, char **argv)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(repositories_of_the_distribution_count),
	        T(a_release_may_be_the_latest),
	        T(what_checks_no_signature_is_told),
	        T(a_run_leaves_what_an_image_has),
	        T(the_keys_are_part_of_the_base),
	        T(a_journal_with_content_stays),
	        T(what_dnf_says_is_told),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(base_job);
	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
