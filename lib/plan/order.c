/* SPDX-License-Identifier: Apache-2.0 */
/* The order of steps, from what they provide and need. */
#include "plan/order.h"

#include <stdlib.h>
#include <string.h>

#define CYCLE_TEXT_MAX 400

/* Names, sorted for binary search: what steps provide, or their ids. */
struct name {
	const char *text;
	size_t step;
};
struct names {
	struct name *items;
	size_t n;
};

static int name_compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	return r ? r : (x->step > y->step) - (x->step < y->step);
}

static void names_sort(struct names *l)
{
	if (l->n)
		qsort(l->items, l->n, sizeof *l->items, name_compare);
}

static struct names provided_names(const struct plan *p)
{
	struct names l = {0};
	size_t total = 0;

	for (size_t i = 0; i < p->n; i++)
		total += p->steps[i]->provides.n;
	l.items = arena_array(p->arena, total, sizeof *l.items);
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->steps[i]->provides.n; k++)
			l.items[l.n++] = (struct name){p->steps[i]->provides.items[k], i};
	names_sort(&l);
	return l;
}

static struct names id_names(const struct plan *p)
{
	struct names l = {.n = p->n};

	l.items = arena_array(p->arena, p->n, sizeof *l.items);
	for (size_t i = 0; i < p->n; i++)
		l.items[i] = (struct name){p->steps[i]->id, i};
	names_sort(&l);
	return l;
}

/* Compares `text` with the first `len` bytes of `word`. */
static int compare_part(const char *text, const char *word, size_t len)
{
	int r = strncmp(text, word, len);

	return r ? r : text[len] != '\0';
}

/* The first entry that equals the first `len` bytes of `word`, or l->n. */
static size_t names_find(const struct names *l, const char *word, size_t len)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_part(l->items[mid].text, word, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n && compare_part(l->items[low].text, word, len) == 0 ? low : l->n;
}

static void add_edge(struct plan *p, size_t step, size_t before, const char *need)
{
	struct plan_edges *edges = &p->edges[step];

	for (size_t i = 0; i < edges->n; i++)
		if (edges->items[i].before == before) {
			if (!edges->items[i].need)
				edges->items[i].need = need;
			return;
		}
	edges->items = arena_grow(p->arena, edges->items, &edges->n, sizeof *edges->items);
	edges->items[edges->n - 1] = (struct plan_edge){before, need};
}

/* Adds edges to all other steps that provide the first `len` bytes of `need`; returns whether there
 * was one. */
static bool meet(struct plan *p, size_t step, const struct names *provided, const char *need,
                 size_t len)
{
	bool met = false;

	for (size_t i = names_find(provided, need, len);
	     i < provided->n && compare_part(provided->items[i].text, need, len) == 0; i++) {
		if (provided->items[i].step == step)
			continue;
		add_edge(p, step, provided->items[i].step, provided->items[i].text);
		met = true;
	}
	return met;
}

/* Exactly, or for a path by the longest prefix that ends at a component's end. */
static void meet_need(struct plan *p, size_t step, const struct names *provided, const char *need)
{
	static const char root[] = "path:/";
	size_t len = strlen(need);

	if (meet(p, step, provided, need, len) || !str_starts(need, root))
		return;
	for (len--; len >= sizeof root - 1; len--)
		if (need[len] == '/' && meet(p, step, provided, need, len))
			return;
	meet(p, step, provided, root, sizeof root - 1);
}

/* "mount:*": orders after everything with that prefix, and nothing more: the step also runs after
 * an optional one that failed. */
static void meet_pattern(struct plan *p, size_t step, const struct names *provided,
                         const char *need)
{
	size_t len = strlen(need) - 1;

	for (size_t i = 0; i < provided->n; i++)
		if (provided->items[i].step != step &&
		    strncmp(provided->items[i].text, need, len) == 0)
			add_edge(p, step, provided->items[i].step, NULL);
}

static const struct doc *after_place(const struct step *s, size_t i)
{
	const struct doc *d = doc_get(s->at, "after");

	return d && d->type == DOC_LIST && i < d->n ? d->items[i] : d;
}

