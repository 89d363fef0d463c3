/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine of the test's own, in a mount namespace: files of /etc that the test writes, and
 * programs that are scripts of the test's, found before the machine's. Root's; others skip.
 */
#pragma once

#include "scratch.h"

#include <sched.h>
#include <sys/mount.h>

/* A repository below /tmp, with this program and what it reads, stays in sight there: an open place in
 * /tmp and its path, or -1. */
static inline int machine_below_tmp(char path[static 4096])
{
	ssize_t n = readlink("/proc/self/exe", path, 4095);

	assert_true(n > 0);
	path[n] = '\0';
	if (!str_starts(path, "/tmp/"))
		return -1;
	path[strlen("/tmp/") + strcspn(path + strlen("/tmp/"), "/")] = '\0';
	int fd = open(path, O_PATH | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* For the whole program: from here on /tmp is its own, too. */
static inline int machine_begin(void **state)
{
	char kept[4096], from[64], cwd[4096];

	(void)state;
	if (!unit_is_root())
		return 0;
	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	/* A build looks for gigabytes of room first; nothing near it is used. */
	scope_fd int below = machine_below_tmp(kept);
	assert_int_equal(mount("none", "/tmp", "tmpfs", 0, "size=4g,mode=1777"), 0);
	if (below < 0)
		return 0;
	snprintf(from, sizeof from, "/proc/self/fd/%d", below);
	assert_int_equal(mkdir(kept, 0755), 0);
	assert_int_equal(mount(from, kept, NULL, MS_BIND | MS_REC, NULL), 0);
	assert_int_equal(chdir(cwd), 0);
	return 0;
}

static inline int machine_set_up(void **state)
{
	set_up(state);
	if (!unit_is_root())
		return 0;
	/* Programs that run as another user write below it, where they may. */
	assert_int_equal(chmod(top, 0711), 0);
	(void)mkdir(at("bin"), 0755);
	(void)mkdir(at("etc"), 0755);
	(void)mkdir(at("work"), 0755);
	assert_int_equal(mount("none", "/etc", "overlay", 0,
	                       arena_printf(arena, "lowerdir=/etc,upperdir=%s/etc,workdir=%s/work",
	                                    top, top)),
	                 0);
	assert_int_equal(mount(at("bin"), "/usr/local/sbin", NULL, MS_BIND, NULL), 0);
	return 0;
}

static inline int machine_tear_down(void **state)
{
	if (unit_is_root()) {
		assert_int_equal(umount2("/usr/local/sbin", MNT_DETACH), 0);
		assert_int_equal(umount2("/etc", MNT_DETACH), 0);
	}
	return tear_down(state);
}

/* A file that anybody may write. */
static inline void put_for_all(const char *name)
{
	put(name, "");
	assert_int_equal(chmod(at(name), 0666), 0);
}

/* A program of that name; each call appends its arguments as a line to the file NAME.args. */
static inline void put_program(const char *name, const char *script)
{
	const char *path = arena_printf(arena, "bin/%s", name);
	const char *calls = arena_printf(arena, "%s.args", name);

	if (access(at(calls), F_OK) < 0)
		put_for_all(calls);
	put(path,
	    arena_printf(arena, "#!/bin/sh\necho \"$*\" >>%s/%s.args\n%s", top, name, script));
	assert_int_equal(chmod(at(path), 0755), 0);
}

/* The arguments of all its calls. */
static inline const char *calls_of(const char *name)
{
	return get(arena_printf(arena, "%s.args", name));
}

/* A file of the machine, "/etc/...". */
static inline void put_etc(const char *path, const char *text)
{
	assert_true(str_starts(path, "/etc/"));
	put(arena_printf(arena, "../..%s", path), text);
}

#define MACHINE_TEST(fn) cmocka_unit_test_setup_teardown(fn, machine_set_up, machine_tear_down)
