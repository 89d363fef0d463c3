/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging. Libraries hand records to the one sink the program installed; without a sink they
 * vanish. Every text is escaped to one line and AWS key ids, tokens and URL signatures in it are
 * blanked before the sink sees it.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/* syslog(3) numbers, so that a journal sink passes them on. */
enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* A structured field beside the text: "HPC_STEP" -> "mounts:/home". */
struct log_field {
	const char *name, *value;
};

typedef void log_sink_fn(void *ctx, enum log_level level, const char *text,
                         const struct log_field *fields, size_t n);

/* Records above `max` are dropped before they are formatted. fn NULL removes the sink. */
void log_set_sink(log_sink_fn *fn, void *ctx, enum log_level max);

void log_text(enum log_level level, const char *fmt, ...) ATTR_PRINTF(2, 3);
void log_record(enum log_level level, const struct log_field *fields, size_t n, const char *fmt,
                ...) ATTR_PRINTF(4, 5);

/* A sink for programs: "PROGRAM: text" on standard error; ctx is the program's name. */
void log_stderr_sink(void *program, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n);

/* Blanks what looks like a secret in place: AKIA/ASIA ids, X-Amz-Signature/Security-Token values,
 * Authorization and token headers, user:password@ in URLs. */
void log_redact(char *text);

#define log_err(...)     log_text(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warning(...) log_text(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_text(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_text(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_text(LOG_LEVEL_DEBUG, __VA_ARGS__)
