/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real mounts in a mount namespace of this test, where a helper /sbin/mount.hpctest does whatever a
 * helper can do wrong. The helper's source says what: "srv:/denied", "srv:/hang" ...
 */
#include "host_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/scope.h"
#include "machine/mount_own.h"

static struct host *self;

static const char helper[] =
        "#!/bin/sh\n"
        "echo $$ > ${2%/*}/pid; echo \"$*\" > ${2%/*}/args; env >${2%/*}/env\n"
        "case ${1#*:/} in\n"
        "good) exec mount -i -t tmpfs \"$1\" \"$2\" ;;\n"
        "denied) echo 'mount.nfs: access denied by server while mounting '$1 >&2 ;;\n"
        "missing) echo \"mount.nfs: mounting $1 failed, reason given by server: "
        "No such file or directory\" >&2 ;;\n"
        "down) echo 'mount.nfs: Connection refused' >&2 ;;\n"
        "hang) exec sleep 600 ;;\n"
        "stubborn) trap '' TERM; while :; do sleep 1; done ;;\n"
        "noisy) head -c 1048576 /dev/zero | tr '\\0' x >&2\n"
        "   printf '\\nmount.nfs: Connection timed out\\n' >&2 ;;\n"
        "liar) exit 0 ;;\n"
        "mute) exit 1 ;;\n"
        "other) exec mount -i -t tmpfs elsewhere \"$2\" ;;\n"
        "esac\n"
        "exit 32\n";

static int mount_at(struct fixture *f, struct host *h, const char *source, const char *target,
                    const char *fstype, const char *options, struct err *e)
{
	struct host_mount m = {source, fixture_path(f, target), fstype, options,
	                       clock_in_ms(20000)};

	return host_mount(h, &m, f->arena, e);
}

static struct host_mounted mounts_at(struct fixture *f, const char *target)
{
	struct host_mounted there = {0};
	struct mount_table t = {0};
	struct err e = {0};

	assert_ok(mount_table_read(f->arena, &t, &e));
	mount_table_at(&t, fixture_path(f, target), f->arena, &there);
	return there;
}

static size_t mounted(struct fixture *f, const char *target)
{
	return mounts_at(f, target).n;
}

static void record_here(struct fixture *f)
{
	f->record[0] = '\0';
	host_record_to(self, fixture_record, f);
}

static void umount_here(struct fixture *f, const char *target)
{
	assert_int_equal(umount2(fixture_path(f, target), 0), 0);
}

static void a_tmpfs_is_mounted_once(void **state)
{
	struct fixture *f = *state;
	const char *path = fixture_path(f, "/scratch/a");
	struct err e = {0};

	record_here(f);
	umask(077);
	assert_ok(mount_at(f, self, "tmpfs", "/scratch//a/", "tmpfs", "size=1m,mode=1777", &e));
	umask(022);
	assert_ok(mount_at(f, self, "tmpfs", "/scratch/a", "tmpfs", "size=1m,mode=1777", &e));
	assert_string_equal(f->record, arena_printf(f->arena,
	                                            "mkdir %s 0755 root:root\n"
	                                            "mount tmpfs %s tmpfs size=1m,mode=1777\n",
	                                            path, path));
	struct host_mounted there = mounts_at(f, "/scratch/a");
	assert_int_equal(there.n, 1);
	assert_string_equal(there.items[0].source, "tmpfs");
	assert_non_null(strstr(there.items[0].options, "size=1024k"));
	umount_here(f, "/scratch/a");
	assert_int_equal(mounted(f, "/scratch/a"), 0);
}

