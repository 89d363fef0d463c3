/* SPDX-License-Identifier: Apache-2.0 */
/* Compares two locks row by row. */
#include "lock/lock_change.h"

#include <string.h>

struct comparing {
	void (*change)(void *ctx, const struct lock_change *c);
	void *ctx;
};

static void tell_package(const struct comparing *g, const struct lock_package *was,
                         const struct lock_package *now)
{
	if (was && now && str_eq(was->version, now->version) && str_eq(was->sha256, now->sha256))
		return;
	const struct lock_change c = {
	        .of = "package",
	        .name = (was ? was : now)->name,
	        .from = was ? was->version : NULL,
	        .to = now ? now->version : NULL,
	        .same_version = was && now && str_eq(was->version, now->version),
	};
	g->change(g->ctx, &c);
}

static void tell_file(const struct comparing *g, const struct lock_file *was,
                      const struct lock_file *now)
{
	if (was && now && str_eq(was->sha256, now->sha256))
		return;
	const struct lock_change c = {.of = "file",
	                              .name = (was ? was : now)->uri,
	                              .from = was ? was->sha256 : NULL,
	                              .to = now ? now->sha256 : NULL};
	g->change(g->ctx, &c);
}

static int order(const struct lock_package *a, const struct lock_package *b)
{
	int r = strcmp(a->name, b->name);

	return r ? r : strcmp(a->arch, b->arch);
}

static void compare_packages(const struct comparing *g, const struct lock *was,
                             const struct lock *now)
{
	size_t i = 0, k = 0;

	while (i < was->n || k < now->n) {
		int r = i == was->n   ? 1
		        : k == now->n ? -1
		                      : order(&was->packages[i], &now->packages[k]);

		tell_package(g, r <= 0 ? &was->packages[i] : NULL,
		             r >= 0 ? &now->packages[k] : NULL);
		i += r <= 0;
		k += r >= 0;
	}
}

static void compare_files(const struct comparing *g, const struct lock *was, const struct lock *now)
{
	size_t i = 0, k = 0;

	while (i < was->n_files || k < now->n_files) {
		int r = i == was->n_files   ? 1
		        : k == now->n_files ? -1
		                            : strcmp(was->files[i].uri, now->files[k].uri);

		tell_file(g, r <= 0 ? &was->files[i] : NULL, r >= 0 ? &now->files[k] : NULL);
		i += r <= 0;
		k += r >= 0;
	}
}

void lock_changes(const struct lock *was, const struct lock *now,
                  void (*change)(void *ctx, const struct lock_change *c), void *ctx)
{
	const struct comparing g = {change, ctx};

	compare_packages(&g, was, now);
	compare_files(&g, was, now);
}
