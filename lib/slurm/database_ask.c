/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks slurmdbd by sacctmgr(1): whether it answers, what it has a record of, and to record what it
 * lacks. sacctmgr finds it by slurm.conf, as slurmctld does.
 */
#include <errno.h>
#include <strings.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "machine/unit.h"
#include "model/slurmdbd.h"
#include "slurm/database_own.h"
#include "slurm/slurm_client_own.h"

#define QUERY_MS  10000 /* of one try; one that makes its tables takes seconds */
#define RECORD_MS 30000
#define NAMES_MAX 4096

/* ---- one question ---- */

/* Whatever else it complains of: there is no answer yet. */
static int unheard(struct err *e)
{
	if (e->reason == REASON_HOST_COMMAND_FAILED || e->reason == REASON_SLURMCTLD_UNREACHABLE) {
		e->kind = ERR_RETRY;
		e->reason = REASON_SLURMDBD_UNREACHABLE;
	}
	return -e->no;
}

static int ask(const struct step_ctx *c, const char *const *argv, uint64_t deadline,
               struct blob *ret, struct err *e)
{
	const struct host_exec x = {.argv = argv, .deadline = clock_min(c->deadline, deadline)};
	struct host_result said;
	int r = host_run(c->host, &x, c->arena, &said, e);

	if (r == -ETIMEDOUT)
		return err_set(e, ERR_RETRY, REASON_SLURMDBD_UNREACHABLE, ETIMEDOUT,
		               "asking slurmdbd: no answer in time");
	if (r < 0 && e->reason == REASON_HOST_EXEC)
		e->reason = REASON_SLURM_MISSING;
	if (r < 0)
		return r;
	if (said.status != 0) {
		slurm_complain(said.errout, "asking slurmdbd", e);
		return unheard(e);
	}
	*ret = said.out;
	return 0;
}

/* Slurm keeps the names of clusters and accounts in lower case. */
static bool has_line(struct blob said, const char *wanted)
{
	size_t len = strlen(wanted);

	for (const char *line = said.data; line && *line;) {
		size_t n = strcspn(line, "\n");

		if (n == len && strncasecmp(line, wanted, n) == 0)
			return true;
		line += n + (line[n] == '\n');
	}
	return false;
}

static const char *without_record(const struct step_ctx *c, const struct database_spec *s,
                                  struct blob said)
{
	struct strbuf users = STRBUF(c->arena, NAMES_MAX);

	for (size_t i = 0; i < s->admins.n; i++) {
		const char *user = s->admins.items[i];

		if (!has_line(said, arena_printf(c->arena, "%s|%s", s->account, user)))
			strbuf_printf(&users, "%s%s", users.len ? "," : "", user);
	}
	return users.data;
}

int database_look(const struct step_ctx *c, const struct database_spec *s, uint64_t deadline,
                  struct database_lack *ret, struct err *e)
{
	static const char *const clusters[] = {"sacctmgr", "--noheader",     "--parsable2", "show",
	                                       "cluster",  "format=Cluster", NULL};
	const char *associations[] = {
	        "sacctmgr", "--noheader", "--parsable2", "show", "associations",
	        arena_printf(c->arena, "Cluster=%s", s->cluster),
	        /* A site's own accounts have any number of users. */
	        arena_printf(c->arena, "Account=%s", s->account), "format=Account,User", NULL};
	struct blob known, members;
	int r = ask(c, clusters, deadline, &known, e);

	if (r < 0)
		return r;
	r = ask(c, associations, deadline, &members, e);
	if (r < 0)
		return r;
	*ret = (struct database_lack){
	        .cluster = !has_line(known, s->cluster),
	        .account = !has_line(members, arena_printf(c->arena, "%s|", s->account)),
	        .users = without_record(c, s, members),
	};
	return 0;
}

/* ---- until it answers ---- */

/* Its log, or before it has one the journal. */
static struct blob last_words(const struct step_ctx *c, uint64_t log_from)
{
	struct blob log = slurm_log_since(c, SLURMDBD_LOG, log_from);

