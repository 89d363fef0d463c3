/* SPDX-License-Identifier: Apache-2.0 */
/* Waits until slurmctld answers and its partitions are up, or says why it ended. */
#include <errno.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "machine/unit.h"
#include "slurm/controller_own.h"
#include "slurm/slurm_client_own.h"

#define MARGIN_MS 1000  /* part of the step's time that is kept for reporting the error */
#define QUERY_MS  10000 /* of one try */

static int ask(const struct step_ctx *c, uint64_t deadline, struct blob *ret, struct err *e)
{
	static const char *const argv[] = {"sinfo", "--noheader", "--all", "--format=%R|%a", NULL};
	struct host_exec x = {.argv = argv, .deadline = clock_min(c->deadline, deadline)};
	struct host_result said;
	int r = host_run(c->host, &x, c->arena, &said, e);

	if (r == -ETIMEDOUT)
		return err_set(e, ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE, ETIMEDOUT,
		               "asking slurmctld: no answer in time");
	if (r < 0 && e->reason == REASON_HOST_EXEC)
		e->reason = REASON_SLURM_MISSING;
	if (r < 0)
		return r;
	if (said.status != 0)
		return slurm_complain(said.errout, "asking slurmctld", e);
	*ret = said.out;
	return 0;
}

/* What sinfo says of the partition: "up", "down", "drain", "inact"; NULL: it doesn't list it. */
static const char *state_of(const struct step_ctx *c, struct blob said, const char *partition)
{
	const char *entry = arena_printf(c->arena, "%s|", partition);

	for (const char *line = said.data; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!str_starts(line, entry))
			continue;
		line += strlen(entry);
		return arena_memdup(c->arena, line, strcspn(line, " \n"));
	}
	return NULL;
}

static bool is_listed(const struct field_strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->items[i], name))
			return true;
	return false;
}

int controller_ready(const struct step_ctx *c, const struct controller_spec *s,
                     const struct controller_conf *conf, uint64_t deadline, struct err *e)
{
	struct blob said = {0};
	int r = ask(c, deadline, &said, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < conf->partitions.n; i++) {
		const char *name = conf->partitions.items[i];
		const char *state = state_of(c, said, name);

		if (str_eq(state, "up") || (state && is_listed(&s->down, name)))
			continue;
		return err_set(e, ERR_HOST, REASON_SLURM_PARTITION, EAGAIN,
		               "the controller %s partition '%s'%s%s",
		               state ? "keeps" : "does not list", name, state ? " " : "",
		               state ? state : "");
	}
	return 0;
}

/* Its log, or before it has one the journal. */
static struct blob last_words(const struct step_ctx *c, const struct controller_conf *conf,
                              uint64_t log_from)
{
	struct blob log = slurm_log_since(c, conf->log, log_from);

	return log.len ? log : host_unit_words(c->host, CONTROLLER_UNIT, c->arena);
}

/* slurmctld ended by itself: its last words say why. Otherwise systemd would start it for ever. */
static int ended(const struct step_ctx *c, const struct host_unit_state *state, struct blob words,
                 struct err *e)
{
	struct err ignored;

	slurm_complain(words, "slurmctld ended by itself", e);
	if (e->reason == REASON_HOST_COMMAND_FAILED)
		e->reason = REASON_SLURMCTLD_ENDED;
	(void)!host_unit_do(c->host, CONTROLLER_UNIT, HOST_UNIT_STOP, c->deadline, &ignored);
	return err_wrap(e, "starting the controller: %s is %s (%s)", CONTROLLER_UNIT,
	                state->active_state, *state->result ? state->result : state->sub_state);
}

/* From 24.11 on slurmctld doesn't end without slurmdbd: it waits for it, and answers nobody. */
static void look_for_database(struct blob words, struct err *e)
{
	struct err why;

	(void)!slurm_complain(words, "slurmctld waits for slurmdbd", &why);
	if (e->reason == REASON_SLURMCTLD_UNREACHABLE && why.reason == REASON_SLURM_DATABASE)
		*e = why;
}

static uint64_t end_of_wait(const struct step_ctx *c)
{
	uint64_t left = clock_left_ms(c->deadline);

	return clock_in_ms(left > 2 * MARGIN_MS ? left - MARGIN_MS : left / 2);
}

int controller_wait(const struct step_ctx *c, const struct controller_spec *s,
                    const struct controller_conf *conf, uint64_t log_from, struct err *e)
{
	struct backoff b = {.base_ms = 50, .cap_ms = 500};
	uint64_t until = end_of_wait(c);
	struct err before = {0}; /* what the try before said */

	for (;;) {
		struct host_unit_state state;
		int r = host_unit_state(c->host, CONTROLLER_UNIT, &state, c->deadline, e);

		if (r < 0)
			return r;
		if (!state.active)
			return ended(c, &state, last_words(c, conf, log_from), e);
		r = controller_ready(c, s, conf, clock_min(until, clock_in_ms(QUERY_MS)), e);
		if (r == 0 || e->reason == REASON_SLURM_MISSING)
			return r;
		/* A try that the end of the wait cuts short says less than the one before it. */
		if (before.text[0] && clock_left_ms(until) == 0)
			*e = before;
		before = *e;
		if (backoff_wait(&b, 0, until))
			continue;
		look_for_database(last_words(c, conf, log_from), e);
		return err_wrap(e, "waiting for the controller");
	}
}
