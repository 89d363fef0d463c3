/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disturb REPORT N kill|alone|ERRNO PROGRAM [ARG...]: runs a program and lets it have an accident at the N-th system call of all
 * its processes together: SIGKILL to all of them, to the calling one alone, or the call fails with that number without being done.
 * For kills only calls count that change something, for errors those that can fail so. N 0: none. REPORT gets how many calls
 * counted, and the number of the call. Exits as the program did, with 128 plus the signal that ended it.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h> /* after sys/ptrace.h, for the layout of a call */

#define PROCESSES 512

#define ANY  0
#define NONE -1

/* A kill before a call that leaves no trace is one before the next call that does. */
static const struct call {
	int number;
	int fails;    /* with any error, with this one alone, or never */
	bool changes; /* counts for a kill; of opens only those that make or empty a file */
} calls[] = {
        {SYS_openat, ANY, false},
        {SYS_openat2, ANY, false},
        {SYS_read, ANY, false},
        {SYS_pread64, ANY, false},
        {SYS_write, ANY, true},
        {SYS_pwrite64, ANY, true},
        {SYS_writev, ANY, true},
        {SYS_sendmsg, ANY, true},
        {SYS_sendto, ANY, true},
        {SYS_recvmsg, ANY, false},
        {SYS_recvfrom, ANY, false},
        {SYS_socket, ANY, false},
        {SYS_connect, ANY, false},
        {SYS_poll, EINTR, false},
        {SYS_ppoll, EINTR, false},
        {SYS_epoll_pwait, EINTR, false},
        {SYS_getrandom, ANY, false},
        {SYS_mmap, ENOMEM, false},
        {SYS_getdents64, ANY, false},
        {SYS_fstat, ANY, false},
        {SYS_newfstatat, ANY, false},
        {SYS_statx, ANY, false},
        {SYS_mkdirat, ANY, true},
        {SYS_renameat, ANY, true},
        {SYS_renameat2, ANY, true},
        {SYS_linkat, ANY, true},
        {SYS_unlinkat, ANY, true},
        {SYS_symlinkat, ANY, true},
        {SYS_readlinkat, ANY, false},
        {SYS_fchmod, ANY, true},
        {SYS_fchmodat, ANY, true},
        {SYS_fchown, ANY, true},
        {SYS_fchownat, ANY, true},
        {SYS_ftruncate, ANY, true},
        {SYS_fsync, ANY, true},
        {SYS_fdatasync, ANY, true},
        {SYS_fcntl, ANY, true},
        {SYS_flock, ANY, true},
        {SYS_socketpair, ANY, false},
        {SYS_pipe2, ANY, false},
        {SYS_memfd_create, ANY, false},
        {SYS_clone, ANY, true},
        {SYS_execve, ANY, true},
        {SYS_exit_group, NONE, true},
        {SYS_kill, ANY, true},
        {SYS_wait4, EINTR, false},
        {SYS_chroot, ANY, true},
        {SYS_utimensat, ANY, true},
        {SYS_fallocate, ANY, true},
        {SYS_epoll_create1, ANY, false},
        {SYS_eventfd2, ANY, false},
        {SYS_timerfd_create, ANY, false},
        {SYS_timerfd_settime, ANY, false},
        {SYS_signalfd4, ANY, false},
        {SYS_copy_file_range, ANY, true},
        {SYS_sendfile, ANY, true},
#ifdef __x86_64__
        {SYS_open, ANY, true},
        {SYS_epoll_wait, EINTR, false},
        {SYS_mkdir, ANY, true},
        {SYS_rename, ANY, true},
        {SYS_link, ANY, true},
        {SYS_unlink, ANY, true},
        {SYS_symlink, ANY, true},
        {SYS_chmod, ANY, true},
        {SYS_chown, ANY, true},
        {SYS_lchown, ANY, true},
        {SYS_vfork, ANY, true},
#endif
};

