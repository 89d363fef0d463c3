/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema: prints the JSON Schema (draft 07) of recipes, from the tables that read them. Editors use
 * it to complete and check; rules about several keys are only checked by `check`.
 */
#include <stdio.h>

#include "component/component.h"
#include "data/jsonw.h"
#include "kinds/kinds.h"
#include "recipe/allow.h"
#include "recipe/copy.h"
#include "recipe/recipe.h"
#include "recipe/test.h"
#include "verb/verb.h"

#define SCHEMA_MAX (512 * 1024)

enum place {
	PLACE_ANY,
	PLACE_SECTION, /* its lists have entries */
	PLACE_ENTRY,   /* may be for some images only */
};

static void put_map(struct jsonw *w, const char *key, enum place place, const struct field *a,
                    const struct field *b, const char *help);

/* The limits of a row, under their names for its type. */
static void put_limits(struct jsonw *w, const struct field *f, const char *least, const char *most)
{
	if (f->min > 0)
		jsonw_u64(w, least, (uint64_t)f->min);
	if (f->max > 0)
		jsonw_u64(w, most, (uint64_t)f->max);
}

/* Scalars get their type from the field that reads them, so `1.10` and `yes` are accepted as
 * strings. */
static void put_types(struct jsonw *w, bool boolean)
{
	jsonw_begin(w, "type", '[');
	jsonw_str(w, NULL, "string");
	jsonw_str(w, NULL, "number");
	if (boolean)
		jsonw_str(w, NULL, "boolean");
	jsonw_end(w, ']');
}

static void put_scalar(struct jsonw *w, const char *key)
{
	jsonw_begin(w, key, '{');
	put_types(w, true);
	jsonw_end(w, '}');
}

static void put_choices(struct jsonw *w, const struct field *f)
{
	jsonw_begin(w, "enum", '[');
	for (size_t i = 0; f->choices[i]; i++) {
		bool truth = str_eq(f->choices[i], "true");

		jsonw_str(w, NULL, f->choices[i]);
		if (truth || str_eq(f->choices[i], "false"))
			jsonw_bool(w, NULL, truth);
	}
	jsonw_end(w, ']');
}

static void put_bool(struct jsonw *w)
{
	static const char *const words[] = {"yes", "no", "on", "off", "true", "false"};

	jsonw_begin(w, "enum", '[');
	jsonw_bool(w, NULL, true);
	jsonw_bool(w, NULL, false);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		jsonw_str(w, NULL, words[i]);
	jsonw_end(w, ']');
}

static void put_ref(struct jsonw *w, const char *key, const char *to)
{
	jsonw_begin(w, key, '{');
	jsonw_str(w, "$ref", to);
	jsonw_end(w, '}');
}

static void put_match(struct jsonw *w)
{
	put_ref(w, "match", "#/properties/when/items/properties/match");
}

/* A word, or a map with it and `match`. */
static void put_word(struct jsonw *w, const char *key)
{
	jsonw_begin(w, key, '{');
	jsonw_begin(w, "anyOf", '[');
	put_scalar(w, NULL);
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "type", "object");
	jsonw_bool(w, "additionalProperties", false);
	jsonw_begin(w, "required", '[');
	jsonw_str(w, NULL, "name");
	jsonw_str(w, NULL, "match");
	jsonw_end(w, ']');
	jsonw_begin(w, "properties", '{');
	put_scalar(w, "name");
	put_match(w);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

static void put_strings(struct jsonw *w, enum place place, const struct field *f)
{
	jsonw_begin(w, "anyOf", '[');
	put_scalar(w, NULL);
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "type", "array");
	if (f)
		put_limits(w, f, "minItems", "maxItems");
	(place == PLACE_SECTION ? put_word : put_scalar)(w, "items");
	jsonw_end(w, '}');
	jsonw_end(w, ']');
}

static void put_field(struct jsonw *w, enum place place, const struct field *f)
{
	jsonw_begin(w, f->name, '{');
	if (f->help)
		jsonw_str(w, "description", f->help);
	switch (f->type) {
	case FIELD_STRING:
		put_types(w, true);
		put_limits(w, f, "minLength", "maxLength");
		break;
	case FIELD_BOOL:
		put_bool(w);
		break;
	case FIELD_INT:
		put_types(w, false);
		put_limits(w, f, "minimum", "maximum");
		break;
	case FIELD_NUMBER:
	case FIELD_DURATION:
	case FIELD_SIZE:
	case FIELD_MODE:
		put_types(w, false);
		break;
	case FIELD_CHOICE:
		put_choices(w, f);
		break;
	case FIELD_STRINGS:
		put_strings(w, place, f);
		break;
	case FIELD_PAIRS:
		jsonw_str(w, "type", "object");
		put_scalar(w, "additionalProperties");
		break;
	case FIELD_LIST:
		jsonw_str(w, "type", "array");
		put_map(w, "items", place == PLACE_SECTION ? PLACE_ENTRY : PLACE_ANY, f->sub, NULL,
		        NULL);
		break;
	case FIELD_MAP:
	case FIELD_DOC:
	case FIELD_ANY:
		break;
	}
	jsonw_end(w, '}');
}

/* A nested map's rows belong to its object, which put_field can't open a second time. */
static void put_row(struct jsonw *w, enum place place, const struct field *f)
{
	if (f->type == FIELD_MAP)
		put_map(w, f->name, PLACE_ANY, f->sub, NULL, f->help);
	else
		put_field(w, place, f);
}

