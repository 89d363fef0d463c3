/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc: removes what dead runs left in the account: of a run in this state directory that has not
 * ended and is not in progress, everything; of other runs, snapshots without an image that are past
 * the time in their tag, and images that failed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "account/account.h"
#include "aws/ec2.h"
#include "base/log.h"
#include "base/scope.h"
#include "data/jsonw.h"
#include "publish/publish.h"

#define RUNS_MAX 4096
#define LINE_MAX 4096

struct run {
	const char *name;
	bool busy; /* another process is working on it */
	struct journal journal;
};

struct gc {
	struct image *g;
	struct publish p; /* for the state directory */
	struct run *runs; /* the runs that have not ended */
	size_t n_runs;
	struct doc *images, *snapshots;
	unsigned failures;
};

static const char *tag(const struct doc *d, const char *key)
{
	const struct doc *tags = doc_get(d, "tagSet");

	for (size_t i = 0; tags && tags->type == DOC_LIST && i < tags->n; i++)
		if (str_eq(doc_text(tags->items[i], "key"), key))
			return doc_text(tags->items[i], "value");
	return NULL;
}

static struct run *run_of(const struct gc *x, const struct doc *d)
{
	const char *name = tag(d, PUBLISH_TAG_RUN);

	for (size_t i = 0; i < x->n_runs; i++)
		if (str_eq(x->runs[i].name, name))
			return &x->runs[i];
	return NULL;
}

static void tell(struct gc *x, const char *id, const char *run, const char *what)
{
	struct strbuf b = STRBUF(x->g->program.arena, LINE_MAX);
	struct jsonw w = {.out = &b};

	if (!x->g->program.json) {
		printf("%s  %s  %s\n", id, run ? run : "-", what);
		return;
	}
	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
	jsonw_str(&w, "id", id);
	jsonw_str(&w, "run", run);
	jsonw_str(&w, "what", what);
	jsonw_end(&w, '}');
	puts(b.data);
}

/* ---- finding runs ---------------------------------------------------------------------------- */

static int add_run(struct gc *x, const char *file, struct err *e)
{
	struct arena *a = x->g->program.arena;
	const char *name = arena_memdup(a, file, strlen(file) - strlen(".jsonl"));
	struct journal j;

	if (!journal_name_valid(name))
		return 0;
	int r = journal_open(&j, x->p.runs, name, false, a, e);
	if (r < 0 && e->reason != REASON_BUSY)
		return r;
	if (r == 0 && journal_find(&j, "end", NULL)) {
		journal_close(&j);
		return 0;
	}
	if (x->n_runs == RUNS_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG, "more than %d runs",
		               RUNS_MAX);
	x->runs = arena_grow(a, x->runs, &x->n_runs, sizeof *x->runs);
	x->runs[x->n_runs - 1] = (struct run){name, r < 0, j};
	return 0;
}

