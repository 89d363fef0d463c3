/* SPDX-License-Identifier: Apache-2.0 */
/* The constants and parameters of component documents. */
#include "recipe/component_own.h"

static const char *const types[] = {"string", NULL};
struct name_spec {
	int type;
	const char *value, *preset;
};
static const struct field constant_fields[] = {
        {"type", FIELD_CHOICE, FIELD_AT(struct name_spec, type), .choices = types},
        {"value", FIELD_STRING, FIELD_AT(struct name_spec, value), .required = true},
        {0},
};
static const struct field parameter_fields[] = {
        {"type", FIELD_CHOICE, FIELD_AT(struct name_spec, type), .choices = types},
        {"default", FIELD_STRING, FIELD_AT(struct name_spec, preset)},
        {"description", FIELD_ANY},
        {0},
};

/* A list of maps with one name each: "- Name: {type: string, value: x}". */
static int each_name(const struct doc *list, const char *what, const struct field *fields,
                     const struct field_pairs *given, struct component *c, struct arena *a,
                     struct err *e)
{
	if (list && list->type != DOC_LIST && list->type != DOC_NULL)
		return doc_err(list, e, REASON_INPUT_TYPE, "'%s': expected a list, found %s", what,
		               doc_type_name(list));
	for (size_t i = 0; list && i < list->n; i++) {
		const struct doc *entry = list->items[i];
		struct name_spec spec = {0};

		if (entry->type != DOC_MAP || entry->n != 1)
			return doc_err(entry, e, REASON_INPUT_TYPE,
			               "'%s': expected one name with its type and value", what);
		const char *name = entry->keys[0]->text;
		if (vars_get(&c->names, name))
			return doc_err(entry->keys[0], e, REASON_INPUT_DUPLICATE,
			               "'%s' is there already", name);
		int r = field_decode(entry->items[0], fields, NULL, a, &spec, e);
		if (r < 0)
			return r;
		const char *value = spec.value ? spec.value : spec.preset;
		for (size_t k = 0; given && k < given->n; k++)
			if (str_eq(given->items[k].name, name))
				value = given->items[k].value;
		if (!value)
			return doc_err(entry->keys[0], e, REASON_INPUT_REQUIRED,
			               "parameter '%s' has no default, and the recipe doesn't give "
			               "one",
			               name);
		vars_set(&c->names, name, value, what);
	}
	return 0;
}

static int check_given(const struct field_pairs *given, const struct doc *parameters, struct err *e)
{
	for (size_t i = 0; i < given->n; i++) {
		bool found = false;

		for (size_t k = 0; parameters && k < parameters->n; k++)
			found = found || doc_get(parameters->items[k], given->items[i].name);
		if (!found)
			return doc_err(given->items[i].at, e, REASON_INPUT_UNKNOWN_KEY,
			               "the component has no parameter '%s'", given->items[i].name);
	}
	return 0;
}

int component_names(const struct doc *constants, const struct doc *parameters,
                    const struct field_pairs *given, struct component *c, struct arena *a,
                    struct err *e)
{
	int r = each_name(constants, "constants", constant_fields, NULL, c, a, e);

	if (r < 0)
		return r;
	r = check_given(given, parameters, e);
	if (r < 0)
		return r;
	return each_name(parameters, "parameters", parameter_fields, given, c, a, e);
}
