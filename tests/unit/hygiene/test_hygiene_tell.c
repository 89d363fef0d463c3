/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of findings: their order, their places, whether cleaning takes them; as JSON, too. */
#include <errno.h>
#include <sys/stat.h>

#include "found.h"
#include "host/host.h"

#define KEY "AKIAQ7ZX2M4K9P3R5T6W"

static void look(struct image *t, const struct hygiene_intent *intent, struct hygiene_findings *f)
{
	struct err e;

	assert_ok(hygiene_look(t->fd, intent, t->a, f, &e));
}

/* The first of each rule in a file, however many there are. */
static void test_the_first_is_told(void **state)
{
	struct image *t = *state;
	struct hygiene_findings f;

	image_fill(t);
	image_put(t, "opt/a", KEY " " KEY "\nghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5 " KEY "\n");
	image_put(t, "etc/environment", "A=b\nB_PASSWORD=p\nC_PASSWORD=p\n");
	look(t, NULL, &f);
	assert_int_equal(f.n, 3);
	assert_string_equal(f.items[0].rule->name, "environment-passwords");
	assert_string_equal(f.items[0].detail, "at byte 4");
	assert_string_equal(f.items[1].rule->name, "aws-keys");
	assert_string_equal(f.items[1].detail, "at byte 0");
	assert_string_equal(f.items[2].rule->name, "tokens");
	assert_string_equal(f.items[2].detail, "at byte 42");
	assert_false(f.more);
}

/* By rule, then by path; what is allowed as well. */
static void test_findings_are_sorted(void **state)
{
	static const struct hygiene_allow allow[] = {{"aws-keys", "/srv/*", "so", false},
	                                             {"hostname", "/etc/hostname", "so", false}};
	const struct hygiene_intent intent = {.n = ARRAY_LEN(allow), .allow = allow};
	struct image *t = *state;
	struct hygiene_findings f;

	image_fill(t);
	image_put(t, "srv/b", KEY);
	image_put(t, "srv/a", KEY);
	image_put(t, "etc/hostname", "builder\n");
	image_put(t, "opt/b", KEY);
	image_put(t, "opt/a", KEY);
	image_put(t, "etc/ssh/ssh_host_key", "x");
	assert_string_equal(
	        found_in(t, &intent),
	        "ssh-host-keys /etc/ssh/ssh_host_key\naws-keys /opt/a\naws-keys /opt/b");
	look(t, &intent, &f);
	assert_int_equal(f.n_allowed, 3);
	assert_string_equal(f.allowed[0].path, "/etc/hostname");
	assert_string_equal(f.allowed[1].path, "/srv/a");
	assert_string_equal(f.allowed[2].path, "/srv/b");
	assert_string_equal(f.allowed[2].allowed->reason, "so");
	assert_null(f.items[0].allowed);
}

/* Only what a rule finds by its path is taken, and of that not what the recipe puts in. */
static void test_what_cleaning_takes(void **state)
{
	static const char *paths[] = {"/etc/anyone", "/etc/hostname", "/opt/a",
	                              "/usr/local/bin/shell"};
	const struct hygiene_intent intent = {.declared = {ARRAY_LEN(paths), paths}};
	struct image *t = *state;
	struct hygiene_findings f;

	image_fill(t);
	image_put(t, "etc/ssh/ssh_host_key", "x");
	image_put(t, "etc/hostname", "builder\n");
	image_put(t, "opt/a", KEY);
	image_put(t, "usr/local/bin/shell", "x");
	assert_int_equal(fchmodat(t->fd, "usr/local/bin/shell", 04755, 0), 0);
	image_put(t, "etc/anyone", "x");
	assert_int_equal(fchmodat(t->fd, "etc/anyone", 0666, 0), 0);
	image_link(t, "etc/systemd/system/a.wants/x.service", "x");
	image_put(t, "etc/credstore/x", "x");
	for (int with = 0; with < 2; with++) {
		look(t, with ? &intent : NULL, &f);
		assert_int_equal(f.n, 7);
		for (size_t i = 0; i < f.n; i++) {
			const char *rule = f.items[i].rule->name;
			bool host = str_eq(rule, "hostname"), key = str_eq(rule, "ssh-host-keys");

			if (f.items[i].cleaned != (key || (host && !with)) ||
			    f.items[i].declared != (host && with))
				fail_msg("%s: cleaned %d, declared %d", rule, f.items[i].cleaned,
				         f.items[i].declared);
		}
	}
}

static void test_kinds_of_files(void **state)
{
	static const struct {
		const char *path, *text, *found;
		unsigned mode;
	} rows[] = {
	        {"etc/machine-id", "uninitialized\n", "", 0},
	        {"etc/machine-id", "uninitialised\n", "machine-id /etc/machine-id", 0},
	        {"etc/hostname", "localhost\n", "", 0},
	        {"etc/hostname", "localhost", "hostname /etc/hostname", 0},
	        {"etc/hostname", "localhosts\n", "hostname /etc/hostname", 0},
	        {"var/lib/dbus/machine-id", "", "", 0},
	        {"var/lib/dbus/machine-id", "x", "dbus-machine-id /var/lib/dbus/machine-id", 0},
	        {"usr/local/bin/x", "x", "", 0755},
	        {"usr/local/bin/x", "x", "", 01755},
	        {"usr/local/bin/x", "x", "setuid-files /usr/local/bin/x", 04755},
	        {"usr/local/bin/x", "x", "setuid-files /usr/local/bin/x", 02755},
	        {"usr/local/bin/x", "x", "world-writable /usr/local/bin/x", 0602},
	        {"usr/local/bin/x", "x", "", 0660},
	};
	struct image *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		image_empty_out(t);
		image_fill(t);
		image_put(t, rows[i].path, rows[i].text);
		if (rows[i].mode)
			assert_int_equal(fchmodat(t->fd, rows[i].path, rows[i].mode, 0), 0);
		if (!str_eq(found_in(t, NULL), rows[i].found))
			fail_msg("row %zu: '%s'", i, found_in(t, NULL));
	}
	/* Directories: a sticky one is for everybody. */
	image_empty_out(t);
	image_fill(t);
	assert_int_equal(mkdirat(t->fd, "opt", 0755), 0);
	assert_int_equal(fchmodat(t->fd, "opt", 01777, 0), 0);
	assert_string_equal(found_in(t, NULL), "");
	assert_int_equal(fchmodat(t->fd, "opt", 02775, 0), 0);
	assert_string_equal(found_in(t, NULL), "");
	assert_int_equal(fchmodat(t->fd, "opt", 0777, 0), 0);
	assert_string_equal(found_in(t, NULL), "world-writable /opt");
}

