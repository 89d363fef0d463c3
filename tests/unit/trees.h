/* SPDX-License-Identifier: Apache-2.0 */
/* A tree in a directory of the test's own, and looking at it. */
#pragma once

#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define MIB ((uint64_t)1 << 20)

struct trees {
	char dir[64];
	char file[96]; /* a name beside the tree */
	char path[96]; /* of the tree */
	int fd;        /* of the tree */
	struct arena *a;
};

/* For cmocka: *state is the struct. */
int trees_setup(void **state);
int trees_teardown(void **state);

/* In the tree; the test fails where it is not so. */
struct stat trees_stat(const struct trees *t, const char *name);
bool trees_has(const struct trees *t, const char *name);
const char *trees_text(const struct trees *t, const char *name);
/* The length of the xattr, which is put into value; -1: there is none. */
ssize_t trees_xattr(const struct trees *t, const char *name, const char *xattr, void *value,
                    size_t cap);

void trees_put(const struct trees *t, const char *name, const char *text, unsigned mode);
void trees_date(const struct trees *t, const char *name, time_t sec, long ns);
/* As above, of the file beside the tree. */
struct blob trees_file(const struct trees *t);
