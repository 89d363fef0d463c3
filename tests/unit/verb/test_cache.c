/* SPDX-License-Identifier: Apache-2.0 */
/* cache: the store as text and as JSON, and what pruning takes from it. */
#include "verb_test.h"

#include "base/digest.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static int begin(void **state)
{
	verb_set_up(state);
	put("store/layers/.keep", "");
	put("store/locks/.keep", "");
	put("store/work/.keep", "");
	put("store/failed/.keep", "");
	put("store/objects/.keep", "");
	put("store/recipes/.keep", "");
	return 0;
}

static void date(const char *name, time_t when)
{
	const struct timespec times[2] = {{when, 0}, {when, 0}};

	assert_int_equal(utimensat(AT_FDCWD, at(name), times, 0), 0);
}

/* What a file takes of the disk. */
static uint64_t taken(const char *name)
{
	struct stat st;

	assert_int_equal(stat(at(name), &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static const char *key(int n)
{
	return arena_printf(arena, "%064d", n);
}

/* A layer that takes `all` bytes; its description is one file of it. */
static void put_layer(int n, uint64_t all, const char *step, int below)
{
	const char *name = arena_printf(arena, "store/layers/%s/meta.json", key(n));

	put(name, "{}");
	put(name,
	    arena_printf(arena, "{\"key\":\"%s\",\"step\":\"%s\",\"parent\":\"%s\",\"bytes\":%llu}",
	                 key(n), step, below ? key(below) : "",
	                 (unsigned long long)(all - taken(name))));
	assert_true(all >= taken(name));
	date(name, n);
}

static void put_object(int n, time_t when)
{
	const char *name = arena_printf(arena, "store/objects/%s", key(n));

	put(name, "fetched");
	date(name, when);
}

static bool has_object(int n)
{
	return access(at(arena_printf(arena, "store/objects/%s", key(n))), F_OK) == 0;
}

#define assert_cache(...) assert_runs("cache", __VA_ARGS__, "--store", at("store"))

static void sizes_are_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
	        {1020 * KIB, "1020 KiB"},
	        {MIB - 1, "1024 KiB"},
	        {MIB, "1 MiB"},
	        {MIB + MIB / 32, "1 MiB"}, /* 1.03 */
	        {MIB + MIB / 16, "1.1 MiB"},
	        {MIB + MIB / 2, "1.5 MiB"},
	        {99 * MIB + MIB / 2, "99.5 MiB"},
	        {100 * MIB, "100 MiB"},
	        {100 * MIB + MIB / 4, "100 MiB"},
	        {5 * GIB / 2, "2.5 GiB"},
	        {3 * GIB * 1024, "3 TiB"},
	        {5000 * GIB * 1024, "5000 TiB"},
	};
	struct strbuf b = STRBUF(arena, 8192);

	uint64_t total = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_layer((int)i + 1, rows[i].bytes, "files:/x", 0);
		strbuf_printf(&b, "%s %10s  1970-01-01T00:00:%02zuZ  files:/x\n", key((int)i + 1),
		              rows[i].text, i + 1);
		total += rows[i].bytes;
	}
	assert_true(total > 5003 * GIB * 1024 && total < 5004 * GIB * 1024);
	strbuf_printf(&b, "12 layers, 5003 TiB\n");
	assert_cache("list");
	assert_string_equal(said(), b.data);
}

static void a_list_is_for_programs_too(void **state)
{
	(void)state;
	assert_cache("list", "--json");
	assert_string_equal(said(), "[]\n");
	put_layer(1, MIB, "base", 0);
	put_layer(2, 2 * MIB, "files:/\\\"", 1);
	assert_cache("list", "--json");
	assert_string_equal(
	        said(),
	        arena_printf(arena,
	                     "[{\"schema\":1,\"key\":\"%s\",\"step\":\"base\",\"parent\":\"\","
	                     "\"bytes\":1048576,\"used\":\"1970-01-01T00:00:01Z\"},"
	                     "{\"schema\":1,\"key\":\"%s\",\"step\":\"files:/\\\"\",\"parent\":"
	                     "\"%s\",\"bytes\":2097152,\"used\":\"1970-01-01T00:00:02Z\"}]\n",
	                     key(1), key(2), key(1)));
	put_object(1, 1);
	put_object(2, 1);
	assert_cache("list");
	assert_has(said(), "\n2 layers, 3 MiB\n2 fetched packages and files, ");
}

