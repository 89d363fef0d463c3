/* SPDX-License-Identifier: Apache-2.0 */
/* Translates ParallelCluster's commands to our verbs. */
#include "compat/compat.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "compat/answer.h"
#include "compat/arguments.h"
#include "program/link.h"

#define ARGV_OURS 24
#define INTERVAL  "1s" /* between two looks at what an answer waits for */

/* ---- ParallelCluster's commands ---- */

enum {
	LIST = 1,
	DESCRIBE = 2,
	INSTANCES = 4,
	FLEET = 8,
	UPDATE_FLEET = 16,
	EVENTS = 32,
	SSH = 64,
	VERSION = 128,
	CONFIGURE = 256,
	CREATE = 512,
	UPDATE = 1024,
	DELETE = 2048,
};
#define MAKING     (CREATE | UPDATE)
#define CHANGES    (MAKING | DELETE)
#define OF_CLUSTER (DESCRIBE | INSTANCES | FLEET | UPDATE_FLEET | EVENTS | SSH | CHANGES)
#define ANSWERING  (LIST | DESCRIBE | INSTANCES | FLEET | UPDATE_FLEET | EVENTS | CHANGES)

static const struct arguments_command commands[] = {
        {"list-clusters", LIST, false},
        {"create-cluster", CREATE, false},
        {"delete-cluster", DELETE, false},
        {"describe-cluster", DESCRIBE, false},
        {"update-cluster", UPDATE, false},
        {"describe-compute-fleet", FLEET, false},
        {"update-compute-fleet", UPDATE_FLEET, false},
        {"delete-cluster-instances", 0, false},
        {"describe-cluster-instances", INSTANCES, false},
        {"list-cluster-log-streams", 0, false},
        {"get-cluster-log-events", 0, false},
        {"get-cluster-stack-events", EVENTS, false},
        {"list-images", 0, false},
        {"build-image", 0, false},
        {"delete-image", 0, false},
        {"describe-image", 0, false},
        {"list-image-log-streams", 0, false},
        {"get-image-log-events", 0, false},
        {"get-image-stack-events", 0, false},
        {"list-official-images", 0, false},
        {"configure", CONFIGURE, false},
        {"dcv-connect", 0, false},
        {"export-cluster-logs", 0, false},
        {"export-image-logs", 0, false},
        {"ssh", SSH, true},
        {"version", VERSION, false},
        {0},
};

static const char *const cluster_statuses[] = {"CREATE_IN_PROGRESS", "CREATE_FAILED",
                                               "CREATE_COMPLETE",    "DELETE_IN_PROGRESS",
                                               "DELETE_FAILED",      "DELETE_COMPLETE",
                                               "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE",
                                               "UPDATE_FAILED",      NULL};
static const char *const node_types[] = {"HeadNode", "ComputeNode", "LoginNode", NULL};
static const char *const fleet_statuses[] = {"START_REQUESTED", "STOP_REQUESTED", "ENABLED",
                                             "DISABLED", NULL};

static const char *const levels[] = {"INFO", "WARNING", "ERROR", NULL};

#define AT(m)   offsetof(struct compat, m)
#define ALL_OPS (OF_CLUSTER | LIST | VERSION | CONFIGURE)
static const struct arguments_row rows[] = {
        {"debug", 0, ARGUMENTS_FLAG, ALL_OPS, 0, AT(debug), NULL},
        {"query", 0, ARGUMENTS_TEXT, ANSWERING, 0, AT(query), NULL},
        {"region", 'r', ARGUMENTS_TEXT, OF_CLUSTER | LIST | CONFIGURE, 0, AT(region), NULL},
        {"config", 'c', ARGUMENTS_TEXT, CONFIGURE, CONFIGURE, AT(config), NULL},
        {"next-token", 0, ARGUMENTS_TEXT, LIST | INSTANCES | EVENTS, 0, AT(token), NULL},
        {"cluster-status", 0, ARGUMENTS_MANY, LIST, 0, AT(life.statuses), cluster_statuses},
        {"cluster-name", 'n', ARGUMENTS_TEXT, OF_CLUSTER, OF_CLUSTER, AT(cluster), NULL},
        {"node-type", 0, ARGUMENTS_TEXT, INSTANCES, 0, AT(node_type), node_types},
        {"queue-name", 0, ARGUMENTS_TEXT, INSTANCES, 0, AT(queue), NULL},
        {"status", 0, ARGUMENTS_TEXT, UPDATE_FLEET, UPDATE_FLEET, AT(status), fleet_statuses},
        {"dryrun", 0, ARGUMENTS_SWITCH, SSH | MAKING, 0, AT(dryrun), NULL},
        {"cluster-configuration", 'c', ARGUMENTS_TEXT, MAKING, MAKING, AT(file), NULL},
        {"rollback-on-failure", 0, ARGUMENTS_SWITCH, CREATE, 0, AT(rollback), NULL},
        {"suppress-validators", 0, ARGUMENTS_MANY, MAKING, 0, AT(suppressed), NULL},
        {"validation-failure-level", 0, ARGUMENTS_TEXT, MAKING, 0, AT(level), levels},
        {"force-update", 0, ARGUMENTS_SWITCH, UPDATE, 0, AT(life.force), NULL},
        {0},
};

