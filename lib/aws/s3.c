/* SPDX-License-Identifier: Apache-2.0 */
/* GET and PUT of S3's objects. */
#include "aws/s3.h"

#include <errno.h>
#include <stdio.h>

#include "aws/s3_own.h"

#define PATH_MAX_BYTES (4 * 1024) /* a key of 1024 bytes, each escaped, and the bucket */

/* ---- the address ----------------------------------------------------------------------------- */

static const char *configured(const struct cloud *c)
{
	return c->config.s3_endpoint ? c->config.s3_endpoint : c->config.endpoint;
}

static int find_host(struct cloud *c, const struct call *k, struct arena *a, struct endpoint *ret,
                     struct err *e)
{
	const char *setting = c->config.s3_endpoint ? "AWS_ENDPOINT_URL_S3" : "AWS_ENDPOINT_URL";

	if (configured(c))
		return uri_endpoint(configured(c), setting, a, ret, e);
	*ret = (struct endpoint){.tls = true, .prefix = ""};
	ret->authority =
	        arena_printf(a, "s3%s%s.%s.%s", c->config.fips ? "-fips" : "",
	                     c->config.dualstack ? ".dualstack" : "", k->region, c->domain);
	return 0;
}

/* Whether the bucket is part of the host name. */
static bool style_is_virtual(const struct cloud *c, const char *bucket, const struct endpoint *at)
{
	if (str_eq(c->config.s3_style, "path"))
		return false;
	if (str_eq(c->config.s3_style, "virtual"))
		return true;
	return !strpbrk(bucket, "._") && !at->address;
}

static int place(struct cloud *c, struct call *k, struct arena *a, struct err *e)
{
	const struct s3_object *o = k->ctx;
	const char *bucket = o->uri->bucket;
	struct strbuf path = STRBUF(a, PATH_MAX_BYTES);
	bool by_host;
	int r = find_host(c, k, a, &k->at, e);

	if (r < 0)
		return r;
	by_host = style_is_virtual(c, bucket, &k->at);
	if (k->moved) {
		k->at.authority = k->moved;
		by_host = str_starts(k->moved, bucket) && k->moved[strlen(bucket)] == '.';
	} else if (by_host) {
		k->at.authority = arena_printf(a, "%s.%s", bucket, k->at.authority);
	}
	strbuf_char(&path, '/');
	if (!by_host) {
		strbuf_str(&path, bucket);
		strbuf_char(&path, '/');
	}
	uri_encode(&path, (struct blob){o->uri->key, strlen(o->uri->key)}, true);
	k->path = path.data;
	return 0;
}

/* ---- calls ----------------------------------------------------------------------------------- */

void s3_prepare(const struct cloud *c, struct call *k, struct s3_object *o, const char *verb)
{
	char shown[200];

	str_escape(o->uri->text, strlen(o->uri->text), shown, sizeof shown);
	snprintf(o->doing, sizeof o->doing, "%s '%s'", verb, shown);
	k->doing = o->doing;
	k->service = "s3";
	k->s3 = true;
	k->custom = configured(c) != NULL;
	k->place = place;
	k->ctx = o;
	if (str_eq(c->bucket, o->uri->bucket))
		k->region = c->bucket_region;
	if (c->config.bucket_owner)
		k->headers[k->n_headers++] =
		        (struct sigv4_pair){"x-amz-expected-bucket-owner", c->config.bucket_owner};
	if (o->uri->version_id)
		k->query[k->n_query++] = (struct sigv4_pair){"versionId", o->uri->version_id};
}

int s3_run(struct cloud *c, struct call *k, uint64_t deadline, struct err *e)
{
	const struct s3_object *o = k->ctx;
	int r = call_run(c, k, deadline, e);

	if (r < 0)
		return r;
	if (k->regions) {
		c->bucket = arena_strdup(c->arena, o->uri->bucket);
		c->bucket_region = k->region;
	}
	return 0;
}

static void shape_get(struct call *k)
{
	const struct s3_object *o = k->ctx;

	if (!transfer_resumes(o->transfer))
		return;
	k->extra[k->n_extra++] = (struct sigv4_pair){"Range", o->transfer->range};
	k->extra[k->n_extra++] = (struct sigv4_pair){"If-Match", o->transfer->etag};
}

static bool refused_get(struct call *k)
{
	const struct s3_object *o = k->ctx;

	if (!o->transfer->ranged || (k->x.status != 412 && k->x.status != 416))
		return false;
	transfer_reset(o->transfer);
	return true;
}

int s3_get(struct cloud *c, const struct uri *u, struct transfer *t, uint64_t deadline,
           struct err *e)
{
	struct s3_object o = {.uri = u, .transfer = t};
	scope_call struct call k = {.method = "GET", .shape = shape_get, .refused = refused_get};

	s3_prepare(c, &k, &o, "fetching");
	k.x.max = t->max;
	k.x.begin = transfer_begin;
	k.x.write = transfer_write;
	k.x.ctx = t;
	return s3_run(c, &k, deadline, e);
}

int s3_uri(const char *text, struct arena *a, struct uri *ret, struct err *e)
{
	int r = uri_parse(text, a, ret, e);

	if (r < 0)
		return r;
	if (ret->scheme == URI_S3)
		return 0;
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
	               "'%s': expected s3://BUCKET/KEY", uri_shown(text, a));
}

/* What keeps credentials from writing isn't what keeps them from reading. */
static const struct awserr_row put_rows[] = {
        {"AccessDenied", AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED, EACCES,
         "the credentials need s3:PutObject on it (and kms:GenerateDataKey where the bucket has a "
         "key of your own), and the bucket must be the expected account's"},
        {0},
};

int s3_put(struct cloud *c, const char *uri, struct blob body, bool if_absent, uint64_t deadline,
           struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct uri u;
	struct s3_object o = {.uri = &u};
	scope_call struct call k = {.method = "PUT", .rows = put_rows};
	int r = s3_uri(uri, a, &u, e);

	if (r < 0)
		return r;
	s3_prepare(c, &k, &o, "writing");
	if (u.version_id)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "%s: a version that exists can't be written", o.doing);
	k.headers[k.n_headers++] = (struct sigv4_pair){"Content-Type", "application/octet-stream"};
	if (if_absent)
		k.headers[k.n_headers++] = (struct sigv4_pair){"If-None-Match", "*"};
	/* On a kept connection that turns out to be closed, libcurl repeats the request by itself.
	 * The repeated one would then find the object that the first wrote, and be refused. */
	k.x.fresh = if_absent;
	k.x.body = body;
	k.x.max = HTTP_TROUBLE_MAX;
	r = s3_run(c, &k, deadline, e);
	/* A try whose answer was lost may have written the object. */
	if (r < 0 && e->reason == REASON_S3_PRECONDITION && k.tries > 1)
		return err_set(e, e->kind, e->reason, e->no,
		               "%s; an earlier try may have written it", e->text);
	return r;
}
