/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS's shared files: keys and region of a profile, for a workstation. What is set in the
 * environment wins. Only keys that are written down are read: a profile that gets its credentials
 * by a role, a login or a program is refused by name.
 */
#pragma once

#include "base/arena.h"
#include "cloud/cloud.h"

struct profile_source {
	const char *name; /* AWS_PROFILE; NULL: "default", which need not exist */
	const char *home; /* HOME */
	const char *config_file, *credentials_file; /* NULL: ~/.aws/config, ~/.aws/credentials */
};

/* Fills what `config` lacks. A broken line is ERR_INPUT with its place. */
int profile_load(const struct profile_source *s, struct arena *a, struct cloud_config *config,
                 struct err *e) ATTR_MUST_USE;
