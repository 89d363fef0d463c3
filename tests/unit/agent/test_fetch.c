/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: where an object goes to, and what stays as it was after a failure. */
#include "agent_run.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* hello */

static const char *from(void)
{
	put("object", "hello");
	return arena_printf(arena, "file:%s", at("object"));
}

static void to_standard_output(void **state)
{
	(void)state;
	AGENT("fetch", from());
	assert_status(0);
	assert_string_equal(ran.out, "hello");
	AGENT("fetch", at("object"), "--sha256", HELLO_SHA256); /* a path is a file: URI */
	assert_status(0);
	assert_string_equal(ran.out, "hello");
	ran.failing_output = true;
	AGENT("fetch", at("object"));
	ran.failing_output = false;
	assert_status(1);
	assert_says(ran.err, "writing to standard output: No space left on device");
}

static void what_is_wrong_has_its_status(void **state)
{
	(void)state;
	AGENT("fetch", from(), "--sha256", EMPTY_SHA256);
	assert_status(5);
	assert_string_equal(ran.out, "");
	AGENT("fetch", from(), "--sha256", "abc");
	assert_status(2);
	assert_says(ran.err, "--sha256: 'abc': expected 64 hex digits");
	AGENT("fetch", at("missing"));
	assert_status(1);
	assert_says(ran.err, "missing'");
	AGENT("fetch", "ftp://x/y");
	assert_status(3);
	assert_says(ran.err, "ftp://x/y");
}

