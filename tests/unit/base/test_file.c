/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/file. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope.h"
#include "unit.h"

static char dir[] = "/tmp/test-file-XXXXXX";
static int dirfd_;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(dirfd_);
	return 0;
}

/* With this a call writes what a busy socket or a file system under quota may: a part. */
static bool in_pieces;

ssize_t write(int fd, const void *data, size_t len)
{
	return syscall(SYS_write, fd, data, in_pieces && len > 3 ? 3 : len);
}

static const struct file_attr plain = {.mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1};

static void check_content(const char *name, const char *want)
{
	scope_arena struct arena *a = arena_new();
	struct blob b;
	struct err e;

	assert_ok(file_read(dirfd_, name, 100, a, &b, &e));
	assert_true(blob_eq(b, want));
}

static void replaces(void **state)
{
	struct stat st;
	struct err e;
	(void)state;
	assert_ok(file_replace(dirfd_, "old", "one", 3, &plain, &e));
	assert_ok(file_replace(dirfd_, "old", "second", 6, &plain, &e));
	check_content("old", "second");
	assert_int_equal(fstatat(dirfd_, "old", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void discard_leaves_nothing(void **state)
{
	struct file_new f;
	struct err e;
	(void)state;
	assert_ok(file_new_open(&f, dirfd_, "fresh", &e));
	assert_ok(file_new_write(&f, "half", 4, &e));
	file_new_close(&f);
	assert_int_equal(faccessat(dirfd_, "fresh", F_OK, 0), -1);
	assert_int_equal(f.fd, -1);
}

/* A writer killed in the middle leaves the old file and no other name. */
static void killed_writer(void **state)
{
	struct err e;
	int status;
	(void)state;
	assert_ok(file_replace(dirfd_, "killed", "old", 3, &plain, &e));
	pid_t pid = fork();
	if (pid == 0) {
		struct file_new f;

		if (file_new_open(&f, dirfd_, "killed", &e) == 0 &&
		    file_new_write(&f, "new", 3, &e) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	check_content("killed", "old");
}

static void stays_inside_root(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob b;
	struct err e;
	(void)state;
	assert_int_equal(symlinkat("/etc/passwd", dirfd_, "link"), 0);
	assert_true(file_read(dirfd_, "link", 100000, a, &b, &e) < 0); /* <root>/etc/passwd */
	assert_true(file_read(dirfd_, "../../etc/passwd", 100000, a, &b, &e) < 0);
	/* Replacing a symlink replaces the link, not what it points to. */
	assert_ok(file_replace(dirfd_, "link", "mine", 4, &plain, &e));
	check_content("link", "mine");
}

static void digests(void **state)
{
	char hex[SHA256_HEX] = "untouched";
	struct err e;
	(void)state;
	assert_ok(file_replace(dirfd_, "up", "abc", 3, &plain, &e));
	assert_ok(file_sha256(dirfd_, "up", hex, &e));
	assert_string_equal(hex,
	                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	memset(hex, 'x', sizeof hex);
	assert_err(file_sha256(dirfd_, "none", hex, &e), ERR_HOST, "opening 'none': No such file");
	assert_err(file_sha256(dirfd_, ".", hex, &e), ERR_HOST, "reading '.': Is a directory");
	assert_int_equal(hex[0], 'x');
}

/* Larger than what is read at once, and read to its last byte. */
static void digests_in_pieces(void **state)
{
	size_t len = (512UL << 10) + 1;
	scope_mem char *big = calloc(1, len);
	char hex[SHA256_HEX], want[SHA256_HEX];
	struct err e;
	(void)state;
	big[len - 1] = 'x';
	digest_hex(big, len, want);
	assert_ok(file_replace(dirfd_, "up", big, len, &plain, &e));
	assert_ok(file_sha256(dirfd_, "up", hex, &e));
	assert_string_equal(hex, want);
}

static void opens(void **state)
{
	int fd = file_open(dirfd_, "fresh", O_CREAT | O_EXCL | O_WRONLY, 0640);
	struct stat st;
	(void)state;
	assert_true(fd > 2);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_write_all(fd, "abc", 3), 0);
	close(fd);
	check_content("fresh", "abc");
	assert_int_equal(file_open(dirfd_, "fresh", O_CREAT | O_EXCL | O_WRONLY, 0640), -EEXIST);
	assert_int_equal(file_open(dirfd_, "none", O_RDONLY, 0), -ENOENT);
	assert_int_equal(file_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(file_write_all(-1, "x", 0), 0);
	assert_int_equal(unlinkat(dirfd_, "fresh", 0), 0);
}

/* The content is what is committed; the place may be taken meanwhile. */
static void commits(void **state)
{
	struct file_new f;
	struct stat st;
	struct err e;
	(void)state;
	assert_ok(file_new_open(&f, dirfd_, "fresh", &e));
	assert_ok(file_new_write(&f, "one, ", 5, &e));
	assert_ok(file_new_write(&f, "two", 3, &e));
	assert_ok(file_replace(dirfd_, "fresh", "other", 5, &plain, &e));
	const struct file_attr attr = {.mode = 0604, .uid = getuid(), .gid = getgid()};
	assert_ok(file_new_commit(&f, &attr, &e));
	assert_int_equal(f.fd, -1);
	check_content("fresh", "one, two");
	assert_int_equal(fstatat(dirfd_, "fresh", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	file_new_close(&f);
	assert_int_equal(unlinkat(dirfd_, "fresh", 0), 0);
	/* A directory can't be replaced: nothing is left beside it. */
	assert_int_equal(mkdirat(dirfd_, "fresh", 0700), 0);
	assert_err(file_replace(dirfd_, "fresh", "x", 1, &plain, &e), ERR_HOST,
	           "writing 'fresh': ");
	assert_int_equal(unlinkat(dirfd_, "fresh", AT_REMOVEDIR), 0);
}

static void removes(void **state)
{
	struct err e;
	(void)state;
	assert_ok(file_replace(dirfd_, "up", "x", 1, &plain, &e));
	assert_int_equal(symlinkat("up", dirfd_, "link"), -1); /* replaced by the test before */
	assert_ok(file_remove(dirfd_, "link", &e));
	assert_int_equal(symlinkat("up", dirfd_, "link"), 0);
	assert_ok(file_remove(dirfd_, "link", &e));
	check_content("up", "x");
	/* An absolute path is below the directory. */
	assert_ok(file_remove(dirfd_, "/up", &e));
	assert_int_equal(faccessat(dirfd_, "up", F_OK, 0), -1);
	assert_ok(file_remove(dirfd_, "up", &e));
	assert_ok(file_remove(dirfd_, "none/x", &e));
	assert_err(file_remove(dirfd_, "..", &e), ERR_INPUT, "removing '..': not a usable");
	assert_int_equal(mkdirat(dirfd_, "sub", 0700), 0);
	assert_err(file_remove(dirfd_, "sub", &e), ERR_HOST, "removing 'sub': Is a directory");
	assert_int_equal(unlinkat(dirfd_, "sub", AT_REMOVEDIR), 0);
	assert_ok(file_replace(dirfd_, "old", "x", 1, &plain, &e));
	assert_err(file_remove(dirfd_, "old/x", &e), ERR_HOST, "opening its directory");
}

static void refuses(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob b;
	struct err e;
	(void)state;
	assert_ok(file_replace(dirfd_, "up", "0123456789", 10, &plain, &e));
	assert_ok(file_read(dirfd_, "up", 10, a, &b, &e));
	assert_err(file_read(dirfd_, "up", 9, a, &b, &e), ERR_INPUT, "larger than 9 bytes");
	assert_err(file_read(dirfd_, ".", 9, a, &b, &e), ERR_INPUT, "not a regular file");
	assert_err(file_replace(dirfd_, "none/x", "", 0, &plain, &e), ERR_HOST, "No such file");
	assert_err(file_replace(dirfd_, "..", "", 0, &plain, &e), ERR_INPUT, "not a usable");
}

/* What a killed run left under the name in between is in nobody's way, and goes; what isn't its own
 * stays. */
static void leftovers(void **state)
{
	struct err e;

	(void)state;
	assert_ok(file_replace(dirfd_, ".up.hpc-new", "left", 4, &plain, &e));
	assert_ok(file_replace(dirfd_, "up", "new", 3, &plain, &e));
	check_content("up", "new");
	assert_int_equal(faccessat(dirfd_, ".up.hpc-new", F_OK, 0), -1);
	assert_int_equal(mkdirat(dirfd_, ".up.hpc-new", 0700), 0);
	assert_ok(file_replace(dirfd_, "up", "newer", 5, &plain, &e));
	check_content("up", "newer");
	assert_int_equal(unlinkat(dirfd_, ".up.hpc-new", AT_REMOVEDIR), 0);
}

/* A name of 255 bytes is one, though what it is called in between would be longer. */
static void long_names(void **state)
{
	char name[257], path[5000];
	struct err e;

	(void)state;
	memset(name, 'n', sizeof name);
	name[256] = '\0';
	assert_err(file_replace(dirfd_, name, "x", 1, &plain, &e), ERR_INPUT,
	           "not a usable file name");
	assert_int_equal(e.no, ENAMETOOLONG);
	assert_ok(file_replace(dirfd_, name + 1, "x", 1, &plain, &e));
	check_content(name + 1, "x");
	assert_ok(file_remove(dirfd_, name + 1, &e));
	memset(path, 'p', sizeof path);
	memcpy(path + 4095, "/x", 3);
	assert_err(file_replace(dirfd_, path, "x", 1, &plain, &e), ERR_INPUT, "writing 'ppp");
	assert_err(file_remove(dirfd_, path, &e), ERR_INPUT, "removing 'ppp");
	memcpy(path + 4094, "/x", 3);
	assert_err(file_replace(dirfd_, path, "x", 1, &plain, &e), ERR_HOST, "writing 'ppp");
	/* A trailing slash names nothing. */
	assert_err(file_replace(dirfd_, "up/", "x", 1, &plain, &e), ERR_INPUT, "not a usable");
	assert_err(file_replace(dirfd_, ".", "x", 1, &plain, &e), ERR_INPUT, "not a usable");
}

/* What a user named and can't be read is his to mend. */
static void inputs(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob b;
	struct err e;

	(void)state;
	assert_err(file_read_input("/nonexistent/x", 10, a, &b, &e), ERR_INPUT,
	           "opening '/nonexistent/x': No such file");
	assert_int_equal(e.no, ENOENT);
	assert_err(file_read_input("/", 10, a, &b, &e), ERR_INPUT, "not a regular file");
	assert_err(file_read_open(-1, "it", 10, a, &b, &e), ERR_HOST, "reading 'it': Bad file");
}

/* A test, since cmocka passes a group whose teardown fails. */
static void nothing_was_left_behind(void **state)
{
	static const char *const names[] = {"old", "link", "fresh", "secret", "up", "killed"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlinkat(dirfd_, names[i], 0);
	assert_int_equal(rmdir(dir), 0);
}

/* A mapping that may be written holds its pages, as a copy does that has not quite ended. */
static void a_seal_waits_for_who_holds_the_pages(void **state)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING), go[2];

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(pipe(go), 0);
	pid_t holder = fork();
	if (holder == 0) {
		char told;

		if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED ||
		    write(go[1], "", 1) != 1)
			_exit(1);
		usleep(50000);
		_exit(read(go[0], &told, 0) < 0);
	}
	char told;
	assert_int_equal(read(go[0], &told, 1), 1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(file_seal(fd), 0);
	assert_int_equal(fcntl(fd, F_GET_SEALS), seals);
	waitpid(holder, NULL, 0);
	close(fd);
	fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, 4096), 0);
	void *mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_int_equal(file_seal(fd), -EBUSY);
	munmap(mine, 4096);
	close(fd);
	fd = memfd_create("x", MFD_CLOEXEC);
	assert_int_equal(file_seal(fd), -EPERM);
	close(fd);
	close(go[0]);
	close(go[1]);
}

static void writes_in_pieces(void **state)
{
	int fd = openat(dirfd_, "pieces", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	in_pieces = true;
	int r = file_write_all(fd, "0123456789", 10);
	in_pieces = false;
	assert_int_equal(r, 0);
	close(fd);
	check_content("pieces", "0123456789");
	assert_int_equal(unlinkat(dirfd_, "pieces", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(replaces),
	        cmocka_unit_test(discard_leaves_nothing),
	        cmocka_unit_test(killed_writer),
	        cmocka_unit_test(stays_inside_root),
	        cmocka_unit_test(digests),
	        cmocka_unit_test(digests_in_pieces),
	        cmocka_unit_test(opens),
	        cmocka_unit_test(commits),
	        cmocka_unit_test(removes),
	        cmocka_unit_test(refuses),
	        cmocka_unit_test(leftovers),
	        cmocka_unit_test(long_names),
	        cmocka_unit_test(inputs),
	        cmocka_unit_test(a_seal_waits_for_who_holds_the_pages),
	        cmocka_unit_test(writes_in_pieces),
	        cmocka_unit_test(nothing_was_left_behind),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
