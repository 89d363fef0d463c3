/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials that others lend a workstation: a program that its profile names, the host of a
 * container, IAM Identity Center for somebody who has signed in. Each is the `assume` of a
 * struct cloud_role, see cloud.h; they are fetched when they are needed, and again before they end.
 */
#pragma once

#include "cloud/cloud.h"

#define LENT_CONTAINER_HOST                                                                        \
	"http://169.254.170.2" /* where AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is */

/* Runs role.command, whose words are separated by blanks, with quotes and backslashes as a shell has
 * them; there is no shell. "Sourcing credentials with an external process" of the AWS CLI's guide. */
int lent_process(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e);

/* Gets role.url, with role.token or what is in role.token_file as Authorization. */
int lent_container(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e);
/* Whether a container's credentials may be asked for there: https, or http of this machine or of the
 * addresses that containers' hosts have. */
bool lent_is_near(const char *url);

/* Gets role.url with the token of a sign-in, which is in role.token_file. */
int lent_sso(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e);
/* The file of a sign-in: ~/.aws/sso/cache/SHA1.json of the session's name or the start URL. */
const char *lent_sign_in(const char *home, const char *key, struct arena *a);
