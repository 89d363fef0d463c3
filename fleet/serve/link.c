/* SPDX-License-Identifier: Apache-2.0 */
/* What slurmctld calls: it only leaves word in the spool. */
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/scope.h"
#include "serve/fleet.h"
#include "spool/spool.h"

/* Its path is /proc/PID/fd/N of slurmctld or slurmscriptd, which remove it after some seconds. */
static int read_jobs(char **environment, struct arena *a, struct blob *ret, struct err *e)
{
	const char *path = link_value(environment, "SLURM_RESUME_FILE");
	scope_fd int fd = path ? open(path, FILE_READ_FLAGS | O_CLOEXEC) : -1;

	*ret = (struct blob){0};
	if (fd < 0)
		return 0;
	return file_read_open(fd, path, SPOOL_FILE_MAX / 2, a, ret, e);
}

static int leave_word(enum spool_verb verb, int argc, char **argv, char **environment)
{
	scope_arena struct arena *a = arena_new();
	struct blob jobs = {0};
	struct err e;

	if (argc != 2 || !*argv[1]) {
		fprintf(stderr, "slurm-%s: expected a list of nodes, as slurmctld gives it\n",
		        spool_verbs[verb]);
		return 2;
	}
	/* Without the jobs the nodes are launched all the same, each for itself. */
	if (verb == SPOOL_RESUME && read_jobs(environment, a, &jobs, &e) < 0) {
		fprintf(stderr, "slurm-%s: %s\n", spool_verbs[verb], e.text);
		jobs = (struct blob){0};
	}
	if (spool_put(FLEET_STATE_DIR "/" FLEET_SPOOL, verb, argv[1], jobs, &e) < 0) {
		fprintf(stderr, "slurm-%s: %s\n", spool_verbs[verb], e.text);
		return err_exit_status(e.kind);
	}
	return 0;
}

static int resume(int argc, char **argv, char **environment)
{
	return leave_word(SPOOL_RESUME, argc, argv, environment);
}

static int suspend(int argc, char **argv, char **environment)
{
	return leave_word(SPOOL_SUSPEND, argc, argv, environment);
}

static int resume_fail(int argc, char **argv, char **environment)
{
	return leave_word(SPOOL_RESUME_FAIL, argc, argv, environment);
}

const struct link_row fleet_links[] = {
        {"slurm-resume", resume},
        {"slurm-suspend", suspend},
        {"slurm-resume-fail", resume_fail},
        {0},
};
