/* SPDX-License-Identifier: Apache-2.0 */
/* Chains: which steps a recipe comes to, what their keys follow from, what can't be built. */
#include "build_test.h"

static const char *names(const struct chain *c)
{
	struct strbuf b = STRBUF(arena, 4096);

	for (size_t i = 0; i < c->n; i++)
		strbuf_printf(&b, "%s%s:%s", i ? " " : "", c->steps[i].type->name,
		              str_starts(c->steps[i].name, "base ") ? "base" : c->steps[i].name);
	return b.data;
}

static const char *key(const struct chain *c, size_t i)
{
	char *k = arena_alloc(arena, SHA256_HEX);

	chain_key(c, i, "below", k);
	return k;
}

#define MOTD "files: [{path: /etc/motd, content: hi}]\n"

static void steps_come_in_their_order(void **state)
{
	(void)state;
	put("word", "x");
	put("c.yaml",
	    "name: tool\nschemaVersion: 1.0\nphases:\n"
	    "  - name: build\n    steps: [{name: s, action: ExecuteBash, inputs: {commands: [x]}}]\n");
	const struct chain *c = chain_of("tests: [{run: [ls]}]\ncomponents: [c.yaml]\n" MOTD
	                                 "copy: [{from: word, to: /word}]\npackages: [bash]\n");
	assert_string_equal(names(c), "base:base copy:copy step:packages step:files:/etc/motd "
	                              "component:component tool clean:clean tests:tests");
	assert_true(c->steps[0].type->layer && c->steps[0].type->first);
	assert_false(c->steps[6].type->layer);
	assert_true(c->steps[5].type->has_sbom && c->steps[5].type->outside);
	assert_true(c->steps[1].type->outside);
	assert_false(c->steps[3].type->outside);
	/* Only packages and components have a network. */
	assert_true(c->steps[2].network && c->steps[4].network);
	assert_false(c->steps[1].network || c->steps[3].network || c->steps[6].network);
}

static void what_is_not_asked_for_is_no_step(void **state)
{
	(void)state;
	assert_string_equal(names(chain_of("")), "base:base clean:clean");
}

static void a_recipe_over_another_has_its_steps_first(void **state)
{
	struct recipe recipe;
	struct chain c;

	(void)state;
	write_recipe(MOTD "tests: [{run: [ls]}]\n");
	put("upper.yaml", arena_printf(arena,
	                               "image: {name: upper, arch: %s, from: r.yaml}\n"
	                               "files: [{path: /etc/issue, content: x}]\n"
	                               "tests: [{run: [true]}]\n",
	                               own_arch()));
	assert_ok(recipe_load(at("upper.yaml"), NULL, arena, &recipe, &e));
	assert_ok(chain_plan(&recipe, NULL, arena, &c, &e));
	assert_string_equal(names(&c), "base:base step:files:/etc/motd tests:tests "
	                               "step:files:/etc/issue clean:clean tests:tests");
}

static void a_key_follows_from_what_is_said(void **state)
{
	const struct chain *one = chain_of(MOTD);
	const struct chain *same =
	        chain_of("# a comment\nfiles:\n  - content: hi\n    path: /etc/motd\n");
	const struct chain *other = chain_of("files: [{path: /etc/motd, content: ho}]\n");
	char above[SHA256_HEX];

	(void)state;
	assert_string_equal(key(one, 1), key(same, 1));
	assert_string_not_equal(key(one, 1), key(other, 1));
	assert_string_equal(key(one, 0), key(other, 0));
	chain_key(one, 1, "another", above);
	assert_string_not_equal(above, key(one, 1));
	assert_int_equal(strlen(above), SHA256_HEX - 1);
	/* What is cleaned is told by what is below. */
	assert_string_equal(key(one, 2), key(other, 2));
}

static void a_copys_key_follows_from_its_files(void **state)
{
	const char *text = "copy: [{from: word, to: /word}]\n";

	(void)state;
	put("word", "one");
	const char *first = key(chain_of(text), 1);
	put("word", "two");
	assert_string_not_equal(key(chain_of(text), 1), first);
	put("word", "one");
	assert_string_equal(key(chain_of(text), 1), first);
}

static void a_directorys_key_follows_from_its_entries(void **state)
{
	const char *first = key(chain_of(""), 0);

	(void)state;
	put("tree/new", "x");
	const char *second = key(chain_of(""), 0);
	assert_string_not_equal(first, second);
	assert_int_equal(chmod(at("tree/new"), 0600), 0);
	assert_string_not_equal(key(chain_of(""), 0), second);
}

static const char component[] =
        "name: tool\nschemaVersion: 1.0\nparameters: [{P: {type: string, default: one}}]\nphases:\n"
        "  - name: %s\n    steps: [{name: s, action: ExecuteBash, inputs: {commands: ['%s {{ P }}']}}]\n";

