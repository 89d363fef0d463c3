/* SPDX-License-Identifier: Apache-2.0 */
/* Describes what a field expects. */
#include <inttypes.h>

#include "data/field.h"

static const struct {
	const char *article, *name, *unit; /* unit NULL: the type has no limits */
} types[] = {
        [FIELD_STRING] = {"a ", "string", " bytes"},
        [FIELD_BOOL] = {"", "true or false", NULL},
        [FIELD_INT] = {"an ", "integer", ""},
        [FIELD_NUMBER] = {"a ", "number", NULL},
        [FIELD_DURATION] = {"a ", "duration (e.g. 300s, 10m)", " ms"},
        [FIELD_SIZE] = {"a ", "size (e.g. 512, 10M, 2G)", " bytes"},
        [FIELD_MODE] = {"an ", "octal mode (e.g. 0644)", NULL},
        [FIELD_CHOICE] = {"", "one of ", NULL},
        [FIELD_STRINGS] = {"a ", "list of strings", " entries"},
        [FIELD_PAIRS] = {"a ", "map of strings", " entries"},
        [FIELD_MAP] = {"a ", "map", NULL},
        [FIELD_LIST] = {"a ", "list of maps", " entries"},
        [FIELD_DOC] = {"", "any value", NULL},
        [FIELD_ANY] = {"", "any value", NULL},
};

static void add_limits(const struct field *row, struct strbuf *out)
{
	const char *unit = types[row->type].unit;

	if (!unit || (!row->min && !row->max))
		return;
	if (row->min > 0 && !row->max)
		strbuf_printf(out, ", %" PRId64 " or more%s", row->min, unit);
	else
		strbuf_printf(out, ", %" PRId64 " to %" PRId64 "%s", row->min, row->max, unit);
}

void field_describe(const struct field *row, struct strbuf *out)
{
	strbuf_str(out, types[row->type].name);
	if (row->type == FIELD_CHOICE)
		for (size_t i = 0; row->choices[i]; i++) {
			strbuf_str(out, i ? ", " : "");
			strbuf_str(out, row->choices[i]);
		}
	add_limits(row, out);
}

void field_expected(const struct field *row, struct strbuf *out)
{
	strbuf_str(out, types[row->type].article);
	field_describe(row, out);
}
