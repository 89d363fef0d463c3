/* SPDX-License-Identifier: Apache-2.0 */
/* What apt is asked, and how its answers become a lock. */
#include "machine.h"

#include "recipe/lock.h"

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
	                         "test ! -s ${APT_CONFIG%%/*}/status || exit 8\n"
	                         "case \"$*\" in *print-uris*) cat %1$s/uris;; esac\n",
	                         top));
	put_program("apt-cache", arena_printf(arena, "cat %s/show\n", top));
}

static int resolve(void)
{
	memset(&got, 0x55, sizeof got);
	return lock_resolve("debian:bookworm", "x86_64", &asked, &sources, arena, &got, &e);
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
	assert_int_equal(access(dir, F_OK), -1); /* gone again */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        MACHINE_TEST(packages_are_locked),
	        MACHINE_TEST(what_cant_be_locked_is_refused),
	        MACHINE_TEST(many_are_asked_for_in_turn),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
