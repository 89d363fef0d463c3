/* SPDX-License-Identifier: Apache-2.0 */
/* A child process and all that descends from it, for ending them together. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct process_tree {
	int leader;              /* pid and process group of the child */
	unsigned long long born; /* its start time in clock ticks, proc(5) */
	/* Also orphans that came to the calling process, a subreaper, since then; without it the
	 * child is to be a subreaper itself, or its orphans are not found. */
	bool orphans;
};

/* The child is not yet waited for. */
void process_tree_of(int leader, bool orphans, struct process_tree *ret);
/* It runs: the same process, and not a zombie. */
bool process_tree_alive(const struct process_tree *t);
/* Sends the signal (0: none) to the child and every living descendant; returns how many they are.
 */
size_t process_tree_signal(const struct process_tree *t, int sig);
