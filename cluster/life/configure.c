/* SPDX-License-Identifier: Apache-2.0 */
/* configure: asks what a cluster is to be, and writes its configuration. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "aws/ec2.h"
#include "base/file.h"
#include "cluster/cluster.h"
#include "data/yaml_write.h"
#include "life/configure_own.h"
#include "life/life.h"
#include "model/instance_file.h"
#include "state/plan_file.h"
#include "state/view.h"

/* ---- what there is ---- */

static int open_again(struct configure *c, struct err *e)
{
	struct life *l = c->life;

	cloud_close(l->cloud);
	l->cloud = NULL;
	l->region = c->region ? c->region : l->region;
	c->online = true;
	return program_cloud(&l->program, l->region, VIEW_LOOK_MS, &l->cloud, e);
}

typedef int lister(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                   struct err *e);

/* False: it isn't known. */
static bool list(struct configure *c, lister *from, const char *key, struct ask_list *ret)
{
	struct doc *found;
	struct err e;

	if (!c->online)
		return false;
	program_deadline(&c->life->program, VIEW_LOOK_MS);
	if (from(c->life->cloud, c->arena, &found, c->life->program.deadline, &e) < 0) {
		configure_failed(c, &e);
		return false;
	}
	*ret = (struct ask_list){.items = arena_array(c->arena, found->n + 1, sizeof *ret->items)};
	for (size_t i = 0; i < found->n; i++)
		ret->items[ret->n++].cells[0] = doc_text(found->items[i], key);
	return true;
}

/* Of one that is listed, or else the first. */
static const char *among(const struct ask_list *l, const char *wanted)
{
	for (size_t i = 0; wanted && i < l->n; i++)
		if (str_eq(l->items[i].cells[0], wanted))
			return wanted;
	return l->items[0].cells[0];
}

/* ---- region, key, scheduler, system ---- */

static const char *is_region(void *ctx, const char *answer)
{
	size_t n = strspn(answer, "abcdefghijklmnopqrstuvwxyz0123456789-");

	(void)ctx;
	return n >= 9 && !answer[n] && strchr(answer, '-') ? NULL : "expected one like eu-west-1";
}

static int ask_region(struct configure *c, struct err *e)
{
	const char *old = doc_text(c->config, "Region");
	struct ask_question q = {.text = "AWS Region ID", .valid = is_region};
	struct ask_list l;
	int r = open_again(c, e);

	if (r < 0)
		return r;
	if (c->life->region) {
		c->region = c->life->region;
		return 0;
	}
	q.fallback = old ? old : c->life->program.cloud_config.region;
	if (list(c, ec2_regions, "regionName", &l) && l.n) {
		q.among = &l;
		q.fallback = among(&l, q.fallback);
	}
	r = ask(&c->ask, &q, &c->region, e);
	return r < 0 ? r : open_again(c, e);
}

static const char *is_something(void *ctx, const char *answer)
{
	(void)ctx;
	return *answer ? NULL : "expected a name";
}

static int ask_key(struct configure *c, struct err *e)
{
	struct doc *ssh = configure_map(c, configure_map(c, c->config, "HeadNode"), "Ssh");
	struct ask_question q = {.text = "EC2 Key Pair Name",
	                         .fallback = doc_text(ssh, "KeyName"),
	                         .valid = is_something};
	const char *key;
	struct ask_list l;

	if (list(c, ec2_key_pairs, "keyName", &l)) {
		if (!l.n)
			return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
			               "there is no key pair in %s: `aws ec2 create-key-pair` "
			               "makes one",
			               c->region);
		q.among = &l;
		q.fallback = among(&l, q.fallback);
	}
	int r = ask(&c->ask, &q, &key, e);
	if (r < 0)
		return r;
	configure_put(c, ssh, "KeyName", key);
	return 0;
}

static int ask_word(struct configure *c, struct doc *map, const char *key, const char *text,
                    const char *const *words, struct err *e)
{
	struct ask_item items[16] = {0};
	struct ask_list l = {.items = items};
	struct ask_question q = {.text = text, .among = &l};
	const char *word;

	for (size_t i = 0; words[i]; i++)
		items[l.n++].cells[0] = words[i];
	q.fallback = among(&l, doc_text(map, key));
	int r = ask(&c->ask, &q, &word, e);
	if (r < 0)
		return r;
	configure_put(c, map, key, word);
	return 0;
}

/* ParallelCluster's, and before them the one that our own recipes make. */
static const char *const systems[] = {"debian12",   "debian13",   "alinux2023", "alinux2",
                                      "ubuntu2204", "ubuntu2404", "rhel8",      "rocky8",
                                      "rhel9",      "rocky9",     NULL};
static const char *const schedulers[] = {"slurm", NULL};

