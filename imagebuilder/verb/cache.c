/* SPDX-License-Identifier: Apache-2.0 */
/* cache: shows what the store holds, and prunes it. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "build/record.h"
#include "data/jsonw.h"
#include "store/objects.h"
#include "store/store.h"
#include "verb/verb.h"

#define TEXT_MAX     (16UL << 20)
#define SIZE_MAX_LEN 16

/* "4 KiB", "1.5 MiB": a size for people, with one decimal. */
static const char *size_text(uint64_t bytes, char out[static SIZE_MAX_LEN])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= 1024 && i + 1 < ARRAY_LEN(units); i++)
		value /= 1024;
	bool whole = i == 0 || value >= 100 || value - (double)(uint64_t)value < 0.05;
	snprintf(out, SIZE_MAX_LEN, whole ? "%.0f %s" : "%.1f %s", value, units[i]);
	return out;
}

static void list_json(const struct store_entry *list, size_t n, struct strbuf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		char used[21];

		clock_rfc3339(list[i].used, used);
		jsonw_begin(&w, NULL, '{');
		jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
		jsonw_str(&w, "key", list[i].key);
		jsonw_str(&w, "step", list[i].step);
		jsonw_str(&w, "parent", list[i].parent);
		jsonw_u64(&w, "bytes", list[i].all);
		jsonw_str(&w, "used", used);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	strbuf_char(out, '\n');
}

static void list_text(const struct store *s, const struct store_entry *list, size_t n,
                      struct strbuf *out)
{
	char size[SIZE_MAX_LEN];
	uint64_t total = 0;
	size_t files;

	for (size_t i = 0; i < n; i++) {
		char used[21];

		clock_rfc3339(list[i].used, used);
		total += list[i].all;
		strbuf_printf(out, "%s %10s  %s  %s\n", list[i].key, size_text(list[i].all, size),
		              used, list[i].step);
	}
	strbuf_printf(out, "%zu layers, %s\n", n, size_text(total, size));
	objects_measure(s, &files, &total);
	if (files)
		strbuf_printf(out, "%zu fetched packages and files, %s\n", files,
		              size_text(total, size));
}

static int list(struct image *g, struct store *s, struct err *e)
{
	struct strbuf out = STRBUF(g->program.arena, TEXT_MAX);
	struct store_entry *entries;
	size_t n;
	int r = store_list(s, g->program.arena, &entries, &n, e);

	if (r < 0)
		return r;
	if (g->program.json)
		list_json(entries, n, &out);
	else
		list_text(s, entries, n, &out);
	fputs(out.data, stdout);
	return 0;
}

static void tell_pruned(const struct image *g, size_t n, size_t files, uint64_t bytes)
{
	struct strbuf out = STRBUF(g->program.arena, 256);
	struct jsonw w = {.out = &out};
	char size[SIZE_MAX_LEN];

	if (!g->program.json) {
		printf("removed %zu layers and %zu fetched files, %s\n", n, files,
		       size_text(bytes, size));
		return;
	}
	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
	jsonw_u64(&w, "removed", n);
	jsonw_u64(&w, "files", files);
	jsonw_u64(&w, "bytes", bytes);
	jsonw_end(&w, '}');
	puts(out.data);
}

static int prune(struct image *g, struct store *s, struct err *e)
{
	uint64_t keep = g->opt.keep ? g->opt.keep : STORE_KEEP, left, bytes, of_files;
	size_t n, files;

	record_prune(s);
	int r = store_prune(s, keep, &left, &bytes, &n, e);
	if (r < 0)
		return r;
	objects_prune(s, left < keep ? keep - left : 0, &files, &of_files);
	if (!g->program.quiet)
		tell_pruned(g, n, files, bytes + of_files);
	return 0;
}

static int run(struct image *g, const char *what, struct err *e)
{
	scope_store struct store s = STORE_INIT;
	int r = store_look(g->opt.store ? g->opt.store : STORE_DEFAULT, &s, e);

	if (r < 0)
		return r;
	return (str_eq(what, "list") ? list : prune)(g, &s, e);
}

int verb_cache(void *program)
{
	struct image *g = program;
	const char *what = g->program.line.operands[0];
	struct err e;

	if (!str_eq(what, "list") && !str_eq(what, "prune")) {
		fprintf(stderr, "hpc-imagebuild: cache: '%s' is neither list nor prune\n", what);
		return 2;
	}
	if (run(g, what, &e) < 0)
		return program_fail(&g->program, &e);
	return 0;
}
