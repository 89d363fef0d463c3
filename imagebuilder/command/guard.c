/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a verb in a child process, and cleans up behind it when a signal ends it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/image.h"
#include "os/process.h"
#include "store/store.h"
#include "store/work.h"

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

static _Noreturn void child_main(struct image *g, int (*verb)(struct image *g), pid_t parent,
                                 const sigset_t *before)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigprocmask(SIG_SETMASK, before, NULL);
	int status = program_flushed(&g->program, verb(g));
	fflush(stderr);
	_exit(status);
}

static bool is_ending(int sig)
{
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		if (ending[i] == sig)
			return true;
	return false;
}

/* Until the child has ended, or a signal asks for the end: then that signal, else 0. */
static int wait_for(pid_t child, const sigset_t *set, int *ret_status)
{
	for (;;) {
		if (waitpid(child, ret_status, WNOHANG) == child)
			return 0;
		int sig = sigwaitinfo(set, NULL);

		if (is_ending(sig))
			return sig;
	}
}

/* Its descendants are ours when it has gone; each dies with its parent or by this. */
static void end_all(const struct process_tree *tree)
{
	do {
		(void)process_tree_signal(tree, SIGKILL);
	} while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static void clean(const struct image *g)
{
	scope_store struct store s = STORE_INIT;
	struct err none;

	if (store_look(g->opt.store ? g->opt.store : STORE_DEFAULT, &s, &none) == 0 && s.fd >= 0)
		store_sweep(&s, false);
	if (g->opt.output)
		work_sweep(g->opt.output);
}

static void remove_tmp(struct image *g)
{
	if (g->tmp[0])
		store_remove(g->tmp);
	g->tmp[0] = '\0';
}

int image_tmp(struct image *g, struct err *e)
{
	snprintf(g->tmp, sizeof g->tmp, "/tmp/hpc-imagebuild-XXXXXX");
	if (mkdtemp(g->tmp))
		return 0;
	int r = err_errno(e, errno, "making '%s'", g->tmp);
	g->tmp[0] = '\0';
	return r;
}

static int interrupted(struct image *g, int sig, const struct process_tree *tree)
{
	struct err e;

	end_all(tree);
	clean(g);
	(void)err_set(&e, ERR_HOST, REASON_INTERRUPTED, EINTR,
	              "ended by SIG%s: what was unfinished is removed%s", sigabbrev_np(sig),
	              g->program.line.verb->bit == VERB_BUILD ? ", finished layers stay" : "");
	(void)program_fail(&g->program, &e);
	return 128 + sig;
}

static int watch(struct image *g, pid_t child, const sigset_t *set)
{
	struct process_tree tree;
	int status = 0;

	process_tree_of(child, true, &tree);
	int sig = wait_for(child, set, &status);
	if (sig == 0 && WIFEXITED(status))
		return WEXITSTATUS(status);
	if (sig == 0 && !is_ending(WTERMSIG(status)))
		return 128 + WTERMSIG(status);
	/* A key of the terminal ends the child as well. */
	return interrupted(g, sig ? sig : WTERMSIG(status), &tree);
}

int image_guarded(struct image *g, int (*verb)(struct image *g))
{
	sigset_t set, before;
	pid_t parent = getpid();

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		sigaddset(&set, ending[i]);
	sigprocmask(SIG_BLOCK, &set, &before);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t child = fork();
	if (child == 0)
		child_main(g, verb, parent, &before);
	int status = child < 0 ? verb(g) : watch(g, child, &set);
	sigprocmask(SIG_SETMASK, &before, NULL);
	remove_tmp(g);
	return status;
}
