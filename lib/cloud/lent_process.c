/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that a program prints: credential_process. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cloud/lent.h"
#include "cloud/session.h"
#include "data/json.h"
#include "os/child.h"

#define WORDS_MAX  64
#define OUTPUT_MAX (64 * 1024)
#define ERROR_MAX  400
#define WAIT_MS    60000

/* ---- its command line ---- */

/* Reads one word at *p, as a shell does; false: a quote isn't closed. */
static bool read_word(const char **p, struct strbuf *out)
{
	char quote = 0;

	strbuf_str(out, "");
	for (; **p && (quote || !strchr(" \t", **p)); (*p)++) {
		char at = **p;

		if (at == '\\' && quote != '\'' && (*p)[1] && (!quote || strchr("\"\\", (*p)[1])))
			strbuf_char(out, *++*p);
		else if (quote ? at == quote : at == '"' || at == '\'')
			quote = quote ? 0 : at;
		else
			strbuf_char(out, at);
	}
	return !quote;
}

static int split(const char *command, struct arena *a, char *argv[static WORDS_MAX + 1],
                 struct err *e)
{
	size_t n = 0;

	for (const char *p = command + strspn(command, " \t"); *p; p += strspn(p, " \t")) {
		struct strbuf word = STRBUF(a, strlen(command) + 1);

		if (n == WORDS_MAX || !read_word(&p, &word))
			return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
			               "credential_process: expected at most %d words, and quotes "
			               "that are closed",
			               WORDS_MAX);
		argv[n++] = word.data ? word.data : arena_strdup(a, "");
	}
	argv[n] = NULL;
	if (!n)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "credential_process: expected a program");
	return 0;
}

/* ---- running it ---- */

static int run_program(void *ctx)
{
	char **argv = ctx;

	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s", argv[0], strerror(errno));
	return 127;
}

static int take(struct blob out, struct arena *a, struct creds *ret, struct err *e)
{
	const char *key, *secret, *token, *ends;
	struct doc *d;

	if (json_parse("output", out, a, &d, e) < 0 || !str_eq(doc_text(d, "Version"), "1"))
		return err_set(e, ERR_DENIED, REASON_CREDENTIALS_REFUSED, EPROTO,
		               "its output isn't JSON with Version 1");
	key = doc_text(d, "AccessKeyId");
	secret = doc_text(d, "SecretAccessKey");
	token = doc_text(d, "SessionToken");
	ends = doc_text(d, "Expiration");
	if (token && ends)
		return creds_take(key, secret, token, ends, time(NULL), ret, e);
	return creds_set(ret, key, secret, token, e);
}

static int run(struct cloud *c, struct arena *a, struct creds *ret, uint64_t deadline,
               struct err *e)
{
	char *argv[WORDS_MAX + 1], said[ERROR_MAX];
	struct child_end end;
	int r = split(c->config.role->command, a, argv, e);

	if (r < 0)
		return r;
	const struct child_spec spec = {.main = run_program,
	                                .ctx = argv,
	                                .in = -1,
	                                .out_max = OUTPUT_MAX,
	                                .err_max = ERROR_MAX - 1,
	                                .deadline = clock_min(deadline, clock_in_ms(WAIT_MS))};
	r = child_run(&spec, a, &end, e);
	if (r < 0)
		return r;
	if (end.timed_out)
		return err_set(e, ERR_RETRY, REASON_CREDENTIALS_REFUSED, ETIMEDOUT,
		               "'%.100s' did not end in time", argv[0]);
	if (end.status != 0)
		return err_set(e, ERR_DENIED, REASON_CREDENTIALS_REFUSED, EACCES,
		               "'%.100s' ended with %d: %s", argv[0], end.status,
		               str_escape(end.errout.data, end.errout.len, said, sizeof said));
	r = take(end.out, a, ret, e);
	return r < 0 ? err_wrap(e, "'%.100s'", argv[0]) : 0;
}

int lent_process(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e)
{
	struct arena *a = arena_new();
	scope_creds struct creds fresh = {0};
	int r = run(c, a, &fresh, deadline, e);

	arena_close_wiped(a);
	if (r < 0)
		return err_wrap(e, "credentials of %s", c->config.role->who);
	*ret = fresh;
	return 0;
}