/* ---- what ParallelCluster checks of values ---- */

/* "^[a-zA-Z][a-zA-Z0-9-]+$" */
static bool is_name(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char rest[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

	return strspn(s, letters) && strlen(s) >= 2 && !s[strspn(s, rest)];
}

/* "eu-west-1", "us-gov-east-1": two letters, names, a number. */
static bool is_region(const char *s)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
	size_t len = strspn(s, lower), parts = 0;

	if (len != 2)
		return false;
	for (s += len; *s == '-'; s += len) {
		s++;
		len = strspn(s, lower);
		if (!len)
			break;
		parts++;
	}
	len = strspn(s, "0123456789");
	return parts && len && !s[len] && s[-1] == '-';
}

/* "^(ALL|type:[A-Za-z0-9]+)$" */
static bool is_suppressor(const char *s)
{
	static const char letters[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const char *type = s + strlen("type:");

	if (str_eq(s, "ALL"))
		return true;
	return str_starts(s, "type:") && *type && !type[strspn(type, letters)];
}

/* Of create-cluster and update-cluster. */
static const char *check_file(const struct compat *c, struct arena *a)
{
	struct stat st;

	for (size_t i = 0; i < c->suppressed.n; i++)
		if (!is_suppressor(c->suppressed.items[i]))
			return arena_printf(a,
			                    "Bad Request: '%s' does not match "
			                    "'^(ALL|type:[A-Za-z0-9]+)$' - 'suppress-validators'",
			                    c->suppressed.items[i]);
	if (!c->file)
		return NULL;
	if (stat(c->file, &st) < 0 && errno == ENOENT)
		return arena_printf(a, "Bad Request: File not found: '%s'", c->file);
	if (stat(c->file, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size)
		return "Bad Request: configuration is required and cannot be empty";
	return NULL;
}

static const char *check(const struct compat *c, struct arena *a)
{
	if (c->cluster && !is_name(c->cluster))
		return arena_printf(a,
		                    "Bad Request: '%s' does not match '^[a-zA-Z][a-zA-Z0-9-]+$' - "
		                    "'cluster-name'",
		                    c->cluster);
	if (c->region && !is_region(c->region))
		return arena_printf(a, "Bad Request: invalid or unsupported region '%s'",
		                    c->region);
	if (c->token) /* answers here have all in one */
		return arena_printf(a, "Bad Request: Invalid token: '%s'", c->token);
	if (c->status && !str_ends(c->status, "_REQUESTED"))
		return "Bad Request: the update compute fleet status can only be set to "
		       "`START_REQUESTED` or `STOP_REQUESTED` for Slurm clusters.";
	return check_file(c, a);
}

/* ---- our command lines ---- */

struct line {
	char *argv[ARGV_OURS + 1];
	int n;
};

static void add(struct line *l, const char *word)
{
	l->argv[l->n++] = (char *)(uintptr_t)word;
}

static void add_option(struct line *l, const char *option, const char *value)
{
	if (!value)
		return;
	add(l, option);
	add(l, value);
}

static const char *role(const char *type)
{
	static const char *const ours[] = {"head", "compute", "login"};

	for (size_t i = 0; type && i < ARRAY_LEN(ours); i++)
		if (str_eq(type, node_types[i]))
			return ours[i];
	return NULL;
}

static const char *verb(unsigned bit)
{
	static const struct {
		unsigned bit;
		const char *verb;
	} verbs[] = {{LIST, "list"},     {DESCRIBE, "describe"},   {INSTANCES, "instances"},
	             {FLEET, "fleet"},   {UPDATE_FLEET, "fleet"},  {EVENTS, "events"},
	             {SSH, "ssh"},       {CONFIGURE, "configure"}, {CREATE, "create"},
	             {UPDATE, "update"}, {DELETE, "delete"}};
	size_t i = 0;

	while (verbs[i].bit != bit)
		i++;
	return verbs[i].verb;
}

static struct line translate(const struct compat *c, unsigned bit)
{
	struct line l = {0};

	add(&l, "hpc-cluster");
	add(&l, verb(bit));
	if (bit == SSH ? c->dryrun : !(bit & (CONFIGURE | CHANGES)))
		add(&l, "--json");
	if (c->dryrun)
		add(&l, "--dryrun");
	if (bit & CHANGES) { /* their events are no answer, and nobody waits for CloudFormation */
		add(&l, "--quiet");
		add(&l, "--no-wait");
	}
	if (bit == UPDATE)
		add(&l, "--yes");
	add_option(&l, "--interval", bit & (UPDATE | DELETE) ? INTERVAL : NULL);
	if (c->debug)
		add(&l, "--verbose");
	add_option(&l, "--region", c->region);
	add_option(&l, "--role", role(c->node_type));
	add_option(&l, "--queue", c->queue);
	add(&l, "--");
	if (c->cluster)
		add(&l, c->cluster);
	if (c->config)
		add(&l, c->config);
	if (c->file)
		add(&l, c->file);
	if (bit == UPDATE_FLEET)
		add(&l, str_eq(c->status, "START_REQUESTED") ? "start" : "stop");
	return l;
}

/* ---- the whole ---- */

static int help(const struct arguments *args)
{
	if (args->command)
		printf("usage: pcluster %s [-h]", args->command->name);
	else
		printf("usage: pcluster [-h] COMMAND ...\n");
	for (const struct arguments_row *r = rows; args->command && r->name; r++)
		if (r->commands & args->command->bit)
			printf(r->required & args->command->bit ? " --%s%s" : " [--%s%s]", r->name,
			       r->kind == ARGUMENTS_FLAG ? "" : " VALUE");
	for (const struct arguments_command *c = commands; !args->command && c->name; c++)
		if (c->bit)
			printf("    %s\n", c->name);
	if (args->command)
		printf("\n");
	printf("These are hpc-cluster's verbs under ParallelCluster's names: hpc-cluster(1).\n");
	return fflush(stdout) == 0 ? 0 : 1;
}

static int version(struct arena *a)
{
	return answer_object(a, "version", COMPAT_VERSION, 0);
}

/* Faults can't be suppressed: no node would start with them. */
static void set_validation(struct compat *c)
{
	for (size_t i = 0; i < c->suppressed.n; i++)
		c->unnoted |= str_eq(c->suppressed.items[i], "ALL") ||
		              str_eq(c->suppressed.items[i], "type:" ANSWER_NOTES);
	c->life.note_is_fault = c->level && !str_eq(c->level, "ERROR") && !c->unnoted;
}

static int run(struct compat *c, const struct arguments *args, struct arena *a)
{
	struct line l;
	struct program_info info = life_info;
	const char *words = check(c, a);

	if (args->help)
		return help(args);
	if (!args->command->bit)
		words = arena_printf(a, "Bad Request: hpc-cluster doesn't have '%s'",
		                     args->command->name);
	if (words)
		return answer_object(a, "message", words, 1);
	if (args->command->bit == VERSION)
		return version(a);
	l = translate(c, args->command->bit);
	set_validation(c);
	c->creates = args->command->bit == CREATE;
	c->life.keep_failed = !c->rollback;
	c->life.voice = &answer_voice;
	c->life.ssh_more = args->command->bit == SSH ? args->extra : NULL;
	info.fail = args->command->bit & ANSWERING ? answer_failure : answer_words;
	return program_main(&info, l.n, l.argv, &c->life.program);
}

bool compat_run(int argc, char **argv, int *ret_status)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	scope_arena struct arena *a = NULL;
	struct compat c = {.rollback = true};
	struct arguments args = {0};
	const char *words = NULL;

	if (argc < 1 || !str_eq(slash ? slash + 1 : argv[0], "pcluster"))
		return false;
	program_standard_streams();
	a = arena_new();
	*ret_status = arguments_parse(commands, rows, argc, argv, a, &c, &args, &words);
	if (*ret_status == 2)
		fprintf(stderr, "%s\n", words);
	else if (*ret_status && str_starts(words, "Bad Request: "))
		*ret_status = answer_object(a, "message", words, 1);
	else if (*ret_status)
		puts(words);
	else
		*ret_status = run(&c, &args, a);
	return true;
}
