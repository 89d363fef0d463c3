/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises files that are byte for byte what their dpkg package shipped. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/scope.h"
#include "hygiene/hygiene_scan_own.h"
#include "store/listing.h"

#define INFO      "/var/lib/dpkg/info"
#define STATUS    "/var/lib/dpkg/status"
#define SUMS_MAX  (64 << 20) /* bytes of one package's list, and of the status */
#define FILES_MAX 4000000
#define MD5_HEX   (2 * DIGEST_MD5_LEN)

struct shipped_file {
	const char *path; /* "usr/bin/ls" */
	char md5[MD5_HEX];
};

struct hygiene_shipped {
	int root;
	bool read;
	struct arena *arena;
	size_t n;
	struct shipped_file *items; /* sorted by path */
};

struct hygiene_shipped *hygiene_shipped_new(int root)
{
	struct hygiene_shipped *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	*s = (struct hygiene_shipped){.root = root, .arena = arena_new()};
	return s;
}

void hygiene_shipped_close(struct hygiene_shipped *s)
{
	if (!s)
		return;
	arena_close(s->arena);
	free(s);
}

static void add_file(struct hygiene_shipped *s, const char *md5, const char *path, size_t len)
{
	if (strspn(md5, "0123456789abcdef") < MD5_HEX || len == 0 || s->n == FILES_MAX)
		return;
	s->items = arena_grow(s->arena, s->items, &s->n, sizeof *s->items);
	struct shipped_file *f = &s->items[s->n - 1];
	f->path = arena_memdup(s->arena, path, len);
	memcpy(f->md5, md5, MD5_HEX);
}

/* "MD5  usr/bin/ls" a line. */
static void add_sums(struct hygiene_shipped *s, const char *text)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\n");
		if (len > MD5_HEX + 2 && p[MD5_HEX] == ' ' && p[MD5_HEX + 1] == ' ')
			add_file(s, p, p + MD5_HEX + 2, len - MD5_HEX - 2);
	}
}

/* " /etc/motd MD5" a line: configuration files are not in the md5sums lists. */
static void add_conffiles(struct hygiene_shipped *s, const char *text)
{
	bool in = false;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		if (*p != ' ') {
			in = str_starts(p, "Conffiles:");
			continue;
		}
		const char *path = p + 1, *end = path + strcspn(path, " \n");
		if (in && *path == '/' && *end == ' ')
			add_file(s, end + 1, path + 1, (size_t)(end - path) - 1);
	}
}

static int by_path(const void *a, const void *b)
{
	const struct shipped_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static const char *read_text(int dir, const char *path, struct arena *a)
{
	struct blob text = {0};
	struct err none;

	return file_read(dir, path, SUMS_MAX, a, &text, &none) < 0 || !text.data ? "" : text.data;
}

/* Lists that can't be read prove nothing, so findings stay. */
static void read_all(struct hygiene_shipped *s)
{
	scope_arena struct arena *a = arena_new();
	scope_listing struct listing l = {0};
	scope_fd int dir = file_open(s->root, INFO, O_RDONLY | O_DIRECTORY, 0);

	s->read = true;
	if (dir < 0 || listing_read(dir, &l) < 0)
		return;
	for (int i = 0; i < l.n; i++)
		if (str_ends(l.items[i]->d_name, ".md5sums"))
			add_sums(s, read_text(dir, l.items[i]->d_name, a));
	add_conffiles(s, read_text(s->root, STATUS, a));
	if (s->n)
		qsort(s->items, s->n, sizeof *s->items, by_path);
}

static const struct shipped_file *find(const struct hygiene_shipped *s, const char *path)
{
	const struct shipped_file key = {.path = path};

	return s->n ? bsearch(&key, s->items, s->n, sizeof key, by_path) : NULL;
}

static bool md5_of(int root, const char *path, char ret[static MD5_HEX + 1])
{
	scope_fd int fd = file_open(root, path, O_RDONLY | O_NOFOLLOW, 0);
	scope_mem char *piece = malloc(HYGIENE_BUFFER);
	scope_digest struct digest *d = digest_new_md5();
	unsigned char sum[DIGEST_MD5_LEN];
	ssize_t n = -1;

	if (!piece)
		abort();
	while (fd >= 0 && d && (n = read(fd, piece, HYGIENE_BUFFER)) > 0)
		digest_add(d, piece, (size_t)n);
	if (n < 0)
		return false;
	digest_sum_md5(d, sum);
	str_hex(sum, sizeof sum, ret);
	return true;
}

static bool is_shipped(struct hygiene_shipped *s, const char *path)
{
	const struct shipped_file *f = find(s, path + 1);
	char md5[MD5_HEX + 1];

	/* If /lib is a link to usr/lib a package may still list its files as lib/... */
	if (!f && str_starts(path, "/usr/"))
		f = find(s, path + strlen("/usr/"));
	return f && md5_of(s->root, path, md5) && memcmp(md5, f->md5, MD5_HEX) == 0;
}

/* "DIR/__pycache__/NAME.cpython-311.pyc" is made of DIR/NAME.py when the package is installed. */
static const char *source_of(const char *path, struct arena *a)
{
	static const char cache[] = "/__pycache__/";
	const char *at = strstr(path, cache);

	if (!at || !str_ends(path, ".pyc"))
		return NULL;
	const char *name = at + sizeof cache - 1;
	return arena_printf(a, "%.*s/%.*s.py", (int)(at - path), path, (int)strcspn(name, "."),
	                    name);
}

bool hygiene_is_shipped(struct hygiene_shipped *s, const char *path)
{
	scope_arena struct arena *a = arena_new();

	if (!s->read)
		read_all(s);
	const char *source = source_of(path, a);
	return is_shipped(s, source ? source : path);
}
