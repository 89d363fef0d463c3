/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the controller for a node's record. */
#include <errno.h>

#include "base/clock.h"
#include "model/slurmver.h"
#include "slurm/slurm_client_own.h"

#define HARDWARE_MS 3000
#define VERSION_MS  3000

const char *slurm_program(const struct slurm_spec *s, struct arena *a, const char *dir,
                          const char *name)
{
	return s->prefix ? arena_printf(a, "%s/%s/%s", s->prefix, dir, name) : name;
}

/*
 * Slurm's clients use a slurm.conf at their built-in path, else the one a running slurmd has cached
 * below /run/slurm/conf, else fetch one from SLURM_CONF_SERVER (22.05). So they work before slurmd
 * has ever started. Times are printed in the time zone of the environment.
 */
static const char *const *environment(const struct slurm_spec *s, struct arena *a)
{
	const char **env = arena_array(a, 4, sizeof *env);

	env[0] = "TZ=UTC0";
	env[1] = "SLURM_TIME_FORMAT=standard";
	if (s->configless && s->server)
		env[2] = arena_printf(a, "SLURM_CONF_SERVER=%s", s->server);
	return env;
}

int slurm_client(const struct step_ctx *c, const struct slurm_spec *s, const char *const *argv,
                 uint64_t deadline, struct host_result *ret, struct err *e)
{
	struct host_exec x = {.argv = argv,
	                      .env = environment(s, c->arena),
	                      .deadline = clock_min(c->deadline, deadline)};

	return host_run(c->host, &x, c->arena, ret, e);
}

int slurm_query(const struct step_ctx *c, const struct slurm_spec *s, uint64_t deadline,
                struct slurm_node *ret, struct err *e)
{
	const char *argv[] = {slurm_program(s, c->arena, "bin", "scontrol"),
	                      "--oneliner",
	                      "show",
	                      "node",
	                      s->node,
	                      NULL};
	struct host_result said;
	int r = slurm_client(c, s, argv, deadline, &said, e);

	if (r == -ETIMEDOUT)
		return err_set(e, ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE, ETIMEDOUT,
		               "asking slurmctld at '%s' for node '%s': no answer in time",
		               s->server ? s->server : "its slurm.conf", s->node);
	if (r < 0 && e->reason == REASON_HOST_EXEC)
		e->reason = REASON_SLURM_MISSING;
	if (r < 0)
		return r;
	if (said.status == 0 && slurm_node_parse(said.out, ret) == 0)
		return 1;
	if (memmem(said.out.data, said.out.len, " not found", 10))
		return 0;
	r = slurm_refusal(c, s, said.errout, "asking slurmctld", e);
	return err_wrap(e, "looking up node '%s'", s->node);
}

/* The first line that slurmd prints for an option, or "". */
static const char *slurmd_says(const struct step_ctx *c, const struct slurm_spec *s,
                               const char *option, uint64_t deadline)
{
	const char *argv[] = {slurm_program(s, c->arena, "sbin", "slurmd"), option, NULL};
	struct host_result said;
	struct err ignored;
	char line[300];

	if (slurm_client(c, s, argv, deadline, &said, &ignored) < 0)
		return "";
	const char *end = memchr(said.out.data, '\n', said.out.len);
	size_t len = end ? (size_t)(end - said.out.data) : said.out.len;
	return arena_strdup(c->arena, str_escape(said.out.data, len, line, sizeof line));
}

const char *slurm_hardware(const struct step_ctx *c, const struct slurm_spec *s)
{
	return slurmd_says(c, s, "-C", clock_in_ms(HARDWARE_MS));
}

int slurm_refusal(const struct step_ctx *c, const struct slurm_spec *s, struct blob said,
                  const char *doing, struct err *e)
{
	int r = slurm_complain(said, doing, e);

	if (e->reason != REASON_MUNGE_REFUSED && e->reason != REASON_SLURM_VERSION)
		return r;
	const char *version = slurmd_says(c, s, "-V", clock_in_ms(VERSION_MS));
	unsigned release;
	if (slurmver_parse(version, &release) < 0)
		return r;
	r = slurm_complain_to(said, release, doing, e);
	if (e->reason != REASON_SLURM_VERSION)
		return r;
	return err_set(e, ERR_DENIED, REASON_SLURM_VERSION, EPROTO,
	               "%s: this machine's %s and slurmctld at '%s' are of releases that don't "
	               "work together",
	               doing, version, s->server ? s->server : "its slurm.conf");
}

bool slurm_may_pass(const struct err *e)
{
	return e->reason == REASON_SLURM_AUTH || e->reason == REASON_MUNGE_REFUSED;
}

bool slurm_is_final(const struct err *e, uint64_t patience)
{
	if (slurm_may_pass(e))
		return clock_passed(patience);
	return e->kind == ERR_DENIED || e->reason == REASON_SLURM_MISSING;
}
