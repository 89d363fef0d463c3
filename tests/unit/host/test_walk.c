/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of walk.c and of who uses it: links, directories and names that a user has planted. */
#include "host_test.h"

#include <errno.h>
#include <sched.h>

#include "base/scope.h"
#include "host/walk.h"

#define USER 1500

/* /home/u is a user's; /etc is where it would like to get. */
static void make(struct fixture *f)
{
	struct err e = {0};

	assert_ok(host_mkdir(f->host, "/home/u/own", 0755, NULL, &e));
	assert_ok(host_mkdir(f->host, "/etc/cron.d", 0755, NULL, &e));
	assert_ok(host_mkdir(f->host, "/tmp", 01777, NULL, &e));
	assert_int_equal(chown(fixture_path(f, "/home/u"), USER, USER), 0);
	assert_int_equal(chown(fixture_path(f, "/home/u/own"), USER, USER), 0);
	f->record[0] = '\0';
}

static void plant(struct fixture *f, const char *target, const char *path, uid_t owner)
{
	assert_int_equal(symlink(target, fixture_path(f, path)), 0);
	assert_int_equal(lchown(fixture_path(f, path), owner, owner), 0);
}

static int open_at(struct fixture *f, const char *path, int flags)
{
	int fd = walk_open(host_root_fd(f->host), path, O_PATH | flags);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int fixed_at(struct fixture *f, const char *path)
{
	int fd = walk_open_fixed(host_root_fd(f->host), path, O_PATH);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void links_of_root_are_followed_within_the_root(void **state)
{
	struct fixture *f = *state;

	make(f);
	plant(f, "/etc/cron.d", "/abs", 0);
	plant(f, "etc/../etc/./cron.d", "/rel", 0);
	plant(f, "../../../../etc", "/up", 0);
	plant(f, "abs", "/twice", 0);
	plant(f, "loop", "/loop", 0);
	plant(f, "nowhere", "/dangling", 0);
	fixture_put(f, "/etc/cron.d/x", "1", 0644);
	assert_int_equal(open_at(f, "/abs/x", 0), 0);
	assert_int_equal(open_at(f, "/rel/x", 0), 0);
	assert_int_equal(open_at(f, "/up/cron.d/x", 0), 0);
	assert_int_equal(open_at(f, "/twice/x", 0), 0);
	assert_int_equal(open_at(f, "/twice", O_NOFOLLOW), 0);
	assert_int_equal(open_at(f, "/abs/none", 0), -ENOENT);
	assert_int_equal(open_at(f, "/dangling/x", 0), -ENOENT);
	assert_int_equal(open_at(f, "/loop/x", 0), -ELOOP);
	assert_int_equal(open_at(f, "/", 0), 0);
}

static void a_users_links_are_not(void **state)
{
	struct fixture *f = *state;

	make(f);
	plant(f, "/etc", "/home/u/link", USER);
	plant(f, "/etc", "/home/u/roots", 0); /* moved there, perhaps */
	plant(f, "/etc", "/tmp/link", USER);
	plant(f, "/etc", "/tmp/roots", 0);
	assert_int_equal(open_at(f, "/home/u/own", 0), 0);
	assert_int_equal(open_at(f, "/home/u/link/cron.d", 0), -ELOOP);
	assert_int_equal(open_at(f, "/home/u/roots/cron.d", 0), -ELOOP);
	assert_int_equal(open_at(f, "/home/u/link", 0), -ELOOP);
	assert_int_equal(open_at(f, "/home/u/link", O_NOFOLLOW), 0);
	assert_int_equal(open_at(f, "/tmp/link/cron.d", 0), -ELOOP);
	assert_int_equal(open_at(f, "/tmp/roots/cron.d", 0), 0);
}

static void a_fixed_path_has_no_part_a_user_could_exchange(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	make(f);
	assert_int_equal(fixed_at(f, "/etc/cron.d"), 0);
	assert_int_equal(fixed_at(f, "/home/u"), 0); /* the entry is root's to exchange */
	assert_int_equal(fixed_at(f, "/home/u/own"), -ELOOP);
	assert_ok(host_mkdir(f->host, "/tmp/mine", 0755, NULL, &e));
	assert_int_equal(fixed_at(f, "/tmp/mine"), 0); /* sticky */
	assert_int_equal(chown(fixture_path(f, "/tmp/mine"), USER, USER), 0);
	assert_int_equal(fixed_at(f, "/tmp/mine"), -ELOOP);
	assert_int_equal(chmod(fixture_path(f, "/etc"), 0757), 0);
	assert_int_equal(fixed_at(f, "/etc/cron.d"), -ELOOP);
	assert_int_equal(chmod(fixture_path(f, "/etc"), 0775), 0);
	assert_int_equal(fixed_at(f, "/etc/cron.d"), 0);
	assert_int_equal(chown(fixture_path(f, "/etc"), 0, USER), 0);
	assert_int_equal(fixed_at(f, "/etc/cron.d"), -ELOOP);
}

static void in_a_closed_directory_no_user_makes_a_name(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	make(f);
	assert_ok(host_dir_closed(f->host, "/etc/cron.d", &e));
	assert_ok(host_dir_closed(f->host, "/etc/not/yet/there", &e));
	assert_ok(host_dir_closed(f->host, "/nor/this", &e));
	assert_ok(host_dir_closed(f->host, "/", &e));
	assert_err(host_dir_closed(f->host, "/home/u", &e), ERR_HOST, "using '/home/u'");
	assert_err(host_dir_closed(f->host, "/home/u/not/yet", &e), ERR_HOST, "a user may");
	assert_err(host_dir_closed(f->host, "/tmp", &e), ERR_HOST, "a user may"); /* sticky */
	assert_err(host_dir_closed(f->host, "/tmp/not/yet", &e), ERR_HOST, "a user may");
	assert_int_equal(chmod(fixture_path(f, "/etc/cron.d"), 0757), 0);
	assert_err(host_dir_closed(f->host, "/etc/cron.d", &e), ERR_HOST, "a user may");
}

static void a_users_link_is_not_read_through(void **state)
{
	struct fixture *f = *state;
	struct blob text;
	struct err e = {0};

	make(f);
	fixture_put(f, "/etc/cron.d/secret", "1", 0600);
	plant(f, "/etc/cron.d/secret", "/home/u/file", USER);
	plant(f, "/etc/cron.d", "/home/u/dir", USER);
	plant(f, "cron.d/secret", "/etc/link", 0);
	assert_err(host_read(f->host, "/home/u/file", 100, f->arena, &text, &e), ERR_HOST,
	           "a user may have put a link");
	assert_err(host_read(f->host, "/home/u/dir/secret", 100, f->arena, &text, &e), ERR_HOST,
	           "a user may have put a link");
	assert_ok(host_read(f->host, "/etc/link", 100, f->arena, &text, &e));
	assert_string_equal(text.data, "1");
}

#define SAYS "a user may have put a link on the way"

static void nothing_is_made_behind_a_planted_link(void **state)
{
	struct fixture *f = *state;
	struct host_owner user = {0};
	struct err e = {0};

	make(f);
	fixture_put(f, "/etc/cron.d/kept", "1", 0644);
	plant(f, "/etc/cron.d", "/home/u/dir", USER);
	assert_err(host_write(f->host, "/home/u/dir/job", BLOB("x"), 0644, &user, &e), ERR_HOST,
	           SAYS);
	assert_int_equal(e.reason, REASON_HOST_FILE);
	assert_err(host_mkdir(f->host, "/home/u/dir/more", 0755, &user, &e), ERR_HOST, SAYS);
	assert_err(host_mkdir(f->host, "/home/u/dir/more/still", 0755, &user, &e), ERR_HOST, SAYS);
	assert_err(host_symlink(f->host, "/x", "/home/u/dir/link", &e), ERR_HOST, SAYS);
	assert_err(host_remove(f->host, "/home/u/dir/kept", &e), ERR_HOST, SAYS);
	assert_string_equal(f->record, "");
	assert_string_equal(fixture_get(f, "/etc/cron.d/kept"), "1");
	assert_int_equal(access(fixture_path(f, "/etc/cron.d/job"), F_OK), -1);
	assert_int_equal(access(fixture_path(f, "/etc/cron.d/more"), F_OK), -1);

	/* A link in the place of the file itself is what gets replaced. */
	plant(f, "/etc/cron.d/kept", "/home/u/file", USER);
	assert_ok(host_write(f->host, "/home/u/file", BLOB("new"), 0644, &user, &e));
	assert_string_equal(fixture_get(f, "/etc/cron.d/kept"), "1");
	assert_string_equal(fixture_get(f, "/home/u/file"), "new");
}

/* As the kernel has them: 255 bytes of a name, 4095 of a path, 40 links. */
static void limits_of_names_paths_and_links(void **state)
{
	struct fixture *f = *state;
	char path[4200];

	make(f);
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[256] = '\0';
	assert_int_equal(fixed_at(f, path), -ENOENT);
	path[256] = 'x';
	path[257] = '\0';
	assert_int_equal(fixed_at(f, path), -ENAMETOOLONG);
	for (size_t i = 0; i + 1 < sizeof path; i += 2)
		memcpy(path + i, "/.", 2);
	path[4096] = '\0';
	assert_int_equal(fixed_at(f, path), -ENAMETOOLONG);
	path[4095] = '\0';
	assert_int_equal(fixed_at(f, path), 0);
	for (int i = 1; i <= 41; i++)
		plant(f, i == 1 ? "etc" : arena_printf(f->arena, "l%d", i - 1),
		      arena_printf(f->arena, "/l%d", i), 0);
	assert_int_equal(open_at(f, "/l40", 0), 0);
	assert_int_equal(open_at(f, "/l41", 0), -ELOOP);
}

/* The mode is there from the beginning, whatever the umask; who is killed then leaves it right. */
static void parents_are_made_with_their_mode(void **state)
{
	struct fixture *f = *state;
	mode_t mask = umask(077);
	struct stat st;
	struct err e = {0};

	assert_ok(host_write(f->host, "/a/b/file", BLOB("x"), 0644, NULL, &e));
	assert_int_equal(umask(mask), 077);
	assert_int_equal(stat(fixture_path(f, "/a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(fixture_path(f, "/a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void a_planted_temporary_name_is_no_obstacle(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	make(f);
	assert_int_equal(mkdir(fixture_path(f, "/home/u/.file.hpc-new"), 0755), 0);
	assert_ok(host_write(f->host, "/home/u/file", BLOB("x"), 0644, NULL, &e));
	assert_string_equal(fixture_get(f, "/home/u/file"), "x");
	assert_int_equal(mkdir(fixture_path(f, "/home/u/.link.hpc-new"), 0755), 0);
	assert_ok(host_symlink(f->host, "/x", "/home/u/link", &e));
	assert_int_equal(host_link_is(f->host, "/home/u/link", "/x", &e), 1);
	/* One of a killed run goes. */
	fixture_put(f, "/home/u/.other.hpc-new", "old", 0644);
	assert_ok(host_write(f->host, "/home/u/other", BLOB("y"), 0644, NULL, &e));
	assert_int_equal(access(fixture_path(f, "/home/u/.other.hpc-new"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(links_of_root_are_followed_within_the_root),
	        FIXTURE_TEST(a_users_links_are_not),
	        FIXTURE_TEST(a_fixed_path_has_no_part_a_user_could_exchange),
	        FIXTURE_TEST(in_a_closed_directory_no_user_makes_a_name),
	        FIXTURE_TEST(a_users_link_is_not_read_through),
	        FIXTURE_TEST(nothing_is_made_behind_a_planted_link),
	        FIXTURE_TEST(limits_of_names_paths_and_links),
	        FIXTURE_TEST(parents_are_made_with_their_mode),
	        FIXTURE_TEST(a_planted_temporary_name_is_no_obstacle),
	};

	if (geteuid() != 0)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
