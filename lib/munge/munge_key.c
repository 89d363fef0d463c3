/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The munge key: fetched and checked, or made where there is none.
 *
 * It is fetched at every run and compared, once per process: one small request with credentials
 * that are in memory anyway, and a rotated key is noticed by the next run. Remembering a digest
 * instead would keep a derivative of the key on disk and miss the rotation.
 *
 * A key is made by one PUT with If-None-Match: *, and what counts is what is stored afterwards. So
 * of two machines that try at once one is refused and both read the same key, and a run that was
 * killed at any moment has either stored a key or none.
 */
#include <ctype.h>
#include <errno.h>

#include "aws/fetch.h"
#include "aws/s3.h"
#include "base/log.h"
#include "base/random.h"
#include "munge/munge_own.h"

#define KEY_MIN  32   /* munged refuses shorter ones */
#define KEY_MADE 1024 /* as create-munge-key and mungekey(8) make them */

static int decode_secret(struct secret *key, struct err *e)
{
	scope_secret struct secret raw = {0};

	if (str_base64_decode((struct blob){key->data, key->len}, raw.data, SECRET_MAX, &raw.len) <
	    0)
		return err_set(e, ERR_INPUT, REASON_MUNGE_KEY_INVALID, EINVAL,
		               "reading the munge key: the secret is not base64");
	*key = raw;
	return 0;
}

static int fetch(const struct step_ctx *c, const struct munge_spec *m, struct secret *ret,
                 struct err *e)
{
	struct fetch f = {.uri = m->key, .sha256 = m->sha256, .max = SECRET_MAX};

	if (!c->cloud)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "not into an image, every instance fetches its own");
	int r = fetch_secret(c->cloud, &f, ret, c->deadline, e);
	return r < 0 || !fetch_is_arn(m->key) ? r : decode_secret(ret, e);
}

static int invalid(struct err *e, const char *why)
{
	return err_set(e, ERR_INPUT, REASON_MUNGE_KEY_INVALID, EINVAL, "reading the munge key: %s",
	               why);
}

/* An error page, or a document about the key. */
static bool is_page(const struct secret *key)
{
	for (size_t i = 0; i < key->len; i++)
		if (!isprint((unsigned char)key->data[i]) && !isspace((unsigned char)key->data[i]))
			return false;
	const char *begin = key->data + strspn(key->data, " \t\r\n");
	return *begin == '<' || *begin == '{';
}

static bool is_one_byte_repeated(const struct secret *key)
{
	return memcmp(key->data, key->data + 1, key->len - 1) == 0;
}

/* munged takes any file of 32 bytes; one that is evidently not random is no cluster's key. */
static int check_key(const struct secret *key, struct err *e)
{
	if (key->len < KEY_MIN)
		return err_set(e, ERR_INPUT, REASON_MUNGE_KEY_INVALID, EINVAL,
		               "reading the munge key: %zu bytes, expected %d to %d", key->len,
		               KEY_MIN, SECRET_MAX); /* munged reads all of it */
	if (is_one_byte_repeated(key))
		return invalid(e, "all its bytes are the same, expected random ones");
	if (is_page(key))
		return invalid(e, "it is a text like HTML, XML or JSON, expected random bytes");
	return 0;
}

/* Without the right to list the bucket, S3 says "denied" of an object that isn't there. Then the
 * conditional PUT finds out: it is refused if there is one. */
static bool may_be_absent(const struct err *e)
{
	return e->reason == REASON_S3_NO_SUCH_KEY || e->reason == REASON_S3_ACCESS_DENIED;
}

int munge_key_get(const struct step_ctx *c, const struct munge_spec *m, struct err *e)
{
	struct munge_key *k = m->fetched;

	if (k->known)
		return 1;
	int r = fetch(c, m, &k->bytes, e);
	if (r < 0 && m->create && may_be_absent(e))
		return 0;
	if (r < 0)
		return err_wrap(e, "fetching the munge key");
	r = check_key(&k->bytes, e);
	if (r < 0)
		secret_close(&k->bytes);
	k->known = r == 0;
	return r < 0 ? r : 1;
}

static int make(struct secret *ret, struct err *e)
{
	int r = random_bytes(ret->data, KEY_MADE);

	if (r < 0)
		return err_errno(e, -r, "making a munge key");
	ret->len = KEY_MADE;
	return 0;
}

static int store(const struct step_ctx *c, const struct munge_spec *m, const struct secret *key,
                 struct err *e)
{
	int r = s3_put(c->cloud, m->key, (struct blob){key->data, key->len}, true, c->deadline, e);

	if (r == 0)
		log_notice("made the cluster's munge key: '%s'", m->key);
	/* Another machine, or an earlier try whose answer was lost. */
	if (r < 0 && e->reason == REASON_S3_PRECONDITION)
		return 0;
	return r < 0 ? err_wrap(e, "making the munge key") : 0;
}

/* Stands in for the key that would be made. */
static int assume(const struct munge_spec *m, struct err *e)
{
	int r = make(&m->fetched->bytes, e);

	m->fetched->known = r == 0;
	return r < 0 ? r : 1;
}

int munge_key_make(const struct step_ctx *c, const struct munge_spec *m, struct err *e)
{
	scope_secret struct secret key = {0};
	int r = munge_key_get(c, m, e);

	if (r != 0)
		return r;
	if (host_mode(c->host) == HOST_DRY)
		return assume(m, e);
	r = make(&key, e);
	if (r < 0)
		return r;
	r = store(c, m, &key, e);
	if (r < 0)
		return r;
	secret_close(&key);
	r = fetch(c, m, &key, e);
	if (r < 0)
		return err_wrap(e, "reading the munge key that is stored");
	r = check_key(&key, e);
	if (r < 0)
		return r;
	m->fetched->bytes = key;
	m->fetched->known = true;
	return 1;
}

void munge_key_forget(const struct munge_spec *m)
{
	secret_close(&m->fetched->bytes);
	m->fetched->known = false;
}

struct blob munge_key_bytes(const struct munge_spec *m)
{
	return (struct blob){m->fetched->bytes.data, m->fetched->bytes.len};
}
