/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the error answers of AWS services, and decides by a table what to do. */
#include "cloud/awserr.h"

#include <errno.h>
#include <stdlib.h>

#include "data/json.h"
#include "data/xml.h"

#define XML_MAX      8192
#define SKEW_LEAST_S 240 /* services allow 5 minutes, S3 15 */

#define HINT_DENIED                                                                                \
	"either the role may not do this (s3:GetObject, and kms:Decrypt for encrypted objects), "  \
	"or the object doesn't exist and the role may not s3:ListBucket"

static const struct awserr_row rows[] = {
        {"NoSuchKey", AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY, ENOENT, NULL},
        {"NoSuchVersion", AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY, ENOENT, NULL},
        {"NoSuchBucket", AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_BUCKET, ENOENT, NULL},
        {"MethodNotAllowed", AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY, ENOENT,
         "that version is a delete marker"},
        {"PreconditionFailed", AWSERR_FAIL, ERR_DENIED, REASON_S3_PRECONDITION, EEXIST, NULL},
        {"ConditionalRequestConflict", AWSERR_RETRY, ERR_RETRY, REASON_S3_PRECONDITION, EAGAIN,
         NULL},
        {"OperationAborted", AWSERR_RETRY, ERR_RETRY, REASON_S3_THROTTLED, EAGAIN, NULL},
        {"InvalidObjectState", AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS, EACCES,
         "the object is archived and must be restored first"},

        {"PermanentRedirect", AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION, EINVAL, NULL},
        {"AuthorizationHeaderMalformed", AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION, EINVAL,
         NULL},
        {"AuthorizationQueryParametersError", AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION,
         EINVAL, NULL},
        {"IllegalLocationConstraintException", AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION,
         EINVAL, NULL},
        {"InvalidRegion", AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION, EINVAL, NULL},
        {"TemporaryRedirect", AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT, EXDEV, NULL},
        {"Redirect", AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT, EXDEV, NULL},

        {"RequestTimeTooSkewed", AWSERR_SKEW, ERR_DENIED, REASON_S3_CLOCK_SKEW, EINVAL,
         "set the clock: is time synchronised?"},
        {"InvalidSignatureException", AWSERR_FAIL, ERR_DENIED, REASON_S3_SIGNATURE, EACCES, NULL},
        {"SignatureDoesNotMatch", AWSERR_FAIL, ERR_DENIED, REASON_S3_SIGNATURE, EACCES,
         "the secret key isn't the one of this access key, or something on the way changes "
         "requests"},

        {"ExpiredToken", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES, NULL},
        {"ExpiredTokenException", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES,
         NULL},
        {"RequestExpired", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES,
         "the session token has expired"},
        {"InvalidAccessKeyId", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES, NULL},
        {"InvalidClientTokenId", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES,
         NULL},
        {"UnrecognizedClientException", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED,
         EACCES, NULL},
        {"InvalidToken", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES, NULL},
        {"TokenRefreshRequired", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES,
         NULL},

        {"SlowDown", AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED, EAGAIN, NULL},
        {"Throttling", AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED, EAGAIN, NULL},
        {"ThrottlingException", AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED, EAGAIN, NULL},
        {"RequestLimitExceeded", AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED, EAGAIN, NULL},
        {"RequestTimeout", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_BROKEN_OFF, EAGAIN, NULL},
        {"InternalError", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS, EAGAIN, NULL},

        {"ResourceNotFoundException", AWSERR_FAIL, ERR_ABSENT, REASON_SECRET_ABSENT, ENOENT, NULL},
        {"AccessDeniedException", AWSERR_FAIL, ERR_DENIED, REASON_SECRET_DENIED, EACCES,
         "the role needs secretsmanager:GetSecretValue, and kms:Decrypt for a key of your own"},
        {"DecryptionFailure", AWSERR_FAIL, ERR_DENIED, REASON_SECRET_DENIED, EACCES,
         "the role may not use the secret's KMS key"},
        {"AccessDenied", AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED, EACCES, HINT_DENIED},
        {"AllAccessDisabled", AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED, EACCES, NULL},

        {NULL, AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION, EINVAL, NULL, 301},
        {NULL, AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT, EXDEV, NULL, 302},
        {NULL, AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT, EXDEV, NULL, 303},
        {NULL, AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT, EXDEV, NULL, 307},
        {NULL, AWSERR_REDIRECT, ERR_DENIED, REASON_HTTP_REDIRECT, EXDEV, NULL, 308},
        {NULL, AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED, EACCES, HINT_DENIED, 403},
        {NULL, AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY, ENOENT, NULL, 404},
        {NULL, AWSERR_FAIL, ERR_ABSENT, REASON_S3_NO_SUCH_KEY, ENOENT, NULL, 405},
        {NULL, AWSERR_RETRY, ERR_RETRY, REASON_HTTP_BROKEN_OFF, EAGAIN, NULL, 408},
        {NULL, AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS, EAGAIN, NULL, 409},
        {NULL, AWSERR_FAIL, ERR_DENIED, REASON_S3_PRECONDITION, EEXIST, NULL, 412},
        {NULL, AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED, EAGAIN, NULL, 429},
        {NULL, AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS, ENOSYS, NULL, 501},
        {NULL, AWSERR_THROTTLE, ERR_RETRY, REASON_S3_THROTTLED, EAGAIN, NULL, 503},
        {NULL, AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS, EAGAIN, NULL, 500},
        {NULL, AWSERR_FAIL, ERR_DENIED, REASON_HTTP_STATUS, EPROTO, NULL},
};

static const struct awserr_row regional = {
        NULL, AWSERR_REGION, ERR_DENIED, REASON_S3_WRONG_REGION, EINVAL, NULL};
