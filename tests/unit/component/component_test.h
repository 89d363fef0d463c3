/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of components share: documents of a few steps, read or carried out on this machine
 * below a directory of the test's own, which their texts call TOP. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "component/component.h"
#include "data/yaml.h"
#include "host/host.h"
#include "os/tree.h"

static char top[] = "/tmp/unit-component-XXXXXX";
static struct arena *arena;
static struct host *host;
static struct component_list list;
static struct err e;

/* A step that runs a command. */
#define BASH(name, command)                                                                        \
	"{name: " name ", action: ExecuteBash, inputs: {commands: ['" command "']}}"

static inline const char *with_top(const char *text)
{
	struct strbuf out = STRBUF(arena, 1UL << 20);
	const char *found;

	for (; (found = strstr(text, "TOP")); text = found + 3) {
		strbuf_add(&out, text, (size_t)(found - text));
		strbuf_str(&out, top);
	}
	strbuf_str(&out, text);
	return out.data;
}

static inline int read_text(const char *text)
{
	const char *own = with_top(text);

	list = (struct component_list){0};
	return component_read_text("f", (struct blob){own, strlen(own)}, arena, &list, &e);
}

/* The steps, as YAML in one line each, of phase build. */
static inline int read_steps(const char *steps)
{
	return read_text(arena_printf(
	        arena, "{schemaVersion: 1.0, phases: [{name: build, steps: [%s]}]}", steps));
}

static inline struct component_env env_of_test(void)
{
	return (struct component_env){.host = host, .arena = arena, .deadline = clock_in_ms(20000)};
}

static inline int run(const char *steps)
{
	const struct component_env env = env_of_test();

	assert_ok(read_steps(steps));
	return components_run(&list, PHASES_ALL, &env, &e);
}

static inline const char *at(const char *name)
{
	return arena_printf(arena, "%s/%s", top, name);
}

static inline void put(const char *name, const char *text, mode_t mode)
{
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static inline const char *get(const char *name)
{
	struct blob text;

	assert_ok(file_read(AT_FDCWD, at(name), 1UL << 20, arena, &text, &e));
	return text.data ? text.data : "";
}

static inline bool there(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

static inline unsigned mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(at(name), &st), 0);
	return st.st_mode & 07777;
}

static inline int set_up(void **state)
{
	(void)state;
	memcpy(top + sizeof top - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(top));
	arena = arena_new();
	assert_ok(host_open("/", HOST_LIVE, &host, &e));
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	assert_ok(tree_remove(AT_FDCWD, top, true, &e));
	host_close(host);
	arena_close(arena);
	return 0;
}
