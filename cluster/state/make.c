/* SPDX-License-Identifier: Apache-2.0 */
/* Makes of a ParallelCluster file what CloudFormation is asked for. */
#include "state/make.h"

#include <errno.h>

#include "base/digest.h"
#include "base/log.h"
#include "change/images.h"
#include "change/rights.h"
#include "state/storage.h"
#include "state/subnet_check.h"

#define NAME_MAX_CHARS 60              /* as ParallelCluster's, and the fleet's */
#define DEADLINE_MS    (2 * 60 * 1000) /* until something is followed */
#define LETTERS        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- without a network ---- */

static int check_name(const char *name, struct err *e)
{
	if (*name && strchr(LETTERS, *name) && strlen(name) <= NAME_MAX_CHARS &&
	    !name[strspn(name, LETTERS "0123456789-")])
		return 0;
	return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, EINVAL,
	               "'%.80s' is no name of a cluster: expected a letter, then letters, digits "
	               "and '-', at most %d of them",
	               name, NAME_MAX_CHARS);
}

static int write_stack(struct make *m, struct err *e)
{
	const struct doc *storage;
	int r = storage_read(m->life, m->file.config, &storage, e);

	if (r < 0)
		return r;
	const struct stack_input in = {.config = m->file.config,
	                               .model = &m->file.model,
	                               .sha256 = m->file.sha256,
	                               .storage = storage,
	                               .faults = &m->faults,
	                               .notes = &m->notes,
	                               .arena = m->life->program.arena};
	return stack_write(&in, &m->stack, e);
}

int make_read(struct life *l, struct make *ret, struct err *e)
{
	struct arena *a = l->program.arena;

	*ret = (struct make){.life = l,
	                     .name = l->program.line.operands[0],
	                     .faults = {.arena = a},
	                     .notes = {.arena = a}};
	feed_open(&ret->feed, &l->program, stdout);
	int r = check_name(ret->name, e);
	if (r < 0)
		return r;
	r = plan_file_read(l, l->program.line.operands[1], &ret->faults, &ret->notes, &ret->file,
	                   e);
	if (r < 0)
		return r;
	r = write_stack(ret, e);
	if (r < 0)
		return r;
	ret->key = arena_printf(a, "cluster-config-%s.yaml", ret->file.sha256);
	for (size_t i = 0; i < ret->notes.n && !l->program.quiet; i++)
		log_notice("note: %s", ret->notes.items[i]);
	if (l->note_is_fault && ret->notes.n)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "%zu notes on the file: expected none", ret->notes.n);
	return 0;
}

/* ---- whose, and where ---- */

static int choose_region(struct make *m, const char **ret, struct err *e)
{
	const struct doc *at = doc_get(m->file.config, "Region");
	const char *given = m->life->region;

	if (at && given && !str_eq(at->text, given))
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "Region: the file is for '%.40s', and --region says '%.40s'",
		               at->text, given);
	*ret = given ? given : at ? at->text : NULL;
	return 0;
}

/* An ARN has the account in its fifth part. */
static int check_owner(const struct make *m, const struct doc *iam, const char *key, struct err *e)
{
	const struct doc *at = doc_get(iam, key);
	const char *part = at ? at->text : "";

	if (!str_starts(part, "arn:"))
		return 0;
	for (int i = 0; i < 4 && part; i++) {
		part = strchr(part, ':');
		part = part ? part + 1 : NULL;
	}
	if (!part || strncmp(part, m->caller.account, strlen(m->caller.account)) == 0)
		return 0;
	return doc_err(at, e, REASON_INPUT_RANGE,
	               "%s: it is of account %.12s, and the credentials are of %s (%.150s)", key,
	               part, m->caller.account, m->caller.arn);
}

static int check_owners(struct make *m, struct err *e)
{
	static const char *const keys[] = {"InstanceProfile", "InstanceRole"};
	const struct doc *queues = doc_find(m->file.config, "Scheduling.SlurmQueues");
	struct faults_walk walk = {.faults = &m->faults, .err = e};
	size_t n = queues ? queues->n : 0;

	for (size_t i = 0; i <= n; i++)
		for (size_t k = 0; k < ARRAY_LEN(keys) && !walk.ended; k++) {
			const struct doc *iam = i < n ? doc_get(queues->items[i], "Iam")
			                              : doc_find(m->file.config, "HeadNode.Iam");
			int r = check_owner(m, iam, keys[k], e);

			if (r < 0)
				faults_take(&walk, r);
		}
	return walk.failed;
}

