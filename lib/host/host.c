/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a host, and keeps its record and the assumptions of a dry run. */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "host/host_own.h"

#define RECORD_MAX 2048 /* bytes of one recorded line */

int host_open(const char *root, enum host_mode mode, struct host **ret, struct err *e)
{
	scope_mem char *real = realpath(root, NULL);
	int fd = real ? file_open(AT_FDCWD, real, O_PATH | O_DIRECTORY, 0) : -errno;

	if (fd < 0)
		return err_errno(e, -fd, "opening the root '%s'", root);

	struct arena *a = arena_new();
	struct host *h = arena_alloc(a, sizeof *h);
	h->arena = a;
	h->mode = mode;
	h->root_fd = fd;
	h->root = arena_strdup(a, real);
	h->self = h->running = str_eq(real, "/");
	*ret = h;
	return 0;
}

void host_close(struct host *h)
{
	if (!h)
		return;
	if (h->bus_close)
		h->bus_close(h);
	close(h->root_fd);
	arena_close(h->arena);
}

enum host_mode host_mode(const struct host *h)
{
	return h->mode;
}

const char *host_root(const struct host *h)
{
	return h->root;
}

int host_root_fd(const struct host *h)
{
	return h->root_fd;
}

bool host_is_self(const struct host *h)
{
	return h->running;
}

void host_set_offline(struct host *h)
{
	h->running = false;
}

void host_set_epoch(struct host *h, int64_t seconds)
{
	snprintf(h->epoch, sizeof h->epoch, "SOURCE_DATE_EPOCH=%" PRId64, seconds);
}

void host_record_to(struct host *h, host_recorder_fn *fn, void *ctx)
{
	h->record = fn;
	h->record_ctx = ctx;
}

void host_record(const struct host *h, const char *fmt, ...)
{
	char raw[RECORD_MAX], line[RECORD_MAX];
	va_list ap;

	if (!h->record)
		return;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	h->record(h->record_ctx, str_escape(raw, strlen(raw), line, sizeof line));
}

static const struct host_assumed *find(const struct host *h, const char *key)
{
	for (size_t i = 0; i < h->n_assumed; i++)
		if (str_eq(h->assumed[i]->key, key))
			return h->assumed[i];
	return NULL;
}

struct host_assumed *host_assume(struct host *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *key = arena_vprintf(h->arena, fmt, ap);
	va_end(ap);

	struct host_assumed *known = (struct host_assumed *)(uintptr_t)find(h, key);
	if (!known) {
		known = arena_alloc(h->arena, sizeof *known);
		h->assumed = arena_grow(h->arena, h->assumed, &h->n_assumed, sizeof known);
		h->assumed[h->n_assumed - 1] = known;
	}
	*known = (struct host_assumed){.key = key};
	return known;
}

const struct host_assumed *host_assumed(const struct host *h, const char *fmt, ...)
{
	char key[HOST_PATH_MAX + 16];
	va_list ap;

	if (!h->n_assumed)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(key, sizeof key, fmt, ap);
	va_end(ap);
	return find(h, key);
}

char *host_last_line(struct blob b, char *out, size_t cap)
{
	size_t end = b.len;

	out[0] = '\0';
	while (end && strchr(" \t\r\n", b.data[end - 1]))
		end--;
	size_t start = end;
	while (start && b.data[start - 1] != '\n')
		start--;
	while (start < end && strchr(" \t\r", b.data[start]))
		start++;
	return start < end ? str_escape(b.data + start, end - start, out, cap) : out;
}

bool host_path_tidy(const char *path, char out[static HOST_PATH_MAX])
{
	size_t n = 0;

	if (path[0] != '/')
		return false;
	for (const char *p = path; *p; p++) {
		if (*p == '/' && n && out[n - 1] == '/')
			continue;
		if (n + 1 >= HOST_PATH_MAX)
			return false;
		out[n++] = *p;
	}
	if (n > 1 && out[n - 1] == '/')
		n--;
	out[n] = '\0';
	return true;
}
