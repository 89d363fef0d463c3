/* SPDX-License-Identifier: Apache-2.0 */
/* For readers that want a file: one directory for all inputs of a run, in memory, gone at its end.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz.h"
#include "os/tree.h"

static char fuzz_dir_path[] = "/dev/shm/hpc-fuzz.XXXXXX";

static inline void fuzz_remove_dir(void)
{
	struct err ignored;

	(void)tree_remove(AT_FDCWD, fuzz_dir_path, true, &ignored);
}

/* Its descriptor, for as long as the process runs. */
static inline int fuzz_dir(void)
{
	static int fd = -1;

	if (fd >= 0)
		return fd;
	FUZZ_CHECK(mkdtemp(fuzz_dir_path));
	atexit(fuzz_remove_dir);
	fd = open(fuzz_dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(fd >= 0);
	return fd;
}

static inline void fuzz_mkdir(const char *name)
{
	FUZZ_CHECK(mkdirat(fuzz_dir(), name, 0700) == 0 || errno == EEXIST);
}

/* The input as a file of that name. */
static inline void fuzz_put(const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(fuzz_dir(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0 && file_write_all(fd, data, size) == 0);
	close(fd);
}
