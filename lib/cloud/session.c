/* SPDX-License-Identifier: Apache-2.0 */
/* Makes region, domain and credentials known when they are needed. */
#include "cloud/session.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "cloud/partition.h"

#define CREDS_MAX     (16 * 1024)
#define ROLES         "meta-data/iam/security-credentials/"
#define RENEW_WAIT_MS 5000 /* limit of a renewal while the old credentials can still be used */
#define ABROAD_MS     5000 /* limit outside EC2, where there may be no metadata service */

/* ---- role and credentials -------------------------------------------------------------------- */

static int creds_done(struct imds_read *read, struct err *e)
{
	struct session_role *r = read->ctx;

	if (read->absent)
		return err_set(e, ERR_ABSENT, REASON_NO_INSTANCE_ROLE, ENOENT,
		               "the metadata service has no credentials for the instance's role");
	return creds_parse((struct blob){read->text.data, read->text.len}, read->date, &r->fresh,
	                   e);
}

static int role_done(struct imds_read *read, struct err *e)
{
	struct session_role *r = read->ctx;
	scope_arena struct arena *a = arena_new();
	const char *name;

	if (read->absent)
		return err_set(e, ERR_ABSENT, REASON_NO_INSTANCE_ROLE, ENOENT,
		               "the instance has no role: attach an instance profile");
	name = imds_name(read, a);
	if (!name || strlen(name) > 128)
		return err_set(e, ERR_DENIED, REASON_IMDS_PROTOCOL, EPROTO,
		               "the metadata service's answer for the role isn't a role's name");
	snprintf(r->path, sizeof r->path, ROLES "%s", name);
	if (!creds_fresh(&r->cloud->creds))
		imds_add(read->imds, &r->creds);
	return 0;
}

void session_role_prepare(struct cloud *c, struct session_role *r)
{
	r->cloud = c;
	r->role = (struct imds_read){
	        .path = ROLES, .max = SESSION_NAME_MAX, .late = true, .done = role_done, .ctx = r};
	r->creds = (struct imds_read){
	        .path = r->path, .max = CREDS_MAX, .late = true, .done = creds_done, .ctx = r};
}

/* Old credentials stay in use: only a service can tell that they have expired. */
static int keep_old(struct cloud *c, struct err *e)
{
	if (!c->creds.have)
		return -e->no;
	log_warning("the role's credentials can't be renewed, the old ones stay in use: %s",
	            e->text);
	creds_extend(&c->creds);
	*e = (struct err){0};
	return 0;
}

int session_role_settle(struct cloud *c, struct session_role *r, struct err *e)
{
	imds_read_close(&r->role);
	imds_read_close(&r->creds);
	if (r->fresh.have) {
		c->creds = r->fresh;
		creds_close(&r->fresh);
		if (clock_passed(c->creds.ends_at))
			log_warning(
			        "the role's credentials have expired; trying them all the same");
		return 0;
	}
	*e = r->role.rc < 0 ? r->role.err : r->creds.err;
	return keep_old(c, e);
}

/* ---- region and domain ----------------------------------------------------------------------- */

struct needs {
	unsigned what;
	struct imds_read region, domain;
	struct session_role role;
};

static int take_region(struct cloud *c, struct imds_read *r, struct err *e)
{
	const char *name = r->rc == 0 && !r->absent ? imds_name(r, c->arena) : NULL;

	if (r->rc < 0) {
		*e = r->err;
		return -e->no;
	}
	if (!name || !partition_region_valid(name))
		return err_set(e, ERR_ABSENT, REASON_NO_REGION, ENOENT,
		               "the metadata service names no region; AWS_REGION can");
	c->region = name;
	return 0;
}

static int take_domain(struct cloud *c, struct imds_read *r, struct err *e)
{
	const struct partition *p = partition_by_region(c->region);
	const char *name = r->rc == 0 && !r->absent ? imds_name(r, c->arena) : NULL;

	if (name && partition_domain_valid(name))
		c->domain = name;
	else if (p)
		c->domain = p->domain;
	else
		return err_set(e, ERR_ABSENT, REASON_NO_REGION, ENOENT,
		               "the domain of region '%s' isn't known; an endpoint can be set with "
		               "AWS_ENDPOINT_URL",
		               c->region);
	return 0;
}

/* The part of `what` that is neither known yet nor given by the configuration. */
static unsigned missing(struct cloud *c, unsigned what)
{
	const struct partition *p = NULL;

	if (!c->region)
		c->region = c->config.region;
	if (c->config.region)
		p = partition_by_region(c->region);
	if (!c->domain && p)
		c->domain = p->domain;
	if (c->region)
		what &= ~(unsigned)SESSION_REGION;
	if (c->domain)
		what &= ~(unsigned)SESSION_DOMAIN;
	if (creds_fresh(&c->creds))
		what &= ~(unsigned)SESSION_CREDS;
	return what;
}