static void a_bind_mount_is_known_by_where_it_comes_from(void **state)
{
	struct fixture *f = *state;
	const char *from = fixture_path(f, "/from/dir");
	struct err e = {0};

	fixture_put(f, "/from/dir/file", "x", 0644);
	fixture_put(f, "/from/other/file", "y", 0644);
	record_here(f);
	assert_ok(mount_at(f, self, from, "/to", "none", "bind,ro", &e));
	assert_string_equal(fixture_get(f, "/to/file"), "x");
	assert_int_equal(open(fixture_path(f, "/to/file"), O_WRONLY), -1);
	assert_int_equal(errno, EROFS);
	f->record[0] = '\0';
	assert_ok(mount_at(f, self, from, "/to", "bind", NULL, &e));
	assert_string_equal(f->record, "");
	assert_err(mount_at(f, self, fixture_path(f, "/from/other"), "/to", "bind", NULL, &e),
	           ERR_HOST, "is mounted there already");
	assert_int_equal(e.reason, REASON_MOUNT_BUSY);
	umount_here(f, "/to");

	/* Out of a mount: mountinfo then shows the inner file system's path. */
	assert_ok(mount_at(f, self, "tmpfs", "/inner", "tmpfs", NULL, &e));
	assert_int_equal(mkdir(fixture_path(f, "/inner/sub"), 0755), 0);
	assert_ok(mount_at(f, self, fixture_path(f, "/inner/sub"), "/to", "bind", NULL, &e));
	assert_ok(mount_at(f, self, fixture_path(f, "/inner/sub"), "/to", "bind", NULL, &e));
	assert_int_equal(mounted(f, "/to"), 1);
	umount_here(f, "/to");
	umount_here(f, "/inner");
	assert_err(mount_at(f, self, "/none/such", "/to", "bind", NULL, &e), ERR_HOST,
	           "mounting '/none/such'");
}

static void links_in_the_target_are_seen_through(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(mkdir(fixture_path(f, "/real"), 0755), 0);
	assert_int_equal(symlink("real", fixture_path(f, "/link")), 0);
	assert_ok(mount_at(f, self, "tmpfs", "/link/x", "tmpfs", NULL, &e));
	assert_ok(mount_at(f, self, "tmpfs", "/link/x", "tmpfs", NULL, &e));
	assert_int_equal(mounted(f, "/link/x"), 0);
	assert_int_equal(mounted(f, "/real/x"), 1);
	umount_here(f, "/link/x");
}

static void in_an_image_paths_are_the_images(void **state)
{
	struct fixture *f = *state;
	struct host_mount m = {"tmpfs", "/data", "tmpfs", NULL, clock_in_ms(20000)};
	struct err e = {0};

	assert_int_equal(symlink("/srv", fixture_path(f, "/data")), 0);
	assert_int_equal(mkdir(fixture_path(f, "/srv"), 0755), 0);
	assert_ok(host_mount(f->host, &m, f->arena, &e));
	assert_string_equal(f->record, "mount tmpfs /data tmpfs -\n");
	assert_int_equal(mounted(f, "/srv"), 1);
	umount_here(f, "/srv");
	assert_int_equal(mounted(f, "/srv"), 0);
}

static void a_dry_run_only_says_so(void **state)
{
	struct fixture *f = *state;
	struct host_mount m = {"10.0.0.1:/home/", "/home", "nfs4", "nfsvers=4.2",
	                       clock_in_ms(20000)};
	struct err e = {0};

	assert_int_equal(host_mount_holds(f->dry, &m, f->arena, &e), 0);
	assert_ok(host_mount(f->dry, &m, f->arena, &e));
	assert_int_equal(host_mount_holds(f->dry, &m, f->arena, &e), 1);
	m.source = "10.0.0.1:/home";
	assert_ok(host_mount(f->dry, &m, f->arena, &e));
	assert_string_equal(f->record, "mkdir /home 0755 root:root\n"
	                               "mount 10.0.0.1:/home/ /home nfs4 nfsvers=4.2\n");
	assert_true(host_exists(f->dry, "/home"));
	m.source = "10.0.0.2:/home";
	assert_err(host_mount(f->dry, &m, f->arena, &e), ERR_HOST,
	           "'10.0.0.1:/home/' (nfs4) is mounted there already");
	assert_int_equal(host_mount_holds(f->dry, &m, f->arena, &e), 0);
	assert_int_equal(access(fixture_path(f, "/home"), F_OK), -1);
}

