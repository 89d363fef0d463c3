/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a lock's packages by pins, and lets go of those that are in the way. */
#include "lock/lock_keep.h"

#include <errno.h>
#include <string.h>

#define SHOW_AT_ONE     40
#define PREFERENCES_MAX (1UL << 20)
#define ROUNDS_MAX      64 /* each lets go of at least one package */

struct lock_keeping {
	const struct lock *was;
	bool *kept; /* same index as was->packages */
};

/* ---- what the sources still have ---- */

static void mark_stanza(const struct lock *was, bool *found, const char *at, size_t len,
                        struct arena *a)
{
	const char *text = arena_memdup(a, at, len);

	for (size_t i = 0; i < was->n; i++) {
		const struct lock_package *p = &was->packages[i];

		if (!found[i] && strstr(text, arena_printf(a, "Package: %s\n", p->name)) == text &&
		    strstr(text, arena_printf(a, "\nVersion: %s\n", p->version)) &&
		    strstr(text, arena_printf(a, "\nSHA256: %s", p->sha256)))
			found[i] = true;
	}
}

static int mark_found(const struct lock *was, const struct apt_state *t, size_t from, bool *found,
                      struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *argv[SHOW_AT_ONE + 3] = {"apt-cache", "show"};
	struct blob out;
	int status; /* it is another than 0 where one is missing, which is the question */

	for (size_t i = 0; i < SHOW_AT_ONE && from + i < was->n; i++)
		argv[i + 2] = was->packages[from + i].name;
	int r = apt_try(t, argv, &out, &status, e);
	if (r < 0)
		return err_wrap(e, "asking apt for the packages of the lock");
	for (const char *p = out.data, *end = p + out.len; p < end;) {
		const char *next = memmem(p, (size_t)(end - p), "\n\n", 2);

		mark_stanza(was, found, p, (size_t)((next ? next : end) - p), a);
		p = next ? next + 2 : end;
	}
	return 0;
}

/* Those that are kept and that no source has. */
static int find_gone(const struct lock_keeping *g, const struct apt_state *t, struct lock *ret,
                     struct err *e)
{
	const struct lock *was = g->was;
	bool *found = arena_array(t->arena, was->n, sizeof *found);
	struct lock gone = *was;

	for (size_t i = 0; i < was->n; i += SHOW_AT_ONE) {
		int r = mark_found(was, t, i, found, e);
		if (r < 0)
			return r;
	}
	gone.n = 0;
	gone.packages = arena_array(t->arena, was->n, sizeof *gone.packages);
	for (size_t i = 0; i < was->n; i++)
		if (g->kept[i] && !found[i])
			gone.packages[gone.n++] = was->packages[i];
	*ret = gone;
	return 0;
}

static int bring_gone(const struct lock_keep *k, const struct lock_keeping *g,
                      const struct apt_state *t, const struct lock *now, struct err *e)
{
	struct field_strings more = {0};
	struct lock gone;
	int r = find_gone(g, t, &gone, e);

	if (r < 0 || gone.n == 0)
		return r;
	more.items = arena_array(t->arena, now->sources.n + 1, sizeof *more.items);
	for (; more.n < now->sources.n; more.n++)
		more.items[more.n] = now->sources.items[more.n];
	r = k->bring(k->ctx, &gone, &more.items[more.n], e);
	if (r < 0)
		return r;
	more.n++;
	return apt_update(t, &more, e);
}

/* ---- pins ---- */

static bool is_updated(const struct lock_keep *k, const char *name)
{
	for (size_t i = 0; i < k->update.n; i++)
		if (str_eq(k->update.items[i], name))
			return true;
	return false;
}

/* Above 1000, so that a newer version in the sources doesn't count. */
static int pin(const struct lock_keeping *g, const struct apt_state *t, struct err *e)
{
	struct strbuf b = STRBUF(t->arena, PREFERENCES_MAX);

	strbuf_str(&b, "");
	for (size_t i = 0; i < g->was->n; i++)
		if (g->kept[i])
			strbuf_printf(&b, "Package: %s\nPin: version %s\nPin-Priority: 1001\n\n",
			              g->was->packages[i].name, g->was->packages[i].version);
	return apt_prefer(t, b.data, e);
}