static const char *json(struct image *t, const struct hygiene_report *r,
                        const struct hygiene_intent *intent)
{
	struct strbuf out = STRBUF(t->a, 1 << 16);
	struct jsonw w = {.out = &out};

	jsonw_begin(&w, NULL, '{');
	hygiene_json(&w, r, intent, t->a);
	jsonw_end(&w, '}');
	return out.data;
}

static void test_a_report_is_json(void **state)
{
	static const struct hygiene_allow allow[] = {{"tokens", "/opt/none", "a", false},
	                                             {"aws-keys", "/srv/*", "b", false},
	                                             {"tokens", "/opt/no", "c", false},
	                                             {"enabled-units", "x.service", "d", true}};
	const struct hygiene_intent intent = {.n = ARRAY_LEN(allow), .allow = allow};
	struct image *t = *state;
	struct hygiene_report r;
	struct host *h;
	struct err e;

	image_fill(t);
	image_put(t, "etc/ssh/ssh_host_key", "x");
	image_put(t, "etc/hostname", "builder\n");
	image_put(t, "srv/a", KEY);
	image_put(t, "srv/b", KEY);
	image_put(t, "opt/a", KEY);
	image_put(t, "opt/b", KEY);
	assert_ok(host_open(t->path, HOST_LIVE, &h, &e));
	assert_ok(hygiene_finish(h, &intent, t->a, &r, &e));
	host_close(h);
#define MANIFEST                                                                                   \
	"{\"cleaned\":[{\"rule\":\"ssh-host-keys\",\"path\":\"/etc/ssh/ssh_host_key\"},"           \
	"{\"rule\":\"hostname\",\"path\":\"/etc/hostname\"}],"                                     \
	"\"allowed\":[{\"rule\":\"aws-keys\",\"path\":\"/srv/a\",\"reason\":\"b\"},"               \
	"{\"rule\":\"aws-keys\",\"path\":\"/srv/b\",\"reason\":\"b\"}]"
	assert_string_equal(json(t, &r, NULL), MANIFEST "}");
	assert_string_equal(
	        json(t, &r, &intent),
	        arena_printf(t->a,
	                     MANIFEST ",\"unused\":[{\"rule\":\"tokens\",\"path\":\"/opt/none\"},"
	                              "{\"rule\":\"tokens\",\"path\":\"/opt/no\"}],"
	                              "\"refused\":[{\"rule\":\"aws-keys\",\"path\":\"/opt/a\","
	                              "\"what\":\"%s\"},{\"rule\":\"aws-keys\",\"path\":"
	                              "\"/opt/b\",\"what\":\"%s\"}]}",
	                     hygiene_words(&r.left.items[0], t->a),
	                     hygiene_words(&r.left.items[1], t->a)));
	assert_err(hygiene_refuse(&r.left, &e), ERR_INPUT, "2 things that no image may have");
	assert_int_equal(e.no, EPERM);
}

/* As files have them, and not more: a list is searched for what is it or lies below it. */
static void test_what_a_recipe_declares(void **state)
{
	static const char *paths[] = {"/a", "/b/c", "/b/c-d", "/b/d/e", "/z"};
	const struct hygiene_intent intent = {.declared = {ARRAY_LEN(paths), paths}};
	static const struct {
		const char *path;
		bool is;
	} rows[] = {{"/a", true},     {"/b", true},   {"/b/c", true},    {"/b/d", true},
	            {"/b/d/e", true}, {"/z", true},   {"/b/e", false},   {"/a/b", false},
	            {"/", false},     {"/zz", false}, {"/b/c/x", false}, {"/0", false}};
	struct image *t = *state;
	struct hygiene_findings f;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].path[1])
			continue;
		const char *log = arena_printf(t->a, "/var/log%s", rows[i].path);
		const char *declared[ARRAY_LEN(paths)];
		struct hygiene_intent below = intent;

		for (size_t k = 0; k < ARRAY_LEN(paths); k++)
			declared[k] = arena_printf(t->a, "/var/log%s", paths[k]);
		below.declared.items = declared;
		image_empty_out(t);
		image_fill(t);
		image_put(t, log + 1, "x");
		look(t, &below, &f);
		assert_int_equal(f.n, 1);
		if (f.items[0].declared != rows[i].is)
			fail_msg("'%s': %d", rows[i].path, f.items[0].declared);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, image_setup, image_teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_the_first_is_told),   TEST(test_findings_are_sorted),
	        TEST(test_what_cleaning_takes), TEST(test_kinds_of_files),
	        TEST(test_a_report_is_json),    TEST(test_what_a_recipe_declares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
