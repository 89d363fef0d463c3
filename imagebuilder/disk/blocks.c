/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of a raw disk's blocks: computed from the disk, stored in a file, compared. */
#include "disk/blocks.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/scope.h"

#define MAGIC "hpc-blocks 1\n"
#define HEAD  (sizeof MAGIC - 1 + sizeof(uint32_t))

static const unsigned char none[SHA256_LEN];

static void blocks_new(struct blocks *b, uint32_t n)
{
	b->n = n;
	b->sha256 = calloc(n ? n : 1, SHA256_LEN);
	if (!b->sha256)
		abort();
}

void blocks_close(struct blocks *b)
{
	free(b->sha256);
	*b = (struct blocks){0};
}

static const unsigned char *sha_of(const struct blocks *b, uint32_t i)
{
	return i < b->n ? b->sha256[i] : none;
}

bool blocks_zero(const struct blocks *b, uint32_t i)
{
	return memcmp(sha_of(b, i), none, SHA256_LEN) == 0;
}

bool blocks_same(const struct blocks *a, const struct blocks *b, uint32_t i)
{
	return memcmp(sha_of(a, i), sha_of(b, i), SHA256_LEN) == 0;
}

/* ---- reading a disk -------------------------------------------------------------------------- */

int blocks_read(int fd, const char *name, uint32_t i, void *block, struct err *e)
{
	off_t at = (off_t)i * BLOCKS_SIZE;
	size_t got = 0;

	while (got < BLOCKS_SIZE) {
		ssize_t n = pread(fd, (char *)block + got, BLOCKS_SIZE - got, at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "reading '%s'", name);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	memset((char *)block + got, 0, BLOCKS_SIZE - got);
	return 0;
}

/* Compares the block with itself, shifted by one word: needs no table of zeros, and memcmp is as
 * fast as memory. */
static bool all_zero(const void *block)
{
	const char *p = block;
	uint64_t first;

	memcpy(&first, p, sizeof first);
	return first == 0 && memcmp(p, p + sizeof first, BLOCKS_SIZE - sizeof first) == 0;
}

static const struct {
	const char *magic, *name;
} formats[] = {
        {"conectix", "VHD"},
        {"vhdxfile", "VHDX"},
        {"QFI\xfb", "qcow2"},
        {"KDMV", "VMDK"},
        {"# Disk DescriptorFile", "VMDK"},
        {"<<< ", "VDI"},
        {"\x1f\x8b", "gzip"},
        {"\xfd"
         "7zXZ",
         "xz"},
        {"\x28\xb5\x2f\xfd", "zstd"},
};

static int wrong_format(const char *name, const char *format, struct err *e)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
	               "'%s' is a %s file; expected a raw disk", name, format);
}

static int check_format(int fd, const char *name, off_t size, struct err *e)
{
	char head[32] = {0}, tail[8] = {0};

	if (pread(fd, head, sizeof head, 0) < 0 ||
	    (size >= 512 && pread(fd, tail, sizeof tail, size - 512) < 0))
		return err_errno(e, errno, "reading '%s'", name);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (memcmp(head, formats[i].magic, strlen(formats[i].magic)) == 0)
			return wrong_format(name, formats[i].name, e);
	/* A VHD of fixed size is a raw disk with a footer. */
	return memcmp(tail, "conectix", 8) == 0 ? wrong_format(name, "VHD", e) : 0;
}

static int check_file(int fd, const char *name, uint32_t *ret_n, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "'%s'", name);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "'%s' isn't a file with a disk in it", name);
	if ((uint64_t)st.st_size > (uint64_t)BLOCKS_MAX * BLOCKS_SIZE)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EFBIG,
		               "'%s' is larger than a volume can be (64 TiB)", name);
	*ret_n = (uint32_t)(((uint64_t)st.st_size + BLOCKS_SIZE - 1) / BLOCKS_SIZE);
	return check_format(fd, name, st.st_size, e);
}

int blocks_check(int fd, const char *name, struct err *e)
{
	uint32_t n;

	return check_file(fd, name, &n, e);
}

