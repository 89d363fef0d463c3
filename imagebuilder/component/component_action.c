/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all actions of component documents, and how each gets its inputs. */
#include <errno.h>

#include "component/component_own.h"

#define SHOWN_MAX   200
#define ACTIONS_MAX 64

/* Its inputs are a condition, which a table of keys can't describe. */
static const struct component_action other_actions[] = {
        {.name = "Assert"},
        {0},
};

static int assert_holds(const struct component_round *round, const struct doc *inputs, bool run,
                        struct err *e)
{
	int r = component_holds(round, inputs, e);

	if (r < 0)
		return r;
	if (!run || r)
		return 0;
	struct strbuf text = STRBUF(round->arena, SHOWN_MAX);
	doc_json(inputs, &text);
	return err_set(e, ERR_HOST, REASON_HOST_COMMAND_FAILED, EIO, "it does not hold that %s",
	               text.data);
}

static const struct {
	const char *name, *why;
} refused[] = {
        {"ExecutePowerShell", "the image is Linux"},
        {"SetRegistry", "the image is Linux"},
        {"InstallMSI", "the image is Linux"},
        {"UninstallMSI", "the image is Linux"},
        {"ExecuteDocument", "list that document under 'components' instead"},
};

int component_action_find(const struct doc *at, const struct component_action **ret, struct err *e)
{
	static const struct component_action *const tables[] = {
	        component_program_actions, component_file_actions, component_tree_actions,
	        component_transfer_actions, other_actions};
	const char *names[ACTIONS_MAX];
	size_t n = 0;

	if (at->type != DOC_SCALAR)
		return doc_err(at, e, REASON_INPUT_TYPE, "'action': expected a string, found %s",
		               doc_type_name(at));
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct component_action *a = tables[t]; a->name && n < ACTIONS_MAX;
		     a++) {
			names[n++] = a->name;
			if (!str_eq(a->name, at->text))
				continue;
			*ret = a;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (str_eq(refused[i].name, at->text))
			return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
			               "'%s' has no place here: %s", at->text, refused[i].why);
	const char *near = str_nearest(at->text, names, n);
	return doc_err(at, e, REASON_INPUT_UNKNOWN_KEY,
	               near ? "unknown action '%s', did you mean '%s'?" : "unknown action '%s'%s",
	               at->text, near ? near : "");
}

static int one_input(const struct component_round *all, size_t i, const struct doc *d, bool run,
                     struct err *e)
{
	struct component_round one = *all, *round = &one;
	const struct component_action *action = round->step->action;
	void *inputs = arena_alloc(round->arena, action->size);

	round->input = i;
	if (action->defaults)
		memcpy(inputs, action->defaults, action->size);
	int r = field_decode(d, action->fields, NULL, round->arena, inputs, e);
	if (r < 0)
		return r;
	if (action->check) {
		r = action->check(d, inputs, e);
		if (r < 0)
			return r;
	}
	return run ? action->run(round, inputs, e) : 0;
}

int component_action_each(const struct component_round *round, const struct doc *inputs, bool run,
                          struct err *e)
{
	const struct component_action *action = round->step->action;
	const struct doc *d = inputs ? inputs : doc_new_map(round->arena, round->step->at);

	if (!action->fields && !inputs)
		return doc_err(round->step->at, e, REASON_INPUT_REQUIRED, "'inputs' is missing");
	if (!action->fields)
		return assert_holds(round, inputs, run, e);
	if (d->type == DOC_MAP)
		return one_input(round, 0, d, run, e);
	if (d->type != DOC_LIST)
		return doc_err(d, e, REASON_INPUT_TYPE,
		               "inputs of '%s': expected a map or a list of maps, found %s",
		               action->name, doc_type_name(d));
	for (size_t i = 0; i < d->n; i++) {
		int r = one_input(round, i, d->items[i], run, e);

		if (r != 0)
			return r;
	}
	return 0;
}
