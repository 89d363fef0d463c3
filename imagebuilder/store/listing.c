/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a directory, sorted. */
#include "store/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void listing_close(struct listing *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->items[i]);
	free(l->items);
}

static int not_dots(const struct dirent *d)
{
	return !str_eq(d->d_name, ".") && !str_eq(d->d_name, "..");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int listing_read(int dir, struct listing *ret)
{
	ret->n = scandirat(dir, ".", &ret->items, not_dots, by_bytes);
	return ret->n < 0 ? -errno : 0;
}
