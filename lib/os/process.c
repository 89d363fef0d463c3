/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the living descendants of a child in /proc and signals them. */
#include "os/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/arena.h"
#include "base/scope.h"
#include "base/str.h"

#define PROCESSES_MAX 65536 /* examined in one pass */
#define DEPTH_MAX     64    /* generations followed */

struct process {
	int pid, ppid, group;
	unsigned long long born;
	bool zombie, ours;
};

/* /proc/PID/stat: "pid (comm) state ppid pgrp ..."; comm may contain anything, so parse from the
 * last ')'. */
static bool read_process(int pid, struct process *ret)
{
	char path[64], text[1024], state;
	int ppid, group;
	unsigned long long born;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	scope_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *tail = strrchr(text, ')');
	if (!tail || sscanf(tail + 1,
	                    " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
	                    "%*d %*d %llu",
	                    &state, &ppid, &group, &born) != 4)
		return false;
	*ret = (struct process){.pid = pid,
	                        .ppid = ppid,
	                        .group = group,
	                        .born = born,
	                        .zombie = state == 'Z' || state == 'X'};
	return true;
}

void process_tree_of(int leader, bool orphans, struct process_tree *ret)
{
	struct process p = {0};

	read_process(leader, &p);
	*ret = (struct process_tree){.leader = leader, .born = p.born, .orphans = orphans};
}

bool process_tree_alive(const struct process_tree *t)
{
	struct process p;

	return read_process(t->leader, &p) && p.born == t->born && !p.zombie;
}

static size_t read_all(struct arena *a, struct process **ret)
{
	scope_dir DIR *proc = opendir("/proc");
	struct process *all = NULL, p;
	struct dirent *entry;
	size_t n = 0;
	uint64_t pid;

	while (proc && n < PROCESSES_MAX && (entry = readdir(proc))) {
		if (str_u64(entry->d_name, 1, INT32_MAX, &pid) < 0 || !read_process((int)pid, &p))
			continue;
		all = arena_grow(a, all, &n, sizeof *all);
		all[n - 1] = p;
	}
	*ret = all;
	return n;
}

static const struct process *by_pid(const struct process *all, size_t n, int pid)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].pid == pid)
			return &all[i];
	return NULL;
}

/* Another process has got the child's number: its group must have been empty before that. */
static bool is_reused(const struct process_tree *t, const struct process *all, size_t n)
{
	const struct process *leader = by_pid(all, n, t->leader);

	return leader && leader->born != t->born;
}

/* In the child's group, or a descendant of the child, or an orphan that we inherited since it
 * began, or a descendant of one. */
static bool is_ours(const struct process_tree *t, bool reused, const struct process *all, size_t n,
                    const struct process *p)
{
	int self = getpid();

	for (int depth = 0; p && depth < DEPTH_MAX; depth++) {
		if (p->pid == self || p->born < t->born)
			return false;
		if (!reused && (p->pid == t->leader || p->group == t->leader))
			return true;
		if (t->orphans && p->ppid == self)
			return true;
		p = by_pid(all, n, p->ppid);
	}
	return false;
}

/* Through a descriptor of the process that was examined, as its number may have been reused. */
static void send(const struct process *p, int sig)
{
	scope_fd int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	struct process now;

	if (fd >= 0 && read_process(p->pid, &now) && now.born == p->born)
		syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

size_t process_tree_signal(const struct process_tree *t, int sig)
{
	scope_arena struct arena *a = arena_new();
	struct process *all = NULL;
	size_t n = read_all(a, &all), alive = 0;

	bool reused = is_reused(t, all, n);
	for (size_t i = 0; i < n; i++)
		all[i].ours = is_ours(t, reused, all, n, &all[i]);
	for (size_t i = 0; i < n; i++) {
		if (!all[i].ours || all[i].zombie)
			continue;
		alive++;
		if (sig)
			send(&all[i], sig);
	}
	return alive;
}