int make_open(struct make *m, const char *bucket, struct err *e)
{
	struct life *l = m->life;
	struct arena *a = l->program.arena;
	const char *region = NULL;
	int r = choose_region(m, &region, e);

	if (r < 0)
		return r;
	r = program_cloud(&l->program, region, DEADLINE_MS, &l->cloud, e);
	if (r < 0)
		return r;
	r = cloud_region(l->cloud, &m->region, l->program.deadline, e);
	if (r < 0)
		return r;
	r = caller_look(l->cloud, a, &m->caller, l->program.deadline, e);
	if (r < 0)
		return r;
	cloud_expect_owner(l->cloud, m->caller.account);
	if (!bucket)
		bucket = l->bucket ? l->bucket : doc_text(m->file.config, "CustomS3Bucket");
	m->store = store_of(l->cloud, bucket, m->caller.account, m->region, a);
	return check_owners(m, e);
}

/* ---- the parameters ---- */

static void put_value(struct make *m, const char *key, const char *value)
{
	if (m->n_values < MAKE_VALUES_MAX)
		m->values[m->n_values++] = (struct stacks_value){key, value};
}

const char *make_value(const struct make *m, const char *key)
{
	for (size_t i = 0; i < m->n_values; i++)
		if (str_eq(m->values[i].key, key))
			return m->values[i].value;
	return NULL;
}

static const char *arch_of(const struct make *m, const char *type)
{
	const struct instance_type *found = type ? instance_find(&m->file.types, type) : NULL;

	return found ? found->arch : "x86_64";
}

/* Of the queues that have no image of their own: one image has one architecture. */
static int compute_arch(struct make *m, const char **ret, struct err *e)
{
	const struct model *model = &m->file.model;
	const char *arch = NULL;

	for (size_t i = 0; i < model->n_queues; i++) {
		const struct model_queue *q = &model->queues[i];

		if (q->launch.image.text)
			continue;
		for (size_t k = 0; k < q->n_resources; k++) {
			const char *its = arch_of(m, q->resources[k].types[0]);

			if (arch && !str_eq(arch, its))
				return doc_err(q->at, e, REASON_INPUT_REQUIRED,
				               "queue '%.40s' is of %s, others of %s: expected a "
				               "CustomAmi of each",
				               q->name, its, arch);
			arch = its;
		}
	}
	*ret = arch ? arch : "x86_64";
	return 0;
}

struct wanted_image {
	const char *parameter, *role, *arch, *given;
};

/* Returns 1 where there is none. */
static int find_image(struct make *m, const struct wanted_image *w, struct err *e)
{
	struct life *l = m->life;
	const char *found = w->given;
	int r = 0;

	if (!found)
		r = images_newest(l->cloud, w->role, w->arch, l->program.arena, &found,
		                  l->program.deadline, e);
	if (r < 0)
		return r;
	if (found && !w->given)
		feed_line(&m->feed, "%s: %s, the newest image of a %s", w->parameter, found,
		          w->role);
	put_value(m, w->parameter, found);
	return !found;
}

static const char *custom_head_image(const struct make *m)
{
	const char *own = doc_text(doc_find(m->file.config, "HeadNode.Image"), "CustomAmi");

	if (m->life->image)
		return m->life->image;
	return own ? own : doc_text(doc_get(m->file.config, "Image"), "CustomAmi");
}

static int no_image(const struct make *m, const char *commands, struct err *e)
{
	log_err("images are missing; these commands make them, once for all clusters:");
	for (const char *end; (end = strchr(commands, '\n')) != NULL; commands = end + 1)
		log_err("%.*s", (int)(end - commands), commands);
	return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
	               "account %s has no such image in '%s': expected a CustomAmi in the file, "
	               "or an AMI with the tag %s; nothing was made",
	               m->caller.account, m->region, IMAGES_TAG);
}

static int find_images(struct make *m, const struct stacks_item *was, struct err *e)
{
	struct arena *a = m->life->program.arena;
	const char *commands = "",
	           *head = doc_text(doc_get(m->file.config, "HeadNode"), "InstanceType");
	struct wanted_image wanted[] = {
	        {"HeadImage", "head", arch_of(m, head), custom_head_image(m)},
	        {"ComputeImage", "compute", NULL, m->life->compute_image},
	};
	int r = compute_arch(m, &wanted[1].arch, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < (m->stack.compute_image ? 2 : 1); i++) {
		if (was && stacks_parameter(was, wanted[i].parameter) && !wanted[i].given) {
			put_value(m, wanted[i].parameter, NULL);
			continue;
		}
		r = find_image(m, &wanted[i], e);
		if (r < 0)
			return r;
		if (r)
			commands = arena_printf(a, "%s%s", commands,
			                        images_commands(wanted[i].role, wanted[i].arch, a));
	}
	return *commands ? no_image(m, commands, e) : 0;
}

