/* SPDX-License-Identifier: Apache-2.0 */
/* EC2's codes as classes of failures. */
#include "launch/cause.h"

#include <stddef.h>

#include "base/str.h"

/* Searched from the first on; a code that ends with '*' stands for all that begin so. */
static const struct {
	const char *code, *words; /* words: also in the message; NULL: any */
	enum cause cause;
} rows[] = {
        {"", NULL, CAUSE_SERVER},

        {"InsufficientFreeAddressesInSubnet", NULL, CAUSE_ADDRESSES},
        {"Insufficient*", NULL, CAUSE_CAPACITY},
        {"UnfulfillableCapacity", NULL, CAUSE_CAPACITY},
        {"ReservationCapacityExceeded", NULL, CAUSE_CAPACITY},
        {"SpotMaxPriceTooLow", NULL, CAUSE_CAPACITY},
        {"SpotInstanceTermination", NULL, CAUSE_CAPACITY},
        {"SpotInstanceShutdown", NULL, CAUSE_CAPACITY},
        {"Unsupported", NULL, CAUSE_CAPACITY}, /* the type isn't offered in that zone */

        {"VcpuLimitExceeded", NULL, CAUSE_LIMIT},
        {"InstanceLimitExceeded", NULL, CAUSE_LIMIT},
        {"MaxSpotInstanceCountExceeded", NULL, CAUSE_LIMIT},
        {"VolumeLimitExceeded", NULL, CAUSE_LIMIT},
        {"MaxIOPSLimitExceeded", NULL, CAUSE_LIMIT},
        {"PendingVerification", NULL, CAUSE_LIMIT},
        {"Blocked", NULL, CAUSE_LIMIT},

        {"RequestLimitExceeded", NULL, CAUSE_THROTTLE},
        {"Throttling*", NULL, CAUSE_THROTTLE},
        {"SlowDown", NULL, CAUSE_THROTTLE},
        {"EC2ThrottledException", NULL, CAUSE_THROTTLE},
        {"Unavailable", NULL, CAUSE_THROTTLE},

        {"UnauthorizedOperation", NULL, CAUSE_DENIED},
        {"AuthFailure", NULL, CAUSE_DENIED},
        {"AccessDenied*", NULL, CAUSE_DENIED},
        {"OptInRequired", NULL, CAUSE_DENIED},
        {"ExpiredToken*", NULL, CAUSE_DENIED},
        {"RequestExpired", NULL, CAUSE_DENIED},
        {"InvalidClientTokenId", NULL, CAUSE_DENIED},
        {"InvalidKMSKey*", NULL, CAUSE_DENIED},

        {"IdempotentParameterMismatch", NULL, CAUSE_MISMATCH},
        {"InvalidParameterValue", "IAM Instance Profile", CAUSE_YOUNG},

        {"InvalidSnapshot*", NULL, CAUSE_PARAMETER}, /* the image's own is gone */

        {"InternalError", NULL, CAUSE_SERVER},
        {"InternalFailure", NULL, CAUSE_SERVER},
        {"ServiceUnavailable", NULL, CAUSE_SERVER},
        {"RequestTimeout", NULL, CAUSE_SERVER},

        {"UserInitiatedShutdown", NULL, CAUSE_ENDED},
        {"InstanceInitiatedShutdown", NULL, CAUSE_ENDED},
        {"ScheduledStop", NULL, CAUSE_ENDED},
};

static bool matches(const char *pattern, const char *code)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return strncmp(pattern, code, len - 1) == 0;
	return strcmp(pattern, code) == 0;
}

/* The row of a code; NULL: nobody knows it. */
static const enum cause *known(const char *code, const char *message)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (matches(rows[i].code, code) &&
		    (!rows[i].words || strstr(message, rows[i].words)))
			return &rows[i].cause;
	return NULL;
}

enum cause cause_of(const char *code, const char *message)
{
	const enum cause *cause = known(code, message);

	return cause ? *cause : CAUSE_PARAMETER;
}

enum cause cause_of_end(const char *reason)
{
	static const char *const sides[] = {"Server.", "Client."};

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		const enum cause *cause =
		        str_starts(reason, sides[i]) ? known(reason + strlen(sides[i]), "") : NULL;

		if (cause)
			return *cause;
	}
	return CAUSE_ENDED;
}

static const char *const names[] = {
        [CAUSE_CAPACITY] = "capacity", [CAUSE_ADDRESSES] = "addresses",
        [CAUSE_LIMIT] = "limit",       [CAUSE_THROTTLE] = "throttle",
        [CAUSE_DENIED] = "denied",     [CAUSE_PARAMETER] = "parameter",
        [CAUSE_YOUNG] = "young",       [CAUSE_MISMATCH] = "mismatch",
        [CAUSE_SERVER] = "server",     [CAUSE_ENDED] = "ended",
};
_Static_assert(ARRAY_LEN(names) == CAUSE_COUNT, "each cause has a name");

const char *cause_name(enum cause cause)
{
	return names[cause];
}
