/* SPDX-License-Identifier: Apache-2.0 */
/* What a build tells: to people, and as events; of a step that fails, and of what cleaning found. */
#include "scratch.h"

#include "build/chain.h"
#include "build/cleaned.h"

/* What `tell` writes to standard output and to standard error. */
static const char *out, *err;

static void told(void (*tell)(struct progress *p), struct program program)
{
	int before[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
	scope_fd int to = open(at("out"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	scope_fd int too = open(at("err"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct progress p;

	fflush(NULL);
	dup2(to, STDOUT_FILENO);
	dup2(too, STDERR_FILENO);
	progress_open(&p, &program, "look --failed");
	p.of = 12;
	tell(&p);
	progress_close(&p);
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(before[i], i ? STDERR_FILENO : STDOUT_FILENO);
		close(before[i]);
	}
	out = get("out");
	err = get("err");
}

static void work(struct progress *p)
{
	progress_running(p, "base", "k1");
	progress_done(p, "base", "k1", "cached", 5);
	progress_running(p, "files:/x", "k2");
	progress_said(p, "a line");
	progress_said(p, "too soon");
	progress_done(p, "files:/x", "k2", "built", 2100000000);
	progress_phase(p, "writing");
	progress_output(p, "out/x.tar", "written", 300000000);
	progress_end(p, "k3", 12300000000);
}

static void people_get_a_line_a_step(void **state)
{
	(void)state;
	told(work, (struct program){0});
	assert_string_equal(out, "[ 1/12] cached   base\n"
	                         "[ 2/12] built    files:/x  (2.10 s)\n"
	                         "written out/x.tar  (300 ms)\n"
	                         "done: 1 built, 1 cached, 12.30 s\n");
	assert_string_equal(err, "");
	told(work, (struct program){.quiet = true});
	assert_string_equal(out, "");
}

#define EVENT(name) "{\"schema\":1,\"event\":\"" name "\","
#define STEP(n, step, state, key)                                                                  \
	EVENT("step")                                                                              \
	"\"n\":" n ",\"of\":12,\"step\":\"" step "\",\"state\":\"" state "\",\"key\":\"" key       \
	"\",\"ns\":"

static void programs_get_events(void **state)
{
	(void)state;
	told(work, (struct program){.json = true});
	char *ns = strstr(out, "\"elapsed_ns\":") + 13;
	assert_true(strtoull(ns, NULL, 10) < 60000000000ULL);
	assert_string_equal(
	        arena_printf(arena, "%.*s%s", (int)(ns - out), out, ns + strcspn(ns, ",")),
	        STEP("1", "base", "running", "k1") "0}\n" STEP("1", "base", "cached", "k1") "5}\n" STEP("2", "files:/x", "running", "k2") "0}\n" EVENT("said") "\"step\":\"files:/x\",\"elapsed_ns\":,\"line\":\"a line\"}\n" STEP(
	                "2", "files:/x", "built",
	                "k2") "2100000000}\n" EVENT("phase") "\"what\":\"writing\"}\n" EVENT("output") "\"path\":\"out/x.tar\",\"state\":\"written\",\"ns\":300000000}\n" EVENT("done") "\"key\":\"k3\",\"built\":1,\"cached\":1,\"ns\":12300000000}\n");
	assert_string_equal(err, "");
}

static struct layer layer;

static void log_lines(unsigned n)
{
	layer = (struct layer){.lock = -1, .log = -1};
	snprintf(layer.key, sizeof layer.key, "k4");
	snprintf(layer.dir, sizeof layer.dir, "/d");
	snprintf(layer.tree, sizeof layer.tree, "/d/tree");
	for (unsigned i = 1; i <= n; i++)
		layer_log(&layer, arena_printf(arena, "line %u", i));
}

static void fail_with_tree(struct progress *p)
{
	p->n = 3;
	progress_failed(p, "bad", &layer, true, 1000000000);
}

static void fail_without(struct progress *p)
{
	p->n = 3;
	progress_failed(p, "bad", &layer, false, 1000000000);
}

static void a_failure_shows_the_last_lines(void **state)
{
	(void)state;
	log_lines(2);
	told(fail_with_tree, (struct program){0});
	assert_string_equal(out, "[ 3/12] failed   bad  (1.00 s)\n");
	assert_string_equal(err, "  | line 1\n  | line 2\n  what it changed: /d/tree\n"
	                         "  its log:         /d/log\n  to look inside:  look --failed\n");
	told(fail_without, (struct program){0});
	assert_string_equal(err, "  | line 1\n  | line 2\n  its log:         /d/log\n");
	told(fail_with_tree, (struct program){.json = true});
	assert_string_equal(
	        out,
	        STEP("3", "bad", "failed", "k4") "1000000000}\n" EVENT(
	                "failed") "\"step\":\"bad\",\"tree\":\"/d/tree\",\"log\":\"/d/log\","
	                          "\"look\":\"look --failed\",\"lines\":[\"line 1\",\"line 2\"]}\n");
	told(fail_without, (struct program){.json = true});
	assert_non_null(
	        strstr(out, EVENT("failed") "\"step\":\"bad\",\"log\":\"/d/log\",\"lines\":["));
	log_lines(LAYER_LOG_TAIL);
	told(fail_with_tree, (struct program){0});
	assert_true(str_starts(err, "  | line 1\n"));
	assert_non_null(strstr(err, "  | line 30\n  what"));
	log_lines(LAYER_LOG_TAIL + 2);
	told(fail_with_tree, (struct program){0});
	assert_true(str_starts(err, "  | line 3\n"));
	assert_non_null(strstr(err, "  | line 32\n  what"));
}

/* ---- cleaning ---- */

static void tell_cleaned(struct progress *p)
{
	cleaned_tell(p, top);
}

#define FOUND(rule, path, more) "{\"rule\":\"" rule "\",\"path\":\"" path "\"" more "}"

static void what_was_cleaned_is_summed_up(void **state)
{
	(void)state;
	put(CHAIN_REPORT,
	    "{\"cleaned\":[" FOUND("keys", "/a", "") "," FOUND("keys", "/b", "") "," FOUND(
	            "logs", "/c",
	            "") "],"
	                "\"allowed\":[" FOUND(
	                        "setuid", "/d",
	                        ",\"reason\":\"why\"") "],"
	                                               "\"unused\":[" FOUND(
	                                                       "caps", "/e",
	                                                       "") "],"
	                                                           "\"refused\":[" FOUND("pem", "/f", ",\"what\":\"f is bad\"") "," FOUND(
	                                                                   "pem", "/g",
	                                                                   ",\"what\":\"g is bad\"") "]}");
	told(tell_cleaned, (struct program){0});
	assert_string_equal(
	        out,
	        "        cleaned: 3 (keys, logs); --verbose lists them\n"
	        "        allowed by the recipe: 1 (setuid); --verbose lists them\n"
	        "        not needed: allow {rule: caps, path: /e}: no such thing is in the image\n");
	assert_string_equal(err, "  f is bad\n  g is bad\n");
	told(tell_cleaned, (struct program){.verbose = true});
	assert_string_equal(
	        out,
	        "        cleaned: 3 (keys, logs)\n          keys: /a\n          keys: /b\n"
	        "          logs: /c\n        allowed by the recipe: 1 (setuid)\n"
	        "          setuid: /d: why\n"
	        "        not needed: allow {rule: caps, path: /e}: no such thing is in the image\n");
	told(tell_cleaned, (struct program){.json = true});
#define HYGIENE(state, rule, path, what)                                                           \
	EVENT("hygiene")                                                                           \
	"\"state\":\"" state "\",\"rule\":\"" rule "\",\"path\":\"" path "\",\"what\":" what "}\n"
	assert_string_equal(
	        out,
	        HYGIENE("cleaned", "keys", "/a", "null") HYGIENE("cleaned", "keys", "/b", "null")
	                HYGIENE("cleaned", "logs", "/c", "null") HYGIENE("allowed", "setuid", "/d",
	                                                                 "\"why\"")
	                        HYGIENE("unused", "caps", "/e", "null")
	                                HYGIENE("refused", "pem", "/f", "\"f is bad\"")
	                                        HYGIENE("refused", "pem", "/g", "\"g is bad\""));
	assert_string_equal(err, "  f is bad\n  g is bad\n");
	/* A single one is the error that follows; of nothing nothing is told. */
	put(CHAIN_REPORT,
	    "{\"cleaned\":[],\"allowed\":7,\"refused\":[" FOUND("pem", "/f", "") "]}");
	told(tell_cleaned, (struct program){0});
	assert_string_equal(out, "");
	assert_string_equal(err, "");
	put(CHAIN_REPORT, "{\"refused\":[" FOUND("pem", "/f", "") "," FOUND("pem", "/g", "") "]}");
	told(tell_cleaned, (struct program){0});
	assert_string_equal(err, "  pem\n  pem\n");
	put(CHAIN_REPORT, "{");
	told(tell_cleaned, (struct program){0});
	assert_string_equal(out, "");
	assert_int_equal(unlink(at(CHAIN_REPORT)), 0);
	told(tell_cleaned, (struct program){0});
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(people_get_a_line_a_step),
	        SCRATCH_TEST(programs_get_events),
	        SCRATCH_TEST(a_failure_shows_the_last_lines),
	        SCRATCH_TEST(what_was_cleaned_is_summed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
