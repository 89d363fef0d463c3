/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no root and makes nothing: check, plan, schema, lock's refusals, the command line. */
#include "build/build_test.h"
#include "verb_test.h"

#include "store/listing.h"

#define BAD UNIT_DATA "/bad"

static void a_good_recipe_is_counted(void **state)
{
	(void)state;
	put("word", "x");
	put("c.yaml",
	    "name: tool\nschemaVersion: 1.0\nphases:\n"
	    "  - name: build\n    steps: [{name: s, action: ExecuteBash, inputs: {commands: [x]}}]\n");
	put("r.yaml", "image: {name: unit, version: 2.1.0}\npackages: [bash]\n"
	              "files: [{path: '/etc/${site}', content: x}]\n"
	              "copy: [{from: word, to: /word}]\ncomponents: [c.yaml]\n"
	              "tests: [{run: [ls]}, {run: [cat]}]\n");
	assert_runs("check", at("r.yaml"), "--set", "site=here");
	assert_string_equal(said(), arena_printf(arena,
	                                         "%s: ok: image unit 2.1.0, 2 steps, 1 copies, "
	                                         "1 components, 2 tests\n",
	                                         at("r.yaml")));
	assert_runs("check", "--quiet", "--set", "site=here", at("r.yaml"));
	assert_string_equal(said(), "");
	assert_refused(3, "r.yaml:3:", "check", at("r.yaml"));
}

/* `# PLACE: TEXT` in the first line of a bad recipe: what must be said of it. */
static void assert_bad(const char *name)
{
	const char *path = arena_printf(arena, BAD "/%s", name);
	char line[1024] = "";
	scope_file FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	line[strcspn(line, "\n")] = '\0';
	char *place = line + 2, *text = strstr(line, ": ");
	assert_non_null(text);
	*text = '\0';
	const char *where = *place >= 'a' && *place <= 'z'
	                            ? arena_printf(arena, "%s: ", place)
	                            : arena_printf(arena, "%s:%s: ", name, place);
	assert_refused(3, where, "check", path);
	const char *all = complained();
	assert_has(all, text + 2);
	assert_ptr_equal(strchr(all, '\n'), all + strlen(all) - 1); /* one line */
}

