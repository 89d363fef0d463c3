/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the query protocol: its form, its refusal, its answer. */
#include "aws/query.h"

#include <errno.h>
#include <stdio.h>

#include "data/xml.h"

void query_put(struct strbuf *form, const char *name, const char *value)
{
	if (!value)
		return;
	if (form->len)
		strbuf_char(form, '&');
	uri_encode(form, (struct blob){name, strlen(name)}, false);
	strbuf_char(form, '=');
	uri_encode(form, (struct blob){value, strlen(value)}, false);
}

struct placing {
	const struct query_service *service;
};

static int place(struct cloud *c, struct call *k, struct arena *a, struct err *e)
{
	const struct query_service *s = ((struct placing *)k->ctx)->service;
	const char *setting = NULL, *configured = s->configured(c, &setting);

	k->path = "/";
	return call_place(c, k, &s->at, configured, setting, a, e);
}

/* Services have hundreds of error codes. */
static int refine(const struct call *k, struct err *e)
{
	if (e->reason == REASON_HTTP_STATUS && k->x.status == 400 && e->kind == ERR_DENIED) {
		e->reason = REASON_AWS_INVALID;
		e->no = EINVAL;
	}
	return -e->no;
}

static void tell_refusal(const struct call *k, struct ec2_refusal *ret)
{
	struct awserr said;

	if (!ret || k->x.rc < 0 || !k->x.status)
		return;
	awserr_read(&k->x, &said);
	snprintf(ret->code, sizeof ret->code, "%s", said.code);
	snprintf(ret->request, sizeof ret->request, "%s", said.request);
	str_escape(said.message, strlen(said.message), ret->message, sizeof ret->message);
}

int query_call(struct cloud *c, const struct query_service *s, const char *region,
               const char *doing, const struct strbuf *form, const char *const *names,
               struct arena *a, struct doc **ret, struct ec2_refusal *why, uint64_t deadline,
               struct err *e)
{
	scope_http_buffer struct http_buffer answer = {0};
	struct placing placing = {s};
	const char *setting = NULL;
	scope_call struct call k = {
	        .doing = doing,
	        .service = s->at.host,
	        .method = "POST",
	        .region = region,
	        .custom = s->configured(c, &setting) != NULL,
	        .rows = s->rows,
	        .place = place,
	        .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
	        .n_headers = 1,
	        .ctx = &placing,
	};
	struct doc *d;

	if (form->overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG, "%s: too much is asked",
		               doing);
	k.x.body = (struct blob){form->data, form->len};
	k.x.max = XML_SIZE_MAX;
	k.x.begin = http_buffer_begin;
	k.x.write = http_buffer_write;
	k.x.ctx = &answer;
	if (call_run(c, &k, deadline, e) < 0) {
		tell_refusal(&k, why);
		return refine(&k, e);
	}
	if (xml_parse_some("answer", (struct blob){answer.data, answer.len}, names, a, &d, e) < 0)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer isn't what %s sends: %.200s", doing, s->title,
		               e->text);
	if (ret)
		*ret = d;
	return 0;
}
