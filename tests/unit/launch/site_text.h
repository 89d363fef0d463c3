/* SPDX-License-Identifier: Apache-2.0 */
/* A fleet's file, read, for the tests of this floor. */
#pragma once

#include "unit.h"

#include "launch/site.h"

static struct arena *arena;
static struct err e;
static struct site site;

static inline int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static inline int read_site(const char *text)
{
	return site_read("fleet.yaml", (struct blob){text, strlen(text)}, NULL, arena, &site, &e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#define SITE_TEXT                                                                                  \
	"cluster: c\n"                                                                             \
	"node: {config: s3://b/c.yaml, head: 10.0.0.1, munge-key: null}\n"                         \
	"resources:\n"                                                                             \
	"- nodes: q-dy-a-[1-3]\n"                                                                  \
	"  image: ami-1\n"                                                                         \
	"  types: [t3.micro, t3a.micro]\n"                                                         \
	"  subnets: [subnet-a, subnet-b]\n"                                                        \
	"  security-groups: sg-1\n"                                                                \
	"  instance-profile: p\n"                                                                  \
	"  key-name: k\n"                                                                          \
	"  tags: {team: physics}\n"                                                                \
	"- nodes: q-dy-b-1\n"                                                                      \
	"  image: ami-2\n"                                                                         \
	"  types: c7g.large\n"                                                                     \
	"  subnets: subnet-b\n"
