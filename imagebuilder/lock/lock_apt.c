/* SPDX-License-Identifier: Apache-2.0 */
/* Asks apt to resolve a list of packages. */
#include "lock/lock_apt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lock/apt_state.h"
#include "lock/lock_keep.h"

#define SHOW_AT_ONE 40 /* host_run keeps 256 KiB, and stanzas rarely have 4 */

/* ---- which packages ---- */

/* "%3a" of a file's name is the colon of a version's epoch. */
static const char *unescaped(struct arena *a, const char *s, size_t len)
{
	char *out = arena_memdup(a, s, len), *to = out;

	for (const char *p = out; *p; p++) {
		int high = *p == '%' ? str_hex_digit(p[1]) : -1;
		int low = high < 0 ? -1 : str_hex_digit(p[2]);

		if (low >= 0) {
			*to++ = (char)(high << 4 | low);
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return out;
}

/* "'URL' NAME_VERSION_ARCH.deb SIZE [HASH]" */
static bool read_uri(const struct apt_state *t, const char *line, size_t len,
                     struct lock_package *ret)
{
	const char *end = line + len, *quote = memchr(line + 1, '\'', len - 1);

	if (*line != '\'' || !quote || end - quote < 3)
		return false;
	const char *name = quote + 2;
	const char *space = memchr(name, ' ', (size_t)(end - name));
	const char *first = memchr(name, '_', (size_t)(end - name));
	const char *second = first ? memchr(first + 1, '_', (size_t)(end - first - 1)) : NULL;

	if (!space || !second || second > space || space - second < 6)
		return false;
	const char *size = arena_memdup(t->arena, space + 1, (size_t)(end - space - 1));
	uint64_t bytes = 0;
	(void)str_u64(arena_memdup(t->arena, size, strcspn(size, " ")), 0, INT64_MAX, &bytes);
	*ret = (struct lock_package){
	        .url = arena_memdup(t->arena, line + 1, (size_t)(quote - line - 1)),
	        .name = unescaped(t->arena, name, (size_t)(first - name)),
	        .version = unescaped(t->arena, first + 1, (size_t)(second - first - 1)),
	        .arch = arena_memdup(t->arena, second + 1, (size_t)(space - second - 5)),
	        .size = bytes,
	};
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct lock_package *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : strcmp(x->arch, y->arch);
}

/* The essential and required packages and apt: that is minbase. */
static const char *const *question(const struct field_strings *asked, struct arena *a)
{
	static const char *const words[] = {"apt-get",    "--yes", "--print-uris",       "install",
	                                    "?essential", "apt",   "?priority(required)"};
	const char **argv = arena_array(a, ARRAY_LEN(words) + asked->n + 1, sizeof *argv);

	memcpy(argv, words, sizeof words);
	for (size_t i = 0; i < asked->n; i++)
		argv[ARRAY_LEN(words) + i] = asked->items[i];
	return argv;
}

static int find_packages(const struct apt_state *t, struct lock_keeping *keep,
                         const struct field_strings *asked, struct lock *l, struct err *e)
{
	const char *const *argv = question(asked, t->arena);
	struct blob out;
	int r = keep ? lock_keep_ask(keep, t, argv, &out, e) : apt_ask(t, argv, &out, e);

	if (r < 0)
		return err_wrap(e, "asking apt for the packages");
	for (const char *p = out.data, *end = p + out.len; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = eol ? (size_t)(eol - p) : (size_t)(end - p);
		struct lock_package one;

		if (len && read_uri(t, p, len, &one)) {
			l->packages = arena_grow(t->arena, l->packages, &l->n, sizeof *l->packages);
			l->packages[l->n - 1] = one;
		}
		p += len + 1;
	}
	if (l->n == 0 || l->n > LOCK_PACKAGES_MAX)
		return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, EBADMSG,
		               "asking apt for the packages: %zu of them", l->n);
	qsort(l->packages, l->n, sizeof *l->packages, by_name);
	return 0;
}

/* ---- details of the packages ---- */

/* The value of that field of one stanza, or NULL. */
static const char *stanza_field(const struct apt_state *t, const char *at, const char *end,
                                const char *key)
{
	size_t n = strlen(key);

	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));

		if (!eol)
			eol = end;
		if ((size_t)(eol - at) > n + 2 && !memcmp(at, key, n) && !memcmp(at + n, ": ", 2))
			return arena_memdup(t->arena, at + n + 2, (size_t)(eol - at) - n - 2);
		at = eol + 1;
	}
	return NULL;
}

