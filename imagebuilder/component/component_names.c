/* SPDX-License-Identifier: Apache-2.0 */
/* The constants and parameters of component documents. */
#include "component/component_own.h"

#define ALLOWED_MAX 256

static const char *const types[] = {"string", NULL};
struct name_spec {
	int type;
	const char *value, *preset;
	struct field_strings allowed;
};
static const struct field constant_fields[] = {
        {"type", FIELD_CHOICE, FIELD_AT(struct name_spec, type), .choices = types},
        {"value", FIELD_STRING, FIELD_AT(struct name_spec, value), .required = true},
        {0},
};
static const struct field parameter_fields[] = {
        {"type", FIELD_CHOICE, FIELD_AT(struct name_spec, type), .choices = types},
        {"default", FIELD_STRING, FIELD_AT(struct name_spec, preset)},
        {"allowedValues", FIELD_STRINGS, FIELD_AT(struct name_spec, allowed), .min = 1,
         .max = ALLOWED_MAX},
        {"description", FIELD_ANY},
        {0},
};

struct reading {
	const char *what;
	const struct field *fields;
	const struct field_pairs *given; /* parameter values; NULL: these have none */
	struct component *component;
	struct arena *arena;
};

static const struct field_pair *given_to(const struct reading *in, const char *name)
{
	for (size_t i = 0; in->given && i < in->given->n; i++)
		if (str_eq(in->given->items[i].name, name))
			return &in->given->items[i];
	return NULL;
}

static int check_allowed(const struct doc *at, const struct field_strings *allowed,
                         const char *name, const char *value, struct err *e)
{
	const char *near = str_nearest(value, allowed->items, allowed->n);

	for (size_t i = 0; i < allowed->n; i++)
		if (str_eq(allowed->items[i], value))
			return 0;
	if (!allowed->n)
		return 0;
	return doc_err(at, e, REASON_INPUT_RANGE,
	               near ? "parameter '%s' can't be '%s', did you mean '%s'?"
	                    : "parameter '%s' can't be '%s', expected one of its allowedValues%s",
	               name, value, near ? near : "");
}

static int read_name(const struct reading *in, const struct doc *key, const struct doc *says,
                     struct err *e)
{
	const struct field_pair *given = given_to(in, key->text);
	struct name_spec spec = {0};
	int r = field_decode(says, in->fields, NULL, in->arena, &spec, e);

	if (r < 0)
		return r;
	if (vars_get(&in->component->names, key->text))
		return doc_err(key, e, REASON_INPUT_DUPLICATE, "'%s' is there already", key->text);
	const char *value = given ? given->value : spec.value ? spec.value : spec.preset;
	if (!value)
		return doc_err(key, e, REASON_INPUT_REQUIRED,
		               "parameter '%s' has no default, and the recipe doesn't give one",
		               key->text);
	r = check_allowed(given ? given->at : key, &spec.allowed, key->text, value, e);
	if (r < 0)
		return r;
	vars_set(&in->component->names, key->text, value, in->what);
	return 0;
}

static int read_map(const struct reading *in, const struct doc *map, struct err *e)
{
	for (size_t i = 0; i < map->n; i++) {
		int r = read_name(in, map->keys[i], map->items[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Reads a list of maps with one name each, "- Name: {type: string, value: x}", or one map with all
 * of them. */
static int read_names(const struct reading *in, const struct doc *list, struct err *e)
{
	if (!list)
		return 0;
	if (list->type == DOC_MAP)
		return read_map(in, list, e);
	if (list->type != DOC_LIST)
		return doc_err(list, e, REASON_INPUT_TYPE, "'%s': expected a list, found %s",
		               in->what, doc_type_name(list));
	for (size_t i = 0; i < list->n; i++) {
		const struct doc *entry = list->items[i];

		if (entry->type != DOC_MAP || entry->n != 1)
			return doc_err(entry, e, REASON_INPUT_TYPE,
			               "'%s': expected one name with its type and value", in->what);
		int r = read_map(in, entry, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_parameter(const struct doc *parameters, const char *name)
{
	bool found = doc_get(parameters, name) != NULL;

	for (size_t i = 0; parameters && parameters->type == DOC_LIST && i < parameters->n; i++)
		found = found || doc_get(parameters->items[i], name);
	return found;
}

int component_names(const struct doc *constants, const struct doc *parameters,
                    const struct field_pairs *given, struct component *c, struct arena *a,
                    struct err *e)
{
	const struct reading fixed = {"constants", constant_fields, NULL, c, a};
	const struct reading open = {"parameters", parameter_fields, given, c, a};
	int r = read_names(&fixed, constants, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < given->n; i++)
		if (!has_parameter(parameters, given->items[i].name))
			return doc_err(given->items[i].at, e, REASON_INPUT_UNKNOWN_KEY,
			               "the component has no parameter '%s'", given->items[i].name);
	return read_names(&open, parameters, e);
}
