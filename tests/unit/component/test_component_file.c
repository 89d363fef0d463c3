/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of components that make single files, folders and links, and read files. */
#include "component_test.h"

static void a_file_is_made_with_what_it_has(void **state)
{
	(void)state;
	assert_ok(run("{name: F, action: CreateFile, inputs: [{path: TOP/sub/f, content: hello, "
	              "permissions: '0600'}, {path: TOP/g}]}"));
	assert_string_equal(get("sub/f"), "hello");
	assert_int_equal(mode_of("sub/f"), 0600);
	assert_string_equal(get("g"), "");
	assert_int_equal(mode_of("g"), 0644);
	assert_ok(run("{name: F, action: CreateFile, inputs: {path: TOP/g, content: more}}"));
	assert_string_equal(get("g"), "more");
	assert_err(run("{name: F, action: CreateFile, inputs: {path: TOP/g, content: x, overwrite: "
	               "false}}"),
	           ERR_HOST, "is there already");
	assert_string_equal(get("g"), "more");
}

static void a_relative_path_is_below_the_working_directory(void **state)
{
	(void)state;
	assert_ok(run(arena_printf(arena,
	                           "{name: F, action: CreateFile, inputs: [{path: '.%s/./f', "
	                           "content: x}, {path: '%s//g', content: y}]}",
	                           top, top + 1)));
	assert_string_equal(get("f"), "x");
	assert_string_equal(get("g"), "y");
}

static void a_folder_gets_its_mode(void **state)
{
	(void)state;
	assert_ok(run(
	        "{name: F, action: CreateFolder, inputs: [{path: TOP/a/b/, permissions: '0700'}, "
	        "{path: TOP/c}]}"));
	assert_int_equal(mode_of("a/b"), 0700);
	assert_int_equal(mode_of("a"), 0755);
	assert_int_equal(mode_of("c"), 0755);
	assert_err(
	        run("{name: F, action: CreateFolder, inputs: [{path: TOP/c, overwrite: false}]}"),
	        ERR_HOST, "is there already");
}

static void a_link_is_made_once_or_by_force(void **state)
{
	(void)state;
	char target[32] = {0};

	assert_ok(
	        run("{name: L, action: CreateSymlink, inputs: [{path: TOP/sub/l, target: /one}]}"));
	assert_int_equal(readlink(at("sub/l"), target, sizeof target - 1), 4);
	assert_string_equal(target, "/one");
	assert_err(
	        run("{name: L, action: CreateSymlink, inputs: [{path: TOP/sub/l, target: /two}]}"),
	        ERR_HOST, "is there already");
	assert_ok(run(
	        "{name: L, action: CreateSymlink, inputs: [{path: TOP/sub/l, target: two, force: "
	        "true}]}"));
	assert_int_equal(readlink(at("sub/l"), target, sizeof target - 1), 3);
}

static void appending_keeps_mode_and_follows_links(void **state)
{
	(void)state;
	put("f", "a", 0640);
	assert_int_equal(symlink("f", at("link")), 0);
	assert_ok(run("{name: A, action: AppendFile, inputs: [{path: TOP/f, content: b}, {path: "
	              "TOP/link, content: c}, {path: TOP/f}]}"));
	assert_string_equal(get("f"), "abc");
	assert_int_equal(mode_of("f"), 0640);
	assert_err(run("{name: A, action: AppendFile, inputs: [{path: TOP, content: x}]}"),
	           ERR_HOST, "is a folder");
	assert_int_equal(
	        run("{name: A, action: AppendFile, inputs: [{path: TOP/none, content: x}]}"),
	        -ENOENT);
	assert_false(there("none"));
}

