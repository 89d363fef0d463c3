/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an NFS server. */
#include "model/nfsd.h"
#include "unit.h"

static void exports_of_two_directories(void **state)
{
	static const struct nfsd_dir dirs[] = {{.path = "/home"},
	                                       {.path = "/opt/a", .read_only = true},
	                                       {.path = "/data", .mount_point = true}};
	static const char *const networks[] = {"10.0.0.0/16", "fd00::/8"};
	static const char *const words[] = {[NFSD_SQUASH_ROOT] = "root_squash",
	                                    [NFSD_SQUASH_ALL] = "all_squash",
	                                    [NFSD_SQUASH_NONE] = "no_root_squash"};
	scope_arena struct arena *a = arena_new();
	struct nfsd x = {.n_dirs = 1, .dirs = dirs, .n_networks = 2, .networks = networks};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		x.squash = (enum nfsd_squash)i;
		const char *line = arena_printf(a,
		                                "\n/home 10.0.0.0/16(rw,sync,%s,no_subtree_check,"
		                                "sec=sys) fd00::/8(rw,sync,%s,no_subtree_check,"
		                                "sec=sys)\n",
		                                words[i], words[i]);
		assert_non_null(strstr(nfsd_exports_text(&x, a).data, line));
	}
	x = (struct nfsd){.n_dirs = 3, .dirs = dirs, .n_networks = 1, .networks = networks};
	const char *text = nfsd_exports_text(&x, a).data;
	assert_non_null(strstr(
	        text, "\n/opt/a 10.0.0.0/16(ro,sync,root_squash,no_subtree_check,sec=sys)\n"));
	assert_non_null(strstr(
	        text,
	        "\n/data 10.0.0.0/16(rw,sync,root_squash,no_subtree_check,sec=sys,mountpoint)\n"));
}

static void which_directory_is_a_mount_point(void **state)
{
	static const struct nfsd_dir dirs[] = {{.path = "/a"},
	                                       {.path = "/ab", .mount_point = true},
	                                       {.path = "/c", .mount_point = true},
	                                       {.path = "/d", .read_only = true}};
	static const char *const network = "10.0.0.0/16";
	scope_arena struct arena *a = arena_new();
	const struct nfsd x = {.n_dirs = 4, .dirs = dirs, .n_networks = 1, .networks = &network};
	const char *text = nfsd_exports_text(&x, a).data;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(nfsd_has_mount_point(text, dirs[i].path), dirs[i].mount_point);
	assert_false(nfsd_has_mount_point(text, "/"));
	assert_false(nfsd_has_mount_point("", "/ab"));
	assert_false(nfsd_has_mount_point("/a x(rw)", "/a"));
	assert_true(nfsd_has_mount_point("/a x(rw,mountpoint)", "/a"));
}

static void threads_of_processors(void **state)
{
	static const unsigned rows[][2] = {{0, 8},  {1, 8},    {2, 8},    {3, 12},
	                                   {8, 32}, {63, 252}, {64, 256}, {192, 256}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(nfsd_threads(rows[i][0]), rows[i][1]);
	assert_int_equal(nfsd_threads(UINT64_MAX), 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(exports_of_two_directories),
	        cmocka_unit_test(which_directory_is_a_mount_point),
	        cmocka_unit_test(threads_of_processors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
