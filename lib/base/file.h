/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files, safely: read with a ceiling, replaced in one step.
 *
 * Paths are resolved below `dirfd` with openat2(RESOLVE_IN_ROOT): an absolute path or symlink stays
 * inside the directory, so a descriptor of an image's root is a root. AT_FDCWD means the process's
 * own root and working directory. Parents are not created here.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

/* Opens below dirfd as openat2(2) with RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS. O_CLOEXEC is added.
 */
int file_open(int dirfd, const char *path, int flags, mode_t mode);

/* The content of a regular file up to `ceiling` bytes, NUL-terminated. Larger: -EFBIG, ERR_INPUT.
 */
int file_read(int dirfd, const char *path, size_t ceiling, struct arena *a, struct blob *ret,
              struct err *e) ATTR_MUST_USE;
/* The same of a file that was opened with these flags; the path is for messages. */
#define FILE_READ_FLAGS (O_RDONLY | O_NOCTTY | O_NONBLOCK)
int file_read_open(int fd, const char *path, size_t ceiling, struct arena *a, struct blob *ret,
                   struct err *e) ATTR_MUST_USE;
/* As file_read(), for a file that the user named: if it can't be read, the input is wrong
 * (ERR_INPUT). */
int file_read_input(const char *path, size_t max, struct arena *a, struct blob *ret,
                    struct err *e) ATTR_MUST_USE;

struct file_attr {
	mode_t mode; /* permission bits, set before a byte is visible */
	uid_t uid;   /* (uid_t)-1: leave as created */
	gid_t gid;
	bool unsynced; /* the machine's crash, not the process's, may lose it, or leave it empty */
};

/*
 * A new file beside its final place, invisible until commit: O_TMPFILE, or where the file system
 * has none a name ".NAME.hpc-new" that the next run removes. Commit sets owner and mode, fsyncs,
 * renames over the old file and fsyncs the directory; until then the old file is untouched, and a
 * process killed at any moment leaves old or new, never a part.
 */
struct file_new {
	int fd;  /* write here; -1 after commit or discard */
	int dir; /* descriptor of the parent directory */
	bool named;
	char name[256];
	char temp[272];
};

int file_new_open(struct file_new *f, int dirfd, const char *path, struct err *e) ATTR_MUST_USE;
int file_new_write(struct file_new *f, const void *data, size_t len, struct err *e) ATTR_MUST_USE;
int file_new_commit(struct file_new *f, const struct file_attr *attr, struct err *e) ATTR_MUST_USE;
/* Discards it, leaving nothing behind. Safe after commit and on a zeroed struct with fd -1. */
void file_new_close(struct file_new *f);
#define scope_file_new __attribute__((cleanup(file_new_close)))
#define FILE_NEW_INIT                                                                              \
	{                                                                                          \
		.fd = -1, .dir = -1                                                                \
	}

/* open + write + commit in one call. */
int file_replace(int dirfd, const char *path, const void *data, size_t len,
                 const struct file_attr *attr, struct err *e) ATTR_MUST_USE;

/* Removes a file or link; a missing one is no error. */
int file_remove(int dirfd, const char *path, struct err *e) ATTR_MUST_USE;

/* Lower-case hex of the SHA-256 of its content. */
int file_sha256(int dirfd, const char *path, char ret[static SHA256_HEX],
                struct err *e) ATTR_MUST_USE;

/* read(2)/write(2) until done or error; EINTR is not an error. */
int file_write_all(int fd, const void *data, size_t len);

/* Makes a memfd that allows it unchangeable for ever, fcntl(2): 0 or -errno. EBUSY, for whatever still
 * holds its pages (a copy that has just ended, or a mapping), is waited for up to a second. */
int file_seal(int fd);
