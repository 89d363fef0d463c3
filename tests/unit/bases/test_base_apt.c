/* SPDX-License-Identifier: Apache-2.0 */
/* Bases of Debian packages: which of the machine's sources count, what mmdebstrap is called with, locks. */
#include "bases_test.h"

#include "bases/lock_repo.h"
#include "sandbox/sandbox.h"

#define PRIVATE "/etc/apt/sources.list"

/* A tree with files of this machine in it, of which one is a link of the image's own. */
#define FAKE_MMDEBSTRAP                                                                            \
	"for tree; do case $tree in /*) break;; esac; done\n"                                      \
	"mkdir -p $tree/etc/apt $tree/var/lib/dpkg; echo lent >$tree/etc/hostname\n"               \
	"ln -s ../run/resolv.conf $tree/etc/resolv.conf\necho made\n"                              \
	"echo \"$SOURCE_DATE_EPOCH $TZ $LC_ALL $DEBIAN_FRONTEND\" >$tree/env\n"

static void sources_of_the_release_are_taken(void **state)
{
	struct field_strings list = {0};

	(void)state;
	unit_need_root();
	put_program("apt-get", "cat <<END\n"
	                       "http://a/debian bookworm main\n"
	                       "http://a/debian bookworm contrib\n"
	                       "http://a/debian bookworm-updates main\n"
	                       "http://s/debian bookworm-security main\n"
	                       "http://a/debian bookworm-backports main\n"
	                       "http://a/debian trixie main\n"
	                       "http://a/debian book main\n"
	                       "half line\n"
	                       "END\n");
	load("debian:bookworm", "");
	assert_ok(base_sources(&recipe, arena, &list, &e));
	assert_int_equal(list.n, 4);
	assert_string_equal(list.items[0], "deb http://a/debian bookworm main");
	assert_string_equal(list.items[1], "deb http://a/debian bookworm contrib");
	assert_string_equal(list.items[2], "deb http://a/debian bookworm-updates main");
	assert_string_equal(list.items[3], "deb http://s/debian bookworm-security main");
	assert_string_equal(calls_of("apt-get"),
	                    "indextargets --format $(REPO_URI) $(RELEASE) $(COMPONENT) "
	                    "Created-By: Packages\n");
	load("ubuntu:noble", "");
	list.n = 99;
	assert_err(base_sources(&recipe, arena, &list, &e), ERR_HOST,
	           "apt has no source for 'noble': give 'sources' in the recipe, or add one");
	assert_int_equal(list.n, 99);
	put_program("apt-get", "exit 3\n");
	assert_err(base_sources(&recipe, arena, &list, &e), ERR_HOST,
	           "reading this machine's apt sources: ");
	put_program("apt-get", "exit 0\n");
	assert_err(base_sources(&recipe, arena, &list, &e), ERR_HOST, "no source for 'noble'");
}

static void the_key_follows_from_the_machines_sources(void **state)
{
	(void)state;
	unit_need_root();
	put_program("mmdebstrap", "");
	assert_int_equal(mount("none", "/etc/apt", "tmpfs", 0, NULL), 0);
	put_etc(PRIVATE, "deb one");
	load("debian:bookworm", "packages: [b, a, b]\n");
	assert_true(base_brings_packages(&recipe) && base_locks(&recipe));
	assert_ok(plan_base(NULL));
	assert_string_equal(key.data, arena_printf(arena,
	                                           "distribution debian:bookworm\n"
	                                           "package a\npackage b\nsources %s\n",
	                                           digest_of("deb one")));
	put_etc("/etc/apt/sources.list.d/two.list", "deb two");
	put_etc("/etc/apt/sources.list.d/three.sources", "three");
	put_etc("/etc/apt/sources.list.d/four.disabled", "four");
	assert_ok(plan_base(NULL));
	assert_has(key.data,
	           arena_printf(arena, "package b\nsources %s\nsources %s\nsources %s\n",
	                        digest_of("deb one"), digest_of("three"), digest_of("deb two")));
	assert_null(strstr(key.data, digest_of("four")));
	/* A file that is gone isn't an empty place: the ones behind it stay what they are. */
	assert_int_equal(unlink(PRIVATE), 0);
	assert_ok(plan_base(NULL));
	assert_has(key.data, arena_printf(arena, "package b\nsources %s\nsources %s\n",
	                                  digest_of(""), digest_of("three")));
	assert_int_equal(umount("/etc/apt"), 0);
}

