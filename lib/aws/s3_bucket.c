/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of S3 for a bucket as a whole. */
#include "aws/s3_bucket.h"

#include <errno.h>
#include <stdio.h>

#include "aws/s3_own.h"
#include "base/digest.h"
#include "cloud/partition.h"
#include "data/jsonw.h"
#include "data/xml.h"

#define BODY_MAX  4096
#define PAGES_MAX 1000 /* of at most S3_LIST_MAX versions */
#define NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

/* ---- one call ---- */

struct bucket_call {
	const char *bucket, *method, *subresource; /* "policy"; NULL: the bucket itself */
	const char *verb, *right;                  /* "making", "s3:CreateBucket" */
	const char *body;                          /* NULL: none */
	bool unowned;                              /* the call takes no owner */
};

static int send(struct cloud *c, const struct bucket_call *b, struct http_buffer *answer,
                struct arena *a, uint64_t deadline, struct err *e)
{
	const char *hint = arena_printf(
	        a, "either it is another account's, or the credentials need %s", b->right);
	const struct awserr_row rows[] = {
	        {"AccessDenied", AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED, EACCES, hint},
	        {"BucketAlreadyExists", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST,
	         "it is another account's"},
	        {"BucketAlreadyOwnedByYou", AWSERR_FAIL, ERR_DENIED, REASON_AWS_STATE, EALREADY,
	         NULL},
	        {0}};
	const struct uri uri = {.scheme = URI_S3,
	                        .text = arena_printf(a, "s3://%s", b->bucket),
	                        .bucket = b->bucket,
	                        .key = ""};
	struct s3_object o = {.uri = &uri};
	scope_call struct call k = {.method = b->method, .rows = rows};
	unsigned char sum[SHA256_LEN];
	char coded[64];

	s3_prepare(c, &k, &o, b->verb);
	if (b->unowned)
		k.n_headers = 0;
	if (b->subresource)
		k.query[k.n_query++] = (struct sigv4_pair){b->subresource, ""};
	if (b->body) {
		k.x.body = (struct blob){b->body, strlen(b->body)};
		digest_sha256(b->body, strlen(b->body), sum);
		str_base64_encode((struct blob){(const char *)sum, sizeof sum}, coded,
		                  sizeof coded);
		k.headers[k.n_headers++] = (struct sigv4_pair){"x-amz-checksum-sha256", coded};
	}
	k.x.max = HTTP_TROUBLE_MAX;
	if (answer) {
		k.x.begin = http_buffer_begin;
		k.x.write = http_buffer_write;
		k.x.ctx = answer;
	}
	return s3_run(c, &k, deadline, e);
}

/* ---- looking ---- */

int s3_bucket_look(struct cloud *c, const char *bucket, bool *ret_versioned, uint64_t deadline,
                   struct err *e)
{
	scope_arena struct arena *a = arena_new();
	scope_http_buffer struct http_buffer answer = {0};
	const struct bucket_call b = {.bucket = bucket,
	                              .method = "GET",
	                              .subresource = "versioning",
	                              .verb = "looking at bucket",
	                              .right = "s3:GetBucketVersioning"};
	const char *root;
	struct doc *d;
	int r = send(c, &b, &answer, a, deadline, e);

	if (r < 0)
		return r;
	if (xml_parse("answer", (struct blob){answer.data, answer.len}, a, &d, &root, e) < 0 ||
	    !str_eq(root, "VersioningConfiguration"))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "looking at bucket '%.80s': the answer isn't what S3 sends", bucket);
	*ret_versioned = str_eq(doc_text(d, "Status"), "Enabled");
	return 0;
}

/* ---- making ---- */

int s3_bucket_make(struct cloud *c, const char *bucket, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct bucket_call b = {.bucket = bucket,
	                        .method = "PUT",
	                        .verb = "making bucket",
	                        .right = "s3:CreateBucket",
	                        .unowned = true};
	const char *region;
	int r = cloud_region(c, &region, deadline, e);

	if (r < 0)
		return r;
	if (!str_eq(region, "us-east-1"))
		b.body = arena_printf(a,
		                      "<CreateBucketConfiguration xmlns=\"" NAMESPACE "\">"
		                      "<LocationConstraint>%s</LocationConstraint>"
		                      "</CreateBucketConfiguration>",
		                      region);
	r = send(c, &b, NULL, a, deadline, e);
	return r < 0 && e->no == EALREADY ? 0 : r;
}

static const char *tls_only(const char *bucket, const char *region, struct arena *a)
{
	const struct partition *partition = partition_by_region(region);
	const char *arn =
	        arena_printf(a, "arn:%s:s3:::%s", partition ? partition->name : "aws", bucket);
	struct strbuf out = STRBUF(a, BODY_MAX);
	struct jsonw w = {.out = &out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "Version", "2012-10-17");
	jsonw_begin(&w, "Statement", '[');
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "Sid", "TlsOnly");
	jsonw_str(&w, "Effect", "Deny");
	jsonw_str(&w, "Principal", "*");
	jsonw_str(&w, "Action", "s3:*");
	jsonw_begin(&w, "Resource", '[');
	jsonw_str(&w, NULL, arn);
	jsonw_str(&w, NULL, arena_printf(a, "%s/%c", arn, '*'));
	jsonw_end(&w, ']');
	jsonw_begin(&w, "Condition", '{');
	jsonw_begin(&w, "Bool", '{');
	jsonw_str(&w, "aws:SecureTransport", "false");
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
	jsonw_end(&w, '}');
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	return out.data;
}

