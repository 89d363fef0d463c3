/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox from inside: its mounts, and what its processes may not do. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/scope.h"
#include "build/sandbox_own.h"

#define LAYERS_MAX 480 /* overlayfs takes 500 */
#define PLAIN      (MS_NOSUID | MS_NODEV | MS_NOEXEC)

#define POLICY "/usr/sbin/policy-rc.d"
#define RESOLV "/etc/resolv.conf"

/* ---- the overlay ---- */

/* Its options name descriptors, "12:11:10" below /proc/self/fd: a page of them is hundreds of
 * layers, and no character of a path has to be escaped. */
static int lower(const char *const *layers, struct strbuf *options, struct err *e)
{
	size_t n = 0;

	while (layers[n])
		n++;
	if (n > LAYERS_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "joining %zu layers: expected at most %d", n, LAYERS_MAX);
	strbuf_str(options, "lowerdir=");
	for (size_t i = n; i-- > 0;) {
		int fd = open(layers[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return err_errno(e, errno, "opening the layer '%s'", layers[i]);
		strbuf_printf(options, "%d%s", fd, i ? ":" : "");
	}
	return 0;
}

/* Leaves the working directory as it was: what a recipe names is found from there. */
static int mount_overlay(const struct strbuf *options, int at, unsigned long flags, struct err *e)
{
	scope_fd int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char target[32];

	snprintf(target, sizeof target, "%d", at);
	if (back < 0 || chdir("/proc/self/fd") < 0 ||
	    mount("overlay", target, "overlay", flags, options->data) < 0 || fchdir(back) < 0)
		return err_errno(e, errno, "joining layers");
	return 0;
}

int sandbox_view(const char *const *layers, const char *at, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf options = STRBUF(a, 4096);

	if (!layers[1]) { /* overlayfs wants two */
		if (mount(layers[0], at, NULL, MS_BIND, NULL) < 0)
			return err_errno(e, errno, "showing the layer '%s'", layers[0]);
		return 0;
	}
	scope_fd int fd = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", at);
	int r = lower(layers, &options, e);
	return r < 0 ? r : mount_overlay(&options, fd, MS_RDONLY, e);
}

static int open_in(int dir, const char *name, struct err *e)
{
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making the directory '%s'", name);
	int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_errno(e, errno, "opening the directory '%s'", name) : fd;
}

int sandbox_join(const char *const *layers, const char *where, char ret_root[static SANDBOX_ROOT],
                 struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf options = STRBUF(a, 4096);
	scope_fd int dir = open(where, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, errno, "opening '%s'", where);
	scope_fd int upper = open_in(dir, "tree", e);
	scope_fd int work = upper < 0 ? -1 : open_in(dir, "work", e);
	scope_fd int root = work < 0 ? -1 : open_in(dir, "root", e);
	if (root < 0)
		return -e->no;
	int r = lower(layers, &options, e);
	if (r < 0)
		return r;
	/* A layer is to be a tree of plain files, meaningful by itself; and it is thrown away when
	 * the machine goes down. */
	strbuf_printf(&options,
	              ",upperdir=%d,workdir=%d,redirect_dir=off,metacopy=off,index=off,volatile",
	              upper, work);
	snprintf(ret_root, SANDBOX_ROOT, "%s/root", where);
	return mount_overlay(&options, root, MS_NODEV, e);
}

/* ---- the rest of its mounts ---- */

static const struct entry {
	const char *type, *at, *options;
	unsigned long flags;
	bool found; /* only where the image has it */
	bool lent;  /* also to a tree that isn't entered */
} entries[] = {
        {"proc", "proc", NULL, PLAIN, .lent = true},
        {"sysfs", "sys", NULL, PLAIN | MS_RDONLY, .lent = true},
        {"tmpfs", "dev", "mode=0755,size=1m", MS_NOSUID | MS_NOEXEC, .lent = true},
        {"devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC,
         .lent = true},
        {"tmpfs", "dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, .lent = true},
        {"tmpfs", "run", "mode=0755", MS_NOSUID | MS_NODEV},
        {"tmpfs", "run/lock", "mode=1777,size=5m", PLAIN},
        {"tmpfs", "tmp", "mode=1777", MS_NOSUID | MS_NODEV},
        {"tmpfs", "var/lib/apt/lists", "mode=0755", PLAIN, .found = true},
        {"tmpfs", "var/cache/apt", "mode=0755", PLAIN, .found = true},
        {"tmpfs", "var/cache/dnf", "mode=0755", PLAIN, .found = true},
};

static const struct node {
	const char *at;
	unsigned major, minor;
} nodes[] = {
        {"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
        {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
};

static const struct link {
	const char *at, *to;
} links[] = {
        {"dev/fd", "/proc/self/fd"},       {"dev/stdin", "/proc/self/fd/0"},
        {"dev/stdout", "/proc/self/fd/1"}, {"dev/stderr", "/proc/self/fd/2"},
        {"dev/ptmx", "pts/ptmx"},          {"dev/core", "/proc/kcore"},
};

/* Where we are. */
static int populate(bool lend, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const struct entry *m = &entries[i];
		struct stat st;

		if (lend && !m->lent)
			continue;
		if (m->found && (lstat(m->at, &st) < 0 || !S_ISDIR(st.st_mode)))
			continue;
		if (mkdir(m->at, 0755) < 0 && errno != EEXIST)
			return err_errno(e, errno, "making /%s in the image", m->at);
		/* A link there would lead out: we are not in the image yet. */
		if (lstat(m->at, &st) < 0 || !S_ISDIR(st.st_mode))
			return err_errno(e, ENOTDIR, "mounting on /%s in the image", m->at);
		if (mount(m->type, m->at, m->type, m->flags, m->options) < 0)
			return err_errno(e, errno, "mounting %s on /%s", m->type, m->at);
	}
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		if (mknod(nodes[i].at, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) <
		            0 ||
		    chmod(nodes[i].at, 0666) < 0)
			return err_errno(e, errno, "making /%s", nodes[i].at);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlink(links[i].to, links[i].at) < 0)
			return err_errno(e, errno, "making /%s", links[i].at);
	/* The only place where a device can be opened: none of this machine's is to be made there.
	 */
	if (mount(NULL, "dev", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL) < 0)
		return err_errno(e, errno, "making /dev read-only");
	return 0;
}

int sandbox_lend(const char *tree, struct err *e)
{
	if (chdir(tree) < 0)
		return err_errno(e, errno, "entering '%s'", tree);
	int r = populate(true, e);
	if (r == 0 && chdir("/") < 0)
		r = err_errno(e, errno, "leaving '%s'", tree);
	return r;
}

int sandbox_hide(const char *dir, struct err *e)
{
	if (mount("tmpfs", dir, "tmpfs", PLAIN, "mode=0700") < 0)
		return err_errno(e, errno, "mounting over %s", dir);
	return 0;
}

static int read_only(const char *at, struct err *e)
{
	if (access(at, F_OK) < 0 && errno == ENOENT)
		return 0; /* not in this kernel */
	if (mount(at, at, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | PLAIN, NULL) < 0)
		return err_errno(e, errno, "making %s read-only", at);
	return 0;
}

static void loopback_up(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	scope_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFFLAGS, &lo);
}

/* ---- what is in the image only for the time of the build ---- */

static int put(const char *path, int flags, const char *text, size_t len, mode_t mode)
{
	scope_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);

	if (fd < 0)
		return -errno;
	return fchmod(fd, mode) < 0 ? -errno : file_write_all(fd, text, len);
}

static bool policy_is_ours, resolv_is_ours;

static int forbid_services(struct err *e)
{
	static const char text[] = "#!/bin/sh\nexit 101\n";
	int r = put(POLICY, O_EXCL, text, sizeof text - 1, 0755);

	policy_is_ours = r == 0;
	/* There may be one already, or no such directory: not Debian's. */
	return r == 0 || r == -EEXIST || r == -ENOENT
	               ? 0
	               : err_errno(e, -r, "forbidding services to start");
}

/* The names of servers are this machine's for as long as the network is. */
static int put_resolv(struct blob text, struct err *e)
{
	static const char *const fixed[] = {"/run/systemd/resolve/stub-resolv.conf",
	                                    "/run/systemd/resolve/resolv.conf",
	                                    "/run/resolvconf/resolv.conf"};
	static const char *const dirs[] = {"/run/systemd", "/run/systemd/resolve",
	                                   "/run/resolvconf"};
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		(void)mkdir(dirs[i], 0755);
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		int r = put(fixed[i], O_TRUNC, text.data, text.len, 0644);

		if (r < 0)
			return err_errno(e, -r, "writing '%s'", fixed[i]);
	}
	if (lstat(RESOLV, &st) == 0 && S_ISLNK(st.st_mode))
		return 0;
	resolv_is_ours = put(RESOLV, O_EXCL, "", 0, 0644) == 0;
	if (access(RESOLV, F_OK) == 0 && mount(fixed[0], RESOLV, NULL, MS_BIND, NULL) < 0)
		return err_errno(e, errno, "lending the image " RESOLV);
	return 0;
}

