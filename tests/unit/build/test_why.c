/* SPDX-License-Identifier: Apache-2.0 */
/* What a build remembers, and what `plan` tells by it. */
#include "build_test.h"

#include "base/log.h"
#include "build/record.h"
#include "build/why.h"
#include "store/store.h"

static struct store store;

static int set_up_store(void **state)
{
	set_up(state);
	assert_ok(store_open(at("store"), &store, &e));
	return 0;
}

static int tear_down_store(void **state)
{
	store_close(&store);
	return tear_down(state);
}

/* As if the chain's first n steps had been built; with `failed` step n failed. */
static struct layer *built(const struct chain *c, size_t n, bool failed)
{
	struct layer *held = arena_array(arena, c->n + 1, sizeof *held);
	const char *below = "";

	for (size_t i = 0; i < n + failed; i++) {
		chain_key(c, i, below, held[i].key);
		if (i < n)
			put(arena_printf(arena, "store/layers/%s/meta.json", held[i].key), "{}");
		if (c->steps[i].type->layer)
			below = held[i].key;
	}
	why_remember(c, &store, at("r.yaml"), held, n, failed);
	return held;
}

static struct why *told(const struct chain *c)
{
	struct why *w = arena_array(arena, c->n, sizeof *w);

	why_tell(c, &store, at("r.yaml"), arena, w);
	return w;
}

static void assert_why(const struct why *w, enum why_state state, const char *reason)
{
	assert_int_equal(w->state, state);
	if (!reason) {
		assert_int_equal(w->n, 0);
		return;
	}
	assert_true(w->n > 0);
	if (!strstr(w->reasons[0], reason))
		fail_msg("'%s' lacks '%s'", w->reasons[0], reason);
}

#define TWO "files:\n  - {path: /etc/a, content: a}\n  - {path: /etc/b, content: b}\n"

static void nothing_was_built(void **state)
{
	const struct why *w = told(chain_of(TWO));

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_why(&w[i], WHY_BUILD, "never built");
		assert_int_equal(strlen(w[i].key), SHA256_HEX - 1);
	}
}

static void all_is_there(void **state)
{
	const struct chain *c = chain_of(TWO);

	(void)state;
	built(c, c->n, false);
	const struct why *w = told(chain_of(TWO));
	for (size_t i = 0; i < c->n; i++)
		assert_why(&w[i], WHY_CACHED, NULL);
}

static void an_input_that_changed_is_told_with_its_place(void **state)
{
	const struct chain *c = chain_of(TWO);

	(void)state;
	built(c, c->n, false);
	const struct why *w = told(chain_of(
	        "files:\n  - {path: /etc/a, content: x}\n  - {path: /etc/b, content: b}\n"));
	assert_why(&w[0], WHY_CACHED, NULL);
	assert_why(&w[1], WHY_BUILD, "'content' changed (");
	if (!strstr(w[1].reasons[0], "r.yaml:3:"))
		fail_msg("%s", w[1].reasons[0]);
	assert_why(&w[2], WHY_BUILD, "below it files:/etc/a is not as it was");
	assert_why(&w[3], WHY_BUILD, "below it files:/etc/a is not as it was");
}

static void a_step_that_is_new_or_gone(void **state)
{
	const struct chain *c = chain_of(TWO);

	(void)state;
	built(c, c->n, false);
	const struct why *w = told(chain_of("files:\n  - {path: /etc/0, content: a}\n"
	                                    "  - {path: /etc/a, content: a}\n"
	                                    "  - {path: /etc/b, content: b}\n"));
	assert_why(&w[1], WHY_BUILD, "not in the last build");
	assert_why(&w[2], WHY_BUILD, "below it files:/etc/0 is not as it was");
	w = told(chain_of("files:\n  - {path: /etc/b, content: b}\n"));
	assert_why(&w[1], WHY_BUILD, "below it files:/etc/a is gone");
}

