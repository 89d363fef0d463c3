/* SPDX-License-Identifier: Apache-2.0 */
/* Restricts the processes of a sandbox: capabilities, system calls, sockets. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/scope.h"
#include "sandbox/sandbox_own.h"

#define BIT(cap) (1ULL << (cap))

/* ---- capabilities, capabilities(7) ---- */

/*
 * What the scripts of packages need, and nothing else. Without MKNOD and SYS_CHROOT a script
 * can make no device, and can't change its root: `ldconfig -r`, which initramfs-tools and
 * dracut run, then only prints a message. Without SYS_PTRACE and SYS_ADMIN it can't look into
 * the processes that set it up, and without DAC_READ_SEARCH it can't open a file of this
 * machine by its handle.
 */
static const unsigned char image_rights[] = {
        CAP_CHOWN,            /* dpkg, rpm and recipes give files their owners, */
        CAP_DAC_OVERRIDE,     /* in directories that belong to others, */
        CAP_FOWNER,           /* with modes and times, */
        CAP_FSETID,           /* and with the set-group-ID bit */
        CAP_SETFCAP,          /* setcap(8) of ping and the like; rpm's %caps */
        CAP_SETUID,           /* apt fetches as _apt; runuser(1), sudo(8), `user` of a script */
        CAP_SETGID,           /* as well */
        CAP_KILL,             /* what such a process left behind */
        CAP_NET_BIND_SERVICE, /* tests start daemons on their usual ports */
        CAP_AUDIT_WRITE,      /* PAM refuses root who can't write to the audit log */
};

/* mmdebstrap and dnf mount, chroot and make device nodes; they don't need these. */
static const unsigned char kernel_rights[] = {
        CAP_SYS_MODULE,
        CAP_SYS_RAWIO,
        CAP_SYS_BOOT,
        CAP_SYS_TIME,
        CAP_SYS_PTRACE,
        CAP_SYSLOG,
        CAP_MAC_OVERRIDE,
        CAP_MAC_ADMIN,
        CAP_NET_ADMIN,
        CAP_NET_RAW,
        CAP_LINUX_IMMUTABLE,
        CAP_WAKE_ALARM,
        CAP_PERFMON,
        CAP_BLOCK_SUSPEND,
        CAP_BPF,
        CAP_CHECKPOINT_RESTORE,
};

/* sandbox_leave() unmounts and removes. */
static const unsigned char first_rights[] = {CAP_SYS_ADMIN, CAP_DAC_OVERRIDE};

static uint64_t set_of(const unsigned char *caps, size_t n)
{
	uint64_t set = 0;

	for (size_t i = 0; i < n; i++)
		set |= BIT(caps[i]);
	return set;
}

