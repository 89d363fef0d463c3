/* SPDX-License-Identifier: Apache-2.0 */
/* AssumeRole and AssumeRoleWithWebIdentity of the Security Token Service. */
#include "cloud/sts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "cloud/call.h"
#include "data/xml.h"

#define TOKEN_MAX  20000 /* STS's ceiling of a web identity's token */
#define BODY_MAX   (3 * TOKEN_MAX + 8192)
#define ANSWER_MAX (64 * 1024)

static const struct awserr_row rows[] = {
        {"AccessDenied", AWSERR_FAIL, ERR_DENIED, REASON_AWS_DENIED, EACCES,
         "the role's trust policy names who may assume it, who needs sts:AssumeRole on it"},
        {"ExpiredTokenException", AWSERR_FAIL, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES,
         "the token in the file has expired"},
        {"InvalidIdentityToken", AWSERR_FAIL, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES,
         NULL},
        {"IDPRejectedClaim", AWSERR_FAIL, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES, NULL},
        {"IDPCommunicationError", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS, EAGAIN, NULL},
        {"RegionDisabledException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_DENIED, EACCES,
         "STS isn't activated in this region"},
        {"ValidationError", AWSERR_FAIL, ERR_DENIED, REASON_AWS_INVALID, EINVAL, NULL},
        {0},
};

/* ---- the call -------------------------------------------------------------------------------- */

static const char *configured(const struct cloud *c)
{
	return c->config.sts_endpoint ? c->config.sts_endpoint : c->config.endpoint;
}

static const struct call_service service = {"sts", .gov_is_fips = true};

static int place(struct cloud *c, struct call *k, struct arena *a, struct err *e)
{
	k->path = "/";
	return call_place(c, k, &service, configured(c),
	                  c->config.sts_endpoint ? "AWS_ENDPOINT_URL_STS" : "AWS_ENDPOINT_URL", a,
	                  e);
}

static void put(struct strbuf *body, const char *name, const char *value)
{
	if (!value)
		return;
	strbuf_printf(body, "&%s=", name);
	uri_encode(body, (struct blob){value, strlen(value)}, false);
}

static int take(struct blob xml, const char *result, time_t date, struct arena *a,
                struct creds *ret, struct err *e)
{
	const struct doc *keys;
	struct doc *d;

	if (xml_parse("answer", xml, a, &d, NULL, e) < 0)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "the answer isn't what STS sends");
	keys = doc_get(doc_get(d, result), "Credentials");
	return creds_take(doc_text(keys, "AccessKeyId"), doc_text(keys, "SecretAccessKey"),
	                  doc_text(keys, "SessionToken"), doc_text(keys, "Expiration"), date, ret,
	                  e);
}

static int run(struct cloud *c, struct call *k, const char *result, struct arena *a,
               struct creds *ret, uint64_t deadline, struct err *e)
{
	scope_http_buffer struct http_buffer answer = {0};

	k->service = "sts";
	k->method = "POST";
	k->rows = rows;
	k->custom = configured(c) != NULL;
	k->place = place;
	k->headers[0] = (struct sigv4_pair){"Content-Type",
	                                    "application/x-www-form-urlencoded; charset=utf-8"};
	k->n_headers = 1;
	k->x.max = ANSWER_MAX;
	k->x.begin = http_buffer_begin;
	k->x.write = http_buffer_write;
	k->x.ctx = &answer;
	int r = call_run(c, k, deadline, e);
	if (r < 0)
		return r;
	if (take((struct blob){answer.data, answer.len}, result, k->x.date, a, ret, e) < 0)
		return err_wrap(e, "%s", k->doing);
	return 0;
}

/* ---- who asks -------------------------------------------------------------------------------- */

static int read_token(const char *path, struct arena *a, const char **ret, struct err *e)
{
	struct blob text;
	int r = file_read(AT_FDCWD, path, TOKEN_MAX, a, &text, e);

	if (r < 0)
		return err_wrap(e, "the web identity's token");
	while (text.len && strchr(" \t\r\n", text.data[text.len - 1]))
		text.len--;
	*ret = arena_memdup(a, text.data, text.len);
	return 0;
}

static int assume(struct cloud *c, struct arena *a, struct creds *ret, uint64_t deadline,
                  struct err *e)
{
	const struct cloud_role *role = c->config.role;
	struct strbuf body = STRBUF(a, BODY_MAX);
	const char *token = NULL;
	scope_call struct call k = {.doing = arena_printf(a, "assuming '%.200s'", role->arn),
	                            .anonymous = role->token_file != NULL};
	int r = role->token_file ? read_token(role->token_file, a, &token, e) : 0;

	if (r < 0)
		return err_wrap(e, "%s", k.doing);
	const char *action = token ? "AssumeRoleWithWebIdentity" : "AssumeRole";
	strbuf_printf(&body, "Action=%s&Version=2011-06-15", action);
	put(&body, "RoleArn", role->arn);
	put(&body, "RoleSessionName", role->session);
	put(&body, "ExternalId", role->external_id);
	put(&body, "DurationSeconds", role->duration);
	put(&body, "WebIdentityToken", token);
	k.x.body = (struct blob){body.data, body.len};
	return run(token ? c : c->source, &k, arena_printf(a, "%sResult", action), a, ret, deadline,
	           e);
}

int sts_assume(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e)
{
	struct arena *a = arena_new();
	scope_creds struct creds fresh = {0};
	int r = assume(c, a, &fresh, deadline, e);

	arena_close_wiped(a);
	if (r < 0)
		return r;
	*ret = fresh;
	return 0;
}
