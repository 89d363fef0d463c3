/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step is one thing that must hold on the machine; a kind defines how such things are checked and
 * made.
 *
 * A spec (a map of sections) becomes steps through the kinds' tables. A step declares what it
 * provides and needs, as strings "path:/opt/slurm", "pkg:slurmd", "user:slurm",
 * "unit:munge.service", "name:self", "mount:/home", "slurm:registered"; the order is derived from
 * that and from `after`, never from the file. A need that no step provides must be met by the
 * machine itself. A path need is met by the longest provided path that is a prefix of it.
 *
 * A need that ends in "*" ("mount:*") only sets the order: all steps that provide a name with that
 * prefix come first, and optional ones among them may fail. The need "*" alone orders the step
 * after every other that doesn't itself have to come after this one.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "cloud/cloud.h"
#include "data/field.h"
#include "data/vars.h"
#include "host/host.h"

/* What a kind's functions work with. All of it is borrowed. */
struct step_ctx {
	struct host *host;
	struct cloud *cloud; /* NULL when there is none (image builds): fetching is then an error */
	struct arena *arena; /* lives as long as the call's child process */
	const struct vars *facts;
	uint64_t deadline; /* of this step */
};

enum kind_shape {
	KIND_MAP,     /* section: {..}            one step, `fields` decode the map */
	KIND_LIST,    /* section: [{..}, {..}]    a step each */
	KIND_STRINGS, /* section: [a, b]          one step, fields[0] is FIELD_STRINGS; or, when
	                 more is to be said, a map that `fields` decode */
	KIND_PAIRS,   /* section: {a: b, c: d}    one step, fields[0] is FIELD_PAIRS */
	KIND_SCALAR,  /* section: a               one step, fields[0] reads it */
};

struct step; /* below */

struct kind {
	const char *section; /* "mounts": the key in a spec */
	const char *summary; /* one line for `explain` */
	enum kind_shape shape;
	const struct field
	        *fields; /* of the struct that `size` measures; without the common policy keys */
	size_t size;
	const void *defaults; /* what the struct starts as; NULL: zero */
	uint64_t timeout_ms;  /* default of `timeout` */
	/* Whether what it changes leaves nothing in the process that changes it: no identity, no
	 * mount, nothing that a library keeps. Its child may then take the next step, too. */
	bool traceless;
	/* Whether it uses the network in an image's build, where a step has none by default; NULL: no.
	 */
	bool (*network)(const void *fields);
	/* Validates and declares: step_name, step_provides, step_needs. Pure: no host, no network.
	 */
	int (*claim)(struct step *s, void *fields, const struct vars *facts, struct err *e);
	/* 1: holds; 0: act; <0: error. Read-only, and quick. */
	int (*probe)(const struct step_ctx *c, const void *fields, struct err *e);
	/* Makes it hold. Called in a child process; may be called again after a failure. */
	int (*apply)(const struct step_ctx *c, const void *fields, struct err *e);
};

#define STEP_TIMEOUT_MS  120000 /* where neither the spec nor the kind says */
#define STEP_RETRIES_MAX 100
#define STEP_ID_MAX      100 /* bytes of `id` */

/* Common policy, allowed in every entry that is a map of fields; a kind's own table has none of its
 * keys. */
struct step_policy {
	const char *id; /* replaces the derived id */
	struct field_strings
	        after; /* steps that come first: an id, or a section for all its steps */
	uint64_t timeout_ms;
	int64_t retries; /* further tries after an error of kind host; ERR_RETRY is always
	                    tried again until the step's deadline */
	bool optional;   /* its failure degrades, it doesn't fail the run */
};
extern const struct field step_policy_fields[]; /* of struct step_policy, for `explain` */

struct step {
	const struct kind *kind;
	const char *id; /* "mounts:/home", unique in a plan */
	const struct doc *at;
	void *fields;
	struct step_policy policy;
	struct field_strings provides, needs;
	struct arena *arena; /* the plan's */
};

/* For claim(): the id becomes "section:name" ("section" alone when claim doesn't name it, with "#2"
 * for the second of a list). Strings are copied; in "path:" ones repeated and trailing slashes go
 * away. */
void step_name(struct step *s, const char *fmt, ...) ATTR_PRINTF(2, 3);
void step_provides(struct step *s, const char *fmt, ...) ATTR_PRINTF(2, 3);
void step_needs(struct step *s, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* For probe() and apply() of what only makes sense on a machine that runs: ERR_INPUT,
 * REASON_INPUT_UNSUPPORTED on an image, "joining: '/image' is an image, ...". A dry host passes. */
int step_check_running(const struct step_ctx *c, const char *doing, struct err *e) ATTR_MUST_USE;
