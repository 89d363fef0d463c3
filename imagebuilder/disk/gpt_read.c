/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a partition table: UEFI 2.10, chapter 5. All numbers are little-endian. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/scope.h"
#include "disk/gpt.h"

#define SIGNATURE "EFI PART"
#define HEAD      92 /* bytes used; the header says how many its checksum covers */
#define ENTRY     128

static const struct {
	const char *type, *kind, *arch;
} kinds[] = {
        {"21686148-6449-6e6f-744e-656564454649", "bios", NULL},
        {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "esp", NULL},
        {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "root", "x86_64"},
        {"b921b045-1df0-41c3-af44-4c6f280d3fae", "root", "arm64"},
        {"0fc63daf-8483-4772-8e79-3d69d8477de4", "linux", NULL},
};

const char *gpt_kind(const struct gpt_entry *p)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(kinds[i].type, p->type))
			return kinds[i].kind;
	return NULL;
}

const char *gpt_arch(const struct gpt_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (kinds[k].arch && str_eq(kinds[k].type, t->items[i].type))
				return kinds[k].arch;
	return NULL;
}

static uint32_t le32_at(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static uint64_t le64_at(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

/* The first three parts of a GUID are little-endian numbers, so their bytes are reversed. */
static void guid_text(const unsigned char *g, char out[static IDENT_UUID])
{
	static const unsigned char order[16] = {3, 2, 1,  0,  5,  4,  7,  6,
	                                        8, 9, 10, 11, 12, 13, 14, 15};
	unsigned char b[16];

	for (size_t i = 0; i < sizeof b; i++)
		b[i] = g[order[i]];
	ident_text(b, out);
}

static int damaged(const char *name, struct err *e, const char *what)
{
	return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
	               "reading the partition table of '%s': %s", name, what);
}

static int read_at(int fd, const char *name, uint64_t at, void *to, size_t len, struct err *e)
{
	ssize_t n = at > INT64_MAX ? 0 : pread(fd, to, len, (off_t)at);

	if (n < 0)
		return err_errno(e, errno, "reading '%s'", name);
	return (size_t)n == len ? 0 : damaged(name, e, "it lies behind the disk's end");
}

struct header {
	uint64_t own, other, first, last, entries;
	unsigned char uuid[16];
	uint32_t n, entries_crc;
};

static int read_header(int fd, const char *name, uint64_t sector, struct header *ret, struct err *e)
{
	unsigned char b[GPT_SECTOR];

	if (sector > UINT64_MAX / GPT_SECTOR)
		return damaged(name, e, "it lies behind the disk's end");
	int r = read_at(fd, name, sector * GPT_SECTOR, b, sizeof b, e);
	if (r < 0)
		return r;
	uint32_t size = le32_at(b + 12), crc = le32_at(b + 16);
	if (memcmp(b, SIGNATURE, 8) != 0)
		return damaged(name, e, "no header where one should be");
	if (size < HEAD || size > sizeof b)
		return damaged(name, e, "its header has an impossible size");
	memset(b + 16, 0, 4);
	if ((uint32_t)crc32(0, b, (uInt)size) != crc)
		return damaged(name, e, "its header has a wrong checksum");
	*ret = (struct header){.own = le64_at(b + 24),
	                       .other = le64_at(b + 32),
	                       .first = le64_at(b + 40),
	                       .last = le64_at(b + 48),
	                       .entries = le64_at(b + 72),
	                       .n = le32_at(b + 80),
	                       .entries_crc = le32_at(b + 88)};
	memcpy(ret->uuid, b + 56, sizeof ret->uuid);
	if (ret->own != sector)
		return damaged(name, e, "its header is of another place");
	if (le32_at(b + 84) != ENTRY || ret->n > GPT_ENTRIES)
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		        "reading the partition table of '%s': expected at most %d entries of "
		        "%d bytes",
		        name, GPT_ENTRIES, ENTRY);
	return 0;
}

