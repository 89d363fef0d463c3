/* SPDX-License-Identifier: Apache-2.0 */
/* One call of CloudFormation: its form, its refusals, its answer. */
#include <errno.h>
#include <stdio.h>

#include "aws/stacks_own.h"

#define FORM_MAX                                                                                   \
	(256 * 1024) /* a template of 51,200 bytes, each of up to three, and its parameters */

static const struct awserr_row rows[] = {
        {"AccessDenied", AWSERR_FAIL, ERR_DENIED, REASON_AWS_DENIED, EACCES, NULL},
        {"AlreadyExistsException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST, NULL},
        {"ChangeSetNotFound", AWSERR_FAIL, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT, NULL},
        {"InsufficientCapabilitiesException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_INVALID, EINVAL,
         NULL},
        {"InvalidChangeSetStatus", AWSERR_FAIL, ERR_DENIED, REASON_AWS_STATE, EBUSY, NULL},
        {"LimitExceededException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"OperationInProgressException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_STATE, EBUSY, NULL},
        {"Throttling", AWSERR_THROTTLE, ERR_RETRY, REASON_AWS_THROTTLED, EAGAIN, NULL},
        {"TokenAlreadyExistsException", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST, NULL},
        {"ValidationError", AWSERR_FAIL, ERR_DENIED, REASON_AWS_INVALID, EINVAL, NULL},
        {0},
};

static const char *configured(const struct cloud *c, const char **ret_setting)
{
	const char *own = c->config.cloudformation_endpoint;

	*ret_setting = own ? "AWS_ENDPOINT_URL_CLOUDFORMATION" : "AWS_ENDPOINT_URL";
	return own ? own : c->config.endpoint;
}

static const struct query_service service = {.at = {"cloudformation", .gov_is_fips = true},
                                             .title = "CloudFormation",
                                             .configured = configured,
                                             .rows = rows};

struct stacks_form stacks_form(struct arena *a, const char *action)
{
	struct stacks_form f = {.arena = a, .action = action, .body = STRBUF(a, FORM_MAX)};

	query_put(&f.body, "Action", action);
	query_put(&f.body, "Version", "2010-05-15");
	snprintf(f.doing, sizeof f.doing, "%s", action);
	return f;
}

static bool doesnt_exist(const struct ec2_refusal *why)
{
	return str_eq(why->code, "ValidationError") && strstr(why->message, "does not exist") &&
	       strstr(why->message, "tack");
}

/* CloudFormation tells that a stack is busy as a fault of the request. */
static bool is_busy(const struct ec2_refusal *why)
{
	return str_eq(why->code, "ValidationError") && strstr(why->message, "_IN_PROGRESS state");
}

static int refuse(const struct stacks_form *f, const struct ec2_refusal *why, struct err *e)
{
	if (doesnt_exist(why))
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "%s: there is no such stack in this account and region", f->doing);
	if (is_busy(why))
		e->reason = REASON_AWS_STATE;
	if (e->reason == REASON_AWS_DENIED)
		return err_set(e, e->kind, e->reason, e->no,
		               "%.380s; the credentials need cloudformation:%s", e->text,
		               f->action);
	return -e->no;
}

int stacks_call(struct cloud *c, struct stacks_form *f, const struct doc **ret, uint64_t deadline,
                struct err *e)
{
	struct ec2_refusal why = {0};
	struct doc *d;
	int r = query_call(c, &service, NULL, f->doing, &f->body, NULL, f->arena, &d, &why,
	                   deadline, e);

	if (r < 0)
		return refuse(f, &why, e);
	if (ret)
		*ret = doc_get(d, arena_printf(f->arena, "%sResult", f->action));
	return 0;
}