static void the_helper_mounts(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	record_here(f);
	setenv("LANG", "de_DE.UTF-8", 1);
	assert_ok(mount_at(f, self, "srv:/good", "/m", "hpctest", "vers=4.2", &e));
	unsetenv("LANG");
	assert_non_null(strstr(fixture_get(f, "/args"), "srv:/good"));
	assert_non_null(strstr(fixture_get(f, "/args"), "vers=4.2"));
	f->record[0] = '\0';
	assert_ok(mount_at(f, self, "SRV:/good/", "/m", "hpctest", "vers=4.2", &e));
	assert_string_equal(f->record, "");
	assert_err(mount_at(f, self, "srv:/else", "/m", "hpctest", NULL, &e), ERR_HOST,
	           "'srv:/good' (tmpfs) is mounted there already");
	assert_int_equal(e.reason, REASON_MOUNT_BUSY);
	/* Its words are English, whatever speaks here. */
	assert_non_null(strstr(fixture_get(f, "/env"), "LC_ALL=C\n"));
	assert_non_null(strstr(fixture_get(f, "/env"), "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
	assert_null(strstr(fixture_get(f, "/env"), "LANG="));
	umount_here(f, "/m");
}

static void it_holds_or_it_does_not(void **state)
{
	struct fixture *f = *state;
	struct host_mount m = {"tmpfs", fixture_path(f, "/m"), "tmpfs", NULL, clock_in_ms(20000)};
	struct err e = {0};

	assert_int_equal(host_mount_holds(self, &m, f->arena, &e), 0);
	assert_ok(host_mount(self, &m, f->arena, &e));
	assert_int_equal(host_mount_holds(self, &m, f->arena, &e), 1);
	m.fstype = "ramfs";
	assert_int_equal(host_mount_holds(self, &m, f->arena, &e), 0);
	m.deadline = 0;
	assert_err(host_mount_holds(self, &m, f->arena, &e), ERR_BUG, "no deadline");
	assert_int_equal(e.reason, REASON_BUG);
	assert_err(host_mount(self, &m, f->arena, &e), ERR_BUG, "no deadline");
	umount_here(f, "/m");
}

/* As an administrator may have mounted it: by a name, whose address is asked for. */
static void a_name_is_another_word_for_its_address(void **state)
{
	static const struct {
		const char *addr;
		int holds;
	} rows[] = {{"127.0.0.1", 1}, {"127.0.0.2", 0}};
	struct fixture *f = *state;
	struct host_mounted_fs fs = {.fstype = "nfs4", .source = "127.0.0.1:/x", .root = "/"};
	struct host_mount m = {"localhost:/x", "/m", "nfs4", NULL, clock_in_ms(20000)};
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fs.options = arena_printf(f->arena, "rw,addr=%s", rows[i].addr);
		host_assume(f->dry, "mount:%s", fixture_path(f, "/m"))->fs = &fs;
		assert_int_equal(host_mount_holds(f->dry, &m, f->arena, &e), rows[i].holds);
	}
}

static void the_helpers_words_say_what_it_is(void **state)
{
	static const struct {
		const char *source;
		enum err_kind kind;
		enum reason reason;
		const char *words;
	} cases[] = {
	        {"srv:/denied", ERR_DENIED, REASON_MOUNT_REFUSED,
	         ": mount.nfs: access denied by server while mounting srv:/denied"},
	        {"srv:/missing", ERR_ABSENT, REASON_MOUNT_NO_EXPORT, "No such file or directory"},
	        {"srv:/down", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, "Connection refused"},
	        {"srv:/noisy", ERR_RETRY, REASON_MOUNT_SERVER_DOWN,
	         ": mount.nfs: Connection timed out"},
	        {"srv:/mute", ERR_HOST, REASON_MOUNT_HELPER, "ended with status 1 and no word"},
	        {"srv:/liar", ERR_RETRY, REASON_MOUNT_NOT_SEEN, "nothing is mounted there"},
	};
	struct fixture *f = *state;
	struct err e = {0};

	record_here(f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_err(mount_at(f, self, cases[i].source, "/m", "hpctest", NULL, &e),
		           cases[i].kind, cases[i].words);
		assert_int_equal(e.reason, cases[i].reason);
	}
	assert_string_equal(f->record, "");
	assert_err(mount_at(f, self, "srv:/other", "/m", "hpctest", NULL, &e), ERR_RETRY,
	           "something else is mounted there");
	umount_here(f, "/m");
}

static bool is_dead(int pid)
{
	char path[64], text[256] = "";

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	scope_fd int fd = open(path, O_RDONLY);
	return fd < 0 || read(fd, text, sizeof text - 1) <= 0 || strstr(text, ") Z") != NULL;
}

static void what_hangs_is_ended(void **state)
{
	static const char *const sources[] = {"srv:/hang", "srv:/stubborn"};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		struct host_mount m = {sources[i], fixture_path(f, "/m"), "hpctest", NULL,
		                       clock_in_ms(400)};

		assert_err(host_mount(self, &m, f->arena, &e), ERR_RETRY, "did not return");
		assert_int_equal(e.reason, REASON_MOUNT_HUNG);
		assert_int_equal(e.no, ETIMEDOUT);
		assert_true(is_dead((int)strtol(fixture_get(f, "/pid"), NULL, 10)));
	}
	assert_int_equal(mounted(f, "/m"), 0);
}

