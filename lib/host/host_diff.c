/* SPDX-License-Identifier: Apache-2.0 */
/* Tells how a file's content would differ. */
#include "host/host_diff.h"

#include "data/linediff.h"

#define LINES_MAX  64
#define LINE_SHOWN 300 /* bytes */

struct telling {
	const struct host *host;
	size_t n;
};

static void tell(void *ctx, const char *line)
{
	struct telling *t = ctx;

	if (t->n++ < LINES_MAX)
		host_record(t->host, " %.*s", LINE_SHOWN, line);
}

static bool is_text(struct blob content)
{
	size_t bad;

	return !(content.len && memchr(content.data, '\0', content.len)) &&
	       str_utf8_valid(content, &bad);
}

void host_diff_tell(const struct host *h, const struct host_before *before, struct blob content,
                    unsigned mode, struct arena *a)
{
	struct telling t = {.host = h};

	if (!before->there)
		return;
	if (before->hidden || !(mode & S_IROTH)) {
		host_record(h, " not everybody may read it: how it differs isn't shown");
		return;
	}
	if (before->large || content.len > HOST_DIFF_MAX) {
		host_record(h, " larger than %lu KiB: how it differs isn't shown",
		            HOST_DIFF_MAX >> 10);
		return;
	}
	if (!is_text(before->content) || !is_text(content)) {
		host_record(h, " not a text: how it differs isn't shown");
		return;
	}
	if (linediff(before->content, content, a, tell, &t) < 0)
		host_record(h, " more than %d lines: how it differs isn't shown",
		            LINEDIFF_LINES_MAX);
	else if (t.n == 0)
		host_record(h, " the content stays; mode or owner change");
	else if (t.n > LINES_MAX)
		host_record(h, " and %zu more lines", t.n - LINES_MAX);
}
