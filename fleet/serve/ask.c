/* SPDX-License-Identifier: Apache-2.0 */
/* Asks EC2 for a launch, once or again, and judges what it says. */
#include "serve/ask.h"

#include "base/log.h"
#include "launch/pool.h"
#include "serve/look.h"
#include "serve/shape.h"
#include "serve/tell.h"

#define YOUNG_S   60    /* IAM spreads a new instance profile within that */
#define OLD_S     600   /* then EC2 is asked what the token launched, rather than to launch */
#define LISTED_MS 60000 /* by then EC2 lists what it launched */

struct asking {
	struct fleet *f;
	const char *token;
	struct arena *arena;
	struct site_resource *resource; /* NULL: the file has it no more */
	struct site_pool *pool;         /* the same */
};

static struct ledger_launch *launch_of(const struct asking *x)
{
	return ledger_launch_of(&x->f->ledger, x->token);
}

static const char **names_of(const struct ledger_launch *l, struct arena *a)
{
	const char **names = arena_array(a, l->n, sizeof *names);

	for (size_t i = 0; i < l->n; i++)
		names[i] = l->places[i].node;
	return names;
}

/* ---- what EC2 answered ---- */

static void left_over(const struct asking *x, struct ask_answer *ret)
{
	const struct ledger_launch *l = launch_of(x);

	*ret = (struct ask_answer){.answered = true,
	                           .left = arena_array(x->arena, l->n, sizeof(char *))};
	for (size_t i = 0; i < l->n; i++)
		if (!l->places[i].id && !l->places[i].unwanted)
			ret->left[ret->n++] = l->places[i].node;
}

static int take(const struct asking *x, const struct instances *got, struct ask_answer *ret,
                struct err *e)
{
	const struct ledger_launch *l = launch_of(x);
	const char **ids = arena_array(x->arena, l->n, sizeof *ids);

	for (size_t i = 0; i < got->n; i++)
		if (got->items[i].index < l->n)
			ids[got->items[i].index] = got->items[i].id;
	int r = ledger_got(&x->f->ledger, x->token, ids, l->n, e);
	if (r < 0)
		return r;
	left_over(x, ret);
	log_notice("%zu instances of %s for %s", got->n, ledger_where(launch_of(x), x->arena),
	           hostlist_print(names_of(launch_of(x), x->arena), launch_of(x)->n, x->arena));
	return 0;
}

static int failed(const struct asking *x, enum cause cause, const struct ec2_refusal *said,
                  const char *why, struct ask_answer *ret, struct err *e)
{
	int r = ledger_failed(&x->f->ledger, x->token, cause_name(cause), said->code, said->request,
	                      why, e);

	if (r < 0)
		return r;
	log_warning("%s: %s", cause_name(cause), why);
	if (x->pool)
		pool_failed(&x->f->site, x->pool, cause, why, clock_now());
	left_over(x, ret);
	return 0;
}

static int later(const struct asking *x, const char *why, bool silent, struct ask_answer *ret)
{
	struct ledger_launch *l = launch_of(x);

	log_warning("launching %s: to be asked again: %s", ledger_where(l, x->arena), why);
	l->not_before = clock_in_ms(ASK_AGAIN_MS);
	*ret = (struct ask_answer){.silent = silent};
	return 0;
}

/* What a token launched, for one whose request can't be repeated. */
static int look_up(const struct asking *x, struct ask_answer *ret, struct err *e)
{
	const struct instances_query q = {.token = x->token, .ended = true};
	struct ec2_refusal said;
	struct instances got;
	struct err why;
	int r = look(x->f, &q, x->arena, &got, &said, &why);

	const struct ledger_launch *l = launch_of(x);
	if (r < 0)
		return later(x, why.text, !*said.code, ret);
	/* What was asked for just now EC2 may list only later: who took that for all would launch twice. */
	if (got.n < l->n && l->last && !clock_passed(l->last + LISTED_MS * 1000000ULL))
		return later(x, "EC2 doesn't list all that its token may have launched", false,
		             ret);
	if (got.n)
		return take(x, &got, ret, e);
	return failed(x, CAUSE_SERVER, &said, "EC2 knows nothing that this token launched", ret, e);
}

static enum cause judge(const struct asking *x, const struct ec2_refusal *said,
                        const struct err *why)
{
	enum cause cause = cause_of(said->code, said->message);
	bool young = launch_of(x)->at + YOUNG_S > clock_wall();

	/* It never left this machine. */
	if (!*said->code && why->kind == ERR_INPUT)
		return CAUSE_PARAMETER;
	return cause == CAUSE_YOUNG && !young ? CAUSE_PARAMETER : cause;
}

static int refused(const struct asking *x, const struct ec2_refusal *said, const struct err *why,
                   struct ask_answer *ret, struct err *e)
{
	const char *text = tell_why(said, why, ledger_where(launch_of(x), x->arena), x->arena);
	enum cause cause = judge(x, said, why);

	if (cause == CAUSE_THROTTLE) {
		bucket_throttled(&x->f->buckets[BUCKET_RUN], clock_now());
		bucket_throttled(&x->f->buckets[BUCKET_RUN_INSTANCES], clock_now());
	}
	if (cause == CAUSE_MISMATCH) {
		launch_of(x)->used = true;
		return look_up(x, ret, e);
	}
	if (cause == CAUSE_THROTTLE || cause == CAUSE_SERVER || cause == CAUSE_YOUNG)
		return later(x, text, cause == CAUSE_THROTTLE || !*said->code, ret);
	return failed(x, cause, said, text, ret, e);
}

/* ---- asking ---- */

static int run(const struct asking *x, struct instances *got, struct ec2_refusal *said,
               struct err *why)
{
	const struct instances_launch q =
	        shape_of(&x->f->site, x->resource, launch_of(x), x->arena);

	return instances_run(x->f->cloud, &q, x->arena, got, said, clock_in_ms(FLEET_CALL_MS), why);
}

int ask(struct fleet *f, const char *token, struct arena *a, struct ask_answer *ret, struct err *e)
{
	struct asking x = {.f = f, .token = token, .arena = a};
	const struct ledger_launch *l = launch_of(&x);
	struct ec2_refusal said;
	struct instances got;
	struct err why;

	x.resource = site_find(&f->site, l->places[0].node);
	x.pool = x.resource ? pool_find(x.resource, l->type, l->subnet, l->market) : NULL;
	if (!x.resource || l->used || l->at + OLD_S < clock_wall())
		return look_up(&x, ret, e);
	launch_of(&x)->last = clock_now();
	if (run(&x, &got, &said, &why) < 0)
		return refused(&x, &said, &why, ret, e);
	bucket_answered(&f->buckets[BUCKET_RUN], clock_now());
	bucket_answered(&f->buckets[BUCKET_RUN_INSTANCES], clock_now());
	int r = take(&x, &got, ret, e);
	if (r < 0 || !x.pool)
		return r;
	pool_worked(x.pool);
	if (ret->n)
		pool_failed(&f->site, x.pool, CAUSE_CAPACITY,
		            arena_printf(a, "%s: EC2 gave fewer than were asked for",
		                         ledger_where(launch_of(&x), a)),
		            clock_now());
	return 0;
}
