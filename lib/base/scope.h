/* SPDX-License-Identifier: Apache-2.0 */
/* Handles that close themselves at the end of the scope: `scope_fd int fd = -1;`. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void scope_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void scope_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
	*f = NULL;
}

static inline void scope_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
	*d = NULL;
}

static inline void scope_free_mem(void *p)
{
	void **q = p;

	free(*q);
	*q = NULL;
}

#define scope_fd   __attribute__((cleanup(scope_close)))
#define scope_file __attribute__((cleanup(scope_fclose)))
#define scope_dir  __attribute__((cleanup(scope_closedir)))
#define scope_mem  __attribute__((cleanup(scope_free_mem)))

/* Hands the descriptor to the caller: `return steal_fd(&fd);`. */
static inline int steal_fd(int *fd)
{
	int mine = *fd;

	*fd = -1;
	return mine;
}