/* Those of the machine are not even looked at. */
static void a_recipe_may_have_sources_of_its_own(void **state)
{
#define FROZEN "deb [check-valid-until=no] http://a/then sid main"
	struct field_strings list = {0};

	(void)state;
	unit_need_root();
	put_program("mmdebstrap", FAKE_MMDEBSTRAP);
	put_program("apt-get", "exit 3\n");
	put("r.yaml",
	    arena_printf(arena,
	                 "image: {name: unit, arch: %s, from: 'debian:sid', sources: ['" FROZEN
	                 "']}\npackages: [a]\n",
	                 own_arch()));
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	assert_ok(base_sources(&recipe, arena, &list, &e));
	assert_int_equal(list.n, 1);
	assert_ok(plan_base(NULL));
	assert_string_equal(key.data, "distribution debian:sid\npackage a\nsource " FROZEN "\n");
	assert_ok(make_base(NULL));
	assert_has(calls_of("mmdebstrap"), "--include=a sid ");
	assert_has(calls_of("mmdebstrap"), "/new " FROZEN "\n");
	assert_string_equal(calls_of("apt-get"), "");
}

/* An exchanged file of keys accepts other packages: the base is another one. */
static void the_key_follows_from_the_keys_of_sources(void **state)
{
	const char *one = at("one.gpg"), *two = at("two.asc");
	const char *line = arena_printf(arena, "deb [signed-by=%s,%s] http://a sid main", one, two);

	(void)state;
	unit_need_root();
	put_program("mmdebstrap", "");
	put("one.gpg", "one");
	put("two.asc", "two");
	put("r.yaml", arena_printf(arena,
	                           "image: {name: unit, arch: %s, from: 'debian:sid', sources: "
	                           "['%s', 'deb http://b sid main']}\n",
	                           own_arch(), line));
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	assert_ok(plan_base(NULL));
	assert_string_equal(key.data,
	                    arena_printf(arena,
	                                 "distribution debian:sid\nsource %s\nsigned-by %s %s\n"
	                                 "signed-by %s %s\nsource deb http://b sid main\n",
	                                 line, one, digest_of("one"), two, digest_of("two")));
	put("two.asc", "other");
	assert_ok(plan_base(NULL));
	assert_has(key.data, arena_printf(arena, "signed-by %s %s\n", two, digest_of("other")));
	assert_int_equal(unlink(two), 0);
	assert_err(plan_base(NULL), ERR_INPUT,
	           arena_printf(arena,
	                        "%s: the source '%s' is signed-by a file of this machine: opening "
	                        "'%s': No such file",
	                        at("r.yaml"), line, two));
}

static void what_makes_it_must_be_there(void **state)
{
	(void)state;
	unit_need_root();
	load("debian:bookworm", "");
	put("empty/x", "");
	if (access("/usr/bin/mmdebstrap", F_OK) == 0)
		assert_int_equal(mount("/dev/null", "/usr/bin/mmdebstrap", NULL, MS_BIND, NULL), 0);
	int r = plan_base(NULL);
	if (access("/usr/bin/mmdebstrap", F_OK) == 0)
		assert_int_equal(umount("/usr/bin/mmdebstrap"), 0);
	assert_int_equal(r, -ENOENT);
	assert_int_equal(e.kind, ERR_HOST);
	assert_has(e.text, "install mmdebstrap");
}

