/* SPDX-License-Identifier: Apache-2.0 */
/* apt with a state directory of its own, in which nothing is installed: for questions. */
#pragma once

#include "data/field.h"
#include "host/host.h"

struct apt_state {
	struct arena *arena;
	struct host *host;
	const char *dir;
	const char *env[3];
};
#define APT_STATE_INIT                                                                             \
	(struct apt_state)                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

/* In an empty directory of the caller's, for packages of that architecture, as dpkg names it. */
int apt_open(struct apt_state *t, const char *dir, const char *arch, struct arena *a,
             struct err *e) ATTR_MUST_USE;
void apt_close(struct apt_state *t);
#define scope_apt __attribute__((cleanup(apt_close)))

/* Fetches the lists of these sources, lines of sources.list(5); lists that are there are kept. */
int apt_update(const struct apt_state *t, const struct field_strings *sources,
               struct err *e) ATTR_MUST_USE;

/* The text of apt_preferences(5) for the questions that follow. */
int apt_prefer(const struct apt_state *t, const char *text, struct err *e) ATTR_MUST_USE;

/* What a program of apt says on standard output. */
int apt_ask(const struct apt_state *t, const char *const *argv, struct blob *ret,
            struct err *e) ATTR_MUST_USE;
/* The same where another status than 0 is an answer: *ret_status. */
int apt_try(const struct apt_state *t, const char *const *argv, struct blob *ret, int *ret_status,
            struct err *e) ATTR_MUST_USE;
