/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "verb/image.h"

#define HELP_MAX (16 * 1024)

static const struct command_verb verbs[] = {
        {"check", VERB_CHECK, "FILE...", 1, 4096, "Check recipes", verb_check},
        {"plan", VERB_PLAN, "RECIPE", 1, 1, "Show the steps of a recipe in their order", verb_plan},
        {"provision", VERB_PROVISION, "RECIPE", 1, 1, "Make the running machine what a recipe says",
         verb_provision},
        {"schema", VERB_SCHEMA, "", 0, 0, "Print the JSON Schema of recipes, for editors",
         verb_schema},
        {"publish", VERB_PUBLISH, "IMAGE", 1, 1, "Make an AMI of a raw disk", verb_publish},
        {"resume", VERB_RESUME, "RUN", 1, 1, "Go on with a publish that was broken off",
         verb_resume},
        {"gc", VERB_GC, "", 0, 0, "Remove what broken-off runs left in the account", verb_gc},
        {"copy", VERB_COPY, "AMI REGION", 2, 2, "Copy an AMI to another region", verb_copy},
        {"share", VERB_SHARE, "AMI ACCOUNT...", 2, 64, "Let other accounts use an AMI", verb_share},
        {"deprecate", VERB_DEPRECATE, "AMI TIME", 2, 2, "Say when an AMI is out of date",
         verb_deprecate},
        {"deregister", VERB_DEREGISTER, "AMI...", 1, 64, "Remove AMIs with their snapshots",
         verb_deregister},
        {"alias", VERB_ALIAS, "AMI PARAMETER", 2, 2, "Let an SSM parameter name an AMI",
         verb_alias},
        {"build", VERB_BUILD, "RECIPE", 1, 1, "Build an image", verb_build},
        {"lock", VERB_LOCK, "RECIPE", 1, 1, "Write down which packages a recipe comes to today",
         verb_lock},
        {"test", VERB_TEST, "IMAGE", 1, 1, "Start a disk in QEMU until it offers a login",
         verb_test},
        {"verify", VERB_VERIFY, "IMAGE", 1, 1, "Check what an image carries, and must not",
         verb_verify},
        {"diff", VERB_DIFF, "IMAGE IMAGE", 2, 2, "Tell how two images differ", verb_diff},
        {"shell", VERB_SHELL, "RECIPE [-- COMMAND...]", 1, 4096,
         "Run a shell or command in a built image; what it changes is dropped", verb_shell},
        {"cache", VERB_CACHE, "list|prune", 1, 1, "Show or shrink the store of layers", verb_cache},
        {"version", VERB_VERSION, "", 0, 0, "Print the version", verb_version},
        {0},
};
static const struct command command = {
        .name = "hpc-imagebuild",
        .about = "Bakes the image that the nodes of a Slurm cluster boot from.",
        .verbs = verbs,
        .options = option_table,
};

int verb_version(void *program)
{
	(void)program;
	printf("hpc-imagebuild %s\n", HPC_VERSION);
	return 0;
}

/* The only reader of the environment: the names that AWS's own tools use. */
static void read_environment(struct image *g)
{
	g->cloud_config = (struct cloud_config){
	        .imds_endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
	        .endpoint = getenv("AWS_ENDPOINT_URL"),
	        .s3_endpoint = getenv("AWS_ENDPOINT_URL_S3"),
	        .secrets_endpoint = getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
	        .ebs_endpoint = getenv("AWS_ENDPOINT_URL_EBS"),
	        .ec2_endpoint = getenv("AWS_ENDPOINT_URL_EC2"),
	        .ssm_endpoint = getenv("AWS_ENDPOINT_URL_SSM"),
	        .region = getenv("AWS_REGION"),
	        .ca_bundle = getenv("AWS_CA_BUNDLE"),
	        .access_key = getenv("AWS_ACCESS_KEY_ID"),
	        .secret_key = getenv("AWS_SECRET_ACCESS_KEY"),
	        .session_token = getenv("AWS_SESSION_TOKEN"),
	};
	g->profile = (struct profile_source){
	        .name = getenv("AWS_PROFILE"),
	        .home = getenv("HOME"),
	        .config_file = getenv("AWS_CONFIG_FILE"),
	        .credentials_file = getenv("AWS_SHARED_CREDENTIALS_FILE"),
	};
	g->term = getenv("TERM");
	if (!g->cloud_config.region)
		g->cloud_config.region = getenv("AWS_DEFAULT_REGION");
}

/* A core would hold credentials. */
static void no_core(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
}

/* What was promised to standard output must have arrived: a full disk is a failure. */
static int flushed(int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status != 0)
		return status;
	fprintf(stderr, "hpc-imagebuild: standard output could not be written\n");
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

static char program_name[] = "hpc-imagebuild";

int main(int argc, char **argv)
{
	struct image g = {0};
	struct err e;

	umask(022);
	no_core();
	if (command_parse(&command, argc, argv, &g.opt, &g.opt.line, &e) < 0) {
		fprintf(stderr, "hpc-imagebuild: %s\n", e.text);
		return 2;
	}
	if (g.opt.line.help)
		return flushed(print_help(g.opt.line.verb));
	log_set_sink(log_stderr_sink, program_name,
	             g.opt.verbose ? LOG_LEVEL_DEBUG
	             : g.opt.quiet ? LOG_LEVEL_ERR
	                           : LOG_LEVEL_NOTICE);
	read_environment(&g);
	g.start = clock_now();
	g.arena = arena_new();
	int status = g.opt.line.verb->run(&g);
	arena_close(g.arena);
	return flushed(status);
}
