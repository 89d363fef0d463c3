/* SPDX-License-Identifier: Apache-2.0 */
/* lock: what is written beside the recipe, and fetched into the store; what a build then makes of it. */
#include "machine.h"
#include "script.h"
#include "verb_test.h"

#define STANZA "Package: a\nVersion: 1\nArchitecture: all\nSHA256: %s\n"

/* An archive of one package, by scripts in the place of apt. */
static int begin(void **state)
{
	char hex[SHA256_HEX];

	machine_set_up(state);
	if (!unit_is_root())
		return 0;
	digest_hex("text a", 6, hex);
	put_program("apt-get", "case \"$*\" in\n"
	                       "*indextargets*) echo http://x bookworm main;;\n"
	                       "*print-uris*) echo \"'http://x/a_1_all.deb' a_1_all.deb 6\";;\n"
	                       "esac\n");
	put("show", arena_printf(arena, STANZA, hex));
	put_program("apt-cache", arena_printf(arena, "cat %s/show\n", top));
	put_program("mmdebstrap", "");
	put("helper", arena_printf(arena,
	                           "#!/bin/sh\nshift 3\necho fetched >>%s/helper.args\n"
	                           "echo \"Get:1 $1 [6 B]\"\n"
	                           "printf 'text a' >\"$2\"\n",
	                           top));
	assert_int_equal(chmod(at("helper"), 0755), 0);
	assert_int_equal(mount(at("helper"), "/usr/lib/apt/apt-helper", NULL, MS_BIND, NULL), 0);
	put("r.yaml", "image: {name: unit, from: 'debian:bookworm'}\npackages: [a]\n");
	return 0;
}

static int end(void **state)
{
	if (unit_is_root())
		assert_int_equal(umount2("/usr/lib/apt/apt-helper", MNT_DETACH), 0);
	return machine_tear_down(state);
}

static const char *object(void)
{
	char hex[SHA256_HEX];

	digest_hex("text a", 6, hex);
	return arena_printf(arena, "store/objects/%s", hex);
}

static void a_lock_is_written(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(run("lock", at("r.yaml")), 0);
	assert_string_equal(said(),
	                    arena_printf(arena, "'%s' has 1 packages and 0 files\n", at("r.lock")));
	assert_has(get("r.lock"), "asked: [\"a\"]");
	assert_has(get("r.lock"), "sources: [\"deb http://x bookworm main\"]");
	assert_has(get("r.lock"), "url: \"http://x/a_1_all.deb\"");
	assert_string_equal(get("helper.args"), "");
	assert_int_equal(run("lock", "-q", at("r.yaml")), 0);
	assert_string_equal(said(), "");
}

static void what_is_locked_is_fetched(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(run("lock", at("r.yaml"), "--fetch", "--store", at("store")), 0);
	assert_string_equal(get(object()), "text a");
	assert_int_equal(run("lock", at("r.yaml"), "--fetch", "--store", at("store")), 0);
	assert_string_equal(get("helper.args"), "fetched\n");
	assert_int_equal(unlink(at(object())), 0);
	put("helper", "#!/bin/sh\nexit 0\n");
	assert_int_equal(run("lock", at("r.yaml"), "--fetch", "--store", at("store")), 4);
	assert_has(complained(), "fetching 'http://x/a_1_all.deb': ");
	put("store-file", "x");
	assert_int_equal(run("lock", at("r.yaml"), "--fetch", "--store", at("store-file")), 1);
	assert_has(complained(), "making the store '");
}

static void a_plan_follows_the_lock(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(run("lock", at("r.yaml")), 0);
	assert_int_equal(run("plan", at("r.yaml"), "--store", at("store"), "--json"), 0);
	const char *with = doc_text(said_json()->items[0], "key");
	assert_int_equal(run("plan", at("r.yaml"), "--store", at("store"), "--json", "--unlocked"),
	                 0);
	assert_string_not_equal(doc_text(said_json()->items[0], "key"), with);
	put("r.yaml", "image: {name: unit, from: 'debian:bookworm'}\npackages: [a, b]\n");
	assert_int_equal(run("plan", at("r.yaml"), "--store", at("store")), 0);
	assert_has(complained(), "'build' refuses this: ");
	assert_has(complained(), "r.lock");
	put("r.lock", "lock: 2\n");
	assert_refused(3, "r.lock:", "plan", at("r.yaml"), "--store", at("store"));
	assert_refused(3, "r.lock:", "build", at("r.yaml"), "--store", at("store"));
	assert_refused(3, "r.lock:", "shell", at("r.yaml"), "--store", at("store"));
	put_program("apt-get", "exit 1\n");
	assert_int_equal(run("lock", at("r.yaml")), 1);
	assert_string_equal(get("r.lock"), "lock: 2\n");
}