/* The layers used longest ago go first, then the files, until what is left fits. */
static void the_oldest_go_first(void **state)
{
	(void)state;
	put_layer(1, 10 * MIB, "base", 0);
	put_layer(2, 5 * MIB, "one", 1);
	put_layer(3, 5 * MIB, "two", 1);
	put_object(1, 1);
	uint64_t one = taken(arena_printf(arena, "store/objects/%s", key(1)));
	assert_cache("prune"); /* twenty GiB are no matter */
	assert_string_equal(said(), "removed 0 layers and 0 fetched files, 0 B\n");
	assert_cache("prune", "--keep", "21M");
	assert_string_equal(said(), "removed 0 layers and 0 fetched files, 0 B\n");
	assert_cache("prune", "--keep", "16M");
	assert_string_equal(said(), "removed 1 layers and 0 fetched files, 5 MiB\n");
	assert_cache("list");
	assert_has(said(), "  base\n");
	assert_has(said(), "  two\n");
	/* Files have what the layers leave of it. */
	put_object(2, 2);
	put_object(3, clock_wall());
	assert_cache("prune", "--keep",
	             arena_printf(arena, "%llu", (unsigned long long)(15 * MIB + 2 * one)));
	assert_false(has_object(1));
	assert_true(has_object(2) && has_object(3));
	/* What was fetched in the last hour may be in use. */
	assert_cache("prune", "--keep", "15M", "--json");
	assert_string_equal(
	        said(),
	        arena_printf(arena, "{\"schema\":1,\"removed\":0,\"files\":1,\"bytes\":%llu}\n",
	                     (unsigned long long)one));
	assert_true(has_object(3));
	assert_cache("prune", "--keep", "1", "-q");
	assert_string_equal(said(), "");
	assert_cache("list", "-q");
	assert_has(said(), "0 layers, 0 B\n1 fetched packages and files, ");
	assert_runs("cache", "list", "--store", at("none"));
	assert_string_equal(said(), "0 layers, 0 B\n");
	assert_runs("cache", "prune", "--store", at("none"));
	assert_string_equal(said(), "removed 0 layers and 0 fetched files, 0 B\n");
	assert_int_equal(access(at("none"), F_OK), -1);
}

/* Of a recipe that is gone nothing is remembered. */
static void records_go_with_their_recipes(void **state)
{
	(void)state;
	put("r.yaml", "");
	put("store/recipes/there", arena_printf(arena, "{\"recipe\":\"%s\"}", at("r.yaml")));
	put("store/recipes/gone", arena_printf(arena, "{\"recipe\":\"%s\"}", at("none.yaml")));
	put("store/recipes/damaged", "{");
	put("store/recipes/empty", "{}");
	assert_cache("prune", "-q");
	assert_int_equal(access(at("store/recipes/there"), F_OK), 0);
	assert_int_equal(access(at("store/recipes/gone"), F_OK), -1);
	assert_int_equal(access(at("store/recipes/damaged"), F_OK), -1);
	assert_int_equal(access(at("store/recipes/empty"), F_OK), -1);
}

static void what_is_no_store_is_refused(void **state)
{
	(void)state;
	assert_refused(2, "cache: 'clear' is neither list nor prune", "cache", "clear");
	put("file", "x");
	assert_refused(1, "opening the store '", "cache", "list", "--store", at("file"));
	(void)mkdir(at("empty"), 0755);
	assert_refused(1, "/empty/layers': No such file or directory", "cache", "list", "--store",
	               at("empty"));
	assert_refused(1, "/empty/layers': No such file or directory", "cache", "prune", "--store",
	               at("empty"));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
	const struct CMUnitTest tests[] = {
	        T(sizes_are_for_people),        T(a_list_is_for_programs_too),
	        T(the_oldest_go_first),         T(records_go_with_their_recipes),
	        T(what_is_no_store_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