static int drop_bounding(uint64_t kept)
{
	for (unsigned cap = 0; cap < 64; cap++)
		if (!(kept & BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -1; /* past the last capability */
	return 0;
}

static int keep_rights(uint64_t kept, bool children, struct err *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (children && drop_bounding(kept) < 0)
		return err_errno(e, errno, "giving up rights");
	if (syscall(SYS_capget, &header, data) < 0)
		return err_errno(e, errno, "asking for rights");
	for (size_t i = 0; i < ARRAY_LEN(data); i++) {
		data[i].permitted &= (unsigned)(kept >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_errno(e, errno, "giving up rights");
	return 0;
}

/* ---- system calls ---- */

struct rule {
	int call, no; /* the errno it returns; 0: it seems to succeed */
};

static const struct rule no_sync[] = {
        {SCMP_SYS(fsync), 0},  {SCMP_SYS(fdatasync), 0}, {SCMP_SYS(sync), 0},
        {SCMP_SYS(syncfs), 0}, {SCMP_SYS(msync), 0},     {SCMP_SYS(sync_file_range), 0},
};

/* Ways into the kernel or to this machine that root has even without capabilities, or that a new
 * user namespace would open again. */
static const struct rule no_kernel[] = {
        {SCMP_SYS(add_key), EPERM},
        {SCMP_SYS(request_key), EPERM},
        {SCMP_SYS(keyctl), EPERM},
        {SCMP_SYS(open_by_handle_at), EPERM},
        {SCMP_SYS(bpf), EPERM},
        {SCMP_SYS(perf_event_open), EPERM},
        {SCMP_SYS(userfaultfd), EPERM},
        {SCMP_SYS(setns), EPERM},
        {SCMP_SYS(io_uring_setup), ENOSYS}, /* it would get around the rest of the filter */
        {SCMP_SYS(clone3), ENOSYS},         /* its flags can't be filtered; libc has clone */
};

static int add_rules(scmp_filter_ctx ctx, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO((unsigned)rules[i].no), rules[i].call,
		                         0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int forbid_users(scmp_filter_ctx ctx)
{
	static const int calls[] = {SCMP_SYS(clone), SCMP_SYS(unshare)};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), calls[i], 1,
		                         SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER));
		if (r < 0)
			return r;
	}
	return 0;
}

/* The kernel's other system call tables: without a rule, programs that use them would be killed;
 * without a filter, they would get around it. */
static int add_tables(scmp_filter_ctx ctx)
{
	static const struct {
		uint32_t own, other;
	} rows[] = {{SCMP_ARCH_X86_64, SCMP_ARCH_X86},
	            {SCMP_ARCH_X86_64, SCMP_ARCH_X32},
	            {SCMP_ARCH_AARCH64, SCMP_ARCH_ARM}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].own != seccomp_arch_native())
			continue;
		int r = seccomp_arch_add(ctx, rows[i].other);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

static int fill(scmp_filter_ctx ctx, bool image)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0); /* sudo(8) works in an image */

	if (r < 0)
		return r;
	r = add_tables(ctx);
	if (r < 0)
		return r;
	r = add_rules(ctx, no_sync, ARRAY_LEN(no_sync));
	if (r < 0 || !image)
		return r;
	r = add_rules(ctx, no_kernel, ARRAY_LEN(no_kernel));
	if (r < 0)
		return r;
	return forbid_users(ctx);
}

static int fill_and_load(scmp_filter_ctx ctx, bool image)
{
	if (!ctx)
		return -ENOMEM;
	int r = fill(ctx, image);
	if (r < 0)
		return r;
	return seccomp_load(ctx);
}

static int filter_calls(bool image, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = fill_and_load(ctx, image);

	seccomp_release(ctx);
	if (r < 0)
		return err_errno(e, -r, "filtering system calls");
	return 0;
}

/* ---- sockets without a file, unix(7) ---- */

#define SCOPE_ABSTRACT (1ULL << 0) /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, of Linux 6.12 */

/* Such names belong to the network, which a step with a network shares with the machine, and daemons
 * believe root who comes by them. Older kernels can't tell who asks. */
static int scope_sockets(struct err *e)
{
	static const struct {
		uint64_t files, ports, scoped;
	} rules = {.scoped = SCOPE_ABSTRACT};
	scope_fd int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0U);

	if (fd < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP || errno == E2BIG
		               ? 0
		               : err_errno(e, errno, "closing off this machine's sockets");
	if (syscall(SYS_landlock_restrict_self, fd, 0U) < 0)
		return err_errno(e, errno, "closing off this machine's sockets");
	return 0;
}

int sandbox_confine(enum sandbox_rights rights, struct err *e)
{
	const uint64_t kept[] = {
	        [SANDBOX_FIRST] = set_of(first_rights, ARRAY_LEN(first_rights)),
	        [SANDBOX_BESIDE] = ~set_of(kernel_rights, ARRAY_LEN(kernel_rights)),
	        [SANDBOX_IMAGE] = set_of(image_rights, ARRAY_LEN(image_rights)),
	};

	if (rights == SANDBOX_IMAGE) {
		int r = scope_sockets(e);
		if (r < 0)
			return r;
	}
	if (rights != SANDBOX_FIRST) {
		int r = filter_calls(rights == SANDBOX_IMAGE, e);
		if (r < 0)
			return r;
	}
	return keep_rights(kept[rights], rights != SANDBOX_FIRST, e);
}
