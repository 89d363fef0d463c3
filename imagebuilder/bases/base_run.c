/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the program that makes a base in a sandbox. */
#include <stdio.h>

#include "bases/base_own.h"
#include "host/host.h"

void base_work_parcel(struct parcel *p, void *work)
{
	struct base_work *w = work;
	uint64_t from = w->recipe.from_type;

	parcel_u64(p, &from);
	w->recipe.from_type = (enum recipe_from)from;
	parcel_text(p, &w->recipe.file);
	parcel_text(p, &w->recipe.from);
	parcel_text(p, &w->recipe.arch);
	parcel_u64(p, &w->recipe.disk.size);
	parcel_texts(p, &w->packages);
	parcel_list(p, &w->argv);
	parcel_text(p, &w->tree);
	parcel_u64(p, &w->deadline);
}

struct base_work base_work(const struct base_making *m)
{
	return (struct base_work){.recipe = *m->base->recipe,
	                          .packages = m->base->packages,
	                          .tree = m->tree,
	                          .deadline = m->deadline};
}

int base_run(const struct base_making *m, const struct sandbox_job *job, struct base_work *w,
             bool network, struct err *e)
{
	const struct sandbox s = {.network = network,
	                          .job = job,
	                          .arg = w,
	                          .deadline = m->deadline,
	                          .line = m->line,
	                          .line_ctx = m->line_ctx};

	return sandbox_run(&s, e);
}

void base_say(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

int base_run_program(void *work, struct err *e)
{
	static const char *const env[] = {"SOURCE_DATE_EPOCH=" BASE_EPOCH_TEXT,
	                                  "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8",
	                                  "TZ=UTC", NULL};
	const struct base_work *w = work;
	scope_arena struct arena *a = arena_new();
	struct host_exec x = {
	        .argv = w->argv, .env = env, .deadline = w->deadline, .line = base_say};
	struct host_result res;

	return host_run_here_ok(&x, a, &res, e);
}
