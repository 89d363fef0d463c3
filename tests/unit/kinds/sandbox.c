/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a machine of the test's own out of namespaces. */
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/str.h"
#include "sandbox.h"

void fixture_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
}

static void share(const char *dir)
{
	char to[256], target[256];
	struct stat st;

	snprintf(to, sizeof to, "/mnt%s", dir);
	if (lstat(dir, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(dir, target, sizeof target - 1);

		assert_true(n > 0);
		target[n] = '\0';
		assert_int_equal(symlink(target, to), 0);
		return;
	}
	assert_int_equal(mkdir(to, 0755), 0);
	assert_int_equal(mount(dir, to, NULL, MS_BIND | MS_REC, NULL), 0);
}

void sandbox_pids(void)
{
	int status;
	pid_t pid;

	assert_int_equal(unshare(CLONE_NEWPID | CLONE_NEWNS), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("proc", "/proc", "proc", 0, NULL), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		return;
	for (pid_t ended = 0; ended != pid;)
		ended = wait(&status);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void sandbox_enter(void)
{
	static const char *const shared[] = {"/usr",   "/bin",  "/sbin", "/lib",
	                                     "/lib64", "/proc", "/dev"};
	static const char *const fresh[] = {"/mnt/etc", "/mnt/tmp",     "/mnt/home", "/mnt/root",
	                                    "/mnt/var", "/mnt/var/lib", "/mnt/run"};

	umask(022);
	assert_int_equal(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("tmpfs", "/mnt", "tmpfs", 0, "mode=0755"), 0);
	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		share(shared[i]);
	for (size_t i = 0; i < ARRAY_LEN(fresh); i++)
		assert_int_equal(mkdir(fresh[i], 0755), 0);
	assert_int_equal(chroot("/mnt"), 0);
	assert_int_equal(chdir("/"), 0);
	fixture_write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"
	                             "munge:x:110:111::/nonexistent:/usr/sbin/nologin\n");
	fixture_write("/etc/group", "root:x:0:\nmunge:x:111:\nvideo:x:44:\n");
	fixture_write("/etc/shadow", "root:*:19000:0:99999:7:::\n");
	fixture_write("/etc/gshadow", "root:*::\n");
	fixture_write("/etc/hostname", "fresh\n");
}
