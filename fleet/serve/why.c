/* SPDX-License-Identifier: Apache-2.0 */
/* The verb why: what became of a node's launches, or of those for a job. */
#include <stdio.h>

#include "base/log.h"
#include "controller/slurm_job.h"
#include "serve/fleet.h"
#include "serve/show.h"

/* ---- of nodes ---- */

/* Those of these nodes, and those that were for the job; NULL: for none. */
static size_t show_launches(const struct ledger *l, const struct hostlist *nodes, const char *job)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->launches[i].n; k++) {
			const struct ledger_place *p = &l->launches[i].places[k];

			if (!hostlist_has(nodes, p->node) && !str_eq(l->launches[i].owner.job, job))
				continue;
			show_line(&l->launches[i], p);
			n++;
		}
	return n;
}

static void of_node(struct fleet *f, const char *node)
{
	const struct hostlist one = {1, &node};

	if (!show_launches(&f->ledger, &one, NULL))
		printf("no launch of '%s' is remembered\n", node);
}

/* ---- of a job ---- */

/* Its nodes by now: none while it waits. */
static struct hostlist nodes_of(const struct slurm_job *job, struct arena *a)
{
	struct hostlist nodes = {0};
	struct err ignored;

	if (job->nodes && hostlist_parse(job->nodes, a, &nodes, &ignored) < 0)
		nodes.n = 0;
	return nodes;
}

static void show_job(struct fleet *f, const struct slurm_job *job)
{
	const struct hostlist nodes = nodes_of(job, f->program.arena);

	printf("job %s: %s%s%s%s%s%s%s\n", job->id, job->state ? job->state : "unknown to Slurm",
	       job->reason ? ", " : "", job->reason ? job->reason : "",
	       job->partition ? ", in " : "", job->partition ? job->partition : "",
	       job->nodes ? ", on " : "", job->nodes ? job->nodes : "");
	if (job->comment)
		printf("%s\n", job->comment);
	if (!show_launches(&f->ledger, &nodes, job->id) && !job->comment)
		printf("no launch for it is remembered\n");
}

static void of_job(struct fleet *f, const char *id)
{
	struct slurm_jobs jobs;
	struct err e;

	if (slurm_job_show(id, f->program.arena, &jobs, &e) < 0) {
		log_warning("asking Slurm for job %s: %s", id, e.text);
		show_job(f, &(struct slurm_job){.id = id});
		return;
	}
	for (size_t i = 0; i < jobs.n; i++)
		show_job(f, &jobs.items[i]);
}

int verb_why(void *program)
{
	struct fleet *f = program;
	const char *what = f->program.line.operands[0];
	struct err e;
	size_t torn;

	if (ledger_look(&f->ledger, fleet_path(f, FLEET_JOURNAL), &torn, &e) < 0)
		return program_fail(&f->program, &e);
	if (slurm_job_is_id(what))
		of_job(f, what);
	else
		of_node(f, what);
	return 0;
}