static void what_is_read_is_an_output(void **state)
{
	(void)state;
	put("f", "one\ntwo", 0644);
	put("g", "three", 0644);
	assert_ok(run("{name: R, action: ReadFile, inputs: [{path: TOP/f}, {path: TOP/g, "
	              "printFileContent: true}]},"
	              "{name: All, action: CreateFile, inputs: {path: TOP/all, content: '{{ "
	              "build.R.outputs.content }}'}},"
	              "{name: One, action: CreateFile, inputs: {path: TOP/one, content: '<{{ "
	              "build.R.outputs[1].content }}>'}}"));
	assert_string_equal(get("all"), "one\ntwo\nthree");
	assert_string_equal(get("one"), "<three>");
	assert_int_equal(run("{name: R, action: ReadFile, inputs: [{path: TOP/none}]}"), -ENOENT);
	assert_err(
	        read_steps("{name: R, action: ReadFile, inputs: [{path: /f}]}, {name: X, action: "
	                   "ReadFile, inputs: [{path: '{{ build.R.outputs.stdout }}'}]}"),
	        ERR_INPUT, "unknown name");
}

static void encodings_are_written_and_read(void **state)
{
	(void)state;
	struct blob bytes;

	assert_ok(
	        run("{name: F, action: CreateFile, inputs: [{path: TOP/f, content: 'aé', encoding: "
	            "UTF-16}, {path: TOP/g, content: a, encoding: utf-32-BE}]},"
	            "{name: R, action: ReadFile, inputs: [{path: TOP/f, encoding: utf16-LE}]}"));
	assert_ok(file_read(AT_FDCWD, at("f"), 100, arena, &bytes, &e));
	assert_int_equal(bytes.len, 4);
	assert_memory_equal(bytes.data, "a\0\xe9\0", 4);
	assert_ok(file_read(AT_FDCWD, at("g"), 100, arena, &bytes, &e));
	assert_int_equal(bytes.len, 4);
	assert_memory_equal(bytes.data, "\0\0\0a", 4);
	assert_string_equal(list.items[0].steps[1].outs.items[0], "aé");
	put("h", "b", 0604);
	assert_ok(run(
	        "{name: S, action: SetFileEncoding, inputs: [{path: TOP/h, encoding: utf16be}]}"));
	assert_ok(file_read(AT_FDCWD, at("h"), 100, arena, &bytes, &e));
	assert_int_equal(bytes.len, 2);
	assert_memory_equal(bytes.data, "\0b", 2);
	assert_int_equal(mode_of("h"), 0604);
	put("bad", "\xff", 0644);
	assert_err(
	        run("{name: S, action: SetFileEncoding, inputs: [{path: TOP/bad, encoding: utf16}]}"),
	        ERR_HOST, "is no UTF-8");
	assert_true(strstr(e.text, at("bad")) != NULL);
	assert_string_equal(get("bad"), "\xff");
	assert_err(run("{name: R, action: ReadFile, inputs: [{path: TOP/g}]}"), ERR_HOST,
	           "no text of that encoding");
	assert_err(
	        read_steps("{name: F, action: CreateFile, inputs: [{path: /f, encoding: latin1}]}"),
	        ERR_INPUT, "no encoding that is known");
}

static void a_path_of_windows_is_refused(void **state)
{
	(void)state;
	assert_err(read_steps("{name: F, action: CreateFile, inputs: [{path: 'C:\\f'}]}"),
	           ERR_INPUT, "a path of Windows");
	assert_err(read_steps("{name: F, action: CreateFile, inputs: [{path: '\\\\f'}]}"),
	           ERR_INPUT, "a path of Windows");
	assert_err(read_steps("{name: F, action: CreateFile, inputs: [{path: ''}]}"), ERR_INPUT,
	           "path");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_file_is_made_with_what_it_has),
	        T(a_relative_path_is_below_the_working_directory),
	        T(a_folder_gets_its_mode),
	        T(a_link_is_made_once_or_by_force),
	        T(appending_keeps_mode_and_follows_links),
	        T(what_is_read_is_an_output),
	        T(encodings_are_written_and_read),
	        T(a_path_of_windows_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
