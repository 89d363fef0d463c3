/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of CloudFormation that make, change and delete stacks. */
#include "aws/stacks_change.h"

#include <errno.h>
#include <stdio.h>

#include "aws/stacks_own.h"

/* ---- requests ---- */

static void put_list(struct stacks_form *f, const char *list, size_t i, const char *name,
                     const char *value)
{
	query_put(&f->body, arena_printf(f->arena, "%s.member.%zu.%s", list, i + 1, name), value);
}

void stacks_put_request(struct stacks_form *f, const struct stacks_request *q)
{
	query_put(&f->body, "StackName", q->name);
	if (q->url)
		query_put(&f->body, "TemplateURL", q->url);
	else
		query_put(&f->body, "TemplateBody",
		          arena_memdup(f->arena, q->template.data, q->template.len));
	for (size_t i = 0; i < q->n_parameters; i++) {
		const struct stacks_value *p = &q->parameters[i];

		put_list(f, "Parameters", i, "ParameterKey", p->key);
		put_list(f, "Parameters", i, "ParameterValue", p->value);
		put_list(f, "Parameters", i, "UsePreviousValue", p->value ? NULL : "true");
	}
	for (size_t i = 0; i < q->n_tags; i++) {
		put_list(f, "Tags", i, "Key", q->tags[i].key);
		put_list(f, "Tags", i, "Value", q->tags[i].value);
	}
	if (q->iam)
		query_put(&f->body, "Capabilities.member.1", "CAPABILITY_IAM");
}

int stacks_id_of(const struct stacks_form *f, const struct doc *result, const char *name,
                 const char **ret, struct err *e)
{
	const char *id = doc_text(result, name);

	if (!id || !str_starts(id, "arn:"))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer isn't what CloudFormation sends", f->doing);
	*ret = id;
	return 0;
}

/* CloudFormation's OnFailure. */
static const char *const failures[] = {
        [STACKS_DELETE] = "DELETE", [STACKS_ROLLBACK] = "ROLLBACK", [STACKS_KEEP] = "DO_NOTHING"};

int stacks_create(struct cloud *c, const struct stacks_request *q, struct arena *a,
                  const char **ret_id, uint64_t deadline, struct err *e)
{
	struct stacks_form f = stacks_form(a, "CreateStack");
	const struct doc *result;

	snprintf(f.doing, sizeof f.doing, "making stack '%.128s'", q->name);
	stacks_put_request(&f, q);
	query_put(&f.body, "OnFailure", failures[q->on_failure]);
	query_put(&f.body, "RetainExceptOnCreate", "true");
	query_put(&f.body, "ClientRequestToken", q->token);
	int r = stacks_call(c, &f, &result, deadline, e);
	return r < 0 ? r : stacks_id_of(&f, result, "StackId", ret_id, e);
}

int stacks_delete(struct cloud *c, const char *id, const char *token, uint64_t deadline,
                  struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct stacks_form f = stacks_form(a, "DeleteStack");

	snprintf(f.doing, sizeof f.doing, "deleting stack '%.150s'", id);
	query_put(&f.body, "StackName", id);
	query_put(&f.body, "ClientRequestToken", token);
	int r = stacks_call(c, &f, NULL, deadline, e);
	if (r < 0 && e->kind == ERR_ABSENT)
		return 0;
	return r;
}