static void take_stanza(const struct apt_state *t, struct lock *l, const char *at, const char *end)
{
	const char *name = stanza_field(t, at, end, "Package");
	const char *version = stanza_field(t, at, end, "Version");
	const char *arch = stanza_field(t, at, end, "Architecture");

	for (size_t i = 0; i < l->n; i++) {
		struct lock_package *p = &l->packages[i];

		if (p->sha256 || !str_eq(p->name, name) || !str_eq(p->version, version) ||
		    !str_eq(p->arch, arch))
			continue;
		p->sha256 = stanza_field(t, at, end, "SHA256");
		p->required = str_eq(stanza_field(t, at, end, "Priority"), "required");
	}
}

static int describe(const struct apt_state *t, struct lock *l, size_t from, struct err *e)
{
	const char *argv[SHOW_AT_ONE + 3] = {"apt-cache", "show"};
	struct blob out;

	for (size_t i = 0; i < SHOW_AT_ONE && from + i < l->n; i++) {
		const struct lock_package *p = &l->packages[from + i];
		bool all = str_eq(p->arch, "all");

		argv[i + 2] = arena_printf(t->arena, "%s%s%s=%s", p->name, all ? "" : ":",
		                           all ? "" : p->arch, p->version);
	}
	int r = apt_ask(t, argv, &out, e);
	if (r < 0)
		return err_wrap(e, "asking apt for digests");
	for (const char *p = out.data, *end = p + out.len; p < end;) {
		const char *next = memmem(p, (size_t)(end - p), "\n\n", 2);

		take_stanza(t, l, p, next ? next : end);
		p = next ? next + 2 : end;
	}
	return 0;
}

static int check_found(const struct lock_package *p, struct err *e)
{
	if (!p->sha256)
		return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, ENOENT,
		               "locking '%s' %s: apt has no SHA-256 of it", p->name, p->version);
	if (lock_takes_url(p->url))
		return 0;
	return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, ENOTSUP,
	               "locking '%s' %s: it comes from '%s', which other machines don't have: "
	               "expected a source by http or https in this machine's apt",
	               p->name, p->version, p->url);
}

static int describe_all(const struct apt_state *t, struct lock *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i += SHOW_AT_ONE) {
		int r = describe(t, l, i, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int resolve(const struct apt_state *t, const struct lock_question *q, struct lock *l,
                   struct err *e)
{
	struct lock_keeping *keep = NULL;

	q->phase(q->ctx, "fetching package lists");
	int r = apt_update(t, &l->sources, e);
	if (r < 0)
		return r;
	q->phase(q->ctx, "asking apt for the packages");
	if (q->keep) {
		r = lock_keep_begin(q->keep, t, l, &keep, e);
		if (r < 0)
			return r;
	}
	r = find_packages(t, keep, &l->asked, l, e);
	if (r < 0)
		return r;
	q->phase(q->ctx, "asking apt for their digests");
	r = describe_all(t, l, e);
	if (r < 0)
		return r;
	if (keep)
		lock_keep_rows(keep, l);
	for (size_t i = 0; i < l->n; i++) {
		r = check_found(&l->packages[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int lock_resolve(const struct lock_question *q, struct arena *a, struct lock *ret, struct err *e)
{
	scope_apt struct apt_state t = APT_STATE_INIT;
	struct lock l = {.file = "",
	                 .from = q->from,
	                 .arch = q->arch,
	                 .asked = *q->asked,
	                 .sources = *q->sources};
	int r = apt_open(&t, q->dir, str_eq(q->arch, "arm64") ? "arm64" : "amd64", a, e);

	if (r < 0)
		return r;
	r = resolve(&t, q, &l, e);
	if (r < 0)
		return r;
	*ret = l;
	return 0;
}
