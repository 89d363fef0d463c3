/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a recipe allows to be in its image. */
#include "recipe/allow.h"

#include <limits.h>

#define UNITS "enabled-units" /* of which a name will do */

const struct field allow_fields[] = {
        {"rule", FIELD_STRING, FIELD_AT(struct allow, rule), .required = true, .min = 1,
         .help = "the rule's name, as a refused build and `verify` tell it"},
        {"path", FIELD_STRING, FIELD_AT(struct allow, path), .required = true, .min = 1,
         .max = PATH_MAX - 1,
         .help = "where it doesn't count: an absolute path, * and ? stand for any; also below it"},
        {"reason", FIELD_STRING, FIELD_AT(struct allow, reason), .required = true, .min = 1,
         .max = 300, .help = "why, for those who look at the image; the manifest shows it"},
        {0},
};

int allow_read(const struct doc *list, const struct vars *facts, struct arena *a,
               struct allow_list *ret, struct err *e)
{
	struct allow_list l = {0};

	if (list && list->type != DOC_LIST && list->type != DOC_NULL)
		return doc_err(list, e, REASON_INPUT_TYPE,
		               "'allow': expected a list of maps, found %s", doc_type_name(list));
	if (list && list->n > ALLOW_MAX)
		return doc_err(list, e, REASON_INPUT_LIMIT,
		               "'allow': %zu entries, expected at most %d", list->n, ALLOW_MAX);
	for (size_t i = 0; list && i < list->n; i++) {
		struct allow one = {.at = list->items[i]};
		int r = field_decode(one.at, allow_fields, facts, a, &one, e);

		if (r < 0)
			return r;
		if (*one.path != '/' && !str_eq(one.rule, UNITS))
			return doc_err(doc_get(one.at, "path"), e, REASON_INPUT_RANGE,
			               "'%s' is no absolute path in the image", one.path);
		l.items = arena_grow(a, l.items, &l.n, sizeof *l.items);
		l.items[l.n - 1] = one;
	}
	*ret = l;
	return 0;
}
