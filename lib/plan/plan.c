/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the sections of a spec into steps in their order. */
#include "plan/plan.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "plan/order.h"

#define FIELDS_MAX   128 /* rows of one kind including the policy's */
#define SECTIONS_MAX 256

/* Offset of the kind's struct behind the policy in the memory both are decoded into. */
#define FIELDS_OFFSET                                                                              \
	((sizeof(struct step_policy) + alignof(max_align_t) - 1) / alignof(max_align_t) *          \
	 alignof(max_align_t))

struct builder {
	struct plan *plan;
	const struct kind *kind;
	const struct field
	        *table; /* policy and kind in one, so that a misspelt key is compared with both */
	const struct vars *facts;
	struct faults *faults;
};

static size_t table_len(const struct field *t)
{
	size_t n = 0;

	while (t && t[n].name)
		n++;
	return n;
}

static const struct field *merged_table(const struct kind *k, struct arena *a)
{
	size_t own = table_len(k->fields), common = table_len(step_policy_fields);
	struct field *t = arena_array(a, own + common + 1, sizeof *t);

	if (own)
		memcpy(t, k->fields, own * sizeof *t);
	for (size_t i = 0; i < own; i++)
		t[i].offset += FIELDS_OFFSET;
	memcpy(t + own, step_policy_fields, common * sizeof *t);
	return t;
}

/* Kinds are part of the program: an error in one is a bug, found by the first plan
 * that is built. */
static int check_kind(const struct kind *k, struct err *e)
{
	size_t n = table_len(k->fields);
	bool one = k->shape == KIND_PAIRS || k->shape == KIND_SCALAR;

	if (n > FIELDS_MAX || (one && n != 1) || (k->shape == KIND_STRINGS && n < 1))
		return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "kind '%s' has %zu fields",
		               k->section, n);
	for (size_t i = 0; i < n; i++)
		for (const struct field *f = step_policy_fields; f->name; f++)
			if (str_eq(f->name, k->fields[i].name))
				return err_set(e, ERR_BUG, REASON_BUG, EINVAL,
				               "kind '%s' has a field '%s', which is common policy",
				               k->section, f->name);
	return 0;
}

static bool in_list(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (str_eq(*list, name))
			return true;
	return false;
}

static int check_sections(const struct doc *spec, const struct kind *const *kinds,
                          const char *const *ignore, struct faults *faults, struct err *e)
{
	const char *known[SECTIONS_MAX];
	size_t n = 0;
	int failed = 0;

	for (size_t i = 0; kinds[i] && n < SECTIONS_MAX; i++)
		known[n++] = kinds[i]->section;
	for (size_t i = 0; ignore && ignore[i] && n < SECTIONS_MAX; i++)
		known[n++] = ignore[i];
	for (size_t i = 0; i < spec->n; i++) {
		const struct doc *key = spec->keys[i];
		bool found = in_list(ignore, key->text);

		for (size_t k = 0; kinds[k] && !found; k++)
			found = str_eq(kinds[k]->section, key->text);
		if (found)
			continue;
		const char *near = str_nearest(key->text, known, n);
		if (near)
			failed = doc_err(key, e, REASON_INPUT_UNKNOWN_KEY,
			                 "unknown section '%s', did you mean '%s'?", key->text,
			                 near);
		else
			failed = doc_err(key, e, REASON_INPUT_UNKNOWN_KEY, "unknown section '%s'",
			                 key->text);
		if (!faults_add(faults, e))
			return failed;
	}
	return failed;
}

static struct step *new_step(struct builder *b, const struct doc *at, char *memory)
{
	struct arena *a = b->plan->arena;
	struct step *s = arena_alloc(a, sizeof *s);

	s->kind = b->kind;
	s->at = at;
	s->arena = a;
	s->fields = memory + FIELDS_OFFSET;
	memcpy(&s->policy, memory, sizeof s->policy);
	return s;
}

static char *new_memory(struct builder *b)
{
	const struct kind *k = b->kind;
	char *memory = arena_alloc(b->plan->arena, FIELDS_OFFSET + k->size);
	struct step_policy policy = {.timeout_ms = k->timeout_ms ? k->timeout_ms : STEP_TIMEOUT_MS};

	memcpy(memory, &policy, sizeof policy);
	if (k->defaults)
		memcpy(memory + FIELDS_OFFSET, k->defaults, k->size);
	return memory;
}

static bool is_map(const struct kind *k, const struct doc *at)
{
	return k->shape == KIND_MAP || k->shape == KIND_LIST ||
	       (k->shape == KIND_STRINGS && at->type == DOC_MAP);
}