static int read_entry(const unsigned char *b, unsigned number, const struct header *h,
                      const char *name, struct gpt_table *t, struct err *e)
{
	static const unsigned char unused[16];
	uint64_t first = le64_at(b + 32), last = le64_at(b + 40);

	if (memcmp(b, unused, sizeof unused) == 0)
		return 0;
	if (first < h->first || last > h->last || last < first)
		return damaged(name, e, "a partition lies outside of where partitions may be");
	struct gpt_entry *p = &t->items[t->n];
	*p = (struct gpt_entry){.number = number,
	                        .start = first * GPT_SECTOR,
	                        .size = (last - first + 1) * GPT_SECTOR};
	guid_text(b, p->type);
	guid_text(b + 16, p->uuid);
	for (size_t i = 0; i < GPT_NAME - 1 && (b[56 + 2 * i] || b[57 + 2 * i]); i++) {
		unsigned char low = b[56 + 2 * i];
		p->name[i] = (char)(b[57 + 2 * i] || low < ' ' || low > '~' ? '?' : low);
	}
	for (size_t i = 0; i < t->n; i++)
		if (p->start < t->items[i].start + t->items[i].size &&
		    t->items[i].start < p->start + p->size)
			return damaged(name, e, "partitions lie over each other");
	t->n++;
	return 0;
}

static int read_table(int fd, const char *name, uint64_t sector, uint64_t size, struct gpt_table *t,
                      struct err *e)
{
	scope_mem unsigned char *all = calloc(GPT_ENTRIES, ENTRY);
	struct header h;
	int r = read_header(fd, name, sector, &h, e);

	if (!all)
		abort();
	if (r < 0)
		return r;
	if (h.entries > size / GPT_SECTOR || h.last >= size / GPT_SECTOR ||
	    h.other > size / GPT_SECTOR)
		return damaged(name, e, "it is of a larger disk");
	r = read_at(fd, name, h.entries * GPT_SECTOR, all, (size_t)h.n * ENTRY, e);
	if (r < 0)
		return r;
	if ((uint32_t)crc32(0, all, (uInt)h.n * ENTRY) != h.entries_crc)
		return damaged(name, e, "its entries have a wrong checksum");
	t->n = 0;
	t->copy = h.other * GPT_SECTOR;
	guid_text(h.uuid, t->uuid);
	for (unsigned i = 0; i < h.n; i++) {
		r = read_entry(all + (size_t)i * ENTRY, i + 1, &h, name, t, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int size_of(int fd, const char *name, uint64_t *ret, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "looking at '%s'", name);
	*ret = (uint64_t)st.st_size;
	return 0;
}

int gpt_read(int fd, const char *name, struct gpt_table *ret, struct err *e)
{
	struct gpt_table t;
	unsigned char head[8];
	uint64_t size = 0;
	int r = size_of(fd, name, &size, e);

	if (r < 0)
		return r;
	if (pread(fd, head, sizeof head, GPT_SECTOR) != sizeof head ||
	    memcmp(head, SIGNATURE, sizeof head) != 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, ENOENT, "'%s' has no GPT", name);
	r = read_table(fd, name, 1, size, &t, e);
	if (r < 0)
		return r;
	*ret = t;
	return 0;
}

int gpt_check_copy(int fd, const char *name, const struct gpt_table *t, struct err *e)
{
	struct gpt_table copy;
	uint64_t size = 0;
	int r = size_of(fd, name, &size, e);

	if (r < 0)
		return r;
	if (t->copy != (size / GPT_SECTOR - 1) * GPT_SECTOR)
		return damaged(name, e, "its copy is not at the disk's end");
	r = read_table(fd, name, t->copy / GPT_SECTOR, size, &copy, e);
	if (r < 0)
		return err_wrap(e, "the copy");
	bool same = copy.n == t->n && str_eq(copy.uuid, t->uuid);
	for (size_t i = 0; same && i < t->n; i++)
		same = memcmp(&copy.items[i], &t->items[i], sizeof copy.items[i]) == 0;
	return same ? 0 : damaged(name, e, "its copy says something else");
}
