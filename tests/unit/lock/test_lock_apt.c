/* SPDX-License-Identifier: Apache-2.0 */
/* What apt is asked, and how its answers become a lock. */
#include "machine.h"

#include "lock/lock_apt.h"
#include "lock/lock_change.h"
#include "store/store.h"

#define HEX(c) "000000000000000000000000000000000000000000000000000000000000000" c

static const char *words[] = {"b", "c"}, *lines[] = {"deb http://x bookworm main", "deb http://y"};
static const struct field_strings asked = {2, words}, sources = {2, lines};
static struct lock got;

/* apt-get answers with what is in `update`, `uris`; apt-cache with `show`. */
static void put_apt(const char *uris, const char *show)
{
	put("uris", uris);
	put("show", show);
	put("apt-get.args", "");
	put("apt-cache.args", "");
	put_program("apt-get",
	            arena_printf(arena,
	                         "cat \"$APT_CONFIG\" >%1$s/config\n"
	                         "cat \"${APT_CONFIG%%/*}/sources.list\" >%1$s/list\n"
	                         "echo \"${APT_CONFIG%%/*}\" >%1$s/dir\n"
	                         "ls -d ${APT_CONFIG%%/*}/lists/partial "
	                         "${APT_CONFIG%%/*}/cache/archives/partial >/dev/null || "
	                         "exit 9\n"
	                         "test -f ${APT_CONFIG%%/*}/status || exit 7\n"
	                         "test ! -s ${APT_CONFIG%%/*}/status || exit 8\n"
	                         "test -f ${APT_CONFIG%%/*}/preferences || exit 6\n"
	                         "case \"$*\" in *print-uris*) cat %1$s/uris;; esac\n",
	                         top));
	put_program("apt-cache", arena_printf(arena, "cat %s/show\n", top));
}

static void phase(void *ctx, const char *what)
{
	(void)ctx;
	put("phase", what);
}

static int ask(const struct lock_keep *keep)
{
	const struct lock_question q = {.from = "debian:bookworm",
	                                .arch = "x86_64",
	                                .asked = &asked,
	                                .sources = &sources,
	                                .keep = keep,
	                                .dir = at("state"),
	                                .phase = phase};

	store_remove(at("state"));
	assert_int_equal(mkdir(at("state"), 0755), 0);
	return lock_resolve(&q, arena, &got, &e);
}

static int resolve(void)
{
	memset(&got, 0x55, sizeof got);
	return ask(NULL);
}

#define STANZA(name, version, arch, rest)                                                          \
	"Package: " name "\nVersion: " version "\nArchitecture: " arch "\n" rest "\n"

static void packages_are_locked(void **state)
{
	(void)state;
	unit_need_root();
	put_apt("Reading lists...\n'http://x/b_1%3a2~rc_amd64.deb' b_1%3a2~rc_amd64.deb 1234 "
	        "SHA256:ff\n'https://y/a_1_all.deb' a_1_all.deb 5\n",
	        STANZA("b", "1:1", "amd64", "SHA256: " HEX("1") "\n") STANZA(
	                "b", "1:2~rc", "arm64", "SHA256: " HEX("2") "\n")
	                STANZA("b", "1:2~rc", "amd64", "Priority: optional\nSHA256: " HEX("3") "\n")
	                        STANZA("b", "1:2~rc", "amd64", "SHA256: " HEX("4") "\n") STANZA(
	                                "a", "1", "all", "Priority: required\nSHA256: " HEX("5")));
	assert_ok(resolve());
	assert_string_equal(got.file, "");
	assert_string_equal(got.from, "debian:bookworm");
	assert_string_equal(got.arch, "x86_64");
	assert_int_equal(got.asked.n, 2);
	assert_int_equal(got.sources.n, 2);
	assert_int_equal(got.n_files, 0);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.packages[0].name, "a");
	assert_string_equal(got.packages[0].arch, "all");
	assert_string_equal(got.packages[0].sha256, HEX("5"));
	assert_int_equal(got.packages[0].size, 5);
	assert_true(got.packages[0].required);
	const struct lock_package *b = &got.packages[1];
	assert_string_equal(b->name, "b");
	assert_string_equal(b->version, "1:2~rc");
	assert_string_equal(b->arch, "amd64");
	assert_string_equal(b->url, "http://x/b_1%3a2~rc_amd64.deb");
	assert_string_equal(b->sha256, HEX("3"));
	assert_int_equal(b->size, 1234);
	assert_false(b->required);

	assert_string_equal(calls_of("apt-get"),
	                    "--quiet -o APT::Update::Error-Mode=any update\n"
	                    "--yes --print-uris install ?essential apt ?priority(required) b c\n");
	assert_string_equal(calls_of("apt-cache"), "show a=1 b:amd64=1:2~rc\n");
	assert_string_equal(get("list"), "deb http://x bookworm main\ndeb http://y\n");
	const char *dir = get("dir"), *config = get("config");
	dir = arena_memdup(arena, dir, strcspn(dir, "\n"));
	assert_string_equal(dir, at("state"));
	assert_string_equal(get("phase"), "asking apt for their digests");
	assert_non_null(strstr(config, arena_printf(arena, "Dir::State \"%s\";\n", dir)));
	assert_non_null(
	        strstr(config, arena_printf(arena, "Dir::State::status \"%s/status\";\n", dir)));
	assert_non_null(strstr(config, "APT::Architecture \"amd64\";\n"));
	assert_non_null(strstr(config, "APT::Install-Recommends \"false\";\n"));
}

