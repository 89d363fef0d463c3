/* SPDX-License-Identifier: Apache-2.0 */
/* Checks single values for the claims of kinds. */
#include "plan/claim.h"

#include <limits.h>

#include "aws/fetch.h"
#include "base/digest.h"
#include "base/str.h"
#include "http/uri.h"

#define ACCOUNT_MAX 32 /* useradd(8) refuses longer names */

const struct doc *claim_at(const struct step *s, const char *key)
{
	const struct doc *value = key ? doc_get(s->at, key) : NULL;

	return value ? value : s->at;
}

const struct doc *claim_item(const struct step *s, const char *key, size_t i)
{
	const struct doc *value = claim_at(s, key);

	return value && value->type == DOC_LIST && i < value->n ? value->items[i] : value;
}

/* The next component of the path, or an empty view at its end. */
static struct blob component(const char **at)
{
	const char *start = *at + strspn(*at, "/");
	size_t len = strcspn(start, "/");

	*at = start + len;
	return (struct blob){start, len};
}

int claim_path(const struct step *s, const char *key, const char **path, struct err *e)
{
	struct strbuf clean = STRBUF(s->arena, PATH_MAX - 1);
	const char *at = *path;

	if (*at != '/')
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "'%s' is not an absolute path", *path);
	for (const char *p = at; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
			               "path contains a control character");
	for (struct blob part = component(&at); part.len; part = component(&at)) {
		if (blob_eq(part, ".") || blob_eq(part, ".."))
			return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
			               "'%s' contains '.' or '..'; write the path it means", *path);
		strbuf_char(&clean, '/');
		strbuf_add(&clean, part.data, part.len);
	}
	if (clean.overflow)
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "path is longer than %d bytes", PATH_MAX - 1);
	*path = clean.len ? clean.data : "/";
	return 0;
}

int claim_account(const struct doc *at, const char *name, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char others[] = "0123456789.-";
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!strchr(letters, name[i]) && (i == 0 || !strchr(others, name[i])))
			len = 0;
	if (len == 0 || len > ACCOUNT_MAX)
		return doc_err(at, e, REASON_INPUT_RANGE, "'%s' is not the name of a user or group",
		               name);
	return 0;
}

int claim_sha256(const struct step *s, const char *key, const char *hex, struct err *e)
{
	unsigned char digest[SHA256_LEN];

	if (str_unhex(hex, digest, sizeof digest) < 0)
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "'%s' is not a sha256: 64 hex digits", hex);
	return 0;
}

int claim_source(struct step *s, const char *key, const char *uri, struct err *e)
{
	struct uri u;
	struct err why;
	int r = uri_parse(uri, s->arena, &u, &why);

	if (r < 0)
		return doc_err(claim_at(s, key), e, why.reason, "%s", why.text);
	if (u.scheme != URI_FILE)
		return 0;
	r = claim_path(s, key, &u.path, e);
	if (r < 0)
		return r;
	step_needs(s, "path:%s", u.path);
	return 0;
}

int claim_secret(struct step *s, const char *key, const char *where, const char *what,
                 struct err *e)
{
	if (strchr(where, ':') && !fetch_is_arn(where))
		return claim_source(s, key, where, e);
	if (fetch_is_arn(where) && strstr(where, ":secretsmanager:"))
		return 0;
	return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
	               "'%s' is no place of %s: expected s3://, https://, file:/ or "
	               "arn:...:secretsmanager:...",
	               where, what);
}

void claim_needs_parent(struct step *s, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash && slash > path)
		step_needs(s, "path:%.*s", (int)(slash - path), path);
}

void claim_needs_owner(struct step *s, const char *user, const char *group)
{
	if (user && !str_eq(user, "root"))
		step_needs(s, "user:%s", user);
	if (group && !str_eq(group, "root"))
		step_needs(s, "group:%s", group);
}

void claim_after(struct step *s, const char *section)
{
	struct field_strings *after = &s->policy.after;
	const char **items = arena_array(s->arena, after->n + 1, sizeof *items);

	if (after->n)
		memcpy(items, after->items, after->n * sizeof *items);
	items[after->n++] = section;
	after->items = items;
}
