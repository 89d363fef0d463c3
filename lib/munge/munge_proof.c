/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a credential and reads it again, both through munged's socket.
 *
 * On this machine by libmunge, which munge(1) and Slurm themselves use: two processes less a boot. It is
 * loaded when it is needed, since most of what the agent does needs no munge, and images have it only
 * with the package. A system below another root has a library of its own: there its programs are asked.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "host/host.h"
#include "munge/munge_own.h"

#define LIBRARY  "libmunge.so.2" /* munge(3); of all versions from 0.5.10 on */
#define QUERY_MS 5000

/* As munge.h has them; 0 is success. */
struct library {
	int (*encode)(char **cred, void *ctx, const void *buf, int len);
	int (*decode)(const char *cred, void *ctx, void **buf, int *len, uid_t *uid, gid_t *gid);
	const char *(*strerror)(int code);
};

static bool load(struct library *ret)
{
	void *l = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* for the rest of this process */

	if (!l)
		return false;
	*(void **)&ret->encode = dlsym(l, "munge_encode");
	*(void **)&ret->decode = dlsym(l, "munge_decode");
	*(void **)&ret->strerror = dlsym(l, "munge_strerror");
	return ret->encode && ret->decode && ret->strerror;
}

static int failed(const struct library *l, int code, const char *doing, struct err *e)
{
	return err_set(e, ERR_HOST, REASON_MUNGE_ROUND_TRIP, EIO, "%s: %s", doing,
	               l->strerror(code));
}

static int by_library(const struct library *l, struct err *e)
{
	char *credential = NULL;
	uid_t uid;
	gid_t gid;
	int code = l->encode(&credential, NULL, NULL, 0);

	if (code == 0) {
		code = l->decode(credential, NULL, NULL, NULL, &uid, &gid);
		free(credential);
		return code ? failed(l, code, "reading it", e) : 0;
	}
	free(credential);
	return failed(l, code, "making it", e);
}

static int ask(const struct step_ctx *c, const char *const *argv, struct blob input,
               struct host_result *ret, struct err *e)
{
	struct host_exec x = {.argv = argv,
	                      .input = input,
	                      .deadline = clock_min(c->deadline, clock_in_ms(QUERY_MS))};
	int r = host_run_ok(c->host, &x, c->arena, ret, e);

	if (r < 0 && e->kind == ERR_HOST)
		e->reason = REASON_MUNGE_ROUND_TRIP;
	return r;
}

static int by_programs(const struct step_ctx *c, struct err *e)
{
	static const char *const encode[] = {"munge", "--no-input", NULL};
	static const char *const decode[] = {"unmunge", "--metadata=/dev/null", NULL};
	struct host_result made, read;
	int r = ask(c, encode, (struct blob){0}, &made, e);

	if (r < 0)
		return r;
	return ask(c, decode, made.out, &read, e);
}

int munge_proof(const struct step_ctx *c, struct err *e)
{
	struct library l;
	int r = str_eq(host_root(c->host), "/") && load(&l) ? by_library(&l, e) : by_programs(c, e);

	return r < 0 ? err_wrap(e, "making and reading a munge credential") : 0;
}