static const struct awserr_row skewed = {NULL,       AWSERR_SKEW,
                                         ERR_DENIED, REASON_S3_CLOCK_SKEW,
                                         EINVAL,     "set the clock: is time synchronised?"};

/* ---- XML ------------------------------------------------------------------------------------- */

bool awserr_tag(struct blob xml, const char *tag, char *out, size_t cap)
{
	char open[72];
	size_t len = strlen(tag), n = 0;
	const char *at, *end = xml.data + (xml.len < XML_MAX ? xml.len : XML_MAX), *close;

	if (!xml.data || len + 2 > sizeof open)
		return false;
	open[0] = '<';
	memcpy(open + 1, tag, len);
	open[len + 1] = '>';
	at = memmem(xml.data, (size_t)(end - xml.data), open, len + 2);
	if (!at)
		return false;
	at += len + 2;
	close = memchr(at, '<', (size_t)(end - at));
	while (close && at < close) {
		char character[XML_ENTITY_SIZE] = {*at};
		size_t used = xml_entity((struct blob){at, (size_t)(close - at)}, character);
		size_t bytes = used ? strlen(character) : 1;

		if (n + bytes >= cap)
			break;
		memcpy(out + n, character, bytes);
		n += bytes;
		at += used ? used : 1;
	}
	out[n] = '\0';
	return close && at == close;
}

/* A message that is too long is truncated; the other values are used only when complete. */
static void read_xml(struct blob xml, struct awserr *ae)
{
	awserr_tag(xml, "Message", ae->message, sizeof ae->message);
	if (!awserr_tag(xml, "Code", ae->code, sizeof ae->code))
		ae->code[0] = '\0';
	if (!awserr_tag(xml, "Region", ae->region, sizeof ae->region))
		ae->region[0] = '\0';
	if (!awserr_tag(xml, "Endpoint", ae->endpoint, sizeof ae->endpoint))
		ae->endpoint[0] = '\0';
	/* S3 writes RequestId, EC2 RequestID. */
	if (!awserr_tag(xml, "RequestId", ae->request, sizeof ae->request) &&
	    !awserr_tag(xml, "RequestID", ae->request, sizeof ae->request))
		ae->request[0] = '\0';
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void copy(char *out, size_t cap, const char *s, size_t len)
{
	if (len >= cap)
		len = cap - 1;
	memcpy(out, s, len);
	out[len] = '\0';
}

/* "com.amazonaws.secretsmanager#ResourceNotFoundException:http://..." has the name in the middle.
 */
static void copy_type(char *out, size_t cap, const char *type)
{
	const char *hash = strrchr(type, '#');

	type = hash ? hash + 1 : type;
	copy(out, cap, type, strcspn(type, ":"));
}

static void read_json(struct blob text, struct awserr *ae)
{
	scope_arena struct arena *a = arena_new();
	struct doc *d = NULL;
	struct err ignored = {0};
	const char *type, *why;

	if (json_parse("error", text, a, &d, &ignored) < 0)
		return;
	type = doc_text(d, "__type");
	why = doc_text(d, "message") ? doc_text(d, "message") : doc_text(d, "Message");
	if (type)
		copy_type(ae->code, sizeof ae->code, type);
	if (why)
		copy(ae->message, sizeof ae->message, why, strlen(why));
}

/* ---- verdict --------------------------------------------------------------------------------- */

void awserr_read(const struct http_exchange *x, struct awserr *ret)
{
	struct blob body = {NULL, 0};

	*ret = (struct awserr){0};
	if (x->trouble)
		body = (struct blob){x->trouble->body, x->trouble->len};
	if (body.len && body.data[0] == '{')
		read_json(body, ret);
	else
		read_xml(body, ret);
	if (x->request_id[0])
		copy(ret->request, sizeof ret->request, x->request_id, strlen(x->request_id));
	if (x->error_type[0])
		copy_type(ret->code, sizeof ret->code, x->error_type);
	if (x->bucket_region[0])
		copy(ret->region, sizeof ret->region, x->bucket_region, strlen(x->bucket_region));
}

/* Codes that can have other causes than a wrong clock: the service's Date decides. */
static const char *const maybe_skewed[] = {"", "SignatureDoesNotMatch", "InvalidSignatureException",
                                           "RequestExpired", "AuthFailure"};

static bool is_skewed(const struct http_exchange *x, const char *code, time_t wall)
{
	if (x->status / 100 != 4 || !x->date || llabs((long long)x->date - wall) <= SKEW_LEAST_S)
		return false;
	if (!code[0] && x->status != 400 && x->status != 403)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(maybe_skewed); i++)
		if (str_eq(code, maybe_skewed[i]))
			return true;
	return false;
}

static bool row_matches(const struct awserr_row *row, int status, const char *code)
{
	if (row->code)
		return str_eq(row->code, code);
	return row->status == 0 || row->status == status ||
	       (row->status == 500 && status / 100 == 5);
}

const struct awserr_row *awserr_row(const struct http_exchange *x, const struct awserr *ae,
                                    const struct awserr_row *own, const char *signed_region,
                                    time_t wall)
{
	size_t i = 0;

	/* An answer without a body has it in its headers. */
	if (ae->region[0] && !str_eq(ae->region, signed_region) &&
	    (x->status == 400 || x->status == 301 || x->status == 403))
		return &regional;
	if (is_skewed(x, ae->code, wall))
		return &skewed;
	for (; own && own->code; own++)
		if (str_eq(own->code, ae->code))
			return own;
	while (i + 1 < ARRAY_LEN(rows) && !row_matches(&rows[i], x->status, ae->code))
		i++;
	return &rows[i];
}
