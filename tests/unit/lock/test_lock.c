/* SPDX-License-Identifier: Apache-2.0 */
/* Locks: written and read again, held against a recipe, and the files they know. */
#include "scratch.h"

#include "base/clock.h"
#include "lock/lock_files.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TEXT(packages)                                                                             \
	"lock: 1\nfrom: debian:bookworm\narch: x86_64\nasked: [b, c]\nsources: [deb x]\npackages:\n" packages
#define PACKAGE                                                                                    \
	"- {name: b, version: 1, arch: amd64, size: 5, sha256: \"" HEX                             \
	"\", url: \"http://x/b.deb\"}\n"

static struct lock got;

static int read_text(const char *text)
{
	put("r.lock", text);
	return lock_read(at("r.lock"), arena, &got, &e);
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	const char *asked[] = {"b", "c\"d"}, *sources[] = {"deb [signed-by=/k] http://x y z"};
	struct lock_package packages[] = {{.name = "b",
	                                   .version = "1:2",
	                                   .arch = "amd64",
	                                   .sha256 = HEX,
	                                   .url = "http://x/b",
	                                   .size = 7},
	                                  {.name = "base",
	                                   .version = "2",
	                                   .arch = "all",
	                                   .sha256 = HEX,
	                                   .url = "https://x/c",
	                                   .size = 8,
	                                   .required = true}};
	struct lock_file files[] = {{"s3://tools/k", HEX}};
	const struct lock l = {.from = "debian:bookworm",
	                       .arch = "arm64",
	                       .asked = {2, asked},
	                       .sources = {1, sources},
	                       .n = 2,
	                       .packages = packages,
	                       .n_files = 1,
	                       .files = files};
	struct blob first, again;

	assert_ok(lock_write(&l, at("r.lock"), &e));
	assert_ok(lock_read(at("r.lock"), arena, &got, &e));
	assert_string_equal(got.file, at("r.lock"));
	assert_string_equal(got.from, "debian:bookworm");
	assert_string_equal(got.arch, "arm64");
	assert_int_equal(got.asked.n, 2);
	assert_string_equal(got.asked.items[1], "c\"d");
	assert_string_equal(got.sources.items[0], sources[0]);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.packages[0].version, "1:2");
	assert_int_equal(got.packages[0].size, 7);
	assert_false(got.packages[0].required);
	assert_true(got.packages[1].required);
	assert_int_equal(got.n_files, 1);
	assert_string_equal(got.files[0].uri, "s3://tools/k");
	assert_int_equal(strlen(got.sha256), 64);
	assert_ok(file_read(AT_FDCWD, at("r.lock"), 10000, arena, &first, &e));
	assert_ok(lock_write(&got, at("r.lock"), &e));
	assert_ok(file_read(AT_FDCWD, at("r.lock"), 10000, arena, &again, &e));
	assert_int_equal(first.len, again.len);
	assert_memory_equal(first.data, again.data, first.len);
}

static void locks_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {"lock: 2\n", "lock"},
	        {TEXT(""), "packages"},
	        {TEXT("- {name: b, version: 1, arch: amd64, size: 5, sha256: \"" HEX
	              "\", url: \"file:/x\"}\n"),
	         "is no URL"},
	        {TEXT("- {name: b, version: 1, arch: amd64, size: 5, sha256: \"" HEX
	              "\", url: \"http://x y\"}\n"),
	         "is no URL"},
	        {TEXT("- {name: b, version: 1, arch: amd64, size: 5, sha256: "
	              "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef, url: \"http://x\"}\n"),
	         "is no SHA-256"},
	        {TEXT("- {name: b, version: 1, arch: amd64, size: 5, sha256: "
	              "x123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, url: \"http://x\"}\n"),
	         "is no SHA-256"},
	        {TEXT("- {name: b, version: 1, arch: amd64, size: 0, sha256: \"" HEX
	              "\", url: \"http://x\"}\n"),
	         "size"},
	        {TEXT(PACKAGE) "files:\n- {uri: \"s3://tools/k\", sha256: "
	                       "x123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}\n",
	         "is no SHA-256"},
	        {TEXT(PACKAGE) "more: x\n", "more"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(read_text(bad[i].text), ERR_INPUT, bad[i].says);
	assert_ok(read_text(TEXT(PACKAGE)));
	assert_int_equal(got.n_files, 0);
}

