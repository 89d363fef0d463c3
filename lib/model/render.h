/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a head node, as they follow from a cluster's model and the release of Slurm that
 * reads them.
 *
 * Pure: nothing is read, fetched or asked, and the same model gives the same bytes. No secret is in
 * any of them.
 *
 * A key that this release of Slurm doesn't have is refused by its name, whether it is one of ours or
 * the administrator's, since slurmctld 22.05 ends at the first one it doesn't know.
 */
#pragma once

#include "data/faults.h"
#include "model/model.h"

struct render_file {
	const char *path; /* on the head */
	unsigned mode;
	const char *owner, *group;
	struct blob content;  /* ends with a newline; no data: it is fetched from `source` */
	const char *source;   /* URI; NULL: the content is all there is */
	const struct doc *at; /* of the source; NULL: none */
};

struct render_files {
	size_t n;
	struct render_file *items; /* by path */
};

/* Adds one, in its place. */
void render_add(struct render_files *files, struct arena *a, struct render_file file);

/* Slurm's files; `slurm` is a release as slurmver.h counts it. */
int render_head(const struct model *m, unsigned slurm, struct faults *faults, struct arena *a,
                struct render_files *ret, struct err *e) ATTR_MUST_USE;

/* Adds the files that the section `exports` makes of what the model serves; none, if that is nothing.
 * Where the processors of the head are not known, it has the fewest. */
void render_nfsd(const struct model *m, struct arena *a, struct render_files *files);

/* Adds slurmdbd.conf as the section `database` makes it, without its line StoragePass; nothing, if no
 * slurmdbd of the cluster's own runs on the head. */
void render_slurmdbd(const struct model *m, struct arena *a, struct render_files *files);