static void what_cant_be_locked_is_refused(void **state)
{
	static const char *const nothing[] = {"",
	                                      "\n\n",
	                                      "http://x/b_1_amd64.deb' b_1_amd64.deb 5\n",
	                                      "'http://x\n",
	                                      "'\n",
	                                      "'http://x' b.deb 5\n",
	                                      "'http://x' b_1.deb 5\n",
	                                      "'http://x' b_1_amd64.deb\n",
	                                      "'http://x' b 1_2_3.deb\n",
	                                      "'http://x' b_1_.deb 5\n",
	                                      "'u'x\n"};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		put_apt(nothing[i], "");
		assert_err(resolve(), ERR_HOST, "asking apt for the packages: 0 of them");
	}
	put_apt("'http://x' b_1_amd64.deb 5\n", STANZA("b", "2", "amd64", "SHA256: " HEX("1")));
	assert_err(resolve(), ERR_HOST, "locking 'b' 1: apt has no SHA-256 of it");
	put_apt("'http://x' b_1_amd64.deb 5\n", STANZA("b", "1", "amd64", "SHA256sum: x\nSHA256:"));
	assert_err(resolve(), ERR_HOST, "locking 'b' 1: apt has no SHA-256 of it");
	put_apt("'copy:/mnt/b.deb' b_1_amd64.deb 5\n",
	        STANZA("b", "1", "amd64", "SHA256: " HEX("1")));
	assert_err(resolve(), ERR_HOST, "locking 'b' 1: it comes from 'copy:/mnt/b.deb', which");
	put_program("apt-cache", "exit 1\n");
	assert_err(resolve(), ERR_HOST, "asking apt for digests: ");
	put_program("apt-get", "case \"$*\" in *update*) ;; *) exit 1;; esac\n");
	assert_err(resolve(), ERR_HOST, "asking apt for the packages: ");
	put_program("apt-get", "exit 1\n");
	assert_err(resolve(), ERR_HOST, "fetching package lists: ");
	assert_null(strstr(calls_of("apt-get"), "exit"));
}

/* apt-cache is asked for few at once: a longer answer would be cut. */
static void many_are_asked_for_in_turn(void **state)
{
	struct strbuf uris = STRBUF(arena, 65536), show = STRBUF(arena, 65536);

	(void)state;
	unit_need_root();
	for (int i = 0; i < 83; i++) {
		strbuf_printf(&uris, "'http://x/%02d' p%02d_1_all.deb %d\n", i, i, i);
		strbuf_printf(&show, STANZA("p%02d", "1", "all", "SHA256: " HEX("1") "\n"), i);
	}
	put_apt(uris.data, show.data);
	assert_ok(resolve());
	assert_int_equal(got.n, 83);
	assert_int_equal(got.packages[82].size, 82);
	const char *calls = calls_of("apt-cache");
	assert_int_equal(strncmp(calls, "show p00=1 p01=1", 16), 0);
	assert_non_null(strstr(calls, " p39=1\nshow p40=1"));
	assert_non_null(strstr(calls, " p79=1\nshow p80=1 p81=1 p82=1\n"));
}

