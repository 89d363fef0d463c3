/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of slurm.conf by release, and those that are ours. */
#include "model/slurmkey.h"
#include "model/slurmver.h"
#include "unit.h"

static const struct doc place = {.file = "f", .line = 3, .col = 4};

static void which_release_has_it(void **state)
{
	static const struct {
		enum slurmkey_level level;
		const char *key;
		unsigned version;
		const char *says; /* NULL: it has it */
		enum reason reason;
	} rows[] = {
	        {SLURMKEY_GLOBAL, "SlurmUser", 2205, NULL, 0},
	        {SLURMKEY_GLOBAL, "slurmuser", 2605, NULL, 0},
	        {SLURMKEY_GLOBAL, "PrologTimeout", 2411,
	         "'PrologTimeout' is a key of Slurm 25.05 and later, and this is 24.11",
	         REASON_INPUT_UNSUPPORTED},
	        {SLURMKEY_GLOBAL, "prologtimeout", 2505, NULL, 0},
	        {SLURMKEY_GLOBAL, "PrologTimeout", 2511, NULL, 0},
	        {SLURMKEY_GLOBAL, "PrologTimeout", SLURMVER_ANY, NULL, 0},
	        {SLURMKEY_GLOBAL, "SlurmctldPlugstack", 2205, NULL, 0},
	        {SLURMKEY_GLOBAL, "SlurmctldPlugstack", 2302, NULL, 0},
	        {SLURMKEY_GLOBAL, "SlurmctldPlugstack", 2311,
	         "'SlurmctldPlugstack' is a key of Slurm up to 23.02, and this is 23.11",
	         REASON_INPUT_UNSUPPORTED},
	        {SLURMKEY_GLOBAL, "SlurmctldPlugstack", SLURMVER_ANY, NULL, 0},
	        {SLURMKEY_GLOBAL, "SuspendTim", 2205,
	         "slurm.conf has no key 'SuspendTim' in any release of Slurm, did you mean "
	         "'SuspendTime'?",
	         REASON_INPUT_UNKNOWN_KEY},
	        {SLURMKEY_GLOBAL, "Qqqqqqqqqqqqqqqq", SLURMVER_ANY,
	         "slurm.conf has no key 'Qqqqqqqqqqqqqqqq' in any release of Slurm",
	         REASON_INPUT_UNKNOWN_KEY},
	        {SLURMKEY_PARTITION, "PowerDownOnIdle", 2302, "23.11 and later",
	         REASON_INPUT_UNSUPPORTED},
	        {SLURMKEY_PARTITION, "PowerDownOnIdle", 2311, NULL, 0},
	        {SLURMKEY_PARTITION, "MaxTim", 2311,
	         "a PartitionName line of slurm.conf has no key 'MaxTim'",
	         REASON_INPUT_UNKNOWN_KEY},
	        {SLURMKEY_PARTITION, "RealMemory", 2311, "has no key", REASON_INPUT_UNKNOWN_KEY},
	        {SLURMKEY_NODE, "RealMemory", 2205, NULL, 0},
	        {SLURMKEY_NODE, "GresConf", 2505, "25.11 and later", REASON_INPUT_UNSUPPORTED},
	        {SLURMKEY_NODE, "CPU", 2505, "a NodeName line of slurm.conf has no key 'CPU'",
	         REASON_INPUT_UNKNOWN_KEY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;

		if (!rows[i].says) {
			assert_ok(slurmkey_check(rows[i].level, rows[i].key, rows[i].version,
			                         &place, &e));
			continue;
		}
		assert_err(slurmkey_check(rows[i].level, rows[i].key, rows[i].version, &place, &e),
		           ERR_INPUT, rows[i].says);
		assert_int_equal(e.reason, rows[i].reason);
		assert_non_null(strstr(e.text, "f:3:4: "));
	}
}

/* As slurm.conf(5) of each release has them: the one before has no such key. */
static void each_key_has_its_first_release(void **state)
{
	static const struct {
		enum slurmkey_level level;
		const char *key;
		unsigned first;
	} rows[] = {
	        {SLURMKEY_GLOBAL, "CertgenParameters", 2505},
	        {SLURMKEY_GLOBAL, "CertgenType", 2505},
	        {SLURMKEY_GLOBAL, "CertmgrParameters", 2411},
	        {SLURMKEY_GLOBAL, "CertmgrType", 2411},
	        {SLURMKEY_GLOBAL, "CliFilterParameters", 2511},
	        {SLURMKEY_GLOBAL, "DataParserParameters", 2411},
	        {SLURMKEY_GLOBAL, "EpilogTimeout", 2505},
	        {SLURMKEY_GLOBAL, "HashPlugin", 2405},
	        {SLURMKEY_GLOBAL, "HealthCheckTimeout", 2605},
	        {SLURMKEY_GLOBAL, "HttpParserType", 2511},
	        {SLURMKEY_GLOBAL, "JobCompPassScript", 2511},
	        {SLURMKEY_GLOBAL, "LicenseParameters", 2605},
	        {SLURMKEY_GLOBAL, "MaxBatchRequeue", 2311},
	        {SLURMKEY_GLOBAL, "MetricsAuthUsers", 2605},
	        {SLURMKEY_GLOBAL, "MetricsParameters", 2605},
	        {SLURMKEY_GLOBAL, "MetricsType", 2511},
	        {SLURMKEY_GLOBAL, "NamespaceType", 2511},
	        {SLURMKEY_GLOBAL, "PowerAction", 2605},
	        {SLURMKEY_GLOBAL, "PreemptParameters", 2311},
	        {SLURMKEY_GLOBAL, "PrologTimeout", 2505},
	        {SLURMKEY_GLOBAL, "SlurmctldHttpAuthParameters", 2605},
	        {SLURMKEY_GLOBAL, "SlurmdHttpAuthParameters", 2605},
	        {SLURMKEY_GLOBAL, "SuspendExcStates", 2311},
	        {SLURMKEY_GLOBAL, "TLSParameters", 2405},
	        {SLURMKEY_GLOBAL, "TLSType", 2405},
	        {SLURMKEY_GLOBAL, "UrlParserType", 2511},
	        {SLURMKEY_PARTITION, "Exclusive", 2605},
	        {SLURMKEY_PARTITION, "ExclusiveTopo", 2405},
	        {SLURMKEY_PARTITION, "MaxCPUsPerSocket", 2311},
	        {SLURMKEY_PARTITION, "PowerDownOnIdle", 2311},
	        {SLURMKEY_PARTITION, "Topology", 2505},
	        {SLURMKEY_NODE, "GresConf", 2511},
	        {SLURMKEY_NODE, "Parameters", 2511},
	        {SLURMKEY_NODE, "RestrictedCoresPerGPU", 2405},
	        {SLURMKEY_NODE, "SuspendTime", 2605},
	        {SLURMKEY_NODE, "Topology", 2505},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;

		assert_ok(slurmkey_check(rows[i].level, rows[i].key, rows[i].first, &place, &e));
		assert_err(
		        slurmkey_check(rows[i].level, rows[i].key, rows[i].first - 1, &place, &e),
		        ERR_INPUT, " and later, and this is ");
	}
}

static void a_far_word_has_no_neighbour(void **state)
{
	struct err e;

	(void)state;
	assert_err(slurmkey_check(SLURMKEY_GLOBAL, "Qqqqqqqqqqqqqqqq", 2205, &place, &e), ERR_INPUT,
	           "no key");
	assert_null(strstr(e.text, "did you mean"));
}

static void which_are_ours(void **state)
{
	static const struct {
		enum slurmkey_level level;
		const char *key;
		bool accounting, denied;
	} rows[] = {
	        {SLURMKEY_GLOBAL, "SlurmctldHost", false, true},
	        {SLURMKEY_GLOBAL, "slurmctldhost", true, true},
	        {SLURMKEY_GLOBAL, "Epilog", false, true},
	        {SLURMKEY_GLOBAL, "TreeWidth", false, true},
	        {SLURMKEY_GLOBAL, "KillWait", true, false},
	        {SLURMKEY_GLOBAL, "AccountingStorageHost", false, false},
	        {SLURMKEY_GLOBAL, "AccountingStorageHost", true, true},
	        {SLURMKEY_GLOBAL, "JobAcctGatherType", true, true},
	        {SLURMKEY_PARTITION, "State", false, true},
	        {SLURMKEY_PARTITION, "SuspendTime", false, true},
	        {SLURMKEY_PARTITION, "MaxTime", false, false},
	        {SLURMKEY_PARTITION, "AccountingStorageHost", true, false},
	        {SLURMKEY_NODE, "CPUs", false, true},
	        {SLURMKEY_NODE, "weight", false, true},
	        {SLURMKEY_NODE, "RealMemory", true, false},
	        {SLURMKEY_NODE, "SlurmctldHost", true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(slurmkey_denied(rows[i].level, rows[i].key, rows[i].accounting),
		                 rows[i].denied);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(which_release_has_it),
	        cmocka_unit_test(each_key_has_its_first_release),
	        cmocka_unit_test(a_far_word_has_no_neighbour),
	        cmocka_unit_test(which_are_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
