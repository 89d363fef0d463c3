/* SPDX-License-Identifier: Apache-2.0 */
/* Reads single values of a ParallelCluster file for the model. */
#include "pcluster/pcluster_model_own.h"

#include <stdarg.h>

void reader_unlike(struct reader *x, const struct doc *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *text = arena_vprintf(x->arena, fmt, ap);
	va_end(ap);
	if (x->in->strict)
		faults_take(&x->faults, doc_err(at, x->faults.err, REASON_INPUT_RANGE, "%s", text));
	else
		cluster_note(x->in->shortfalls ? x->in->shortfalls : x->in->notes, at, "%s", text);
}

int64_t reader_int(struct reader *x, const struct doc *d, const char *key, int64_t min, int64_t max,
                   int64_t standard)
{
	const struct doc *at = doc_get(d, key);
	int64_t value = standard;

	if (at && scalar_i64(at, min, max, &value) < 0)
		faults_take(&x->faults, doc_err(at, x->faults.err, REASON_INPUT_RANGE,
		                                "%s: '%s' is out of range, expected %lld to %lld",
		                                key, at->text, (long long)min, (long long)max));
	return value;
}
