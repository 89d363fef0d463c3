/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/log.h"
#include "host/journal.h"

#define DEADLINE_BOOTSTRAP_MS (300 * 1000) /* until the node document tells */
#define DEADLINE_QUERY_MS     (60 * 1000)
#define HELP_MAX              (16 * 1024)

static const struct command_verb verbs[] = {
        {"bootstrap", VERB_BOOTSTRAP, "", 0, 0, "Make this machine the node it is described to be",
         verb_bootstrap},
        {"plan", VERB_PLAN, "", 0, 0, "Show what bootstrap would do, and do nothing", verb_plan},
        {"status", VERB_STATUS, "", 0, 0, "Show how the last bootstrap went", verb_status},
        {"check", VERB_CHECK, "FILE", 1, 1, "Check a configuration or node document", verb_check},
        {"facts", VERB_FACTS, "", 0, 0, "Show what is known about this instance", verb_facts},
        {"fetch", VERB_FETCH, "URI", 1, 1, "Fetch an object with the instance's role", verb_fetch},
        {"explain", VERB_EXPLAIN, "[SECTION|REASON]", 0, 1, "Explain a section or a reason",
         verb_explain},
        {"version", VERB_VERSION, "", 0, 0, "Print the version", verb_version},
        {0},
};
static const struct command command = {
        .name = "hpc-agent",
        .about = "Turns a freshly booted EC2 instance into a working Slurm node.",
        .verbs = verbs,
        .options = option_table,
};

int verb_version(void *program)
{
	(void)program;
	printf("hpc-agent %s\n", HPC_VERSION);
	return 0;
}

/* systemd.exec(5): JOURNAL_STREAM holds device and inode of the stream that standard error is. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(mine, sizeof mine, "%llu:%llu", (unsigned long long)st.st_dev,
	         (unsigned long long)st.st_ino);
	return str_eq(stream, mine);
}

static char program_name[] = "hpc-agent"; /* SYSLOG_IDENTIFIER */

static void open_log(const struct options *o)
{
	enum log_level max = o->verbose ? LOG_LEVEL_DEBUG
	                     : o->quiet ? LOG_LEVEL_ERR
	                                : LOG_LEVEL_NOTICE;

	/* Under systemd stderr is the journal: then records go there whole, with their fields. */
	if (stderr_is_journal())
		log_set_sink(journal_sink, program_name,
		             o->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	else
		log_set_sink(log_stderr_sink, program_name, max);
}

static bool is_on(const char *variable)
{
	const char *value = getenv(variable);
	bool on = false;

	return value && str_bool(value, &on) == 0 && on;
}

/* The only reader of the environment. Root's, never user data's. */
static void read_environment(struct agent *g)
{
	g->cloud_config = (struct cloud_config){
	        .imds_endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
	        .endpoint = getenv("AWS_ENDPOINT_URL"),
	        .s3_endpoint = getenv("AWS_ENDPOINT_URL_S3"),
	        .secrets_endpoint = getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
	        .region = getenv("AWS_REGION"),
	        .ca_bundle = getenv("AWS_CA_BUNDLE"),
	        .dualstack = is_on("AWS_USE_DUALSTACK_ENDPOINT"),
	};
	g->no_metadata = is_on("AWS_EC2_METADATA_DISABLED");
}

/* A core would hold the role's credentials. Sanitizers need to look into the process they check,
 * and a plain user's own /proc/self/fd, which `fetch -o` links from, is closed to a process that
 * isn't dumpable. */
static void no_core(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef HPC_SANITIZE
	if (geteuid() == 0)
		prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int run(struct agent *g)
{
	bool converges = g->opt.line.verb->bit & (VERB_BOOTSTRAP | VERB_PLAN);
	uint64_t ms = g->opt.deadline_ms ? g->opt.deadline_ms
	              : converges        ? DEADLINE_BOOTSTRAP_MS
	                                 : DEADLINE_QUERY_MS;

	g->start = clock_now();
	g->deadline = clock_in_ms(ms);
	g->arena = arena_new();
	g->facts.arena = g->arena;
	int status = g->opt.line.verb->run(g);
	cloud_close(g->cloud);
	host_close(g->host);
	arena_close(g->arena);
	return status;
}

/* What was promised to standard output must have arrived: a full disk is a failure. */
static int flushed(int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status != 0)
		return status;
	fprintf(stderr, "hpc-agent: standard output could not be written\n");
	return 1;
}

static int print_help(const struct command_verb *verb)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, HELP_MAX);

	command_help(&command, verb, &b);
	fwrite(b.data, 1, b.len, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct agent g = {.opt = {.root = "/"}};
	struct err e;

	umask(022);
	no_core();
	if (command_parse(&command, argc, argv, &g.opt, &g.opt.line, &e) < 0) {
		fprintf(stderr, "hpc-agent: %s\n", e.text);
		return 2;
	}
	if (g.opt.line.help)
		return flushed(print_help(g.opt.line.verb));
	open_log(&g.opt);
	read_environment(&g);
	return flushed(run(&g));
}