static int read_runs(struct gc *x, struct err *e)
{
	int fd = openat(x->p.runs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return err_errno(e, errno, "reading the list of runs");
	for (const struct dirent *f; (f = readdir(d));)
		if (str_ends(f->d_name, ".jsonl")) {
			int r = add_run(x, f->d_name, e);

			if (r < 0)
				return r;
		}
	*e = (struct err){0};
	return 0;
}

static int read_account(struct gc *x, struct err *e)
{
	const struct ec2_query q = {.filters = {{"tag-key", PUBLISH_TAG_RUN}}, .n_filters = 1};
	int r = ec2_images(x->p.cloud, &q, x->g->program.arena, &x->images, x->p.deadline, e);

	if (r < 0)
		return r;
	return ec2_snapshots(x->p.cloud, &q, x->g->program.arena, &x->snapshots, x->p.deadline, e);
}

/* ---- images ---------------------------------------------------------------------------------- */

static bool is_broken(const struct doc *image)
{
	const char *state = doc_text(image, "imageState");

	return str_eq(state, "failed") || str_eq(state, "error") || str_eq(state, "invalid");
}

static void failed(struct gc *x, const char *id, const char *run, const struct err *e)
{
	tell(x, id, run, "failed");
	log_err("%s", e->text);
	x->failures++;
}

static void drop_image(struct gc *x, const char *region, const struct doc *image)
{
	const char *id = doc_text(image, "imageId"), *run = tag(image, PUBLISH_TAG_RUN);
	struct doc *snapshots;
	struct err e = {0};

	if (x->g->opt.dry_run)
		tell(x, id, run, "would be deregistered");
	else if (ec2_deregister(x->p.cloud, region, id, x->g->program.arena, &snapshots,
	                        x->p.deadline, &e) < 0)
		failed(x, id, run, &e);
	else
		tell(x, id, run, "deregistered");
}

static bool image_goes(const struct gc *x, const struct doc *image)
{
	const struct run *r = run_of(x, image);

	return r ? !r->busy : is_broken(image);
}

static void drop_images(struct gc *x)
{
	for (size_t i = 0; i < x->images->n; i++)
		if (image_goes(x, x->images->items[i]))
			drop_image(x, NULL, x->images->items[i]);
}

/* Copies are in other regions; their run's journal says in which. */
static int drop_copies(struct gc *x, const struct run *run, struct err *e)
{
	const struct ec2_query all = {.filters = {{"tag:" PUBLISH_TAG_RUN, run->name}},
	                              .n_filters = 1};

	for (size_t i = 0; i < run->journal.n; i++) {
		const char *step = doc_text(run->journal.lines[i], "step");
		struct ec2_query q = all;
		struct doc *found;

		if (!step || !str_starts(step, "copy-") ||
		    !str_eq(doc_text(run->journal.lines[i], "event"), "intent"))
			continue;
		q.region = step + strlen("copy-");
		int r = ec2_images(x->p.cloud, &q, x->g->program.arena, &found, x->p.deadline, e);
		if (r < 0)
			return r;
		for (size_t k = 0; k < found->n; k++)
			drop_image(x, q.region, found->items[k]);
	}
	return 0;
}

/* ---- snapshots ------------------------------------------------------------------------------- */

/* Whether an image that is kept uses it. */
static bool is_used(const struct gc *x, const char *id)
{
	for (size_t i = 0; i < x->images->n; i++) {
		const struct doc *maps = doc_get(x->images->items[i], "blockDeviceMapping");

		for (size_t k = 0; maps && maps->type == DOC_LIST && k < maps->n; k++)
			if (str_eq(doc_text(doc_get(maps->items[k], "ebs"), "snapshotId"), id))
				return true;
	}
	return false;
}

static void drop_snapshot(struct gc *x, const struct doc *snapshot)
{
	const char *id = doc_text(snapshot, "snapshotId"), *run = tag(snapshot, PUBLISH_TAG_RUN);
	struct err e = {0};

	if (x->g->opt.dry_run)
		tell(x, id, run, "would be deleted");
	else if (ec2_delete_snapshot(x->p.cloud, NULL, id, x->p.deadline, &e) == 0)
		tell(x, id, run, "deleted");
	else if (e.reason == REASON_AWS_CONFLICT)
		tell(x, id, run, "kept: in use");
	else
		failed(x, id, run, &e);
}

static void drop_snapshots(struct gc *x)
{
	char now[21];

	clock_rfc3339(clock_wall(), now);
	for (size_t i = 0; i < x->snapshots->n; i++) {
		const struct doc *s = x->snapshots->items[i];
		const struct run *r = run_of(x, s);
		const char *expires = tag(s, PUBLISH_TAG_EXPIRES);
		const char *run = tag(s, PUBLISH_TAG_RUN), *id = doc_text(s, "snapshotId");

		/* Deregistering its image removed it, too. */
		if (is_used(x, id))
			continue;
		if (r && r->busy)
			tell(x, id, run, "kept: its run is at work");
		else if (r || (expires && strcmp(expires, now) < 0))
			drop_snapshot(x, s);
		else
			tell(x, id, run,
			     arena_printf(x->g->program.arena,
			                  "kept: its run may be at work elsewhere, "
			                  "until %s",
			                  expires ? expires : "its tag is gone"));
	}
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int end_run(struct gc *x, struct run *run, struct err *e)
{
	const struct journal_pair as = {"as", "collected"};
	int r = journal_note(&run->journal, "end", NULL, &as, 1, e);

	if (r < 0)
		return r;
	unlinkat(x->p.runs, arena_printf(x->g->program.arena, "%s.put", run->name), 0);
	return 0;
}

/* Only if everything they left is removed. */
static int end_runs(struct gc *x, struct err *e)
{
	for (size_t i = 0; i < x->n_runs && !x->g->opt.dry_run && !x->failures; i++) {
		if (x->runs[i].busy)
			continue;
		int r = end_run(x, &x->runs[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int collect(struct gc *x, struct err *e)
{
	int r = publish_open_state(&x->p, e);

	if (r < 0)
		return r;
	r = read_runs(x, e);
	if (r < 0)
		return r;
	r = read_account(x, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < x->n_runs; i++) {
		if (x->runs[i].busy)
			continue;
		r = drop_copies(x, &x->runs[i], e);
		if (r < 0)
			return r;
	}
	drop_images(x);
	drop_snapshots(x);
	return end_runs(x, e);
}

static void gc_close(struct gc *x)
{
	for (size_t i = 0; i < x->n_runs; i++)
		journal_close(&x->runs[i].journal);
	publish_close(&x->p);
	cloud_close(x->p.cloud);
}

int verb_gc(void *program)
{
	struct image *g = program;
	struct gc x = {.g = g, .p = {.state = g->opt.state ? g->opt.state : STATE_DEFAULT}};
	struct err e = {0};
	int r = image_cloud(g, &x.p.cloud, &e);

	if (r < 0)
		return program_fail(&g->program, &e);
	x.p.deadline = g->program.deadline;
	r = collect(&x, &e);
	gc_close(&x);
	if (r < 0)
		return program_fail(&g->program, &e);
	return x.failures ? 4 : 0;
}