static int unknown_after(const struct plan *p, const struct kind *const *kinds, size_t step,
                         size_t i, struct err *e)
{
	const struct step *s = p->steps[step];
	const char *word = s->policy.after.items[i], **known = NULL;
	size_t n = 0;

	for (size_t k = 0; k < p->n; k++) {
		known = arena_grow(p->arena, known, &n, sizeof *known);
		known[n - 1] = p->steps[k]->id;
	}
	for (size_t k = 0; kinds[k]; k++) {
		known = arena_grow(p->arena, known, &n, sizeof *known);
		known[n - 1] = kinds[k]->section;
	}
	const char *near = str_nearest(word, known, n);
	if (near)
		return doc_err(after_place(s, i), e, REASON_INPUT_RANGE,
		               "'after' names no step: '%s', did you mean '%s'?", word, near);
	return doc_err(after_place(s, i), e, REASON_INPUT_RANGE,
	               "'after' names no step: '%s', expected a step's id or a section", word);
}

static int follow_after(struct plan *p, const struct kind *const *kinds, const struct names *ids,
                        size_t step, size_t i, struct err *e)
{
	const char *word = p->steps[step]->policy.after.items[i];
	size_t found = names_find(ids, word, strlen(word));
	bool known = found < ids->n;

	if (known && ids->items[found].step != step)
		add_edge(p, step, ids->items[found].step, NULL);
	for (size_t k = 0; kinds[k]; k++) {
		if (!str_eq(kinds[k]->section, word))
			continue;
		known = true;
		for (size_t s = 0; s < p->n; s++)
			if (p->steps[s]->kind == kinds[k] && s != step)
				add_edge(p, step, s, NULL);
	}
	return known ? 0 : unknown_after(p, kinds, step, i, e);
}

static int check_unique(const struct plan *p, const struct names *ids, struct err *e)
{
	for (size_t i = 1; i < ids->n; i++) {
		const struct step *first = p->steps[ids->items[i - 1].step];
		const struct step *second = p->steps[ids->items[i].step];

		if (str_eq(first->id, second->id))
			return doc_err(
			        second->at, e, REASON_INPUT_DUPLICATE,
			        "a second step '%s': the first is at line %u, expected an 'id' "
			        "of its own",
			        second->id, first->at->line);
	}
	return 0;
}

/* The need "*": after everything that doesn't have to come after this step. */
static bool is_last(const char *need)
{
	return str_eq(need, "*");
}

static bool wants_last(const struct step *s)
{
	for (size_t k = 0; k < s->needs.n; k++)
		if (is_last(s->needs.items[k]))
			return true;
	return false;
}

/* Marks the step and all steps that wait for it, in as many rounds as the longest
 * path has edges. */
static bool *find_later(const struct plan *p, size_t step)
{
	bool *later = arena_array(p->arena, p->n, sizeof *later);
	bool more = true;

	later[step] = true;
	while (more) {
		more = false;
		for (size_t i = 0; i < p->n; i++)
			for (size_t k = 0; !later[i] && k < p->edges[i].n; k++)
				if (later[p->edges[i].items[k].before])
					later[i] = more = true;
	}
	return later;
}

/* Done when all other edges are known. Two such steps don't wait for each other. */
static void put_last(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!wants_last(p->steps[i]))
			continue;

		const bool *later = find_later(p, i);
		for (size_t k = 0; k < p->n; k++)
			if (!later[k] && !wants_last(p->steps[k]))
				add_edge(p, i, k, NULL);
	}
}

static void meet_needs(struct plan *p, const struct names *provided, size_t step)
{
	const struct step *s = p->steps[step];

	for (size_t k = 0; k < s->needs.n; k++) {
		const char *need = s->needs.items[k];

		if (is_last(need))
			continue;
		if (str_ends(need, "*"))
			meet_pattern(p, step, provided, need);
		else
			meet_need(p, step, provided, need);
	}
}

static int find_edges(struct plan *p, const struct kind *const *kinds, struct err *e)
{
	struct names provided = provided_names(p), ids = id_names(p);
	int r = check_unique(p, &ids, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < p->n; i++) {
		meet_needs(p, &provided, i);
		for (size_t k = 0; k < p->steps[i]->policy.after.n; k++) {
			r = follow_after(p, kinds, &ids, i, k, e);
			if (r < 0)
				return r;
		}
	}
	put_last(p);
	return 0;
}

/* The edges reversed: the followers of step i are items[start[i]] to items[start[i + 1] - 1]. */
struct followers {
	size_t *start, *items;
};

