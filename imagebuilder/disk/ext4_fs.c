/* SPDX-License-Identifier: Apache-2.0 */
/* Opens file systems through libext2fs, and translates its errors to messages. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "disk/ext4_own.h"

int ext4_fail(const struct ext4_fs *f, errcode_t code, struct err *e, const char *doing)
{
	if (code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ENOSPC, "%s '%s': no space left",
		               doing, f->path);
	if (code > 0 && code < 4096)
		return err_errno(e, (int)code, "%s '%s'", doing, f->path);
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EIO, "%s '%s': %s", doing, f->path,
	               error_message(code));
}

int ext4_open(const char *file, uint64_t offset, int flags, struct ext4_fs *f, struct err *e)
{
	char options[64];

	snprintf(f->path, sizeof f->path, "%s", file);
	initialize_ext2_error_table();
	snprintf(options, sizeof options, "offset=%llu", (unsigned long long)offset);
	errcode_t code = ext2fs_open2(file, options, flags | EXT2_FLAG_64BITS, 0, 0,
	                              unix_io_manager, &f->fs);
	if (!code)
		code = ext2fs_read_bitmaps(f->fs);
	if (code)
		return ext4_fail(f, code, e, "opening the file system in");
	return 0;
}

void ext4_close(struct ext4_fs *f)
{
	if (f->fs)
		ext2fs_free(f->fs);
	f->fs = NULL;
	tdestroy(f->links, free);
	f->links = NULL;
	free(f->piece);
	arena_close(f->arena);
}

size_t ext4_enter(struct ext4_fs *f, const char *name)
{
	size_t before = f->path_len;
	int n = snprintf(f->path + before, sizeof f->path - before, "/%s", name);

	f->path_len += n < 0 ? 0 : (size_t)n;
	if (f->path_len >= sizeof f->path)
		f->path_len = sizeof f->path - 1;
	return before;
}

void ext4_leave(struct ext4_fs *f, size_t before)
{
	f->path_len = before;
	f->path[before] = '\0';
}
