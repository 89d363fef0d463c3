/* SPDX-License-Identifier: Apache-2.0 */
/* Finds our node document in user data, through MIME, base64 and gzip. */
#include "userdata/userdata.h"

#include <errno.h>
#include <stdarg.h>

#include "data/gzip.h"
#include "data/text.h"
#include "userdata/cloudconfig.h"
#include "userdata/mime.h"
#include "userdata/userdata_own.h"

#define UNPACKED_MAX (1024 * 1024) /* bytes of all layers of gzip and base64 together */
#define DEPTH_MAX    16            /* messages, gzip and base64 inside each other */
#define PARTS_MAX    256           /* parts of all messages together */
#define SHOWN_MAX    60            /* bytes of quoted input in a message */

static const char file[] = "user-data";
static const char node_file[] = "/etc/hpc-node/node.yaml";

struct search {
	struct arena *arena;
	struct err *err;
	struct blob found; /* .data NULL: not yet */
	unsigned line;     /* where it was found */
	size_t left;       /* rest of UNPACKED_MAX */
	unsigned depth, parts;
};

/* One text with line numbers of its own: the user data, or what a layer of it unpacked to. */
struct layer {
	struct blob text;
	bool raw;
};

/* What is known about a text before it is read: this decides whether a fault in it is reported. */
enum claim {
	WHOLE, /* the whole user data, which must be readable */
	VAGUE, /* a part whose type doesn't say what it is */
	OURS,  /* a part of our type */
};

static int look(struct search *s, const struct layer *in, struct blob text, enum claim claim);

static struct doc place(const struct layer *in, const char *p)
{
	return text_at(in->raw ? file : "user-data (unpacked)", in->text,
	               (size_t)(p - in->text.data));
}

/* Finding a place costs a pass over the text: it is only done for a fault. */
static int fail(struct search *s, const struct layer *in, const char *p, enum reason reason,
                const char *fmt, ...) ATTR_PRINTF(5, 6) ATTR_COLD;