/* The first block at or after `i` that has data, or n. */
static uint32_t next_data(int fd, uint32_t i, uint32_t n)
{
	off_t at = lseek(fd, (off_t)i * BLOCKS_SIZE, SEEK_DATA);

	if (at < 0)
		return errno == ENXIO ? n : i; /* no support for holes: all is data */
	return (uint32_t)((uint64_t)at / BLOCKS_SIZE);
}

int blocks_scan(int fd, const char *name, struct blocks *ret, struct err *e)
{
	scope_mem void *block = malloc(BLOCKS_SIZE);
	struct blocks b;
	uint32_t n;
	int r = check_file(fd, name, &n, e);

	if (!block)
		abort();
	if (r < 0)
		return r;
	blocks_new(&b, n);
	for (uint32_t i = next_data(fd, 0, n); i < n; i = next_data(fd, i + 1, n)) {
		r = blocks_read(fd, name, i, block, e);
		if (r < 0) {
			blocks_close(&b);
			return r;
		}
		if (!all_zero(block))
			digest_sha256(block, BLOCKS_SIZE, b.sha256[i]);
	}
	*ret = b;
	return 0;
}

/* ---- the stored file ------------------------------------------------------------------------- */

static uint32_t used(const struct blocks *b)
{
	uint32_t n = b->n;

	while (n && blocks_zero(b, n - 1))
		n--;
	return n;
}

static void put_head(const struct blocks *b, unsigned char head[static HEAD])
{
	uint32_t n = htole32(b->n);

	memcpy(head, MAGIC, sizeof MAGIC - 1);
	memcpy(head + sizeof MAGIC - 1, &n, sizeof n);
}

void blocks_digest(const struct blocks *b, char ret[static SHA256_HEX])
{
	scope_digest struct digest *d = digest_new();
	unsigned char sum[SHA256_LEN];

	digest_add(d, MAGIC, sizeof MAGIC - 1);
	digest_add(d, b->sha256, (size_t)used(b) * SHA256_LEN);
	digest_sum(d, sum);
	str_hex(sum, sizeof sum, ret);
}

static void file_digest(const unsigned char *head, const void *list, size_t len,
                        unsigned char sum[static SHA256_LEN])
{
	scope_digest struct digest *d = digest_new();

	digest_add(d, head, HEAD);
	digest_add(d, list, len);
	digest_sum(d, sum);
}

int blocks_save(const struct blocks *b, int dirfd, const char *path, struct err *e)
{
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};
	scope_file_new struct file_new f = FILE_NEW_INIT;
	unsigned char head[HEAD], sum[SHA256_LEN];
	size_t len = (size_t)b->n * SHA256_LEN;
	int r = file_new_open(&f, dirfd, path, e);

	if (r < 0)
		return r;
	put_head(b, head);
	file_digest(head, b->sha256, len, sum);
	r = file_new_write(&f, head, sizeof head, e);
	if (r < 0)
		return r;
	r = file_new_write(&f, b->sha256, len, e);
	if (r < 0)
		return r;
	r = file_new_write(&f, sum, sizeof sum, e);
	if (r < 0)
		return r;
	return file_new_commit(&f, &attr, e);
}

int blocks_load(int dirfd, const char *path, struct blocks *ret, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	unsigned char sum[SHA256_LEN];
	struct blob text;
	uint32_t n = 0;
	size_t len;
	int r = file_read(dirfd, path, HEAD + (size_t)BLOCKS_MAX * SHA256_LEN + SHA256_LEN, a,
	                  &text, e);

	if (r < 0)
		return r;
	if (text.len >= HEAD + SHA256_LEN && memcmp(text.data, MAGIC, sizeof MAGIC - 1) == 0)
		memcpy(&n, text.data + sizeof MAGIC - 1, sizeof n);
	n = le32toh(n);
	len = (size_t)n * SHA256_LEN;
	if (n && n <= BLOCKS_MAX && text.len == HEAD + len + SHA256_LEN) {
		file_digest((const unsigned char *)text.data, text.data + HEAD, len, sum);
		if (memcmp(sum, text.data + HEAD + len, SHA256_LEN) == 0) {
			blocks_new(ret, n);
			memcpy(ret->sha256, text.data + HEAD, len);
			return 0;
		}
	}
	return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
	               "'%s' is damaged: publish without a parent", path);
}
