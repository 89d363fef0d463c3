/* SPDX-License-Identifier: Apache-2.0 */
/* shell: which layers it needs, who may have them meanwhile, and the words that lead into a failed step. */
#include "verb_image.h"

#include <sys/file.h>

#include "build/jobs.h"

static int begin(void **state)
{
	verb_set_up(state);
	put_tree();
	put_image(with_word("first"));
	return 0;
}

#define FAILS "scripts: [{id: fails, content: \"#!/bin/sh\\necho one >/made\\nexit 7\\n\"}]\n"

/* What the build's failure says to type. */
static const char *hint(void)
{
	const char *at = strstr(complained(), "hpc-imagebuild shell --failed ");

	assert_non_null(at);
	return arena_memdup(arena, at, strcspn(at, "\n"));
}

/* For a shell that reads it, whatever the files are called. */
static void the_way_into_a_failed_step_can_be_typed(void **state)
{
	(void)state;
	unit_need_root();
	put_image(FAILS);
	assert_int_equal(rename(at("r.yaml"), at("it's a.yaml")), 0);
	assert_int_equal(run("build", at("it's a.yaml"), "--store", at("a store")), 1);
	assert_string_equal(hint(), arena_printf(arena,
	                                         "hpc-imagebuild shell --failed --store "
	                                         "'%s/a store' '%s/it'\\''s a.yaml'",
	                                         top, top));
	assert_runs("shell", "--failed", at("it's a.yaml"), "--store", at("a store"), "--", "cat",
	            "/made", "/etc/passwd");
	assert_string_equal(said(), "one\nroot:x:0:0::/root:/bin/sh\n");
	/* One that begins with a dash is no option. */
	assert_int_equal(rename(at("it's a.yaml"), at("-q")), 0);
	verb_cwd = top;
	assert_int_equal(run("build", "--store", "store", "--", "-q"), 1);
	assert_string_equal(hint(), "hpc-imagebuild shell --failed --store store ./-q");
	verb_cwd = NULL;
	/* What is not in its store can't be looked into; a recipe that wasn't built there neither. */
	assert_int_equal(shell("--failed", "--", "cat"), 1);
	assert_has(complained(), "--failed: the last build of '");
	assert_has(complained(), "/r.yaml' in this store did not fail");
}

static const char *key_of(const char *step)
{
	assert_int_equal(run("plan", at("r.yaml"), "--store", at("store"), "--json"), 0);
	const struct doc *d = said_json();

	for (size_t i = 0; i < d->n; i++)
		if (str_eq(doc_text(d->items[i], "id"), step))
			return doc_text(d->items[i], "key");
	fail_msg("no step '%s'", step);
	return NULL;
}

static void a_layer_that_is_missing_is_named(void **state)
{
	(void)state;
	unit_need_root();
	put_image(FAILS);
	assert_int_equal(build("-q"), 1);
	assert_int_equal(shell("--", "cat"), 1);
	assert_has(complained(), arena_printf(arena,
	                                      "looking into '%s/r.yaml': 'fails' is not in the "
	                                      "store: hpc-imagebuild build %s/r.yaml\n",
	                                      top, top));
	const char *base = key_of(arena_printf(arena, "base %s/tree", top));
	assert_int_equal(rename(at(arena_printf(arena, "store/layers/%s", base)), at("base")), 0);
	assert_int_equal(shell("--failed", "--", "cat"), 1);
	assert_has(complained(), "'a layer below the one that failed' is not in the store");
	assert_int_equal(rename(at("base"), at(arena_printf(arena, "store/layers/%s", base))), 0);
	assert_int_equal(shell("--failed", "--", "cat", "/made"), 0);
	assert_int_equal(
	        rename(at(arena_printf(arena, "store/failed/%s", key_of("fails"))), at("failed")),
	        0);
	assert_int_equal(shell("--failed", "--", "cat", "/made"), 1);
	assert_has(complained(), "'fails' is not in the store");
}

/* While a build makes a layer nobody looks into it; while somebody looks none is removed. */
static void a_layer_has_one_user_or_many_readers(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(build("-q"), 0);
	const char *lock = at(arena_printf(arena, "store/locks/%s", key_of("files:/etc/motd")));
	scope_fd int fd = open(lock, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(shell("--", "cat"), 6);
	assert_has(complained(), "/r.yaml': a build is making 'files:/etc/motd'\n");
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(shell("--", "cat", "/etc/motd"), 0);
	assert_string_equal(said(), "first\n");
	assert_int_equal(flock(fd, LOCK_UN), 0);
	assert_int_equal(shell("--", "sh", "-c", "echo $TERM"), 0);
	assert_string_equal(said(), "dumb\n");
}

int main(int argc, char **argv)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
	const struct CMUnitTest tests[] = {
	        T(the_way_into_a_failed_step_can_be_typed),
	        T(a_layer_that_is_missing_is_named),
	        T(a_layer_has_one_user_or_many_readers),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(build_job);
	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
