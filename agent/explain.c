/* SPDX-License-Identifier: Apache-2.0 */
/* explain: prints the field tables and the reasons for people to read. */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/fact_list.h"
#include "kinds/kinds.h"

#define TEXT_MAX (256 * 1024)

static void explain_fields(const struct field *fields, int indent, struct strbuf *b)
{
	for (const struct field *f = fields; f->name; f++) {
		strbuf_printf(b, "%*s%-*s ", indent, "", 22 - indent, f->name);
		field_describe(f, b);
		strbuf_str(b, f->required ? " (required)" : "");
		if (f->help)
			strbuf_printf(b, "\n%*s%s", 25, "", f->help);
		strbuf_char(b, '\n');
		if (f->sub && indent < 8)
			explain_fields(f->sub, indent + 2, b);
	}
}

static const char *const shapes[] = {
        [KIND_MAP] = "one map",
        [KIND_LIST] = "a list of maps, each a step of its own",
        [KIND_STRINGS] = "a list of strings",
        [KIND_PAIRS] = "a map of names to values",
        [KIND_SCALAR] = "one value",
};

static void explain_kind(const struct kind *k, struct strbuf *b)
{
	strbuf_printf(b, "%s: %s\n\nThe section is %s.\n\n", k->section, k->summary,
	              shapes[k->shape]);
	explain_fields(k->fields, 2, b);
	if (k->shape == KIND_MAP || k->shape == KIND_LIST)
		strbuf_str(b,
		           "\nEvery step also takes id, after, timeout, retries and optional.\n");
}

static void explain_reason(enum reason reason, struct strbuf *b)
{
	const struct reason_row *row = reason_row(reason);
	const char *hint = reason_hint(agent_hints, reason);

	strbuf_printf(b, "%s: %s\n", row->name, row->meaning);
	if (*hint)
		strbuf_printf(b, "  %s\n", hint);
}

static void explain_facts(struct strbuf *b)
{
	for (const struct fact_row *f = fact_list; f->name; f++)
		strbuf_printf(b, "  %-22s %s\n", f->name, f->meaning);
	strbuf_printf(b, "  %-22s %s\n", "tag.NAME",
	              "instance tag NAME, of small letters, digits, '.' and '-'");
}

/* Explains a key of the node document, or a fact. */
static bool explain_name(const char *name, struct strbuf *b)
{
	for (const struct field *f = node_doc_fields; f->name; f++)
		if (str_eq(f->name, name)) {
			strbuf_printf(b, "%s: key of the node document: ", name);
			field_describe(f, b);
			strbuf_printf(b, "\n  %s\n", f->help);
			return true;
		}
	for (const struct fact_row *f = fact_list; f->name; f++)
		if (str_eq(f->name, name)) {
			strbuf_printf(b, "%s: fact, as ${%s}: %s\n", name, name, f->meaning);
			return true;
		}
	return false;
}

static void explain_all(struct strbuf *b)
{
	strbuf_str(b, "Sections of a cluster configuration:\n\n");
	for (const struct kind *const *k = kinds_all; *k; k++)
		strbuf_printf(b, "  %-22s %s\n", (*k)->section, (*k)->summary);
	strbuf_str(b, "\nThe node document ('hpc-agent explain node'):\n\n");
	explain_fields(node_doc_fields, 2, b);
	strbuf_str(b, "\nFacts for ${...} ('hpc-agent explain facts'):\n\n");
	explain_facts(b);
	strbuf_str(b, "\nReasons in status.json and HPC_REASON:\n\n");
	for (int i = 1; i < REASON_COUNT; i++)
		strbuf_printf(b, "  %-22s %s\n", reason_row((enum reason)i)->name,
		              reason_row((enum reason)i)->meaning);
}

int verb_explain(void *program)
{
	struct agent *g = program;
	struct strbuf b = STRBUF(g->program.arena, TEXT_MAX);
	const char *what = g->program.line.n_operands ? g->program.line.operands[0] : NULL;
	const struct kind *kind = what ? kinds_find(what) : NULL;
	enum reason reason = what ? reason_by_name(what) : REASON_COUNT;

	if (!what)
		explain_all(&b);
	else if (kind)
		explain_kind(kind, &b);
	else if (str_eq(what, "node"))
		explain_fields(node_doc_fields, 2, &b);
	else if (str_eq(what, "facts"))
		explain_facts(&b);
	else if (reason != REASON_COUNT)
		explain_reason(reason, &b);
	else if (!explain_name(what, &b)) {
		fprintf(stderr,
		        "hpc-agent: '%s' is neither a section nor a reason; 'hpc-agent explain' "
		        "lists both\n",
		        what);
		return 2;
	}
	fwrite(b.data, 1, b.len, stdout);
	return 0;
}