static void a_lock_is_beside_its_recipe(void **state)
{
	(void)state;
	assert_string_equal(lock_path("a/b.yaml", arena), "a/b.lock");
	assert_string_equal(lock_path("b", arena), "b.lock");
	assert_string_equal(lock_path("a.d/b", arena), "a.d/b.lock");
	assert_string_equal(lock_path("a/.b", arena), "a/.b.lock");
	assert_string_equal(lock_path("a/b.c.yaml", arena), "a/b.c.lock");
}

static void a_lock_fits_what_it_is_of(void **state)
{
	(void)state;
	const char *same[] = {"b", "c"}, *more[] = {"a", "b", "c"}, *less[] = {"c"},
	           *last[] = {"b", "c", "d"};
	const struct field_strings two = {2, same}, three = {3, more}, one = {1, less},
	                           end = {3, last};

	assert_ok(read_text(TEXT(PACKAGE)));
	assert_ok(lock_fits(&got, "r.yaml", "debian:bookworm", "x86_64", &two, &e));
	assert_err(lock_fits(&got, "r.yaml", "debian:trixie", "x86_64", &two, &e), ERR_INPUT,
	           "it is of 'debian:bookworm'");
	assert_err(lock_fits(&got, "r.yaml", "debian:bookworm", "arm64", &two, &e), ERR_INPUT,
	           "it is for 'x86_64'");
	assert_err(lock_fits(&got, "r.yaml", "debian:bookworm", "x86_64", &three, &e), ERR_INPUT,
	           "it is without the package 'a'");
	assert_err(lock_fits(&got, "r.yaml", "debian:bookworm", "x86_64", &end, &e), ERR_INPUT,
	           "it is without the package 'd'");
	assert_err(lock_fits(&got, "r.yaml", "debian:bookworm", "x86_64", &one, &e), ERR_INPUT,
	           "it has the package 'b'");
}

static void a_key_has_all_that_a_base_follows_from(void **state)
{
	(void)state;
	struct strbuf key = STRBUF(arena, 10000);

	assert_ok(read_text(TEXT(PACKAGE)));
	got.packages[0].required = true;
	lock_key(&got, &key);
	assert_string_equal(
	        key.data,
	        "locked debian:bookworm\nasked b\nasked c\nsource deb x\npackage b:amd64 required " HEX
	        "\n");
}

/* ---- files ---- */

static const struct doc place = {.file = "f", .line = 3, .col = 4};
static struct component_fetches fetches;
static int opened;

static int no_cloud(void *ctx, struct cloud **ret, struct err *err)
{
	(void)ctx, (void)ret;
	opened++;
	return err_set(err, ERR_RETRY, REASON_HTTP_UNREACHABLE, EIO, "no network here");
}

static int kept_cloud(void *ctx, struct cloud **ret, struct err *err)
{
	(void)err;
	opened++;
	*ret = cloud_open_kept(ctx, 1);
	return 0;
}

static void add(const char *uri, const char *sum)
{
	assert_ok(component_fetches_add(&fetches, uri, sum, &place, arena, &e));
}

static void an_address_is_fetched_once(void **state)
{
	(void)state;
	fetches = (struct component_fetches){0};
	add("s3://tools/k", NULL);
	add("s3://tools/j", "AB");
	add("s3://tools/k", "CD");
	add("s3://tools/j", NULL);
	assert_int_equal(fetches.n, 2);
	assert_string_equal(fetches.items[0].sha256, "cd");
	assert_string_equal(fetches.items[1].sha256, "ab");
	assert_int_equal(fetches.items[0].fd, -1);
	assert_err(component_fetches_add(&fetches, "s3://tools/k", "ee", &place, arena, &e),
	           ERR_INPUT, "f:3:4: 's3://tools/k' has another checksum in f:3");
}

