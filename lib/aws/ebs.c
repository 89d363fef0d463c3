/* SPDX-License-Identifier: Apache-2.0 */
/* EBS direct: starts and completes a snapshot. */
#include "aws/ebs.h"

#include <errno.h>
#include <stdio.h>

#include "aws/ebs_own.h"
#include "base/clock.h"
#include "data/json.h"
#include "data/jsonw.h"

#define ANSWER_MAX (64 * 1024)
#define BODY_MAX   (64 * 1024)

/* EBS throttles with status 400, so only the error's type tells what to do. */
const struct awserr_row ebs_rows[] = {
        {"RequestThrottledException", AWSERR_THROTTLE, ERR_RETRY, REASON_AWS_THROTTLED, EAGAIN,
         NULL},
        {"ConcurrentLimitExceededException", AWSERR_THROTTLE, ERR_RETRY, REASON_AWS_THROTTLED,
         EAGAIN, NULL},
        {"InternalServerException", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS, EAGAIN, NULL},
        {"AccessDeniedException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_DENIED, EACCES,
         "the credentials need ebs:StartSnapshot, ebs:PutSnapshotBlock and ebs:CompleteSnapshot"},
        {"ValidationException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_INVALID, EINVAL, NULL},
        {"ResourceNotFoundException", AWSERR_FAIL, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT, NULL},
        {"ServiceQuotaExceededException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"ConflictException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST, NULL},
        {0},
};

static const char *configured(const struct cloud *c)
{
	return c->config.ebs_endpoint ? c->config.ebs_endpoint : c->config.endpoint;
}

bool ebs_custom(const struct cloud *c)
{
	return configured(c) != NULL;
}

static const struct call_service service = {"ebs"};

/* k->path is set by the caller, once for all tries. */
int ebs_place(struct cloud *c, struct call *k, struct arena *a, struct err *e)
{
	return call_place(c, k, &service, configured(c),
	                  c->config.ebs_endpoint ? "AWS_ENDPOINT_URL_EBS" : "AWS_ENDPOINT_URL", a,
	                  e);
}

static struct call make_call(const struct cloud *c, const char *doing, const char *path)
{
	return (struct call){
	        .doing = doing,
	        .service = "ebs",
	        .method = "POST",
	        .custom = ebs_custom(c),
	        .rows = ebs_rows,
	        .place = ebs_place,
	        .path = path,
	};
}

static void write_start(const struct ebs_start *s, struct strbuf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "VolumeSize", s->gib);
	if (s->description)
		jsonw_str(&w, "Description", s->description);
	jsonw_u64(&w, "Timeout", s->timeout_min);
	jsonw_str(&w, "ClientToken", s->token);
	if (s->parent)
		jsonw_str(&w, "ParentSnapshotId", s->parent);
	if (s->encrypted)
		jsonw_bool(&w, "Encrypted", true);
	if (s->kms_key)
		jsonw_str(&w, "KmsKeyArn", s->kms_key);
	jsonw_begin(&w, "Tags", '[');
	for (size_t i = 0; i < s->n_tags; i++) {
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "Key", s->tags[i].key);
		jsonw_str(&w, "Value", s->tags[i].value);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
}

static bool id_valid(const char *id)
{
	return id && str_starts(id, "snap-") && strlen(id) < EBS_ID &&
	       strspn(id + 5, "0123456789abcdef") == strlen(id + 5);
}

static int read_start(const struct http_buffer *answer, struct arena *a, char ret_id[static EBS_ID],
                      struct err *e)
{
	const char *id;
	struct doc *d = NULL;

	if (json_parse("answer", (struct blob){answer->data, answer->len}, a, &d, e) < 0)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "starting a snapshot: the answer isn't JSON");
	id = doc_text(d, "SnapshotId");
	if (!id_valid(id))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "starting a snapshot: the answer names no snapshot");
	memcpy(ret_id, id, strlen(id) + 1);
	return 0;
}

int ebs_start(struct cloud *c, const struct ebs_start *s, char ret_id[static EBS_ID],
              uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	scope_http_buffer struct http_buffer answer = {0};
	scope_call struct call k = make_call(c, "starting a snapshot", "/snapshots");
	struct strbuf body = STRBUF(a, BODY_MAX);
	int r;

	write_start(s, &body);
	if (body.overflow || s->n_tags > EBS_TAGS_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "starting a snapshot: too many tags");
	k.headers[k.n_headers++] = (struct sigv4_pair){"Content-Type", "application/json"};
	k.x.body = (struct blob){body.data, body.len};
	k.x.max = ANSWER_MAX;
	k.x.begin = http_buffer_begin;
	k.x.write = http_buffer_write;
	k.x.ctx = &answer;
	r = call_run(c, &k, deadline, e);
	if (r < 0)
		return r;
	return read_start(&answer, a, ret_id, e);
}

int ebs_complete(struct cloud *c, const char *snapshot, uint32_t blocks,
                 const unsigned char sha256[static SHA256_LEN], uint64_t deadline, struct err *e)
{
	char path[80], count[16], sum[64], doing[80];

	snprintf(path, sizeof path, "/snapshots/completion/%s", snapshot);
	snprintf(doing, sizeof doing, "completing '%s'", snapshot);
	snprintf(count, sizeof count, "%u", blocks);
	str_base64_encode((struct blob){(const char *)sha256, SHA256_LEN}, sum, sizeof sum);
	scope_call struct call k = make_call(c, doing, path);
	k.headers[0] = (struct sigv4_pair){"x-amz-ChangedBlocksCount", count};
	k.headers[1] = (struct sigv4_pair){"x-amz-Checksum", sum};
	k.headers[2] = (struct sigv4_pair){"x-amz-Checksum-Aggregation-Method", "LINEAR"};
	k.headers[3] = (struct sigv4_pair){"x-amz-Checksum-Algorithm", "SHA256"};
	k.n_headers = 4;
	k.x.max = ANSWER_MAX;
	return call_run(c, &k, deadline, e);
}