static void a_tree_is_made_of_todays_packages(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	put_program("mmdebstrap", FAKE_MMDEBSTRAP);
	put_program("apt-get", "echo http://a/debian bookworm main\n");
	load("debian:bookworm", "packages: [b, a]\n");
	assert_ok(plan_base(NULL));
	assert_ok(make_base(NULL));
	assert_string_equal(calls_of("mmdebstrap"),
	                    arena_printf(arena,
	                                 "--mode=root --variant=minbase --architectures=%s "
	                                 "--include=a,b bookworm %s/new "
	                                 "deb http://a/debian bookworm main\n",
	                                 str_eq(own_arch(), "arm64") ? "arm64" : "amd64", top));
	assert_string_equal(get("new/env"), BASE_EPOCH_TEXT " UTC C.UTF-8 noninteractive\n");
	assert_has(get("lines"), "made\n");
	assert_int_equal(access(at("new/etc/hostname"), F_OK), -1);
	assert_int_equal(lstat(at("new/etc/resolv.conf"), &st), 0);
	load("debian:bookworm", "");
	assert_ok(plan_base(NULL));
	assert_int_equal(unlink(at("new/etc/resolv.conf")), 0);
	assert_ok(make_base(NULL));
	assert_null(strstr(strchr(calls_of("mmdebstrap"), '\n'), "--include"));
	put_program("mmdebstrap", "echo no room >&2\nexit 5\n");
	assert_err(make_base(NULL), ERR_HOST, "mmdebstrap");
	put_program("apt-get", "");
	assert_err(make_base(NULL), ERR_HOST, "apt has no source");
}

/* ---- of a lock ---- */

#define CONTROL(name)                                                                              \
	"Package: " name "\nVersion: 1.0\nArchitecture: amd64\nPriority: extra\nSize: 1\n"

static struct lock_package locked(const char *name, const char *text, bool required)
{
	return (struct lock_package){.name = name,
	                             .version = "1.0",
	                             .arch = "amd64",
	                             .sha256 = digest_of(text),
	                             .url = arena_printf(arena, "http://x/%s.deb", name),
	                             .size = strlen(text),
	                             .required = required};
}

