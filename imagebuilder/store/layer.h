/* SPDX-License-Identifier: Apache-2.0 */
/* One layer of a store: found or made, then published, or kept for inspection when it failed. */
#pragma once

#include "store/store.h"

#define LAYER_LOG_TAIL 30 /* lines */

struct layer {
	char key[SHA256_HEX];
	bool cached;    /* it existed: `tree` is it */
	char dir[2200]; /* else: a directory of ours, empty, to make `tree` in */
	char tree[2304];
	int lock, log;                             /* descriptors; -1: none */
	void (*said)(void *ctx, const char *line); /* told of each line of the log; or NULL */
	void *said_ctx;
	unsigned tail_n;
	char tail[LAYER_LOG_TAIL][512]; /* a ring of the last lines of the log */
};

_Static_assert(sizeof(((struct layer *)0)->dir) >=
                               STORE_PATH_MAX + sizeof "/layers/" + SHA256_HEX &&
                       sizeof(((struct layer *)0)->tree) >=
                               sizeof(((struct layer *)0)->dir) + sizeof "/tree",
               "a layer's paths are below the store's");

/* Waits, until the deadline, for another process that makes it. Then it exists, or is
 * ours to make. */
int layer_open(const struct store *s, const char *key, uint64_t deadline, struct layer *ret,
               struct err *e) ATTR_MUST_USE;
/* Takes only an existing layer, or the tree of a failed one: else -ENOENT, -EBUSY while it is being
 * made; both without *e. */
int layer_hold(const struct store *s, const char *key, bool failed, struct layer *ret,
               struct err *e) ATTR_MUST_USE;
/* Writes one line to its log. */
void layer_log(void *layer, const char *line);
/* Publishes the tree; it is cached from now on. */
int layer_publish(const struct store *s, struct layer *l, const char *parent, const char *step,
                  uint64_t took_ns, struct err *e) ATTR_MUST_USE;
/* Keeps it in DIR/failed/KEY, replacing an earlier failure; dir and tree are set to that place. */
void layer_keep_failed(const struct store *s, struct layer *l);
/* The same without its tree, which would fill the file system: only the log is kept. */
void layer_keep_log(const struct store *s, struct layer *l);
/* Whether the last lines of its log say that a file system is full. */
bool layer_says_full(const struct layer *l);
/* Releases the lock and removes what was neither published nor kept. */
void layer_close(struct layer *l);
