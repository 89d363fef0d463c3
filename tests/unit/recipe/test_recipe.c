/* SPDX-License-Identifier: Apache-2.0 */
/* A recipe's header, what it is made from, its facts and packages. */
#include "recipe_test.h"

#include "recipe/recipe.h"

static struct recipe got;

static int load_with(const char *text, const struct command_list *set)
{
	put_yaml("r.yaml", text);
	return recipe_load(at("r.yaml"), set, arena, &got, &e);
}

static int load(const char *text)
{
	return load_with(text, NULL);
}

static void a_header_has_its_defaults(void **state)
{
	(void)state;
	assert_ok(load("{image: {name: a-1._b}}"));
	assert_string_equal(got.name, "a-1._b");
	assert_string_equal(got.version, "1.0.0");
	assert_string_equal(got.arch, "x86_64");
	assert_string_equal(got.disk.filesystem, "ext4");
	assert_int_equal(got.disk.size, 4ULL << 30);
	assert_int_equal(got.disk.boot, BOOT_UEFI_BIOS);
	assert_non_null(strstr(got.disk.cmdline, "console=ttyS0"));
	assert_int_equal(got.from_type, FROM_NOTHING);
	assert_null(got.from);
	assert_null(got.parent);
	assert_ok(load(
	        "{image: {name: a, arch: arm64, version: 0.10.999999999, disk: {size: 512M}}}"));
	assert_int_equal(got.disk.boot, BOOT_UEFI);
	assert_string_equal(got.arch, "arm64");
	assert_int_equal(got.disk.size, 512ULL << 20);
}

