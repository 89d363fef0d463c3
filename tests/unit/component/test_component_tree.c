/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of components that copy, move, remove, list and own what is there. */
#include "component_test.h"

static void a_file_is_copied_over_another(void **state)
{
	(void)state;
	put("a", "one", 0640);
	put("b", "two", 0600);
	assert_ok(
	        run("{name: C, action: CopyFile, inputs: [{source: TOP/a, destination: TOP/b}]}"));
	assert_string_equal(get("b"), "one");
	assert_int_equal(mode_of("b"), 0640);
	assert_true(there("a"));
}

static void a_copy_does_not_overwrite_where_it_must_not(void **state)
{
	(void)state;
	put("a", "one", 0640);
	put("b", "two", 0600);
	assert_err(run("{name: C, action: CopyFile, inputs: [{source: TOP/a, destination: TOP/b, "
	               "overwrite: false}]}"),
	           ERR_HOST, "'overwrite' is false");
	assert_string_equal(get("b"), "two");
}

static void a_folder_as_destination_keeps_the_name(void **state)
{
	(void)state;
	put("a", "one", 0640);
	assert_ok(run("{name: C, action: CopyFile, inputs: [{source: TOP/a, destination: "
	              "TOP/new/sub/}]}"));
	assert_string_equal(get("new/sub/a"), "one");
	assert_int_equal(mode_of("new/sub"), 0755);
}

static void a_wildcard_takes_files_only(void **state)
{
	(void)state;
	put("s1", "1", 0644);
	put("s2", "2", 0644);
	put("other", "3", 0644);
	put("s[3]", "4", 0644);
	assert_int_equal(mkdir(at("sub"), 0755), 0);
	assert_ok(run(
	        "{name: C, action: CopyFile, inputs: [{source: 'TOP/s*', destination: TOP/to/}]}"));
	assert_true(there("to/s1") && there("to/s2") && there("to/s[3]"));
	assert_false(there("to/other") || there("to/sub"));
	assert_ok(run(
	        "{name: C, action: CopyFile, inputs: [{source: 'TOP/s[3*', destination: TOP/again/}]}"));
	assert_true(there("again/s[3]"));
	assert_false(there("again/s1"));
}

static void a_wildcard_that_matches_nothing_fails(void **state)
{
	(void)state;
	assert_err(
	        run("{name: C, action: CopyFile, inputs: [{source: 'TOP/x*', destination: TOP/to/}]}"),
	        ERR_HOST, "nothing matches");
	assert_err(
	        run("{name: C, action: CopyFile, inputs: [{source: 'TOP/none/x*', destination: TOP/to/}]}"),
	        ERR_HOST, "looking for");
}

static void wildcards_are_checked_before(void **state)
{
	(void)state;
	assert_err(
	        read_steps(
	                "{name: C, action: CopyFile, inputs: [{source: '/a/*/b', destination: /c/}]}"),
	        ERR_INPUT, "before its last '/'");
	assert_err(
	        read_steps(
	                "{name: C, action: CopyFile, inputs: [{source: '/a/*', destination: /c}]}"),
	        ERR_INPUT, "expected a folder");
	assert_err(
	        read_steps(
	                "{name: C, action: CopyFile, inputs: [{source: '/a', destination: '/c*'}]}"),
	        ERR_INPUT, "expected one path");
	assert_err(read_steps("{name: C, action: ListFiles, inputs: [{path: '/c*'}]}"), ERR_INPUT,
	           "expected one path");
}

static void two_folders(void)
{
	assert_int_equal(mkdir(at("from"), 0700), 0);
	put("from/x", "1", 0644);
	assert_int_equal(mkdir(at("to"), 0755), 0);
	put("to/y", "2", 0644);
}

static void folders_are_copied_and_joined(void **state)
{
	(void)state;
	two_folders();
	assert_ok(run(
	        "{name: C, action: CopyFolder, inputs: [{source: TOP/from/, destination: TOP/to}]}"));
	assert_true(there("to/x") && there("to/y"));
	assert_ok(run(
	        "{name: C, action: CopyFolder, inputs: [{source: 'TOP/fr*', destination: TOP/all/}]}"));
	assert_true(there("all/from/x"));
}

