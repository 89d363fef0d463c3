/* SPDX-License-Identifier: Apache-2.0 */
/* A child process and all its descendants, for ending them together. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct process_tree {
	int leader;              /* pid and process group of the child */
	unsigned long long born; /* its start time in clock ticks, proc(5) */
	/* Includes orphans that the calling process, a subreaper, has inherited since then; without
	 * it the child must be a subreaper itself, or its orphans are not found. */
	bool orphans;
};

/* The child must not have been waited for yet. */
void process_tree_of(int leader, bool orphans, struct process_tree *ret);
/* Whether it still runs: the same process, and not a zombie. */
bool process_tree_alive(const struct process_tree *t);
/* Sends the signal (0: none) to the child and every living descendant; returns their number. */
size_t process_tree_signal(const struct process_tree *t, int sig);