static int read_needs(struct cloud *c, struct needs *n, uint64_t deadline, struct err *e)
{
	struct imds_read *list[3];
	size_t k = 0;

	if (n->what & SESSION_REGION)
		list[k++] = &n->region;
	if (n->what & SESSION_DOMAIN)
		list[k++] = &n->domain;
	if (n->what & SESSION_CREDS)
		list[k++] = &n->role.role;
	return imds_read(c->imds, list, k, deadline, e);
}

static int settle(struct cloud *c, struct needs *n, struct err *e)
{
	int r;

	if (n->what & SESSION_REGION) {
		r = take_region(c, &n->region, e);
		if (r < 0)
			return r;
	}
	if (n->what & SESSION_DOMAIN) {
		r = take_domain(c, &n->domain, e);
		if (r < 0)
			return r;
	}
	if (n->what & SESSION_CREDS)
		return session_role_settle(c, &n->role, e);
	return 0;
}

static void needs_close(struct needs *n)
{
	imds_read_close(&n->region);
	imds_read_close(&n->domain);
	imds_read_close(&n->role.role);
	imds_read_close(&n->role.creds);
	creds_close(&n->role.fresh);
}

static int read_and_settle(struct cloud *c, struct needs *n, uint64_t deadline, struct err *e)
{
	int r = read_needs(c, n, deadline, e);

	if (r < 0 && n->what == SESSION_CREDS)
		return keep_old(c, e);
	if (r < 0)
		return r;
	r = settle(c, n, e);
	needs_close(n);
	return r;
}

/* The error when the configuration forbids the use of the metadata service. */
static int not_asked(const struct needs *n, struct err *e)
{
	static const char why[] = "AWS_EC2_METADATA_DISABLED keeps the metadata service from being "
	                          "asked";

	if (n->what & (SESSION_REGION | SESSION_DOMAIN))
		return err_set(e, ERR_INPUT, REASON_NO_REGION, ENOENT,
		               "no region: AWS_REGION isn't set, and %s", why);
	return err_set(e, ERR_INPUT, REASON_NO_CREDENTIALS, ENOENT, "%s for credentials", why);
}

/* For a program that may run outside EC2: adds which sources were tried before the service. */
static int nothing_found(const struct cloud *c, const struct needs *n, struct err *e)
{
	if (!c->config.tried)
		return -e->no;
	if ((n->what & SESSION_CREDS) && !c->creds.have)
		return err_set(e, e->kind, REASON_NO_CREDENTIALS, e->no,
		               "no credentials: %s, and the instance metadata service: %s",
		               c->config.tried, e->text);
	if (!(n->what & SESSION_REGION))
		return -e->no;
	return err_set(e, e->kind, REASON_NO_REGION, e->no,
	               "no region: AWS_REGION isn't set, the profile has none, and the instance "
	               "metadata service: %s",
	               e->text);
}

/* The credentials of a role that is not the instance's. */
static int assume(struct cloud *c, uint64_t deadline, struct err *e)
{
	scope_creds struct creds fresh = {0};
	uint64_t limit = c->creds.have ? clock_min(deadline, clock_in_ms(RENEW_WAIT_MS)) : deadline;
	int r = c->config.role->assume(c, &fresh, limit, e);

	if (r < 0)
		return keep_old(c, e);
	c->creds = fresh;
	return 0;
}

int session_need(struct cloud *c, unsigned what, uint64_t deadline, struct err *e)
{
	struct needs n = {
	        .what = missing(c, what),
	        .region = {.path = "meta-data/placement/region", .max = SESSION_NAME_MAX},
	        .domain = {.path = "meta-data/services/domain", .max = SESSION_NAME_MAX},
	};

	if (c->broken.kind != ERR_NONE) {
		*e = c->broken;
		return -e->no;
	}
	if (!n.what)
		return 0;
	if (c->config.role && (n.what & SESSION_CREDS)) {
		int r = session_need(c, n.what & ~(unsigned)SESSION_CREDS, deadline, e);

		return r < 0 ? r : assume(c, deadline, e);
	}
	if (n.what == SESSION_CREDS && c->creds.have)
		deadline = clock_min(deadline, clock_in_ms(RENEW_WAIT_MS));
	if (c->config.no_metadata) {
		(void)not_asked(&n, e);
		return nothing_found(c, &n, e);
	}
	if (c->config.tried)
		deadline = clock_min(deadline, clock_in_ms(ABROAD_MS));
	session_role_prepare(c, &n.role);
	if (read_and_settle(c, &n, deadline, e) < 0)
		return nothing_found(c, &n, e);
	return 0;
}