static void digests_come_from_the_lock_or_the_document(void **state)
{
	(void)state;
	struct lock_file files[] = {{"s3://tools/k", HEX}};
	struct lock lock = {.file = "r.lock", .n_files = 1, .files = files};

	fetches = (struct component_fetches){0};
	add("s3://tools/k", NULL);
	assert_err(lock_fix_files(NULL, &fetches, arena, &e), ERR_INPUT,
	           "has no SHA256 checksum here");
	assert_ok(lock_fix_files(&lock, &fetches, arena, &e));
	assert_string_equal(fetches.items[0].sha256, HEX);
	assert_ok(lock_fix_files(NULL, &fetches, arena, &e));
	files[0].sha256 = "x" HEX;
	assert_err(lock_fix_files(&lock, &fetches, arena, &e), ERR_INPUT,
	           "has another checksum in 'r.lock'");
	lock.n_files = 0;
	assert_err(lock_fix_files(&lock, &fetches, arena, &e), ERR_INPUT, "is not in 'r.lock'");
}

static void many_are_those_that_the_lock_has(void **state)
{
	(void)state;
	struct lock_file files[] = {
	        {"s3://tools/d/a", HEX}, {"s3://tools/d/b/c", HEX}, {"s3://tools/dd", HEX}};
	struct lock lock = {.file = "r.lock", .n_files = 3, .files = files};

	fetches = (struct component_fetches){0};
	add("s3://tools/d/*", NULL);
	assert_err(lock_fix_files(NULL, &fetches, arena, &e), ERR_INPUT,
	           "f:3:4: 's3://tools/d/*' has no SHA256 checksum here");
	add("s3://tools/d/a", NULL);
	assert_ok(lock_fix_files(&lock, &fetches, arena, &e));
	assert_int_equal(fetches.n, 2);
	assert_string_equal(fetches.items[0].uri, "s3://tools/d/a");
	assert_false(fetches.items[0].found);
	assert_string_equal(fetches.items[1].uri, "s3://tools/d/b/c");
	assert_true(fetches.items[1].found);
	assert_string_equal(fetches.items[1].sha256, HEX);
	fetches = (struct component_fetches){0};
	add("s3://tools/e/*", NULL);
	assert_err(lock_fix_files(&lock, &fetches, arena, &e), ERR_INPUT, "is not in 'r.lock'");
}

static void many_are_listed_for_the_lock(void **state)
{
	(void)state;
	struct cloud_kept kept = {.uri = "s3://tools/d/x"};
	const struct lock_source source = {.open = kept_cloud, .ctx = &kept};

	put("content", "hello");
	kept.fd = open(at("content"), O_RDONLY | O_CLOEXEC);
	fetches = (struct component_fetches){0};
	add("s3://tools/d/*", NULL);
	opened = 0;
	assert_ok(lock_find_files(&fetches, &source, arena, &got, &e));
	assert_int_equal(opened, 1);
	assert_int_equal(got.n_files, 1);
	assert_string_equal(got.files[0].uri, "s3://tools/d/x");
	fetches = (struct component_fetches){0};
	add("s3://tools/none/*", NULL);
	assert_err(lock_find_files(&fetches, &source, arena, &got, &e), ERR_ABSENT,
	           "f:3:4: locking 's3://tools/none/*': there is no object");
	close(kept.fd);
}

