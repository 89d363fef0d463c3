/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where steps of a build are carried out: a process tree that sees an image as its "/" and nothing
 * of this machine but its kernel.
 *
 * The image is an overlay of layers with a new one on top. Mounts, processes, IPC, hostname and,
 * unless asked for, the network are the sandbox's own; /proc is its own with what changes the
 * kernel read-only, /sys is read-only, /dev too, with the nodes every program may expect, and
 * devices anywhere else can neither be made nor opened; /run, /tmp and the package manager's lists
 * and archives are in memory. Services don't start (policy-rc.d says so), kernel and network can't
 * be changed, and syncing to disk is answered and not done: what isn't finished is thrown away
 * anyway.
 *
 * Its first process is this program executed anew, from a sealed copy of itself, with an empty
 * environment and the descriptors 0 to 2, the job, the report, and those of `fds`: so nothing that
 * the caller holds (credentials, keys, descriptors of the store) is in any process that can be seen
 * from inside. What runs of the image has the capabilities of sandbox_confine.c and no others, and
 * can't look into the processes that set the sandbox up. More than SANDBOX_PROCESSES at once end
 * it.
 *
 * All of it goes when the job returns, at the deadline, or when this process dies in whatever way:
 * the mounts and processes are in namespaces that end with their first process, and that one dies
 * with us. Needs root.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "build/parcel.h"

#define SANDBOX_PROCESSES 4096
#define SANDBOX_FD        5 /* where `fds` begin inside */

/* What is done inside, as a row of a table that both programs' ends know. */
struct sandbox_job {
	const char *name;
	size_t size;                                 /* of the struct that `arg` points to */
	void (*parcel)(struct parcel *p, void *arg); /* sends and receives it */
	int (*run)(void *arg, struct err *e);        /* inside; 0 or -errno with *e */
};

struct sandbox {
	/* Directories, lowest first, NULL-terminated. NULL: no image, "/" stays this machine's. */
	const char *const *layers;
	/* With layers: an existing directory that is ours; `tree` in it becomes the new layer. */
	const char *dir;
	bool network;
	const struct sandbox_job *job;
	void *arg;
	/* Descriptors that the job gets, as SANDBOX_FD and following. */
	const int *fds;
	size_t n_fds;
	uint64_t deadline;
	/* NULL, or gets each line that is written to stdout or stderr inside. */
	void (*line)(void *ctx, const char *line);
	void *line_ctx;
};

/* 0 when the job returned 0; else its error, or why it couldn't be run to its end. */
int sandbox_run(const struct sandbox *s, struct err *e) ATTR_MUST_USE;

/*
 * For a look into an image: a program in it with our own stdin, stdout, stderr and terminal,
 * without a deadline; layers, dir and network of *s are taken. `argv` without an element: a shell.
 * `env` is all of its environment. *ret_status: its exit status, or 128 and a signal; also of one
 * that ended us.
 */
int sandbox_exec(const struct sandbox *s, const char *const *argv, const char *const *env,
                 int *ret_status, struct err *e) ATTR_MUST_USE;

/*
 * The other end, for main(): whether the program was executed as the first process of a sandbox,
 * and then the whole of what it does. `find` knows every job that is run by this program, by its
 * name.
 */
bool sandbox_called(int argc, char **argv);
_Noreturn void sandbox_main(const struct sandbox_job *(*find)(const char *name));

/* The rest is for a job that runs without an image, and needs files of this machine, too. */

/* Shows the layers joined, read-only, at a directory. */
int sandbox_view(const char *const *layers, const char *at, struct err *e) ATTR_MUST_USE;

#define SANDBOX_ROOT 4096
/* Shows them with a new one on top, which is `tree` in dir; *ret_root is where. */
int sandbox_join(const char *const *layers, const char *dir, char ret_root[static SANDBOX_ROOT],
                 struct err *e) ATTR_MUST_USE;

/* For programs that change their root to the tree: /proc, /sys and a /dev of its own in it, made
 * where they are missing. */
int sandbox_lend(const char *tree, struct err *e) ATTR_MUST_USE;

/* Lays an empty directory in memory over this machine's. */
int sandbox_hide(const char *dir, struct err *e) ATTR_MUST_USE;