static void a_tree_is_made_of_a_lock(void **state)
{
	const char *asked[] = {"a"}, *sources[] = {"deb http://a b c", "deb http://s b c"};
	scope_store struct store s = STORE_INIT;
	struct lock_package packages[] = {locked("a", CONTROL("a"), false),
	                                  locked("b", CONTROL("b"), true)};
	struct lock lock = {.file = "r.lock",
	                    .from = "debian:bookworm",
	                    .arch = own_arch(),
	                    .asked = {1, asked},
	                    .sources = {2, sources},
	                    .n = 2,
	                    .packages = packages};

	(void)state;
	unit_need_root();
	assert_ok(store_open(at("a store"), &s, &e));
	put(arena_printf(arena, "a store/objects/%s", packages[0].sha256), CONTROL("a"));
	put(arena_printf(arena, "a store/objects/%s", packages[1].sha256), CONTROL("b"));
	put_program("dpkg-deb", "cat \"$2\"\n");
	put_program("mmdebstrap",
	            arena_printf(arena,
	                         "%scp -r %s/'a store'/work/*/dists %s/'a store'/work/*/pool %s\n"
	                         "cp %s/status $tree/var/lib/dpkg/status\n"
	                         "grep -c : /proc/net/dev >%s/net\n",
	                         FAKE_MMDEBSTRAP, top, top, top, top, top));
	put("status",
	    "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n"
	    "Package: b\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n");
	load("debian:bookworm", "packages: [a]\n");
	assert_ok(plan_base(&lock));
	assert_null(strstr(key.data, "sources "));
	assert_ok(make_base(&s));
	assert_string_equal(get("net"), "1\n"); /* only its own loopback */
	assert_has(calls_of("mmdebstrap"), "--include=a bookworm ");
	assert_has(calls_of("mmdebstrap"), "/new deb [trusted=yes] copy:/tmp/");
	assert_has(calls_of("mmdebstrap"), "/a%20store/work/");
	assert_string_equal(get("new/etc/apt/sources.list"),
	                    "deb http://a b c\n\ndeb http://s b c\n");
	assert_int_equal(access(at("new/etc/hostname"), F_OK), -1);
	const char *index = get(arena_printf(arena, "dists/bookworm/main/binary-%s/Packages",
	                                     str_eq(own_arch(), "arm64") ? "arm64" : "amd64"));
	assert_string_equal(
	        index, arena_printf(arena,
	                            "Package: a\nVersion: 1.0\nArchitecture: amd64\n"
	                            "Priority: optional\nFilename: pool/%s.deb\nSize: %zu\n"
	                            "SHA256: %s\n\nPackage: b\nVersion: 1.0\nArchitecture: amd64\n"
	                            "Priority: required\nFilename: pool/%s.deb\nSize: %zu\n"
	                            "SHA256: %s\n\n",
	                            packages[0].sha256, strlen(CONTROL("a")), packages[0].sha256,
	                            packages[1].sha256, strlen(CONTROL("b")), packages[1].sha256));
	assert_string_equal(
	        get("dists/bookworm/Release"),
	        arena_printf(arena,
	                     "Suite: bookworm\nCodename: bookworm\nComponents: main\n"
	                     "Architectures: %s\nSHA256:\n %s %zu main/binary-%s/Packages\n",
	                     str_eq(own_arch(), "arm64") ? "arm64" : "amd64", digest_of(index),
	                     strlen(index), str_eq(own_arch(), "arm64") ? "arm64" : "amd64"));
	assert_string_equal(get(arena_printf(arena, "pool/%s.deb", packages[0].sha256)),
	                    CONTROL("a"));

	/* The lock must be what is installed, and of what is asked for. */
	put("status",
	    "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n");
	assert_int_equal(unlink(at("new/etc/resolv.conf")), 0);
	assert_err(make_base(&s), ERR_INPUT, "r.lock: 'b' 1.0 is locked, and nothing asks for it");
	put("status",
	    "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.1\n");
	assert_int_equal(unlink(at("new/etc/resolv.conf")), 0);
	assert_err(make_base(&s), ERR_INPUT, "r.lock: 'a' 1.0 is locked");
	put("status",
	    "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.9\n");
	assert_int_equal(unlink(at("new/etc/resolv.conf")), 0);
	assert_err(make_base(&s), ERR_BUG, "r.lock: 'a' 0.9 is installed, and is not in the lock");
	put("status",
	    "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n"
	    "Package: b\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n"
	    "Package: c\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n");
	assert_int_equal(unlink(at("new/etc/resolv.conf")), 0);
	assert_err(make_base(&s), ERR_BUG, "'c' 1.0 is installed");
	put_program("dpkg-deb", "exit 2\n");
	assert_err(make_base(&s), ERR_HOST, "looking into 'a' of the lock: ");
	load("debian:bookworm", "packages: [other]\n");
	assert_err(plan_base(&lock), ERR_INPUT, "r.lock");
}

/* ---- fetching ---- */

/* apt's downloader, which has each URL from the file of its last component. */
static void put_helper(const char *more)
{
	put("helper",
	    arena_printf(arena,
	                 "#!/bin/sh\necho \"$*\" >>%s/helper.args\nshift 3\n"
	                 "while [ $# -gt 0 ]; do\n"
	                 "  cp %s/archive/${1##*/} \"$2\" || echo \"E: Failed to fetch $1 "
	                 " 404  Not Found [IP: 1]\" >&2\n  shift 3\ndone\n%s",
	                 top, top, more));
	assert_int_equal(chmod(at("helper"), 0755), 0);
}

