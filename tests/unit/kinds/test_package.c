/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages: against this machine's own dpkg, without changing it; and against stand-ins for
 * apt-get, dnf and yum, which need a network to do anything, with their queries and failures.
 */
#include "kinds_test.h"

#include <stdlib.h>

#include "base/digest.h"
#include "kinds/baked.h"

static int setup_dry(void **state)
{
	*state = fixture_new(HOST_DRY);
	return 0;
}

static int setup_live(void **state)
{
	*state = fixture_new(HOST_LIVE);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static void what_is_installed_holds(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "packages: [dpkg, libc-bin, coreutils]\n", &e));
	assert_int_equal(fixture_probe(f, &e), 1);
	assert_ok(fixture_plan(f, "packages: []\n", &e));
	assert_int_equal(fixture_probe(f, &e), 1);
	assert_ok(fixture_apply(f, &e));
	assert_string_equal(f->record.data, "");
}

/* Their names tell which packages they are. */
static void files_of_packages(void **state)
{
	static const char *const bad[] = {"/x/no_1.tar", "/x/nothing.deb", "/x/no-1.rpm",
	                                  "/x/_1_all.deb", "x/no_1_all.deb"};
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "packages: {names: [], files: [/x/dpkg_9-1_amd64.deb]}\n", &e));
	assert_int_equal(fixture_probe(f, &e), 1);
	assert_ok(fixture_plan(
	        f, "packages: {names: [dpkg], files: /x//no-such-package_1_all.deb}\n", &e));
	assert_int_equal(fixture_probe(f, &e), 0);
	assert_ok(fixture_apply(f, &e));
	assert_non_null(strstr(f->record.data, " install dpkg /x/no-such-package_1_all.deb\n"));
	assert_ok(fixture_plan(f, "packages: {names: [], files: [/x/dpkg-9-1.el9.x86_64.rpm]}\n",
	                       &e));
	assert_int_equal(fixture_probe(f, &e), 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(
		        fixture_plan(f,
		                     arena_printf(f->arena, "packages: {names: [], files: [%s]}\n",
		                                  bad[i]),
		                     &e),
		        ERR_INPUT, bad[i]);
}

static void what_is_not_is_installed_at_once(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "packages: {names: [dpkg, no-such-package], update: always}\n",
	                       &e));
	assert_int_equal(fixture_probe(f, &e), 0);
	assert_ok(fixture_apply(f, &e));
	assert_string_equal(
	        f->record.data,
	        "run apt-get -q -o APT::Update::Error-Mode=any update\n"
	        "run apt-get -y -q --no-install-recommends -o APT::Cmd::Pattern-Only=true -o DPkg::Lock::Timeout=120 "
	        "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "
	        "install dpkg no-such-package\n");
}

static void another_version_is_not_it(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "packages: ['dpkg=0.0.1']\n", &e));
	assert_int_equal(fixture_probe(f, &e), 0);
}

/* ---- stand-ins --------------------------------------------------------------------------------
 */

static const char query[] = "#!/bin/sh\n"
                            "for n; do\n"
                            "  case $n in -*) continue ;; esac\n"
                            "  found=\n"
                            "  while read -r s p v; do\n"
                            "    [ \"$p\" = \"$n\" ] && { echo \"$s $p $v\"; found=1; }\n"
                            "  done </installed\n"
                            "  [ $found ] || { echo \"package $n is not installed\"; bad=1; }\n"
                            "done\n"
                            "exit ${bad:-0}\n";

static const char manager[] =
        "#!/bin/sh\n"
        "case \"$*\" in *update | *makecache*)\n"
        "  [ -e /offline ] && { echo 'E: Failed to fetch http://mirror/x' >&2; exit 100; }\n"
        "  : >/lists; exit 0 ;;\n"
        "esac\n"
        "[ -e /lists ] || { echo 'E: Unable to locate package' >&2; exit 100; }\n"
        "[ -e /broken ] && { echo 'E: Sub-process dpkg returned an error code' >&2; exit 100; }\n"
        "while [ \"$1\" != install ]; do shift; done\n"
        "shift\n"
        "for p; do p=${p%=1.2-3}; echo \"installed ${p%-1.2-3} 1.2-3\" >>/installed; done\n";

static void install_program(const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof path, "/usr/bin/%s", name);
	fixture_write(path, text);
	assert_int_equal(chmod(path, 0755), 0);
}

