/* SPDX-License-Identifier: Apache-2.0 */
/* Private to ledger*.c. */
#pragma once

#include "data/jsonw.h"
#include "ledger/ledger.h"

/* Carries a record out: the only thing that changes launches. A records_fn. */
int ledger_apply(void *ledger, const char *text, struct err *e);

/* An empty one, with an arena. */
struct ledger ledger_new(void);

/* ledger_text.c: records as text, in `a`. */
const char *ledger_text_wanted(const char *const *nodes, size_t n, const struct ledger_owner *owner,
                               bool whole, int64_t at, struct arena *a);
const char *ledger_text_asked(const struct ledger_ask *ask, int64_t at, struct arena *a);
const char *ledger_text_got(const char *token, const char *const *ids, size_t n, int64_t at,
                            struct arena *a);
const char *ledger_text_failed(const struct ledger_launch *f, int64_t at, struct arena *a);
const char *ledger_text_unwanted(const char *const *nodes, size_t n, const char *why, int64_t at,
                                 struct arena *a);
const char *ledger_text_ended(const char *id, const char *why, int64_t at, struct arena *a);
const char *ledger_text_mode(bool stopped, int64_t at, struct arena *a);
