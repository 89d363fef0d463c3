/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a CloudFormation template. */
#include "stack/stack_own.h"

#include "base/digest.h"
#include "data/scalar.h"

void stack_open(struct stack_writer *x, const char *id, const char *type, const char *policy)
{
	x->resources++;
	jsonw_begin(&x->w, id, '{');
	jsonw_str(&x->w, "Type", type);
	if (policy) {
		jsonw_str(&x->w, "DeletionPolicy", policy);
		jsonw_str(&x->w, "UpdateReplacePolicy", policy);
	}
}

void stack_properties(struct stack_writer *x)
{
	jsonw_begin(&x->w, "Properties", '{');
}

void stack_begin(struct stack_writer *x, const char *id, const char *type, const char *policy)
{
	stack_open(x, id, type, policy);
	stack_properties(x);
}

void stack_end(struct stack_writer *x)
{
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, '}');
}

void stack_ref(struct stack_writer *x, const char *key, const char *id)
{
	jsonw_begin(&x->w, key, '{');
	jsonw_str(&x->w, "Ref", id);
	jsonw_end(&x->w, '}');
}

void stack_get(struct stack_writer *x, const char *key, const char *id, const char *attribute)
{
	jsonw_begin(&x->w, key, '{');
	jsonw_begin(&x->w, "Fn::GetAtt", '[');
	jsonw_str(&x->w, NULL, id);
	jsonw_str(&x->w, NULL, attribute);
	jsonw_end(&x->w, ']');
	jsonw_end(&x->w, '}');
}

void stack_sub(struct stack_writer *x, const char *key, const char *text)
{
	if (!strstr(text, "${")) {
		jsonw_str(&x->w, key, text);
		return;
	}
	jsonw_begin(&x->w, key, '{');
	jsonw_str(&x->w, "Fn::Sub", text);
	jsonw_end(&x->w, '}');
}

/* "${!NAME}" is how Fn::Sub writes "${NAME}". */
const char *stack_literal(struct stack_writer *x, const char *text)
{
	struct strbuf out = STRBUF(x->arena, 2 * strlen(text) + 1);

	strbuf_str(&out, "");
	for (const char *p = text; *p; p++) {
		strbuf_char(&out, *p);
		if (p[0] == '$' && p[1] == '{') {
			strbuf_str(&out, "{!");
			p++;
		}
	}
	return out.data ? out.data : "";
}

void stack_copy(struct stack_writer *x, const char *key, const struct doc *from, const char *name)
{
	const char *text = doc_text(from, name);

	if (text)
		jsonw_str(&x->w, key, text);
}

void stack_copy_number(struct stack_writer *x, const char *key, const struct doc *from,
                       const char *name)
{
	const struct doc *at = doc_get(from, name);
	int64_t n;

	if (!at)
		return;
	if (scalar_i64(at, 0, UINT32_MAX, &n) < 0)
		stack_refuse(x, at, "%s: '%s' is too large or below 0", name, at->text);
	else
		jsonw_u64(&x->w, key, (uint64_t)n);
}

void stack_copy_switch(struct stack_writer *x, const char *key, const struct doc *from,
                       const char *name)
{
	if (doc_get(from, name))
		jsonw_bool(&x->w, key, scalar_on(from, name));
}

static void tag(struct stack_writer *x, const char *name, const char *value)
{
	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "Key", name);
	jsonw_str(&x->w, "Value", value);
	jsonw_end(&x->w, '}');
}

void stack_tags(struct stack_writer *x, const char *key, const char *name)
{
	const struct doc *own = doc_get(x->in->config, "Tags");

	jsonw_begin(&x->w, key, '[');
	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "Key", "Name");
	stack_sub(x, "Value", arena_printf(x->arena, "${AWS::StackName} %s", name));
	jsonw_end(&x->w, '}');
	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "Key", "parallelcluster:cluster-name");
	stack_ref(x, "Value", "AWS::StackName");
	jsonw_end(&x->w, '}');
	for (size_t i = 0; own && i < own->n; i++)
		if (!str_eq(doc_text(own->items[i], "Key"), "Name"))
			tag(x, doc_text(own->items[i], "Key"), doc_text(own->items[i], "Value"));
	jsonw_end(&x->w, ']');
}

bool stack_unless_off(const struct doc *config, const char *dotted)
{
	return !doc_find(config, dotted) || scalar_on(config, dotted);
}

void stack_refuse(struct stack_writer *x, const struct doc *at, const char *fmt, ...)
{
	va_list ap;

	if (x->faults.ended)
		return;
	va_start(ap, fmt);
	int r = doc_verr(at, x->faults.err, REASON_INPUT_UNSUPPORTED, fmt, ap);
	va_end(ap);
	faults_take(&x->faults, r);
}

const char *stack_id(struct stack_writer *x, const char *name)
{
	struct strbuf out = STRBUF(x->arena, strlen(name) + 32);
	char digest[SHA256_HEX];
	size_t left = 0;

	strbuf_str(&out, "Storage");
	for (const char *p = name; *p; p++)
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= '0' && *p <= '9'))
			strbuf_char(&out, *p);
		else
			left++;
	if (left) { /* "a-b" and "ab" are two */
		digest_hex(name, strlen(name), digest);
		strbuf_printf(&out, "%.8s", digest);
	}
	return out.data;
}
