/* SPDX-License-Identifier: Apache-2.0 */
/* The objects below a prefix. */
#include <errno.h>

#include "aws/s3_own.h"
#include "data/xml.h"

struct list {
	struct uri uri;    /* of the bucket */
	const char *below; /* the URIs' common beginning */
	const char *prefix;
	struct arena *arena;
	const char **items;
	size_t n;
};

bool s3_is_many(const char *uri)
{
	return str_starts(uri, "s3://") && str_ends(uri, "/*");
}

static void add_object(struct list *l, const char *uri)
{
	if (!str_starts(uri, l->below) || str_ends(uri, "/"))
		return;
	l->items = arena_grow(l->arena, l->items, &l->n, sizeof *l->items);
	l->items[l->n - 1] = uri;
}

static int take_list(struct list *l, struct blob xml, const char *doing, struct err *e)
{
	const struct doc *objects;
	const char *root;
	struct doc *d;

	if (xml_parse("answer", xml, l->arena, &d, &root, e) < 0 ||
	    !str_eq(root, "ListBucketResult"))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer is no list of objects", doing);
	if (str_eq(doc_text(d, "IsTruncated"), "true"))
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "%s: there are more than %d objects", doing, S3_LIST_MAX);
	objects = doc_get(d, "Contents");
	for (size_t i = 0; objects && i < objects->n; i++) {
		const char *key = doc_text(objects->items[i], "Key");

		if (key)
			add_object(l, arena_printf(l->arena, "s3://%s/%s", l->uri.bucket, key));
	}
	return 0;
}

/* What keeps a role from listing isn't what keeps it from reading. */
static const struct awserr_row list_rows[] = {
        {"AccessDenied", AWSERR_FAIL, ERR_DENIED, REASON_S3_ACCESS_DENIED, EACCES,
         "the credentials need s3:ListBucket on the bucket"},
        {0},
};

static int list_service(struct cloud *c, struct list *l, uint64_t deadline, struct err *e)
{
	scope_http_buffer struct http_buffer answer = {0};
	struct s3_object o = {.uri = &l->uri};
	scope_call struct call k = {
	        .method = "GET",
	        .query = {{"list-type", "2"},
	                  {"prefix", l->prefix},
	                  {"max-keys", arena_printf(l->arena, "%d", S3_LIST_MAX)}},
	        .n_query = 3,
	        .rows = list_rows,
	};

	s3_prepare(c, &k, &o, "listing");
	k.x.max = XML_SIZE_MAX;
	k.x.begin = http_buffer_begin;
	k.x.write = http_buffer_write;
	k.x.ctx = &answer;
	int r = s3_run(c, &k, deadline, e);
	if (r < 0)
		return r;
	return take_list(l, (struct blob){answer.data, answer.len}, o.doing, e);
}

static int list_open(const char *uri, struct arena *a, struct list *ret, struct err *e)
{
	struct list l = {.arena = a, .below = arena_memdup(a, uri, strlen(uri) - 1)};
	int r = s3_uri(uri, a, &l.uri, e);

	if (r < 0)
		return r;
	l.prefix = arena_memdup(a, l.uri.key, strlen(l.uri.key) - 1);
	l.uri.key = "";
	*ret = l;
	return 0;
}

int s3_list(struct cloud *c, const char *uri, struct arena *a, const char *const **ret,
            size_t *ret_n, uint64_t deadline, struct err *e)
{
	struct list l;
	int r = list_open(uri, a, &l, e);

	if (r < 0)
		return r;
	for (size_t i = 0; c->kept && i < c->n_kept; i++)
		add_object(&l, c->kept[i].uri);
	r = c->kept ? 0 : list_service(c, &l, deadline, e);
	if (r < 0)
		return r;
	if (!l.n)
		return err_set(e, ERR_ABSENT, REASON_S3_NO_SUCH_KEY, ENOENT,
		               "there is no object '%s'", uri);
	*ret = l.items;
	*ret_n = l.n;
	return 0;
}
