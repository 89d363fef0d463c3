/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the disks that EC2 attached. */
#include "machine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/file.h"
#include "base/scope.h"
#include "host/host.h"
#include "os/tree.h"

#define BLOCK_DIR   "/sys/class/block"
#define STORE_MODEL "Amazon EC2 NVMe Instance Storage"
#define TEXT_MAX    256
#define DISKS_MAX   64
#define ID_DIGITS   17

#define IDENTIFY        6 /* NVMe 1.4, 5.15: the command, and the page about the controller */
#define IDENTIFY_WHAT   1
#define VENDOR_AT       3072 /* its vendor's part: EBS's name of the device, padded with blanks */
#define VENDOR_NAME_LEN 32

static bool is_volume(const char *which)
{
	if (!str_starts(which, "vol-"))
		return false;
	size_t n = strspn(which + 4, "0123456789abcdef");
	return n >= 8 && n <= ID_DIGITS && !which[4 + n];
}

static bool is_attachment(const char *which)
{
	size_t n = str_starts(which, "/dev/") ? strlen(which) : 0;

	return n > 5 && n < HOST_DISK_NAME && !strpbrk(which + 5, "/ ") && which[5] != '.';
}

bool host_disk_is_name(const char *which)
{
	return is_volume(which) || is_attachment(which) || str_eq(which, HOST_DISK_STORE);
}

bool host_disk_attached_as(const unsigned char *identify, char ret[static HOST_DISK_NAME])
{
	const char *name = (const char *)identify + VENDOR_AT;
	size_t n = strnlen(name, VENDOR_NAME_LEN);

	while (n && name[n - 1] == ' ')
		n--;
	if (!n || name[n - 1] == '/')
		return false;
	bool whole = n > 5 && memcmp(name, "/dev/", 5) == 0;
	snprintf(ret, HOST_DISK_NAME, "%s%.*s", whole ? "" : "/dev/", (int)n, name);
	return true;
}

/* ---- one disk ---- */

/* An attribute of the controller, without the blanks behind it; NULL: it has none. */
static const char *attribute(struct host *h, const char *disk, const char *name, struct arena *a)
{
	const char *path = arena_printf(a, BLOCK_DIR "/%s/device/%s", disk, name);
	scope_fd int fd = file_open(host_root_fd(h), path, O_RDONLY, 0);
	char text[TEXT_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\n'))
		n--;
	return n > 0 ? arena_memdup(a, text, (size_t)n) : NULL;
}

static bool is_attached_as(struct host *h, const char *disk, const char *as, struct arena *a)
{
	unsigned char *page = arena_alloc(a, HOST_DISK_IDENTIFY);
	struct nvme_admin_cmd command = {.opcode = IDENTIFY,
	                                 .addr = (uint64_t)(uintptr_t)page,
	                                 .data_len = HOST_DISK_IDENTIFY,
	                                 .cdw10 = IDENTIFY_WHAT};
	scope_fd int fd = file_open(host_root_fd(h), arena_printf(a, "/dev/%s", disk), O_RDONLY, 0);
	char name[HOST_DISK_NAME];

	return fd >= 0 && ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command) == 0 &&
	       host_disk_attached_as(page, name) && str_eq(name, as);
}

static bool is_wanted(struct host *h, const char *disk, const char *which, const char *serial,
                      struct arena *a)
{
	if (str_eq(which, HOST_DISK_STORE))
		return str_eq(attribute(h, disk, "model", a), STORE_MODEL);
	if (is_attachment(which))
		return str_starts(serial, "vol") && is_attached_as(h, disk, which, a);
	/* "vol-0123" is "vol0123" there; with a dash where it is newer, too. */
	return str_starts(serial, "vol") &&
	       str_eq(serial + 3 + (serial[3] == '-'), which + strlen("vol-"));
}

/* ---- all ---- */

struct search {
	struct host *h;
	const char *which;
	struct arena *arena;
	struct host_disks found;
};

/* "nvme1n1" but not "nvme1n1p1", "nvme1c0n1". */
static bool is_whole_disk(const char *name)
{
	unsigned controller, space;
	int end = 0;

	return sscanf(name, "nvme%un%u%n", &controller, &space, &end) == 2 && !name[end];
}

static int look_at(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct search *s = ctx;

	(void)e;
	if (!is_whole_disk(at->name) || s->found.n == DISKS_MAX)
		return TREE_PRUNE;
	const char *serial = attribute(s->h, at->name, "serial", s->arena);
	if (!serial || !is_wanted(s->h, at->name, s->which, serial, s->arena))
		return TREE_PRUNE;
	s->found.items = arena_grow(s->arena, s->found.items, &s->found.n, sizeof *s->found.items);
	s->found.items[s->found.n - 1] = (struct host_disk){
	        .path = arena_printf(s->arena, "/dev/%s", at->name), .serial = serial};
	return TREE_PRUNE;
}

int host_disks_find(struct host *h, const char *which, struct arena *a, struct host_disks *ret,
                    struct err *e)
{
	struct search s = {.h = h, .which = which, .arena = a};
	struct tree_walk walk = {.visit = look_at, .ctx = &s, .changing = true};
	scope_fd int dir = file_open(host_root_fd(h), BLOCK_DIR, O_RDONLY | O_DIRECTORY, 0);

	if (dir >= 0) {
		int r = tree_walk(dir, &walk, e);
		if (r < 0)
			return r;
	} else if (dir != -ENOENT) {
		return err_errno(e, -dir, "looking for disks in " BLOCK_DIR);
	}
	*ret = s.found;
	return 0;
}
