/* SPDX-License-Identifier: Apache-2.0 */
/* GetCallerIdentity of the Security Token Service. */
#include "aws/caller.h"

#include <errno.h>

#include "aws/query.h"

#define FORM_MAX       256
#define ACCOUNT_DIGITS 12

static const char *configured(const struct cloud *c, const char **ret_setting)
{
	const char *own = c->config.sts_endpoint;

	*ret_setting = own ? "AWS_ENDPOINT_URL_STS" : "AWS_ENDPOINT_URL";
	return own ? own : c->config.endpoint;
}

static const struct query_service service = {
        .at = {"sts", .gov_is_fips = true}, .title = "STS", .configured = configured};

static bool is_account(const char *text)
{
	return text && strlen(text) == ACCOUNT_DIGITS &&
	       strspn(text, "0123456789") == ACCOUNT_DIGITS;
}

int caller_look(struct cloud *c, struct arena *a, struct caller *ret, uint64_t deadline,
                struct err *e)
{
	static const char doing[] = "asking whose the credentials are";
	struct strbuf form = STRBUF(a, FORM_MAX);
	struct doc *d;

	query_put(&form, "Action", "GetCallerIdentity");
	query_put(&form, "Version", "2011-06-15");
	int r = query_call(c, &service, NULL, doing, &form, NULL, a, &d, NULL, deadline, e);
	if (r < 0)
		return r;
	const struct doc *result = doc_get(d, "GetCallerIdentityResult");
	if (!is_account(doc_text(result, "Account")) || !doc_text(result, "Arn"))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer isn't what STS sends", doing);
	*ret = (struct caller){doc_text(result, "Account"), doc_text(result, "Arn")};
	return 0;
}
