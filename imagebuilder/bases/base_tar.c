/* SPDX-License-Identifier: Apache-2.0 */
/* A base that is a tar. */
#include <errno.h>
#include <fcntl.h>

#include "archive/tar.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/scope.h"
#include "bases/base_own.h"

static bool makes(const struct recipe *r)
{
	return r->from_type == FROM_TAR;
}

static int add_key(const struct base *b, struct arena *a, struct strbuf *key, struct err *e)
{
	char hex[SHA256_HEX];
	int r = file_sha256(AT_FDCWD, b->recipe->from, hex, e);

	(void)a;
	if (r < 0)
		return r;
	strbuf_printf(key, "tar %s\n", hex);
	return 0;
}

static int run(void *work, struct err *e)
{
	const struct base_work *w = work;
	scope_fd int tree = open(w->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tree < 0)
		return err_errno(e, errno, "opening '%s'", w->tree);
	return tar_unpack(w->recipe.from, tree, w->recipe.disk.size, w->deadline, e);
}

static const struct sandbox_job base_tar_job = {.name = "base-tar",
                                                .size = sizeof(struct base_work),
                                                .parcel = base_work_parcel,
                                                .run = run};

static int make(const struct base_making *m, struct err *e)
{
	struct base_work w = base_work(m);

	return base_run(m, &base_tar_job, &w, false, e);
}

const struct base_type base_tar = {
        .job = &base_tar_job, .makes = makes, .key = add_key, .make = make};
