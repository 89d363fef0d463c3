/* SPDX-License-Identifier: Apache-2.0 */
/* Finds packages of a lock in Debian's snapshot service. */
#include "bases/lock_snapshot.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "data/json.h"
#include "http/uri.h"

#define SHA1_HEX 40

static void add_encoded(struct strbuf *out, const char *text)
{
	uri_encode(out, (struct blob){text, strlen(text)}, false);
}

static const char *question(const struct lock *l, const struct lock_package *p, struct arena *a)
{
	struct strbuf b = STRBUF(a, 8192);

	strbuf_printf(&b, "%s/mr/binary/", l->snapshot);
	add_encoded(&b, p->name);
	strbuf_char(&b, '/');
	add_encoded(&b, p->version);
	strbuf_str(&b, "/binfiles?fileinfo=1");
	return b.overflow ? NULL : b.data;
}

static const char *answer_path(const char *dir, size_t i, struct arena *a)
{
	return arena_printf(a, "%s/binfiles.%zu", dir, i);
}

/* Whether one of the names that a file was known by is that of the package for its architecture:
 * NAME_VERSION_ARCH.deb. */
static bool is_of(const struct doc *files, const struct lock_package *p, struct arena *a)
{
	const char *suffix = arena_printf(a, "_%s.deb", p->arch);
	const char *size = arena_printf(a, "%" PRIu64, p->size);

	for (size_t i = 0; files && files->type == DOC_LIST && i < files->n; i++) {
		const char *name = doc_text(files->items[i], "name");
		const char *has = doc_text(files->items[i], "size");

		if (name && has && str_ends(name, suffix) && str_eq(has, size))
			return true;
	}
	return false;
}

static bool is_sha1(const char *text)
{
	return strlen(text) == SHA1_HEX && strspn(text, "0123456789abcdef") == SHA1_HEX;
}

/* The SHA-1 that the service knows the package's file by; NULL: it has none. */
static const char *read_answer(const char *path, const struct lock_package *p, struct arena *a)
{
	struct blob text;
	struct doc *d;
	struct err none;

	if (file_read(AT_FDCWD, path, JSON_SIZE_MAX, a, &text, &none) < 0)
		return NULL;
	if (json_parse(path, text, a, &d, &none) < 0) {
		log_debug("%s", none.text);
		return NULL;
	}
	const struct doc *info = doc_get(d, "fileinfo");
	for (size_t i = 0; info && info->type == DOC_MAP && i < info->n; i++)
		if (is_sha1(info->keys[i]->text) && is_of(info->items[i], p, a))
			return info->keys[i]->text;
	return NULL;
}

static int ask_all(const struct lock *l, const bool *gone, const char *dir,
                   const struct lock_listener *listener, uint64_t deadline, struct arena *a,
                   struct err *e)
{
	struct lock_download *list = arena_array(a, l->n, sizeof *list);
	struct blob said;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const char *url = gone[i] ? question(l, &l->packages[i], a) : NULL;

		if (url)
			list[n++] = (struct lock_download){url, answer_path(dir, i, a), NULL};
	}
	return lock_download(list, n, listener, deadline, a, &said, e);
}

int lock_from_snapshot(const struct lock *l, const bool *gone, const char *dir,
                       const struct lock_listener *listener, uint64_t deadline, struct arena *a,
                       struct err *e)
{
	struct lock_download *list = arena_array(a, l->n, sizeof *list);
	struct blob said;
	size_t n = 0;
	int r = ask_all(l, gone, dir, listener, deadline, a, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n; i++) {
		const struct lock_package *p = &l->packages[i];
		const char *sha1 = gone[i] ? read_answer(answer_path(dir, i, a), p, a) : NULL;

		if (sha1)
			list[n++] = (struct lock_download){
			        arena_printf(a, "%s/file/%s", l->snapshot, sha1),
			        arena_printf(a, "%s/%s", dir, p->sha256), p->sha256};
	}
	return n ? lock_download(list, n, listener, deadline, a, &said, e) : 0;
}