static void packages_are_fetched_once(void **state)
{
	scope_store struct store s = STORE_INIT;
	struct lock_package packages[] = {locked("a", "text a", false),
	                                  locked("b", "text b", false)};
	const struct lock lock = {.file = "r.lock", .n = 2, .packages = packages};
	const uint64_t soon = clock_in_ms(60000);

	(void)state;
	unit_need_root();
	assert_ok(store_open(at("store"), &s, &e));
	put_helper("exit 0\n");
	assert_int_equal(mount(at("helper"), "/usr/lib/apt/apt-helper", NULL, MS_BIND, NULL), 0);
	put("archive/a.deb", "text a");
	put("archive/b.deb", "text b");
	assert_ok(lock_fetch(&lock, &s, NULL, soon, &e));
	const char *object = arena_printf(arena, "store/objects/%s", packages[0].sha256);
	assert_string_equal(get(object), "text a");
	assert_has(get("helper.args"),
	           "-o APT::Sandbox::User=root download-file http://x/a.deb /tmp/");
	assert_has(get("helper.args"),
	           arena_printf(arena, "/%s SHA256:%s\n", packages[1].sha256, packages[1].sha256));
	put("helper.args", "");
	assert_ok(lock_fetch(&lock, &s, NULL, soon, &e));
	assert_string_equal(get("helper.args"), "");

	/* Only what is missing, or was changed in the store. */
	put(object, "text x");
	assert_ok(lock_fetch(&lock, &s, NULL, soon, &e));
	assert_string_equal(get(object), "text a");
	assert_null(strstr(get("helper.args"), "b.deb"));
	put(object, "text a and more");
	put("archive/a.deb", "text y");
	assert_err(lock_fetch(&lock, &s, NULL, soon, &e), ERR_RETRY,
	           "fetching 'http://x/a.deb': no file of the lock's size and SHA-256 came");
	assert_null(strstr(e.text, "others"));
	assert_string_equal(get(object), "text a and more");

	/* What the archive no longer has is told as such; what came is kept. */
	assert_int_equal(unlink(at("archive/a.deb")), 0);
	assert_int_equal(unlink(at(arena_printf(arena, "store/objects/%s", packages[1].sha256))),
	                 0);
	assert_err(lock_fetch(&lock, &s, NULL, soon, &e), ERR_ABSENT,
	           "fetching 'http://x/a.deb': 404  Not Found [IP: 1]; the archive no longer has "
	           "it: make the lock anew");
	assert_string_equal(get(arena_printf(arena, "store/objects/%s", packages[1].sha256)),
	                    "text b");
	assert_int_equal(unlink(at("archive/b.deb")), 0);
	assert_int_equal(unlink(at(arena_printf(arena, "store/objects/%s", packages[1].sha256))),
	                 0);
	assert_err(lock_fetch(&lock, &s, NULL, soon, &e), ERR_ABSENT,
	           "'http://x/a.deb' and others: ");
	put_helper("kill -9 $$\n");
	assert_true(lock_fetch(&lock, &s, NULL, soon, &e) < 0);
	assert_int_equal(umount("/usr/lib/apt/apt-helper"), 0);
}

#define SHA1(c) "000000000000000000000000000000000000000" c

/* What the service answers of package NAME: its files, by SHA-1, with name and size. */
#define FILEINFO(sha1, name, size)                                                                 \
	"\"" sha1 "\": [{\"name\": \"" name "\", \"size\": " size ", \"archive_name\": \"debian\"}]"

