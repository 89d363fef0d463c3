/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reasons: the closed list of stable names for what can go wrong, one row each in reason.c.
 *
 * They appear in status.json, in the journal as HPC_REASON=, and `hpc-agent explain REASON` prints
 * the row. A reason never changes its meaning; a new cause gets a new row.
 */
#pragma once

#include <stddef.h>

#define REASONS(X)                                                                                 \
	X(NONE)                                                                                    \
	X(BUG)                                                                                     \
	X(INPUT_SYNTAX)                                                                            \
	X(INPUT_UNKNOWN_KEY)                                                                       \
	X(INPUT_TYPE)                                                                              \
	X(INPUT_RANGE)                                                                             \
	X(INPUT_REQUIRED)                                                                          \
	X(INPUT_DUPLICATE)                                                                         \
	X(INPUT_LIMIT)                                                                             \
	X(INPUT_CYCLE)                                                                             \
	X(INPUT_FACT)                                                                              \
	X(INPUT_UNSUPPORTED)                                                                       \
	X(INSTANCE_TYPE)                                                                           \
	X(IMDS_UNREACHABLE)                                                                        \
	X(IMDS_FORBIDDEN)                                                                          \
	X(IMDS_PROTOCOL)                                                                           \
	X(IMDS_ABSENT)                                                                             \
	X(NO_INSTANCE_ROLE)                                                                        \
	X(CREDENTIALS_REFUSED)                                                                     \
	X(CREDENTIALS_REJECTED)                                                                    \
	X(NO_CREDENTIALS)                                                                          \
	X(NO_REGION)                                                                               \
	X(HTTP_UNREACHABLE)                                                                        \
	X(HTTP_TLS)                                                                                \
	X(HTTP_STATUS)                                                                             \
	X(HTTP_TOO_LARGE)                                                                          \
	X(HTTP_BROKEN_OFF)                                                                         \
	X(HTTP_REDIRECT)                                                                           \
	X(S3_NO_SUCH_KEY)                                                                          \
	X(S3_NO_SUCH_BUCKET)                                                                       \
	X(S3_ACCESS_DENIED)                                                                        \
	X(S3_SIGNATURE)                                                                            \
	X(S3_CLOCK_SKEW)                                                                           \
	X(S3_WRONG_REGION)                                                                         \
	X(S3_THROTTLED)                                                                            \
	X(S3_PRECONDITION)                                                                         \
	X(AWS_DENIED)                                                                              \
	X(AWS_INVALID)                                                                             \
	X(AWS_ABSENT)                                                                              \
	X(AWS_CONFLICT)                                                                            \
	X(AWS_QUOTA)                                                                               \
	X(AWS_CAPACITY)                                                                            \
	X(AWS_THROTTLED)                                                                           \
	X(AWS_STATE)                                                                               \
	X(SECRET_DENIED)                                                                           \
	X(SECRET_ABSENT)                                                                           \
	X(CHECKSUM_MISMATCH)                                                                       \
	X(SIGNATURE_INVALID)                                                                       \
	X(HOST_FILE)                                                                               \
	X(HOST_PRIVILEGE)                                                                          \
	X(HOST_SPACE)                                                                              \
	X(HOST_EXEC)                                                                               \
	X(HOST_COMMAND_FAILED)                                                                     \
	X(HOST_USER)                                                                               \
	X(HOST_PACKAGE)                                                                            \
	X(HOST_SYSCTL)                                                                             \
	X(IMDS_LOCK)                                                                               \
	X(UNIT_MISSING)                                                                            \
	X(UNIT_FAILED)                                                                             \
	X(UNIT_SKIPPED)                                                                            \
	X(UNIT_TIMEOUT)                                                                            \
	X(MOUNT_SERVER_DOWN)                                                                       \
	X(MOUNT_REFUSED)                                                                           \
	X(MOUNT_NO_EXPORT)                                                                         \
	X(MOUNT_BUSY)                                                                              \
	X(MOUNT_HELPER)                                                                            \
	X(MOUNT_NOT_SEEN)                                                                          \
	X(MOUNT_UNSUPPORTED)                                                                       \
	X(MOUNT_HUNG)                                                                              \
	X(DISK_ABSENT)                                                                             \
	X(DISK_NOT_BLANK)                                                                          \
	X(EXPORT_MISSING)                                                                          \
	X(NFS_SERVER)                                                                              \
	X(MUNGE_KEY_INVALID)                                                                       \
	X(MUNGE_KEY_UNSAFE)                                                                        \
	X(MUNGE_ROUND_TRIP)                                                                        \
	X(MUNGE_REFUSED)                                                                           \
	X(SLURMCTLD_UNREACHABLE)                                                                   \
	X(SLURM_NODE_UNKNOWN)                                                                      \
	X(SLURM_NODE_INVALID)                                                                      \
	X(SLURM_NODE_DOWN)                                                                         \
	X(SLURM_NOT_CONFIGLESS)                                                                    \
	X(SLURM_VERSION)                                                                           \
	X(SLURM_NOT_REGISTERED)                                                                    \
	X(SLURM_MISSING)                                                                           \
	X(SLURM_AUTH)                                                                              \
	X(SLURM_CONF)                                                                              \
	X(SLURM_PORT)                                                                              \
	X(SLURM_HOST)                                                                              \
	X(SLURM_STATE)                                                                             \
	X(SLURM_DATABASE)                                                                          \
	X(SLURM_PARTITION)                                                                         \
	X(SLURMCTLD_ENDED)                                                                         \
	X(SLURMDBD_UNREACHABLE)                                                                    \
	X(SLURMDBD_SQL)                                                                            \
	X(SLURMDBD_ENDED)                                                                          \
	X(PASSWORD_INVALID)                                                                        \
	X(SCRIPT_FAILED)                                                                           \
	X(STEP_TIMEOUT)                                                                            \
	X(STEP_ABANDONED)                                                                          \
	X(STEP_NOT_HELD)                                                                           \
	X(STEP_BLOCKED)                                                                            \
	X(STEP_DIED)                                                                               \
	X(DEADLINE)                                                                                \
	X(BUSY)                                                                                    \
	X(INTERRUPTED)

enum reason {
#define X(id) REASON_##id,
	REASONS(X)
#undef X
	        REASON_COUNT
};

struct reason_row {
	const char *name;    /* "mount-refused" */
	const char *meaning; /* one sentence: what was observed */
	/* What to look at or change, worded so that it fits every program; "" if the message says
	 * it all. */
	const char *hint;
};

/* The row of a reason; a value outside the list gives the row of REASON_BUG. Static storage. */
const struct reason_row *reason_row(enum reason reason);

/* A program's own hint, in place of the row's. */
struct reason_hint {
	enum reason reason;
	const char *text;
};

/* The hint of `own`, which ends at text NULL and may itself be NULL, else the row's; maybe "". */
const char *reason_hint(const struct reason_hint *own, enum reason reason);

/* The reason of that name, or REASON_COUNT. */
enum reason reason_by_name(const char *name);
