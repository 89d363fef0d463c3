/* SPDX-License-Identifier: Apache-2.0 */
/* Lists instances, by the bucket of such calls. */
#include "serve/look.h"

#include <errno.h>

#include "launch/cause.h"

int look(struct fleet *f, const struct instances_query *q, struct arena *a, struct instances *ret,
         struct ec2_refusal *said, struct err *why)
{
	struct bucket *b = &f->buckets[BUCKET_LOOK];
	struct instances got;

	*said = (struct ec2_refusal){0};
	if (bucket_take(b, 1, clock_now()))
		return err_set(why, ERR_RETRY, REASON_AWS_THROTTLED, EAGAIN,
		               "EC2 was asked for instances as often as it may be");
	int r = instances_list(f->cloud, q, a, &got, said, clock_in_ms(FLEET_CALL_MS), why);
	if (r < 0 && *said->code && cause_of(said->code, said->message) == CAUSE_THROTTLE)
		bucket_throttled(b, clock_now());
	if (r < 0)
		return r;
	/* The first page had its token; the others are owed. */
	bucket_owe(b, (double)got.pages - 1, clock_now());
	bucket_answered(b, clock_now());
	*ret = got;
	return 0;
}
