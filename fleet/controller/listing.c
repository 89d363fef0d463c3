/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what Slurm's programs list. */
#include "controller/listing.h"

#include <errno.h>

#include "base/clock.h"
#include "host/exec.h"

#define CALL_MS 20000

/* As it comes: what host_result keeps is less than the nodes of a large cluster. */
static void add_line(void *ctx, const char *line)
{
	strbuf_printf(ctx, "%s\n", line);
}

int listing_read(const char *const *argv, struct arena *a, const char **ret, struct err *e)
{
	struct strbuf lines = STRBUF(a, LISTING_MAX);
	const struct host_exec x = {.argv = argv,
	                            .deadline = clock_in_ms(CALL_MS),
	                            .line = add_line,
	                            .line_ctx = &lines};
	struct host_result said;
	int r = host_run_here_ok(&x, a, &said, e);

	if (r < 0)
		return r;
	if (lines.overflow)
		return err_set(e, ERR_HOST, REASON_INPUT_LIMIT, EFBIG,
		               "%s: its list is longer than %u MiB", argv[0], LISTING_MAX >> 20);
	*ret = lines.data ? lines.data : "";
	return 0;
}
