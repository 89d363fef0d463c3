/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image opened for inspection: a directory is used as it is; a tar or a raw disk is unpacked
 * into a directory of ours, a qcow2 disk (.qcow2) is first made raw beside it. Unpacking needs root, for the owners of its files.
 */
#pragma once

#include "disk/rawdisk.h"
#include "store/scratch.h"

struct inspect {
	const char *name; /* as the user gave it */
	int root;         /* a descriptor of its tree */
	bool is_disk;
	struct rawdisk disk; /* for a raw disk */
};
#define INSPECT_INIT                                                                               \
	{                                                                                          \
		.root = -1, .disk = RAWDISK_INIT                                                   \
	}

/* A directory in the store for unpacking; inspect_space_close removes it. */
struct inspect_space {
	const char *where; /* the store's directory */
	struct store store;
	struct scratch scratch; /* made on first use */
};
#define INSPECT_SPACE_INIT(directory)                                                              \
	{                                                                                          \
		.where = (directory), .store = STORE_INIT, .scratch = SCRATCH_INIT                 \
	}

void inspect_space_close(struct inspect_space *s);
#define scope_inspect_space __attribute__((cleanup(inspect_space_close)))

/*
 * Opens the image at the path; inspect_close closes the descriptors of `*ret`, which is filled in
 * place. If it has to be unpacked, that is into a new directory `as` in the space, which is made on
 * first use. A disk is only unpacked if e2fsck finds it sound.
 */
int inspect_open(const char *path, struct inspect_space *space, const char *as, uint64_t deadline,
                 struct inspect *ret, struct err *e) ATTR_MUST_USE;
void inspect_close(struct inspect *i);
#define scope_inspect __attribute__((cleanup(inspect_close)))