static void what_this_machine_cannot_do_is_named(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_err(mount_at(f, self, "x", "/m", "nosuchfs", NULL, &e), ERR_HOST, "nosuchfs");
	assert_int_equal(e.reason, REASON_MOUNT_UNSUPPORTED);
	assert_err(mount_at(f, self, "10.0.0.1@tcp:/fsx", "/m", "lustre", NULL, &e), ERR_HOST,
	           "mount.lustre is not installed (package lustre-client)");
	assert_int_equal(e.reason, REASON_MOUNT_UNSUPPORTED);
	assert_err(mount_at(f, self, "tmpfs", "/m", "tmpfs", "no-such-option=1", &e), ERR_HOST,
	           "mounting 'tmpfs'");
	assert_int_equal(e.reason, REASON_MOUNT_UNSUPPORTED);
	fixture_put(f, "/file", "", 0644);
	assert_err(mount_at(f, self, "tmpfs", "/file/below", "tmpfs", NULL, &e), ERR_HOST,
	           "Not a directory");
}

static void retry_is_ours_for_nfs(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	/* The stand-in for mount.nfs4 is the same script. */
	assert_err(mount_at(f, self, "srv:/down", "/m", "nfs4", "nfsvers=4.2", &e), ERR_RETRY,
	           "Connection refused");
	assert_non_null(strstr(fixture_get(f, "/args"), "nfsvers=4.2,retry=0"));
	assert_err(mount_at(f, self, "srv:/down", "/m", "nfs4", "retry=1", &e), ERR_RETRY,
	           "Connection refused");
	assert_null(strstr(fixture_get(f, "/args"), "retry=0"));
	assert_err(mount_at(f, self, "srv:/down", "/m", "nfs4", NULL, &e), ERR_RETRY,
	           "Connection refused");
	assert_non_null(strstr(fixture_get(f, "/args"), "retry=0"));
	assert_err(mount_at(f, self, "srv:/down", "/m", "hpctest", NULL, &e), ERR_RETRY,
	           "Connection refused");
	assert_null(strstr(fixture_get(f, "/args"), "retry=0"));
}

static void a_silent_server_is_not_a_stuck_one(void **state)
{
	struct fixture *f = *state;
	struct host_mount m = {"127.0.0.1:/hang", fixture_path(f, "/m"), "nfs4", "port=1",
	                       clock_in_ms(300)};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	scope_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char options[32];
	struct err e = {0};

	assert_err(host_mount(self, &m, f->arena, &e), ERR_RETRY,
	           "127.0.0.1 port 1 does not take connections");
	assert_int_equal(e.reason, REASON_MOUNT_SERVER_DOWN);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(options, sizeof options, "port=%d", ntohs(at.sin_port));
	m.options = options;
	m.deadline = clock_in_ms(300);
	assert_err(host_mount(self, &m, f->arena, &e), ERR_RETRY, "did not return");
	assert_int_equal(e.reason, REASON_MOUNT_HUNG);
}

