/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the loops of component documents into lists of values. */
#include <inttypes.h>

#include "component/component_own.h"

struct for_spec {
	int64_t start, end, by;
};
struct loop_spec {
	const char *name;
	const struct doc *range, *list;
};
static const struct field loop_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct loop_spec, name), .min = 1, .max = 64},
        {"for", FIELD_DOC, FIELD_AT(struct loop_spec, range)},
        {"forEach", FIELD_DOC, FIELD_AT(struct loop_spec, list)},
        {0},
};
#define FOR_MAX 1000000000 /* so that no difference overflows */
static const struct field for_fields[] = {
        {"start", FIELD_INT, FIELD_AT(struct for_spec, start), .required = true, .min = -FOR_MAX,
         .max = FOR_MAX},
        {"end", FIELD_INT, FIELD_AT(struct for_spec, end), .required = true, .min = -FOR_MAX,
         .max = FOR_MAX},
        {"updateBy", FIELD_INT, FIELD_AT(struct for_spec, by), .required = true, .min = -FOR_MAX,
         .max = FOR_MAX},
        {0},
};
struct split_spec {
	const char *list, *delimiter;
};
static const struct field split_fields[] = {
        {"list", FIELD_STRING, FIELD_AT(struct split_spec, list), .required = true},
        {"delimiter", FIELD_STRING, FIELD_AT(struct split_spec, delimiter), .min = 1, .max = 1},
        {0},
};

static int loop_for(const struct doc *d, struct component_step *s, struct arena *a, struct err *e)
{
	struct for_spec f = {0};
	int r = field_decode(d, for_fields, NULL, a, &f, e);

	if (r < 0)
		return r;
	int64_t span = f.end - f.start;
	if (f.by == 0 || (span > 0) != (f.by > 0) || span / f.by >= COMPONENT_LOOP_MAX)
		if (span != 0 || f.by == 0)
			return doc_err(d, e, REASON_INPUT_RANGE,
			               "from %" PRId64 " to %" PRId64 " by %" PRId64
			               " is no loop of at most %d rounds",
			               f.start, f.end, f.by, COMPONENT_LOOP_MAX);
	for (int64_t v = f.start; f.by > 0 ? v <= f.end : v >= f.end; v += f.by) {
		s->loop_over.items = arena_grow(a, s->loop_over.items, &s->loop_over.n,
		                                sizeof *s->loop_over.items);
		s->loop_over.items[s->loop_over.n - 1] = arena_printf(a, "%" PRId64, v);
	}
	return 0;
}

static int loop_split(const struct doc *d, struct component_step *s, struct arena *a, struct err *e)
{
	struct split_spec spec = {.delimiter = ","};
	int r = field_decode(d, split_fields, NULL, a, &spec, e);

	if (r < 0)
		return r;
	for (const char *p = spec.list; p;) {
		size_t len = strcspn(p, spec.delimiter);

		if (s->loop_over.n == COMPONENT_LOOP_MAX)
			return doc_err(d, e, REASON_INPUT_LIMIT, "a loop of more than %d rounds",
			               COMPONENT_LOOP_MAX);
		s->loop_over.items = arena_grow(a, s->loop_over.items, &s->loop_over.n,
		                                sizeof *s->loop_over.items);
		s->loop_over.items[s->loop_over.n - 1] = arena_memdup(a, p, len);
		p = p[len] ? p + len + 1 : NULL;
	}
	return 0;
}

static int read_loop(const struct doc *d, struct component_step *s, struct arena *a, struct err *e)
{
	static const struct field each = {"forEach", FIELD_STRINGS, 0, .min = 1,
	                                  .max = COMPONENT_LOOP_MAX};
	struct loop_spec loop = {.name = "loop"};
	int r = field_decode(d, loop_fields, NULL, a, &loop, e);

	if (r < 0)
		return r;
	if (!loop.range == !loop.list)
		return doc_err(d, e, REASON_INPUT_REQUIRED, "a loop has either 'for' or 'forEach'");
	s->loop_name = loop.name;
	if (loop.range)
		return loop_for(loop.range, s, a, e);
	if (loop.list->type == DOC_MAP)
		return loop_split(loop.list, s, a, e);
	return field_decode_value(loop.list, &each, NULL, a, &s->loop_over, e);
}

int component_loop(const struct component *c, const struct doc *d, struct component_step *s,
                   struct arena *a, struct err *e)
{
	struct component_round round = component_round(c, s, 0, NULL, a);
	bool unknown = false;
	struct doc *expanded;

	round.unknown = &unknown;
	int r = component_expand(&round, d, &expanded, e);
	if (r < 0)
		return r;
	if (unknown)
		return doc_err(d, e, REASON_INPUT_UNSUPPORTED,
		               "what this loop goes through is known only when a step before has "
		               "run: expected text, constants and parameters");
	return read_loop(expanded, s, a, e);
}