static void a_components_key_follows_from_its_text_and_parameters(void **state)
{
	(void)state;
	put("c.yaml", arena_printf(arena, component, "build", "echo"));
	const struct chain *c = chain_of("components: [c.yaml]\n");
	assert_string_equal(names(c), "base:base component:component tool clean:clean");
	const char *first = key(c, 1);
	assert_string_not_equal(
	        key(chain_of("components: [{file: c.yaml, parameters: {P: two}}]\n"), 1), first);
	assert_string_equal(
	        key(chain_of("components: [{file: c.yaml, parameters: {P: one}}]\n"), 1), first);
	put("c.yaml", arena_printf(arena, component, "build", "printf"));
	assert_string_not_equal(key(chain_of("components: [c.yaml]\n"), 1), first);
	/* Its tests are the recipe's, and have its network. */
	put("c.yaml", arena_printf(arena, component, "test", "echo"));
	c = chain_of("components: [c.yaml]\n");
	assert_string_equal(names(c), "base:base component:component tool clean:clean tests:tests");
	assert_true(c->steps[3].network);
}

static void a_component_that_needs_a_running_machine_is_refused(void **state)
{
	struct chain c;

	(void)state;
	put("c.yaml", "name: tool\nschemaVersion: 1.0\nphases:\n"
	              "  - name: build\n    steps: [{name: s, action: Reboot}]\n");
	assert_err(chain_plan(load("components: [c.yaml]\n"), NULL, arena, &c, &e), ERR_INPUT,
	           "c.yaml:5:");
	assert_ok(chain_outline(load("components: [c.yaml]\n"), NULL, arena, &c, &e));
	assert_non_null(strstr(c.refused.text, "c.yaml:5:"));
}

static void what_a_step_fetches_is_known_by_its_digest(void **state)
{
	static const char text[] = "files: [{path: /f, source: 'https://example.com/f'%s}]\n";
	struct recipe *recipe = load(arena_printf(arena, text, ""));
	struct chain c;

	(void)state;
	assert_err(chain_plan(recipe, NULL, arena, &c, &e), ERR_INPUT, "r.yaml:2:");
	assert_ok(chain_outline(recipe, NULL, arena, &c, &e));
	assert_int_equal(c.refused.no, EINVAL);
	assert_null(c.steps[1].says);
	assert_non_null(c.steps[0].says);
	const char *sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const struct chain *with =
	        chain_of(arena_printf(arena, text, arena_printf(arena, ", sha256: %s", sum)));
	assert_int_equal(with->steps[1].fetches.n, 1);
	assert_string_equal(with->steps[1].fetches.items[0].uri, "https://example.com/f");
	assert_string_equal(with->steps[1].fetches.items[0].sha256, sum);
	assert_non_null(strstr(with->steps[1].says, arena_printf(arena, "\nfetched %s", sum)));
}

static void what_cant_be_built_here_is_outlined(void **state)
{
	struct recipe recipe;
	struct chain c;

	(void)state;
	(void)mkdir(at("tree"), 0755);
	put("r.yaml",
	    arena_printf(arena, "image: {name: u, arch: %s, from: tree}\n" MOTD, own_arch()));
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	recipe.arch = "riscv64";
	assert_err(chain_plan(&recipe, NULL, arena, &c, &e), ERR_HOST, "the image is for riscv64");
	assert_ok(chain_outline(&recipe, NULL, arena, &c, &e));
	assert_string_equal(names(&c), "base:base step:files:/etc/motd clean:clean");
	assert_null(c.steps[0].says);
	assert_non_null(c.steps[1].says);
	assert_non_null(strstr(c.refused.text, "the image is for"));

	put("r.yaml", arena_printf(arena, "image: {name: u, arch: %s}\n" MOTD, own_arch()));
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	assert_err(chain_plan(&recipe, NULL, arena, &c, &e), ERR_INPUT, "'from' is missing");
	assert_ok(chain_outline(&recipe, NULL, arena, &c, &e));
	assert_string_equal(names(&c), "step:files:/etc/motd clean:clean");
}

static void a_copy_that_is_not_there_is_outlined(void **state)
{
	struct recipe *recipe = load("copy: [{from: none, to: /none}]\n" MOTD);
	struct chain c;

	(void)state;
	assert_err(chain_plan(recipe, NULL, arena, &c, &e), ERR_INPUT, "none");
	assert_ok(chain_outline(recipe, NULL, arena, &c, &e));
	assert_string_equal(names(&c), "base:base copy:copy step:files:/etc/motd clean:clean");
	assert_null(c.steps[1].says);
	assert_int_equal(c.steps[1].inputs.n, 0);
}

static void a_step_of_a_plan_tells_which(void **state)
{
	const struct chain *c = chain_of(MOTD "users: [{name: alice}]\n");
	size_t nth = 99;

	(void)state;
	assert_null(chain_plan_of(&c->steps[0], &nth));
	assert_int_equal(nth, 99);
	const struct plan *plan = chain_plan_of(&c->steps[2], &nth);
	assert_int_equal(nth, 1);
	assert_string_equal(plan->steps[nth]->id, c->steps[2].name);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(steps_come_in_their_order),
	        T(what_is_not_asked_for_is_no_step),
	        T(a_recipe_over_another_has_its_steps_first),
	        T(a_key_follows_from_what_is_said),
	        T(a_copys_key_follows_from_its_files),
	        T(a_directorys_key_follows_from_its_entries),
	        T(a_components_key_follows_from_its_text_and_parameters),
	        T(a_component_that_needs_a_running_machine_is_refused),
	        T(what_a_step_fetches_is_known_by_its_digest),
	        T(what_cant_be_built_here_is_outlined),
	        T(a_copy_that_is_not_there_is_outlined),
	        T(a_step_of_a_plan_tells_which),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