static void put_helper(const char *dir, const char *name)
{
	char path[128];
	scope_fd int fd = -1;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(file_write_all(fd, helper, sizeof helper - 1), 0);
	assert_int_equal(fchmod(fd, 0755), 0);
}

/* The helpers laid over /usr/sbin, in this test's namespace only. */
static int lay_helpers(void **state)
{
	static char dir[] = "/tmp/hpc-mount-XXXXXX";
	char options[128];

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_non_null(mkdtemp(dir));
	put_helper(dir, "mount.hpctest");
	put_helper(dir, "mount.nfs4");
	snprintf(options, sizeof options, "lowerdir=%s:/usr/sbin", dir);
	assert_int_equal(mount("overlay", "/usr/sbin", "overlay", 0, options), 0);
	*state = dir;

	struct err e = {0};
	assert_ok(host_open("/", HOST_LIVE, &self, &e));
	return 0;
}

static int take_helpers(void **state)
{
	const char *dir = *state;
	char path[128];

	host_close(self);
	umount2("/usr/sbin", MNT_DETACH);
	snprintf(path, sizeof path, "%s/mount.hpctest", dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/mount.nfs4", dir);
	unlink(path);
	return rmdir(dir);
}

#define SAYS "a user may have put a link on the way"

static void users(struct fixture *f, const char *path)
{
	assert_int_equal(lchown(fixture_path(f, path), 1500, 1500), 0);
}

/* tests/unit/host/test_walk.c has the rule; here it is that mounting keeps to it. */
static void nothing_is_mounted_behind_a_users_link(void **state)
{
	struct fixture *f = *state;
	struct host_mount m = {"none", "/home/u/dir", "tmpfs", NULL, clock_in_ms(20000)};
	struct err e = {0};

	assert_ok(host_mkdir(f->host, "/home/u/own", 0755, NULL, &e));
	assert_ok(host_mkdir(f->host, "/etc/cron.d", 0755, NULL, &e));
	assert_int_equal(symlink("/etc/cron.d", fixture_path(f, "/home/u/dir")), 0);
	users(f, "/home/u");
	users(f, "/home/u/own");
	users(f, "/home/u/dir");
	f->record[0] = '\0';
	assert_err(host_mount(f->host, &m, f->arena, &e), ERR_HOST, SAYS);
	m.target = "/home/u/own";
	assert_err(host_mount(f->host, &m, f->arena, &e), ERR_HOST, SAYS);
	m.target = "/home/u/new";
	assert_err(host_mount(f->host, &m, f->arena, &e), ERR_HOST, "levels of symbolic links");
	m.target = "/home/u/own/new";
	assert_err(host_mount(f->host, &m, f->arena, &e), ERR_HOST, SAYS);
	assert_string_equal(f->record, "");
}

static int close_fixture(void **state)
{
	host_record_to(self, NULL, NULL);
	return fixture_close(state);
}
#define MOUNT_TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_open, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        MOUNT_TEST(a_tmpfs_is_mounted_once),
	        MOUNT_TEST(a_bind_mount_is_known_by_where_it_comes_from),
	        MOUNT_TEST(links_in_the_target_are_seen_through),
	        MOUNT_TEST(in_an_image_paths_are_the_images),
	        MOUNT_TEST(a_dry_run_only_says_so),
	        MOUNT_TEST(the_helper_mounts),
	        MOUNT_TEST(it_holds_or_it_does_not),
	        MOUNT_TEST(a_name_is_another_word_for_its_address),
	        MOUNT_TEST(the_helpers_words_say_what_it_is),
	        MOUNT_TEST(what_hangs_is_ended),
	        MOUNT_TEST(what_this_machine_cannot_do_is_named),
	        MOUNT_TEST(retry_is_ours_for_nfs),
	        MOUNT_TEST(a_silent_server_is_not_a_stuck_one),
	        MOUNT_TEST(nothing_is_mounted_behind_a_users_link),
	};

	return cmocka_run_group_tests(tests, lay_helpers, take_helpers);
}