static void what_left_the_archive_comes_from_the_snapshot_service(void **state)
{
	scope_store struct store s = STORE_INIT;
	struct lock_package packages[] = {locked("a", "text a", false),
	                                  locked("b", "text b", false)};
	struct lock lock = {.file = "r.lock",
	                    .from = "debian:bookworm",
	                    .n = 2,
	                    .packages = packages,
	                    .snapshot = "http://snap"};
	const uint64_t soon = clock_in_ms(60000);

	(void)state;
	unit_need_root();
	packages[1].version = "1:2+b~1";
	assert_ok(store_open(at("store"), &s, &e));
	put_helper("exit 1\n");
	assert_int_equal(mount(at("helper"), "/usr/lib/apt/apt-helper", NULL, MS_BIND, NULL), 0);
	put("archive/a.deb", "text a");
	put("archive/binfiles?fileinfo=1",
	    "{\"fileinfo\": {" FILEINFO(SHA1("1"), "b_2_arm64.deb", "6") ", " FILEINFO(
	            SHA1("2"), "b_2_amd64.deb", "7") ", " FILEINFO("../x", "b_2_amd64.deb",
	                                                           "6") ", " FILEINFO(SHA1("3"),
	                                                                              "b_2_"
	                                                                              "amd64.deb",
	                                                                              "6") "}}");
	put("archive/" SHA1("3"), "text b");
	assert_ok(lock_fetch(&lock, &s, NULL, soon, &e));
	assert_string_equal(get(arena_printf(arena, "store/objects/%s", packages[1].sha256)),
	                    "text b");
	assert_has(get("helper.args"),
	           "http://snap/mr/binary/b/1%3A2%2Bb~1/binfiles?fileinfo=1 /tmp/");
	assert_has(get("helper.args"), "http://snap/file/" SHA1("3") " /tmp/");
	assert_null(strstr(get("helper.args"), "binary/a/"));
	assert_null(strstr(get("helper.args"), SHA1("1")));
	assert_null(strstr(get("helper.args"), "../x"));

	/* The digest decides, whatever the service says. */
	assert_int_equal(unlink(at(arena_printf(arena, "store/objects/%s", packages[1].sha256))),
	                 0);
	put("archive/" SHA1("3"), "text x");
	assert_err(lock_fetch(&lock, &s, NULL, soon, &e), ERR_ABSENT,
	           "the archive no longer has it, nor has the snapshot service: make the lock "
	           "anew");
	assert_int_equal(
	        access(at(arena_printf(arena, "store/objects/%s", packages[1].sha256)), F_OK), -1);
	/* Answers that mean nothing are answers that it has none. */
	static const char *const answers[] = {"",
	                                      "{",
	                                      "[]",
	                                      "{\"fileinfo\": []}",
	                                      "{\"fileinfo\": {\"" SHA1("3") "\": {}}}",
	                                      "{\"fileinfo\": {\"" SHA1("3") "\": [1]}}"};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		put("archive/binfiles?fileinfo=1", answers[i]);
		put("helper.args", "");
		assert_err(lock_fetch(&lock, &s, NULL, soon, &e), ERR_ABSENT,
		           "nor has the snapshot");
		assert_null(strstr(get("helper.args"), "/file/"));
	}
	/* Nobody is asked where none is named, nor for what Debian never had. */
	put("helper.args", "");
	lock.from = "ubuntu:noble";
	assert_err(lock_fetch(&lock, &s, NULL, soon, &e), ERR_ABSENT,
	           "the archive no longer has it: make the lock anew");
	lock.from = "debian:bookworm";
	lock.snapshot = NULL;
	assert_err(lock_fetch(&lock, &s, NULL, soon, &e), ERR_ABSENT,
	           "the archive no longer has it: make the lock anew");
	assert_null(strstr(get("helper.args"), "/mr/"));
	assert_int_equal(umount("/usr/lib/apt/apt-helper"), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        MACHINE_TEST(sources_of_the_release_are_taken),
	        MACHINE_TEST(the_key_follows_from_the_machines_sources),
	        MACHINE_TEST(a_recipe_may_have_sources_of_its_own),
	        MACHINE_TEST(the_key_follows_from_the_keys_of_sources),
	        MACHINE_TEST(what_makes_it_must_be_there),
	        MACHINE_TEST(a_tree_is_made_of_todays_packages),
	        MACHINE_TEST(a_tree_is_made_of_a_lock),
	        MACHINE_TEST(packages_are_fetched_once),
	        MACHINE_TEST(what_left_the_archive_comes_from_the_snapshot_service),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(base_job);
	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
