/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of whole runs share: a disk, an account, a run and the notes of its journal. */
#pragma once

#include "account.h"

#include "publish/publish.h"

#define RUN_TAG(text)                                                                              \
	"<tagSet><item><key>hpc-imagebuild:run</key><value>" text "</value></item></tagSet>"

static struct command_list tags, accounts, regions;
static const struct command_list none;
static struct publish_spec spec;
static struct publish p;
static uint64_t told_done, told_total;

static inline void progress(void *ctx, uint64_t done, uint64_t total)
{
	*(unsigned *)ctx += 1;
	told_done = done;
	told_total = total;
}

static unsigned told;

/* A disk of 2 GiB and half a block, of which three blocks have data, and the one behind them holds zeros. */
static inline void put_disk(const char *name, const char *blocks)
{
	scope_fd int fd = open(at(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	for (size_t i = 0; blocks[i]; i++)
		if (blocks[i] != '.')
			assert_int_equal(pwrite(fd, &blocks[i], 1, (off_t)(i * BLOCKS_SIZE) + 9),
			                 1);
	assert_int_equal(ftruncate(fd, (off_t)4096 * BLOCKS_SIZE + BLOCKS_SIZE / 2), 0);
}

static inline int begin(void **state)
{
	set_up(state);
	script_clock_fast(WALL);
	tags = accounts = regions = none;
	put_disk("disk", "ab.d");
	spec = (struct publish_spec){.image = at("disk"),
	                             .name = "compute-1.0",
	                             .arch = "x86_64",
	                             .boot = "uefi-preferred",
	                             .tags = &tags,
	                             .follow = {.accounts = &accounts, .regions = &regions}};
	told = 0;
	return 0;
}

static inline void drop(void)
{
	publish_close(&p);
	cloud_close(p.cloud);
	p = (struct publish){.dir = -1, .runs = -1, .kept = -1, .fd = -1, .journal.fd = -1};
}

static inline int end(void **state)
{
	script_clock_real();
	drop();
	account_close();
	return tear_down(state);
}

/* The server must not inherit a journal: its lock would be held as long as that lives. */
static inline void open_publish(uint64_t ms)
{
	drop();
	account_open();
	p.cloud = cloud_open(&(struct cloud_config){.endpoint = account.url,
	                                            .region = "eu-west-1",
	                                            .access_key = "AKIAFIXED",
	                                            .secret_key = "secret"});
	p.state = at("state");
	p.connections = 2;
	p.deadline = clock_in_ms(ms);
	p.progress = progress;
	p.ctx = &told;
	p.arena = arena;
	e = (struct err){0};
}

#define HOUR 3600000

static inline int publish(void)
{
	open_publish(HOUR);
	return publish_image(&p, &spec, &e);
}

static inline int resume(const char *run, const struct publish_follow *now)
{
	open_publish(HOUR);
	return publish_resume(&p, run, now, &e);
}

static const struct publish_follow nothing = {.accounts = &none, .regions = &none};

static inline const char *noted(const char *event, const char *step, const char *key)
{
	return doc_text(journal_find(&p.journal, event, step), key);
}

static inline bool is_noted(const char *event, const char *step)
{
	return journal_find(&p.journal, event, step) != NULL;
}

static inline void assert_last_note(const char *event, const char *step)
{
	const struct doc *last = p.journal.lines[p.journal.n - 1];

	assert_string_equal(doc_text(last, "event"), event);
	if (step)
		assert_string_equal(doc_text(last, "step"), step);
}
