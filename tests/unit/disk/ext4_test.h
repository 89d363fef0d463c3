/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the image's file system share: one, and the tree that is laid into it. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "disk/ext4.h"
#include "trees.h"

#define OFFSET ((uint64_t)MIB)
#define SIZE   (32 * MIB)
#define EPOCH  1000000000

struct fixture {
	struct trees *t; /* its tree is the layer; its file the disk */
	struct trees *out;
	struct host *here;
	struct ext4_spec spec;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;
	void *trees;

	trees_setup(&trees);
	f->t = trees;
	trees_setup(&trees);
	f->out = trees;
	int fd = open(f->t->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, OFFSET + SIZE), 0);
	close(fd);
	assert_ok(host_open("/", HOST_LIVE, &f->here, &e));
	f->spec = (struct ext4_spec){.file = f->t->file,
	                             .offset = OFFSET,
	                             .size = SIZE,
	                             .uuid = "11111111-2222-3333-4444-555555555555",
	                             .hash_seed = "66666666-7777-8888-9999-aaaaaaaaaaaa",
	                             .label = "root",
	                             .epoch = EPOCH};
	assert_ok(ext4_make(f->here, &f->spec, CLOCK_NEVER, &e));
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	void *trees = f->t;
	int r = trees_teardown(&trees);

	trees = f->out;
	host_close(f->here);
	free(f);
	return trees_teardown(&trees) || r;
}

static inline void assert_sound(struct fixture *f)
{
	char command[256];

	snprintf(command, sizeof command, "e2fsck -fn '%s?offset=%llu' >%s/fsck 2>&1", f->t->file,
	         (unsigned long long)OFFSET, f->t->dir);
	if (system(command) != 0) {
		snprintf(command, sizeof command, "cat %s/fsck", f->t->dir);
		(void)!system(command);
		fail_msg("e2fsck finds it damaged");
	}
}

static inline void lay(struct fixture *f)
{
	struct err e;

	assert_ok(ext4_lay(&f->spec, f->t->fd, &e));
	assert_sound(f);
}

static inline void unpack(struct fixture *f)
{
	struct err e;

	assert_ok(ext4_unpack(f->t->file, OFFSET, f->out->fd, 64 * MIB, true, &e));
}

/* Another layer in the tree's place. */
static inline void next_layer(struct fixture *f)
{
	char command[256];

	snprintf(command, sizeof command, "find %s -mindepth 1 -delete", f->t->path);
	assert_int_equal(system(command), 0);
}

static inline bool disk_has(struct fixture *f, const char *text)
{
	struct blob all = trees_file(f->t);

	return memmem(all.data, all.len, text, strlen(text));
}

static inline char *large(size_t len, char c)
{
	char *text = calloc(1, len + 1);

	memset(text, c, len);
	return text;
}
