/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a directory but "." and "..", sorted by bytes, so that nothing depends on the order
 * it happens to be in. */
#pragma once

#include <dirent.h>

struct listing {
	struct dirent **items;
	int n;
};

/* The descriptor stays as it was. 0 or -errno. */
int listing_read(int dir, struct listing *ret);
void listing_close(struct listing *l);
#define scope_listing __attribute__((cleanup(listing_close)))
