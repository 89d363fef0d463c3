/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: what was found. */
#include <stdarg.h>
#include <stdio.h>

#include "life/doctor_own.h"

static void add(struct doctor *d, const char *level, const char *text)
{
	for (size_t i = 0; i < d->n; i++)
		if (str_eq(d->findings[i].text, text))
			return;
	d->findings = arena_grow(d->arena, d->findings, &d->n, sizeof *d->findings);
	d->findings[d->n - 1] = (struct doctor_finding){level, text};
}

void doctor_fault(struct doctor *d, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add(d, "fault", arena_strdup(d->arena, text));
}

void doctor_unknown(struct doctor *d, const struct err *e)
{
	add(d, "unknown", arena_strdup(d->arena, e->text));
}

const struct doc *doctor_subnet(const struct doctor *d, const char *id)
{
	for (size_t i = 0; d->subnets && i < d->subnets->n; i++)
		if (str_eq(doc_text(d->subnets->items[i], "subnetId"), id))
			return d->subnets->items[i];
	return NULL;
}
