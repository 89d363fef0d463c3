/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a directory except "." and "..", sorted by bytes, so that nothing depends on the
 * order on disk. */
#pragma once

#include <dirent.h>

struct listing {
	struct dirent **items;
	int n;
};

/* Leaves the descriptor's position unchanged. 0 or -errno. */
int listing_read(int dir, struct listing *ret);
void listing_close(struct listing *l);
#define scope_listing __attribute__((cleanup(listing_close)))
