/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the steps of a build in a sandbox: a process tree that sees an image as its "/" and nothing
 * of this machine but its kernel.
 *
 * The image is an overlay of layers with a new one on top. Mounts, processes, IPC, hostname and,
 * unless asked for, the network are the sandbox's own. /proc is its own, with the files that change
 * the kernel read-only. /sys is read-only. /dev is read-only too, with the nodes every program may
 * expect; devices anywhere else can neither be made nor opened. /run, /tmp and the package
 * manager's lists and archives are in memory. Services don't start (policy-rc.d forbids it), and
 * kernel and network settings can't be changed. Syncing to disk reports success without being done,
 * since unfinished work is thrown away anyway.
 *
 * A sandbox with a network has this machine's, but for the instance metadata service: it is refused
 * to the sandbox, and where that can't be done and the service answers, nothing is run. For that
 * this machine keeps a control group and a table of nftables, both called hpc-imagebuild.
 *
 * Its first process is this program, executed again, from a sealed copy of itself, with an empty
 * environment and only the descriptors 0 to 2, the job, the report, and those of `fds`: so nothing
 * that the caller holds (credentials, keys, descriptors of the store) is in any process that is
 * visible from inside. Programs of the image have the capabilities of sandbox_confine.c and no
 * others, and can't look into the processes that set the sandbox up. More than SANDBOX_PROCESSES at
 * once end it.
 *
 * Everything is gone when the job returns, at the deadline, or when this process dies for whatever
 * reason: the mounts and processes are in namespaces that end with their first process, which dies
 * with us. Needs root.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sandbox/parcel.h"

#define SANDBOX_PROCESSES 4096
#define SANDBOX_FD        5 /* first of `fds` inside */

/* A job to run inside, as a row of a table that both sides know. */
struct sandbox_job {
	const char *name;
	size_t size;                                 /* of the struct that `arg` points to */
	void (*parcel)(struct parcel *p, void *arg); /* sends and receives `arg` */
	int (*run)(void *arg, struct err *e);        /* inside; 0 or -errno with *e */
};

struct sandbox {
	/* Directories, lowest first, NULL-terminated. NULL: no image, "/" stays this machine's. */
	const char *const *layers;
	/* With layers: an existing directory that we own; `tree` in it becomes the new layer. */
	const char *dir;
	bool network;
	const struct sandbox_job *job;
	void *arg;
	/* Descriptors passed to the job, as SANDBOX_FD and following. */
	const int *fds;
	size_t n_fds;
	uint64_t deadline;
	/* If set, called with each line that is written to stdout or stderr inside. */
	void (*line)(void *ctx, const char *line);
	void *line_ctx;
};

/* 0 when the job returned 0; else its error, or why it couldn't be run to its end. */
int sandbox_run(const struct sandbox *s, struct err *e) ATTR_MUST_USE;

/*
 * For inspecting an image: runs a program in it with our own stdin, stdout, stderr and terminal,
 * without a deadline; of *s, layers, dir and network are used. An empty `argv` means a shell. `env`
 * is its complete environment. *ret_status: its exit status, or 128 plus a signal, also when the
 * signal ended this process.
 */
int sandbox_exec(const struct sandbox *s, const char *const *argv, const char *const *env,
                 int *ret_status, struct err *e) ATTR_MUST_USE;

/*
 * The other side, for main(): true if the program was executed as the first process of a sandbox;
 * the job is then done. `find` finds every job that this program runs, by name.
 */
bool sandbox_called(int argc, char **argv);
_Noreturn void sandbox_main(const struct sandbox_job *(*find)(const char *name));

/* The rest is for jobs that run without an image and also need files of this machine. */

/* Mounts the merged layers read-only at a directory. */
int sandbox_view(const char *const *layers, const char *at, struct err *e) ATTR_MUST_USE;

#define SANDBOX_ROOT 4096
/* Mounts them with a new layer on top, which is `tree` in dir; *ret_root is where. */
int sandbox_join(const char *const *layers, const char *dir, char ret_root[static SANDBOX_ROOT],
                 struct err *e) ATTR_MUST_USE;

/* For programs that chroot into the tree: mounts /proc, /sys and a /dev of its own in it, creating
 * missing mount points. */
int sandbox_lend(const char *tree, struct err *e) ATTR_MUST_USE;

/* Mounts an empty tmpfs over a directory of this machine. */
int sandbox_hide(const char *dir, struct err *e) ATTR_MUST_USE;
