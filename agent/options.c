/* SPDX-License-Identifier: Apache-2.0 */
/* The options of hpc-agent, and which verbs take them. */
#include "agent/agent.h"

#define AT(m)    offsetof(struct agent, opt.m)
#define CONVERGE (VERB_BOOTSTRAP | VERB_PLAN)

static const char *const roles[] = {"compute", "head", "login", NULL};

const struct command_option option_table[] = {
        {"config", "URI", "cluster configuration: s3://, https://, file: or a path", 'c',
         CONVERGE | VERB_CHECK, COMMAND_TEXT, AT(config), NULL},
        {"cluster", "NAME", "cluster name", 0, CONVERGE | VERB_CHECK | VERB_RENDER, COMMAND_TEXT,
         AT(cluster), NULL},
        {"role", "ROLE", "what the node is in its cluster", 'r',
         CONVERGE | VERB_CHECK | VERB_RENDER, COMMAND_CHOICE, AT(role), roles},
        {"node", "NAME", "this node's Slurm NodeName", 'n', CONVERGE | VERB_CHECK | VERB_RENDER,
         COMMAND_TEXT, AT(node), NULL},
        {"head", "ADDRESS", "the head node's address", 0, CONVERGE | VERB_CHECK | VERB_RENDER,
         COMMAND_TEXT, AT(head), NULL},
        {"munge-key", "URI", "where the munge key is: a URI or a Secrets Manager ARN", 0,
         CONVERGE | VERB_CHECK, COMMAND_TEXT, AT(munge_key), NULL},
        PROGRAM_DEADLINE(CONVERGE | VERB_STATUS | VERB_FACTS | VERB_FETCH,
                         "give up after this long, e.g. 300s"),
        {"root", "DIR", "work on the system installed in DIR", 0, CONVERGE | VERB_STATUS,
         COMMAND_TEXT, AT(root), NULL},
        {"node-document", "FILE", "the node document that goes with the configuration", 0,
         VERB_CHECK | VERB_RENDER, COMMAND_TEXT, AT(node_document), NULL},
        {"slurm", "VERSION", "the release of Slurm that reads the files; default: 22.05", 0,
         VERB_CHECK | VERB_RENDER, COMMAND_TEXT, AT(slurm), NULL},
        {"strict", NULL, "refuse what a known ParallelCluster would refuse", 0,
         VERB_CHECK | VERB_RENDER, COMMAND_FLAG, AT(strict), NULL},
        {"dry-run", NULL, "change nothing; print the plan and what it would change", 0,
         VERB_BOOTSTRAP, COMMAND_FLAG, AT(dry_run), NULL},
        {"wait", NULL, "wait until the run in progress has ended", 'w', VERB_STATUS, COMMAND_FLAG,
         AT(wait), NULL},
        {"output", "FILE", "write to FILE, replaced in one step; of render, a directory", 'o',
         VERB_FETCH | VERB_RENDER, COMMAND_TEXT, AT(output), NULL},
        {"sha256", "HEX", "the content must have this digest", 0, VERB_FETCH, COMMAND_TEXT,
         AT(sha256), NULL},
        PROGRAM_JSON(CONVERGE | VERB_STATUS | VERB_FACTS),
        PROGRAM_QUIET,
        PROGRAM_VERBOSE,
        {0},
};
_Static_assert(ARRAY_LEN(option_table) <= COMMAND_OPTIONS_MAX + 1, "command.c reads no more rows");
