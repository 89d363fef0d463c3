/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the claim functions: checks of single values whose message points at the value's own
 * place.
 *
 * `key` is the key of the step's map that has the value; sections that aren't maps pass NULL.
 */
#pragma once

#include "plan/step.h"

/* Where the user wrote that key, else where the step begins. */
const struct doc *claim_at(const struct step *s, const char *key);

/* The i-th entry of that list; for a section that is the list itself, `key` is its field's name. */
const struct doc *claim_item(const struct step *s, const char *key, size_t i);

/* An absolute path without "." and ".."; double and trailing slashes are removed from *path. */
int claim_path(const struct step *s, const char *key, const char **path,
               struct err *e) ATTR_MUST_USE;

/* A user's or group's name: letters, digits, "_.-", 32 bytes at most, not beginning with a digit or
 * dash. */
int claim_account(const struct doc *at, const char *name, struct err *e) ATTR_MUST_USE;

/* 64 hex digits. */
int claim_sha256(const struct step *s, const char *key, const char *hex,
                 struct err *e) ATTR_MUST_USE;

/* Where content comes from, as http/uri.h has it; a file of this machine becomes a need of the step. */
int claim_source(struct step *s, const char *key, const char *uri, struct err *e) ATTR_MUST_USE;

/* Where a secret comes from: as claim_source(), or the ARN of a secret of Secrets Manager's. `what` it is,
 * for the message: "a key". */
int claim_secret(struct step *s, const char *key, const char *where, const char *what,
                 struct err *e) ATTR_MUST_USE;

/* "path:" of the directory that holds `path`; nothing for "/". */
void claim_needs_parent(struct step *s, const char *path);

/* "user:NAME" and "group:NAME" if they are given and not root's. */
void claim_needs_owner(struct step *s, const char *user, const char *group);

/* As `after: SECTION` in the spec: orders the step after all steps of that section. */
void claim_after(struct step *s, const char *section);
