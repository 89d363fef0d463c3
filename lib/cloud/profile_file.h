/* SPDX-License-Identifier: Apache-2.0 */
/* Private to profile.c: the settings of one section of AWS's shared files. */
#pragma once

#include "cloud/profile.h"

/* The settings of a profile; of several values the first counts. */
struct profile_found {
	const char *access_key, *secret_key, *session_token;
	const char *region, *fips, *dualstack, *addressing_style;
	const char *role_arn, *source_profile, *credential_source, *web_identity;
	const char *role_session, *external_id, *duration, *mfa;
	const char *sso_session, *sso_start_url, *sso_region, *sso_account, *sso_role, *process;
	bool any;              /* there is such a profile */
	bool keys_of_own_file; /* from the credentials file, which precedes credential_process */
};

/* A section of either file: [NAME], and in the config file [profile NAME]. */
int profile_file_read(const struct profile_source *s, const char *name, struct arena *a,
                      struct profile_found *ret, struct err *e) ATTR_MUST_USE;
/* [sso-session NAME] of the config file. */
int profile_file_session(const struct profile_source *s, const char *name, struct arena *a,
                         struct profile_found *ret, struct err *e) ATTR_MUST_USE;