int make_values(struct make *m, const struct stacks_item *was, struct err *e)
{
	const char *vpc = m->life->vpc;

	if (!vpc && was)
		vpc = stacks_parameter(was, "Vpc");
	m->n_values = 0;
	put_value(m, "Bucket", m->store.bucket);
	put_value(m, "Configuration", m->key);
	int r = find_images(m, was, e);
	if (r < 0)
		return r;
	r = subnet_check(m->life, m->file.config, &m->faults, &vpc, e);
	if (r < 0)
		return r;
	if (m->stack.vpc)
		put_value(m, "Vpc", vpc);
	/* What somebody gave another value for has it still. */
	if (was && stacks_parameter(was, "StateSize"))
		put_value(m, "StateSize", NULL);
	if (was && m->stack.root_device && stacks_parameter(was, "HeadRootDevice"))
		put_value(m, "HeadRootDevice", NULL);
	return 0;
}

/* ---- to AWS ---- */

static bool is_long(const struct make *m)
{
	return m->stack.text.len > STACKS_BODY_MAX;
}

static const char *template_key(const struct make *m)
{
	char digest[SHA256_HEX];

	digest_hex(m->stack.text.data, m->stack.text.len, digest);
	return arena_printf(m->life->program.arena, "template-%s.json", digest);
}

int make_place(struct make *m, struct err *e)
{
	uint64_t deadline = m->life->program.deadline;
	bool ready = false;
	int r = store_look(&m->store, &ready, deadline, e);

	if (r < 0)
		return r;
	if (!ready) {
		feed_line(&m->feed, "bucket %s: made", m->store.bucket);
		r = store_make(&m->store, deadline, e);
		if (r < 0)
			return r;
	}
	if (!is_long(m))
		return 0;
	return store_put(&m->store, m->name, template_key(m), m->stack.text, deadline, e);
}

int make_upload(struct make *m, struct err *e)
{
	return store_put(&m->store, m->name, m->key, m->file.text, m->life->program.deadline, e);
}

bool make_is_same(const struct make *m, const struct stacks_item *s)
{
	return str_eq(stacks_parameter(s, "Configuration"), m->key) ||
	       str_eq(stacks_output(s, "ConfigSha256"), m->file.sha256);
}

/* The same request has the same token, so that one that is repeated makes nothing twice. */
static const char *token_of(struct make *m)
{
	struct arena *a = m->life->program.arena;
	struct digest *d = digest_new();
	unsigned char sum[SHA256_LEN];
	char digest[SHA256_HEX];

	digest_add(d, m->name, strlen(m->name) + 1);
	digest_add(d, m->stack.text.data, m->stack.text.len);
	for (size_t i = 0; i < m->n_values; i++) {
		const char *value = m->values[i].value;

		digest_add(d, m->values[i].key, strlen(m->values[i].key) + 1);
		digest_add(d, value ? value : "", value ? strlen(value) + 1 : 1);
	}
	digest_sum(d, sum);
	digest_close(d);
	digest_hex(sum, sizeof sum, digest);
	return arena_printf(a, "hpc-%s", digest);
}

static struct ec2_tag *tags_of(struct make *m, size_t *n)
{
	const struct doc *own = doc_get(m->file.config, "Tags");
	struct ec2_tag *tags = NULL;

	for (size_t i = 0; own && i < own->n; i++) {
		tags = arena_grow(m->life->program.arena, tags, n, sizeof *tags);
		tags[*n - 1] = (struct ec2_tag){doc_text(own->items[i], "Key"),
		                                doc_text(own->items[i], "Value")};
	}
	return tags;
}

struct stacks_request make_request(struct make *m)
{
	struct stacks_request q = {.name = m->name,
	                           .template = m->stack.text,
	                           .parameters = m->values,
	                           .n_parameters = m->n_values,
	                           .iam = m->stack.roles,
	                           .token = token_of(m)};

	q.tags = tags_of(m, &q.n_tags);
	if (is_long(m))
		q.url = store_url(&m->store, m->name, template_key(m), m->region,
		                  m->life->program.arena);
	return q;
}

/* ---- the end ---- */

static struct life_change change_of(struct make *m)
{
	return (struct life_change){.faults = &m->faults,
	                            .notes = &m->notes,
	                            .differences = m->differences,
	                            .refused = m->refused};
}

int make_done(struct make *m, const char *id, const char *status)
{
	const struct stacks_item s = {.name = m->name, .id = id, .status = status};
	struct life_change c = change_of(m);

	if (!m->life->voice)
		return 0;
	c.stack = id ? &s : NULL;
	return m->life->voice->changed(m->life, &c);
}

int make_fail(struct make *m, const struct err *e)
{
	const struct life_change c = change_of(m);
	const struct life_voice *voice = m->life->voice;
	struct arena *a = m->life->program.arena;
	const char *action = rights_action(e->text, a);
	const struct rights_place place = {m->caller.account, m->region, m->store.bucket, m->name};
	int status = voice ? voice->unchanged(m->life, &c, e)
	                   : program_faults(&m->life->program, &m->faults, e);

	if (action)
		log_err("the statement that allows it: %s", rights_statement(action, &place, a));
	return status;
}
