/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that is looked into, whatever it is: a directory as it stands, a tar or a raw disk
 * unpacked into a directory of ours. What is unpacked needs root, for the owners of its files.
 */
#pragma once

#include "disk/rawdisk.h"
#include "store/scratch.h"

struct inspect {
	const char *name; /* as it was given */
	int root;         /* a descriptor of its tree */
	bool is_disk;
	struct rawdisk disk; /* of a raw disk */
};
#define INSPECT_INIT                                                                               \
	{                                                                                          \
		.root = -1, .disk = RAWDISK_INIT                                                   \
	}

/* A directory in the store for unpacking; inspect_space_close takes it away. */
struct inspect_space {
	const char *where; /* the store's directory */
	struct store store;
	struct scratch scratch; /* made when it is needed */
};
#define INSPECT_SPACE_INIT(directory)                                                              \
	{                                                                                          \
		.where = (directory), .store = STORE_INIT, .scratch = SCRATCH_INIT                 \
	}

void inspect_space_close(struct inspect_space *s);
#define scope_inspect_space __attribute__((cleanup(inspect_space_close)))

/*
 * Opens the image at the path; the descriptors of `*ret`, filled in place, are inspect_close's to
 * close. What has to be unpacked goes into a new directory `as` in the space, which is made when it
 * is needed. A disk is only unpacked when e2fsck finds it sound.
 */
int inspect_open(const char *path, struct inspect_space *space, const char *as, uint64_t deadline,
                 struct inspect *ret, struct err *e) ATTR_MUST_USE;
void inspect_close(struct inspect *i);
#define scope_inspect __attribute__((cleanup(inspect_close)))
