/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the role's credentials as the metadata service gives them. */
#include "cloud/creds.h"
#include "fuzz.h"

static bool fit(const char *s, size_t size)
{
	const char *end = memchr(s, 0, size);

	if (!end || end == s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

/* What is accepted can be sent; what is refused is the service's fault, not the user's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct creds c = {0};
	struct err e = {0};

	if (creds_parse((struct blob){(const char *)data, size}, 0, &c, &e) < 0) {
		FUZZ_CHECK((e.kind == ERR_DENIED || e.kind == ERR_RETRY) && *e.text && !c.have);
		return 0;
	}
	FUZZ_CHECK(e.kind == ERR_NONE && c.have && !c.fixed && c.renew_at <= c.ends_at);
	FUZZ_CHECK(fit(c.access_key, sizeof c.access_key) &&
	           fit(c.secret_key, sizeof c.secret_key));
	FUZZ_CHECK(fit(c.session_token, sizeof c.session_token));
	creds_close(&c);
	return 0;
}
