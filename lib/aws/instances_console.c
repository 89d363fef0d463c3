/* SPDX-License-Identifier: Apache-2.0 */
/* What an instance's serial console showed. */
#include <errno.h>

#include "aws/instances_own.h"

#define OUTPUT_MAX (64 * 1024) /* bytes that EC2 keeps, as it says */

static int ask(struct cloud *c, const char *id, bool latest, struct arena *a, struct doc **ret,
               struct ec2_refusal *why, uint64_t deadline, struct err *e)
{
	struct ec2_form f = ec2_form(a, NULL, "GetConsoleOutput");

	f.refusal = why;
	ec2_doing(&f, "reading the console of", id);
	ec2_put(&f, "InstanceId", id);
	if (latest)
		ec2_put(&f, "Latest", "true");
	return ec2_call(c, &f, ret, deadline, e);
}

int instances_console(struct cloud *c, const char *id, struct arena *a, struct blob *ret,
                      uint64_t deadline, struct err *e)
{
	size_t cap = 2 * OUTPUT_MAX;
	char *text = arena_alloc(a, cap + 1);
	struct ec2_refusal why = {0};
	const char *coded;
	struct doc *d;
	size_t len = 0;
	int r = ask(c, id, true, a, &d, &why, deadline, e);

	if (r < 0 && str_eq(why.code, "UnsupportedOperation")) {
		*e = (struct err){0};
		r = ask(c, id, false, a, &d, &why, deadline, e);
	}
	if (r < 0)
		return r;
	coded = doc_text(d, "output");
	if (coded && str_base64_decode((struct blob){coded, strlen(coded)}, text, cap, &len) < 0)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "reading the console of '%.50s': the answer isn't what EC2 sends",
		               id);
	text[len] = '\0';
	*ret = (struct blob){text, len};
	return 0;
}