static void headers_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *image, *says;
	} bad[] = {
	        {"", "'image' is missing"},
	        {"image: ,", "'image' is missing"},
	        {"image: x,", "expected a map, found a string"},
	        {"image: {},", "name"},
	        {"image: {name: },", "name"},
	        {"image: {name: -a},", "no name of an image"},
	        {"image: {name: A},", "no name of an image"},
	        {"image: {name: 'a/b'},", "no name of an image"},
	        {"image: {name: a, version: 1.0},", "no version"},
	        {"image: {name: a, version: 01.0.0},", "no version"},
	        {"image: {name: a, version: 1.0.0.0},", "no version"},
	        {"image: {name: a, version: 1.0.x},", "no version"},
	        {"image: {name: a, version: 1.0.1234567890},", "no version"},
	        {"image: {name: a, cmdline: \"a\\nb\"},", "one line of plain ASCII"},
	        {"image: {name: a, cmdline: 'x  root=/dev/sda'},",
	         "'root=' is put in by the builder"},
	        {"image: {name: a, cmdline: 'root=/dev/sda'},", "'root=' is put in by the builder"},
	        {"image: {name: a, features: [efx]},", "did you mean 'efa'"},
	        {"image: {name: a, features: zzzzzzzzz},", "expected efa, lustre or nvidia"},
	        {"image: {name: a, disk: {size: 536870913}},", "whole MiB"},
	        {"image: {name: a, disk: {size: 511M}},", "size"},
	        {"image: {name: a, arch: arm64, disk: {boot: uefi+bios}},",
	         "arm64 machines have no BIOS"},
	        {"image: {name: a, arch: arm64, disk: {boot: uefi+secure}},",
	         "uefi+secure is for x86_64 only"},
	        {"image: {name: a, from: 'debian:bookwurm'},", "did you mean 'debian:bookworm'"},
	        {"image: {name: a, from: 'zzzzzzzzzzzzzzz:1'},", "expected one of debian:bookworm"},
	        {"image: {name: a, from: none.raw},", "none.raw"},
	        {"image: {name: a, from: 'debian:trixie', sources: [x]},",
	         "r.yaml:1:56: 'x' is no source of packages"},
	        {"image: {name: a, from: 'debian:trixie', sources: 'deb http://a/b c m'},",
	         "none of the sources is of the suite 'trixie'"},
	        {"image: {name: a, from: 'rocky:9', sources: 'deb http://a/b c m'},",
	         "'sources' are of a debian: or ubuntu: release"},
	        {"image: {name: a, from: tree, sources: 'deb http://a/b c m'},",
	         "'sources' are of a debian: or ubuntu: release"},
	        {"image: {name: a, sources: 'deb http://a/b c m'},",
	         "'sources' are of a debian: or ubuntu: release"},
	        {"image: {name: a, from: none},", "opening"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(load(arena_printf(arena, "{%s files: []}", bad[i].image)), ERR_INPUT,
		           bad[i].says);
}

static void a_command_line_may_have_a_root_of_another_name(void **state)
{
	(void)state;
	assert_ok(load("{image: {name: a, cmdline: 'nfsroot=x rootwait'}}"));
	assert_string_equal(got.disk.cmdline, "nfsroot=x rootwait");
}

static void what_it_is_made_from_is_told_by_its_name(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum recipe_from type;
	} names[] = {{"a.yaml", FROM_RECIPE}, {"a.yml", FROM_RECIPE}, {"a.json", FROM_RECIPE},
	             {"a.tar", FROM_TAR},     {"a.tar.gz", FROM_TAR}, {"a.tgz", FROM_TAR},
	             {"a.tar.zst", FROM_TAR}, {"a.tar.xz", FROM_TAR}, {"a.raw", FROM_RAW},
	             {"a.img", FROM_RAW},     {"a", FROM_DIRECTORY},  {"a.gz", FROM_DIRECTORY}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(recipe_from_suffix(names[i].name), names[i].type);
	assert_string_equal(recipe_from_name(FROM_RAW), "raw disk");
	assert_string_equal(recipe_from_name(FROM_DISTRIBUTION), "distribution");
}

static void it_is_made_from_what_is_there(void **state)
{
	(void)state;
	put("base.tar", "x");
	put("tree/x", "x");
	assert_ok(load("{image: {name: a, from: base.tar}}"));
	assert_int_equal(got.from_type, FROM_TAR);
	assert_string_equal(got.from, at("base.tar"));
	assert_ok(load("{image: {name: a, from: tree}}"));
	assert_int_equal(got.from_type, FROM_DIRECTORY);
	assert_ok(load("{image: {name: a, from: 'debian:sid', sources: ['deb http://s/d sid-x m', "
	               "'deb http://a/d sid main']}}"));
	assert_int_equal(got.sources.n, 2);
	assert_string_equal(got.sources.items[1], "deb http://a/d sid main");
	assert_ok(load("{image: {name: a, from: 'rocky:9'}}"));
	assert_int_equal(got.sources.n, 0);
	assert_int_equal(got.from_type, FROM_DISTRIBUTION);
	assert_string_equal(got.from, "rocky:9");
	put("plain", "x");
	assert_err(load("{image: {name: a, from: plain}}"), ERR_INPUT, "is no directory");
	assert_int_equal(mkdir(at("d.raw"), 0755), 0);
	assert_err(load("{image: {name: a, from: d.raw}}"), ERR_INPUT, "is a directory");
}

static void recipes_are_made_from_recipes(void **state)
{
	(void)state;
	put_yaml("p.yaml", "{image: {name: p, from: 'debian:bookworm'}, packages: [x]}");
	assert_ok(load("{image: {name: a, from: p.yaml}}"));
	assert_int_equal(got.from_type, FROM_RECIPE);
	assert_string_equal(got.parent->name, "p");
	put_yaml("p.yaml", "{image: {name: p, arch: arm64}}");
	assert_err(load("{image: {name: a, from: p.yaml}}"), ERR_INPUT,
	           "is for arm64, and this for x86_64");
	assert_err(load("{image: {name: a, from: r.yaml}}"), ERR_INPUT,
	           "does one come back to itself?");
	assert_int_equal(e.reason, REASON_INPUT_CYCLE);
	for (int i = 0; i < RECIPE_FROM_MAX; i++)
		put_yaml(arena_printf(arena, "p%d.yaml", i),
		         arena_printf(arena, "{image: {name: p%s}}",
		                      i ? arena_printf(arena, ", from: p%d.yaml", i - 1) : ""));
	assert_ok(load("{image: {name: a, from: p7.yaml}}"));
	put_yaml("p8.yaml", "{image: {name: p, from: p7.yaml}}");
	assert_err(load("{image: {name: a, from: p8.yaml}}"), ERR_INPUT, "the 8 that are possible");
}

static void sections_of_a_node_are_refused(void **state)
{
	static const char *const sections[] = {"hostname",   "mounts", "exports", "munge",
	                                       "controller", "slurm",  "login"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		assert_err(load(arena_printf(arena, "{image: {name: a}, %s: {}}", sections[i])),
		           ERR_INPUT, "has no place in an image");
	for (const struct recipe_refused *no = recipe_refused; no->section; no++)
		assert_err(load(arena_printf(arena, "{image: {name: a}, %s: {}}", no->section)),
		           ERR_INPUT, no->why);
	assert_err(load("{image: {name: a}, filez: []}"), ERR_INPUT, "files");
	assert_err(load("{image: {name: a}, tets: []}"), ERR_INPUT, "did you mean 'tests'");
}

static void all_parts_are_checked(void **state)
{
	(void)state;
	assert_err(load("{image: {name: a}, files: [{path: x}]}"), ERR_INPUT, "r.yaml:1:");
	assert_err(load("{image: {name: a}, copy: [{from: a}]}"), ERR_INPUT, "to");
	assert_err(load("{image: {name: a}, components: x}"), ERR_INPUT,
	           "'components': expected a list");
	assert_err(load("{image: {name: a}, tests: [{}]}"), ERR_INPUT, "run");
	assert_ok(load(
	        "{image: {name: a}, files: , copy: , components: , tests: , packages: , include: }"));
	assert_err(recipe_load(at("none"), NULL, arena, &got, &e), ERR_INPUT, "none");
}

static void facts_come_from_the_header_and_the_command_line(void **state)
{
	(void)state;
	const struct command_list given = {.n = 3, .items = {"site=x=y", "name=other", "stage=/s"}};
	struct plan plan;

	assert_ok(load_with(
	        "{image: {name: a, version: 2.0.0}, files: [{path: '/etc/${site}', content: "
	        "'${name} ${version} ${arch} ${stage}'}]}",
	        &given));
	assert_string_equal(vars_get(&got.facts, "site"), "x=y");
	assert_string_equal(vars_get(&got.facts, "name"), "other");
	assert_string_equal(vars_get(&got.facts, "version"), "2.0.0");
	assert_string_equal(vars_get(&got.facts, "arch"), "x86_64");
	assert_string_equal(vars_get(&got.facts, "stage"), "/s");
	/* Two levels up from where this program is. */
	char self[4096] = {0};
	assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	*strrchr(self, '/') = '\0';
	*strrchr(self, '/') = '\0';
	assert_string_equal(vars_get(&got.facts, "prefix"), self);
	assert_ok(recipe_plan(&got, arena, &plan, &e));
	assert_int_equal(plan.n, 1);
	assert_string_equal(plan.steps[0]->id, "files:/etc/x=y");
	assert_ok(load_with("{image: {name: a}}", NULL));
	assert_string_equal(vars_get(&got.facts, "stage"), "");
}

static void what_is_set_has_a_name(void **state)
{
	(void)state;
	static const char *const bad[] = {"x", "=x", "A=x", "a b=x"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct command_list given = {.n = 1, .items = {bad[i]}};

		assert_err(load_with("{image: {name: a}}", &given), ERR_USAGE, "is not NAME=VALUE");
	}
}

static void packages_are_sorted_and_once(void **state)
{
	(void)state;
	struct field_strings list;

	assert_ok(load("{image: {name: a}, packages: [b, a, '${name}', c]}"));
	assert_ok(recipe_packages(&got, arena, &list, &e));
	assert_int_equal(list.n, 3);
	assert_string_equal(list.items[0], "a");
	assert_string_equal(list.items[1], "b");
	assert_string_equal(list.items[2], "c");
	assert_ok(load("{image: {name: a}, packages: {names: [x], timeout: 60s}}"));
	assert_ok(recipe_packages(&got, arena, &list, &e));
	assert_int_equal(list.n, 1);
	assert_ok(load("{image: {name: a}}"));
	assert_ok(recipe_packages(&got, arena, &list, &e));
	assert_int_equal(list.n, 0);
}

static void every_fault_is_found(void **state)
{
	(void)state;
	static const char *const want[] = {
	        "r.yaml:1:15: 'X' is no name",
	        "r.yaml:1:27: '1' is no version",
	        "r.yaml:2:1: 'munge' has no place",
	        "r.yaml:3:1: unknown section 'pakages'",
	        "r.yaml:4:26: ",
	        "r.yaml:4:54: ",
	        "r.yaml:5:25: 'rel' is no absolute",
	        "r.yaml:6:25: '/../x' has a",
	        "r.yaml:7:10: unknown key 'rum'",
	};
	struct faults faults = {.arena = arena};

	put("r.yaml", "image: {name: X, version: '1'}\n"
	              "munge: {}\n"
	              "pakages: [a]\n"
	              "files: [{path: /a, mode: wrong}, {path: /b, content: {}}]\n"
	              "copy: [{from: /etc, to: rel},\n"
	              "       {from: /etc, to: /../x}]\n"
	              "tests: [{rum: [a], run: [b]}]\n");
	assert_err(recipe_load_all(at("r.yaml"), NULL, &faults, arena, &got, &e), ERR_INPUT,
	           "r.yaml:");
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		bool found = false;

		for (size_t k = 0; k < faults.n; k++)
			found = found || strstr(faults.items[k].text, want[i]);
		if (!found)
			fail_msg("'%s' is not among the %zu faults", want[i], faults.n);
	}
	assert_int_equal(faults.n, ARRAY_LEN(want));
	assert_err(recipe_load(at("r.yaml"), NULL, arena, &got, &e), ERR_INPUT, "r.yaml:1:15: ");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_header_has_its_defaults),
	        T(every_fault_is_found),
	        T(headers_are_refused),
	        T(a_command_line_may_have_a_root_of_another_name),
	        T(what_it_is_made_from_is_told_by_its_name),
	        T(it_is_made_from_what_is_there),
	        T(recipes_are_made_from_recipes),
	        T(sections_of_a_node_are_refused),
	        T(all_parts_are_checked),
	        T(facts_come_from_the_header_and_the_command_line),
	        T(what_is_set_has_a_name),
	        T(packages_are_sorted_and_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
