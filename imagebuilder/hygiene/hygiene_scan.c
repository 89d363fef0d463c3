/* SPDX-License-Identifier: Apache-2.0 */
/* Searches files for all kinds of secrets at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "data/gzip.h"
#include "hygiene/hygiene_scan_own.h"

#define PAIR         2
#define LEAP         (HYGIENE_ANCHOR - PAIR + 1)
#define NEEDLES_MAX  160
#define UNPACKED_MAX (1L << 30) /* bytes of one packed file that are looked at */
#define UTF16_HEAD   16         /* bytes that tell UTF-16 without a mark */

struct anchored {
	const struct hygiene_needle *needle;
	size_t check; /* of the table */
	char anchor[HYGIENE_ANCHOR];
	size_t len;   /* of the needle's text */
	size_t other; /* the next one whose anchor ends with the same pair, from 1; 0: none */
};

/*
 * The anchors of all needles are searched with the algorithm of Wu and Manber: a window of the
 * anchors' length is moved over the text. The pair of bytes at its end determines how far it may
 * jump, mostly its whole length.
 */
struct hygiene_scanner {
	unsigned char leap[1 << 16]; /* by the pair: how far the window may jump */
	unsigned char first
	        [1 << 16]; /* by the pair: the first needle whose anchor ends with it, from 1 */
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
	unsigned char *first = &s->first[pair_at(a->anchor + HYGIENE_ANCHOR - PAIR)];
	a->other = *first;
	*first = (unsigned char)s->n;
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
	memset(s->first, 0, sizeof s->first);
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

static bool is_one(const struct anchored *a, const struct piece *p, size_t at)
{
	const struct hygiene_needle *n = a->needle;

	return n->is ? n->is(p->text, p->len, at)
	             : hygiene_is_token(p->text, p->len, at, a->len, n->least, n->also);
}

/* What begins at the first byte of a later piece was already seen in the one before, with what
 * precedes it. */
static bool begins_here(const struct anchored *a, const struct piece *p, size_t anchor)
{
	size_t at = anchor - a->needle->anchor;

	return anchor >= a->needle->anchor && (at > 0 || p->before == 0) &&
	       memcmp(p->text + anchor, a->anchor, HYGIENE_ANCHOR) == 0 && p->len - at >= a->len &&
	       memcmp(p->text + at, a->needle->text, a->len) == 0 && is_one(a, p, at);
}

static void find_needles(const struct hygiene_scanner *s, const struct piece *p, long *ret)
{
	for (size_t at = 0; at + HYGIENE_ANCHOR <= p->len;) {
		size_t pair = pair_at(p->text + at + HYGIENE_ANCHOR - PAIR), leap = s->leap[pair];
		if (leap) {
			at += leap;
			continue;
		}
		for (size_t i = s->first[pair]; i; i = s->items[i - 1].other) {
			const struct anchored *a = &s->items[i - 1];
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

/* ---- what a file's bytes are read as ---- */

enum order { ORDER_BYTES, ORDER_LITTLE, ORDER_BIG }; /* of UTF-16 */

struct source {
	int fd;
	struct gzip_reader *packed; /* NULL: the bytes as they are */
	enum order order;
	uint64_t size; /* UINT64_MAX: not known before its end */
	bool ended;
};

/* ASCII in UTF-16, with or without its mark: each second byte is zero, and the others are not. */
static enum order order_of(const char *text, size_t len)
{
	bool little = len >= UTF16_HEAD, big = little;

	if (len >= 2 && memcmp(text, "\xff\xfe", 2) == 0)
		return ORDER_LITTLE;
	if (len >= 2 && memcmp(text, "\xfe\xff", 2) == 0)
		return ORDER_BIG;
	for (size_t i = 0; (little || big) && i < UTF16_HEAD; i += 2) {
		little = little && text[i] && !text[i + 1];
		big = big && !text[i] && text[i + 1];
	}
	return little ? ORDER_LITTLE : big ? ORDER_BIG : ORDER_BYTES;
}

static ssize_t take(struct source *s, char *to, size_t room)
{
	ssize_t n;

	if (s->packed)
		return gzip_reader_read(s->packed, to, room);
	do
		n = read(s->fd, to, room);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* UTF-16 as one byte a character; what isn't ASCII becomes 1, which is in no secret. */
static size_t narrow(char *text, size_t len, enum order order)
{
	size_t low = order == ORDER_LITTLE ? 0 : 1, n = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		text[n++] = text[i + 1 - low] || !text[i + low] ? 1 : text[i + low];
	return n;
}

/* Fills the room, or up to the end. */
static ssize_t fill(struct source *s, char *to, size_t room)
{
	size_t have = 0;

	while (have < room && !s->ended) {
		ssize_t n = take(s, to + have, room - have);
		if (n < 0)
			return n;
		have += (size_t)n;
		/* A file most likely ends at its size. */
		s->ended = n == 0 || have == s->size;
	}
	if (s->size != UINT64_MAX)
		s->size -= have;
	return (ssize_t)(s->order == ORDER_BYTES ? have : narrow(to, have, s->order));
}

/* ---- a file ---- */

struct scan {
	struct hygiene_scanner *scanner;
	const struct hygiene_check *const *more;
	size_t n_more;
	struct hygiene_hits *hits;
	enum order order; /* of what was read, by its beginning */
	bool packed;
};

static void look_at_head(struct scan *scan, const struct piece *p, uint64_t size)
{
	long *ret = scan->hits->at;

	for (size_t i = 0; i < hygiene_n_checks; i++)
		if (ret[i] < 0 && hygiene_checks[i].magic &&
		    hygiene_checks[i].magic(p->text, p->len, size))
			ret[i] = 0;
	scan->order = order_of(p->text, p->len);
	scan->packed = gzip_is((struct blob){p->text, p->len});
}

static void look_at_piece(struct scan *scan, const struct piece *p)
{
	find_needles(scan->scanner, p, scan->hits->at);
	for (size_t i = 0; i < scan->n_more; i++)
		if (scan->hits->more[i] < 0)
			scan->hits->more[i] = scan_lines(scan->more[i], p);
}

static int scan_source(struct scan *scan, struct source *s)
{
	char *buffer = scan->scanner->buffer;
	struct piece p = {.text = buffer};
	uint64_t size = s->size;
	size_t have = 0;

	while (p.before < UNPACKED_MAX || !s->packed) {
		ssize_t got = fill(s, buffer + have, HYGIENE_BUFFER - have);
		if (got < 0)
			return (int)got;
		p.len = have += (size_t)got;
		if (p.before == 0 && s->order == ORDER_BYTES)
			look_at_head(scan, &p, size == UINT64_MAX && s->ended ? have : size);
		look_at_piece(scan, &p);
		if (s->ended)
			break;
		/* One character more than the longest match: the character before it also matters. */
		size_t kept = have < HYGIENE_OVERLAP ? have : HYGIENE_OVERLAP;
		memmove(buffer, buffer + have - kept, kept);
		p.before += (long)(have - kept);
		have = kept;
	}
	return 0;
}

/* As bytes, and once more as characters where it looks like UTF-16. */
static int scan_as(struct scan *scan, int fd, bool packed, enum order order, uint64_t size)
{
	struct source s = {.fd = fd, .order = order, .size = packed ? UINT64_MAX : size};

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	s.packed = packed ? gzip_reader_open(fd) : NULL;
	int r = scan_source(scan, &s);
	gzip_reader_close(s.packed);
	return r;
}

static int scan_both(struct scan *scan, int fd, bool packed, uint64_t size)
{
	int r = scan_as(scan, fd, packed, ORDER_BYTES, size);

	if (r < 0 || scan->order == ORDER_BYTES)
		return r;
	return scan_as(scan, fd, packed, scan->order, size);
}

int hygiene_scan_file(struct hygiene_scanner *s, int fd, uint64_t size,
                      const struct hygiene_check *const *more, size_t n_more,
                      struct hygiene_hits *ret)
{
	struct scan scan = {.scanner = s, .more = more, .n_more = n_more, .hits = ret};

	memset(ret, 0xff, sizeof *ret); /* -1 */
	int r = scan_both(&scan, fd, false, size);
	ret->packed = scan.packed;
	return r;
}

int hygiene_scan_packed(struct hygiene_scanner *s, int fd, const struct hygiene_check *const *more,
                        size_t n_more, struct hygiene_hits *ret)
{
	struct scan scan = {.scanner = s, .more = more, .n_more = n_more, .hits = ret};

	memset(ret, 0xff, sizeof *ret);
	int r = scan_both(&scan, fd, true, 0);
	ret->packed = true;
	return r;
}