static void one_that_was_removed(void **state)
{
	const struct chain *c = chain_of(TWO);
	const struct layer *held = built(c, c->n, false);

	(void)state;
	assert_ok(tree_remove(store.fd, arena_printf(arena, "layers/%s", held[2].key), true, &e));
	const struct why *w = told(c);
	assert_why(&w[1], WHY_CACHED, NULL);
	assert_why(&w[2], WHY_BUILD, "removed from the store");
	assert_why(&w[3], WHY_CACHED, NULL);
}

static void what_cant_be_built_here_is_not_known(void **state)
{
	struct recipe *recipe = load("copy: [{from: none, to: /none}]\n" TWO);
	struct chain c;

	(void)state;
	assert_ok(chain_outline(recipe, NULL, arena, &c, &e));
	const struct why *w = told(&c);
	assert_why(&w[0], WHY_BUILD, "never built");
	assert_why(&w[1], WHY_UNKNOWN, "it can't be built here");
	assert_why(&w[2], WHY_UNKNOWN, "copy can't be built here");
	assert_null(w[1].key);
	assert_null(w[2].key);
	assert_string_equal(why_state_name(WHY_UNKNOWN), "unknown");
	assert_string_equal(why_state_name(WHY_BUILD), "build");
	assert_string_equal(why_state_name(WHY_CACHED), "cached");
}

static void many_changes_are_told_in_part(void **state)
{
	struct strbuf one = STRBUF(arena, 65536), two = STRBUF(arena, 65536);

	(void)state;
	for (int i = 0; i < 40; i++) {
		strbuf_printf(&one, "%s vm.a%d: 1", i ? "," : "sysctl: {", i);
		strbuf_printf(&two, "%s vm.a%d: 2", i ? "," : "sysctl: {", i);
	}
	strbuf_str(&one, "}\n");
	strbuf_str(&two, "}\n");
	const struct chain *c = chain_of(one.data);
	built(c, c->n, false);
	const struct why *w = told(chain_of(two.data));
	assert_int_equal(w[1].n, WHY_REASONS_MAX);
	assert_string_equal(w[1].reasons[WHY_REASONS_MAX - 1], "and 25 more");
}

/* ---- the record ---- */

static void a_record_comes_back(void **state)
{
	const struct chain *c = chain_of(TWO);
	const struct layer *held = built(c, 2, true);
	struct record r;

	(void)state;
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &r), 0);
	assert_string_equal(r.abi, CHAIN_ABI);
	assert_string_equal(r.arch, own_arch());
	assert_int_equal(r.n, 2);
	assert_string_equal(r.steps[0].below, "");
	assert_string_equal(r.steps[1].name, "files:/etc/a");
	assert_string_equal(r.steps[1].key, held[1].key);
	assert_string_equal(r.steps[1].below, held[0].key);
	assert_int_equal(r.steps[1].inputs.n, 2);
	assert_string_equal(r.steps[1].inputs.items[0].name, "'path'");
	assert_string_equal(r.failed, "files:/etc/b");
	assert_string_equal(r.failed_key, held[2].key);
	assert_false(r.failed_network);
	assert_int_equal(r.failed_below.n, 2);
	assert_string_equal(r.failed_below.items[0], held[0].key);
	assert_string_equal(r.failed_below.items[1], held[1].key);
	assert_ptr_equal(record_find(&r, "files:/etc/a", 0), &r.steps[1]);
	assert_null(record_find(&r, "files:/etc/a", 1));
	/* A build that succeeds forgets it. */
	built(c, c->n, false);
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &r), 0);
	assert_null(r.failed);
	assert_int_equal(r.n, 4);
}

/* A failed build keeps what was known of the steps it didn't come to. */
static void what_was_known_stays(void **state)
{
	const struct chain *c = chain_of(TWO);
	const struct layer *first = built(c, c->n, false);
	const struct chain *d = chain_of(
	        "files:\n  - {path: /etc/a, content: x}\n  - {path: /etc/b, content: b}\n");
	struct record r;

	(void)state;
	built(d, 1, true);
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &r), 0);
	assert_int_equal(r.n, 4);
	assert_string_equal(r.steps[1].key, first[1].key);
	assert_string_equal(r.failed, "files:/etc/a");
}

