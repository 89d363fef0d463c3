/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs, and what else makes hpc-imagebuild a program. */
#include "account/account.h"
#include "verb/verb.h"

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
        {"lock", VERB_LOCK, "RECIPE [PACKAGE...]", 1, 1024,
         "Write down which packages a recipe comes to today", verb_lock},
        {"test", VERB_TEST, "IMAGE", 1, 1, "Start a disk in QEMU until it offers a login",
         verb_test},
        {"verify", VERB_VERIFY, "IMAGE", 1, 1, "Check what an image carries, and must not",
         verb_verify},
        {"diff", VERB_DIFF, "IMAGE IMAGE", 2, 2, "Tell how two images differ", verb_diff},
        {"shell", VERB_SHELL, "RECIPE [-- COMMAND...]", 1, 4096,
         "Run a shell or command in a built image; what it changes is dropped", verb_shell},
        {"cache", VERB_CACHE, "list|prune", 1, 1, "Show or shrink the store of layers", verb_cache},
        {"version", VERB_VERSION, "", 0, 0, "Print the version", program_version},
        {0},
};

const struct program_info image_program = {
        .command = {.name = "hpc-imagebuild",
                    .about = "Bakes the image that the nodes of a Slurm cluster boot from.",
                    .verbs = verbs,
                    .options = option_table},
        .hints = image_hints,
        .json_errors = true,
        .workstation = true,
};