/* ---- keeping what a lock has ---- */

static struct lock_package was_packages[] = {
        {"a", "1", "all", HEX("1"), "http://x/a_1_all.deb", 1, true},
        {"b", "1", "amd64", HEX("2"), "http://x/b_1_amd64.deb", 2, false},
        {"c", "1", "amd64", HEX("3"), "http://x/c_1_amd64.deb", 3, false},
        {"d", "1", "amd64", HEX("4"), "http://x/d_1_amd64.deb", 4, false},
};
static const struct lock was = {.file = "r.lock", .n = 4, .packages = was_packages};
static struct lock brought;

static int bring(void *ctx, const struct lock *gone, const char **ret_source, struct err *err)
{
	(void)err;
	assert_ptr_equal(ctx, &brought);
	brought = *gone;
	*ret_source = "deb copy:/there bookworm main";
	return 0;
}

static int resolve_keeping(const char *update)
{
	const struct lock_keep keep = {
	        .was = &was, .update = {1, &update}, .bring = bring, .ctx = &brought};

	brought = (struct lock){0};
	return ask(&keep);
}

/* What the sources have: a and c as the lock, b newer, d not at all. */
#define SOURCES                                                                                    \
	STANZA("a", "1", "all", "SHA256: " HEX("1") "\n")                                          \
	STANZA("b", "2", "amd64", "SHA256: " HEX("7") "\n")                                        \
	STANZA("c", "1", "amd64", "SHA256: " HEX("8") "\n")                                        \
	STANZA("c", "2", "amd64", "SHA256: " HEX("9") "\n")

static void what_is_not_named_is_kept(void **state)
{
	(void)state;
	unit_need_root();
	put_apt("'http://y/a' a_1_all.deb 9\n'http://y/b' b_2_amd64.deb 5\n"
	        "'copy:/there' c_1_amd64.deb 6\n",
	        SOURCES);
	assert_ok(resolve_keeping("b"));
	assert_int_equal(got.n, 3);
	assert_string_equal(got.packages[0].url, "http://x/a_1_all.deb");
	assert_true(got.packages[0].required);
	assert_string_equal(got.packages[1].version, "2");
	assert_string_equal(got.packages[1].url, "http://y/b");
	assert_string_equal(got.packages[1].sha256, HEX("7"));
	assert_string_equal(got.packages[2].sha256, HEX("3"));
	/* c of the lock's version has another content there: it is not to be had either. */
	assert_int_equal(brought.n, 2);
	assert_string_equal(brought.packages[0].name, "c");
	assert_string_equal(brought.packages[1].name, "d");
	assert_string_equal(
	        get("list"),
	        "deb http://x bookworm main\ndeb http://y\ndeb copy:/there bookworm main\n");
}

/* apt that refuses until the pins are as `wanted`; what it says is `refusal`. */
static void put_refusing_apt(const char *refusal, const char *wanted)
{
	put_apt("'http://y/b' b_2_amd64.deb 5\n", SOURCES);
	put("refusal", refusal);
	put("wanted", wanted);
	put_program("apt-get",
	            arena_printf(arena,
	                         "case \"$*\" in *print-uris*) ;; *) exit 0;; esac\n"
	                         "grep ^Package "
	                         "\"${APT_CONFIG%%%%/apt.conf}/preferences\" >%1$s/pins\n"
	                         "cmp -s %1$s/pins %1$s/wanted && exec cat %1$s/uris\n"
	                         "cat %1$s/refusal; exit 100\n",
	                         top));
}