static void a_moved_folder_takes_the_place_of_another(void **state)
{
	(void)state;
	two_folders();
	assert_ok(run(
	        "{name: M, action: MoveFolder, inputs: [{source: TOP/from, destination: TOP/to}]}"));
	assert_true(there("to/x"));
	assert_false(there("to/y") || there("from"));
}

static void what_is_not_there_takes_no_place(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("to"), 0755), 0);
	put("to/y", "2", 0644);
	assert_err(
	        run("{name: M, action: MoveFolder, inputs: [{source: TOP/none, destination: TOP/to}]}"),
	        ERR_HOST, "running mv");
	assert_true(there("to/y"));
}

static void files_move(void **state)
{
	(void)state;
	put("a", "one", 0640);
	put("b", "two", 0640);
	assert_ok(
	        run("{name: M, action: MoveFile, inputs: [{source: TOP/a, destination: TOP/b}]}"));
	assert_string_equal(get("b"), "one");
	assert_false(there("a"));
}

static void delete_file_leaves_folders(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("folder"), 0755), 0);
	put("file", "x", 0644);
	assert_err(run("{name: D, action: DeleteFile, inputs: [{path: TOP/folder}]}"), ERR_HOST,
	           "is a folder");
	assert_true(there("folder"));
	assert_ok(run("{name: D, action: DeleteFile, inputs: [{path: TOP/file}]}"));
	assert_false(there("file"));
	assert_int_equal(run("{name: D, action: DeleteFile, inputs: [{path: TOP/file}]}"), -ENOENT);
}

static void delete_file_takes_what_matches(void **state)
{
	(void)state;
	put("a.log", "x", 0644);
	put("b.log", "x", 0644);
	put("c.txt", "x", 0644);
	assert_ok(run("{name: D, action: DeleteFile, inputs: [{path: 'TOP/*.log'}]}"));
	assert_false(there("a.log") || there("b.log"));
	assert_true(there("c.txt"));
	assert_ok(run("{name: D, action: DeleteFile, inputs: [{path: 'TOP/*.log'}]}"));
}

static void delete_folder_needs_force_for_a_full_one(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("folder"), 0755), 0);
	put("folder/file", "x", 0644);
	assert_true(run("{name: D, action: DeleteFolder, inputs: [{path: TOP/folder}]}") < 0);
	assert_int_equal(e.kind, ERR_HOST);
	assert_true(there("folder/file"));
	assert_err(run("{name: D, action: DeleteFolder, inputs: [{path: TOP/folder/file}]}"),
	           ERR_HOST, "is no folder");
	assert_ok(
	        run("{name: D, action: DeleteFolder, inputs: [{path: TOP/folder/, force: true}]}"));
	assert_false(there("folder"));
	assert_int_equal(mkdir(at("folder"), 0755), 0);
	assert_ok(run("{name: D, action: DeleteFolder, inputs: [{path: TOP/folder}]}"));
	assert_false(there("folder"));
}

static void the_root_is_no_folder_to_delete(void **state)
{
	(void)state;
	static const char *const roots[] = {"/", "./", ".", "//", "/./"};

	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		assert_err(
		        read_steps(arena_printf(arena,
		                                "{name: D, action: DeleteFolder, inputs: [{path: "
		                                "'%s', force: true}]}",
		                                roots[i])),
		        ERR_INPUT, "the root or the working directory");
}

static void files_are_listed(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("d"), 0755), 0);
	assert_int_equal(mkdir(at("d/sub"), 0755), 0);
	put("d/b.log", "x", 0644);
	put("d/a.log", "x", 0644);
	put("d/c.txt", "x", 0644);
	put("d/sub/d.log", "x", 0644);
	assert_ok(run(
	        "{name: L, action: ListFiles, inputs: [{path: TOP/d/}]},"
	        "{name: P, action: ListFiles, inputs: [{path: TOP/d, fileNamePattern: '*.log'}]},"
	        "{name: R, action: ListFiles, inputs: [{path: TOP/d, recursive: true, "
	        "fileNamePattern: '*.log'}]}"));
	assert_string_equal(list.items[0].steps[0].outs.items[0],
	                    with_top("TOP/d/a.log,TOP/d/b.log,TOP/d/c.txt"));
	assert_string_equal(list.items[0].steps[1].outs.items[0],
	                    with_top("TOP/d/a.log,TOP/d/b.log"));
	assert_string_equal(list.items[0].steps[2].outs.items[0],
	                    with_top("TOP/d/a.log,TOP/d/b.log,TOP/d/sub/d.log"));
	assert_err(run("{name: L, action: ListFiles, inputs: [{path: TOP/none}]}"), ERR_HOST,
	           "listing");
}