void sandbox_leave(const struct sandbox *s)
{
	if (!s->layers)
		return;
	if (policy_is_ours)
		(void)unlink(POLICY);
	if (resolv_is_ours) {
		(void)umount2(RESOLV, MNT_DETACH);
		(void)unlink(RESOLV);
	}
}

/* ---- entering ---- */

static int pivot(struct err *e)
{
	/* "." twice: the old root lies over the new one, and then goes, pivot_root(2). */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_errno(e, errno, "entering the image");
	return 0;
}

static int enter_image(const struct sandbox *s, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct blob resolv = {"", 0};
	struct err ignored; /* a machine without the file has no names to lend */
	char root[SANDBOX_ROOT];
	int r = sandbox_join(s->layers, s->dir, root, e);

	if (r < 0)
		return r;
	if (s->network && file_read(AT_FDCWD, RESOLV, 65536, a, &resolv, &ignored) < 0)
		resolv = (struct blob){"", 0};
	if (chdir(root) < 0)
		return err_errno(e, errno, "entering '%s'", root);
	r = populate(false, e);
	if (r == 0)
		r = pivot(e);
	if (r == 0)
		r = read_only("/proc/sys", e);
	if (r == 0)
		r = read_only("/proc/sysrq-trigger", e);
	if (r == 0)
		r = forbid_services(e);
	if (r == 0 && s->network)
		r = put_resolv(resolv, e);
	return r;
}

