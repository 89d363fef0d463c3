/* SPDX-License-Identifier: Apache-2.0 */
/* Sets up the sandbox from inside: its mounts, and the files that are in the image only while it
 * runs. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/scope.h"
#include "sandbox/sandbox_own.h"

#define LAYERS_MAX 480 /* overlayfs takes 500 */
#define PLAIN      (MS_NOSUID | MS_NODEV | MS_NOEXEC)

#define POLICY "/usr/sbin/policy-rc.d"
#define RESOLV "/etc/resolv.conf"

#define RESOLV_MAX 65536

/* ---- the overlay ---- */

/* Descriptors of layers, held during a mount. */
struct lower {
	size_t n;
	int fds[LAYERS_MAX];
};

static void lower_close(struct lower *l)
{
	for (size_t i = 0; i < l->n; i++)
		close(l->fds[i]);
	l->n = 0;
}
#define scope_lower __attribute__((cleanup(lower_close)))

/* The mount options name descriptors, "12:11:10" below /proc/self/fd: this way hundreds of layers
 * fit into a page of options, and no path needs escaping. */
static int lower_open(const char *const *layers, struct lower *l, struct strbuf *options,
                      struct err *e)
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
		l->fds[l->n++] = fd;
		strbuf_printf(options, "%d%s", fd, i ? ":" : "");
	}
	return 0;
}

/* Keeps the working directory: relative paths of a recipe are resolved from it. */
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
	scope_lower struct lower lower = {0};

	if (!layers[1]) { /* overlayfs requires two */
		if (mount(layers[0], at, NULL, MS_BIND, NULL) < 0)
			return err_errno(e, errno, "showing the layer '%s'", layers[0]);
		return 0;
	}
	scope_fd int fd = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", at);
	int r = lower_open(layers, &lower, &options, e);
	if (r < 0)
		return r;
	return mount_overlay(&options, fd, MS_RDONLY, e);
}

static int open_in(int dir, const char *name, struct err *e)
{
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making the directory '%s'", name);
	int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "opening the directory '%s'", name);
	return fd;
}

int sandbox_join(const char *const *layers, const char *where, char ret_root[static SANDBOX_ROOT],
                 struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf options = STRBUF(a, 4096);
	scope_lower struct lower lower = {0};
	scope_fd int dir = open(where, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, errno, "opening '%s'", where);
	scope_fd int upper = open_in(dir, "tree", e);
	if (upper < 0)
		return upper;
	scope_fd int work = open_in(dir, "work", e);
	if (work < 0)
		return work;
	scope_fd int root = open_in(dir, "root", e);
	if (root < 0)
		return root;
	int r = lower_open(layers, &lower, &options, e);
	if (r < 0)
		return r;
	/* A layer must be a tree of plain files that is meaningful by itself; and it is thrown away
	 * if the machine goes down. */
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
	bool found; /* only if the image has it */
	bool lent;  /* also for a tree that isn't entered */
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

static int make_node(const struct node *n)
{
	if (mknod(n->at, S_IFCHR | 0666, makedev(n->major, n->minor)) < 0)
		return -1;
	return chmod(n->at, 0666);
}

/* Below the working directory. */
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
		/* A link there would lead outside: we have not entered the image yet. */
		if (lstat(m->at, &st) < 0 || !S_ISDIR(st.st_mode))
			return err_errno(e, ENOTDIR, "mounting on /%s in the image", m->at);
		if (mount(m->type, m->at, m->type, m->flags, m->options) < 0)
			return err_errno(e, errno, "mounting %s on /%s", m->type, m->at);
	}
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		if (make_node(&nodes[i]) < 0)
			return err_errno(e, errno, "making /%s", nodes[i].at);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlink(links[i].to, links[i].at) < 0)
			return err_errno(e, errno, "making /%s", links[i].at);
	/* The only place where devices can be opened: none of this machine's may
	 * be created there. */
	if (mount(NULL, "dev", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL) < 0)
		return err_errno(e, errno, "making /dev read-only");
	return 0;
}

