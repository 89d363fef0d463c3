/* SPDX-License-Identifier: Apache-2.0 */
/* The kind `munge`: a cluster's key in place and munged running with it. munge.c has its promises. */
#pragma once

#include "plan/step.h"

extern const struct kind kind_munge;