/* A machine whose only programs are a shell, the manager and its query. */
static void only_with(const char *name, const char *query_name)
{
	static const char *const names[] = {"apt-get", "dpkg-query", "dnf", "yum", "rpm"};
	static const char *const states[] = {"/lists", "/offline", "/broken"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[64];

		snprintf(path, sizeof path, "/usr/bin/%s", names[i]);
		unlink(path);
	}
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		unlink(states[i]);
	fixture_write("/installed", "installed munge 0.5.15-2\nconfig-files slurmd 22.05\n");
	install_program(name, manager);
	install_program(query_name, query);
}

static void each_manager_installs(void **state)
{
	static const struct {
		const char *name, *query, *record;
	} managers[] = {
	        {"apt-get", "dpkg-query",
	         "run apt-get -y -q --no-install-recommends -o APT::Cmd::Pattern-Only=true -o DPkg::Lock::Timeout=120 "
	         "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "
	         "install munge slurmd=1.2-3\n"},
	        {"dnf", "rpm",
	         "run dnf -y -q --setopt=install_weak_deps=False install munge slurmd-1.2-3\n"},
	        {"yum", "rpm", "run yum -y -q install munge slurmd-1.2-3\n"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(managers); i++) {
		only_with(managers[i].name, managers[i].query);
		fixture_write("/lists", "");
		assert_converges(f, "packages: [munge, slurmd=1.2-3]\n");
		assert_string_equal(f->record.data, managers[i].record);
	}
}

static void missing_lists_are_fetched_once(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	only_with("dnf", "rpm");
	assert_converges(f, "packages: [slurmd]\n");
	assert_string_equal(f->record.data,
	                    "run dnf -y -q --setopt=install_weak_deps=False install slurmd\n"
	                    "run dnf -y -q makecache --refresh\n"
	                    "run dnf -y -q --setopt=install_weak_deps=False install slurmd\n");

	only_with("dnf", "rpm");
	assert_ok(fixture_plan(f, "packages: {names: slurmd, update: never}\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST,
	           "installing packages: exit status 100: E: Unable to locate package");
	assert_int_equal(e.reason, REASON_HOST_PACKAGE);
}

static void network_trouble_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	only_with("apt-get", "dpkg-query");
	fixture_write("/offline", "");
	assert_ok(fixture_plan(f, "packages: [slurmd]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_RETRY,
	           "fetching package lists: exit status 100: "
	           "E: Failed to fetch http://mirror/x");
	assert_int_equal(e.reason, REASON_HOST_PACKAGE);
	/* Lists that must be fresh come first; without them nothing is installed. */
	assert_ok(fixture_plan(f, "packages: {names: slurmd, update: always}\n", &e));
	assert_err(fixture_apply(f, &e), ERR_RETRY, "fetching package lists: exit status 100: ");
	assert_null(strstr(f->record.data, "install slurmd"));
	assert_int_equal(unlink("/offline"), 0);
	assert_ok(fixture_apply(f, &e));
	assert_non_null(strstr(f->record.data, "install slurmd"));
}

static void what_cannot_be_installed_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	only_with("apt-get", "dpkg-query");
	fixture_write("/lists", "");
	fixture_write("/broken", "");
	assert_ok(fixture_plan(f, "packages: [slurmd]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "Sub-process dpkg returned an error code");
}

/* ---- images -----------------------------------------------------------------------------------
 */

static void put(struct fixture *f, const char *path, const char *text)
{
	struct err e = {0};

	assert_ok(host_write(f->host, path, (struct blob){text, strlen(text)}, 0755, NULL, &e));
}

/* A manifest that is true of that database. */
static void bake(struct fixture *f, const char *database)
{
	char hex[SHA256_HEX];

	digest_hex(database, strlen(database), hex);
	put(f, BAKED_DPKG, database);
	put(f, BAKED_MANIFEST,
	    arena_printf(f->arena,
	                 "{\"schema\": 1, \"package-database-sha256\": \"%s\", \"packages\": ["
	                 "{\"name\": \"munge\", \"version\": \"0.5.15-2\"},"
	                 "{\"name\": \"slurmd\", \"version\": null}, 1]}",
	                 hex));
}

/* A root whose package manager is there and whose query can't be run: an answer is the manifest's.
 */
static int setup_image(void **state)
{
	struct fixture *f = fixture_new(HOST_LIVE);
	char *top = arena_strdup(f->arena, "/tmp/hpc-baked-XXXXXX");
	struct err e = {0};

	assert_non_null(mkdtemp(top));
	host_close(f->host);
	assert_ok(host_open(top, HOST_LIVE, &f->host, &e));
	put(f, "/usr/bin/apt-get", "");
	*state = f;
	return 0;
}

static int teardown_image(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = {"/usr/bin/apt-get",
	                                    BAKED_DPKG,
	                                    BAKED_MANIFEST,
	                                    "/usr/lib/hpc-node",
	                                    "/usr/lib",
	                                    "/usr/bin",
	                                    "/usr",
	                                    "/var/lib/dpkg",
	                                    "/var/lib",
	                                    "/var",
	                                    ""};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		remove(arena_printf(f->arena, "%s%s", host_root(f->host), paths[i]));
	fixture_free(f);
	return 0;
}

static void what_was_baked_is_not_asked_for(void **state)
{
	static const struct {
		const char *spec;
		int holds;
	} rows[] = {{"packages: [munge]\n", 1},
	            {"packages: ['munge=0.5.15-2']\n", 1},
	            {"packages: ['munge=0.5.16']\n", 0},
	            {"packages: [munge, slurmd]\n", 0}};
	struct fixture *f = *state;
	struct err e = {0};

	bake(f, "Package: munge\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(fixture_plan(f, rows[i].spec, &e));
		assert_int_equal(fixture_probe(f, &e), rows[i].holds);
	}
}

static void a_manifest_of_another_state_proves_nothing(void **state)
{
	static const char *const useless[] = {
	        "", "{", "[]", "1", "{\"schema\": 1}", "{\"schema\": 2, \"packages\": []}"};
	struct fixture *f = *state;
	struct blob told;
	struct err e = {0};

	assert_int_equal(baked_packages(f->host, BAKED_DPKG, f->arena, &told), 0);
	bake(f, "Package: munge\n");
	assert_int_equal(baked_packages(f->host, BAKED_DPKG, f->arena, &told), 1);
	put(f, BAKED_DPKG, "Package: munge2\n");
	assert_int_equal(baked_packages(f->host, BAKED_DPKG, f->arena, &told), 0);
	for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
		put(f, BAKED_MANIFEST, useless[i]);
		assert_int_equal(baked_packages(f->host, BAKED_DPKG, f->arena, &told), 0);
	}
	bake(f, "Package: munge\n");
	assert_ok(host_remove(f->host, BAKED_DPKG, &e));
	assert_int_equal(baked_packages(f->host, BAKED_DPKG, f->arena, &told), 0);
}

/* Only the shell stays of /usr/bin. */
static void replace_programs(void)
{
	static char shell[1 << 20];
	int fd = open("/usr/bin/dash", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, shell, sizeof shell);

	assert_true(n > 0 && n < (ssize_t)sizeof shell);
	close(fd);
	assert_int_equal(mount("tmpfs", "/usr/bin", "tmpfs", 0, "mode=0755"), 0);
	fd = open("/usr/bin/sh", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(write(fd, shell, (size_t)n), n);
	close(fd);
}

int main(void)
{
#define DRY(name)   cmocka_unit_test_setup_teardown(name, setup_dry, teardown)
#define LIVE(name)  cmocka_unit_test_setup_teardown(name, setup_live, teardown)
#define BAKED(name) cmocka_unit_test_setup_teardown(name, setup_image, teardown_image)
	const struct CMUnitTest here[] = {
	        DRY(what_is_installed_holds),
	        DRY(files_of_packages),
	        DRY(what_is_not_is_installed_at_once),
	        DRY(another_version_is_not_it),
	        BAKED(what_was_baked_is_not_asked_for),
	        BAKED(a_manifest_of_another_state_proves_nothing),
	};
	const struct CMUnitTest stand_ins[] = {
	        LIVE(each_manager_installs),
	        LIVE(missing_lists_are_fetched_once),
	        LIVE(network_trouble_is_tried_again),
	        LIVE(what_cannot_be_installed_is_an_error),
	};
	int bad = cmocka_run_group_tests(here, NULL, NULL);

	sandbox_enter();
	replace_programs();
	return bad + cmocka_run_group_tests(stand_ins, NULL, NULL);
}
