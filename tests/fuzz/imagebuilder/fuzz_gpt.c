/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes partition tables, both copies. */
#include <zlib.h>

#include "disk/gpt.h"
#include "fuzz_file.h"

#define HEAD    92
#define ENTRIES (2 * GPT_SECTOR)
#define DISK    (64 * GPT_SECTOR)

/* What no input would come to by itself: the checksums are right. */
static void mend(uint8_t *disk)
{
	uint8_t *head = disk + GPT_SECTOR;
	uint32_t n, crc, size = HEAD;

	memcpy(head, "EFI PART", 8);
	memcpy(head + 12, &size, sizeof size);
	memcpy(&n, head + 80, sizeof n);
	crc = (uint32_t)crc32(0, disk + ENTRIES, n <= GPT_ENTRIES ? n * 128 : 0);
	memcpy(head + 88, &crc, sizeof crc);
	memset(head + 16, 0, 4);
	crc = (uint32_t)crc32(0, head, HEAD);
	memcpy(head + 16, &crc, sizeof crc);
}

static void check(const struct gpt_table *t)
{
	FUZZ_CHECK(t->n <= GPT_ENTRIES);
	for (size_t i = 0; i < t->n; i++) {
		const struct gpt_entry *p = &t->items[i];

		FUZZ_CHECK(p->size && p->start + p->size <= DISK && p->start % GPT_SECTOR == 0);
		FUZZ_CHECK(strlen(p->name) < GPT_NAME && strlen(p->type) == IDENT_UUID - 1);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(t->items[k].number < p->number &&
			           (t->items[k].start + t->items[k].size <= p->start ||
			            p->start + p->size <= t->items[k].start));
	}
}

/* Whatever a table says, as it is and with its checksums mended: what is taken lies in the disk,
 * and nothing over anything else. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t disk[DISK];
	struct gpt_table t;
	struct err e = {0};

	memset(disk, 0, sizeof disk);
	memcpy(disk + GPT_SECTOR, data, size < DISK - GPT_SECTOR ? size : DISK - GPT_SECTOR);
	for (int mended = 0; mended < 2; mended++) {
		if (mended)
			mend(disk);
		fuzz_put("disk", disk, sizeof disk);
		int fd = openat(fuzz_dir(), "disk", O_RDONLY | O_CLOEXEC);
		int r = gpt_read(fd, "disk", &t, &e);
		FUZZ_CHECK(r == 0 ||
		           (e.no == -r && (e.kind == ERR_INTEGRITY || e.kind == ERR_INPUT)));
		if (r == 0)
			check(&t);
		if (r == 0 && gpt_check_copy(fd, "disk", &t, &e) < 0)
			FUZZ_CHECK(e.kind == ERR_INTEGRITY || e.kind == ERR_INPUT);
		close(fd);
	}
	return 0;
}