static void what_is_in_the_way_is_let_go(void **state)
{
	(void)state;
	unit_need_root();
	put_refusing_apt("The following packages have unmet dependencies:\n"
	                 " b : Depends: a (= 2) but 1 is to be installed\n"
	                 "     PreDepends: c:amd64 (>= 2) but 1 is to be installed\n"
	                 " x : Depends: d\n",
	                 "Package: d\n");
	assert_ok(resolve_keeping("b"));
	/* Once a is free, d must follow it. */
	put_refusing_apt(" d : Depends: a (= 1) but 2 is to be installed\n", "Package: c\n");
	assert_ok(resolve_keeping("b"));
	/* Nothing that is kept is in the way: apt's own words. */
	put_refusing_apt(" b : Depends: z (= 1) but it is not installable\n"
	                 "E: held broken packages\n",
	                 "never");
	assert_err(resolve_keeping("b"), ERR_HOST, "asking apt for the packages: ");
	assert_string_equal(get("pins"), "Package: a\nPackage: c\nPackage: d\n");
}

/* A package built again under its old version: what the user asks for, or what had to go. */
static void what_is_not_kept_takes_new_content_of_the_same_version(void **state)
{
	(void)state;
	unit_need_root();
	put_apt("'http://y/a' a_1_all.deb 9\n'http://y/c' c_1_amd64.deb 6\n", SOURCES);
	assert_ok(resolve_keeping("c"));
	assert_int_equal(got.n, 2);
	assert_string_equal(got.packages[0].url, "http://x/a_1_all.deb");
	assert_string_equal(got.packages[1].version, "1");
	assert_string_equal(got.packages[1].sha256, HEX("8"));
	assert_string_equal(got.packages[1].url, "http://y/c");
	assert_int_equal(got.packages[1].size, 6);
	/* The same of c when it is let go. */
	put_refusing_apt(" b : Depends: c (= 1) but 1 is to be installed\n",
	                 "Package: a\nPackage: d\n");
	put("uris", "'http://y/c' c_1_amd64.deb 6\n");
	assert_ok(resolve_keeping("b"));
	assert_string_equal(got.packages[0].sha256, HEX("8"));
	assert_string_equal(got.packages[0].url, "http://y/c");
}

/* What is let go and yet comes from what was brought is the lock's: its repository doesn't stay. */
static void what_is_let_go_may_still_come_from_the_lock(void **state)
{
	(void)state;
	unit_need_root();
	put_refusing_apt(" b : Depends: d (= 2) but 1 is to be installed\n",
	                 "Package: a\nPackage: c\n");
	put("uris", "'copy:/there' d_1_amd64.deb 6\n");
	put("show", STANZA("d", "1", "amd64", "SHA256: " HEX("4") "\n"));
	assert_ok(resolve_keeping("b"));
	assert_string_equal(got.packages[0].url, "http://x/d_1_amd64.deb");
	/* Another content from there is not. */
	put("show", STANZA("d", "1", "amd64", "SHA256: " HEX("5") "\n"));
	assert_err(resolve_keeping("b"), ERR_HOST, "locking 'd' 1: it comes from 'copy:/there'");
}

/* As many at once as when digests are asked for, and each is looked for in its own answer. */
static void the_sources_are_asked_for_all_that_is_kept(void **state)
{
	struct strbuf show = STRBUF(arena, 65536);
	struct lock_package *packages = arena_array(arena, 83, sizeof *packages);
	const struct lock many = {.n = 83, .packages = packages};
	const struct lock_keep keep = {.was = &many, .bring = bring, .ctx = &brought};

	(void)state;
	unit_need_root();
	for (int i = 0; i < 83; i++) {
		packages[i] = (struct lock_package){arena_printf(arena, "p%02d", i),
		                                    "1",
		                                    "all",
		                                    HEX("1"),
		                                    "http://x/y",
		                                    1,
		                                    false};
		if (i != 41)
			strbuf_printf(&show, STANZA("p%02d", "1", "all", "SHA256: " HEX("1") "\n"),
			              i);
	}
	put_apt("'http://x/00' p00_1_all.deb 1\n", show.data);
	brought = (struct lock){0};
	assert_ok(ask(&keep));
	assert_int_equal(brought.n, 1);
	assert_string_equal(brought.packages[0].name, "p41");
	const char *calls = calls_of("apt-cache");
	assert_int_equal(strncmp(calls, "show p00 p01 ", 13), 0);
	assert_non_null(strstr(calls, " p39\nshow p40 "));
	assert_non_null(strstr(calls, " p79\nshow p80 p81 p82\n"));
	/* Where all is there nothing is brought, and the lists are fetched once. */
	strbuf_printf(&show, STANZA("p%02d", "1", "all", "SHA256: " HEX("1") "\n"), 41);
	put_apt("'http://x/00' p00_1_all.deb 1\n", show.data);
	brought = (struct lock){0};
	assert_ok(ask(&keep));
	assert_int_equal(brought.n, 0);
	assert_null(strstr(strstr(calls_of("apt-get"), "update") + 1, "update"));
}

