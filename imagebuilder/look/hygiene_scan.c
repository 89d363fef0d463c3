/* SPDX-License-Identifier: Apache-2.0 */
/* Searches files for all kinds of secrets at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "look/hygiene_own.h"

#define PAIR        2
#define LEAP        (HYGIENE_ANCHOR - PAIR + 1)
#define NEEDLES_MAX 64

struct anchored {
	const struct hygiene_needle *needle;
	size_t check; /* of the table */
	char anchor[HYGIENE_ANCHOR];
	size_t len; /* of the needle's text */
};

/*
 * The anchors of all needles are searched with the algorithm of Wu and Manber: a window of the
 * anchors' length is moved over the text. The pair of bytes at its end determines how far it may
 * jump, mostly its whole length.
 */
struct hygiene_scanner {
	unsigned char leap[1 << 16]; /* by the pair: how far the window may jump */
	size_t n;
	struct anchored items[NEEDLES_MAX];
	char buffer[HYGIENE_BUFFER];
};

static size_t pair_at(const char *p)
{
	return (unsigned char)p[0] | (size_t)(unsigned char)p[1] << 8;
}

static void add_needle(struct hygiene_scanner *s, size_t check, const struct hygiene_needle *n)
{
	if (s->n == NEEDLES_MAX)
		abort();
	struct anchored *a = &s->items[s->n++];
	*a = (struct anchored){.needle = n, .check = check, .len = strlen(n->text)};
	memcpy(a->anchor, n->text + n->anchor, HYGIENE_ANCHOR);
	for (size_t i = 0; i < LEAP; i++) {
		unsigned char *leap = &s->leap[pair_at(a->anchor + i)];
		if (*leap > LEAP - 1 - i)
			*leap = (unsigned char)(LEAP - 1 - i);
	}
}

struct hygiene_scanner *hygiene_scanner_new(void)
{
	struct hygiene_scanner *s = malloc(sizeof *s);

	if (!s)
		abort();
	memset(s->leap, LEAP, sizeof s->leap);
	s->n = 0;
	for (size_t i = 0; i < hygiene_n_checks; i++)
		for (const struct hygiene_needle *n = hygiene_checks[i].needles; n && n->text; n++)
			add_needle(s, i, n);
	return s;
}

void hygiene_scanner_close(struct hygiene_scanner *s)
{
	free(s);
}

/* A piece of a file. */
struct piece {
	const char *text;
	size_t len;
	long before; /* offset of the piece in the file */
};

/* What begins at the first byte of a later piece was already seen in the one before, with what
 * precedes it. */
static bool begins_here(const struct anchored *a, const struct piece *p, size_t anchor)
{
	size_t at = anchor - a->needle->anchor;

	return anchor >= a->needle->anchor && (at > 0 || p->before == 0) &&
	       memcmp(p->text + anchor, a->anchor, HYGIENE_ANCHOR) == 0 && p->len - at >= a->len &&
	       memcmp(p->text + at, a->needle->text, a->len) == 0 &&
	       a->needle->is(p->text, p->len, at);
}

static void find_needles(const struct hygiene_scanner *s, const struct piece *p, long *ret)
{
	for (size_t at = 0; at + HYGIENE_ANCHOR <= p->len;) {
		size_t leap = s->leap[pair_at(p->text + at + HYGIENE_ANCHOR - PAIR)];
		if (leap) {
			at += leap;
			continue;
		}
		for (size_t i = 0; i < s->n; i++) {
			const struct anchored *a = &s->items[i];
			if (ret[a->check] < 0 && begins_here(a, p, at))
				ret[a->check] = p->before + (long)(at - a->needle->anchor);
		}
		at++;
	}
}

/* As with needles, a match at the beginning of a later piece was already tested in
 * the one before. */
static long scan_lines(const struct hygiene_check *c, const struct piece *p)
{
	long at = c->scan(c, p->text, p->len);

	if (at != 0 || p->before == 0)
		return at < 0 ? -1 : p->before + at;
	at = c->scan(c, p->text + 1, p->len - 1);
	return at < 0 ? -1 : p->before + at + 1;
}

static void look_at_head(const struct piece *p, uint64_t size, long *ret)
{
	for (size_t i = 0; i < hygiene_n_checks; i++)
		if (hygiene_checks[i].magic && hygiene_checks[i].magic(p->text, p->len, size))
			ret[i] = 0;
}

int hygiene_scan_file(struct hygiene_scanner *s, int fd, uint64_t size,
                      const struct hygiene_check *const *more, size_t n_more,
                      long ret[static HYGIENE_CHECKS_MAX], long *ret_more)
{
	size_t have = 0;
	struct piece p = {.text = s->buffer};

	for (size_t i = 0; i < HYGIENE_CHECKS_MAX; i++)
		ret[i] = -1;
	for (size_t i = 0; i < n_more; i++)
		ret_more[i] = -1;
	for (;;) {
		ssize_t got = read(fd, s->buffer + have, HYGIENE_BUFFER - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		have += (size_t)got;
		/* A file most likely ends at its size. */
		bool whole = got == 0 || (uint64_t)p.before + have == size;
		if (!whole && have < HYGIENE_BUFFER)
			continue;
		p.len = have;
		if (p.before == 0)
			look_at_head(&p, size, ret);
		find_needles(s, &p, ret);
		for (size_t i = 0; i < n_more; i++)
			if (ret_more[i] < 0)
				ret_more[i] = scan_lines(more[i], &p);
		if (whole)
			return 0;
		/* One character more than the longest match: the character before
		 * it also matters. */
		memmove(s->buffer, s->buffer + have - HYGIENE_OVERLAP, HYGIENE_OVERLAP);
		p.before += (long)(have - HYGIENE_OVERLAP);
		have = HYGIENE_OVERLAP;
	}
}