static void events_tell_it(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(run("lock", at("r.yaml"), "--json"), 0);
	assert_string_equal(doc_text(said_json_line(0), "event"), "phase");
	assert_string_equal(doc_text(said_json_line(0), "what"), "fetching package lists");
	const struct doc *locked = said_json_line(4);
	assert_string_equal(doc_text(locked, "event"), "locked");
	assert_string_equal(doc_text(locked, "schema"), "1");
	assert_string_equal(doc_text(locked, "lock"), at("r.lock"));
	assert_string_equal(doc_text(locked, "packages"), "1");
	assert_string_equal(doc_text(locked, "files"), "0");
	assert_null(doc_get(locked, "changed"));
	const char *text = get("r.lock");
	const char *version = strstr(text, "version: \"1\"");
	assert_non_null(version);
	put("r.lock", arena_printf(arena, "%.*sversion: \"0\"%s", (int)(version - text), text,
	                           version + strlen("version: \"1\"")));
	assert_int_equal(run("lock", at("r.yaml"), "--json"), 0);
	const struct doc *change = said_json_line(4);
	assert_string_equal(doc_text(change, "event"), "change");
	assert_string_equal(doc_text(change, "of"), "package");
	assert_string_equal(doc_text(change, "name"), "a");
	assert_string_equal(doc_text(change, "state"), "changed");
	assert_string_equal(doc_text(change, "from"), "0");
	assert_string_equal(doc_text(change, "to"), "1");
	assert_string_equal(doc_text(said_json_line(5), "changed"), "1");
	/* What is fetched is counted. */
	assert_int_equal(run("lock", at("r.yaml"), "--json", "--fetch", "--store", at("store")), 0);
	assert_has(said(), "\"what\":\"fetching packages\"");
	assert_has(said(), "\"line\":\"1 of 1  http://x/a_1_all.deb [6 B]\"");
	/* Faults of all kinds are events. */
	put("bad.yaml", "image: {name: unit, from: 'debian:bookworm'}\npackage: [a]\n");
	assert_int_equal(run("lock", at("bad.yaml"), "--json"), 3);
	assert_string_equal(doc_text(said_json_line(0), "event"), "error");
	assert_has(doc_text(said_json_line(0), "text"), "bad.yaml:2:1: unknown section");
}

/* What steps and components fetch, of the recipes below too, is locked beside the packages. */
static void files_are_locked_with_the_packages(void **state)
{
	static const struct script_row rows[] = {
	        {"", 0, 200, NULL, "of below", .has = "GET /bkt/below "},
	        {"", 0, 200, NULL, "of top", .has = "GET /bkt/top "},
	        {"", 0, 200, NULL, "of a component", .has = "GET /bkt/component "},
	        {0},
	};
	char hex[SHA256_HEX];

	(void)state;
	unit_need_root();
	struct script server = script_start(rows);
	setenv("AWS_ENDPOINT_URL", server.url, 1);
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIAFIXED", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	put("c.yaml", "name: tool\nschemaVersion: 1.0\nphases:\n"
	              "- {name: test, steps: [{name: s, action: S3Download, inputs: "
	              "[{source: 's3://bkt/component', destination: /tmp/x}]}]}\n");
	put("r.yaml", "image: {name: unit, from: 'debian:bookworm'}\npackages: [a]\n"
	              "files: [{path: /etc/x, source: 's3://bkt/below'}]\n");
	put("top.yaml", "image: {name: top, from: r.yaml}\n"
	                "files: [{path: /etc/x, source: 's3://bkt/top'}]\ncomponents: [c.yaml]\n");
	assert_int_equal(run("lock", at("top.yaml"), "--fetch", "--store", at("store")), 0);
	assert_has(said(),
	           arena_printf(arena, "'%s' has 1 packages and 3 files\n", at("top.lock")));
	const char *lock = get("top.lock"), *below = strstr(lock, "s3://bkt/below"),
	           *up = strstr(lock, "s3://bkt/top");
	assert_true(below && up && below < up);
	assert_has(lock, "s3://bkt/component");
	digest_hex("of top", 6, hex);
	assert_has(lock, hex);
	assert_string_equal(get(arena_printf(arena, "store/objects/%s", hex)), "of top");
	assert_int_equal(access(at("r.lock"), F_OK), -1);

	/* A lock that can't be written, and a file that isn't there. */
	(void)mkdir(at("r.lock"), 0755);
	assert_int_equal(run("lock", at("r.yaml")), 1);
	assert_has(complained(), "r.lock");
	put("top.yaml", "image: {name: top, from: r.yaml}\n"
	                "files: [{path: /etc/x, source: 's3://bkt/none'}]\n");
	const char *was = get("top.lock");
	assert_int_equal(run("lock", at("top.yaml")), 4);
	assert_has(complained(), "s3://bkt/none");
	assert_string_equal(get("top.lock"), was);
	put("c.yaml", "name: tool\n");
	put("top.yaml", "image: {name: top, from: r.yaml}\ncomponents: [c.yaml]\n");
	assert_refused(3, "c.yaml", "lock", at("top.yaml"));
	script_stop(&server);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(a_lock_is_written),
	        T(events_tell_it),
	        T(what_is_locked_is_fetched),
	        T(a_plan_follows_the_lock),
	        T(files_are_locked_with_the_packages),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
