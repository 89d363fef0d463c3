/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of whole builds share: a recipe over a tree of one program, and runs with its store. */
#pragma once

#include "build/build_test.h"
#include "machine.h"
#include "verb_test.h"

#define PROGRAM "/usr/bin/busybox" /* linked statically */

#define MOTD  "files: [{path: /etc/motd, content: \"%s\\n\"}]\n"
#define TESTS "tests: [{run: [cat, /etc/motd], expect: {stdout: \"%s\\n\"}}]\n"

static inline void put_image(const char *rest)
{
	put("r.yaml", arena_printf(arena,
	                           "image: {name: unit, version: 1.2.0, arch: %s, from: tree, "
	                           "disk: {size: 512M}}\n%s",
	                           own_arch(), rest));
}

static inline const char *with_word(const char *word)
{
	return arena_printf(arena, MOTD TESTS, word, word);
}

static inline void put_tree(void)
{
	struct blob program;

	assert_ok(file_read(AT_FDCWD, PROGRAM, 16 << 20, arena, &program, &e));
	put("tree/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
	put("tree/etc/group", "root:x:0:\n");
	put("tree/var/lib/dpkg/status", "Package: one\nStatus: install ok installed\n"
	                                "Architecture: amd64\nVersion: 1.0\n\n");
	put("tree/boot/vmlinuz-1", "kernel");
	put("tree/usr/x", "");
	(void)mkdir(at("tree/bin"), 0755);
	(void)mkdir(at("tree/tmp"), 0755);
	(void)mkdir(at("tree/root"), 0700);
	scope_fd int fd = open(at("tree/bin/busybox"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(file_write_all(fd, program.data, program.len), 0);
	assert_int_equal(symlink("busybox", at("tree/bin/sh")), 0);
	assert_int_equal(symlink("busybox", at("tree/bin/cat")), 0);
	assert_int_equal(symlink("busybox", at("tree/bin/ls")), 0);
}

#define assert_shell(...) assert_runs("shell", at("r.yaml"), "--store", at("store"), __VA_ARGS__)
#define build(...)        run("build", at("r.yaml"), "--store", at("store"), __VA_ARGS__)
#define shell(...)        run("shell", at("r.yaml"), "--store", at("store"), __VA_ARGS__)
