/* SPDX-License-Identifier: Apache-2.0 */
/* Tells Slurm and the log why nodes can't be had. */
#include "serve/tell.h"

#include "base/log.h"
#include "controller/comment.h"
#include "controller/nodes.h"

const char *tell_why(const struct ec2_refusal *said, const struct err *e, const char *where,
                     struct arena *a)
{
	if (!*said->code)
		return arena_printf(a, "%s: %s", where, e->text);
	return arena_printf(a, "%s: %s (request %s)", said->code, where,
	                    *said->request ? said->request : "unknown");
}

void tell_failed(const char *const *nodes, size_t n, const char *why)
{
	scope_arena struct arena *a = arena_new();

	for (size_t i = 0; i < n; i += NODES_AT_ONCE) {
		const char *list =
		        hostlist_print(nodes + i, n - i < NODES_AT_ONCE ? n - i : NODES_AT_ONCE, a);
		const struct comment_jobs jobs = comment_jobs_of(list, a);
		struct err e;

		log_err("no instances for %s: %s", list, why);
		if (nodes_fail(list, why, &e) < 0)
			log_err("telling Slurm of it: %s", e.text);
		comment_set(&jobs, why);
	}
}