static void each_bad_recipe_is_refused_at_its_place(void **state)
{
	scope_fd int dir = open(BAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_listing struct listing l = {0};
	size_t n = 0;

	(void)state;
	assert_true(dir >= 0);
	assert_int_equal(listing_read(dir, &l), 0);
	for (int i = 0; i < l.n; i++)
		if (str_ends(l.items[i]->d_name, ".yaml")) {
			assert_bad(l.items[i]->d_name);
			n++;
		}
	assert_true(n >= 40);
}

static void all_files_are_checked(void **state)
{
	(void)state;
	put("good.yaml", "image: {name: unit}\n");
	assert_int_equal(run("check", BAD "/alias.yaml", at("good.yaml"), at("none.yaml")), 3);
	assert_has(complained(), "alias.yaml:2:8: ");
	assert_has(complained(), "none.yaml");
	assert_has(said(), "good.yaml: ok: image unit 1.0.0, 0 steps");
	/* The last one's goodness doesn't hide the first one's fault. */
	assert_int_equal(run("check", at("none.yaml"), at("good.yaml")), 3);
}

static void a_foreign_configuration_is_checked(void **state)
{
	static const char text[] =
	        "Build:\n  InstanceType: c5.xlarge\n  ParentImage: ami-0123456789abcdef0\n"
	        "  UpdateOsPackages: {Enabled: true}\n"
	        "  Components: [{Type: script, Value: 's3://bucket/x.sh'}]\n";

	(void)state;
	put("pc.yaml", text);
	assert_runs("check", at("pc.yaml"));
	assert_has(said(), "ok: ParallelCluster image configuration for 'provision', "
	                   "1 components, UpdateOsPackages\n");
	assert_runs("check", at("pc.yaml"), "-q");
	assert_string_equal(said(), "");
	assert_int_equal(run("plan", at("pc.yaml")), 0);
	assert_has(said(), "  1 UpdateOsPackages\n  2 ");
	assert_has(said(), "s3://bucket/x.sh");
	assert_has(said(), "\n2 for 'provision'\n");
	assert_int_equal(run("plan", "--json", at("pc.yaml")), 0);
	const struct doc *d = said_json();
	assert_int_equal(d->n, 2);
	assert_string_equal(doc_text(d->items[0], "id"), "UpdateOsPackages");
	assert_string_equal(doc_text(d->items[0], "schema"), "1");
	assert_string_equal(doc_text(d->items[1], "recipe"), at("pc.yaml"));
	assert_string_equal(doc_text(d->items[1], "schema"), "1");
	assert_has(doc_text(d->items[1], "id"), "1");
	/* Without an update the scripts are all. */
	put("pc.yaml", "Build:\n  InstanceType: c5.xlarge\n  ParentImage: ami-0123456789abcdef0\n"
	               "  Components: [{Type: script, Value: 's3://bkt/x.sh'}, "
	               "{Type: script, Value: 's3://bkt/y.sh'}]\n");
	assert_runs("check", at("pc.yaml"));
	assert_has(said(), "for 'provision', 2 components\n");
	assert_int_equal(run("plan", at("pc.yaml")), 0);
	assert_true(str_starts(said(), "  1 "));
	assert_has(said(), "  s3://bkt/x.sh\n  2 ");
	assert_has(said(), "\n2 for 'provision'\n");
	assert_int_equal(run("plan", "--json", at("pc.yaml")), 0);
	assert_int_equal(said_json()->n, 2);
	put("pc.yaml", "Build:\n  InstanceType: x\n  ParentImage: ami-1\n"
	               "  Components: [{Type: arn, Value: 'arn:x'}]\n");
	assert_runs("check", at("pc.yaml"));
	assert_has(said(), "ok: ParallelCluster image configuration for 'provision --incomplete', "
	                   "0 components\n");
	assert_has(said(), "pc.yaml:4:35: 'arn:x' is left out: a component in AWS's keeping");
	assert_int_equal(run("plan", at("pc.yaml")), 0);
	put("pc.yaml", "Build:\n  InstanceTyp: c5.xlarge\n  ParentImage: 7\n");
	assert_refused(3, "pc.yaml:2:3: ", "check", at("pc.yaml"));
	assert_has(complained(), "pc.yaml:2:3: 'InstanceType' is missing");
	assert_refused(3, "pc.yaml:2:3: ", "plan", at("pc.yaml"));
}

/* ---- plan ---- */

static void a_plan_lists_the_steps(void **state)
{
	(void)state;
	(void)mkdir(at("tree"), 0755);
	put("r.yaml", arena_printf(arena,
	                           "image: {name: unit, arch: %s, from: tree}\n"
	                           "files: [{path: /etc/a, content: x}, {path: /etc/b, content: x, "
	                           "after: ['files:/etc/a']}]\n",
	                           own_arch()));
	assert_runs("plan", at("r.yaml"), "--store", at("store"));
	assert_string_equal(said(),
	                    arena_printf(arena,
	                                 "  1 build   base %s/tree  never built\n"
	                                 "  2 build   %-*s  never built\n"
	                                 "  3 build   %-*s  never built  after files:/etc/a\n"
	                                 "  4 build   %-*s  never built\n"
	                                 "0 cached, 4 to build\n",
	                                 top, (int)strlen(top) + 10, "files:/etc/a",
	                                 (int)strlen(top) + 10, "files:/etc/b",
	                                 (int)strlen(top) + 10, "clean"));
	assert_int_equal(access(at("store"), F_OK), -1);
	assert_runs("plan", at("r.yaml"), "--store", at("store"), "--json");
	const struct doc *d = said_json();
	assert_int_equal(d->n, 4);
	assert_string_equal(doc_text(d->items[1], "id"), "files:/etc/a");
	assert_string_equal(doc_text(d->items[1], "type"), "step");
	assert_string_equal(doc_text(d->items[1], "state"), "build");
	assert_string_equal(doc_text(d->items[1], "recipe"), at("r.yaml"));
	assert_string_equal(doc_text(d->items[1], "schema"), "1");
	assert_int_equal(strlen(doc_text(d->items[1], "key")), 64);
	assert_string_equal(doc_get(d->items[1], "reasons")->items[0]->text, "never built");
}

/* Names are padded to the longest, up to forty characters. */
static void a_long_name_moves_no_other(void **state)
{
	const char *width = "                                        ";

	(void)state;
	(void)mkdir(at("tree"), 0755);
	put("r.yaml",
	    arena_printf(arena,
	                 "image: {name: unit, arch: %s, from: tree}\n"
	                 "files: [{path: /etc/a/name/of/more/than/forty/characters, content: x}]\n",
	                 own_arch()));
	assert_runs("plan", at("r.yaml"), "--store", at("store"));
	assert_has(said(), "\n  2 build   files:/etc/a/name/of/more/than/forty/characters  never "
	                   "built\n");
	assert_has(said(), arena_printf(arena, "\n  3 build   clean%s  never built\n", width + 5));
	put("file", "x");
	assert_refused(1, "opening the store '", "plan", at("r.yaml"), "--store", at("file"));
}

static void a_plan_tells_what_build_refuses(void **state)
{
	(void)state;
	put("r.yaml", "image: {name: unit}\nfiles: [{path: /etc/a, content: x}]\n");
	assert_int_equal(run("plan", at("r.yaml"), "--store", at("store")), 0);
	assert_has(complained(), "'build' refuses this: ");
	assert_has(complained(), "'from' is missing");
	assert_has(said(), "  1 unknown ");
	assert_has(said(), "0 cached, 0 to build, 2 not known\n");
	assert_refused(3, "none.yaml", "plan", at("none.yaml"));
	put("r.yaml", "image: {name: unit}\nfile: []\n");
	assert_refused(3, "r.yaml:2:1: ", "plan", at("r.yaml"));
	put("r.yaml", "image: {name: unit, from: tree}\n");
	put("r.lock", "no lock");
	(void)mkdir(at("tree"), 0755);
	assert_refused(3, "only the packages of Debian and Ubuntu can be locked", "plan",
	               at("r.yaml"), "--store", at("store"));
	assert_runs("plan", at("r.yaml"), "--store", at("store"), "--unlocked");
}

/* ---- lock ---- */

static void what_cant_be_locked_is_refused(void **state)
{
	(void)state;
	(void)mkdir(at("tree"), 0755);
	put("r.yaml", "image: {name: unit, from: tree}\n");
	assert_refused(3, "r.yaml: from '", "lock", at("r.yaml"));
	put("r.yaml", "image: {name: unit}\n");
	assert_refused(3, "r.yaml: from '': only the packages of Debian", "lock", at("r.yaml"));
	put("r.yaml", "image: {name: unit, from: 'debian:bookworm'}\n");
	put("up.yaml", "image: {name: up, from: r.yaml}\npackages: [bash]\n");
	assert_refused(3, "up.yaml:2:", "lock", at("up.yaml"));
	assert_has(complained(), "packages over another recipe can't be locked");
	put("r.lock", "image: {name: unit, from: 'debian:bookworm'}\n");
	assert_refused(3, "is called as its lock would be", "lock", at("r.lock"));
	assert_refused(3, "none.yaml", "lock", at("none.yaml"));
}

/* ---- images ---- */

static void a_missing_image_is_an_input(void **state)
{
	(void)state;
	assert_refused(3, "opening '", "test", at("none"));
	assert_refused(3, "is no file, expected a raw or qcow2 disk", "test", top);
	put("text.raw", "no disk");
	assert_refused(3, "has no partition table", "test", at("text.raw"));
	put("text.qcow2", "no disk");
	assert_refused(3, "is no qcow2 disk, though it is called so", "test", at("text.qcow2"));
	assert_refused(3, "none", "verify", at("none"), "--store", at("store"));
	assert_refused(3, "is a recipe, expected an image", "verify", BAD "/alias.yaml", "--store",
	               at("store"));
	assert_refused(3, "none", "diff", at("none"), top, "--store", at("store"));
	assert_refused(3, "none", "diff", top, at("none"), "--store", at("store"));
	assert_refused(3, "none.yaml", "verify", top, "--recipe", at("none.yaml"));
}

static void events_tell_each_file(void **state)
{
	(void)state;
	put("r.yaml", "image: {name: unit}\npackages: [bash]\ncopy: [{from: r.yaml, to: /r}]\n"
	              "tests: [{run: [ls]}, {run: [cat]}]\nwhen: [{match: {arch: arm64}}]\n");
	put("bad.yaml", "image: {name: unit}\npackage: [a]\nfile: []\n");
	assert_int_equal(run("check", "--json", at("r.yaml"), at("bad.yaml")), 3);
	const struct doc *good = said_json_line(0), *bad = said_json_line(3);
	assert_string_equal(doc_text(good, "event"), "checked");
	assert_string_equal(doc_text(good, "schema"), "1");
	assert_string_equal(doc_text(good, "file"), at("r.yaml"));
	assert_string_equal(doc_text(good, "state"), "ok");
	assert_string_equal(doc_text(good, "image"), "unit");
	assert_string_equal(doc_text(good, "version"), "1.0.0");
	assert_string_equal(doc_text(good, "steps"), "1");
	assert_string_equal(doc_text(good, "copies"), "1");
	assert_string_equal(doc_text(good, "components"), "0");
	assert_string_equal(doc_text(good, "tests"), "2");
	assert_string_equal(doc_text(good, "left_out"), "1");
	assert_string_equal(doc_text(said_json_line(1), "event"), "error");
	assert_has(doc_text(said_json_line(1), "text"), "bad.yaml:2:1: unknown section 'package'");
	assert_has(doc_text(said_json_line(2), "text"), "bad.yaml:3:1: unknown section 'file'");
	assert_string_equal(doc_text(bad, "file"), at("bad.yaml"));
	assert_string_equal(doc_text(bad, "state"), "faulty");
	assert_string_equal(doc_text(bad, "faults"), "2");
	put("f.yaml", "Build: {InstanceType: c5.large, ParentImage: ami-1234567890abcdef0}\n");
	assert_int_equal(run("check", "--json", at("f.yaml")), 0);
	assert_string_equal(doc_text(said_json(), "state"), "ok");
	assert_true(doc_get(said_json(), "notes")->n >= 1);
	/* People are told of parts for other images, too. */
	assert_runs("check", at("r.yaml"));
	assert_has(said(), "2 tests, 1 parts for other images\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        VERB_TEST(a_good_recipe_is_counted),
	        VERB_TEST(each_bad_recipe_is_refused_at_its_place),
	        VERB_TEST(all_files_are_checked),
	        VERB_TEST(events_tell_each_file),
	        VERB_TEST(a_foreign_configuration_is_checked),
	        VERB_TEST(a_plan_lists_the_steps),
	        VERB_TEST(a_long_name_moves_no_other),
	        VERB_TEST(a_plan_tells_what_build_refuses),
	        VERB_TEST(what_cant_be_locked_is_refused),
	        VERB_TEST(a_missing_image_is_an_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
