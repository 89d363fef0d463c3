/* SPDX-License-Identifier: Apache-2.0 */
/* Reads single values of a ParallelCluster file for the model. */
#include "cluster/pcluster_model_own.h"

void reader_fault(struct reader *x, int result)
{
	x->failed = result;
	x->ended = !faults_add(x->faults, x->err);
}

bool reader_on(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);
	bool on = false;

	return at && scalar_bool(at, &on) == 0 && on;
}

int64_t reader_int(struct reader *x, const struct doc *d, const char *key, int64_t min, int64_t max,
                   int64_t standard)
{
	const struct doc *at = doc_get(d, key);
	int64_t value = standard;

	if (at && scalar_i64(at, min, max, &value) < 0)
		reader_fault(x, doc_err(at, x->err, REASON_INPUT_RANGE,
		                        "%s: '%s' is out of range, expected %lld to %lld", key,
		                        at->text, (long long)min, (long long)max));
	return value;
}
