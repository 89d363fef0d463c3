/* SPDX-License-Identifier: Apache-2.0 */
/* Reads files with a ceiling, and replaces them in one step. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/scope.h"

#define PIECE     (256UL << 10) /* read at once */
#define PATH_SIZE 4096

int file_open(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
	        .flags = (uint64_t)(flags | O_CLOEXEC),
	        .mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
	        .resolve = RESOLVE_NO_MAGICLINKS | (dirfd == AT_FDCWD ? 0 : RESOLVE_IN_ROOT),
	};

	/* EAGAIN: a rename raced the walk, openat2(2); the bound keeps an attacker from blocking
	 * us. */
	for (int tries = 0; tries < 16; tries++) {
		long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int file_read(int dirfd, const char *path, size_t ceiling, struct arena *a, struct blob *ret,
              struct err *e)
{
	scope_fd int fd = file_open(dirfd, path, FILE_READ_FLAGS, 0);

	if (fd < 0)
		return err_errno(e, -fd, "opening '%s'", path);
	return file_read_open(fd, path, ceiling, a, ret, e);
}

int file_read_open(int fd, const char *path, size_t ceiling, struct arena *a, struct blob *ret,
                   struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "reading '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "reading '%s': not a regular file", path);

	/* The size is only a hint: /proc files say 0, and a file may grow while it's read. */
	struct strbuf b = STRBUF(a, ceiling);
	char chunk[16384];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "reading '%s'", path);
		strbuf_add(&b, chunk, (size_t)n);
		if (b.overflow)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
			               "%s:1:1: file is larger than %zu bytes", path, ceiling);
		if (n == 0)
			break;
	}
	*ret = (struct blob){b.data, b.len};
	return 0;
}

int file_read_input(const char *path, size_t max, struct arena *a, struct blob *ret, struct err *e)
{
	int r = file_read(AT_FDCWD, path, max, a, ret, e);

	if (r < 0 && e->kind == ERR_HOST)
		e->kind = ERR_INPUT;
	return r;
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool split(const char *path, char *dir, size_t cap, const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n + 2 > cap)
		return false;
	*name = slash ? slash + 1 : path;
	if (slash && n == 0) {
		dir[n++] = '/';
	} else if (!slash) {
		dir[n++] = '.';
	} else {
		memcpy(dir, path, n);
	}
	dir[n] = '\0';
	return **name && !str_eq(*name, ".") && !str_eq(*name, "..");
}

/* Removes what a killed run left under that name. If it can't be removed, e.g. because it is a
 * directory, it is not ours: then the name gets a random part. */
static void free_name(struct file_new *f)
{
	uint32_t random;

	if (unlinkat(f->dir, f->temp, 0) == 0 || errno == ENOENT)
		return;
	if (getrandom(&random, sizeof random, 0) == sizeof random)
		snprintf(f->temp, sizeof f->temp, ".%.230s.%08x.hpc-new", f->name, random);
}

/* For file systems without O_TMPFILE. */
static int open_named(struct file_new *f)
{
	free_name(f);
	f->fd = openat(f->dir, f->temp, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return -errno;
	f->named = true;
	return 0;
}

int file_new_open(struct file_new *f, int dirfd, const char *path, struct err *e)
{
	char dir[PATH_SIZE];
	const char *name;

	*f = (struct file_new)FILE_NEW_INIT;
	if (!split(path, dir, sizeof dir, &name) || strlen(name) >= sizeof f->name)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ENAMETOOLONG,
		               "writing '%s': not a usable file name", path);
	memcpy(f->name, name, strlen(name) + 1);
	/* The prefix may push a long name over NAME_MAX: then its tail is cut, the name only has to
	 * be ours. */
	snprintf(f->temp, sizeof f->temp, ".%.240s.hpc-new", name);

	f->dir = file_open(dirfd, dir, O_PATH | O_DIRECTORY, 0);
	if (f->dir < 0)
		return err_errno(e, -f->dir, "writing '%s': opening its directory", path);
	f->fd = openat(f->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f->fd >= 0)
		return 0;
	bool unsupported =
	        errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL;
	int r = unsupported ? open_named(f) : -errno;
	if (r < 0) {
		file_new_close(f);
		return err_errno(e, -r, "writing '%s'", path);
	}
	return 0;
}