static int fail(struct search *s, const struct layer *in, const char *p, enum reason reason,
                const char *fmt, ...)
{
	const struct doc at = place(in, p);
	va_list ap;

	va_start(ap, fmt);
	doc_verr(&at, s->err, reason, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* "#hpc-node" as the first non-blank line, tolerating what an editor, a here-document or a template
 * may add: a byte order mark, indentation, a space behind the #. */
static bool is_document(struct blob text)
{
	static const char name[] = "hpc-node";
	size_t len = sizeof name - 1, at = 0;

	if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
		at = 3;
	while (at < text.len && memchr(" \t\r\n", text.data[at], 4))
		at++;
	if (at == text.len || text.data[at] != '#')
		return false;
	for (at++; at < text.len && memchr(" \t", text.data[at], 2);)
		at++;
	if (text.len - at < len || memcmp(text.data + at, name, len) != 0)
		return false;
	return text.len - at == len || memchr(" \t\r\n", text.data[at + len], 4);
}

static bool is_message(struct blob text, struct mime_entity *ret)
{
	return mime_read(text, ret) &&
	       (mime_starts(ret->type, "multipart/") || mime_is(ret->type, "text/x-hpc-node"));
}

static int take(struct search *s, const struct layer *in, struct blob text)
{
	if (s->found.data)
		return fail(s, in, text.data, REASON_INPUT_DUPLICATE,
		            "a second node document, expected one (first on line %u)", s->line);
	if (!text.len)
		return fail(s, in, text.data, REASON_INPUT_REQUIRED,
		            "the part of type text/x-hpc-node is empty, expected a node document");
	s->found = text;
	s->line = place(in, text.data).line;
	return 0;
}

static int look_inside(struct search *s, struct blob text, enum claim claim)
{
	const struct layer in = {.text = text};

	s->left -= text.len;
	return look(s, &in, text, claim);
}

static int look_gzip(struct search *s, const struct layer *in, struct blob text, enum claim claim)
{
	/* A separate arena, so that parts that fail to unpack don't add up. */
	scope_arena struct arena *a = arena_new();
	struct blob inside;
	struct err fault;
	struct doc at;

	if (gzip_unpack(text, s->left, a, &inside, &fault) == 0) {
		inside.data = arena_memdup(s->arena, inside.data, inside.len);
		return look_inside(s, inside, claim);
	}
	if (claim == VAGUE)
		return 0;
	*s->err = fault;
	at = place(in, text.data);
	return err_wrap(s->err, "%s:%u:%u", at.file, at.line, at.col);
}

/* 0, -EINVAL: not base64, -EFBIG: more than may be unpacked. */
static int decode_base64(struct search *s, struct blob text, struct blob *ret)
{
	size_t cap = text.len / 4 * 3 + 3, len;
	char *out;

	if (cap > s->left)
		return -EFBIG;
	out = arena_alloc(s->arena, cap);
	if (str_base64_decode(text, out, cap, &len) < 0)
		return -EINVAL;
	*ret = (struct blob){out, len};
	return 0;
}

/* A text that isn't recognised may be base64 of one that is. */
static int look_base64(struct search *s, struct blob text, enum claim claim)
{
	struct mime_entity m;
	struct blob inside;

	if (!text.len || decode_base64(s, text, &inside) < 0)
		return 0;
	if (!gzip_is(inside) && !is_document(inside) && !is_message(inside, &m))
		return 0;
	return look_inside(s, inside, claim);
}

/* The node document as a file that cloud-init is told to write, which it accepts
 * without a warning. */
static int look_cloud_config(struct search *s, struct blob text)
{
	struct blob inside = cloudconfig_file(text, node_file, s->arena);

	return inside.len && inside.len <= s->left ? look_inside(s, inside, OURS) : 0;
}

static bool is_one_of(struct blob token, const char *const *words)
{
	for (; *words; words++)
		if (mime_is(token, *words))
			return true;
	return !token.len;
}

/* "application/x-hpc-node" and similar: a mistake that must be reported. */
static bool names_us(struct blob type)
{
	for (; type.len; type = (struct blob){type.data + 1, type.len - 1})
		if (mime_starts(type, "hpc-node"))
			return true;
	return false;
}

static int unknown_encoding(struct search *s, const struct layer *in, struct blob encoding)
{
	return fail(s, in, encoding.data, REASON_INPUT_UNSUPPORTED,
	            "the encoding '%.*s' is not supported, expected base64, 7bit, 8bit or binary",
	            (int)(encoding.len < SHOWN_MAX ? encoding.len : SHOWN_MAX), encoding.data);
}

/* The body of an entity that is not a multipart. */
static int look_body(struct search *s, const struct layer *in, const struct mime_entity *m,
                     enum claim claim)
{
	static const char *const plain[] = {"7bit", "8bit", "binary", NULL};
	struct blob inside;
	int r;

	if (is_one_of(m->encoding, plain))
		return look(s, in, m->body, claim);
	if (!mime_is(m->encoding, "base64"))
		return claim == VAGUE ? 0 : unknown_encoding(s, in, m->encoding);
	r = decode_base64(s, m->body, &inside);
	if (r == 0)
		return look_inside(s, inside, claim);
	if (claim == VAGUE)
		return 0;
	if (r == -EFBIG)
		return fail(s, in, m->encoding.data, REASON_INPUT_LIMIT,
		            "the part unpacks to too much, expected at most %d bytes in all",
		            UNPACKED_MAX);
	return fail(s, in, m->encoding.data, REASON_INPUT_SYNTAX,
	            "the part is not base64, expected what its encoding says");
}

static int look_entity(struct search *s, const struct layer *in, const struct mime_entity *m,
                       bool closed, enum claim claim);

static int look_parts(struct search *s, const struct layer *in, const struct mime_entity *m,
                      enum claim claim)
{
	struct mime_parts parts = {.rest = m->body, .boundary = m->boundary};
	struct mime_entity part;
	struct blob text;
	bool closed;
	int r = 0;

	while (r == 0 && mime_next(&parts, &text, &closed)) {
		if (s->parts++ == PARTS_MAX)
			return fail(s, in, text.data, REASON_INPUT_LIMIT,
			            "too many parts, expected at most %d", PARTS_MAX);
		if (mime_read(text, &part))
			r = look_entity(s, in, &part, closed, claim);
	}
	return r;
}

static int look_multipart(struct search *s, const struct layer *in, const struct mime_entity *m,
                          enum claim claim)
{
	int r;

	if (!*m->boundary)
		return fail(s, in, m->type.data, REASON_INPUT_SYNTAX,
		            "a multipart without its boundary, expected one of 1 to %d characters",
		            MIME_BOUNDARY_MAX);
	if (s->depth == DEPTH_MAX)
		return fail(s, in, m->type.data, REASON_INPUT_LIMIT,
		            "messages nested too deep, expected at most %d", DEPTH_MAX);
	s->depth++;
	r = look_parts(s, in, m, claim);
	s->depth--;
	return r;
}

/* A part of that type needs no first line; if it is packed twice, or in another way, it is left to
 * cloud-init. */
static int look_cloud_part(struct search *s, const struct mime_entity *m)
{
	struct blob inside = m->body;

	if (mime_is(m->encoding, "base64") && decode_base64(s, m->body, &inside) < 0)
		return 0;
	return look_cloud_config(s, inside);
}

static int look_entity(struct search *s, const struct layer *in, const struct mime_entity *m,
                       bool closed, enum claim claim)
{
	/* Types that don't say what they contain. */
	static const char *const vague[] = {"text/plain", "application/octet-stream",
	                                    "application/gzip", "application/x-gzip", NULL};

	if (mime_starts(m->type, "multipart/"))
		return look_multipart(s, in, m, claim);
	if (is_one_of(m->type, vague))
		return look_body(s, in, m, VAGUE);
	if (mime_is(m->type, "text/cloud-config"))
		return look_cloud_part(s, m);
	if (!names_us(m->type))
		return 0;
	if (!mime_is(m->type, "text/x-hpc-node"))
		return fail(s, in, m->type.data, REASON_INPUT_UNSUPPORTED,
		            "a part of type '%.*s', expected 'text/x-hpc-node'",
		            (int)(m->type.len < SHOWN_MAX ? m->type.len : SHOWN_MAX), m->type.data);
	if (!closed)
		return fail(s, in, m->type.data, REASON_INPUT_SYNTAX,
		            "the text ends inside this part, expected its closing boundary");
	return look_body(s, in, m, OURS);
}

static int look_into(struct search *s, const struct layer *in, struct blob text, enum claim claim)
{
	struct mime_entity m;

	if (gzip_is(text))
		return look_gzip(s, in, text, claim);
	if (claim == OURS || is_document(text))
		return take(s, in, text);
	if (cloudconfig_is(text))
		return look_cloud_config(s, text);
	if (is_message(text, &m))
		return look_entity(s, in, &m, true, claim);
	return look_base64(s, text, claim);
}

static int look(struct search *s, const struct layer *in, struct blob text, enum claim claim)
{
	int r;

	if (s->depth == DEPTH_MAX)
		return fail(s, in, text.data, REASON_INPUT_LIMIT,
		            "layers of packing nested too deep, expected at most %d", DEPTH_MAX);
	s->depth++;
	r = look_into(s, in, text, claim);
	s->depth--;
	return r;
}

int userdata_find(struct blob raw, struct arena *a, struct blob *ret, struct err *e)
{
	struct search s = {.arena = a, .err = e, .left = UNPACKED_MAX};
	struct layer in = {.text = raw, .raw = true};
	int r;

	if (raw.len > USERDATA_SIZE_MAX)
		return fail(&s, &in, raw.data + USERDATA_SIZE_MAX, REASON_INPUT_LIMIT,
		            "the user data has %zu bytes, expected at most %d", raw.len,
		            USERDATA_SIZE_MAX);
	if (userdata_is_utf16(raw))
		in.text = userdata_from_utf16(raw, a);
	r = raw.len ? look(&s, &in, in.text, WHOLE) : 0;
	if (r < 0)
		return r;
	*ret = s.found;
	return 0;
}