	return log.len ? log : host_unit_words(c->host, DATABASE_UNIT, c->arena);
}

static int ended(const struct host_unit_state *state, struct blob words, struct err *e)
{
	slurm_complain(words, "slurmdbd ended by itself", e);
	if (e->reason == REASON_HOST_COMMAND_FAILED)
		e->reason = REASON_SLURMDBD_ENDED;
	return err_wrap(e, "starting slurmdbd: %s is %s (%s)", DATABASE_UNIT, state->active_state,
	                *state->result ? state->result : state->sub_state);
}

/* It goes on asking the SQL server and answers nobody meanwhile: its log says why. 1: `e` is a better error
 * than before. */
static int server_says(const struct step_ctx *c, uint64_t log_from, struct err *e)
{
	struct err why;

	(void)!slurm_complain(last_words(c, log_from), "slurmdbd waits for its SQL server", &why);
	if (why.reason != REASON_SLURMDBD_SQL)
		return 0;
	*e = why;
	return 1;
}

/* A try that failed: whether that is the end. */
static int look_at_ours(const struct step_ctx *c, uint64_t log_from, bool *over, struct err *e)
{
	struct host_unit_state state;
	struct err why = *e;
	int r = host_unit_state(c->host, DATABASE_UNIT, &state, c->deadline, e);

	*over = true;
	if (r < 0)
		return r;
	if (!state.active)
		return ended(&state, last_words(c, log_from), e);
	*e = why;
	*over = server_says(c, log_from, e) && e->kind == ERR_DENIED;
	return -e->no;
}

int database_wait(const struct step_ctx *c, const struct database_spec *s, uint64_t log_from,
                  uint64_t until, struct database_lack *ret, struct err *e)
{
	struct backoff b = {.base_ms = 50, .cap_ms = 1000};
	struct err before = {0}; /* what the try before said */

	for (;;) {
		bool over = false;
		int r = database_look(c, s, clock_min(until, clock_in_ms(QUERY_MS)), ret, e);

		if (r == 0 || e->reason == REASON_SLURM_MISSING)
			return r;
		r = s->external ? r : look_at_ours(c, log_from, &over, e);
		if (over)
			return r;
		/* A try that the end of the wait cuts short says less than the one before it. */
		if (before.text[0] && clock_left_ms(until) == 0)
			*e = before;
		before = *e;
		if (backoff_wait(&b, 0, until))
			continue;
		e->kind = ERR_HOST; /* this was the waiting: no step of it begins anew */
		return err_wrap(e, "waiting for slurmdbd");
	}
}

/* ---- records ---- */

static int record(const struct step_ctx *c, const char *const *argv, struct err *e)
{
	const struct host_exec x = {.argv = argv,
	                            .changes = true,
	                            .deadline = clock_min(c->deadline, clock_in_ms(RECORD_MS))};
	struct host_result said;

	return host_run_ok(c->host, &x, c->arena, &said, e);
}

int database_record(const struct step_ctx *c, const struct database_spec *s,
                    const struct database_lack *lack, struct err *e)
{
	const char *of = arena_printf(c->arena, "Cluster=%s", s->cluster);
	const char *cluster[] = {"sacctmgr", "--immediate", "--quiet", "add",
	                         "cluster",  s->cluster,    NULL};
	const char *account[] = {
	        "sacctmgr",          "--immediate", "--quiet", "add",
	        "account",           s->account,    of,        "Description=made by hpc-agent",
	        "Organization=none", NULL};
	const char *users[] = {"sacctmgr",
	                       "--immediate",
	                       "--quiet",
	                       "add",
	                       "user",
	                       lack->users,
	                       of,
	                       arena_printf(c->arena, "Account=%s", s->account),
	                       "AdminLevel=Admin",
	                       NULL};
	int r = lack->cluster ? record(c, cluster, e) : 0;

	if (r < 0)
		return r;
	r = lack->account ? record(c, account, e) : 0;
	if (r < 0)
		return r;
	return lack->users ? record(c, users, e) : 0;
}
