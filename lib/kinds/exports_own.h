/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the kind `exports`. */
#pragma once

#include "model/nfsd.h"
#include "plan/step.h"

#define EXPORTS_UNIT "nfs-server.service"

struct exports_spec {
	struct field_strings networks, read_write, read_only;
	int squash;      /* enum nfsd_squash */
	int64_t threads; /* 0: by the number of processors */
	uint64_t grace_ms;
};

/* ---- exports_text.c: what is asked for ---- */

/* The two files' text: exports(5), and nfs.conf(5). */
/* REASON_EXPORT_MISSING: what was mounted at a directory when it was first exported isn't. */
int exports_text(const struct step_ctx *c, const struct exports_spec *x, struct blob *ret,
                 struct err *e) ATTR_MUST_USE;
struct blob exports_conf_text(const struct step_ctx *c, const struct exports_spec *x);

/* The directory that holds it. */
const char *exports_parent(const struct step_ctx *c, const char *path);

unsigned exports_threads(const struct exports_spec *x);
static inline unsigned exports_grace_s(const struct exports_spec *x)
{
	return (unsigned)(x->grace_ms / 1000);
}

/* ---- exports_server.c: the files in place, and a server that does as they say ---- */

int exports_probe(const struct step_ctx *c, const void *fields, struct err *e);
int exports_apply(const struct step_ctx *c, const void *fields, struct err *e);
