/* SPDX-License-Identifier: Apache-2.0 */
/* A ParallelCluster file on its way to a stack: what create and update do alike. */
#pragma once

#include "aws/caller.h"
#include "aws/stacks.h"
#include "aws/stacks_change.h"
#include "change/store.h"
#include "program/feed.h"
#include "stack/stack.h"
#include "state/plan_file.h"

#define MAKE_VALUES_MAX 8

struct make {
	struct life *life;
	const char *name; /* of the cluster */
	struct feed feed;
	struct faults faults;
	struct cluster_notes notes;
	struct plan_file file;
	struct stack stack;
	const char *key; /* of the configuration below the cluster's name: it has the digest */
	/* From make_open() on. */
	struct caller caller;
	const char *region;
	struct store store;
	const struct differences *differences; /* of an update, once they are known */
	const char *refused; /* the keys because of which it was refused; or NULL */
	/* From make_values() on: the stack's parameters. */
	struct stacks_value values[MAKE_VALUES_MAX];
	size_t n_values;
};

/* Reads and checks all that needs no network: the name, the file, its stack. */
int make_read(struct life *l, struct make *ret, struct err *e) ATTR_MUST_USE;

/* Opens the handle, and asks whose the credentials are. `bucket`: of a cluster that is there; NULL: as the
 * options and the file say. */
int make_open(struct make *m, const char *bucket, struct err *e) ATTR_MUST_USE;

/* The parameters. What a stack that is there has of them stays as it is; `was` NULL: there is none. Where an
 * image is missing, the commands that make one are told. */
int make_values(struct make *m, const struct stacks_item *was, struct err *e) ATTR_MUST_USE;
const char *make_value(const struct make *m, const char *key);

/* Makes the bucket where it is ours and not there yet, and uploads a template that is too long for a
 * request. */
int make_place(struct make *m, struct err *e) ATTR_MUST_USE;
/* Uploads the file, under a key that no other one has. */
int make_upload(struct make *m, struct err *e) ATTR_MUST_USE;

/* Whether a stack is of this very file. */
bool make_is_same(const struct make *m, const struct stacks_item *s);

/* The request for CloudFormation; its token follows from all that is in it. */
struct stacks_request make_request(struct make *m);

/* Ends a verb. What is begun is told to a voice, `id` NULL: nothing, as that was only --dryrun; `status` is the
 * stack's from now on. Returns the exit status. */
int make_done(struct make *m, const char *id, const char *status);
/* Its error, the faults of the file, or the right that is missing. The same. */
int make_fail(struct make *m, const struct err *e);
