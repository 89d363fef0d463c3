/* SPDX-License-Identifier: Apache-2.0 */
/* fleet: shows how a cluster's fleet is, stops it, starts it. */
#include <errno.h>
#include <stdio.h>

#include "life/life.h"
#include "state/fleet_state.h"
#include "state/view.h"

static const struct {
	const char *word, *status; /* NULL: it only looks */
} words[] = {
        {"status", NULL},
        {"start", FLEET_START},
        {"stop", FLEET_STOP},
};

static int find_word(const char *word, const char **ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(word, words[i].word)) {
			*ret = words[i].status;
			return 0;
		}
	return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, EINVAL,
	               "fleet: '%.50s': expected start, stop or status", word);
}

static int run(struct life *l, struct fleet_word *ret, struct err *e)
{
	const struct command_line *line = &l->program.line;
	const char *wanted = NULL;
	struct stacks_item stack;
	int r = find_word(line->n_operands > 1 ? line->operands[1] : "status", &wanted, e);

	if (r < 0)
		return r;
	r = view_stack(l, line->operands[0], &stack, e);
	if (r < 0)
		return r;
	return wanted ? fleet_want(l, &stack, wanted, ret, e) : fleet_state(l, &stack, ret, e);
}

static int print_json(struct life *l, const struct fleet_word *w)
{
	struct strbuf out = STRBUF(l->program.arena, VIEW_OUTPUT_MAX);
	struct jsonw j = {.out = &out, .pretty = true};

	jsonw_begin(&j, NULL, '{');
	jsonw_str(&j, "status", w->status);
	if (*w->at)
		jsonw_str(&j, "lastStatusUpdatedTime", view_time(w->at, l->program.arena));
	jsonw_end(&j, '}');
	return view_print(l, out.data);
}

int verb_fleet(void *program)
{
	struct life *l = program;
	struct fleet_word w;
	struct err e;

	if (run(l, &w, &e) < 0)
		return program_fail(&l->program, &e);
	if (l->program.json)
		return print_json(l, &w);
	printf("%s%s%s\n", w.status, *w.at ? " since " : "", w.at);
	return 0;
}
