/* SPDX-License-Identifier: Apache-2.0 */
/* Parses JSON text to a document, with cJSON. */
#include "data/json.h"

#include <cjson/cJSON.h>
#include <errno.h>

#include "data/json_check.h"

/* Walks cJSON's tree and the marks in parallel: both are in the order of the text. Recursion is as
 * deep as json_check() allowed. */
struct join {
	const char *file;
	struct blob text;
	struct arena *arena;
	struct err *err;
	struct json_marks marks;
	size_t next;
};

static struct doc *join_node(struct join *j, enum doc_type type, const char **token, size_t *len)
{
	static const struct json_mark none;
	const struct json_mark *m = j->next < j->marks.n ? &j->marks.items[j->next] : &none;
	const struct doc at = {.file = j->file, .line = m->line, .col = m->col};

	j->next++;
	*token = j->text.data + m->offset;
	*len = m->len;
	return doc_new(j->arena, type, &at);
}

static struct doc *join_text(struct join *j, const char *text)
{
	const char *token;
	size_t len;
	struct doc *d = join_node(j, DOC_SCALAR, &token, &len);

	d->quoted = text;
	d->text = text ? arena_strdup(j->arena, text) : arena_memdup(j->arena, token, len);
	return d;
}

static int join_value(struct join *j, const cJSON *from, struct doc **ret);

static int join_children(struct join *j, const cJSON *from, struct doc *parent)
{
	const cJSON *child;

	cJSON_ArrayForEach(child, from)
	{
		struct doc *key = NULL, *value;
		int r;

		if (parent->type == DOC_MAP)
			key = join_text(j, child->string);
		r = join_value(j, child, &value);
		if (r < 0)
			return r;
		if (key)
			doc_append(j->arena, parent, key, value);
		else
			doc_push(j->arena, parent, value);
	}
	return parent->type == DOC_MAP ? doc_check_keys(parent, j->err) : 0;
}

static int join_value(struct join *j, const cJSON *from, struct doc **ret)
{
	const char *token;
	size_t len;

	if (cJSON_IsObject(from) || cJSON_IsArray(from)) {
		*ret = join_node(j, cJSON_IsObject(from) ? DOC_MAP : DOC_LIST, &token, &len);
		return join_children(j, from, *ret);
	}
	if (cJSON_IsNull(from))
		*ret = join_node(j, DOC_NULL, &token, &len);
	else
		*ret = join_text(j, from->valuestring);
	/* cJSON frees it without wiping, and it may be a secret. */
	if (from->valuestring)
		explicit_bzero(from->valuestring, strlen(from->valuestring));
	return 0;
}

int json_parse(const char *file, struct blob text, struct arena *a, struct doc **ret, struct err *e)
{
	struct join j = {.file = file, .text = text, .arena = a, .err = e};
	struct doc *root;
	cJSON *tree;
	int r = json_check(file, text, a, &j.marks, e);

	if (r < 0)
		return r;
	/* A terminated copy: given the length of an unterminated text, older cJSON reads past its
	 * end. */
	tree = cJSON_ParseWithLengthOpts(arena_memdup(a, text.data, text.len), text.len + 1, NULL,
	                                 true);
	if (!tree)
		return err_set(e, ERR_BUG, REASON_BUG, EBADMSG,
		               "reading '%s': cJSON refuses what the check accepts", file);
	r = join_value(&j, tree, &root);
	cJSON_Delete(tree);
	if (r < 0)
		return r;
	if (j.next != j.marks.n)
		return err_set(e, ERR_BUG, REASON_BUG, EBADMSG,
		               "reading '%s': cJSON's tree and the check's do not match", file);
	*ret = root;
	return 0;
}