static int check_policy(const struct step_policy *p, const struct doc *at, struct err *e)
{
	char shown[4 * STEP_ID_MAX + 1];

	if (p->timeout_ms == 0)
		return doc_err(doc_get(at, "timeout"), e, REASON_INPUT_RANGE,
		               "'timeout' is 0: expected at least 1ms");
	if (!p->id || str_eq(str_escape(p->id, strlen(p->id), shown, sizeof shown), p->id))
		return 0;
	return doc_err(doc_get(at, "id"), e, REASON_INPUT_RANGE,
	               "'id': expected characters that can be shown, found '%s'", shown);
}

static int add_step(struct builder *b, const struct doc *at, size_t index, struct err *e)
{
	struct plan *p = b->plan;
	char *memory = new_memory(b);
	int r = is_map(b->kind, at)
	                ? field_decode_all(at, b->table, b->facts, b->faults, p->arena, memory, e)
	                : field_decode_value_all(at, b->kind->fields, b->facts, b->faults, p->arena,
	                                         memory + FIELDS_OFFSET, e);
	if (r < 0)
		return r;
	if (p->n == PLAN_STEPS_MAX)
		return doc_err(at, e, REASON_INPUT_LIMIT, "more than %d steps", PLAN_STEPS_MAX);

	struct step *s = new_step(b, at, memory);
	r = check_policy(&s->policy, at, e);
	if (r < 0)
		return r;
	s->id = index ? arena_printf(p->arena, "%s#%zu", b->kind->section, index + 1)
	              : b->kind->section;
	r = b->kind->claim ? b->kind->claim(s, s->fields, b->facts, e) : 0;
	if (r < 0)
		return r;
	if (s->policy.id)
		s->id = s->policy.id;
	p->steps = arena_grow(p->arena, p->steps, &p->n, sizeof *p->steps);
	p->steps[p->n - 1] = s;
	return 0;
}

static int add_section(struct builder *b, const struct doc *section, struct err *e)
{
	if (b->kind->shape != KIND_LIST)
		return add_step(b, section, 0, e);
	if (section->type != DOC_LIST)
		return doc_err(section, e, REASON_INPUT_TYPE,
		               "section '%s' is a %s: expected a list of maps", b->kind->section,
		               doc_type_name(section));
	int failed = 0;

	for (size_t i = 0; i < section->n; i++) {
		int r = add_step(b, section->items[i], i, e);

		if (r < 0 && !faults_add(b->faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	return failed;
}

static int add_kind(struct builder *b, const struct doc *spec, struct err *e)
{
	const struct doc *section = doc_get(spec, b->kind->section);
	int r = check_kind(b->kind, e);

	if (r < 0 || !section)
		return r;
	b->table = merged_table(b->kind, b->plan->arena);
	return add_section(b, section, e);
}

static int add_steps(struct builder *b, const struct doc *spec, const struct kind *const *kinds,
                     const char *const *ignore, struct err *e)
{
	int failed = check_sections(spec, kinds, ignore, b->faults, e);

	if (failed < 0 && !faults_add(b->faults, e))
		return failed;
	for (size_t i = 0; kinds[i]; i++) {
		b->kind = kinds[i];
		int r = add_kind(b, spec, e);
		if (r < 0 && !faults_add(b->faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	return failed;
}

static int steps_of(const struct doc *spec, const struct kind *const *kinds,
                    const char *const *ignore, const struct vars *facts, struct faults *faults,
                    struct plan *p, struct err *e)
{
	static const struct doc empty = {.type = DOC_MAP};
	struct builder b = {.plan = p, .facts = facts, .faults = faults};

	if (!spec || spec->type == DOC_NULL)
		spec = &empty;
	if (spec->type != DOC_MAP)
		return doc_err(spec, e, REASON_INPUT_TYPE,
		               "a spec is a %s: expected a map of sections", doc_type_name(spec));
	return add_steps(&b, spec, kinds, ignore, e);
}

int plan_check(const struct doc *spec, const struct kind *const *kinds, const char *const *ignore,
               const struct vars *facts, struct faults *faults, struct arena *a, struct err *e)
{
	struct plan plan = {.arena = a};

	return steps_of(spec, kinds, ignore, facts, faults, &plan, e);
}

int plan_build(const struct doc *spec, const struct kind *const *kinds, const char *const *ignore,
               const struct vars *facts, struct faults *faults, struct arena *a, struct plan *ret,
               struct err *e)
{
	struct plan plan = {.arena = a};
	int r = steps_of(spec, kinds, ignore, facts, faults, &plan, e);

	if (r < 0)
		return r;
	r = order_steps(&plan, kinds, e);
	if (r < 0)
		return r;
	*ret = plan;
	return 0;
}