static int bring_none(void *ctx, const struct lock *gone, const char **ret_source, struct err *err)
{
	(void)ctx, (void)gone, (void)ret_source;
	return err_set(err, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT, "it is nowhere");
}

static void what_cant_be_kept_is_told(void **state)
{
	const struct lock_keep keep = {.was = &was, .bring = bring_none};

	(void)state;
	unit_need_root();
	put_apt("'http://y/b' b_2_amd64.deb 5\n", SOURCES);
	assert_err(ask(&keep), ERR_ABSENT, "it is nowhere");
	/* The lists with what was brought can't be fetched. */
	put_program("apt-get", "case \"$*\" in *update*) ! grep -q there "
	                       "\"${APT_CONFIG%/*}/sources.list\";; esac\n");
	assert_err(resolve_keeping("b"), ERR_HOST, "fetching package lists: ");
	/* Neither can apt be asked what it has. */
	put_program("apt-get", "");
	assert_int_equal(unlink(at("bin/apt-cache")), 0);
	assert_int_equal(symlink("apt-cache", at("bin/apt-cache")), 0);
	assert_err(resolve_keeping("b"), ERR_HOST, "asking apt for the packages of the lock: ");
	assert_int_equal(brought.n, 0);
}

/* ---- changes ---- */

static void tell(void *ctx, const struct lock_change *c)
{
	strbuf_printf(ctx, "%s %s %s %s%s\n", c->of, c->name, c->from ? c->from : "-",
	              c->to ? c->to : "-", c->same_version ? " same" : "");
}

static void changes_are_told(void **state)
{
	struct strbuf out = STRBUF(arena, 4096);
	struct lock_package packages[] = {
	        {"a", "1", "all", HEX("1"), "", 1, true},
	        {"b", "2", "amd64", HEX("2"), "", 2, false},
	        {"c", "1", "amd64", HEX("9"), "", 3, false},
	        {"e", "5", "amd64", HEX("4"), "", 4, false},
	};
	struct lock_file before[] = {{"s3://a", "1"}, {"s3://b", "2"}, {"s3://c", "3"}};
	struct lock_file after[] = {{"s3://b", "2"}, {"s3://c", "4"}, {"s3://d", "5"}};
	struct lock x = was, y = {.n = 4, .packages = packages, .n_files = 3, .files = after};

	(void)state;
	x.n_files = 3;
	x.files = before;
	lock_changes(&x, &y, tell, &out);
	assert_string_equal(out.data, "package b 1 2\npackage c 1 1 same\npackage d 1 -\n"
	                              "package e - 5\nfile s3://a 1 -\nfile s3://c 3 4\n"
	                              "file s3://d - 5\n");
	out.len = 0;
	lock_changes(&x, &x, tell, &out);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        MACHINE_TEST(packages_are_locked),
	        MACHINE_TEST(what_cant_be_locked_is_refused),
	        MACHINE_TEST(many_are_asked_for_in_turn),
	        MACHINE_TEST(what_is_not_named_is_kept),
	        MACHINE_TEST(what_is_in_the_way_is_let_go),
	        MACHINE_TEST(what_is_not_kept_takes_new_content_of_the_same_version),
	        MACHINE_TEST(what_is_let_go_may_still_come_from_the_lock),
	        MACHINE_TEST(the_sources_are_asked_for_all_that_is_kept),
	        MACHINE_TEST(what_cant_be_kept_is_told),
	        MACHINE_TEST(changes_are_told),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