int s3_bucket_guard(struct cloud *c, const char *bucket, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *region;
	int r = cloud_region(c, &region, deadline, e);

	if (r < 0)
		return r;
	const struct {
		const char *subresource, *right, *body;
	} rows[] = {
	        {"publicAccessBlock", "s3:PutBucketPublicAccessBlock",
	         "<PublicAccessBlockConfiguration xmlns=\"" NAMESPACE "\">"
	         "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
	         "<BlockPublicPolicy>true</BlockPublicPolicy>"
	         "<RestrictPublicBuckets>true</RestrictPublicBuckets>"
	         "</PublicAccessBlockConfiguration>"},
	        {"policy", "s3:PutBucketPolicy", tls_only(bucket, region, a)},
	        {"versioning", "s3:PutBucketVersioning",
	         "<VersioningConfiguration xmlns=\"" NAMESPACE "\"><Status>Enabled</Status>"
	         "</VersioningConfiguration>"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct bucket_call b = {.bucket = bucket,
		                              .method = "PUT",
		                              .subresource = rows[i].subresource,
		                              .verb = "guarding bucket",
		                              .right = rows[i].right,
		                              .body = rows[i].body};

		r = send(c, &b, NULL, a, deadline, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- emptying ---- */

static const struct awserr_row purge_rows[] = {
        {"AccessDenied", AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED, EACCES,
         "the credentials need s3:ListBucketVersions on the bucket and s3:DeleteObjectVersion on "
         "what is in it"},
        {0},
};

/* A page of versions: those that are there are the first page again, once these are deleted. */
static int list_versions(struct cloud *c, const struct uri *bucket, const char *prefix,
                         struct arena *a, struct doc **ret, uint64_t deadline, struct err *e)
{
	scope_http_buffer struct http_buffer answer = {0};
	struct s3_object o = {.uri = bucket};
	scope_call struct call k = {.method = "GET",
	                            .rows = purge_rows,
	                            .query = {{"versions", ""},
	                                      {"prefix", prefix},
	                                      {"max-keys", arena_printf(a, "%d", S3_LIST_MAX)}},
	                            .n_query = 3};
	const char *root;

	s3_prepare(c, &k, &o, "listing");
	k.x.max = XML_SIZE_MAX;
	k.x.begin = http_buffer_begin;
	k.x.write = http_buffer_write;
	k.x.ctx = &answer;
	int r = s3_run(c, &k, deadline, e);
	if (r < 0)
		return r;
	if (xml_parse("answer", (struct blob){answer.data, answer.len}, a, ret, &root, e) < 0 ||
	    !str_eq(root, "ListVersionsResult"))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer is no list of versions", o.doing);
	return 0;
}

static int delete_version(struct cloud *c, const char *bucket, const struct doc *at,
                          uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *key = doc_text(at, "Key"), *version = doc_text(at, "VersionId");
	const struct uri uri = {.scheme = URI_S3,
	                        .text = arena_printf(a, "s3://%s/%s", bucket, key ? key : ""),
	                        .bucket = bucket,
	                        .key = key ? key : ""};
	struct s3_object o = {.uri = &uri};
	scope_call struct call k = {.method = "DELETE", .rows = purge_rows};

	if (!key || !*key || !version)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "listing '%.100s': the answer is no list of versions", uri.text);
	s3_prepare(c, &k, &o, "deleting");
	k.query[k.n_query++] = (struct sigv4_pair){"versionId", version};
	k.x.max = HTTP_TROUBLE_MAX;
	return s3_run(c, &k, deadline, e);
}

static int purge_page(struct cloud *c, const struct uri *below, size_t *n, uint64_t deadline,
                      struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct uri bucket = *below;
	struct doc *d;

	*n = 0;
	bucket.key = "";
	int r = list_versions(c, &bucket, below->key, a, &d, deadline, e);
	if (r < 0)
		return r;
	const struct doc *const lists[] = {doc_get(d, "Version"), doc_get(d, "DeleteMarker")};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; lists[i] && k < lists[i]->n; k++, ++*n) {
			r = delete_version(c, below->bucket, lists[i]->items[k], deadline, e);
			if (r < 0)
				return r;
		}
	return 0;
}

int s3_bucket_purge(struct cloud *c, const char *prefix, size_t *ret_n, uint64_t deadline,
                    struct err *e)
{
	scope_arena struct arena *a = arena_new();
	size_t all = 0, n = 1;
	struct uri below;
	int r = s3_uri(prefix, a, &below, e);

	if (r < 0)
		return r;
	for (unsigned page = 0; n && page < PAGES_MAX; page++) {
		r = purge_page(c, &below, &n, deadline, e);
		if (r < 0)
			return r;
		all += n;
	}
	*ret_n = all;
	return 0;
}