static int ask_head(struct configure *c, struct err *e)
{
	struct doc *head = configure_map(c, c->config, "HeadNode");
	const char *old = doc_text(head, "InstanceType");
	const struct ask_question q = {.text = "Head node instance type",
	                               .fallback = old ? old : CONFIGURE_TYPE,
	                               .valid = configure_type,
	                               .ctx = c};
	int r = ask(&c->ask, &q, &c->head_type, e);

	if (r < 0)
		return r;
	configure_put(c, head, "InstanceType", c->head_type);
	return 0;
}

/* ---- the network ---- */

static int ask_network(struct configure *c, struct doc *queues, struct err *e)
{
	struct doc *head = configure_map(c, configure_map(c, c->config, "HeadNode"), "Networking");
	const char *of_head, *of_compute;
	int r = configure_network(c, &of_head, &of_compute, e);

	if (r < 0)
		return r;
	configure_put(c, head, "SubnetId", of_head);
	for (size_t i = 0; i < queues->n; i++) {
		struct doc *list = doc_new_list(c->arena, NULL),
		           *subnet = doc_new_text(c->arena, NULL, of_compute);

		subnet->quoted = true;
		doc_push(c->arena, list, subnet);
		doc_put(c->arena, configure_map(c, queues->items[i], "Networking"), "SubnetIds",
		        list);
	}
	return 0;
}

/* ---- the whole ---- */

static int ask_all(struct configure *c, struct err *e)
{
	struct doc *queues = doc_new_list(c->arena, NULL), *scheduling;
	int r = ask_region(c, e);

	if (r < 0)
		return r;
	configure_put(c, c->config, "Region", c->region);
	struct doc *image = configure_map(c, c->config, "Image");
	r = ask_key(c, e);
	if (r < 0)
		return r;
	scheduling = configure_map(c, c->config, "Scheduling");
	r = ask_word(c, scheduling, "Scheduler", "Scheduler", schedulers, e);
	if (r < 0)
		return r;
	r = ask_word(c, image, "Os", "Operating System", systems, e);
	if (r < 0)
		return r;
	r = ask_head(c, e);
	if (r < 0)
		return r;
	r = configure_queues(c, queues, e);
	if (r < 0)
		return r;
	doc_put(c->arena, scheduling, "SlurmQueues", queues);
	return ask_network(c, queues, e);
}

/* What is there is replaced only where that was said, and gives the defaults. */
static int read_old(struct configure *c, struct err *e)
{
	struct blob text;
	int r;

	c->config = doc_new_map(c->arena, NULL);
	if (access(c->file, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (!c->life->force)
		return err_set(e, ERR_INPUT, REASON_INPUT_DUPLICATE, EEXIST,
		               "'%.200s' is there: --force replaces it, with its values as the "
		               "defaults",
		               c->file);
	r = file_read_input(c->file, PLAN_FILE_MAX, c->arena, &text, e);
	if (r < 0)
		return r;
	r = cluster_read(c->file, text, c->arena, &c->config, e);
	if (r < 0 || c->config->type == DOC_MAP)
		return r;
	return doc_err(c->config, e, REASON_INPUT_TYPE, "expected a map, found %s",
	               doc_type_name(c->config));
}

/* As the file will be read: nothing is written that a node would refuse. */
static int write_new(struct configure *c, struct faults *faults, struct err *e)
{
	const struct file_attr attr = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
	struct cluster_notes notes = {.arena = c->arena};
	struct strbuf out = STRBUF(c->arena, PLAN_FILE_MAX);
	struct plan_file checked;

	yaml_write(c->config, &out);
	if (out.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "the configuration would have more than %lu bytes", PLAN_FILE_MAX);
	int r = plan_file_check(c->life, c->file, (struct blob){out.data, out.len}, faults, &notes,
	                        &checked, e);
	if (r < 0)
		return r;
	r = file_replace(AT_FDCWD, c->file, out.data, out.len, &attr, e);
	if (r < 0)
		return r;
	printf("Configuration file written to %s\n", c->file);
	printf("You can edit it; `hpc-cluster template %s` checks it, and prints its stack.\n",
	       c->file);
	return 0;
}

static int run(struct configure *c, struct faults *faults, struct err *e)
{
	int r = read_old(c, e);

	if (r < 0)
		return r;
	r = instance_file_read(PLAN_FILE_TYPES, c->arena, &c->types, e);
	if (r < 0)
		return r;
	printf("INFO: Configuration file %s will be written.\n", c->file);
	printf("Press CTRL-C to interrupt the procedure.\n\n\n");
	r = ask_all(c, e);
	return r < 0 ? r : write_new(c, faults, e);
}

int verb_configure(void *program)
{
	struct life *l = program;
	struct arena *a = l->program.arena;
	struct faults faults = {.arena = a};
	struct configure c = {.life = l,
	                      .arena = a,
	                      .ask = {.arena = a},
	                      .file = l->program.line.operands[0],
	                      .compute_types =
	                              arena_array(a, CONFIGURE_TYPES_MAX, sizeof *c.compute_types)};
	struct err e;

	return run(&c, &faults, &e) < 0 ? program_faults(&l->program, &faults, &e) : 0;
}