static void what_has_no_digest_is_fetched_for_the_lock(void **state)
{
	(void)state;
	char hex[SHA256_HEX];
	struct cloud_kept kept = {.uri = "s3://tools/k"};
	const struct lock_source source = {.open = kept_cloud, .ctx = &kept},
	                         none = {.open = no_cloud};

	put("content", "hello");
	kept.fd = open(at("content"), O_RDONLY | O_CLOEXEC);
	fetches = (struct component_fetches){0};
	add("s3://tools/z", HEX);
	opened = 0;
	assert_ok(lock_find_files(&fetches, &none, arena, &got, &e));
	assert_int_equal(opened, 0);
	assert_int_equal(got.n_files, 1);
	add("s3://tools/k", NULL);
	assert_ok(lock_find_files(&fetches, &source, arena, &got, &e));
	assert_int_equal(opened, 1);
	assert_int_equal(got.n_files, 2);
	digest_hex("hello", 5, hex);
	assert_string_equal(got.files[0].uri, "s3://tools/k");
	assert_string_equal(got.files[0].sha256, hex);
	assert_string_equal(got.files[1].uri, "s3://tools/z");
	assert_err(lock_find_files(&fetches, &none, arena, &got, &e), ERR_RETRY, "no network here");
	/* What isn't there leaves no lock. */
	add("s3://tools/none", NULL);
	got.n_files = 99;
	assert_true(lock_find_files(&fetches, &source, arena, &got, &e) < 0);
	assert_non_null(strstr(e.text, "s3://tools/none"));
	assert_int_equal(got.n_files, 99);
	close(kept.fd);
}

static void files_are_kept_in_the_store_by_their_digest(void **state)
{
	(void)state;
	scope_store struct store store = STORE_INIT;
	char hex[SHA256_HEX], buf[8] = {0};
	struct cloud_kept kept = {.uri = "s3://tools/k"};
	const struct lock_source source = {.open = kept_cloud, .ctx = &kept},
	                         none = {.open = no_cloud};

	assert_ok(store_open(at("store"), &store, &e));
	put("content", "hello");
	digest_hex("hello", 5, hex);
	kept.fd = open(at("content"), O_RDONLY | O_CLOEXEC);
	fetches = (struct component_fetches){0};
	add("s3://tools/k", hex);
	assert_ok(lock_open_files(&fetches, &store, &source, clock_in_ms(5000), &e));
	assert_true(fetches.items[0].fd >= 0);
	assert_cloexec(fetches.items[0].fd);
	assert_int_equal(read(fetches.items[0].fd, buf, sizeof buf), 5);
	assert_string_equal(buf, "hello");
	lock_close_files(&fetches);
	assert_int_equal(fetches.items[0].fd, -1);
	/* Once it is there nothing goes out, unless it was spoilt. */
	opened = 0;
	assert_ok(lock_open_files(&fetches, &store, &none, clock_in_ms(5000), &e));
	assert_int_equal(opened, 0);
	lock_close_files(&fetches);
	put(arena_printf(arena, "store/objects/%s", hex), "spoilt");
	assert_err(lock_open_files(&fetches, &store, &none, clock_in_ms(5000), &e), ERR_RETRY,
	           "f:3:4: fetching");
	lock_close_files(&fetches);
	assert_ok(lock_open_files(&fetches, &store, &source, clock_in_ms(5000), &e));
	lock_close_files(&fetches);
	fetches = (struct component_fetches){0};
	add("s3://tools/k", HEX);
	assert_err(lock_open_files(&fetches, &store, &source, clock_in_ms(5000), &e), ERR_INTEGRITY,
	           "f:3:4: fetching");
	close(kept.fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(what_is_written_is_read_again),
	        T(locks_are_checked),
	        T(a_lock_is_beside_its_recipe),
	        T(a_lock_fits_what_it_is_of),
	        T(a_key_has_all_that_a_base_follows_from),
	        T(an_address_is_fetched_once),
	        T(digests_come_from_the_lock_or_the_document),
	        T(many_are_those_that_the_lock_has),
	        T(many_are_listed_for_the_lock),
	        T(what_has_no_digest_is_fetched_for_the_lock),
	        T(files_are_kept_in_the_store_by_their_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
