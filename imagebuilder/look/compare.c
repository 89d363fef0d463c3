/* SPDX-License-Identifier: Apache-2.0 */
/* Disks and packages. */
#include "look/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "store/packages.h"

#define PIECE     (1UL << 20)
#define BOOT_CODE 440 /* bytes of the first sector, before the disk's own name */

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

/* ---- disks ---- */

static const char *number(struct compare *c, uint64_t n)
{
	return arena_printf(c->arena, "%" PRIu64, n);
}

/* Both at the same places; 1: the same. */
static int same_bytes(const struct compare *c, uint64_t at_a, uint64_t at_b, uint64_t len,
                      struct err *e)
{
	scope_mem char *a = malloc(PIECE);
	scope_mem char *b = malloc(PIECE);

	if (!a || !b)
		abort();
	for (uint64_t done = 0; done < len;) {
		size_t n = len - done < PIECE ? (size_t)(len - done) : PIECE;

		if (pread(c->a->disk.fd, a, n, (off_t)(at_a + done)) != (ssize_t)n ||
		    pread(c->b->disk.fd, b, n, (off_t)(at_b + done)) != (ssize_t)n)
			return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EIO,
			               "comparing '%s' and '%s': a partition can't be read",
			               c->a->name, c->b->name);
		if (memcmp(a, b, n) != 0)
			return 0;
		done += n;
	}
	return 1;
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
	int same = 1;

	if (a && b) {
		compare_add(&d, "type", a->type, b->type);
		compare_add(&d, "uuid", a->uuid, b->uuid);
		compare_add(&d, "start", number(c, a->start), number(c, b->start));
		compare_add(&d, "size", number(c, a->size), number(c, b->size));
		if (a != c->a->disk.root && b != c->b->disk.root && a->size == b->size)
			same = same_bytes(c, a->start, b->start, a->size, e);
		if (same == 0)
			compare_add(&d, "content", "one", "another");
	}
	compare_tell(c, &d);
	return same < 0 ? same : 0;
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
	int r = 0;

	if (!c->a->is_disk || !c->b->is_disk)
		return 0;
	compare_add(&d, "table", a->has_table ? "GPT" : "none", b->has_table ? "GPT" : "none");
	compare_add(&d, "size", number(c, a->size), number(c, b->size));
	compare_add(&d, "root-uuid", a->uuid, b->uuid);
	if (a->has_table && b->has_table) {
		compare_add(&d, "uuid", a->table.uuid, b->table.uuid);
		r = same_bytes(c, 0, 0, BOOT_CODE, e);
		if (r < 0)
			return r;
		compare_add(&d, "boot-code", "one", r ? "one" : "another");
	}
	compare_tell(c, &d);
	r = 0;
	for (unsigned i = 1; i <= GPT_ENTRIES && r == 0 && a->has_table && b->has_table; i++) {
		const struct gpt_entry *x = by_number(&a->table, i), *y = by_number(&b->table, i);
		if (x || y)
			r = compare_partition(c, x, y, e);
	}
	return r;
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

	if (r == 0)
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
