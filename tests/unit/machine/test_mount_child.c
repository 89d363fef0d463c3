/* SPDX-License-Identifier: Apache-2.0 */
/* What a child of the mounting looks up: paths, names, servers, whether a file system answers. */
#include "host_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "base/scope.h"
#include "machine/mount_own.h"

#define DEADLINE clock_in_ms(20000)

static const struct mount_look *look(struct host *h, const char *target, const char *source)
{
	static struct mount_look at;
	struct err e = {0};

	memset(&at, 'x', sizeof at);
	assert_ok(mount_look(h, target, source, DEADLINE, &at, &e));
	return &at;
}

static void the_target_is_as_mountinfo_shows_it(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(host_mkdir(f->host, "/a/b", 0755, NULL, &e));
	const struct mount_look *at = look(f->host, "//a/b/", NULL);
	assert_true(at->exists);
	assert_string_equal(at->target, fixture_path(f, "/a/b"));
	assert_string_equal(at->source, "");
	assert_int_equal(at->dev, 0);
	at = look(f->host, "/a/c//d/", NULL);
	assert_false(at->exists);
	assert_string_equal(at->target, fixture_path(f, "/a/c/d"));
	at = look(f->host, "/new", NULL);
	assert_false(at->exists);
	assert_string_equal(at->target, fixture_path(f, "/new"));
	at = look(f->host, "/", NULL);
	assert_true(at->exists);
	assert_string_equal(at->target, f->root);
}

static void the_root_itself_has_one_slash(void **state)
{
	struct host *self;
	struct err e = {0};

	(void)state;
	assert_ok(host_open("/", HOST_LIVE, &self, &e));
	assert_string_equal(look(self, "/", NULL)->target, "/");
	assert_string_equal(look(self, "/no-such-directory/x", NULL)->target,
	                    "/no-such-directory/x");
	assert_false(look(self, "/no-such-directory", NULL)->exists);
	host_close(self);
}

static void a_local_source_is_resolved(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(host_mkdir(f->host, "/real/dir", 0755, NULL, &e));
	assert_ok(host_symlink(f->host, "real", "/link", &e));
	const struct mount_look *at = look(f->host, "/to", "/link/dir/");
	assert_string_equal(at->source, fixture_path(f, "/real/dir"));
	assert_int_equal(at->dev, 0);
	assert_string_equal(look(f->host, "/to", "/link/none")->source,
	                    fixture_path(f, "/real/none"));
	/* Whether the target is there is not whether the source is. */
	assert_false(look(f->host, "/to", "/link")->exists);
	assert_true(look(f->host, "/real", "/nowhere")->exists);
	/* A tag that nothing has, and a name that is none, stay. */
	assert_string_equal(look(f->host, "/to", "LABEL=hpc-none-such")->source,
	                    "LABEL=hpc-none-such");
	assert_string_equal(look(f->host, "/to", "tmpfs")->source, "tmpfs");
}

static void a_device_is_known_by_its_number(void **state)
{
	unit_need_root();
	struct fixture *f = *state;

	assert_int_equal(mknod(fixture_path(f, "/disk"), S_IFBLK | 0600, makedev(7, 99)), 0);
	assert_int_equal(mknod(fixture_path(f, "/tty"), S_IFCHR | 0600, makedev(7, 98)), 0);
	assert_int_equal(look(f->host, "/to", "/disk")->dev, makedev(7, 99));
	assert_int_equal(look(f->host, "/to", "/tty")->dev, 0);
}