int lock_keep_begin(const struct lock_keep *k, const struct apt_state *t, const struct lock *now,
                    struct lock_keeping **ret, struct err *e)
{
	struct lock_keeping *g = arena_alloc(t->arena, sizeof *g);

	g->was = k->was;
	g->kept = arena_array(t->arena, k->was->n, sizeof *g->kept);
	for (size_t i = 0; i < k->was->n; i++)
		g->kept[i] = !is_updated(k, k->was->packages[i].name);
	int r = bring_gone(k, g, t, now, e);
	if (r < 0)
		return r;
	*ret = g;
	return pin(g, t, e);
}

static bool let_go(struct lock_keeping *g, struct blob name)
{
	bool any = false;

	for (size_t i = 0; i < g->was->n; i++)
		if (g->kept[i] && strlen(g->was->packages[i].name) == name.len &&
		    memcmp(g->was->packages[i].name, name.data, name.len) == 0) {
			g->kept[i] = false;
			any = true;
		}
	return any;
}

/* A name at the beginning of what follows, up to a space or the colon of an architecture. */
static struct blob name_at(const char *at, const char *end)
{
	const char *to = at;

	while (to < end && *to != ' ' && *to != ':')
		to++;
	return (struct blob){at, (size_t)(to - at)};
}

/* What a line says is needed otherwise: " but " follows it. */
static struct blob needed(const char *line, const char *end)
{
	static const char *const relations[] = {
	        "Depends: ", "PreDepends: ", "Breaks: ", "Conflicts: "};
	const char *but = memmem(line, (size_t)(end - line), " but ", 5);

	for (size_t i = 0; but && i < ARRAY_LEN(relations); i++) {
		size_t n = strlen(relations[i]);
		const char *at = memmem(line, (size_t)(but - line), relations[i], n);

		if (at)
			return name_at(at + n, but);
	}
	return (struct blob){0};
}

/*
 * Lets go of what apt names as in the way: " slurmd : Depends: libslurm37 (= 2) but 1 is to be
 * installed", where a line of spaces only goes on about the package of the one above. The one that is
 * needed goes first; once it is free, the one that can't do with today's. True if one was kept until
 * now.
 */
static bool let_go_of_blockers(struct lock_keeping *g, struct blob said)
{
	struct blob whose = {0};
	bool any = false;

	for (const char *p = said.data, *end = p + said.len; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		eol = eol ? eol : end;
		if (eol - p > 1 && p[0] == ' ' && p[1] != ' ')
			whose = name_at(p + 1, eol);
		struct blob name = needed(p, eol);
		if (name.len && let_go(g, name))
			any = true;
		else if (name.len && whose.len)
			any |= let_go(g, whose);
		p = eol + 1;
	}
	return any;
}

int lock_keep_ask(struct lock_keeping *k, const struct apt_state *t, const char *const *argv,
                  struct blob *ret, struct err *e)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		int status;
		int r = apt_try(t, argv, ret, &status, e);

		if (r < 0 || status == 0)
			return r;
		if (!let_go_of_blockers(k, *ret))
			break;
		r = pin(k, t, e);
		if (r < 0)
			return r;
	}
	return apt_ask(t, argv, ret, e); /* tells its failure */
}

/* ---- rows ---- */

/* The row of what was brought has the URL of a repository that is gone when the lock is used. */
static bool is_brought(const struct lock_package *was, const struct lock_package *now)
{
	return !lock_takes_url(now->url) && str_eq(now->sha256, was->sha256);
}

void lock_keep_rows(const struct lock_keeping *k, struct lock *now)
{
	for (size_t i = 0; i < now->n; i++)
		for (size_t j = 0; j < k->was->n; j++) {
			const struct lock_package *was = &k->was->packages[j];
			struct lock_package *p = &now->packages[i];

			if (str_eq(p->name, was->name) && str_eq(p->arch, was->arch) &&
			    str_eq(p->version, was->version) && (k->kept[j] || is_brought(was, p)))
				*p = *was;
		}
}
