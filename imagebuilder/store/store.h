/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of layers (layer.h): DIR/layers/KEY/{tree,log,meta.json}, and beside it DIR/work/KEY
 * while one is being made, DIR/failed/KEY if that failed, and DIR/locks/KEY.
 *
 * A key covers everything that decides a layer's content, so a layer that exists is right, and is
 * never changed. It is published by one rename. A process that makes or uses one holds its lock, so
 * two builds of the same recipe make each layer once, and pruning removes none that is in use. What
 * a killed process left in DIR/work is removed by the next process that makes that layer.
 *
 * Beside them are DIR/outputs/ and DIR/recipes/, what was last made of them (outputs.c, record.h),
 * and DIR/objects, what was fetched (objects.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"

#define STORE_DEFAULT "/var/cache/hpc-node/images"
#define STORE_KEEP    (20ULL << 30) /* bytes that pruning leaves by default */

#define STORE_PATH_MAX 2048

struct store {
	char path[STORE_PATH_MAX]; /* absolute */
	int fd;
};
#define STORE_INIT                                                                                 \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Creates the directories that are missing. */
int store_open(const char *path, struct store *ret, struct err *e) ATTR_MUST_USE;
/* Creates nothing: if there is no store, returns 0 with an empty one. */
int store_look(const char *path, struct store *ret, struct err *e) ATTR_MUST_USE;
void store_close(struct store *s);
#define scope_store __attribute__((cleanup(store_close)))

/* Whether a layer exists, without locking it: 1, 0, or -errno if we may not look. */
int store_have(const struct store *s, const char *key);

/* Removes a tree; other file systems mounted in it are left alone, and then the tree stays. */
void store_remove(const char *path);

struct store_entry {
	const char *key, *step, *parent;
	uint64_t bytes; /* of its tree, on disk */
	uint64_t all;   /* including what is stored beside it */
	int64_t used;   /* seconds since 1970 */
	long used_ns;   /* and nanoseconds */
};
/* One layer; false: it doesn't exist. */
bool store_entry(const struct store *s, const char *key, struct arena *a, struct store_entry *ret);
/* All layers, least recently used first. */
int store_list(const struct store *s, struct arena *a, struct store_entry **ret, size_t *ret_n,
               struct err *e) ATTR_MUST_USE;
/* Removes what ended processes left unfinished, and with `failed` the trees of failed steps. */
void store_sweep(const struct store *s, bool failed);
/* Removes failed layers, left-overs, layers whose lower layer is gone, and then, in that order,
 * layers that no other is based on until at most `keep` bytes are left; those in use stay. So a
 * layer never outlives the one it is based on. */
int store_prune(const struct store *s, uint64_t keep, uint64_t *ret_left, uint64_t *ret_bytes,
                size_t *ret_n, struct err *e) ATTR_MUST_USE;
