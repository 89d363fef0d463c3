/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/options.h"

#define CONVERGE (VERB_BOOTSTRAP | VERB_PLAN)

static const char *const roles[] = {"compute", "head", "login", NULL};

const struct command_option option_table[] = {
        {"config", "URI", "cluster configuration: s3://, https://, file: or a path", 'c',
         CONVERGE | VERB_CHECK, COMMAND_TEXT, offsetof(struct options, config), NULL},
        {"cluster", "NAME", "cluster name", 0, CONVERGE | VERB_CHECK, COMMAND_TEXT,
         offsetof(struct options, cluster), NULL},
        {"role", "ROLE", "compute, head or login", 'r', CONVERGE | VERB_CHECK, COMMAND_CHOICE,
         offsetof(struct options, role), roles},
        {"node", "NAME", "this node's Slurm NodeName", 'n', CONVERGE | VERB_CHECK, COMMAND_TEXT,
         offsetof(struct options, node), NULL},
        {"head", "ADDRESS", "the head node's address", 0, CONVERGE | VERB_CHECK, COMMAND_TEXT,
         offsetof(struct options, head), NULL},
        {"munge-key", "URI", "where the munge key is: a URI or a Secrets Manager ARN", 0,
         CONVERGE | VERB_CHECK, COMMAND_TEXT, offsetof(struct options, munge_key), NULL},
        {"deadline", "TIME", "give up after this long, e.g. 300s", 0,
         CONVERGE | VERB_STATUS | VERB_FACTS | VERB_FETCH, COMMAND_DURATION,
         offsetof(struct options, deadline_ms), NULL},
        {"root", "DIR", "work on the system installed in DIR", 0, CONVERGE | VERB_STATUS,
         COMMAND_TEXT, offsetof(struct options, root), NULL},
        {"dry-run", NULL, "change nothing; print the plan and what it would change", 0,
         VERB_BOOTSTRAP, COMMAND_FLAG, offsetof(struct options, dry_run), NULL},
        {"wait", NULL, "wait until the run in progress has ended", 'w', VERB_STATUS, COMMAND_FLAG,
         offsetof(struct options, wait), NULL},
        {"output", "FILE", "write to FILE, replaced in one step", 'o', VERB_FETCH, COMMAND_TEXT,
         offsetof(struct options, output), NULL},
        {"sha256", "HEX", "the content must have this digest", 0, VERB_FETCH, COMMAND_TEXT,
         offsetof(struct options, sha256), NULL},
        {"json", NULL, "print JSON", 'j', CONVERGE | VERB_STATUS | VERB_FACTS, COMMAND_FLAG,
         offsetof(struct options, json), NULL},
        {"quiet", NULL, "print errors only", 'q', COMMAND_ANY, COMMAND_FLAG,
         offsetof(struct options, quiet), NULL},
        {"verbose", NULL, "print debugging messages", 'v', COMMAND_ANY, COMMAND_FLAG,
         offsetof(struct options, verbose), NULL},
        {0},
};
