/* SPDX-License-Identifier: Apache-2.0 */
/* Reads tables of instance types and finds a type in them. */
#include "model/instance.h"

#include <errno.h>
#include <stdlib.h>

#define COLUMNS     13
#define NUMBER_MAX  (1UL << 40) /* of a column: a million GiB of memory is far off */
#define FIRST_TITLE "type"

/* ---- a line ---- */

static bool number(const char *text, uint64_t min, uint64_t *ret)
{
	return str_u64(text, min, NUMBER_MAX, ret) == 0;
}

static const char *name_or_none(const char *text)
{
	return str_eq(text, "-") ? NULL : text;
}

/* The columns of a line; the tabs become the ends of the texts. */
static size_t split(char *line, const char *columns[static COLUMNS])
{
	size_t n = 0;

	for (char *at = line; at && n <= COLUMNS; n++) {
		char *tab = strchr(at, '\t');

		if (tab)
			*tab = '\0';
		if (n < COLUMNS)
			columns[n] = at;
		at = tab ? tab + 1 : NULL;
	}
	return n;
}

static bool take_numbers(const char *const c[static COLUMNS], struct instance_type *t)
{
	static const struct {
		size_t column;
		uint64_t min;
	} rows[] = {{2, 1}, {3, 1}, {4, 1}, {5, 1}, {8, 0}, {9, 0}, {10, 1}, {11, 0}, {12, 0}};
	uint64_t v[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!number(c[rows[i].column], rows[i].min, &v[i]))
			return false;
	t->vcpus = (unsigned)v[0];
	t->cores = (unsigned)v[1];
	t->threads = (unsigned)v[2];
	t->memory_mib = v[3];
	t->gpus = (unsigned)v[4];
	t->efa_interfaces = (unsigned)v[5];
	t->cards = (unsigned)v[6];
	return (uint64_t)t->cores * t->threads == t->vcpus;
}

static bool read_line(char *line, struct instance_type *t)
{
	const char *c[COLUMNS];

	if (split(line, c) != COLUMNS || !*c[0] || !take_numbers(c, t))
		return false;
	t->name = c[0];
	t->arch = c[1];
	t->gpu_maker = name_or_none(c[6]);
	t->gpu_model = name_or_none(c[7]);
	return str_eq(t->arch, "x86_64") || str_eq(t->arch, "arm64");
}

/* ---- a table ---- */

static int by_name(const void *a, const void *b)
{
	const struct instance_type *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* `more` behind what is there: of two of one name the later one stays. */
static struct instance_table joined(const struct instance_table *t,
                                    const struct instance_table *more, struct arena *a)
{
	struct instance_table all = {.items = arena_array(a, t->n + more->n, sizeof *all.items)};
	size_t i = 0, k = 0;

	while (i < t->n || k < more->n) {
		int side = i == t->n      ? 1
		           : k == more->n ? -1
		                          : strcmp(t->items[i].name, more->items[k].name);
		bool again = side >= 0 && all.n &&
		             str_eq(all.items[all.n - 1].name, more->items[k].name);

		if (side < 0) {
			all.items[all.n++] = t->items[i++];
			continue;
		}
		all.items[again ? all.n - 1 : all.n++] = more->items[k++];
		i += side == 0;
	}
	return all;
}

static int bad_line(const char *file, unsigned line, struct err *e)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
	               "%s:%u:1: no instance type: expected %d columns separated by tabs: type, "
	               "architecture, vCPUs, cores, threads of a core, MiB of memory, GPU maker, "
	               "model and count, EFA interfaces, network cards, NVMe disks and GB of one",
	               file, line, COLUMNS);
}

int instance_add(struct instance_table *t, const char *file, struct blob text, struct arena *a,
                 struct err *e)
{
	struct instance_table more = {0};
	unsigned number_of_line = 0;

	if (text.len > INSTANCE_TABLE_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "%s: expected at most %lu bytes", file, INSTANCE_TABLE_MAX);
	char *copy = arena_memdup(a, text.data, text.len);
	for (char *save = NULL, *line = copy; line; line = save) {
		char *end = strchr(line, '\n');

		save = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		number_of_line++;
		if (!*line || *line == '#' || str_starts(line, FIRST_TITLE "\t"))
			continue;
		more.items = arena_grow(a, more.items, &more.n, sizeof *more.items);
		if (!read_line(line, &more.items[more.n - 1]))
			return bad_line(file, number_of_line, e);
	}
	if (more.n)
		qsort(more.items, more.n, sizeof *more.items, by_name);
	*t = joined(t, &more, a);
	return 0;
}

const struct instance_type *instance_find(const struct instance_table *t, const char *name)
{
	const struct instance_type key = {.name = name};

	return t->n ? bsearch(&key, t->items, t->n, sizeof *t->items, by_name) : NULL;
}
