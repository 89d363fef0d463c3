/* SPDX-License-Identifier: Apache-2.0 */
/* The lock that allows one run at a time on a machine. */
#include "host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/scope.h"
#include "host/host.h"

/* The run directory is ours, not part of the machine's state, so it is not recorded. */
static int run_dir(const struct host *h, struct err *e)
{
	scope_fd int run = file_open(host_root_fd(h), "/run", O_PATH | O_DIRECTORY, 0);

	if (run < 0 && mkdirat(host_root_fd(h), "run", 0755) == 0)
		run = file_open(host_root_fd(h), "/run", O_PATH | O_DIRECTORY, 0);
	if (run < 0)
		return err_errno(e, -run, "opening '/run'");
	if (mkdirat(run, "hpc-node", 0755) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making '%s'", HOST_LOCK_DIR);
	return 0;
}

int host_lock(const struct host *h, int *ret_fd, struct err *e)
{
	int r = run_dir(h, e);

	if (r < 0)
		return r;
	scope_fd int fd = file_open(host_root_fd(h), HOST_LOCK, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return err_errno(e, -fd, "opening '%s'", HOST_LOCK);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_SETLK, &lock) == 0) {
		*ret_fd = steal_fd(&fd);
		return 0;
	}
	if (errno != EACCES && errno != EAGAIN)
		return err_errno(e, errno, "locking '%s'", HOST_LOCK);
	return err_set(e, ERR_BUSY, REASON_BUSY, EBUSY, "another run is at work on this machine");
}

bool host_lock_held(const struct host *h)
{
	scope_fd int fd = file_open(host_root_fd(h), HOST_LOCK, O_RDONLY, 0);
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
