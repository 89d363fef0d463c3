/* SPDX-License-Identifier: Apache-2.0 */
/* Waits before a request is sent again, and logs why. */
#pragma once

#include "base/backoff.h"
#include "base/err.h"

/* As backoff_wait(), with a line for --verbose: "DOING: try 2 in 840 ms: WHY". `tries` were made so
 * far. */
bool retry_wait(struct backoff *b, uint32_t at_least_ms, uint64_t deadline, const char *doing,
                unsigned tries, const struct err *why);

/* Only logs the line, for callers that wait by other means. */
void retry_log(uint32_t ms, const char *doing, unsigned tries, const struct err *why);

/* Whether the deadline cut a try short that had `left_ms`: it was not sent, or had less than a second
 * for its answer. The error of an earlier try, if there was one, then says more. */
bool retry_cut_short(const struct err *why, uint64_t left_ms);
