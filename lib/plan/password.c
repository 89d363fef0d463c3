/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches passwords. */
#include "plan/password.h"

#include <errno.h>

#include "aws/fetch.h"

static int check(struct secret *text, struct err *e)
{
	while (text->len && strchr("\r\n", text->data[text->len - 1]))
		text->data[--text->len] = '\0';
	if (text->len == 0)
		return err_set(e, ERR_INPUT, REASON_PASSWORD_INVALID, EINVAL, "it is empty");
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->data[i] < ' ' || text->data[i] == 0x7f)
			return err_set(e, ERR_INPUT, REASON_PASSWORD_INVALID, EINVAL,
			               "it has control characters or several lines");
	return 0;
}

static int fetch(const struct step_ctx *c, const char *where, struct secret *ret, struct err *e)
{
	const struct fetch f = {.uri = where, .max = SECRET_MAX};

	if (!c->cloud)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "not into an image, every instance fetches its own");
	return fetch_secret(c->cloud, &f, ret, c->deadline, e);
}

int password_get(const struct step_ctx *c, const char *where, const char *doing,
                 struct password *ret, struct err *e)
{
	scope_secret struct secret text = {0};

	if (ret->known)
		return 0;
	int r = fetch(c, where, &text, e);
	r = r < 0 ? r : check(&text, e);
	if (r < 0)
		return err_wrap(e, "%s", doing);
	ret->text = text;
	ret->known = true;
	return 0;
}
