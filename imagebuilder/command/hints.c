/* SPDX-License-Identifier: Apache-2.0 */
/* The hints of hpc-imagebuild: for a workstation or build machine, with a person's credentials. */
#include "command/image.h"

const struct reason_hint image_hints[] = {
        {REASON_INPUT_LIMIT, "the ceilings are in hpc-imagebuild(8)"},
        {REASON_NO_INSTANCE_ROLE, "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or attach an instance "
                                  "profile to this instance"},
        {REASON_NO_REGION, "set AWS_REGION, or give --region"},
        {REASON_AWS_DENIED, "hpc-imagebuild(8) lists the actions its credentials need"},
        {REASON_AWS_THROTTLED, "what else uses the account's rate? fewer --connections help"},
        {REASON_AWS_STATE, "'hpc-imagebuild gc' removes it"},
        {REASON_HOST_SPACE, "'hpc-imagebuild cache prune' makes room in the store; --store and "
                            "--output may be on another disk"},
        {REASON_DEADLINE, "--deadline gives it more time"},
        {REASON_STEP_TIMEOUT, "raise 'timeout' of the step, component or test in the recipe"},
        {REASON_UNIT_MISSING, "add the package that has it to the recipe's 'packages'"},
        {REASON_HOST_PACKAGE, "mind the name, and this machine's apt sources or repositories"},
        {REASON_INTERRUPTED, "the same command goes on behind what is finished"},
        {REASON_BUSY, "run it again when the other one has ended"},
        {0},
};
