/* SPDX-License-Identifier: Apache-2.0 */
/* An image's tree in a directory of the test's own. */
#pragma once

#include "unit.h"

#include "base/arena.h"
#include "base/str.h"

struct image {
	char dir[64], path[96]; /* of the tree */
	int fd;                 /* of the tree */
	struct arena *a;
};

/* For cmocka: *state is the struct. */
int image_setup(void **state);
int image_teardown(void **state);

/* Files with their parents; what is there is replaced. */
void image_put(struct image *t, const char *path, const char *text);
void image_put_bytes(struct image *t, const char *path, const void *data, size_t len);
void image_link(struct image *t, const char *path, const char *target);
bool image_has(struct image *t, const char *path);
const char *image_text(struct image *t, const char *path);

/* As a system's, with nothing in it that no image may have. */
void image_fill(struct image *t);
void image_empty_out(struct image *t);
