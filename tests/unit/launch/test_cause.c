/* SPDX-License-Identifier: Apache-2.0 */
/* EC2's codes, row by row, and what ended instances say. */
#include "launch/cause.h"

#include "unit.h"

static void each_code_has_its_cause(void **state)
{
	static const struct {
		const char *code;
		enum cause cause;
	} rows[] = {
	        {"", CAUSE_SERVER},
	        {"InsufficientFreeAddressesInSubnet", CAUSE_ADDRESSES},
	        {"InsufficientInstanceCapacity", CAUSE_CAPACITY},
	        {"InsufficientHostCapacity", CAUSE_CAPACITY},
	        {"InsufficientReservedInstanceCapacity", CAUSE_CAPACITY},
	        {"InsufficientCapacity", CAUSE_CAPACITY},
	        {"UnfulfillableCapacity", CAUSE_CAPACITY},
	        {"ReservationCapacityExceeded", CAUSE_CAPACITY},
	        {"SpotMaxPriceTooLow", CAUSE_CAPACITY},
	        {"Unsupported", CAUSE_CAPACITY},
	        {"VcpuLimitExceeded", CAUSE_LIMIT},
	        {"InstanceLimitExceeded", CAUSE_LIMIT},
	        {"MaxSpotInstanceCountExceeded", CAUSE_LIMIT},
	        {"VolumeLimitExceeded", CAUSE_LIMIT},
	        {"MaxIOPSLimitExceeded", CAUSE_LIMIT},
	        {"PendingVerification", CAUSE_LIMIT},
	        {"Blocked", CAUSE_LIMIT},
	        {"RequestLimitExceeded", CAUSE_THROTTLE},
	        {"Throttling", CAUSE_THROTTLE},
	        {"ThrottlingException", CAUSE_THROTTLE},
	        {"SlowDown", CAUSE_THROTTLE},
	        {"EC2ThrottledException", CAUSE_THROTTLE},
	        {"Unavailable", CAUSE_THROTTLE},
	        {"UnauthorizedOperation", CAUSE_DENIED},
	        {"AuthFailure", CAUSE_DENIED},
	        {"AccessDenied", CAUSE_DENIED},
	        {"AccessDeniedException", CAUSE_DENIED},
	        {"OptInRequired", CAUSE_DENIED},
	        {"ExpiredToken", CAUSE_DENIED},
	        {"ExpiredTokenException", CAUSE_DENIED},
	        {"RequestExpired", CAUSE_DENIED},
	        {"InvalidClientTokenId", CAUSE_DENIED},
	        {"InvalidKMSKey.InvalidState", CAUSE_DENIED},
	        {"IdempotentParameterMismatch", CAUSE_MISMATCH},
	        {"InternalError", CAUSE_SERVER},
	        {"InternalFailure", CAUSE_SERVER},
	        {"ServiceUnavailable", CAUSE_SERVER},
	        {"RequestTimeout", CAUSE_SERVER},
	        {"InvalidAMIID.NotFound", CAUSE_PARAMETER},
	        {"InvalidSubnetID.NotFound", CAUSE_PARAMETER},
	        {"InvalidParameterValue", CAUSE_PARAMETER},
	        {"MissingParameter", CAUSE_PARAMETER},
	        {"UnsupportedOperation", CAUSE_PARAMETER},
	        {"SomethingNew", CAUSE_PARAMETER},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (cause_of(rows[i].code, "any words") != rows[i].cause)
			fail_msg("%s: %s", rows[i].code, cause_name(cause_of(rows[i].code, "")));
	assert_int_equal(cause_of("InvalidParameterValue",
	                          "Value (x) for parameter iamInstanceProfile.name is invalid. "
	                          "Invalid IAM Instance Profile name"),
	                 CAUSE_YOUNG);
	assert_int_equal(cause_of("MissingParameter", "IAM Instance Profile"), CAUSE_PARAMETER);
}

static void why_an_instance_ended(void **state)
{
	static const struct {
		const char *reason;
		enum cause cause;
	} rows[] = {
	        {"Server.InsufficientInstanceCapacity", CAUSE_CAPACITY},
	        {"Server.SpotInstanceTermination", CAUSE_CAPACITY},
	        {"Server.SpotInstanceShutdown", CAUSE_CAPACITY},
	        {"Server.InternalError", CAUSE_SERVER},
	        {"Server.ScheduledStop", CAUSE_ENDED},
	        {"Client.InternalError", CAUSE_SERVER},
	        {"Client.VolumeLimitExceeded", CAUSE_LIMIT},
	        {"Client.InvalidKMSKey.InvalidState", CAUSE_DENIED},
	        {"Client.UserInitiatedShutdown", CAUSE_ENDED},
	        {"Client.InstanceInitiatedShutdown", CAUSE_ENDED},
	        {"Client.InvalidSnapshot.NotFound", CAUSE_PARAMETER},
	        {"Client.InstanceTerminated", CAUSE_ENDED},
	        {"Client.UserInitiatedHibernate", CAUSE_ENDED},
	        {"Server.OfNextYear", CAUSE_ENDED},
	        {"InsufficientInstanceCapacity", CAUSE_ENDED},
	        {"", CAUSE_ENDED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (cause_of_end(rows[i].reason) != rows[i].cause)
			fail_msg("%s: %s", rows[i].reason,
			         cause_name(cause_of_end(rows[i].reason)));
}

static void each_cause_has_its_name(void **state)
{
	static const char *const names[CAUSE_COUNT] = {"capacity", "addresses", "limit", "throttle",
	                                               "denied",   "parameter", "young", "mismatch",
	                                               "server",   "ended"};

	(void)state;
	for (int i = 0; i < CAUSE_COUNT; i++)
		assert_string_equal(cause_name((enum cause)i), names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_code_has_its_cause),
	        cmocka_unit_test(why_an_instance_ended),
	        cmocka_unit_test(each_cause_has_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
