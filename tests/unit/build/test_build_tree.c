/* SPDX-License-Identifier: Apache-2.0 */
/* Whole chains made: which layers, what is kept of a step that fails, which stem; and outputs written once. */
#include "build_test.h"
#include "machine.h"

#include <glob.h>

#include "base/clock.h"
#include "build/build_tree.h"
#include "build/jobs.h"
#include "build/outputs.h"
#include "build/record.h"

#define PROGRAM "/usr/bin/busybox" /* linked statically */

static struct store store;
static struct progress progress;
static struct built built;

static int begin(void **state)
{
	set_up(state);
	store = (struct store)STORE_INIT;
	built = (struct built){0};
	if (!unit_is_root())
		return 0;
	assert_ok(store_open(at("store"), &store, &e));
	put("tree/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
	put("tree/usr/x", "");
	return 0;
}

static int end(void **state)
{
	built_close(&built);
	store_close(&store);
	return tear_down(state);
}

static int no_cloud(void *ctx, struct cloud **ret, struct err *err)
{
	(void)ctx, (void)ret;
	return err_set(err, ERR_RETRY, REASON_HTTP_UNREACHABLE, EIO, "no network here");
}

static int build_recipe(const struct recipe *recipe)
{
	static const struct program quiet = {.quiet = true};
	static const struct lock_source source = {.open = no_cloud};

	built_close(&built);
	progress_open(&progress, &quiet, "look");
	int r = build_tree(recipe, NULL, &source, &store, &progress, arena, &built, &e);
	progress_close(&progress);
	return r;
}

static int build_it(const char *rest)
{
	return build_recipe(load(rest));
}

/* Of the one that matches. */
static const char *found(const char *pattern)
{
	glob_t g;

	if (glob(at(pattern), 0, NULL, &g) != 0 || g.gl_pathc != 1)
		fail_msg("'%s' is not there, or not alone", pattern);
	const char *path = arena_strdup(arena, g.gl_pathv[0] + strlen(top) + 1);
	globfree(&g);
	return path;
}

#define MOTD "files: [{path: /etc/motd, content: hi}]\n"

static void layers_are_made_once(void **state)
{
	struct record r;

	(void)state;
	unit_need_root();
	assert_ok(build_it(MOTD));
	assert_int_equal(progress.of, 3);
	assert_int_equal(progress.n, 3);
	assert_int_equal(progress.built, 3);
	assert_int_equal(progress.cached, 0);
	assert_int_equal(built.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(built.trees[i], built.held[i].tree);
	assert_null(built.trees[3]);
	assert_string_equal(built.key, built.held[2].key);
	assert_string_equal(get(built.sbom + strlen(top) + 1),
	                    get(arena_printf(arena, "store/layers/%s/" CHAIN_SBOM, built.key)));
	assert_true(str_starts(get(built.sbom + strlen(top) + 1), "{\"spdxVersion\""));
	assert_string_equal(
	        get(arena_printf(arena, "%s/etc/motd", built.trees[1] + strlen(top) + 1)), "hi");
	const char *key = arena_strdup(arena, built.key);
	assert_ok(build_it(MOTD));
	assert_int_equal(progress.built, 0);
	assert_int_equal(progress.cached, 3);
	assert_string_equal(built.key, key);
	assert_true(built.held[0].cached && built.held[2].cached);
	/* Tests are held, and are none of the tree. */
	assert_err(build_it(MOTD "tests: [{run: [none]}]\n"), ERR_HOST, "step 'tests': ");
	assert_int_equal(progress.cached, 3);
	assert_ok(record_read(&store, at("r.yaml"), arena, &r));
	assert_string_equal(r.failed, "tests");
	assert_int_equal(r.failed_below.n, 3);
	assert_string_equal(r.failed_below.items[2], key);
	assert_ok(build_it(MOTD "tests: [{run: [none], expect: {status: 127}}]\n"));
	assert_int_equal(built.n, 4);
	assert_null(built.trees[3]);
	assert_string_equal(built.key, key);
	assert_ok(record_read(&store, at("r.yaml"), arena, &r));
	assert_null(r.failed);
	assert_int_equal(r.n, 4);
}

/* A recipe that can't be planned is no build. */
static void what_cant_be_planned_is_not_begun(void **state)
{
	struct record r;

	(void)state;
	unit_need_root();
	assert_err(build_it("copy: [{from: none, to: /x}]\n"), ERR_INPUT, "none");
	assert_true(record_read(&store, at("r.yaml"), arena, &r) < 0 || r.n == 0);
}

/* ---- of a step that fails ---- */

static void put_busybox(void)
{
	struct blob program;

	assert_ok(file_read(AT_FDCWD, PROGRAM, 16 << 20, arena, &program, &e));
	(void)mkdir(at("tree/bin"), 0755);
	scope_fd int fd = open(at("tree/bin/busybox"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(file_write_all(fd, program.data, program.len), 0);
	put("tree/bin/bash", "#!/bin/busybox sh\nexec /bin/sh \"$@\"\n");
	assert_int_equal(chmod(at("tree/bin/bash"), 0755), 0);
	assert_int_equal(symlink("busybox", at("tree/bin/sh")), 0);
}

static int build_component(const char *command)
{
	put("c.yaml",
	    arena_printf(arena,
	                 "name: tool\nschemaVersion: 1.0\nphases:\n  - name: build\n    steps: "
	                 "[{name: s, action: ExecuteBash, inputs: {commands: [\"%s\"]}}]\n",
	                 command));
	return build_it("components: [c.yaml]\n");
}

static void what_a_failed_step_left_is_kept(void **state)
{
	(void)state;
	unit_need_root();
	put_busybox();
	assert_err(build_component("echo x >/made; echo a line; exit 3"), ERR_HOST,
	           "step 'component tool': ");
	assert_string_equal(get(found("store/failed/*/tree/made")), "x\n");
	const char *log = get(found("store/failed/*/log"));
	assert_non_null(strstr(log, "a line\n"));
	assert_non_null(strstr(log, "exit status 3"));
	assert_int_equal(built.n, 0);
}

static void a_full_disk_is_told_first(void **state)
{
	(void)state;
	unit_need_root();
	put_busybox();
	/* A step may say so though there is room, of what lies in memory. */
	assert_err(
	        build_component("echo 'x: No space left on device' >&2; exit 1"), ERR_HOST,
	        "step 'component tool': no space is left in memory for /tmp or /run of the step, "
	        "or below a limit of its own: ");
	assert_int_equal(e.reason, REASON_HOST_SPACE);
	assert_int_equal(e.no, ENOSPC);
	found("store/failed/*/tree");
	assert_err(build_component("echo 'No space'; exit 1"), ERR_HOST, "");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	/* With a file system of the store's own that is full, nothing but the log is kept. */
	store_close(&store);
	(void)mkdir(at("small"), 0755);
	assert_int_equal(mount("none", at("small"), "tmpfs", 0, "size=20m"), 0);
	assert_ok(store_open(at("small/store"), &store, &e));
	assert_err(build_component("cat /dev/zero >/large"), ERR_HOST,
	           arena_printf(arena,
	                        "step 'component tool': no space is left at '%s/small/store', "
	                        "which has ",
	                        top));
	assert_int_equal(e.reason, REASON_HOST_SPACE);
	found("small/store/failed/*/log");
	glob_t g;
	assert_int_equal(glob(at("small/store/failed/*/tree"), 0, NULL, &g), GLOB_NOMATCH);
	store_close(&store);
	assert_int_equal(umount2(at("small"), MNT_DETACH), 0);
}

/* ---- what steps make ---- */

/* Of a path in the tree of layer i. */
static const char *in_layer(size_t i, const char *path)
{
	return arena_printf(arena, "%s%s", built.held[i].tree + strlen(top) + 1, path);
}

static void each_kind_of_step_makes_its_layer(void **state)
{
	char hex[SHA256_HEX];
	struct stat st;

	(void)state;
	unit_need_root();
	put_busybox();
	put("word", "copied");
	digest_hex("fetched", 7, hex);
	put(arena_printf(arena, "store/objects/%s", hex), "fetched");
	put("c.yaml", "name: tool\nschemaVersion: 1.0\n"
	              "parameters: [{P: {type: string, default: one}}, {Q: {default: q}}]\n"
	              "phases:\n- name: build\n  steps: [{name: s, action: ExecuteBash, inputs: "
	              "{commands: ['echo {{ P }} {{ Q }} >/made']}}]\n"
	              "- name: test\n  steps: [{name: t, action: ExecuteBash, inputs: "
	              "{commands: ['cat /made; test \"$(cat /made)\" = \"two q\"']}}]\n");
	assert_int_equal(symlink("busybox", at("tree/bin/cat")), 0);
	assert_int_equal(symlink("busybox", at("tree/bin/test")), 0);
	assert_ok(build_it(arena_printf(
	        arena,
	        "copy: [{from: word, to: /w}, {from: word, to: /deep/x, mode: '0600'}]\n"
	        "files: [{path: /f, source: 'https://example.com/f', sha256: %s}, "
	        "{path: /g, content: '${name}', mode: '0604'}]\n"
	        "components: [{file: c.yaml, parameters: {P: two}}]\n"
	        "tests: [{run: [cat, /f], expect: {stdout: fetched}}]\n",
	        hex)));
	assert_int_equal(built.n, 7);
	assert_string_equal(get(in_layer(1, "/w")), "copied");
	assert_int_equal(stat(at(in_layer(1, "/w")), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat(at(in_layer(1, "/deep/x")), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(get(in_layer(2, "/f")), "fetched");
	assert_string_equal(get(in_layer(3, "/g")), "unit");
	assert_int_equal(stat(at(in_layer(3, "/g")), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_string_equal(get(in_layer(4, "/made")), "two q\n");
	assert_non_null(strstr(get(in_layer(5, "/usr/lib/hpc-node/image-manifest.json")),
	                       "\"name\":\"unit\""));
	assert_null(strstr(get(in_layer(5, "/usr/lib/hpc-node/image-manifest.json")),
	                   "\"recipe-sha256\":null"));
	/* Nothing of what tests write is kept. */
	assert_int_equal(access(at(in_layer(6, "/made")), F_OK), -1);
	assert_non_null(
	        strstr(get(arena_printf(arena, "%s/log", built.held[6].dir + strlen(top) + 1)),
	               "test: cat /f\n"));
}

static void each_kind_of_step_may_fail(void **state)
{
	static const struct {
		const char *rest, *told;
		enum err_kind kind;
	} rows[] = {
	        {"copy: [{from: word, to: /etc/passwd/x}]\n", "step 'copy': ", ERR_HOST},
	        {"files: [{path: /etc/passwd/x, content: x}]\n",
	         "step 'files:/etc/passwd/x': ", ERR_HOST},
	        {"files: [{path: /opt/a, content: AKIAQ7ZX2M4K9P3R5T6W}]\n",
	         "step 'clean': aws-keys: '/opt/a' at byte 0: ", ERR_INPUT},
	        {"files: [{path: /f, source: 'https://example.com/f', sha256: "
	         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}]\n",
	         "step 'files:/f': ", ERR_RETRY},
	        {"tests: [{name: t, run: [none]}]\n", "step 'tests': ", ERR_HOST},
	};

	(void)state;
	unit_need_root();
	put("word", "copied");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_err(build_it(rows[i].rest), rows[i].kind, rows[i].told);
	/* One that the recipe promises and nothing brings. */
	put("r.yaml",
	    arena_printf(arena, "image: {name: unit, arch: %s, from: tree, features: [lustre]}\n",
	                 own_arch()));
	struct recipe recipe;
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	assert_err(build_recipe(&recipe), ERR_HOST, "step 'tests': ");
	/* A restart is for machines that run. */
	put_busybox();
	assert_err(build_component("exit 194"), ERR_HOST,
	           "the commands asks for a restart by exit status 194");
}

/* ---- stems ---- */

static const char *files(size_t n)
{
	struct strbuf b = STRBUF(arena, 4096);

	strbuf_str(&b, "files:\n");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&b, "  - {path: /f%zu, content: x}\n", i);
	return b.data;
}

static void put_large(const char *name, size_t bytes)
{
	char *data = arena_alloc(arena, bytes);

	memset(data, 'x', bytes);
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_int_equal(file_write_all(fd, data, bytes), 0);
}

static void a_stem_is_all_below_what_is_small(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(build_it(files(4)));
	/* Of six layers all but the base are small. */
	assert_int_equal(built.fresh, 5);
	assert_string_equal(built.stem_dir, built.held[0].dir);
	/* The large one ends it, and is in it. */
	put_large("large", (32 << 20) + 65536);
	assert_ok(build_it(arena_printf(arena, "copy: [{from: large, to: /l}]\n%s", files(3))));
	assert_int_equal(built.n, 6);
	assert_int_equal(built.fresh, 4);
	assert_string_equal(built.stem_dir, built.held[1].dir);
	put_large("large", (31 << 20));
	assert_ok(build_it(arena_printf(arena, "copy: [{from: large, to: /l}]\n%s", files(3))));
	assert_int_equal(built.fresh, 5);
	/* The last two are never in it, however large. */
	put_large("large", 40 << 20);
	assert_ok(build_it(files(1)));
	assert_int_equal(built.n, 3);
	assert_int_equal(built.fresh, 2);
	assert_string_equal(built.stem_dir, built.held[0].dir);
	assert_ok(build_it("copy: [{from: large, to: /l}]\n"));
	assert_int_equal(built.n, 3);
	assert_int_equal(built.fresh, 2);
	assert_string_equal(built.stem_dir, built.held[0].dir);
	assert_ok(build_it(""));
	assert_int_equal(built.fresh, 1);
	assert_string_equal(built.stem_dir, built.held[0].dir);
}

/* ---- outputs ---- */

static bool write_one(const struct recipe *recipe, const char *format)
{
	bool written = false;
	int r = output_write(recipe, &built, &store, format,
	                     at(arena_printf(arena, "out/x.%s", format)), &written, &e);

	if (r < 0)
		fail_msg("%s: %s", format, e.text);
	return written;
}

static void an_output_is_written_when_it_must(void **state)
{
	static const char *const formats[] = {"tar", "raw", "qcow2"};
	struct stat a, b;

	(void)state;
	unit_need_root();
	put("tree/boot/vmlinuz-6.1", "kernel");
	(void)mkdir(at("out"), 0755);
	struct recipe *recipe = load(MOTD);
	recipe->disk.size = 256ULL << 20;
	assert_ok(build_recipe(recipe));
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		const char *name = arena_printf(arena, "out/x.%s", formats[i]);

		assert_ok(output_check(recipe, formats[i], &e));
		assert_true(write_one(recipe, formats[i]));
		/* What disks of these layers begin with, beside the uppermost of them. */
		glob_t g;
		const char *stems = arena_printf(arena, "%s/stem-????????????????", built.stem_dir);
		assert_int_equal(glob(stems, 0, NULL, &g), i ? 0 : GLOB_NOMATCH);
		globfree(&g);
		assert_int_equal(stat(at(name), &a), 0);
		assert_false(write_one(recipe, formats[i]));
		assert_int_equal(stat(at(name), &b), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		/* Whoever touched it. */
		const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 5}};
		assert_int_equal(utimensat(AT_FDCWD, at(name), times, 0), 0);
		assert_true(write_one(recipe, formats[i]));
		assert_false(write_one(recipe, formats[i]));
		/* Only a disk has to do with the header, and with its name. */
		recipe->disk.cmdline = arena_printf(arena, "quiet %zu", i);
		assert_int_equal(write_one(recipe, formats[i]), i > 0);
		recipe->version = arena_printf(arena, "2.0.%zu", i);
		assert_int_equal(write_one(recipe, formats[i]), i > 0);
		assert_false(write_one(recipe, formats[i]));
	}
	assert_int_equal(stat(at("out/x.raw"), &a), 0);
	assert_int_equal(a.st_size, 256 << 20);
	assert_int_equal(stat(at("out/x.qcow2"), &b), 0);
	assert_true(b.st_size < a.st_size / 2);
	/* Other layers are another tar. */
	assert_ok(build_it(""));
	assert_true(write_one(recipe, "tar"));
	assert_int_equal(access(at("store/outputs"), F_OK), 0);
}

static void a_directory_is_always_written(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	(void)mkdir(at("out"), 0755);
	/* The root has the mode and owner of the base's, whatever lies over it. */
	assert_int_equal(chown(at("tree"), 3, 4), 0);
	assert_int_equal(chmod(at("tree"), 0711), 0);
	struct recipe *recipe = load(MOTD);
	assert_ok(build_recipe(recipe));
	for (int i = 0; i < 2; i++) {
		assert_true(write_one(recipe, "dir"));
		assert_string_equal(get("out/x.dir/etc/motd"), "hi");
		assert_int_equal(stat(at("out/x.dir"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0711);
		assert_int_equal(st.st_uid, 3);
		assert_int_equal(st.st_gid, 4);
		put("out/x.dir/etc/motd", "changed since");
	}
	/* One that can't be written leaves what was. */
	bool written = true;
	put("file", "x");
	assert_err(output_write(recipe, &built, &store, "tar", at("file/x.tar"), &written, &e),
	           ERR_HOST, "file");
	assert_true(written);
	assert_string_equal(get("file"), "x");
}

int main(int argc, char **argv)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(layers_are_made_once),
	        T(what_cant_be_planned_is_not_begun),
	        T(what_a_failed_step_left_is_kept),
	        T(a_full_disk_is_told_first),
	        T(each_kind_of_step_makes_its_layer),
	        T(each_kind_of_step_may_fail),
	        T(a_stem_is_all_below_what_is_small),
	        T(an_output_is_written_when_it_must),
	        T(a_directory_is_always_written),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(build_job);
	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
