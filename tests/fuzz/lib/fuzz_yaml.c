/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes YAML text to a document, our own and foreign. */
#include "data/field.h"
#include "data/json.h"
#include "data/yaml.h"
#include "data/yaml_own.h"
#include "fuzz.h"

#define ESCAPED_MAX (64 * 1024) /* beyond, escaping alone may take a text over a ceiling */

struct inner {
	const char *name;
	int64_t id;
};

/* A field of every type. */
struct spec {
	const char *string;
	bool boolean;
	int64_t integer;
	uint64_t duration, size;
	unsigned mode;
	int choice;
	struct field_strings strings;
	struct field_pairs pairs;
	struct inner map;
	struct field_list list;
	const struct doc *doc;
};

static const struct field inner_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct inner, name), .required = true, .max = 16},
        {"id", FIELD_INT, FIELD_AT(struct inner, id), .min = 1, .max = 99},
        {0},
};
static const char *const choices[] = {"red", "green", NULL};
static const struct inner inner_defaults = {.id = 7};
static const struct field fields[] = {
        {"string", FIELD_STRING, FIELD_AT(struct spec, string)},
        {"bool", FIELD_BOOL, FIELD_AT(struct spec, boolean)},
        {"int", FIELD_INT, FIELD_AT(struct spec, integer), .min = -9, .max = 999},
        {"duration", FIELD_DURATION, FIELD_AT(struct spec, duration), .max = 60000},
        {"size", FIELD_SIZE, FIELD_AT(struct spec, size)},
        {"mode", FIELD_MODE, FIELD_AT(struct spec, mode)},
        {"choice", FIELD_CHOICE, FIELD_AT(struct spec, choice), .choices = choices},
        {"strings", FIELD_STRINGS, FIELD_AT(struct spec, strings), .max = 4},
        {"pairs", FIELD_PAIRS, FIELD_AT(struct spec, pairs)},
        {"map", FIELD_MAP, FIELD_AT(struct spec, map), .sub = inner_fields},
        {"list", FIELD_LIST, FIELD_AT(struct spec, list), .sub = inner_fields,
         .size = sizeof(struct inner), .defaults = &inner_defaults},
        {"doc", FIELD_DOC, FIELD_AT(struct spec, doc)},
        {"any", FIELD_ANY},
        {0},
};

static void check_decode(const struct doc *d, struct arena *a)
{
	struct spec s = {.integer = 5, .map.id = 5}, before = s;
	struct vars facts = {.arena = a};
	struct err e = {0};
	int r;

	vars_set(&facts, "node", "queue1-dy-1", "test");
	vars_set(&facts, "cores", "4", "test");
	r = field_decode(d, fields, &facts, a, &s, &e);
	fuzz_check_err(r, &e);
	if (r < 0) {
		FUZZ_CHECK(str_starts(e.text, "f:"));
		FUZZ_CHECK(memcmp(&s, &before, sizeof s) == 0);
		return;
	}
	FUZZ_CHECK(s.integer >= -9 && s.integer <= 999 && s.map.id >= 1 && s.map.id <= 99);
	FUZZ_CHECK(s.duration <= 60000 && s.mode <= 07777 && s.choice < 2 && s.strings.n <= 4);
	for (size_t i = 0; i < s.list.n; i++)
		FUZZ_CHECK(((const struct inner *)s.list.items)[i].name);
}

/* Every YAML we read can be told in JSON, and says the same there. */
static void check_json(const struct doc *d, struct arena *a)
{
	struct strbuf once = STRBUF(a, 8 * YAML_SIZE_MAX), twice = STRBUF(a, 8 * YAML_SIZE_MAX);
	struct doc *back;
	struct err e = {0};
	int r;

	doc_json(d, &once);
	FUZZ_CHECK(!once.overflow);
	if (once.len > ESCAPED_MAX)
		return;
	r = json_parse("json", (struct blob){once.data, once.len}, a, &back, &e);
	FUZZ_CHECK(r == 0);
	doc_json(back, &twice);
	FUZZ_CHECK(str_eq(once.data, twice.data));
}

/* Whatever aliases bring, who walks the tree meets no more than the ceilings say. */
static void check_tree(const struct doc *d, unsigned depth, size_t *nodes)
{
	FUZZ_CHECK(depth <= YAML_DEPTH_MAX && ++*nodes <= YAML_NODES_MAX);
	FUZZ_CHECK(d->foreign && d->text);
	for (size_t i = 0; i < d->n; i++) {
		if (d->type == DOC_MAP)
			FUZZ_CHECK(d->keys[i]->foreign && ++*nodes <= YAML_NODES_MAX);
		check_tree(d->items[i], depth + 1, nodes);
	}
}

/* Who looks for all faults comes to the same verdict as who stops at the first. */
static void check_faults(const struct doc *d, struct arena *a)
{
	struct faults faults = {.arena = a};
	struct spec s = {.map.id = 5}, t = s;
	struct err e = {0}, first = {0};
	int r = field_decode_all(d, fields, NULL, &faults, a, &s, &e);

	fuzz_check_err(r, &e);
	FUZZ_CHECK((r < 0) == (field_decode(d, fields, NULL, a, &t, &first) < 0));
	FUZZ_CHECK((r < 0) == (first.kind != ERR_NONE));
	for (size_t i = 0; i < faults.n; i++)
		fuzz_check_err(-faults.items[i].no, &faults.items[i]);
	FUZZ_CHECK(!faults.n || str_eq(faults.items[0].text, first.text));
}

static void check_foreign(struct blob text, bool ours, struct arena *a)
{
	size_t nodes = 0;
	struct doc *d;
	struct err e = {0};
	int r = yaml_parse_foreign("f", text, a, &d, &e);

	fuzz_check_err(r, &e);
	/* What we take of our own is taken of others too. */
	FUZZ_CHECK(r >= 0 || !ours);
	if (r < 0) {
		FUZZ_CHECK(str_starts(e.text, "f:"));
		return;
	}
	check_tree(d, 0, &nodes);
	check_faults(d, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct doc *d;
	struct err e = {0};
	int r = yaml_parse("f", (struct blob){(const char *)data, size}, a, &d, &e);

	fuzz_check_err(r, &e);
	check_foreign((struct blob){(const char *)data, size}, r >= 0, a);
	if (r < 0) {
		FUZZ_CHECK(str_starts(e.text, "f:"));
		return 0;
	}
	check_json(d, a);
	check_decode(d, a);
	return 0;
}