static struct followers find_followers(const struct plan *p)
{
	struct followers f = {.start = arena_array(p->arena, p->n + 2, sizeof *f.start)};
	size_t total = 0;

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->edges[i].n; k++, total++)
			f.start[p->edges[i].items[k].before + 2]++;
	for (size_t i = 2; i <= p->n; i++)
		f.start[i] += f.start[i - 1];
	f.items = arena_array(p->arena, total, sizeof *f.items);
	/* start[i + 1] runs while filling and ends where it belongs. */
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->edges[i].n; k++)
			f.items[f.start[p->edges[i].items[k].before + 1]++] = i;
	return f;
}

/* Each of the remaining steps waits for another remaining one, so going back from any of them ends
 * in the cycle. */
static int report_cycle(const struct plan *p, const size_t *waiting, struct err *e)
{
	struct strbuf text = STRBUF(p->arena, CYCLE_TEXT_MAX);
	bool *seen = arena_array(p->arena, p->n, sizeof *seen);
	size_t at = 0, first;

	while (!waiting[at])
		at++;
	for (;;) {
		const struct plan_edge *edge = p->edges[at].items;

		while (!waiting[edge->before])
			edge++;
		if (seen[at])
			break;
		seen[at] = true;
		at = edge->before;
	}
	first = at;
	do {
		const struct plan_edge *edge = p->edges[at].items;
		const char *id = p->steps[at]->id;

		while (!waiting[edge->before])
			edge++;
		strbuf_str(&text, text.len ? ", " : "");
		if (edge->need)
			strbuf_printf(&text, "%s needs %s of %s", id, edge->need,
			              p->steps[edge->before]->id);
		else
			strbuf_printf(&text, "%s is after %s", id, p->steps[edge->before]->id);
		at = edge->before;
	} while (at != first);
	return doc_err(p->steps[first]->at, e, REASON_INPUT_CYCLE, "steps wait in a circle: %s%s",
	               text.data, text.overflow ? "..." : "");
}

/* Kahn's algorithm; among steps that could come next, the first in the spec is taken. */
static int sort(const struct plan *p, size_t *order, struct err *e)
{
	struct followers f = find_followers(p);
	size_t *waiting = arena_array(p->arena, p->n, sizeof *waiting);
	bool *done = arena_array(p->arena, p->n, sizeof *done);

	for (size_t i = 0; i < p->n; i++)
		waiting[i] = p->edges[i].n;
	for (size_t placed = 0; placed < p->n; placed++) {
		size_t next = 0;

		while (next < p->n && (done[next] || waiting[next]))
			next++;
		if (next == p->n)
			return report_cycle(p, waiting, e);
		done[next] = true;
		order[placed] = next;
		for (size_t k = f.start[next]; k < f.start[next + 1]; k++)
			waiting[f.items[k]]--;
	}
	return 0;
}

static int edge_compare(const void *a, const void *b)
{
	const struct plan_edge *x = a, *y = b;

	return (x->before > y->before) - (x->before < y->before);
}

static void rearrange(struct plan *p, const size_t *order)
{
	struct step **steps = arena_array(p->arena, p->n, sizeof *steps);
	struct plan_edges *edges = arena_array(p->arena, p->n, sizeof *edges);
	size_t *place = arena_array(p->arena, p->n, sizeof *place);

	for (size_t i = 0; i < p->n; i++)
		place[order[i]] = i;
	for (size_t i = 0; i < p->n; i++) {
		steps[i] = p->steps[order[i]];
		edges[i] = p->edges[order[i]];
		for (size_t k = 0; k < edges[i].n; k++)
			edges[i].items[k].before = place[edges[i].items[k].before];
		if (edges[i].n)
			qsort(edges[i].items, edges[i].n, sizeof *edges[i].items, edge_compare);
	}
	p->steps = steps;
	p->edges = edges;
}

int order_steps(struct plan *p, const struct kind *const *kinds, struct err *e)
{
	size_t *order = arena_array(p->arena, p->n, sizeof *order);

	p->edges = arena_array(p->arena, p->n, sizeof *p->edges);
	int r = find_edges(p, kinds, e);
	if (r < 0)
		return r;
	r = sort(p, order, e);
	if (r < 0)
		return r;
	rearrange(p, order);
	return 0;
}
