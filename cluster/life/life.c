/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-cluster: its verbs and options. */
#include "life/life.h"

#include <limits.h>

static const struct command_verb verbs[] = {
        {"configure", VERB_CONFIGURE, "FILE", 1, 1,
         "Ask what a cluster is to be, and write its configuration", verb_configure},
        {"template", VERB_TEMPLATE, "FILE", 1, 1,
         "Print the CloudFormation stack of a ParallelCluster file", verb_template},
        {"create", VERB_CREATE, "NAME FILE", 2, 2, "Make a cluster of a ParallelCluster file",
         verb_create},
        {"update", VERB_UPDATE, "NAME FILE", 2, 2,
         "Show what a file changes of a cluster, and do it", verb_update},
        {"delete", VERB_DELETE, "NAME", 1, 1, "Delete a cluster, its instances first", verb_delete},
        {"list", VERB_LIST, "", 0, 0, "List the clusters of the account in a region", verb_list},
        {"describe", VERB_DESCRIBE, "NAME", 1, 1, "Show how a cluster is", verb_describe},
        {"events", VERB_EVENTS, "NAME", 1, 1, "Show what became of a cluster's stack, and why",
         verb_events},
        {"instances", VERB_INSTANCES, "NAME", 1, 1, "Show the instances of a cluster",
         verb_instances},
        {"ssh", VERB_SSH, "NAME [ARG]...", 1, INT_MAX, "Log in to a cluster's head", verb_ssh},
        {"fleet", VERB_FLEET, "NAME [start|stop|status]", 1, 2,
         "Show a cluster's fleet, stop or start it", verb_fleet},
        {"doctor", VERB_DOCTOR, "FILE", 1, 1,
         "Show what of the account doesn't fit a cluster's file", verb_doctor},
        {"version", VERB_VERSION, "", 0, 0, "Print the version", program_version},
        {0},
};

static const char *const node_roles[] = {"head", "compute", "login", NULL};

#define LOOKING                                                                                    \
	(VERB_LIST | VERB_DESCRIBE | VERB_EVENTS | VERB_INSTANCES | VERB_SSH | VERB_FLEET |        \
	 VERB_DOCTOR)
#define MAKING  (VERB_CREATE | VERB_UPDATE)
#define CHANGES (MAKING | VERB_DELETE)
#define AT(m)   offsetof(struct life, m)
static const struct command_option options[] = {
        {"bucket", "NAME", "where the file is, or will be; default: CustomS3Bucket, the account's",
         0, VERB_TEMPLATE | VERB_CREATE | VERB_DELETE, COMMAND_TEXT, AT(bucket), NULL},
        {"image", "AMI", "the head's image; default: CustomAmi", 0, VERB_TEMPLATE | MAKING,
         COMMAND_TEXT, AT(image), NULL},
        {"compute-image", "AMI", "the nodes' image, for queues without CustomAmi", 0,
         VERB_TEMPLATE | MAKING, COMMAND_TEXT, AT(compute_image), NULL},
        {"vpc", "ID", "the network of the subnets", 0, VERB_TEMPLATE | MAKING, COMMAND_TEXT,
         AT(vpc), NULL},
        {"storage", "NAME=SOURCE", "what a shared storage is mounted from; again for more", 0,
         VERB_TEMPLATE | MAKING, COMMAND_LIST, AT(storage), NULL},
        {"strict", NULL, "what ParallelCluster would refuse is a fault", 0, VERB_TEMPLATE | MAKING,
         COMMAND_FLAG, AT(strict), NULL},
        {"no-wait", NULL, "end when CloudFormation has begun", 0, CHANGES, COMMAND_FLAG,
         AT(no_wait), NULL},
        {"keep-failed", NULL, "what a creation that fails has made stays, to be looked at", 0,
         VERB_CREATE, COMMAND_FLAG, AT(keep_failed), NULL},
        {"yes", NULL, "carry it out without a question", 'y', VERB_UPDATE, COMMAND_FLAG, AT(yes),
         NULL},
        {"purge", NULL, "delete what is the cluster's in the bucket, too", 0, VERB_DELETE,
         COMMAND_FLAG, AT(purge), NULL},
        {"follow", NULL, "go on until the newest change is over", 'f', VERB_EVENTS, COMMAND_FLAG,
         AT(follow), NULL},
        {"interval", "TIME", "time between two looks; default 5s", 0, CHANGES | VERB_EVENTS,
         COMMAND_DURATION, AT(interval_ms), NULL},
        {"role", "ROLE", "only nodes of that role", 0, VERB_INSTANCES, COMMAND_CHOICE, AT(role),
         node_roles},
        {"queue", "NAME", "only nodes of that queue", 0, VERB_INSTANCES, COMMAND_TEXT, AT(queue),
         NULL},
        {"user", "NAME", "log in as; default: the user of the image's system", 'l', VERB_SSH,
         COMMAND_TEXT, AT(user), NULL},
        {"identity", "FILE", "the private key", 'i', VERB_SSH, COMMAND_TEXT, AT(key_file), NULL},
        {"private", NULL, "to the private address, even if there is a public one", 0, VERB_SSH,
         COMMAND_FLAG, AT(inside), NULL},
        {"accept-new", NULL, "trust the key that the head shows the first time", 0, VERB_SSH,
         COMMAND_FLAG, AT(accept_new), NULL},
        {"dryrun", NULL, "tell what would be done, after all checks, and don't do it", 0,
         VERB_SSH | MAKING, COMMAND_FLAG, AT(dryrun), NULL},
        {"force", NULL, "replace the file, with its values as the defaults", 0, VERB_CONFIGURE,
         COMMAND_FLAG, AT(force), NULL},
        {"region", "NAME", "the region; default: the file's, AWS_REGION or the profile's", 0,
         LOOKING | CHANGES | VERB_CONFIGURE, COMMAND_TEXT, AT(region), NULL},
        PROGRAM_DEADLINE(LOOKING | CHANGES | VERB_CONFIGURE,
                         "time it may take; default 60s, of a change 1h"),
        PROGRAM_JSON(LOOKING | CHANGES),
        PROGRAM_QUIET,
        PROGRAM_VERBOSE,
        {0},
};
_Static_assert(ARRAY_LEN(options) <= COMMAND_OPTIONS_MAX + 1, "command.c reads no more rows");

static void end(struct program *p)
{
	cloud_close(((struct life *)p)->cloud);
}

const struct program_info life_info = {
        .command = {.name = "hpc-cluster",
                    .about = "Makes a Slurm cluster on AWS of a ParallelCluster file.",
                    .verbs = verbs,
                    .options = options},
        .workstation = true,
        .stacks = true,
        .close = end,
};
