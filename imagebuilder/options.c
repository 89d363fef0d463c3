/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#define RECIPE (VERB_CHECK | VERB_PLAN | VERB_PROVISION)
#define AT(m)  offsetof(struct options, m)

const struct command_option option_table[] = {
        {"set", "NAME=VALUE", "a fact that the recipe may use as ${NAME}; may be given again", 0,
         RECIPE, COMMAND_LIST, AT(set), NULL},
        {"root", "DIR", "work on the system installed in DIR", 0, VERB_PROVISION, COMMAND_TEXT,
         AT(root), NULL},
        {"deadline", "TIME", "give up after this long (default: 4h)", 0, VERB_PROVISION,
         COMMAND_DURATION, AT(deadline_ms), NULL},
        {"json", NULL, "print JSON", 'j', VERB_PLAN | VERB_PROVISION, COMMAND_FLAG, AT(json), NULL},
        {"quiet", NULL, "print errors only", 'q', COMMAND_ANY, COMMAND_FLAG, AT(quiet), NULL},
        {"verbose", NULL, "print debugging messages", 'v', COMMAND_ANY, COMMAND_FLAG, AT(verbose),
         NULL},
        {0},
};
