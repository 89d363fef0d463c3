/* SPDX-License-Identifier: Apache-2.0 */
/* publish and resume: options, progress and output. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account/account.h"
#include "aws/ec2_valid.h"
#include "base/file.h"
#include "base/log.h"
#include "program/feed.h"
#include "publish/publish.h"

#define CONNECTIONS   32
#define REPORT_NS     200000000ULL
#define LINE_MAX      4096
#define UEFI_FILE_MAX (1 << 20)

/* ---- progress -------------------------------------------------------------------------------- */

struct progress {
	struct feed feed;
	uint64_t next; /* earliest time of the next event, clock.h */
};

static void show(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *s = ctx;

	feed_passing(&s->feed, "%3llu %%  %llu of %llu MiB",
	             (unsigned long long)(total ? 100 * done / total : 100),
	             (unsigned long long)done / 2, (unsigned long long)total / 2);
	if (!s->feed.json || (clock_now() < s->next && done < total))
		return;
	s->next = clock_now() + REPORT_NS;
	struct jsonw *w = feed_begin(&s->feed, "progress");
	jsonw_u64(w, "done", done);
	jsonw_u64(w, "total", total);
	feed_end(&s->feed);
}

static void print_json(const struct publish *p, struct arena *a)
{
	struct strbuf b = STRBUF(a, LINE_MAX);
	struct jsonw w = {.out = &b};

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
	jsonw_str(&w, "event", p->found ? "found" : "published");
	jsonw_str(&w, "image", p->image_id);
	jsonw_str(&w, "snapshot", p->snapshot_id);
	jsonw_str(&w, "digest", p->digest);
	jsonw_u64(&w, "blocks", p->total);
	jsonw_u64(&w, "put", p->put);
	if (p->run[0])
		jsonw_str(&w, "run", p->run);
	jsonw_end(&w, '}');
	puts(b.data);
}

/* ---- verbs ----------------------------------------------------------------------------------- */

static int finish(const struct image *g, const struct publish *p, int r, const struct err *e)
{
	if (r < 0 && p->run[0] && e->reason != REASON_BUSY)
		log_notice(
		        "`hpc-imagebuild resume %s` goes on with it, `hpc-imagebuild gc` removes "
		        "it",
		        p->run);
	if (r < 0)
		return program_fail(&g->program, e);
	if (p->found)
		log_notice("'%s' has this content already", p->image_id);
	if (g->program.json)
		print_json(p, g->program.arena);
	else
		puts(p->image_id);
	return 0;
}

static struct publish_follow follow_of(const struct options *o)
{
	return (struct publish_follow){.accounts = &o->accounts,
	                               .regions = &o->regions,
	                               .alias = o->alias,
	                               .deprecate = o->deprecate};
}

static int with_publish(struct image *g, const struct publish_spec *s, const char *run)
{
	struct progress progress = {0};
	struct publish p = {
	        .state = g->opt.state ? g->opt.state : STATE_DEFAULT,
	        .connections = (unsigned)(g->opt.connections ? g->opt.connections : CONNECTIONS),
	        .progress = show,
	        .ctx = &progress,
	        .arena = g->program.arena,
	};
	const struct publish_follow now = follow_of(&g->opt);
	struct err e = {0};
	int r, status;

	if (g->opt.connections > 100) {
		err_set(&e, ERR_USAGE, REASON_INPUT_RANGE, ERANGE,
		        "--connections %llu: expected 1 to 100",
		        (unsigned long long)g->opt.connections);
		return program_fail(&g->program, &e);
	}
	r = image_cloud(g, &p.cloud, &e);
	if (r < 0)
		return program_fail(&g->program, &e);
	p.deadline = g->program.deadline;
	feed_open(&progress.feed, &g->program, g->program.json ? stdout : stderr);
	r = run ? publish_resume(&p, run, &now, &e) : publish_image(&p, s, &e);
	feed_close(&progress.feed);
	status = finish(g, &p, r, &e);
	publish_close(&p);
	cloud_close(p.cloud);
	return status;
}

int image_uefi_data(const struct image *g, const char **ret, struct err *e)
{
	const char *path = g->opt.uefi_data;
	struct blob text = {0};

	*ret = NULL;
	if (!path)
		return 0;
	int r = file_read_input(path, UEFI_FILE_MAX, g->program.arena, &text, e);
	if (r < 0)
		return r;
	const char *data = text.data ? text.data : "";
	/* A line: its end is none of it. */
	data = arena_memdup(g->program.arena, data, strcspn(data, "\r\n"));
	if (strlen(data) + 2 < text.len || !ec2_valid_uefi_data(data))
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "--uefi-data '%s': expected EC2's store of UEFI variables, one line "
		               "of at most %d characters of base64, as `uefivars -o aws` writes it",
		               path, EC2_UEFI_DATA_MAX);
	*ret = data;
	return 0;
}

static int publish(struct image *g, const char *raw, const char *name, const char *arch,
                   const char *boot)
{
	const struct options *o = &g->opt;
	const char *uefi_data;
	struct err e;

	if (image_uefi_data(g, &uefi_data, &e) < 0)
		return program_fail(&g->program, &e);
	bool only_uefi = str_eq(arch, "arm64") || uefi_data || o->tpm;
	const struct publish_spec s = {
	        .image = raw,
	        .name = name,
	        .description = o->description,
	        .arch = arch,
	        .boot = boot        ? boot
	                : only_uefi ? "uefi"
	                            : "uefi-preferred",
	        .uefi_data = uefi_data,
	        .tpm = o->tpm,
	        .parent = o->parent,
	        .encrypted = o->encrypt,
	        .kms_key = o->kms_key,
	        .tags = &o->tags,
	        .follow = follow_of(o),
	};

	return with_publish(g, &s, NULL);
}

int verb_publish(void *program)
{
	struct image *g = program;
	const struct options *o = &g->opt;
	struct err e;

	if (!o->name) {
		err_set(&e, ERR_USAGE, REASON_INPUT_REQUIRED, EINVAL,
		        "publish: expected --name NAME, which the image gets in its region");
		return program_fail(&g->program, &e);
	}
	return publish(g, g->program.line.operands[0], o->name, o->arch ? o->arch : "x86_64",
	               o->boot);
}

int image_publish(struct image *g, const struct recipe *r, const char *raw)
{
	const char *name = g->opt.name;

	if (!name)
		name = arena_printf(g->program.arena, "%s-%s", r->name, r->version);
	return publish(g, raw, name, r->arch, r->disk.boot == BOOT_UEFI_BIOS ? NULL : "uefi");
}

int verb_resume(void *program)
{
	struct image *g = program;

	return with_publish(g, NULL, g->program.line.operands[0]);
}
