/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of a store's layers share: a store in the test's own directory, and keys of one digit. */
#pragma once

#include "scratch.h"

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
