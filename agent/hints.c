/* SPDX-License-Identifier: Apache-2.0 */
/* The hints of hpc-agent: about a booting node, its image, its launch template and its role. */
#include "agent/agent.h"

const struct reason_hint agent_hints[] = {
        {REASON_BUG, "report it with the node's journal: journalctl -b -t hpc-agent"},
        {REASON_INPUT_LIMIT, "the ceilings are in hpc-agent(8)"},
        {REASON_INPUT_FACT, "'hpc-agent facts' lists those that are; tags need instance tags in "
                            "metadata enabled"},
        {REASON_NO_INSTANCE_ROLE, "attach an instance profile to the launch template"},
        {REASON_HTTP_TOO_LARGE, "is the URI the right one? the ceilings are in hpc-agent(8)"},
        {REASON_HOST_SPACE,
         "grow the root volume in the launch template; old files were left untouched"},
        {REASON_HOST_EXEC, "is its package in the image?"},
        {REASON_HOST_PACKAGE,
         "bake it into the image: hpc-imagebuild; installing at boot needs a reachable mirror"},
        {REASON_UNIT_MISSING, "is the package that ships it in the image?"},
        {REASON_SLURM_MISSING,
         "bake slurmd, or for a head slurmctld, into the image; a slurmd elsewhere needs 'prefix'"},
        {REASON_SLURM_VERSION,
         "slurmd must not be newer than slurmctld, nor older than its last "
         "two releases (three from 24.11 on): bake the head's version into the image"},
        {REASON_SCRIPT_FAILED, "all it said is in the journal: journalctl -b -t hpc-agent"},
        {REASON_DEADLINE, "'hpc-agent status' shows what was still running and for how long"},
        {REASON_BUSY, "wait for it: hpc-agent status --wait"},
        {0},
};