static struct stat only_record(void)
{
	struct dirent **l;
	struct stat st;
	int n = scandir(at("store/recipes"), &l, NULL, alphasort);

	assert_int_equal(n, 3);
	assert_int_equal(stat(at(arena_printf(arena, "store/recipes/%s", l[2]->d_name)), &st), 0);
	for (int i = 0; i < n; i++)
		free(l[i]);
	free(l);
	return st;
}

static void the_same_is_not_written_again(void **state)
{
	const struct chain *c = chain_of(TWO);

	(void)state;
	built(c, c->n, false);
	struct stat was = only_record();
	built(c, c->n, false);
	assert_true(only_record().st_ino == was.st_ino);
	assert_int_equal(was.st_mode & 07777, 0600);
	built(chain_of("files: [{path: /etc/a, content: z}]\n"), 3, false);
	assert_true(only_record().st_ino != was.st_ino);
}

static void keep_log(void *ctx, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)fields;
	(void)n;
	strbuf_printf(ctx, "<%d>%s\n", (int)level, text);
}

/* A build is not less for it, and whoever asks why should know where it comes from. */
static void what_cant_be_remembered_is_told(void **state)
{
	const struct chain *c = chain_of(TWO);
	struct strbuf logged = STRBUF(arena, 4096);

	(void)state;
	strbuf_str(&logged, "");
	log_set_sink(keep_log, &logged, LOG_LEVEL_DEBUG);
	built(c, c->n, false);
	assert_string_equal(logged.data, "");
	assert_ok(tree_remove(AT_FDCWD, at("store/recipes"), true, &e));
	built(c, c->n, false);
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	assert_true(str_starts(logged.data, "<4>"));
	assert_non_null(strstr(logged.data, ": 'plan' will not know why\n"));
}

static void a_record_that_is_no_json_is_none(void **state)
{
	const struct chain *c = chain_of(TWO);
	struct dirent **l;
	struct record r;

	(void)state;
	built(c, c->n, false);
	assert_int_equal(scandir(at("store/recipes"), &l, NULL, alphasort), 3);
	put(arena_printf(arena, "store/recipes/%s", l[2]->d_name), "{\"abi\": ");
	for (int i = 0; i < 3; i++)
		free(l[i]);
	free(l);
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &r), 0);
	assert_null(r.abi);
	assert_int_equal(r.n, 0);
	assert_why(told(c), WHY_CACHED, NULL);
}

static void records_of_recipes_that_are_gone_are_removed(void **state)
{
	const struct chain *c = chain_of(TWO);
	struct record r;

	(void)state;
	built(c, c->n, false);
	record_prune(&store);
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &r), 0);
	assert_int_equal(r.n, 4);
	assert_int_equal(rename(at("r.yaml"), at("other.yaml")), 0);
	record_prune(&store);
	struct dirent **l;
	int n = scandir(at("store/recipes"), &l, NULL, alphasort);
	assert_int_equal(n, 2);
	for (int i = 0; i < n; i++)
		free(l[i]);
	free(l);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up_store, tear_down_store)
	const struct CMUnitTest tests[] = {
	        T(nothing_was_built),
	        T(all_is_there),
	        T(an_input_that_changed_is_told_with_its_place),
	        T(a_step_that_is_new_or_gone),
	        T(one_that_was_removed),
	        T(what_cant_be_built_here_is_not_known),
	        T(many_changes_are_told_in_part),
	        T(a_record_comes_back),
	        T(what_was_known_stays),
	        T(the_same_is_not_written_again),
	        T(what_cant_be_remembered_is_told),
	        T(a_record_that_is_no_json_is_none),
	        T(records_of_recipes_that_are_gone_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
