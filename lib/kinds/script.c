/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scripts: the cluster's own programs, each run once.
 *
 * A script from a URI is never a file of the machine: it is checked in memory and run from there,
 * so that what runs is what was checked, on a /run mounted noexec too. It sees itself as
 * /dev/fd/N. Arguments are passed literally. Its output goes to the journal line by line as it
 * comes, the last lines of a failed one into the error.
 *
 * It has run when the path `creates` exists; else when a marker says so: for `every-boot` one in
 * /run that carries the digest of what ran (so a changed script runs again), for `first-boot` one
 * in /var/lib/hpc-node below the instance's id (so an image of a node that has run doesn't count).
 *
 * Stages: `start` comes before the file systems but /home are mounted, `configured` when all is
 * set up but slurmd, `joined` when the controller lists the node.
 */
#include <errno.h>

#include "kinds/kinds.h"
#include "kinds/script_own.h"
#include "plan/claim.h"

#define STATE_DIR "/var/lib/hpc-node"
#define KEY_LEN   16

static const char *const script_stages[] = {"start", "configured", "joined", NULL};
static const char *const script_whens[] = {"every-boot", "first-boot", NULL};

static const struct field script_fields[] = {
        {"run", FIELD_STRINGS, FIELD_AT(struct script_spec, run),
         .help = "the command as a list of program and arguments; no shell reads it"},
        {"source", FIELD_STRING, FIELD_AT(struct script_spec, source), .min = 1, .max = 2048,
         .help = "where the script is: s3://..., https://... or file:/..."},
        {"content", FIELD_STRING, FIELD_AT(struct script_spec, content), .min = 1, .max = 1 << 20,
         .help = "the script itself, beginning with #!"},
        {"sha256", FIELD_STRING, FIELD_AT(struct script_spec, sha256),
         .help = "64 hex digits that the script at 'source' must have"},
        {"args", FIELD_STRINGS, FIELD_AT(struct script_spec, args),
         .help = "arguments of the script, passed as they are"},
        {"env", FIELD_PAIRS, FIELD_AT(struct script_spec, env),
         .help = "variables beside PATH, LANG and HOME"},
        {"user", FIELD_STRING, FIELD_AT(struct script_spec, user), .help = "run as; default: root"},
        {"stage", FIELD_CHOICE, FIELD_AT(struct script_spec, stage), .choices = script_stages,
         .help = "start: before mounts other than /home; configured (default): when all but slurmd "
                 "is done; joined: when the node has joined"},
        {"when", FIELD_CHOICE, FIELD_AT(struct script_spec, when), .choices = script_whens,
         .help = "every-boot (default), or first-boot: once in the life of the instance"},
        {"without-home", FIELD_BOOL, FIELD_AT(struct script_spec, without_home),
         .help = "start: it does not wait until /home is mounted (default: it does)"},
        {"creates", FIELD_STRING, FIELD_AT(struct script_spec, creates),
         .help = "path that exists when it has run; then nothing else is asked"},
        {"network", FIELD_BOOL, FIELD_AT(struct script_spec, network),
         .help = "in an image's build it gets a network (default: none); a node has one anyway"},
        {0},
};

static const struct script_spec script_defaults = {.stage = SCRIPT_CONFIGURED};

static int claim_what(struct step *s, const struct script_spec *c, struct err *e)
{
	if (!!c->run.n + !!c->source + !!c->content != 1)
		return doc_err(s->at, e, REASON_INPUT_REQUIRED,
		               "expected one of 'run', 'source' and 'content'");
	if (c->sha256 && !c->source)
		return doc_err(claim_at(s, "sha256"), e, REASON_INPUT_RANGE,
		               "'sha256' is of a 'source'");
	if (c->args.n && c->run.n)
		return doc_err(claim_at(s, "args"), e, REASON_INPUT_RANGE,
		               "arguments of 'run' stand in its own list");
	int r = c->source ? claim_source(s, "source", c->source, e) : 0;
	if (r < 0)
		return r;
	return c->sha256 ? claim_sha256(s, "sha256", c->sha256, e) : 0;
}

