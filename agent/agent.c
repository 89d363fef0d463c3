/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-agent: its verbs, and what they all begin and end with. */
#include "agent/agent.h"

#define DEADLINE_BOOTSTRAP_MS (300 * 1000) /* until the node document sets one */
#define DEADLINE_QUERY_MS     (60 * 1000)

static const struct command_verb verbs[] = {
        {"bootstrap", VERB_BOOTSTRAP, "", 0, 0, "Make this machine the node it is described to be",
         verb_bootstrap},
        {"plan", VERB_PLAN, "", 0, 0, "Show what bootstrap would do, and do nothing", verb_plan},
        {"status", VERB_STATUS, "", 0, 0, "Show how the last bootstrap went", verb_status},
        {"check", VERB_CHECK, "FILE", 1, 1, "Check a configuration or node document", verb_check},
        {"render", VERB_RENDER, "FILE", 1, 1, "Write the files that a head node would have",
         verb_render},
        {"facts", VERB_FACTS, "", 0, 0, "Show what is known about this instance", verb_facts},
        {"fetch", VERB_FETCH, "URI", 1, 1, "Fetch an object with the instance's role", verb_fetch},
        {"explain", VERB_EXPLAIN, "[SECTION|REASON]", 0, 1, "Explain a section or a reason",
         verb_explain},
        {"version", VERB_VERSION, "", 0, 0, "Print the version", program_version},
        {0},
};

static void begin(struct program *p)
{
	struct agent *g = (struct agent *)p;
	bool converges = p->line.verb->bit & (VERB_BOOTSTRAP | VERB_PLAN);

	program_deadline(p, converges ? DEADLINE_BOOTSTRAP_MS : DEADLINE_QUERY_MS);
	g->facts.arena = p->arena;
}

static void end(struct program *p)
{
	struct agent *g = (struct agent *)p;

	cloud_close(g->cloud);
	host_close(g->host);
}

const struct program_info agent_info = {
        .command = {.name = "hpc-agent",
                    .about = "Turns a freshly booted EC2 instance into a working Slurm node.",
                    .verbs = verbs,
                    .options = option_table},
        .hints = agent_hints,
        .begin = begin,
        .close = end,
};
