/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the build machine: read from the recipe, found, digested, and copied. */
#include "recipe/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/scope.h"
#include "document/include.h"
#include "os/tree.h"

const struct field copy_fields[] = {
        {"from", FIELD_STRING, FIELD_AT(struct copy, from), .required = true, .min = 1,
         .max = PATH_MAX - 1, .help = "file or directory here, beside the recipe or absolute"},
        {"to", FIELD_STRING, FIELD_AT(struct copy, to), .required = true, .min = 1,
         .max = PATH_MAX - 1, .help = "absolute path in the image"},
        {"mode", FIELD_MODE, FIELD_AT(struct copy, mode),
         .help = "permissions of a file (default: 0755 if its owner may run it, else 0644)"},
        {0},
};

/* ---- the text ---- */

static int check_to(const struct doc *at, const char **to, struct arena *a, struct err *e)
{
	const struct doc *where = doc_get(at, "to");
	struct strbuf clean = STRBUF(a, PATH_MAX);

	if (**to != '/')
		return doc_err(where, e, REASON_INPUT_RANGE,
		               "'%s' is no absolute path in the image", *to);
	for (const char *p = *to; *p;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");

		if ((len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return doc_err(where, e, REASON_INPUT_RANGE,
			               "'%s' has a '.' or '..' in it, expected a plain path", *to);
		if (len)
			strbuf_printf(&clean, "/%.*s", (int)len, p);
		p += len;
	}
	*to = clean.data ? clean.data : "/";
	return 0;
}

int copy_read(const struct doc *list, const struct vars *facts, struct arena *a,
              struct copy_list *ret, struct err *e)
{
	static const struct copy defaults = {.mode = COPY_MODE_UNSET};
	struct copy_list l = {0};

	if (list && list->type != DOC_LIST && list->type != DOC_NULL)
		return doc_err(list, e, REASON_INPUT_TYPE,
		               "'copy': expected a list of maps, found %s", doc_type_name(list));
	for (size_t i = 0; list && i < list->n; i++) {
		struct copy c = defaults;
		const struct doc *at = list->items[i];
		int r = field_decode(at, copy_fields, facts, a, &c, e);

		if (r < 0)
			return r;
		r = check_to(at, &c.to, a, e);
		if (r < 0)
			return r;
		c.at = at;
		c.from = doc_beside(doc_get(at, "from"), c.from, a);
		l.items = arena_grow(a, l.items, &l.n, sizeof *l.items);
		l.items[l.n - 1] = c;
	}
	*ret = l;
	return 0;
}

/* ---- the files ---- */

struct walk {
	const struct copy *copy;
	size_t entries;
	int (*visit)(struct walk *w, int dir, const char *name, const char *to,
	             const struct stat *st, struct err *e);
	struct host *host;     /* copy_apply */
	struct digest *digest; /* copy_digest, and so are the following */
	struct input_list *inputs;
	struct arena *kept; /* for the inputs */
	copy_each_fn *each; /* copy_each */
	void *ctx;
};

static unsigned mode_of(const struct walk *w, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return 0755;
	if (w->copy->mode != COPY_MODE_UNSET)
		return w->copy->mode;
	return st->st_mode & S_IXUSR ? 0755 : 0644;
}

static int walk_one(struct walk *w, const struct tree_entry *at, const char *to, struct err *e)
{
	if (++w->entries > COPY_ENTRIES_MAX || at->depth > COPY_DEPTH_MAX)
		return doc_err(w->copy->at, e, REASON_INPUT_LIMIT,
		               "'%s' has more than %d files or %d levels", w->copy->from,
		               COPY_ENTRIES_MAX, COPY_DEPTH_MAX);
	if (!S_ISREG(at->st->st_mode) && !S_ISDIR(at->st->st_mode) && !S_ISLNK(at->st->st_mode))
		return doc_err(w->copy->at, e, REASON_INPUT_TYPE,
		               "'%s' in '%s' is no file, directory or link", at->name,
		               w->copy->from);
	return w->visit(w, at->dir, at->name, to, at->st, e);
}

static int walk_below(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct walk *w = ctx;
	scope_arena struct arena *a = arena_new();
	const char *parent = strcmp(w->copy->to, "/") == 0 ? "" : w->copy->to;

	return walk_one(w, at, arena_printf(a, "%s/%s", parent, at->path), e);
}

/* The source itself may be a link, which is followed; below it links stay links. */
static int walk_copy(struct walk *w, struct err *e)
{
	const struct tree_walk below = {.visit = walk_below, .ctx = w};
	const char *from = w->copy->from;
	struct stat st;

	if (stat(from, &st) < 0)
		return doc_err(w->copy->at, e, REASON_INPUT_RANGE, "reading '%s': %s", from,
		               strerror(errno));
	const struct tree_entry top = {.dir = AT_FDCWD, .name = from, .st = &st};
	int r = walk_one(w, &top, w->copy->to, e);
	if (r < 0 || !S_ISDIR(st.st_mode))
		return r;
	scope_fd int fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", from);
	return tree_walk(fd, &below, e);
}

static int read_link(int dir, const char *name, struct arena *a, const char **ret, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof target);

	if (n < 0 || n == sizeof target)
		return err_errno(e, n < 0 ? errno : ENAMETOOLONG, "reading the link '%s'", name);
	*ret = arena_memdup(a, target, (size_t)n);
	return 0;
}

/* ---- for each file ---- */

static int look(struct walk *w, int dir, const char *name, const char *to, const struct stat *st,
                struct err *e)
{
	(void)to;
	if (!S_ISLNK(st->st_mode) && faccessat(dir, name, R_OK, 0) < 0)
		return doc_err(w->copy->at, e, REASON_INPUT_RANGE, "reading '%s': %s", name,
		               strerror(errno));
	return 0;
}

static int add_digest(struct walk *w, int dir, const char *name, const char *to,
                      const struct stat *st, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	char content[SHA256_HEX] = "";
	const char *target = "";
	int r = 0;

	if (S_ISREG(st->st_mode))
		r = file_sha256(dir, name, content, e);
	else if (S_ISLNK(st->st_mode))
		r = read_link(dir, name, a, &target, e);
	if (r < 0)
		return r;
	const char *head = arena_printf(a, "%o %o %s %s", st->st_mode & S_IFMT, mode_of(w, st),
	                                content, target);
	scope_digest struct digest *d = digest_new();
	unsigned char sum[SHA256_LEN];
	digest_add(d, to, strlen(to) + 1);
	digest_add(d, head, strlen(head) + 1);
	digest_sum(d, sum);
	digest_add(w->digest, sum, sizeof sum);
	if (w->inputs)
		input_add(w->inputs, w->kept,
		          arena_printf(w->kept, "file %s%s", w->copy->from,
		                       to + (w->copy->to[1] ? strlen(w->copy->to) : 0)),
		          sum, sizeof sum, NULL);
	return 0;
}

static int tell(struct walk *w, int dir, const char *name, const char *to, const struct stat *st,
                struct err *e)
{
	(void)dir, (void)name;
	return w->each(w->ctx, w->copy, to, st->st_mode & S_IFMT, e);
}

static int put(struct walk *w, int dir, const char *name, const char *to, const struct stat *st,
               struct err *e)
{
	static const struct host_owner root;
	scope_arena struct arena *a = arena_new();
	const char *target;
	struct stat there;
	struct err none;

	if (S_ISDIR(st->st_mode)) /* an existing directory keeps its mode */
		return host_stat(w->host, to, &there, &none) == 0
		               ? 0
		               : host_mkdir(w->host, to, mode_of(w, st), &root, e);
	if (S_ISLNK(st->st_mode)) {
		int r = read_link(dir, name, a, &target, e);

		return r < 0 ? r : host_symlink(w->host, target, to, e);
	}
	return host_copy(w->host, to, dir, name, mode_of(w, st), &root, e);
}

static int walk_all(const struct copy_list *l, struct walk *w, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++) {
		w->copy = &l->items[i];
		w->entries = 0;
		r = walk_copy(w, e);
	}
	return r;
}

int copy_find(const struct copy_list *l, struct err *e)
{
	struct walk w = {.visit = look};

	return walk_all(l, &w, e);
}

int copy_each(const struct copy_list *l, copy_each_fn *each, void *ctx, struct err *e)
{
	struct walk w = {.visit = tell, .each = each, .ctx = ctx};

	return walk_all(l, &w, e);
}

int copy_digest(const struct copy_list *l, char ret[static COPY_DIGEST], struct arena *kept,
                struct input_list *inputs, struct err *e)
{
	scope_digest struct digest *d = digest_new();
	struct walk w = {.visit = add_digest, .digest = d, .inputs = inputs, .kept = kept};
	unsigned char sum[SHA256_LEN];
	int r = walk_all(l, &w, e);

	if (r < 0)
		return r;
	digest_sum(d, sum);
	str_hex(sum, sizeof sum, ret);
	return 0;
}

int copy_apply(const struct copy_list *l, struct host *h, struct err *e)
{
	struct walk w = {.visit = put, .host = h};

	return walk_all(l, &w, e);
}
