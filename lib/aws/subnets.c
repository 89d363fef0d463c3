/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeSubnets of EC2's query protocol. */
#include "aws/subnets.h"

#include <errno.h>

#include "aws/ec2_own.h"

static int unlike(struct err *e)
{
	return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
	               "looking at subnets: the answer isn't what EC2 sends");
}

int subnets_list(struct cloud *c, const char *const *ids, size_t n, struct arena *a,
                 struct subnets *ret, uint64_t deadline, struct err *e)
{
	struct ec2_form f = ec2_form(a, NULL, "DescribeSubnets");
	struct subnets found = {0};
	struct doc *d;

	if (n > SUBNETS_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG, "more than %d subnets",
		               SUBNETS_MAX);
	ec2_doing(&f, "looking at subnet", ids[0]);
	ec2_put_list(&f, "SubnetId", ids, n);
	int r = ec2_call(c, &f, &d, deadline, e);
	if (r < 0)
		return r;
	const struct doc *list = doc_get(d, "subnetSet");
	if (!list || list->type != DOC_LIST || list->n != n)
		return unlike(e);
	for (size_t i = 0; i < list->n; i++) {
		const struct doc *at = list->items[i];
		const char *free_text = doc_text(at, "availableIpAddressCount");
		struct subnets_item item = {doc_text(at, "subnetId"), doc_text(at, "vpcId"),
		                            doc_text(at, "availabilityZone"), 0};

		if (!item.id || !item.vpc || !item.zone ||
		    (free_text && str_u64(free_text, 0, UINT32_MAX, &item.free) < 0))
			return unlike(e);
		found.items = arena_grow(a, found.items, &found.n, sizeof *found.items);
		found.items[found.n - 1] = item;
	}
	*ret = found;
	return 0;
}
