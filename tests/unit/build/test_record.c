/* SPDX-License-Identifier: Apache-2.0 */
/* What a store remembers of a recipe's last build: what is read is what was written, and damage is nothing. */
#include "scratch.h"

#include "build/record.h"
#include "data/json.h"

static struct store store;

static int begin(void **state)
{
	set_up(state);
	store = (struct store)STORE_INIT;
	assert_ok(store_open(at("store"), &store, &e));
	put("r.yaml", "");
	return 0;
}

static int end(void **state)
{
	store_close(&store);
	return tear_down(state);
}

static struct input in(const char *name, const char *digest)
{
	struct input i = {.name = name};

	snprintf(i.digest, sizeof i.digest, "%s", digest);
	return i;
}

/* The only file of the recipes' directory. */
static const char *file_of(const char *recipe)
{
	char hex[SHA256_HEX];

	digest_hex(at(recipe), strlen(at(recipe)), hex);
	return arena_printf(arena, "store/recipes/%s", hex);
}

static struct record *a_record(void)
{
	static struct input inputs[2];
	static struct record_step steps[3];
	static const char *below[] = {"k1", "k2"};
	static struct record r;

	inputs[0] = in("'content'", "0123456789abcdef");
	inputs[1] = in("file /x", "f");
	steps[0] = (struct record_step){.name = "base", .key = "k1", .below = ""};
	steps[1] = (struct record_step){
	        .name = "s", .key = "k2", .below = "k1", .inputs = {.n = 2, .items = inputs}};
	steps[2] = (struct record_step){.name = "s", .key = "k3", .below = "k2"};
	r = (struct record){.abi = "7",
	                    .arch = "x86_64",
	                    .n = 3,
	                    .steps = steps,
	                    .failed = "broken",
	                    .failed_key = "k4",
	                    .failed_network = true,
	                    .failed_below = {.n = 2, .items = below}};
	return &r;
}

static void what_is_read_is_what_was_written(void **state)
{
	struct record got;
	struct stat st;

	(void)state;
	assert_ok(record_write(&store, at("r.yaml"), a_record(), &e));
	assert_int_equal(stat(at(file_of("r.yaml")), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(
	        get(file_of("r.yaml")),
	        arena_printf(
	                arena,
	                "{\"schema\":1,\"recipe\":\"%s\",\"abi\":\"7\",\"arch\":\"x86_64\",\"steps\":["
	                "{\"name\":\"base\",\"key\":\"k1\",\"below\":\"\",\"inputs\":[]},"
	                "{\"name\":\"s\",\"key\":\"k2\",\"below\":\"k1\",\"inputs\":[\"'content'\","
	                "\"0123456789abcdef\",\"file /x\",\"f\"]},"
	                "{\"name\":\"s\",\"key\":\"k3\",\"below\":\"k2\",\"inputs\":[]}],"
	                "\"failed\":{\"name\":\"broken\",\"key\":\"k4\",\"network\":true,"
	                "\"below\":[\"k1\",\"k2\"]}}",
	                at("r.yaml")));
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &got), 0);
	assert_string_equal(got.abi, "7");
	assert_string_equal(got.arch, "x86_64");
	assert_int_equal(got.n, 3);
	assert_string_equal(got.steps[1].name, "s");
	assert_string_equal(got.steps[1].key, "k2");
	assert_string_equal(got.steps[1].below, "k1");
	assert_int_equal(got.steps[1].inputs.n, 2);
	assert_string_equal(got.steps[1].inputs.items[0].name, "'content'");
	assert_string_equal(got.steps[1].inputs.items[0].digest, "0123456789abcdef");
	assert_string_equal(got.steps[1].inputs.items[1].digest, "f");
	assert_string_equal(got.failed, "broken");
	assert_string_equal(got.failed_key, "k4");
	assert_true(got.failed_network);
	assert_int_equal(got.failed_below.n, 2);
	assert_string_equal(got.failed_below.items[1], "k2");
	/* Names repeat. */
	assert_ptr_equal(record_find(&got, "s", 0), &got.steps[1]);
	assert_ptr_equal(record_find(&got, "s", 1), &got.steps[2]);
	assert_null(record_find(&got, "s", 2));
	assert_null(record_find(&got, "none", 0));
}

/* By its file, under whatever name; each other recipe has its own. */
static void a_recipe_is_its_file(void **state)
{
	struct record got;

	(void)state;
	assert_ok(record_write(&store, at("r.yaml"), a_record(), &e));
	assert_int_equal(symlink("r.yaml", at("link.yaml")), 0);
	assert_int_equal(record_read(&store, at("link.yaml"), arena, &got), 0);
	assert_int_equal(got.n, 3);
	put("other.yaml", "");
	assert_int_equal(record_read(&store, at("other.yaml"), arena, &got), 0);
	assert_null(got.abi);
	assert_int_equal(got.n, 0);
	struct store none = STORE_INIT;
	got.n = 9;
	assert_int_equal(record_read(&none, at("r.yaml"), arena, &got), 0);
	assert_int_equal(got.n, 0);
}

