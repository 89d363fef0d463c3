/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the disks and the packages of two images. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "look/compare_own.h"
#include "store/packages.h"

#define PIECE     (1UL << 20)
#define BOOT_CODE 440 /* bytes of the first sector, before the disk id */

void compare_tell(struct compare *c, const struct compare_difference *d)
{
	if (d->state == COMPARE_CHANGED && !d->n)
		return;
	c->n++;
	c->tell(c->ctx, d);
}

void compare_add(struct compare_difference *d, const char *what, const char *from, const char *to)
{
	if (d->n < COMPARE_CHANGES && !str_eq(from, to))
		d->changes[d->n++] = (struct compare_change){what, from, to};
}

const char *compare_content(struct arena *a, uint64_t size, struct digest *d)
{
	unsigned char sum[SHA256_LEN];
	char hex[SHA256_HEX];

	digest_sum(d, sum);
	str_hex(sum, sizeof sum, hex);
	return arena_printf(a, "%" PRIu64 " bytes sha256:%.16s", size, hex);
}

/* ---- disks ---- */

static const char *number(struct compare *c, uint64_t n)
{
	return arena_printf(c->arena, "%" PRIu64, n);
}

static int read_region(struct compare *c, const struct inspect *i, uint64_t at, uint64_t len,
                       const char **ret, struct err *e)
{
	scope_mem char *piece = malloc(PIECE);
	scope_digest struct digest *d = digest_new();

	if (!piece)
		abort();
	for (uint64_t done = 0; done < len;) {
		size_t n = len - done < PIECE ? (size_t)(len - done) : PIECE;

		if (pread(i->disk.fd, piece, n, (off_t)(at + done)) != (ssize_t)n)
			return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EIO,
			               "comparing '%s' and '%s': a partition can't be read",
			               c->a->name, c->b->name);
		digest_add(d, piece, n);
		done += n;
	}
	*ret = compare_content(c->arena, len, d);
	return 0;
}

static int compare_region(struct compare *c, struct compare_difference *d, const char *what,
                          uint64_t at_a, uint64_t at_b, uint64_t len, struct err *e)
{
	const char *from, *to;
	int r = read_region(c, c->a, at_a, len, &from, e);

	if (r < 0)
		return r;
	r = read_region(c, c->b, at_b, len, &to, e);
	if (r < 0)
		return r;
	compare_add(d, what, from, to);
	return 0;
}

static int compare_partition(struct compare *c, const struct gpt_entry *a,
                             const struct gpt_entry *b, struct err *e)
{
	const struct gpt_entry *any = a ? a : b;
	const char *kind = gpt_kind(any);
	struct compare_difference d = {.of = "disk",
	                               .state = !a   ? COMPARE_ADDED
	                                        : !b ? COMPARE_REMOVED
	                                             : COMPARE_CHANGED,
	                               .name = arena_printf(c->arena, "partition %u (%s)",
	                                                    any->number, kind ? kind : any->type)};
	int r = 0;

	if (a && b) {
		compare_add(&d, "type", a->type, b->type);
		compare_add(&d, "uuid", a->uuid, b->uuid);
		compare_add(&d, "start", number(c, a->start), number(c, b->start));
		compare_add(&d, "size", number(c, a->size), number(c, b->size));
		if (a != c->a->disk.root && b != c->b->disk.root && a->size == b->size)
			r = compare_region(c, &d, "content", a->start, b->start, a->size, e);
	}
	if (r < 0)
		return r;
	compare_tell(c, &d);
	return 0;
}

static const struct gpt_entry *by_number(const struct gpt_table *t, unsigned number)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->items[i].number == number)
			return &t->items[i];
	return NULL;
}

int compare_disks(struct compare *c, struct err *e)
{
	const struct rawdisk *a = &c->a->disk, *b = &c->b->disk;
	struct compare_difference d = {.of = "disk", .state = COMPARE_CHANGED, .name = "disk"};

	if (!c->a->is_disk || !c->b->is_disk)
		return 0;
	compare_add(&d, "table", a->has_table ? "GPT" : "none", b->has_table ? "GPT" : "none");
	compare_add(&d, "size", number(c, a->size), number(c, b->size));
	compare_add(&d, "root-uuid", a->uuid, b->uuid);
	if (!a->has_table || !b->has_table) {
		compare_tell(c, &d);
		return 0;
	}
	compare_add(&d, "uuid", a->table.uuid, b->table.uuid);
	int r = compare_region(c, &d, "boot-code", 0, 0, BOOT_CODE, e);
	if (r < 0)
		return r;
	compare_tell(c, &d);
	for (unsigned i = 1; i <= GPT_ENTRIES; i++) {
		const struct gpt_entry *x = by_number(&a->table, i), *y = by_number(&b->table, i);
		r = x || y ? compare_partition(c, x, y, e) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- packages ---- */

static int order_of(const struct package *a, const struct package *b)
{
	int r = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

	return r ? r : strcmp(a->arch, b->arch);
}

static void tell_package(struct compare *c, const struct package *a, const struct package *b)
{
	const struct package *any = a ? a : b;
	struct compare_difference d = {
	        .of = "package",
	        .state = !a   ? COMPARE_ADDED
	                 : !b ? COMPARE_REMOVED
	                      : COMPARE_CHANGED,
	        .name = arena_printf(c->arena, "%s:%s", any->name, any->arch)};

	compare_add(&d, "version", a ? a->version : NULL, b ? b->version : NULL);
	compare_tell(c, &d);
}

int compare_packages(struct compare *c, struct err *e)
{
	struct packages a, b;
	size_t i = 0, k = 0;
	int r = packages_read(c->a->root, c->arena, &a, e);

	if (r < 0)
		return r;
	r = packages_read(c->b->root, c->arena, &b, e);
	if (r < 0)
		return r;
	while (i < a.n || k < b.n) {
		const struct package *x = i < a.n ? &a.items[i] : NULL;
		const struct package *y = k < b.n ? &b.items[k] : NULL;
		int order = order_of(x, y);

		tell_package(c, order <= 0 ? x : NULL, order >= 0 ? y : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}