int sandbox_lend(const char *tree, struct err *e)
{
	if (chdir(tree) < 0)
		return err_errno(e, errno, "entering '%s'", tree);
	int r = populate(true, e);
	if (r < 0)
		return r;
	if (chdir("/") < 0)
		return err_errno(e, errno, "leaving '%s'", tree);
	return 0;
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
		return 0; /* this kernel doesn't have it */
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

/* ---- what is in the image only during the build ---- */

static int put(const char *path, int flags, const char *text, size_t len, mode_t mode)
{
	scope_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);

	if (fd < 0)
		return -errno;
	return fchmod(fd, mode) < 0 ? -errno : file_write_all(fd, text, len);
}

static int forbid_services(struct sandbox_lent *l, struct err *e)
{
	static const char text[] = "#!/bin/sh\nexit 101\n";
	int r = put(POLICY, O_EXCL, text, sizeof text - 1, 0755);

	l->policy = r == 0;
	/* It may exist already, or there is no such directory: not a Debian system. */
	if (r < 0 && r != -EEXIST && r != -ENOENT)
		return err_errno(e, -r, "forbidding services to start");
	return 0;
}

/* Servers are looked up with this machine's configuration as long as there is a network. */
static int put_resolv(struct blob text, struct sandbox_lent *l, struct err *e)
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
	l->resolv = put(RESOLV, O_EXCL, "", 0, 0644) == 0;
	if (access(RESOLV, F_OK) == 0 && mount(fixed[0], RESOLV, NULL, MS_BIND, NULL) < 0)
		return err_errno(e, errno, "lending the image " RESOLV);
	return 0;
}

void sandbox_leave(const struct sandbox_lent *l)
{
	if (l->policy)
		(void)unlink(POLICY);
	if (l->resolv) {
		(void)umount2(RESOLV, MNT_DETACH);
		(void)unlink(RESOLV);
	}
}

/* ---- entering ---- */

static int pivot(struct err *e)
{
	/* "." twice: the old root is stacked on the new one, and then unmounted, pivot_root(2). */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_errno(e, errno, "entering the image");
	return 0;
}

/* Root may write to these without any capability. */
static int protect_kernel(struct err *e)
{
	static const char *const files[] = {
	        "/proc/sys", "/proc/sysrq-trigger", "/proc/irq",  "/proc/bus",
	        "/proc/fs",  "/proc/acpi",          "/proc/scsi", "/proc/mtrr"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int r = read_only(files[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int enter_image(const struct sandbox_order *o, struct sandbox_lent *l, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct blob resolv = {0};
	struct err ignored; /* without the file there are no settings to copy */
	char root[SANDBOX_ROOT];
	int r = sandbox_join(o->layers, o->dir, root, e);

	if (r < 0)
		return r;
	if (o->network && file_read(AT_FDCWD, RESOLV, RESOLV_MAX, a, &resolv, &ignored) < 0)
		resolv = (struct blob){"", 0};
	if (chdir(root) < 0)
		return err_errno(e, errno, "entering '%s'", root);
	r = populate(false, e);
	if (r < 0)
		return r;
	r = pivot(e);
	if (r < 0)
		return r;
	r = protect_kernel(e);
	if (r < 0)
		return r;
	r = forbid_services(l, e);
	if (r < 0 || !o->network)
		return r;
	return put_resolv(resolv, l, e);
}

int sandbox_enter(const struct sandbox_order *o, struct sandbox_lent *ret, struct err *e)
{
	static const char name[] = "image";

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    sethostname(name, sizeof name - 1) < 0)
		return err_errno(e, errno, "making the sandbox");
	if (!o->network)
		loopback_up();
	if (o->layers)
		return enter_image(o, ret, e);
	if (mount("proc", "/proc", "proc", PLAIN, NULL) < 0)
		return err_errno(e, errno, "mounting /proc");
	return 0;
}
