/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of a store's layers share: a store in the test's own directory, and keys of one digit. */
#pragma once

#include "scratch.h"

#include "base/clock.h"
#include "store/layer.h"
#include "store/store.h"

static struct store store;

static inline int begin(void **state)
{
	set_up(state);
	store = (struct store)STORE_INIT;
	assert_ok(store_open(at("store"), &store, &e));
	return 0;
}

static inline int end(void **state)
{
	store_close(&store);
	return tear_down(state);
}

static inline const char *key_of(char digit)
{
	char *key = arena_alloc(arena, SHA256_HEX);

	memset(key, digit, SHA256_HEX - 1);
	key[SHA256_HEX - 1] = '\0';
	return key;
}

static inline const char *in(const char *part, char digit, const char *rest)
{
	return arena_printf(arena, "store/%s/%s%s", part, key_of(digit), rest);
}

static inline bool there(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

static inline mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(at(name), &st), 0);
	return st.st_mode & 07777;
}

static inline void open_layer(char digit, struct layer *l)
{
	assert_ok(layer_open(&store, key_of(digit), clock_in_ms(20000), l, &e));
}

static inline void make(char digit, const char *parent)
{
	static struct layer l;

	open_layer(digit, &l);
	assert_false(l.cached);
	put(in("work", digit, "/tree/file"), "content");
	assert_ok(layer_publish(&store, &l, parent, "a step", 5, &e));
	layer_close(&l);
}
