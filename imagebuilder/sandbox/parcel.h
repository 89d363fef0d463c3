/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data on its way to a process that is executed, and so has none of our memory.
 *
 * One function describes a struct for both directions: it calls parcel_X() for each member, which
 * writes the member in the sender and sets it in the receiver. Both are the same program.
 *
 *     static void job_parcel(struct parcel *p, void *job)
 *     {
 *             struct job *j = job;
 *
 *             parcel_text(p, &j->name);
 *             parcel_doc(p, &j->sections);
 *     }
 *
 * What is received lives in the parcel's arena. A parcel that is cut short or too large is `broken`
 * from then on: the sender must not send it, and what the receiver reads of it is zero or empty.
 */
#pragma once

#include "data/field.h"

#define PARCEL_MAX (64UL << 20) /* bytes */

struct parcel {
	struct arena *arena;
	bool receives, broken;
	struct strbuf out; /* of the sender */
	struct blob in;    /* of the receiver: what is not read yet */
};

void parcel_begin(struct parcel *p, struct arena *a);
void parcel_open(struct parcel *p, struct blob in, struct arena *a);

void parcel_u64(struct parcel *p, uint64_t *v);
void parcel_size(struct parcel *p, size_t *v);
void parcel_bool(struct parcel *p, bool *v);
void parcel_text(struct parcel *p, const char **v); /* NULL stays NULL */
void parcel_texts(struct parcel *p, struct field_strings *v);
/* A NULL-terminated list; it may itself be NULL. */
void parcel_list(struct parcel *p, const char *const **v);
void parcel_vars(struct parcel *p, struct vars *v);
/* Includes the source positions of its nodes, for messages; NULL stays NULL. */
void parcel_doc(struct parcel *p, const struct doc **v);

/* In the receiver: `n` zeroed elements to fill; in the sender: `items` itself. */
void *parcel_array(struct parcel *p, void *items, size_t n, size_t size);