static void to_a_file_that_is_replaced_in_one_step(void **state)
{
	struct stat before, after;

	(void)state;
	put("to", "old");
	assert_int_equal(stat(at("to"), &before), 0);
	AGENT("fetch", from(), "-o", at("to"), "--sha256", EMPTY_SHA256);
	assert_status(5);
	assert_string_equal(get("to"), "old");
	AGENT("fetch", from(), "-o", at("to"));
	assert_status(0);
	assert_string_equal(ran.out, "");
	assert_string_equal(get("to"), "hello");
	assert_int_equal(stat(at("to"), &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0644);
	assert_int_equal(after.st_uid, geteuid());
	assert_int_equal(after.st_gid, getegid());
	AGENT("fetch", from(), "-o", at("new"));
	assert_string_equal(get("new"), "hello");
	AGENT("fetch", from(), "-o", at("no/such/directory"));
	assert_status(1);
	assert_says(ran.err, "No such file or directory");
}

static void a_link_stays_and_its_target_is_written(void **state)
{
	struct stat st;

	(void)state;
	put("target", "old");
	assert_int_equal(symlink("target", at("link")), 0);
	AGENT("fetch", from(), "-o", at("link"));
	assert_status(0);
	assert_string_equal(get("target"), "hello");
	assert_int_equal(lstat(at("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(symlink("nowhere", at("dangling")), 0);
	AGENT("fetch", from(), "-o", at("dangling"));
	assert_status(1);
	assert_says(ran.err, "following '");
}

/* Others could aim root's write at any file, or read what is secret from their pipe. */
static void what_others_planted_is_refused(void **state)
{
	(void)state;
	unit_need_root();
	put("target", "old");
	assert_int_equal(symlink("target", at("planted")), 0);
	assert_int_equal(lchown(at("planted"), 1500, 1500), 0);
	assert_int_equal(symlink("planted", at("ours")), 0);
	assert_int_equal(mkfifo(at("pipe"), 0666), 0);
	assert_int_equal(lchown(at("pipe"), 1500, 1500), 0);
	static const char *const names[] = {"planted", "ours", "pipe"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AGENT("fetch", from(), "-o", at(names[i]), "--deadline", "20s");
		assert_status(1);
		assert_says(ran.err, i < 2 ? "/planted': it is a link of user 1500"
		                           : "/pipe': it is a pipe or socket of user 1500");
	}
	assert_string_equal(get("target"), "old");
}

static void links_end(void **state)
{
	(void)state;
	put("target", "old");
	assert_int_equal(mkdir(at("d"), 0700), 0);
	assert_int_equal(symlink("../target", at("d/one")), 0);
	assert_int_equal(symlink(at("d/one"), at("two")), 0);
	AGENT("fetch", from(), "-o", at("two"));
	assert_status(0);
	assert_string_equal(get("target"), "hello");
	assert_int_equal(symlink("circle", at("circle")), 0);
	AGENT("fetch", from(), "-o", at("circle"));
	assert_status(1);
	assert_says(ran.err, "following '");
}

/* Nobody can open a socket by its name, however long one waits. */
static void a_socket_is_no_place(void **state)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	scope_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(strlen(at("sock")) < sizeof sa.sun_path);
	memcpy(sa.sun_path, at("sock"), strlen(at("sock")));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	AGENT("fetch", from(), "-o", at("sock"), "--deadline", "20s");
	assert_status(1);
	assert_says(ran.err, "opening '");
}

static void a_directory_is_no_place(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("d"), 0700), 0);
	AGENT("fetch", from(), "-o", at("d"));
	assert_status(1);
	assert_says(ran.err, "writing '");
	assert_says(ran.err, "Is a directory");
}

/* A node of the test's own: a fault here would cost the machine its. */
static void a_device_is_written_to_and_never_replaced(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	assert_int_equal(mknod(at("full"), S_IFCHR | 0666, makedev(1, 7)), 0);
	AGENT("fetch", from(), "-o", at("full"));
	assert_status(1);
	assert_says(ran.err, "/full': No space left on device");
	assert_int_equal(stat(at("full"), &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void a_pipe_gets_its_bytes_when_somebody_reads(void **state)
{
	char text[16] = "";

	(void)state;
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	pid_t pid = agent_start((const char *[]){"hpc-agent", "fetch", from(), "-o", at("pipe"),
	                                         "--deadline", "60s", NULL});
	int fd = open(at("pipe"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t n = read(fd, text, sizeof text);
	close(fd);
	agent_end(pid);
	assert_status(0);
	assert_int_equal(n, 5);
	assert_string_equal(text, "hello");
}

static void a_pipe_without_a_reader_ends_at_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	AGENT("fetch", from(), "-o", at("pipe"), "--deadline", "300ms");
	assert_status(7);
	assert_says(ran.err, "nobody reads from it");
}

static void a_pipe_that_stays_full_ends_at_the_deadline(void **state)
{
	char *much = arena_alloc(arena, 300001);

	(void)state;
	memset(much, 'x', 300000);
	put("much", much);
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	int fd = open(at("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	AGENT("fetch", at("much"), "-o", at("pipe"), "--deadline", "300ms");
	assert_status(7);
	assert_says(ran.err, "its reader does not go on");
	close(fd);
}

/* Piece by piece, as the reader makes room. */
static void a_pipe_takes_more_than_it_holds(void **state)
{
	char *much = arena_alloc(arena, 300001), *got = arena_alloc(arena, 300001);
	size_t len = 0;
	ssize_t n;

	(void)state;
	for (size_t i = 0; i < 300000; i++)
		much[i] = (char)('a' + i % 23);
	put("much", much);
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	pid_t pid = agent_start((const char *[]){"hpc-agent", "fetch", at("much"), "-o", at("pipe"),
	                                         "--deadline", "60s", NULL});
	int fd = open(at("pipe"), O_RDONLY | O_CLOEXEC);
	while ((n = read(fd, got + len, 300000 - len)) > 0)
		len += (size_t)n;
	close(fd);
	agent_end(pid);
	assert_status(0);
	assert_int_equal(len, 300000);
	assert_memory_equal(got, much, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(to_standard_output),
	        SCRATCH_TEST(what_is_wrong_has_its_status),
	        SCRATCH_TEST(to_a_file_that_is_replaced_in_one_step),
	        SCRATCH_TEST(a_link_stays_and_its_target_is_written),
	        SCRATCH_TEST(what_others_planted_is_refused),
	        SCRATCH_TEST(links_end),
	        SCRATCH_TEST(a_socket_is_no_place),
	        SCRATCH_TEST(a_directory_is_no_place),
	        SCRATCH_TEST(a_device_is_written_to_and_never_replaced),
	        SCRATCH_TEST(a_pipe_gets_its_bytes_when_somebody_reads),
	        SCRATCH_TEST(a_pipe_without_a_reader_ends_at_the_deadline),
	        SCRATCH_TEST(a_pipe_that_stays_full_ends_at_the_deadline),
	        SCRATCH_TEST(a_pipe_takes_more_than_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
