/* SPDX-License-Identifier: Apache-2.0 */
/* Makes an empty root file system, and measures what trees need and what is free. */
#include "disk/ext4.h"

#include "disk/ext4_own.h"
#include "os/tree.h"

/* Features that GRUB 2.06 and kernels from 4.18 on can read: no
 * orphan_file, no metadata_csum_seed. */
#define FEATURES                                                                                   \
	"none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,"          \
	"sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum"

int ext4_make(struct host *tools, const struct ext4_spec *s, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *const argv[] = {
	        "mke2fs",
	        "-q",
	        "-F",
	        "-b",
	        "4096",
	        "-I",
	        "256",
	        "-i",
	        "16384",
	        "-m",
	        "1",
	        "-O",
	        FEATURES,
	        "-U",
	        s->uuid,
	        "-L",
	        s->label,
	        "-E",
	        arena_printf(a,
	                     "offset=%llu,hash_seed=%s,root_owner=0:0,lazy_itable_init=0,"
	                     "lazy_journal_init=1",
	                     (unsigned long long)s->offset, s->hash_seed),
	        s->file,
	        arena_printf(a, "%llu", (unsigned long long)(s->size / EXT4_BLOCK)),
	        NULL,
	};
	const char *const env[] = {
	        "MKE2FS_CONFIG=/dev/null",
	        arena_printf(a, "E2FSPROGS_FAKE_TIME=%lld", (long long)s->epoch),
	        NULL,
	};
	struct host_exec x = {.argv = argv, .env = env, .changes = true, .deadline = deadline};
	struct host_result out;

	return host_run_ok(tools, &x, a, &out, e);
}

int ext4_space(const struct ext4_spec *s, struct ext4_need *ret, struct err *e)
{
	scope_ext4 struct ext4_fs f = {0};
	int r = ext4_open(s->file, s->offset, 0, &f, e);

	if (r < 0)
		return r;
	ret->bytes = ext2fs_free_blocks_count(f.fs->super) * EXT4_BLOCK;
	ret->inodes = f.fs->super->s_free_inodes_count;
	return 0;
}

static int measure(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct ext4_need *need = ctx;
	uint64_t size = (uint64_t)at->st->st_size;

	(void)e;
	need->inodes++;
	need->bytes += S_ISDIR(at->st->st_mode) ? EXT4_BLOCK
	                                        : (size + EXT4_BLOCK - 1) / EXT4_BLOCK * EXT4_BLOCK;
	return TREE_GO;
}

int ext4_measure(int tree, struct ext4_need *ret, struct err *e)
{
	struct ext4_need need = {0};
	const struct tree_walk walk = {.visit = measure, .ctx = &need, .depth = EXT4_DEPTH};
	int r = tree_walk(tree, &walk, e);

	if (r < 0)
		return err_wrap(e, "measuring the tree");
	*ret = need;
	return 0;
}
