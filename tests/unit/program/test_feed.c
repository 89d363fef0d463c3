/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to a pipe and to a terminal, and events. */
#include "program/feed.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static char text[4096];

/* What `tell` writes to its lines, which are a file or a terminal, and to standard output. */
static const char *told(void (*tell)(struct feed *f), struct program p, bool terminal)
{
	char path[] = "/tmp/unit-feed-XXXXXX";
	int file = mkstemp(path), master = -1, slave = -1, before = dup(STDOUT_FILENO);
	struct feed f;

	unlink(path);
	if (terminal)
		assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	FILE *lines = fdopen(terminal ? slave : dup(file), "w");
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	feed_open(&f, &p, lines);
	tell(&f);
	feed_close(&f);
	dup2(before, STDOUT_FILENO);
	close(before);
	fclose(lines);
	size_t len = 0;
	for (ssize_t n = 1; n > 0 && len<sizeof text - 1; len += n> 0 ? (size_t)n : 0)
		n = terminal ? read(master, text + len, sizeof text - 1 - len)
		             : pread(file, text + len, sizeof text - 1 - len, (off_t)len);
	text[len] = '\0';
	close(file);
	if (terminal)
		close(master);
	return text;
}

static void work(struct feed *f)
{
	feed_passing(f, "%d %%", 10);
	feed_passing(f, "too soon");
	feed_line(f, "one: %s", "done");
	feed_passing(f, "%0100d", 7);
	if (f->json) {
		struct jsonw *w = feed_begin(f, "half");

		jsonw_u64(w, "n", 1);
		feed_end(f);
	}
}

static void a_file_gets_the_lines_that_stay(void **state)
{
	(void)state;
	assert_string_equal(told(work, (struct program){0}, false), "one: done\n");
}

static void a_terminal_gets_the_passing_ones_too(void **state)
{
	char want[256];

	(void)state;
	snprintf(want, sizeof want, "10 %%\r\033[Kone: done\r\n%079d\r\n", 0);
	assert_string_equal(told(work, (struct program){0}, true), want);
}

static void end_twice(struct feed *f)
{
	feed_passing(f, "%d %%", 10);
	feed_close(f);
	feed_line(f, "after");
	feed_passing(f, "%d %%", 20);
}

/* The passing line ends once, and what comes then begins in a line of its own. */
static void closing_ends_the_passing_line(void **state)
{
	(void)state;
	assert_string_equal(told(end_twice, (struct program){0}, true),
	                    "10 %\r\nafter\r\n20 %\r\n");
}

static void clear_it(struct feed *f)
{
	feed_clear(f); /* of nothing */
	feed_passing(f, "%d %%", 10);
	feed_clear(f);
	feed_clear(f);
	fputs("a question? ", f->lines);
	feed_line(f, "answered");
}

/* For what another program writes to the terminal; the next line begins where it ended. */
static void clearing_erases_the_passing_line(void **state)
{
	(void)state;
	assert_string_equal(told(clear_it, (struct program){0}, true),
	                    "10 %\r\033[Ka question? answered\r\n");
}

static void pause_twice(struct feed *f)
{
	static struct clock_fake now = {.now_ns = 1000000000};

	clock_set_fake(&now);
	feed_passing(f, "a");
	now.now_ns += 199999999;
	feed_passing(f, "b");
	now.now_ns += 1;
	feed_passing(f, "c");
	clock_set_fake(NULL);
}

static void a_passing_line_stays_for_a_moment(void **state)
{
	(void)state;
	assert_string_equal(told(pause_twice, (struct program){0}, true), "a\r\033[Kc\r\n");
}

static void quiet_and_json_have_no_lines(void **state)
{
	(void)state;
	assert_string_equal(told(work, (struct program){.quiet = true}, false), "");
	assert_string_equal(told(work, (struct program){.quiet = true}, true), "");
	assert_string_equal(told(work, (struct program){.json = true}, true), "");
	assert_string_equal(told(work, (struct program){.json = true}, false),
	                    "{\"schema\":1,\"event\":\"half\",\"n\":1}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_file_gets_the_lines_that_stay),
	        cmocka_unit_test(a_terminal_gets_the_passing_ones_too),
	        cmocka_unit_test(closing_ends_the_passing_line),
	        cmocka_unit_test(clearing_erases_the_passing_line),
	        cmocka_unit_test(a_passing_line_stays_for_a_moment),
	        cmocka_unit_test(quiet_and_json_have_no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
