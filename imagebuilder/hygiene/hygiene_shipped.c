/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises files that are byte for byte what their package shipped, by dpkg's or rpm's records. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "hygiene/hygiene_scan_own.h"
#include "store/listing.h"
#include "store/packages.h"

#define INFO      "/var/lib/dpkg/info"
#define STATUS    "/var/lib/dpkg/status"
#define SUMS_MAX  (64 << 20) /* bytes of one package's list, and of the status */
#define FILES_MAX 4000000
#define MD5_HEX   32

struct shipped_file {
	const char *path;   /* "usr/bin/ls" */
	const char *digest; /* its length tells the kind: dpkg has MD5, rpm mostly SHA-256 */
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

static void add_file(struct hygiene_shipped *s, const char *digest, size_t n, const char *path,
                     size_t len)
{
	if (strspn(digest, "0123456789abcdef") < n || len == 0 || s->n == FILES_MAX)
		return;
	s->items = arena_grow(s->arena, s->items, &s->n, sizeof *s->items);
	s->items[s->n - 1] = (struct shipped_file){.path = arena_memdup(s->arena, path, len),
	                                           .digest = arena_memdup(s->arena, digest, n)};
}

/* "MD5  usr/bin/ls" a line. */
static void add_sums(struct hygiene_shipped *s, const char *text)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\n");
		if (len > MD5_HEX + 2 && p[MD5_HEX] == ' ' && p[MD5_HEX + 1] == ' ')
			add_file(s, p, MD5_HEX, p + MD5_HEX + 2, len - MD5_HEX - 2);
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
			add_file(s, end + 1, MD5_HEX, path + 1, (size_t)(end - path) - 1);
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

static void read_dpkg(struct hygiene_shipped *s)
{
	scope_arena struct arena *a = arena_new();
	scope_listing struct listing l = {0};
	scope_fd int dir = file_open(s->root, INFO, O_RDONLY | O_DIRECTORY, 0);

	if (dir < 0 || listing_read(dir, &l) < 0)
		return;
	for (int i = 0; i < l.n; i++)
		if (str_ends(l.items[i]->d_name, ".md5sums"))
			add_sums(s, read_text(dir, l.items[i]->d_name, a));
	add_conffiles(s, read_text(s->root, STATUS, a));
}

static void add_rpm(void *ctx, const struct packages_file *f)
{
	if (*f->digest)
		add_file(ctx, f->digest, strlen(f->digest), f->path + 1, strlen(f->path + 1));
}

static void read_rpm(struct hygiene_shipped *s)
{
	scope_arena struct arena *a = arena_new();
	struct blob database = {0};
	struct err e;
	int r = packages_rpm_database(s->root, a, &database, &e);

	if (r == -ENOENT)
		return;
	if (r == 0)
		r = packages_rpm_files(database, add_rpm, s, a, &e);
	if (r < 0)
		log_notice("what rpm's packages shipped counts as found, since their database "
		           "can't be read: %s",
		           r == -ENOENT ? "this machine has no rpm, install the package of that "
		                          "name"
		                        : e.text);
}

/* Lists that can't be read prove nothing, so findings stay. As everywhere, dpkg's database goes
 * before rpm's, which any machine gets where somebody runs rpm. */
static void read_all(struct hygiene_shipped *s)
{
	s->read = true;
	read_dpkg(s);
	if (!s->n)
		read_rpm(s);
	if (s->n)
		qsort(s->items, s->n, sizeof *s->items, by_path);
}

static const struct shipped_file *find(const struct hygiene_shipped *s, const char *path)
{
	const struct shipped_file key = {.path = path};

	return s->n ? bsearch(&key, s->items, s->n, sizeof key, by_path) : NULL;
}

static bool digest_of(int root, const char *path, enum digest_kind kind,
                      char ret[static DIGEST_HEX_MAX])
{
	scope_fd int fd = file_open(root, path, O_RDONLY | O_NOFOLLOW, 0);
	scope_mem char *piece = malloc(HYGIENE_BUFFER);
	scope_digest struct digest *d = digest_new_of(kind);
	ssize_t n = -1;

	if (!piece)
		abort();
	while (fd >= 0 && d && (n = read(fd, piece, HYGIENE_BUFFER)) > 0)
		digest_add(d, piece, (size_t)n);
	if (n < 0)
		return false;
	digest_sum_hex(d, ret);
	return true;
}

static bool has_digest(int root, const char *path, const char *digest)
{
	char is[DIGEST_HEX_MAX];

	for (enum digest_kind kind = 0; kind < DIGEST_KINDS; kind++)
		if (strlen(digest) == digest_hex_len(kind))
			return digest_of(root, path, kind, is) && str_eq(is, digest);
	return false;
}

static bool is_shipped(struct hygiene_shipped *s, const char *path)
{
	const struct shipped_file *f = find(s, path + 1);

	/* If /lib is a link to usr/lib a package may still list its files as lib/... */
	if (!f && str_starts(path, "/usr/"))
		f = find(s, path + strlen("/usr/"));
	return f && has_digest(s->root, path, f->digest);
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
