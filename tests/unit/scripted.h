/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of a scripted service share: the service, a handle for it, and the last error. Of one
 * test program at a time. */
#pragma once

#include "unit.h"

#include "cloud/cloud.h"
#include "script.h"

static struct err e;
static struct script s;
static struct cloud *c;

/* Ends both; harmless where there are none. */
static inline void scripted_end(void)
{
	cloud_close(c);
	c = NULL;
	script_stop(&s);
}

/* Whatever there was ends; from now on `rows` answer, and the handle asks them, as the
 * metadata service and as every other. */
static inline void scripted_begin(const struct script_row *rows, struct cloud_config config)
{
	scripted_end();
	s = script_start(rows);
	config.imds_endpoint = config.endpoint = s.url;
	c = cloud_open(&config);
	e = (struct err){0};
}
