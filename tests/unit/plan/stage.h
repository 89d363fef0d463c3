/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where steps are watched: a directory of the test's own, a host rooted in it, and a kind whose
 * steps do what the word in their `act` says, right or wrong. They leave traces as files that hold
 * a number.
 */
#pragma once
#include "thing.h"

#include "base/clock.h"
#include "plan/run.h"

#define GUARD_MS 20000 /* no wait of a test is longer: it would be a hang */

struct stage {
	struct arena *a;
	char dir[64];
	struct plan p;
	struct run_options o;
	struct run_observer observer;
	struct run_result r;
	struct vars facts;
	struct strbuf seen, logged;
	int stop; /* eventfd */
	size_t most_running;
	unsigned ticks;
};

int stage_setup(void **state);
int stage_teardown(void **state);

/* Plans and runs the YAML's `things`, by the options as they stand. */
void stage_run(struct stage *f, const char *yaml);
extern const struct kind *const stage_kinds[];

const char *stage_path(struct stage *f, const char *name);
long stage_number(const char *path);    /* -1: there is none */
bool stage_wait_file(const char *path); /* false: the guard ended it */
bool stage_alive(long pid);

const struct step_outcome *stage_outcome(struct stage *f, const char *name);
void assert_state(struct stage *f, const char *name, enum step_state want);
/* Failed or blocked, for that reason and with these words. */
void assert_failed(struct stage *f, const char *name, enum reason reason, const char *part);

/* act.c: the kind. */
int act_probe(const struct step_ctx *c, const void *fields, struct err *e);
int act_apply(const struct step_ctx *c, const void *fields, struct err *e);

#define STAGE_TEST(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