static struct process {
	pid_t pid;
	bool failing; /* its call was taken away; what it returns is still to be set */
} processes[PROCESSES];
static size_t n_processes;

static struct process *find(pid_t pid)
{
	for (size_t i = 0; i < n_processes; i++)
		if (processes[i].pid == pid)
			return &processes[i];
	return NULL;
}

static struct process *known(pid_t pid)
{
	struct process *p = find(pid);

	if (p)
		return p;
	if (n_processes == PROCESSES)
		abort();
	processes[n_processes] = (struct process){.pid = pid};
	return &processes[n_processes++];
}

static void forget(pid_t pid)
{
	struct process *p = find(pid);

	if (p)
		*p = processes[--n_processes];
}

static bool opens_to_change(const struct ptrace_syscall_info *info)
{
	return info->entry.nr == SYS_openat2 ||
	       (info->entry.nr == SYS_openat &&
	        info->entry.args[2] & (O_CREAT | O_TRUNC | __O_TMPFILE));
}

static bool counts(int no, const struct ptrace_syscall_info *info)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if ((unsigned long)calls[i].number == info->entry.nr)
			return no ? calls[i].fails == ANY || calls[i].fails == no
			          : calls[i].changes || opens_to_change(info);
	return false;
}

/* A call that isn't there does nothing. */
static void take_away(pid_t pid)
{
#ifdef __x86_64__
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L);
#else
	int none = -1;
	struct iovec v = {&none, sizeof none};

	ptrace(PTRACE_SETREGSET, pid, 0x404 /* NT_ARM_SYSTEM_CALL */, &v);
#endif
}

static void set_result(pid_t pid, int no)
{
	struct user_regs_struct regs;
	struct iovec v = {&regs, sizeof regs};

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
		return;
#ifdef __x86_64__
	regs.rax = (unsigned long long)-(long long)no;
#else
	regs.regs[0] = (unsigned long long)-(long long)no;
#endif
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v);
}

struct accident {
	unsigned long at, seen, call;
	bool all, alone;
	int no;
};

static void at_call(struct accident *a, struct process *p)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof info, &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->failing) {
		p->failing = false;
		set_result(p->pid, a->no);
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !counts(a->no, &info) || ++a->seen != a->at)
		return;
	a->call = info.entry.nr;
	for (size_t i = 0; a->all && i < n_processes; i++)
		kill(processes[i].pid, SIGKILL);
	if (a->alone)
		kill(p->pid, SIGKILL);
	if (a->no) {
		p->failing = true;
		take_away(p->pid);
	}
}

/* Handles one stop; the signal that is to be delivered. */
static int at_stop(struct accident *a, pid_t pid, int status)
{
	bool is_new = !find(pid);
	struct process *p = known(pid);
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		at_call(a, p);
		return 0;
	}
	return status >> 16 || (is_new && sig == SIGSTOP) ? 0 : sig;
}

static int trace(struct accident *a, pid_t first)
{
	int status, result = 255;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			forget(pid);
			if (pid == first)
				result = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				                             : WEXITSTATUS(status);
			continue;
		}
		int sig = at_stop(a, pid, status);
		ptrace(PTRACE_SYSCALL, pid, 0, (long)sig);
	}
	return result;
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 255;
	struct accident a = {.at = strtoul(argv[2], NULL, 10),
	                     .all = strcmp(argv[3], "kill") == 0,
	                     .alone = strcmp(argv[3], "alone") == 0,
	                     .no = (int)strtol(argv[3], NULL, 10)};
	/* Orphans are ours to wait for: to shadow's programs a zombie still holds its lock. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execv(argv[4], argv + 4);
		_exit(255);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 255;
	ptrace(PTRACE_SETOPTIONS, pid, 0,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
	               PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
	known(pid);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	int result = trace(&a, pid);
	FILE *report = fopen(argv[1], "we");
	if (!report)
		return 255;
	fprintf(report, "%lu %lu\n", a.seen, a.call);
	return fclose(report) == 0 ? result : 255;
}
