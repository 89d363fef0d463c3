/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the kind `scripts`. */
#pragma once

#include "base/digest.h"
#include "plan/step.h"

enum script_stage { SCRIPT_START, SCRIPT_CONFIGURED, SCRIPT_JOINED };
enum script_when { SCRIPT_EVERY_BOOT, SCRIPT_FIRST_BOOT };

/* Loaded at most once per process. */
struct script_text {
	bool known;
	struct arena *arena; /* the plan's */
	struct blob bytes;   /* data NULL: 'run', a program of the machine */
	char digest[SHA256_HEX];
};

struct script_spec {
	struct field_strings run, args;
	const char *source, *content, *sha256;
	struct field_pairs env;
	const char *user, *creates;
	int stage, when;
	bool network, without_home;
	/* made by claim */
	const char *name, *marker;
	struct script_text *text;
};

/* Fetches the text at a URI, unless it is pinned or already loaded; s->text then has the digest. */
int script_load(const struct step_ctx *c, const struct script_spec *s, struct err *e) ATTR_MUST_USE;

/* Runs it to its end; a status other than 0 is REASON_SCRIPT_FAILED with its last lines. */
int script_run(const struct step_ctx *c, const struct script_spec *s, struct err *e) ATTR_MUST_USE;