int sandbox_enter(const struct sandbox *s, struct err *e)
{
	static const char name[] = "image";

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    sethostname(name, sizeof name - 1) < 0)
		return err_errno(e, errno, "making the sandbox");
	if (!s->network)
		loopback_up();
	if (s->layers)
		return enter_image(s, e);
	if (mount("proc", "/proc", "proc", PLAIN, NULL) < 0)
		return err_errno(e, errno, "mounting /proc");
	return 0;
}

/* ---- what is forbidden ---- */

#if defined(__x86_64__)
#define AUDIT_ARCH_OWN AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCH_OWN AUDIT_ARCH_AARCH64
#else
#error "the system calls of this architecture are not known here"
#endif

#define LOAD(member)          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define SKIP_UNLESS(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
#define RETURN(action)        BPF_STMT(BPF_RET | BPF_K, (action))
#define DONE(call)            SKIP_UNLESS((call), 1), RETURN(SECCOMP_RET_ERRNO)

static int no_sync(struct err *e)
{
	static struct sock_filter filter[] = {
	        LOAD(arch),
	        SKIP_UNLESS(AUDIT_ARCH_OWN, 13),
	        LOAD(nr),
	        DONE(SYS_fsync),
	        DONE(SYS_fdatasync),
	        DONE(SYS_sync),
	        DONE(SYS_syncfs),
	        DONE(SYS_msync),
	        DONE(SYS_sync_file_range),
	        RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_LEN(filter), .filter = filter};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return err_errno(e, errno, "suppressing syncs");
	return 0;
}

int sandbox_confine(const struct sandbox *s, struct err *e)
{
	static const unsigned char never[] = {
	        CAP_SYS_ADMIN,       CAP_SYS_MODULE, CAP_SYS_RAWIO,
	        CAP_SYS_BOOT,        CAP_SYS_TIME,   CAP_SYSLOG,
	        CAP_MAC_OVERRIDE,    CAP_MAC_ADMIN,  CAP_NET_ADMIN,
	        CAP_LINUX_IMMUTABLE, CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND,
	        CAP_PERFMON,         CAP_BPF,
	};
	int r = no_sync(e);

	for (size_t i = 0; r == 0 && s->layers && i < ARRAY_LEN(never); i++)
		if (prctl(PR_CAPBSET_DROP, never[i], 0, 0, 0) < 0)
			return err_errno(e, errno, "giving up rights");
	return r;
}
