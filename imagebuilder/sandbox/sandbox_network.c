/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps a sandbox with this machine's network away from the instance metadata service, which gives
 * the builder's role to whoever asks.
 *
 * The sandbox's processes are root, and so is the builder; what tells them apart is a control group
 * of version 2, which an image's processes can't leave: they see no cgroup file system and can't
 * mount one. Those that make a base have more rights; what they run is the machine's own. Where
 * that can't be made, as in many containers, it only counts whether the service can be reached.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "host/host.h"
#include "machine/filter.h"
#include "sandbox/sandbox_own.h"

#define NAME     "hpc-imagebuild" /* of the control group and of the table */
#define ADDRESS  "169.254.169.254"
#define ADDRESS6 "fd00:ec2::254"
#define KNOCK_MS 1000 /* it answers within milliseconds where it is */

/* The root of the hierarchy of version 2, a mount of /proc/self/mountinfo, proc(5). */
static bool find_hierarchy(char out[static 4096])
{
	scope_file FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[8192];

	while (f && fgets(line, sizeof line, f))
		if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s / %4095s", out) == 1)
			return true;
	return false;
}

/* Opens the group, made if it is missing. It stays: another builder may be in it. */
static int open_group(struct err *e)
{
	char root[4096], path[4200];

	if (!find_hierarchy(root))
		return err_errno(e, ENOENT, "looking for control groups of version 2");
	snprintf(path, sizeof path, "%s/" NAME, root);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making the control group '%s'", path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_errno(e, errno, "opening the control group '%s'", path) : fd;
}

static int enter(int group, struct err *e)
{
	scope_fd int fd = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		return err_errno(e, errno, "entering a control group");
	return 0;
}

/* Refuses the service to the group; every builder of this machine wants the same table. */
static int refuse(int group, struct err *e)
{
	struct host *h = NULL;
	struct stat st;

	if (fstat(group, &st) < 0)
		return err_errno(e, errno, "looking at a control group");
	const struct host_filter f = {.table = NAME,
	                              .address = ADDRESS,
	                              .address6 = ADDRESS6,
	                              .cgroup = (uint64_t)st.st_ino};
	int r = host_open("/", HOST_LIVE, &h, e);
	if (r == 0)
		r = host_filter_is(h, &f, e);
	if (r == 0)
		r = host_filter_set(h, &f, e);
	host_close(h);
	return r < 0 ? r : 0;
}

static int lock(struct err *e)
{
	scope_fd int group = open_group(e);

	if (group < 0)
		return group;
	int r = refuse(group, e);
	return r < 0 ? r : enter(group, e);
}

/* Whether this process gets a connection to the service. */
static bool reaches(int family, const void *address, socklen_t len)
{
	scope_fd int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int no = 0;

	if (fd < 0)
		return false;
	if (connect(fd, address, len) == 0)
		return true;
	if (errno != EINPROGRESS || poll(&p, 1, KNOCK_MS) != 1)
		return false;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &no, &size) == 0 && no == 0;
}

static bool is_open(void)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(80)};

	inet_pton(AF_INET, ADDRESS, &four.sin_addr);
	inet_pton(AF_INET6, ADDRESS6, &six.sin6_addr);
	return reaches(AF_INET, &four, sizeof four) || reaches(AF_INET6, &six, sizeof six);
}

int sandbox_lock_network(struct err *e)
{
	struct err why;
	int r = lock(&why);

	/* Asked from inside the group: that a rule is listed doesn't prove that it works. */
	if (!is_open())
		return 0;
	return err_set(e, ERR_HOST, REASON_IMDS_LOCK, EPERM,
	               "a step with a network would reach the metadata service at " ADDRESS
	               ", and with it this machine's role: %s",
	               r < 0 ? why.text : "the packet filter doesn't hold it back");
}
