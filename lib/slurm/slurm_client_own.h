/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the kinds that talk to a Slurm controller: where it is, asking it, what its refusals mean. */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "plan/step.h"

struct slurm_spec {
	const char *node;
	struct field_strings head;
	const char *port;
	int mode; /* enum slurm_mode */
	const char *dynamic, *prefix;
	struct field_strings options;
	/* made by claim */
	const char *server; /* "head:6817,other:6817"; NULL: no head known */
	unsigned port_number;
	bool *joined; /* apply has just heard from the controller that it joined */
	/* made by probe and apply */
	bool configless;
};

/* Where slurmd's configuration comes from. */
enum slurm_mode { SLURM_AUTO, SLURM_CONFIGLESS, SLURM_OWN_CONF };

/* ---- slurm_claim.c: what the kinds `slurm` and `login` have in common ---- */

#define SLURM_PORT_DEFAULT "6817"

/* A word of a daemon's options: systemd unquotes it twice, so quotes and escapes are refused, and
 * blanks unless `blanks`. */
int slurm_claim_word(const struct step *s, const char *key, const char *word, bool blanks,
                     struct err *e) ATTR_MUST_USE;
/* The controller: head (or the fact `head`) and port; makes port_number and server. */
int slurm_claim_server(struct step *s, struct slurm_spec *spec, const struct vars *facts,
                       struct err *e) ATTR_MUST_USE;
int slurm_claim_prefix(const struct step *s, struct slurm_spec *spec, struct err *e) ATTR_MUST_USE;
/* What each probe and apply begins with: the machine must run (`doing` is for the error), and *ret is
 * the step's fields, configless or not as this machine decides it. */
int slurm_settle(const struct step_ctx *c, const char *doing, const void *fields,
                 struct slurm_spec *ret, struct err *e) ATTR_MUST_USE;
/* Where the distribution's unit of that daemon finds its arguments. */
const char *slurm_options_path(const struct step_ctx *c, const char *daemon);

/* ---- slurm_node.c: parses the output of Slurm's programs; pure ---- */

enum slurm_verdict {
	SLURM_READY,   /* registered since slurmd was started, and responding; may be drained */
	SLURM_WAIT,    /* not registered yet, powering up, not responding */
	SLURM_INVALID, /* registered, and found smaller than configured */
	SLURM_DOWN,    /* registered and responding, and kept down */
};

struct slurm_node {
	char state[128];  /* "IDLE+CLOUD" */
	char reason[256]; /* escaped; "" when the controller gives none */
	time_t started;   /* start of the slurmd it knows, by that one's clock; 0: never */
};

/* Reads one record of `scontrol -o show node` made with TZ=UTC0; -EINVAL when it isn't one. */
int slurm_node_parse(struct blob text, struct slurm_node *ret) ATTR_MUST_USE;

/* `since`: when systemd started the slurmd that runs here. The controller reports when the slurmd
 * it knows was started, by the same clock; an earlier time means a previous slurmd of this node. */
enum slurm_verdict slurm_node_verdict(const struct slurm_node *n, time_t since);

/* The error in a Slurm program's output: "doing: the line that states it". Returns -e->no. */
int slurm_complain(struct blob said, const char *doing, struct err *e);
/* As it means it if the program is of this release (model/slurmver.h; 0: not known). */
int slurm_complain_to(struct blob said, unsigned release, const char *doing, struct err *e);

/* ---- slurm_query.c: asking the controller ---- */

/* 1: `ret` is filled; 0: it knows no such node, or hides it (a CLOUD node that is powered down);
 * <0: no answer. */
int slurm_query(const struct step_ctx *c, const struct slurm_spec *s, uint64_t deadline,
                struct slurm_node *ret, struct err *e) ATTR_MUST_USE;

/* slurm_complain() about what slurmd or a client of Slurm said of the controller. That their releases
 * don't work together is told with this machine's. Returns -e->no. */
int slurm_refusal(const struct step_ctx *c, const struct slurm_spec *s, struct blob said,
                  const char *doing, struct err *e);

/* It may pass: the head node may be rotating its key. */
bool slurm_may_pass(const struct err *e);

#define SLURM_PATIENCE_MS 4000 /* with refused credentials */

/* Whether waiting can't help, once `patience` with what may pass has ended. */
bool slurm_is_final(const struct err *e, uint64_t patience);

/* Runs a client of Slurm where it finds the configuration; its output is in English and UTC. */
int slurm_client(const struct step_ctx *c, const struct slurm_spec *s, const char *const *argv,
                 uint64_t deadline, struct host_result *ret, struct err *e) ATTR_MUST_USE;

/* "slurmd -C" of this machine as one line, for messages; "" if not available. */
const char *slurm_hardware(const struct step_ctx *c, const struct slurm_spec *s);

/* PREFIX/bin/NAME, or NAME to be searched for. */
const char *slurm_program(const struct slurm_spec *s, struct arena *a, const char *dir,
                          const char *name);

/* ---- slurm_log.c ---- */

/* Bytes of that log; 0: there is none, or `log` is NULL. */
uint64_t slurm_log_size(const struct step_ctx *c, const char *log);
/* What came after the first `from` bytes, its last 64 KiB at most. */
struct blob slurm_log_since(const struct step_ctx *c, const char *log, uint64_t from);

/* ---- slurm_port.c ---- */

/* Whether something listens there: 0, or ERR_RETRY. On Linux slurmctld doesn't notice this check:
 * connecting without sending would be an error in its log. A name is looked up by getaddrinfo(3),
 * which has time limits of its own. */
int slurm_knock(const char *host, unsigned port, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Waits until one of the heads listens, asking each for at most `each_ms`; ERR_RETRY when `until` has
 * come. */
int slurm_wait_port(const struct slurm_spec *s, uint64_t each_ms, uint64_t until,
                    struct err *e) ATTR_MUST_USE;