static void what_is_the_same_is_not_written(void **state)
{
	struct stat before, after;
	struct record *r = a_record(), got;

	(void)state;
	assert_ok(record_write(&store, at("r.yaml"), r, &e));
	assert_int_equal(stat(at(file_of("r.yaml")), &before), 0);
	assert_ok(record_write(&store, at("r.yaml"), r, &e));
	assert_int_equal(stat(at(file_of("r.yaml")), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	r->failed = NULL;
	assert_ok(record_write(&store, at("r.yaml"), r, &e));
	assert_null(strstr(get(file_of("r.yaml")), "failed"));
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &got), 0);
	assert_null(got.failed);
	assert_false(got.failed_network);
	assert_int_equal(got.failed_below.n, 0);
}

/* Written by another version, or half: as if it were not there. */
static void what_is_damaged_is_nothing(void **state)
{
	static const char *const texts[] = {
	        "", "{", "[]", "{\"steps\": {}}", "{\"steps\": 1, \"failed\": 2}",
	};
	struct record got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put(file_of("r.yaml"), texts[i]);
		got.n = 9;
		assert_int_equal(record_read(&store, at("r.yaml"), arena, &got), 0);
		assert_int_equal(got.n, 0);
		assert_null(got.failed);
	}
	put(file_of("r.yaml"), "{\"steps\": [{\"inputs\": [\"a\", \"b\", \"alone\"]}, 5, "
	                       "{\"name\": \"n\", \"inputs\": [null, null, \"c\", null, \"d\", "
	                       "\"0123456789abcdef0123\"]}], "
	                       "\"failed\": {\"below\": [\"k\", \"l\"], \"network\": \"no\"}}");
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &got), 0);
	assert_int_equal(got.n, 3);
	assert_string_equal(got.steps[0].name, "");
	assert_string_equal(got.steps[0].key, "");
	assert_string_equal(got.steps[0].below, "");
	assert_int_equal(got.steps[0].inputs.n, 1);
	assert_string_equal(got.steps[0].inputs.items[0].name, "a");
	assert_string_equal(got.steps[0].inputs.items[0].digest, "b");
	assert_int_equal(got.steps[1].inputs.n, 0);
	assert_int_equal(got.steps[2].inputs.n, 3);
	assert_string_equal(got.steps[2].inputs.items[0].name, "");
	assert_string_equal(got.steps[2].inputs.items[0].digest, "");
	assert_string_equal(got.steps[2].inputs.items[1].digest, "");
	assert_int_equal(strlen(got.steps[2].inputs.items[2].digest), INPUT_DIGEST - 1);
	assert_null(got.failed);
	assert_false(got.failed_network);
	assert_int_equal(got.failed_below.n, 2);
	assert_string_equal(got.failed_below.items[1], "l");
}

/* Without the inputs, which only explain; if even so, not at all. */
static void a_record_has_a_ceiling(void **state)
{
	const size_t n = JSON_SIZE_MAX / 32;
	struct record *r = a_record(), got;
	struct input *many = arena_array(arena, n, sizeof *many);

	(void)state;
	for (size_t i = 0; i < n; i++)
		many[i] = in("file /etc/with/a/name", "0123456789abcdef");
	r->steps[1].inputs = (struct input_list){.n = n, .items = many};
	assert_ok(record_write(&store, at("r.yaml"), r, &e));
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &got), 0);
	assert_int_equal(got.n, 3);
	assert_int_equal(got.steps[1].inputs.n, 0);
	assert_string_equal(got.steps[1].key, "k2");
	char *name = arena_alloc(arena, JSON_SIZE_MAX + 1);
	memset(name, 'x', JSON_SIZE_MAX);
	name[JSON_SIZE_MAX] = '\0';
	r->steps[1].name = name;
	assert_err(record_write(&store, at("r.yaml"), r, &e), ERR_HOST,
	           arena_printf(arena, "writing what '%s' was made of: more than %d bytes",
	                        at("r.yaml"), JSON_SIZE_MAX));
	assert_int_equal(e.no, EFBIG);
	assert_int_equal(record_read(&store, at("r.yaml"), arena, &got), 0);
	assert_int_equal(got.n, 3);
	assert_int_equal(tree_remove(AT_FDCWD, at("store/recipes"), true, &e), 0);
	assert_err(record_write(&store, at("r.yaml"), a_record(), &e), ERR_HOST, "No such file");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(what_is_read_is_what_was_written), T(a_recipe_is_its_file),
	        T(what_is_the_same_is_not_written),  T(what_is_damaged_is_nothing),
	        T(a_record_has_a_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
