/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Slurm's file of the jobs that wait for nodes. */
#include "spool/jobs.h"

#include "data/json.h"

static int read_job(const struct doc *d, struct arena *a, struct jobs *all, struct err *e)
{
	const char *id = doc_text(d, "job_id"), *nodes = doc_text(d, "nodes_resume");
	struct hostlist list;

	if (!nodes)
		nodes = doc_text(d, "nodes");
	/* A job that waits for none of them isn't ours to look at. */
	if (!id || !nodes || !*nodes)
		return 0;
	int r = hostlist_parse(nodes, a, &list, e);
	if (r < 0)
		return r;
	all->items = arena_grow(a, all->items, &all->n, sizeof *all->items);
	all->items[all->n - 1] = (struct jobs_item){id, list};
	return 0;
}

int jobs_read(struct blob text, struct arena *a, struct jobs *ret, struct err *e)
{
	struct jobs all = {0};
	struct doc *d = NULL;
	const struct doc *jobs;

	if (!text.len) {
		*ret = all;
		return 0;
	}
	int r = json_parse("SLURM_RESUME_FILE", text, a, &d, e);
	if (r < 0)
		return r;
	jobs = doc_get(d, "jobs");
	if (jobs && jobs->type != DOC_LIST)
		return doc_err(jobs, e, REASON_INPUT_TYPE, "jobs: expected a list, found %s",
		               doc_type_name(jobs));
	for (size_t i = 0; jobs && i < jobs->n; i++) {
		r = read_job(jobs->items[i], a, &all, e);
		if (r < 0)
			return r;
	}
	*ret = all;
	return 0;
}
