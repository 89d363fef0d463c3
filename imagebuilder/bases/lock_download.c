/* SPDX-License-Identifier: Apache-2.0 */
/* Calls apt's downloader, and reads what it says. */
#include "bases/lock_download.h"

#include <stdio.h>

#include "host/host.h"

#define HELPER     "/usr/lib/apt/apt-helper"
#define REASON_MAX 160

struct counting {
	const struct lock_listener *listener;
	size_t done, of;
};

/* "Get:12 http://.. [123 B]" for each that begins. */
static void count_line(void *ctx, const char *line)
{
	struct counting *c = ctx;
	char text[512];

	if (!str_starts(line, "Get:"))
		return;
	const char *url = strchr(line, ' ');
	snprintf(text, sizeof text, "%zu of %zu %s", ++c->done, c->of, url ? url : "");
	c->listener->line(c->listener->ctx, text);
}

int lock_download(const struct lock_download *list, size_t n, const struct lock_listener *listener,
                  uint64_t deadline, struct arena *a, struct blob *ret_said, struct err *e)
{
	const char **argv = arena_array(a, 3 * n + 8, sizeof *argv);
	struct counting counting = {listener, 0, n};
	struct host_exec x = {.argv = argv,
	                      .deadline = deadline,
	                      .line = listener ? count_line : NULL,
	                      .line_ctx = &counting};
	struct host_result res;
	size_t k = 0;

	argv[k++] = HELPER;
	argv[k++] = "-o";
	argv[k++] = "APT::Sandbox::User=root";
	argv[k++] = "download-file";
	for (size_t i = 0; i < n; i++) {
		argv[k++] = list[i].url;
		argv[k++] = list[i].to;
		argv[k++] = list[i].sha256 ? arena_printf(a, "SHA256:%s", list[i].sha256) : "";
	}
	int r = host_run_here(&x, a, &res, e);
	if (r < 0)
		return r;
	*ret_said = res.errout;
	return 0;
}

/* "E: Failed to fetch URL  404  Not Found [IP: ...]": what follows the address. */
const char *lock_download_why_not(struct blob said, const char *url, struct arena *a)
{
	size_t len = strlen(url);

	if (!said.len)
		return NULL;
	const char *end = said.data + said.len;
	const char *at = memmem(said.data, said.len, url, len);
	if (!at || end - at <= (ptrdiff_t)len || at[len] != ' ')
		return NULL;
	at += len;
	while (at < end && *at == ' ')
		at++;
	const char *eol = memchr(at, '\n', (size_t)(end - at));
	size_t n = eol ? (size_t)(eol - at) : (size_t)(end - at);
	char shown[REASON_MAX];

	return arena_strdup(a, str_escape(at, n, shown, sizeof shown));
}
