/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape_probe MARK: run in an image by a script of a recipe, tries what leads out of it, and prints
 * a line for each way that is open. MARK is a file of the building machine that the image has not.
 * escape_probe bomb: processes without end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *mark;

static void open_way(const char *what, const char *detail)
{
	printf("OPEN: %s %s\n", what, detail);
}

/* What is above a directory that somebody else has open. */
static void climb(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/../../../../../../../../%s", dir, mark);
	if (access(path, F_OK) == 0)
		open_way("climb", dir);
}

static void look_into(const char *pid)
{
	static const char *const files[] = {"environ", "mem", "maps", "auxv", "stack", "syscall"};
	static const char *const links[] = {"root", "cwd", "exe"};
	static const char *const dirs[] = {"fd", "map_files"};
	char path[512], target[512];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "/proc/%s/%s", pid, files[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, target, 1) > 0)
			open_way("read", path);
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "/proc/%s/%s", pid, links[i]);
		if (readlink(path, target, sizeof target) >= 0)
			open_way("follow", path);
		climb(path);
	}
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		snprintf(path, sizeof path, "/proc/%s/%s", pid, dirs[i]);
		DIR *d = opendir(path);
		struct dirent *entry;
		while (d && (entry = readdir(d))) {
			char below[1024];
			snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
			if (entry->d_name[0] == '.')
				continue;
			if (open(below, O_PATH | O_CLOEXEC) >= 0)
				open_way("open", below);
			climb(below);
		}
		if (d)
			closedir(d);
	}
	if (ptrace(PTRACE_SEIZE, atoi(pid), NULL, NULL) == 0)
		open_way("trace", pid);
}

/* Every process that was not executed from the image: those show no command of it. */
static void look_around(void)
{
	char path[512], text[256];
	DIR *proc = opendir("/proc");
	struct dirent *d;

	while (proc && (d = readdir(proc))) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%s/cmdline", d->d_name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
		text[n > 0 ? n : 0] = '\0';
		if (strcmp(text, "hpc-imagebuild-sandbox") == 0)
			look_into(d->d_name);
		else if (strcmp(d->d_name, "1") == 0)
			open_way("first process", text);
	}
}

static void make_devices(void)
{
	static const char *const places[] = {"/disk", "/tmp/disk", "/run/disk", "/dev/disk",
	                                     "/dev/shm/disk"};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (mknod(places[i], S_IFBLK | 0600, makedev(7, 0)) == 0)
			open_way("device", places[i]);
}

static void change_root(void)
{
	int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (mkdir("/jail", 0755) < 0 || chroot("/jail") < 0)
		return;
	open_way("chroot", "/jail");
	if (fchdir(top) < 0)
		return;
	for (int i = 0; i < 32; i++)
		if (chdir("..") < 0)
			return;
	if (access(mark + 1, F_OK) == 0)
		open_way("chroot", "left");
}

static void ask_kernel(void)
{
	static const char *const files[] = {"/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger",
	                                    "/proc/irq/default_smp_affinity", "/proc/kcore",
	                                    "/sys/kernel/uevent_helper"};
	struct {
		unsigned bytes;
		int type;
		unsigned char handle[128];
	} handle = {.bytes = 8, .type = 1};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (open(files[i], O_WRONLY | O_CLOEXEC) >= 0)
			open_way("write", files[i]);
	if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1) >= 0)
		open_way("keys", "");
	if (mount("none", "/tmp", "tmpfs", 0, NULL) == 0)
		open_way("mount", "/tmp");
	if (syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY) >= 0 || errno != EPERM)
		open_way("open by handle", strerror(errno));
	if (unshare(CLONE_NEWUSER) == 0 || errno != EPERM)
		open_way("user namespace", strerror(errno));
	if (syscall(SYS_clone3, NULL, 0) >= 0 || errno != ENOSYS)
		open_way("clone3", strerror(errno));
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		open_way("clone", "user namespace");
}

#ifdef __x86_64__
/* The same by the other tables of calls; a kernel without them says ENOSYS, or nothing of it. */
static void ask_otherwise(void)
{
	long r;

	if (syscall(0x40000000 | 250, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1) >= 0)
		open_way("keys", "by x32");
	__asm__ volatile("int $0x80"
	                 : "=a"(r)
	                 : "a"(288L), "b"(0L), "c"(-4L), "d"(1L)
	                 : "memory", "r8", "r9", "r10", "r11");
	if ((int)r >= 0)
		open_way("keys", "by i386");
}
#else
static void ask_otherwise(void)
{
}
#endif

/* A daemon's socket that has a name and no file: it belongs to the network. */
static void knock(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t len = strnlen(mark, sizeof at.sun_path - 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path + 1, mark, len);
	if (connect(fd, (struct sockaddr *)&at,
	            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) == 0)
		open_way("connect", "abstract");
}

static void bomb(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid < 0) {
			printf("refused: %s\n", strerror(errno));
			exit(7);
		}
		if (pid == 0) {
			pause();
			_exit(0);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	if (strcmp(argv[1], "bomb") == 0)
		bomb();
	mark = argv[1];
	look_around();
	make_devices();
	knock();
	ask_kernel();
	pid_t pid = fork();
	if (pid == 0) {
		ask_otherwise();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	change_root();
	printf("all ways were tried\n");
	return 0;
}