static void permissions_are_set_of_files_and_of_folders(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("d"), 0755), 0);
	assert_int_equal(mkdir(at("d/sub"), 0755), 0);
	put("d/f", "x", 0644);
	assert_ok(run(
	        "{name: F, action: SetFilePermissions, inputs: [{path: TOP/d/f, permissions: '600'}]}"));
	assert_int_equal(mode_of("d/f"), 0600);
	assert_err(
	        run("{name: F, action: SetFilePermissions, inputs: [{path: TOP/d, permissions: 600}]}"),
	        ERR_HOST, "is a folder");
	assert_ok(run("{name: D, action: SetFolderPermissions, inputs: [{path: TOP/d, permissions: "
	              "'0700', recursive: false}]}"));
	assert_int_equal(mode_of("d"), 0700);
	assert_int_equal(mode_of("d/f"), 0600);
	assert_int_equal(mode_of("d/sub"), 0755);
	assert_ok(run(
	        "{name: D, action: SetFolderPermissions, inputs: [{path: TOP/d/, permissions: 750}]}"));
	assert_int_equal(mode_of("d"), 0750);
	assert_int_equal(mode_of("d/f"), 0750);
	assert_int_equal(mode_of("d/sub"), 0750);
	assert_err(
	        run("{name: D, action: SetFolderPermissions, inputs: [{path: TOP/d/f, permissions: 750}]}"),
	        ERR_HOST, "is no folder");
}

static void owner_is(const char *name, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(lstat(at(name), &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
}

static void owners_are_set_of_files_and_of_folders(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("d"), 0755), 0);
	put("d/f", "x", 0644);
	assert_int_equal(symlink("/etc/passwd", at("d/link")), 0);
	assert_ok(run("{name: F, action: SetFileOwner, inputs: [{path: TOP/d/f, owner: daemon}]}"));
	owner_is("d/f", 1, 1);
	assert_ok(run("{name: F, action: SetFileOwner, inputs: [{path: TOP/d/f, owner: '4321'}]}"));
	owner_is("d/f", 4321, 1);
	assert_ok(run(
	        "{name: D, action: SetFolderOwner, inputs: [{path: TOP/d, owner: daemon, group: "
	        "root, recursive: false}]}"));
	owner_is("d", 1, 0);
	owner_is("d/f", 4321, 1);
	assert_ok(
	        run("{name: D, action: SetFolderOwner, inputs: [{path: TOP/d, owner: root, group: "
	            "daemon}]}"));
	owner_is("d", 0, 1);
	owner_is("d/f", 0, 1);
	owner_is("d/link", 0, 1);
	assert_err(run("{name: D, action: SetFolderOwner, inputs: [{path: TOP/d/f, owner: root}]}"),
	           ERR_HOST, "is no folder");
	assert_err(
	        run("{name: D, action: SetFileOwner, inputs: [{path: TOP/d/f, owner: nobody-of-that-name}]}"),
	        ERR_HOST, "running chown");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_file_is_copied_over_another),
	        T(a_copy_does_not_overwrite_where_it_must_not),
	        T(a_folder_as_destination_keeps_the_name),
	        T(a_wildcard_takes_files_only),
	        T(a_wildcard_that_matches_nothing_fails),
	        T(wildcards_are_checked_before),
	        T(folders_are_copied_and_joined),
	        T(a_moved_folder_takes_the_place_of_another),
	        T(what_is_not_there_takes_no_place),
	        T(files_move),
	        T(delete_file_leaves_folders),
	        T(delete_file_takes_what_matches),
	        T(delete_folder_needs_force_for_a_full_one),
	        T(the_root_is_no_folder_to_delete),
	        T(files_are_listed),
	        T(permissions_are_set_of_files_and_of_folders),
	        T(owners_are_set_of_files_and_of_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
