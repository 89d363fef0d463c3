/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a secret of Secrets Manager. */
#include "aws/secrets.h"

#include <errno.h>
#include <stdio.h>

#include "cloud/call.h"
#include "cloud/partition.h"
#include "data/json.h"

#define ID_MAX 2048 /* the service's limit */
#define ANSWER_MAX                                                                                 \
	(128 * 1024) /* 64 KiB, each byte at worst escaped, is refused as too large before */

struct wanted {
	const char *id;
	char doing[200];
	char body[ID_MAX + 32];
};

static const char *configured(const struct cloud *c)
{
	return c->config.secrets_endpoint ? c->config.secrets_endpoint : c->config.endpoint;
}

static const struct call_service service = {"secretsmanager"};

static int place(struct cloud *c, struct call *k, struct arena *a, struct err *e)
{
	const char *setting = c->config.secrets_endpoint ? "AWS_ENDPOINT_URL_SECRETS_MANAGER"
	                                                 : "AWS_ENDPOINT_URL";

	k->path = "/";
	return call_place(c, k, &service, configured(c), setting, a, e);
}

/* The region of arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME; NULL for a plain name. */
static int arn_region(const char *id, struct arena *a, const char **ret, struct err *e)
{
	const char *at = id;
	char *region;

	if (!str_starts(id, "arn:"))
		return 0;
	for (int i = 0; i < 3 && at; i++) {
		at = strchr(at, ':');
		at = at ? at + 1 : NULL;
	}
	region = at ? arena_memdup(a, at, strcspn(at, ":")) : NULL;
	if (!region || !strstr(id, ":secretsmanager:") || !partition_region_valid(region))
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		        "'%s': expected arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME",
		        id);
	*ret = region;
	return 0;
}

static int id_check(const char *id, struct err *e)
{
	size_t len = strlen(id);

	for (const char *p = id; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\')
			len = 0;
	if (len == 0 || len > ID_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s' isn't a secret's name or ARN", id);
	return 0;
}

static int no_secret(struct err *e, const char *what)
{
	return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO, "the answer %s", what);
}

static int from_doc(const struct doc *d, struct secret *ret, struct err *e)
{
	const struct doc *text = doc_get(d, "SecretString"), *binary = doc_get(d, "SecretBinary");
	const struct doc *v = text && text->type == DOC_SCALAR ? text : binary;
	struct blob b;
	int r;

	if (!v || v->type != DOC_SCALAR || !v->quoted)
		return no_secret(e, "has neither SecretString nor SecretBinary");
	b = (struct blob){v->text, strlen(v->text)};
	if (v == text) {
		if (secret_set(ret, b.data, b.len) < 0)
			return no_secret(e, "is too large");
		return 0;
	}
	r = str_base64_decode(b, ret->data, SECRET_MAX, &ret->len);
	if (r < 0)
		secret_close(ret);
	if (r == -ENOSPC)
		return no_secret(e, "is too large");
	if (r < 0)
		return no_secret(e, "has a SecretBinary that isn't base64");
	return 0;
}

static int parse(struct blob json, struct arena *a, struct secret *ret, struct err *e)
{
	struct doc *d = NULL;

	if (json_parse("secret", json, a, &d, e) < 0)
		return no_secret(e, "isn't the JSON it should be");
	return from_doc(d, ret, e);
}

int secrets_parse(struct blob json, struct secret *ret, struct err *e)
{
	struct arena *a = arena_new();
	int r = parse(json, a, ret, e);

	arena_close_wiped(a);
	return r;
}

static void prepare(const struct cloud *c, struct call *k, struct wanted *w)
{
	snprintf(w->doing, sizeof w->doing, "reading the secret '%.150s'", w->id);
	snprintf(w->body, sizeof w->body, "{\"SecretId\":\"%s\"}", w->id);
	*k = (struct call){
	        .doing = w->doing,
	        .service = "secretsmanager",
	        .method = "POST",
	        .custom = configured(c) != NULL,
	        .place = place,
	        .headers = {{"Content-Type", "application/x-amz-json-1.1"},
	                    {"X-Amz-Target", "secretsmanager.GetSecretValue"}},
	        .n_headers = 2,
	};
	k->x.body = (struct blob){w->body, strlen(w->body)};
	k->x.max = ANSWER_MAX;
	k->x.begin = http_buffer_begin;
	k->x.write = http_buffer_write;
}

int secrets_get(struct cloud *c, const char *id, struct secret *ret, uint64_t deadline,
                struct err *e)
{
	scope_http_buffer struct http_buffer answer = {0};
	scope_secret struct secret s = {0};
	struct wanted w = {.id = id};
	scope_call struct call k = {0};
	int r = id_check(id, e);

	if (r < 0)
		return r;
	prepare(c, &k, &w);
	k.x.ctx = &answer;
	r = arn_region(id, c->arena, &k.region, e);
	if (r < 0)
		return r;
	r = call_run(c, &k, deadline, e);
	if (r < 0)
		return r;
	if (secrets_parse((struct blob){answer.data, answer.len}, &s, e) < 0)
		return err_wrap(e, "%s", w.doing);
	*ret = s;
	return 0;
}