static void put_required(struct jsonw *w, const struct field *f)
{
	bool any = false;

	for (const struct field *row = f; row->name; row++)
		any = any || row->required;
	if (!any)
		return;
	jsonw_begin(w, "required", '[');
	for (; f->name; f++)
		if (f->required)
			jsonw_str(w, NULL, f->name);
	jsonw_end(w, ']');
}

/* An object with the rows of two tables. */
static void put_map(struct jsonw *w, const char *key, enum place place, const struct field *a,
                    const struct field *b, const char *help)
{
	jsonw_begin(w, key, '{');
	if (help)
		jsonw_str(w, "description", help);
	jsonw_str(w, "type", "object");
	jsonw_bool(w, "additionalProperties", false);
	put_required(w, a);
	jsonw_begin(w, "properties", '{');
	for (; a->name; a++)
		put_row(w, place, a);
	for (; b && b->name; b++)
		put_row(w, place, b);
	if (place == PLACE_ENTRY)
		put_match(w);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

static void put_list(struct jsonw *w, const char *key, const struct field *a, const struct field *b,
                     const char *help)
{
	jsonw_begin(w, key, '{');
	jsonw_str(w, "description", help);
	jsonw_str(w, "type", "array");
	put_map(w, "items", PLACE_ENTRY, a, b, NULL);
	jsonw_end(w, '}');
}

static void put_kind(struct jsonw *w, const struct kind *k)
{
	if (k->shape == KIND_MAP) {
		put_map(w, k->section, PLACE_SECTION, k->fields, step_policy_fields, k->summary);
		return;
	}
	if (k->shape == KIND_LIST) {
		put_list(w, k->section, k->fields, step_policy_fields, k->summary);
		return;
	}
	jsonw_begin(w, k->section, '{');
	jsonw_str(w, "description", k->summary);
	if (k->shape == KIND_PAIRS) {
		jsonw_str(w, "type", "object");
		put_scalar(w, "additionalProperties");
	} else if (k->shape == KIND_SCALAR) {
		put_types(w, true);
	} else {
		jsonw_begin(w, "anyOf", '[');
		jsonw_begin(w, NULL, '{');
		put_strings(w, PLACE_SECTION, NULL);
		jsonw_end(w, '}');
		put_map(w, NULL, PLACE_SECTION, k->fields, step_policy_fields, NULL);
		jsonw_end(w, ']');
	}
	jsonw_end(w, '}');
}

static bool is_refused(const char *section)
{
	for (const struct recipe_refused *r = recipe_refused; r->section; r++)
		if (str_eq(r->section, section))
			return true;
	return false;
}

static void put_components(struct jsonw *w)
{
	jsonw_begin(w, "components", '{');
	jsonw_str(w, "description", "AWS Image Builder component documents");
	jsonw_str(w, "type", "array");
	jsonw_begin(w, "items", '{');
	jsonw_begin(w, "anyOf", '[');
	put_scalar(w, NULL);
	put_map(w, NULL, PLACE_ENTRY, component_entry_fields, NULL, NULL);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

static void put_sections(struct jsonw *w)
{
	jsonw_begin(w, "include", '{');
	jsonw_str(w, "description", "recipes that lie under this one");
	put_strings(w, PLACE_SECTION, NULL);
	jsonw_end(w, '}');
	put_list(w, "copy", copy_fields, NULL, "files of the building machine");
	for (const struct kind *const *k = kinds_all; *k; k++)
		if (!is_refused((*k)->section))
			put_kind(w, *k);
	put_components(w);
	put_list(w, "tests", test_fields, NULL, "programs run in the finished image");
	put_list(w, "allow", allow_fields, NULL,
	         "what may be in the image although a rule is against it");
}

/* A key that a part has as the recipe has it. */
static void put_same(struct jsonw *w, const char *key)
{
	char to[128];

	snprintf(to, sizeof to, "#/properties/%s", key);
	put_ref(w, key, to);
}

static void put_part(struct jsonw *w)
{
	static const char *const own[] = {"include", "copy", "components", "tests", "allow"};

	put_map(w, "match", PLACE_ANY, when_match_fields, NULL, "the images that the part is for");
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		put_same(w, own[i]);
	for (const struct kind *const *k = kinds_all; *k; k++)
		if (!is_refused((*k)->section))
			put_same(w, (*k)->section);
}

static void put_when(struct jsonw *w)
{
	jsonw_begin(w, "when", '{');
	jsonw_str(w, "description", "parts that are for some distributions or architectures");
	jsonw_str(w, "type", "array");
	jsonw_begin(w, "items", '{');
	jsonw_str(w, "type", "object");
	jsonw_bool(w, "additionalProperties", false);
	jsonw_begin(w, "required", '[');
	jsonw_str(w, NULL, "match");
	jsonw_end(w, ']');
	jsonw_begin(w, "properties", '{');
	put_part(w);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

int verb_schema(void *program)
{
	struct image *g = program;
	struct strbuf b = STRBUF(g->program.arena, SCHEMA_MAX);
	struct jsonw w = {.out = &b};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "$schema", "http://json-schema.org/draft-07/schema#");
	jsonw_str(&w, "title", "Recipe of hpc-imagebuild");
	jsonw_str(&w, "type", "object");
	jsonw_bool(&w, "additionalProperties", false);
	jsonw_begin(&w, "properties", '{');
	put_map(&w, "image", PLACE_ANY, recipe_image_fields, NULL,
	        "what the image is called, and made from");
	put_sections(&w);
	put_when(&w);
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
	printf("%s\n", b.data);
	return b.overflow ? 70 : 0;
}