static int claim_env(const struct script_spec *c, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char more[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

	for (size_t i = 0; i < c->env.n; i++) {
		const struct field_pair *p = &c->env.items[i];

		if (!strspn(p->name, letters) || p->name[strspn(p->name, more)])
			return doc_err(p->at, e, REASON_INPUT_RANGE,
			               "'%s' is not the name of a variable", p->name);
	}
	return 0;
}

/* Its name when it has no id: the last part of its path, without a query. */
static const char *own_name(const struct script_spec *c, struct arena *a)
{
	const char *text = c->source ? c->source : c->run.n ? c->run.items[0] : "content";
	size_t len = strcspn(text, "?");
	char *path = arena_memdup(a, text, len);
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void add_field(struct strbuf *b, const char *name, const char *value)
{
	if (value)
		strbuf_printf(b, "%s %zu %s\n", name, strlen(value), value);
}

/* The script's identity: everything the document says about what runs, and as which user. */
static const char *identity(const struct script_spec *c, struct arena *a)
{
	struct strbuf b = STRBUF(a, 4UL << 20);
	char hex[SHA256_HEX];

	for (size_t i = 0; i < c->run.n; i++)
		add_field(&b, "run", c->run.items[i]);
	add_field(&b, "source", c->source);
	add_field(&b, "content", c->content);
	for (size_t i = 0; i < c->args.n; i++)
		add_field(&b, "arg", c->args.items[i]);
	for (size_t i = 0; i < c->env.n; i++) {
		add_field(&b, "name", c->env.items[i].name);
		add_field(&b, "value", c->env.items[i].value);
	}
	add_field(&b, "user", c->user);
	digest_hex(b.data, b.len, hex);
	return arena_printf(a, "%.*s", KEY_LEN, hex);
}

/* dpkg run in parallel with ours would fail on its lock, so scripts come after packages in every
 * stage. */
static void claim_order(struct step *s, const struct script_spec *c)
{
	static const char *const needs[] = {"name:self", "pkg:*", "user:*", "group:*"};
	static const char *const configured[] = {"stage:start", "mount:*", "munge:ready",
	                                         "path:/etc/sysctl.d/*", "path:/etc/security/*"};

	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		step_needs(s, "%s", needs[i]);
	if (c->stage == SCRIPT_START && !c->without_home)
		step_needs(s, "mount:/home");
	for (size_t i = 0; c->stage != SCRIPT_START && i < ARRAY_LEN(configured); i++)
		step_needs(s, "%s", configured[i]);
	if (c->stage != SCRIPT_START)
		claim_after(s, "files");
	if (c->stage == SCRIPT_JOINED)
		step_needs(s, "slurm:registered");
	if (c->run.n && c->run.items[0][0] == '/')
		step_needs(s, "path:%s", c->run.items[0]);
	step_provides(s, "stage:%s", script_stages[c->stage]);
	if (c->creates)
		step_provides(s, "path:%s", c->creates);
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct script_spec *c = fields;
	const char *instance = vars_get(facts, "instance-id");
	int r = claim_what(s, c, e);

	if (r < 0)
		return r;
	r = claim_env(c, e);
	if (r < 0)
		return r;
	r = c->user ? claim_account(claim_at(s, "user"), c->user, e) : 0;
	if (r < 0)
		return r;
	r = c->creates ? claim_path(s, "creates", &c->creates, e) : 0;
	if (r < 0)
		return r;
	c->name = s->policy.id ? s->policy.id : own_name(c, s->arena);
	if (!s->policy.id)
		step_name(s, "%s", c->name);
	const char *key = identity(c, s->arena);
	if (c->when == SCRIPT_FIRST_BOOT)
		c->marker = arena_printf(s->arena, "%s/scripts/%s/%s", STATE_DIR,
		                         instance ? instance : "no-instance", key);
	else
		c->marker = arena_printf(s->arena, "/run/hpc-node/scripts/%s", key);
	c->text = arena_alloc(s->arena, sizeof *c->text);
	c->text->arena = s->arena;
	claim_order(s, c);
	return 0;
}

static struct blob marker_text(const struct script_spec *c, struct arena *a)
{
	char *text = arena_printf(a, "%s\n", c->text->digest);

	return (struct blob){text, strlen(text)};
}

/* Whether what ran then is what would run now: only a script from a URI can have changed. */
static int marker_holds(const struct step_ctx *c, const struct script_spec *s, struct err *e)
{
	static const struct host_owner root = {0};

	int r = host_lookup(c->host, s->marker, e);

	if (r <= 0)
		return r;
	if (s->when == SCRIPT_FIRST_BOOT)
		return 1;
	r = script_load(c, s, e);
	return r < 0 ? r
	             : host_file_is(c->host, s->marker, marker_text(s, c->arena), 0644, &root, e);
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct script_spec *s = fields;

	return s->creates ? host_lookup(c->host, s->creates, e) : marker_holds(c, s, e);
}

static int leave_marker(const struct step_ctx *c, const struct script_spec *s, struct err *e)
{
	static const struct host_owner root = {0};
	int r = s->when == SCRIPT_FIRST_BOOT ? host_mkdir(c->host, STATE_DIR, 0700, &root, e) : 0;

	return r < 0 ? r : host_write(c->host, s->marker, marker_text(s, c->arena), 0644, &root, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct script_spec *s = fields;
	int r = script_load(c, s, e);

	if (r < 0)
		return r;
	r = script_run(c, s, e);
	if (r < 0 || s->creates)
		return r;
	return leave_marker(c, s, e);
}

static bool network(const void *fields)
{
	const struct script_spec *s = fields;

	return s->network;
}

const struct kind kind_scripts = {
        .section = "scripts",
        .summary = "programs of the cluster's own, each run once",
        .shape = KIND_LIST,
        .fields = script_fields,
        .size = sizeof(struct script_spec),
        .defaults = &script_defaults,
        .timeout_ms = 1800000,
        .network = network,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
