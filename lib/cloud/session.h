/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/cloud and lib/aws: the state of a handle, and reading what is missing from it. */
#pragma once

#include "cloud/cloud.h"
#include "cloud/creds.h"
#include "cloud/imds.h"
#include "http/http.h"

#define SESSION_FETCH_MAX     (16u * 1024 * 1024) /* default ceiling of a fetched body */
#define SESSION_USER_DATA_MAX (64 * 1024)
#define SESSION_NAME_MAX      4096 /* ceiling of a read that gives one name, or a list of them */

struct cloud {
	struct arena *arena;
	struct cloud_config config; /* strings in the arena; the static keys are in creds only */
	struct http *http;
	struct imds *imds;
	struct cloud *source;          /* assumes config.role; NULL: none, or a web identity */
	const struct cloud_kept *kept; /* content fetched earlier, used instead; NULL: none */
	size_t n_kept;
	struct err broken; /* the configuration can't be used: every call returns this */
	struct creds creds;
	const char *region, *domain;        /* NULL until known */
	int64_t skew_s;                     /* the services' clock minus this machine's */
	const char *bucket, *bucket_region; /* the last one found in another region */
	bool have_user_data;
	struct blob user_data;
};

enum session_need {
	SESSION_REGION = 1,
	SESSION_DOMAIN = 2, /* with the region */
	SESSION_CREDS = 4,
};

/* Reads those of `what` that aren't known yet; independent reads overlap. No I/O when all are. */
int session_need(struct cloud *c, unsigned what, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Chains for imds_read(): the role's name, then its credentials. */
struct session_role {
	struct cloud *cloud;
	struct imds_read role, creds;
	char path[300];
	struct creds fresh;
};
void session_role_prepare(struct cloud *c, struct session_role *r);
/* Stores the new credentials; -errno when there are no usable ones, old or new. */
int session_role_settle(struct cloud *c, struct session_role *r, struct err *e);
