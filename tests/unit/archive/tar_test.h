/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of tar_read.c share: a tar made header by header, and its unpacking. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "archive/tar.h"
#include "trees.h"

#define BLOCK 512

struct fixture {
	struct trees *t;
	FILE *tar;
};

struct entry {
	const char *name;
	char type;
	const char *link, *content, *pax;
	unsigned mode, major, minor;
	uint64_t size; /* when there is no content */
	int64_t mtime;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	void *trees;

	trees_setup(&trees);
	f->t = trees;
	f->tar = fopen(f->t->file, "we");
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	void *trees = f->t;

	if (f->tar)
		fclose(f->tar);
	free(f);
	return trees_teardown(&trees);
}

/* ---- making tars ---- */

static inline void octal(char *field, size_t len, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof text, "%031llo", (unsigned long long)value);
	memcpy(field, text + sizeof text - len, len);
}

static inline void put(struct fixture *f, const void *data, size_t len)
{
	static const char zeros[BLOCK];

	assert_int_equal(fwrite(data, 1, len, f->tar), len);
	fwrite(zeros, 1, -len % BLOCK, f->tar);
}

static inline void put_header(struct fixture *f, const struct entry *x, char type, uint64_t size)
{
	char h[BLOCK] = {0};
	unsigned sum = 0;

	snprintf(h, 100, "%s", x->name);
	octal(h + 100, 8, x->mode ? x->mode : 0644);
	octal(h + 108, 8, geteuid());
	octal(h + 116, 8, getegid());
	octal(h + 124, 12, size);
	octal(h + 136, 12, (uint64_t)(x->mtime ? x->mtime : 1000000000));
	h[156] = type;
	if (x->link)
		snprintf(h + 157, 100, "%s", x->link);
	memcpy(h + 257, "ustar\00000", 8);
	octal(h + 329, 8, x->major);
	octal(h + 337, 8, x->minor);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof h; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	put(f, h, sizeof h);
}

static inline void add(struct fixture *f, struct entry x)
{
	uint64_t size = x.content ? strlen(x.content) : x.size;

	if (x.pax) { /* "KEY=VALUE" */
		char record[8192];
		size_t len = strlen(x.pax) + 3; /* a digit, a space and the line's end */

		while (len < strlen(x.pax) + 2 + (size_t)snprintf(NULL, 0, "%zu", len))
			len++;
		snprintf(record, sizeof record, "%zu %s\n", len, x.pax);
		put_header(f, &x, 'x', strlen(record));
		put(f, record, strlen(record));
	}
	put_header(f, &x, x.type ? x.type : '0', size);
	if (x.content)
		put(f, x.content, size);
	for (uint64_t at = 0; !x.content && at < size; at += BLOCK)
		put(f, "z", 1);
}

static inline void finish(struct fixture *f)
{
	char end[2 * BLOCK] = {0};

	put(f, end, sizeof end);
	assert_int_equal(fclose(f->tar), 0);
	f->tar = NULL;
}

static inline int unpack(struct fixture *f, uint64_t ceiling, struct err *e)
{
	if (f->tar)
		finish(f);
	return tar_unpack(f->t->file, f->t->fd, ceiling, CLOCK_NEVER, e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