int file_new_write(struct file_new *f, const void *data, size_t len, struct err *e)
{
	int r = file_write_all(f->fd, data, len);

	if (r < 0)
		return err_errno(e, -r, "writing '%s'", f->name);
	return 0;
}

static int commit(struct file_new *f, const struct file_attr *attr)
{
	char proc[64];

	if ((attr->uid != (uid_t)-1 || attr->gid != (gid_t)-1) &&
	    fchown(f->fd, attr->uid, attr->gid) < 0)
		return -errno;
	if (fchmod(f->fd, attr->mode) < 0 || (!attr->unsynced && fsync(f->fd) < 0))
		return -errno;
	if (!f->named) {
		snprintf(proc, sizeof proc, "/proc/self/fd/%d", f->fd);
		/* Only exists if a process was killed between the link and the rename below. */
		free_name(f);
		if (linkat(AT_FDCWD, proc, f->dir, f->temp, AT_SYMLINK_FOLLOW) < 0)
			return -errno;
		f->named = true;
	}
	if (renameat(f->dir, f->temp, f->dir, f->name) < 0)
		return -errno;
	f->named = false;
	/* O_PATH descriptors can't be synced. */
	scope_fd int dir =
	        attr->unsynced ? -1 : openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		fsync(dir);
	return 0;
}

int file_new_commit(struct file_new *f, const struct file_attr *attr, struct err *e)
{
	int r = commit(f, attr);

	if (r < 0)
		err_errno(e, -r, "writing '%s'", f->name);
	file_new_close(f);
	return r;
}

void file_new_close(struct file_new *f)
{
	if (f->named)
		unlinkat(f->dir, f->temp, 0);
	f->named = false;
	scope_close(&f->fd);
	scope_close(&f->dir);
}

int file_replace(int dirfd, const char *path, const void *data, size_t len,
                 const struct file_attr *attr, struct err *e)
{
	scope_file_new struct file_new f = FILE_NEW_INIT;
	int r = file_new_open(&f, dirfd, path, e);

	if (r < 0)
		return r;
	r = file_new_write(&f, data, len, e);
	if (r < 0)
		return r;
	return file_new_commit(&f, attr, e);
}

int file_remove(int dirfd, const char *path, struct err *e)
{
	char dir[PATH_SIZE];
	const char *name;

	if (!split(path, dir, sizeof dir, &name))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ENAMETOOLONG,
		               "removing '%s': not a usable file name", path);
	scope_fd int fd = file_open(dirfd, dir, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_errno(e, -fd, "removing '%s': opening its directory", path);
	if (unlinkat(fd, name, 0) < 0 && errno != ENOENT)
		return err_errno(e, errno, "removing '%s'", path);
	return 0;
}

int file_sha256(int dirfd, const char *path, char ret[static SHA256_HEX], struct err *e)
{
	scope_fd int fd = file_open(dirfd, path, O_RDONLY, 0);
	scope_mem char *piece = malloc(PIECE);
	scope_digest struct digest *d = digest_new();
	unsigned char sum[SHA256_LEN];
	ssize_t n;

	if (!piece)
		abort();
	if (fd < 0)
		return err_errno(e, -fd, "opening '%s'", path);
	while ((n = read(fd, piece, PIECE)) > 0 || (n < 0 && errno == EINTR))
		digest_add(d, piece, n > 0 ? (size_t)n : 0);
	if (n < 0)
		return err_errno(e, errno, "reading '%s'", path);
	digest_sum(d, sum);
	str_hex(sum, sizeof sum, ret);
	return 0;
}

#define SEAL_TRIES   100
#define SEAL_EACH_MS 10

int file_seal(int fd)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

	for (int i = 0; fcntl(fd, F_ADD_SEALS, seals) < 0; i++) {
		if (errno != EBUSY || i == SEAL_TRIES)
			return -errno;
		clock_sleep_ms(SEAL_EACH_MS, CLOCK_NEVER);
	}
	return 0;
}