static void what_cannot_be_looked_at(void **state)
{
	struct fixture *f = *state;
	static struct mount_look at;
	struct err e = {0};

	fixture_put(f, "/file", "", 0644);
	assert_err(mount_look(f->host, "/file/below", NULL, DEADLINE, &at, &e), ERR_HOST,
	           "looking at the mount point '/file/below': Not a directory");
	assert_int_equal(e.no, ENOTDIR);
	assert_err(mount_look(f->host, "relative", NULL, DEADLINE, &at, &e), ERR_HOST,
	           "Invalid argument");
	assert_int_equal(e.no, EINVAL);
	assert_err(mount_look(f->host, "/to", "/file/below", DEADLINE, &at, &e), ERR_HOST,
	           "Not a directory");
	/* A name may have 255 bytes, a path as many as fit. */
	char *path = arena_alloc(f->arena, HOST_PATH_MAX + 1);
	for (size_t i = 0; i < HOST_PATH_MAX; i++)
		path[i] = i % 200 ? 'n' : '/';
	path[HOST_PATH_MAX - strlen(f->root) - 1] = '\0';
	assert_int_equal(strlen(look(f->host, path, NULL)->target), HOST_PATH_MAX - 1);
	path[HOST_PATH_MAX - strlen(f->root) - 1] = 'n';
	path[HOST_PATH_MAX - strlen(f->root)] = '\0';
	assert_err(mount_look(f->host, path, NULL, DEADLINE, &at, &e), ERR_HOST,
	           "looking at the mount point '/nnn"); /* the rest of the text is cut */
	assert_int_equal(e.no, ENAMETOOLONG);
}

/* Of memory that is shared with a child. */
static size_t shared_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		n += strstr(line, "/dev/zero") != NULL;
	fclose(f);
	return n;
}

static void nothing_stays_shared(void **state)
{
	struct fixture *f = *state;
	struct host_mount m = {"x", fixture_path(f, "/m"), "hpc-no-such-fs", NULL, DEADLINE};
	size_t before = shared_mappings();
	static struct mount_look at;
	struct mount_try done;
	struct host *self;
	struct err e = {0};

	assert_ok(host_open("/", HOST_LIVE, &self, &e));
	for (int i = 0; i < 3; i++) {
		assert_ok(mount_look(self, m.target, NULL, DEADLINE, &at, &e));
		assert_ok(mount_try(self, &m, &at, f->arena, &done, &e));
		assert_int_not_equal(done.status, 0);
	}
	host_close(self);
	assert_int_equal(shared_mappings(), before);
}

static void names_are_asked(void **state)
{
	(void)state;
	assert_int_equal(mount_name_has("localhost", "127.0.0.1", DEADLINE), 1);
	assert_int_equal(mount_name_has("localhost", "127.0.0.2", DEADLINE), 0);
	assert_int_equal(mount_name_has("no-such.invalid", "127.0.0.1", DEADLINE), 0);
}

static bool listens(const char *source, const char *fstype, const char *options, char told[300])
{
	struct host_mount m = {source, "/m", fstype, options, DEADLINE};

	memset(told, 0, 300);
	return mount_server_listens(&m, DEADLINE, told);
}

static void only_servers_of_nfs_are_asked_for(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	scope_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char told[300], options[32];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(options, sizeof options, "rw,port=%d", ntohs(at.sin_port));
	assert_true(listens("127.0.0.1:/x", "nfs", options, told));
	assert_false(listens("[::1]:/x", "nfs4", "port=1", told));
	assert_string_equal(told, "::1 port 1");
	assert_false(listens("no-such.invalid:/x", "nfs", NULL, told));
	assert_string_equal(told, "no-such.invalid port 2049");
	assert_true(listens("127.0.0.1:/x", "lustre", "port=1", told));
	assert_true(listens("nowhere", "nfs", "port=1", told));
}

static void a_file_system_answers_or_says_why_not(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(mount_answers(f->root, DEADLINE, &e));
	assert_err(mount_answers(fixture_path(f, "/none"), DEADLINE, &e), ERR_RETRY,
	           "/none': mounted, but its file system answers: No such file or directory");
	assert_int_equal(e.reason, REASON_MOUNT_HUNG);
	assert_int_equal(e.no, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(the_target_is_as_mountinfo_shows_it),
	        FIXTURE_TEST(the_root_itself_has_one_slash),
	        FIXTURE_TEST(a_local_source_is_resolved),
	        FIXTURE_TEST(a_device_is_known_by_its_number),
	        FIXTURE_TEST(what_cannot_be_looked_at),
	        FIXTURE_TEST(nothing_stays_shared),
	        FIXTURE_TEST(names_are_asked),
	        FIXTURE_TEST(only_servers_of_nfs_are_asked_for),
	        FIXTURE_TEST(a_file_system_answers_or_says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
