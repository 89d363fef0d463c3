/* SPDX-License-Identifier: Apache-2.0 */
/* What rpm lists of a database: names, sources, the newest build; and what is no package. */
#include "machine.h"

#include "base/digest.h"
#include "store/packages.h"

static const char *tree_with_database(void)
{
	put("tree/usr/lib/sysimage/rpm/rpmdb.sqlite", "a database");
	return at("tree");
}

static int read_tree(struct packages *p)
{
	scope_fd int root = open(tree_with_database(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return packages_read(root, arena, p, &e);
}

static void packages_are_listed(void **state)
{
	struct packages p;

	(void)state;
	unit_need_root();
	put_for_all("copy");
	put_program("rpm",
	            arena_printf(
	                    arena,
	                    "cat \"$2/rpmdb.sqlite\" >%s/copy\ncat <<'END'\n"
	                    "tool\t2:1.0-1.fc41\tx86_64\ttools-suite-1.1-2.src.rpm\tSomebody\t100\n"
	                    "lib\t1-1\tnoarch\todd\t(none)\t300\n"
	                    "mid\t1-1\tnoarch\tx.src.rpm\t(none)\t200\n"
	                    "gpg-pubkey\t1-1\t(none)\t(none)\t(none)\t900\n"
	                    "warning: of rpm\n"
	                    "one\t1-1\tnoarch\ta-1.src.rpm\t(none)\t0\n"
	                    "two\t1-1\tnoarch\ta-b-1-2.nosrc.rpm\t(none)\t1\n"
	                    "short\t1-1\tnoarch\t(none)\t(none)\n"
	                    "bad\t1-1\tnoarch\t(none)\t(none)\tsoon\nEND\n",
	                    top));
	assert_ok(read_tree(&p));
	assert_string_equal(get("copy"), "a database");
	assert_int_equal(p.n, 5);
	assert_string_equal(p.database, "rpm");
	assert_false(p.unread);
	char hex[SHA256_HEX];
	digest_hex("a database", 10, hex);
	assert_string_equal(p.sha256, hex);
	assert_string_equal(p.items[0].name, "lib"); /* by name */
	assert_string_equal(p.items[4].name, "two");
	for (size_t i = 2; i < 5; i += 2) {
		assert_string_equal(p.items[i].source, p.items[i].name);
		assert_string_equal(p.items[i].source_version, "1-1");
	}
	const struct package *tool = NULL, *lib = NULL, *mid = NULL;
	for (size_t i = 0; i < p.n; i++) {
		tool = str_eq(p.items[i].name, "tool") ? &p.items[i] : tool;
		lib = str_eq(p.items[i].name, "lib") ? &p.items[i] : lib;
		mid = str_eq(p.items[i].name, "mid") ? &p.items[i] : mid;
	}
	assert_true(tool && lib && mid);
	assert_string_equal(tool->version, "2:1.0-1.fc41");
	assert_string_equal(tool->arch, "x86_64");
	assert_string_equal(tool->maintainer, "Somebody");
	assert_string_equal(tool->source, "tools-suite");
	assert_string_equal(tool->source_version, "1.1-2");
	assert_null(lib->maintainer);
	assert_string_equal(lib->source, "lib");
	assert_string_equal(lib->source_version, "1-1");
	assert_string_equal(mid->source, "mid");
	assert_int_equal(p.built, 300);
	assert_non_null(strstr(calls_of("rpm"), " -qa --queryformat=%{NAME}"));
}

/* The first of the two places; and nothing of the copy stays. */
static void a_database_may_be_where_it_was(void **state)
{
	struct packages p;

	(void)state;
	unit_need_root();
	put_for_all("copy");
	put_for_all("where");
	put_program("rpm",
	            arena_printf(arena, "cat \"$2/rpmdb.sqlite\" >%s/copy\necho $2 >%s/where", top,
	                         top));
	put("tree/var/lib/rpm/rpmdb.sqlite", "an old one");
	scope_fd int root = open(at("tree"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(packages_read(root, arena, &p, &e));
	assert_string_equal(get("copy"), "an old one");
	assert_int_equal(p.n, 0);
	assert_int_equal(p.built, 0);
	assert_string_equal(p.database, "rpm");
	const char *where = get("where");
	assert_int_equal(access(arena_memdup(arena, where, strlen(where) - 1), F_OK), -1);
	assert_ok(read_tree(&p));
	assert_string_equal(get("copy"), "a database");
	/* dpkg's goes before any of rpm's. */
	put("tree/var/lib/dpkg/status", "");
	assert_ok(read_tree(&p));
	assert_string_equal(p.database, "dpkg");
	assert_int_equal(p.n, 0);
}

static void a_query_that_fails_is_told(void **state)
{
	struct packages p;

	(void)state;
	unit_need_root();
	put_program("rpm", "echo damaged >&2\nexit 1\n");
	assert_err(read_tree(&p), ERR_HOST, "listing rpm's packages: ");
	assert_non_null(strstr(e.text, "damaged"));
}

struct shipped {
	size_t n;
	struct packages_file items[8];
};

static void add(void *ctx, const struct packages_file *f)
{
	struct shipped *s = ctx;

	assert_true(s->n < ARRAY_LEN(s->items));
	s->items[s->n++] = (struct packages_file){arena_strdup(arena, f->package),
	                                          arena_strdup(arena, f->path),
	                                          arena_strdup(arena, f->digest)};
}

static void files_are_listed_with_what_was_shipped(void **state)
{
	struct shipped s = {0};
	struct blob database = {0};

	(void)state;
	unit_need_root();
	put_program("rpm", "cat <<'END'\n"
	                   "0af1 tool /usr/bin/a tool\n"
	                   " tool /usr/share/tool\n"
	                   "warning: of rpm\n"
	                   "0af1 tool relative\n"
	                   "0af1 tool\n"
	                   "0af1  /usr/bin/nobody\n"
	                   "0af1\n"
	                   "\n"
	                   "END\n"
	                   "printf '%0200d tool /usr/bin/long\\n' 0\n"
	                   "printf 'aa %0300d /usr/bin/long\\n' 0\n");
	scope_fd int root = open(tree_with_database(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(packages_rpm_database(root, arena, &database, &e));
	assert_ok(packages_rpm_files(database, add, &s, arena, &e));
	assert_int_equal(s.n, 2);
	assert_string_equal(s.items[0].package, "tool");
	assert_string_equal(s.items[0].path, "/usr/bin/a tool");
	assert_string_equal(s.items[0].digest, "0af1");
	assert_string_equal(s.items[1].path, "/usr/share/tool");
	assert_string_equal(s.items[1].digest, "");
}

/* The database is the image's: whatever it makes of rpm has no right to anything. */
static void rpm_has_no_rights(void **state)
{
	struct packages p;

	(void)state;
	unit_need_root();
	put_for_all("copy");
	put_program(
	        "rpm",
	        arena_printf(
	                arena,
	                "{ id -un; grep CapEff /proc/self/status; test -w \"$2/rpmdb.sqlite\" && "
	                "echo its own; test -w \"$2/..\" || echo no more; } >%s/copy\n",
	                top));
	assert_ok(read_tree(&p));
	assert_string_equal(get("copy"), "nobody\nCapEff:\t0000000000000000\nits own\nno more\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        MACHINE_TEST(packages_are_listed),
	        MACHINE_TEST(a_database_may_be_where_it_was),
	        MACHINE_TEST(a_query_that_fails_is_told),
	        MACHINE_TEST(files_are_listed_with_what_was_shipped),
	        MACHINE_TEST(rpm_has_no_rights),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
