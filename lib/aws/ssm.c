/* SPDX-License-Identifier: Apache-2.0 */
/* Writes parameters of Systems Manager. */
#include "aws/ssm.h"

#include <errno.h>
#include <stdio.h>

#include "cloud/call.h"
#include "data/jsonw.h"

#define BODY_MAX   4096
#define ANSWER_MAX (64 * 1024)
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/"

static const struct awserr_row rows[] = {
        {"AccessDeniedException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_DENIED, EACCES,
         "the credentials need ssm:PutParameter on it"},
        {"ValidationException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_INVALID, EINVAL, NULL},
        {"TooManyUpdates", AWSERR_THROTTLE, ERR_RETRY, REASON_AWS_THROTTLED, EAGAIN, NULL},
        {0},
};

static const char *configured(const struct cloud *c)
{
	return c->config.ssm_endpoint ? c->config.ssm_endpoint : c->config.endpoint;
}

static const struct call_service service = {"ssm", .gov_is_fips = true};

static int place(struct cloud *c, struct call *k, struct arena *a, struct err *e)
{
	k->path = "/";
	return call_place(c, k, &service, configured(c),
	                  c->config.ssm_endpoint ? "AWS_ENDPOINT_URL_SSM" : "AWS_ENDPOINT_URL", a,
	                  e);
}

bool ssm_name_valid(const char *name)
{
	size_t len = strlen(name);
	const char *first = name + (*name == '/');

	return len >= 1 && len <= 1011 && strspn(name, NAME_CHARS) == len && *first &&
	       name[len - 1] != '/' && strncasecmp(first, "aws", 3) != 0 &&
	       strncasecmp(first, "ssm", 3) != 0;
}

int ssm_put_image(struct cloud *c, const char *region, const char *name, const char *image,
                  uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf body = STRBUF(a, BODY_MAX);
	struct jsonw w = {.out = &body};
	char doing[200];
	scope_call struct call k = {
	        .doing = doing,
	        .service = "ssm",
	        .method = "POST",
	        .region = region,
	        .custom = configured(c) != NULL,
	        .rows = rows,
	        .place = place,
	        .headers = {{"Content-Type", "application/x-amz-json-1.1"},
	                    {"X-Amz-Target", "AmazonSSM.PutParameter"}},
	        .n_headers = 2,
	};

	snprintf(doing, sizeof doing, "writing the parameter '%.150s'", name);
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "Name", name);
	jsonw_str(&w, "Value", image);
	jsonw_str(&w, "Type", "String");
	jsonw_str(&w, "DataType", "aws:ec2:image");
	jsonw_bool(&w, "Overwrite", true);
	jsonw_end(&w, '}');
	k.x.body = (struct blob){body.data, body.len};
	k.x.max = ANSWER_MAX;
	return call_run(c, &k, deadline, e);
}
