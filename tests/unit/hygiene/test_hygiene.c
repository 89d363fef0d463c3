/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule's planted positives, and what looks like them and is none. */

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/digest.h"
#include "found.h"
#include "host/host.h"
#include "planted.h"

/* ---- what is found ---- */

static void test_each_is_found_by_its_rule(void **state)
{
	struct image *t = *state;
	char want[512];

	for (const struct planted *p = planted; p->rule; p++) {
		if (p->capable && geteuid())
			continue; /* only root gives capabilities */
		image_empty_out(t);
		image_fill(t);
		planted_put(t, p);
		snprintf(want, sizeof want, "%s /%s", p->rule, p->found ? p->found : p->path);
		const char *found = found_in(t, NULL);
		if (!str_eq(found, want))
			fail_msg("planted '%s' with '%.60s': found '%s', wanted '%s'", p->path,
			         p->text ? p->text : "", found, want);
	}
}

/* ---- in other forms ---- */

static bool is_text(const struct planted *p)
{
	static const char *const rules[] = {"aws-keys", "private-keys", "tokens"};
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		found = found || str_eq(p->rule, rules[i]);
	return found && p->text && !p->len;
}

static struct blob in_utf16(struct image *t, const char *text, bool big, bool mark)
{
	size_t n = strlen(text) + mark;
	char *to = arena_alloc(t->a, 2 * n);

	if (mark)
		memcpy(to, big ? "\xfe\xff" : "\xff\xfe", 2);
	for (size_t i = mark; i < n; i++)
		to[2 * i + big] = text[i - mark];
	return (struct blob){to, 2 * n};
}

/* In two members. */
static struct blob in_gzip(struct image *t, struct blob in)
{
	size_t room = in.len + 256, used = 0, half = in.len / 2;
	char *to = arena_alloc(t->a, room);

	for (int i = 0; i < 2; i++) {
		z_stream z = {.next_in = (unsigned char *)(uintptr_t)in.data + (i ? half : 0),
		              .avail_in = (unsigned)(i ? in.len - half : half),
		              .next_out = (unsigned char *)to + used,
		              .avail_out = (unsigned)(room - used)};
		assert_int_equal(
		        deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY),
		        Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		used += z.total_out;
		deflateEnd(&z);
	}
	return (struct blob){to, used};
}

static void test_in_other_forms(void **state)
{
	struct image *t = *state;
	size_t n = 0;

	image_fill(t);
	for (const struct planted *p = planted; p->rule; p++) {
		if (!is_text(p))
			continue;
		const struct blob plain = {p->text, strlen(p->text)};
		const struct blob forms[] = {in_utf16(t, p->text, false, true),
		                             in_utf16(t, p->text, true, true),
		                             in_utf16(t, p->text, false, false),
		                             in_utf16(t, p->text, true, false),
		                             in_gzip(t, plain),
		                             in_gzip(t, in_utf16(t, p->text, false, true))};
		for (size_t i = 0; i < ARRAY_LEN(forms); i++, n++) {
			image_put_bytes(t, "opt/form", forms[i].data, forms[i].len);
			const char *found = found_in(t, NULL);
			if (!str_eq(found, arena_printf(t->a, "%s /opt/form", p->rule)))
				fail_msg("form %zu of '%.60s': found '%s'", i, p->text, found);
		}
	}
	assert_true(n > 200);
}

static void test_what_it_unpacks_to_is_told(void **state)
{
	struct image *t = *state;
	const char *text = arena_printf(t->a, "%2000000s id = AKIAQ7ZX2M4K9P3R5T6W", "x");
	struct blob packed = in_gzip(t, (struct blob){text, strlen(text)});
	struct hygiene_findings f;
	struct err e;

	image_fill(t);
	image_put_bytes(t, "opt/x.gz", packed.data, packed.len);
	assert_ok(hygiene_look(t->fd, NULL, t->a, &f, &e));
	assert_int_equal(f.n, 1);
	assert_string_equal(f.items[0].detail, "at byte 2000006 of what it unpacks to");
	/* A damaged one is looked at as far as it goes, and one cut short is no error. */
	image_put_bytes(t, "opt/x.gz", packed.data, packed.len - 8);
	assert_string_equal(found_in(t, NULL), "aws-keys /opt/x.gz");
	image_put_bytes(t, "opt/x.gz", packed.data, 30);
	assert_string_equal(found_in(t, NULL), "");
	image_put_bytes(t, "opt/x.gz", "\x1f\x8b\x08 and no more", 15);
	assert_string_equal(found_in(t, NULL), "");
}

static void test_each_rule_is_planted(void **state)
{
	(void)state;
	for (size_t i = 0; hygiene_rule(i); i++) {
		const struct planted *p = planted;

		while (p->rule && !str_eq(p->rule, hygiene_rule(i)->name))
			p++;
		if (!p->rule)
			fail_msg("'%s' is not planted", hygiene_rule(i)->name);
		assert_non_null(hygiene_rule(i)->summary);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(hygiene_rule(k)->name, hygiene_rule(i)->name);
	}
}

static void test_what_is_none_is_not_found(void **state)
{
	struct image *t = *state;

	image_fill(t);
	assert_string_equal(found_in(t, NULL), "");
	for (const struct planted *p = harmless; p->path; p++) {
		if (p->capable && geteuid())
			continue;
		planted_put(t, p);
		const char *found = found_in(t, NULL);
		if (*found)
			fail_msg("'%s' is taken for '%s'", p->path, found);
	}
}

/* Cleaning removes what its rule has no other remedy for, and only that. */
static void test_cleaning(void **state)
{
	struct image *t = *state;
	struct hygiene_report report;
	struct host *h;
	struct err e;

	for (const struct planted *p = planted; p->rule; p++) {
		if (p->capable && geteuid())
			continue; /* only root gives capabilities */
		image_empty_out(t);
		image_fill(t);
		planted_put(t, p);
		assert_ok(host_open(t->path, HOST_LIVE, &h, &e));
		assert_ok(hygiene_clean(h, NULL, t->a, &report, &e));
		const char *left = found_in(t, NULL);
		if (*left && !planted_remedy(p) && !p->by_content)
			fail_msg("'%s' is not cleaned", left);
		if (!*left && (planted_remedy(p) || p->by_content))
			fail_msg("'%s' is cleaned", p->path);
		assert_int_equal(report.n_cleaned, !*left);
		if (!*left)
			assert_string_equal(report.cleaned[0].rule->name, p->rule);
		assert_ok(hygiene_finish(h, NULL, t->a, &report, &e));
		assert_int_equal(report.n_cleaned, 0);
		assert_int_equal(report.left.n, !!*left);
		if (*left)
			assert_err(hygiene_refuse(&report.left, &e), ERR_INPUT, p->rule);
		host_close(h);
	}
}

static const struct hygiene_allow rows[] = {
        {"authorized-keys", "/root/.ssh/*", "the admin's", false},
        {"aws-keys", "/opt/*/a", "examples", false},
        {"aws-keys", "/opt/x/more", "examples", false},
        {"enabled-units", "slurmd.service", "of the recipe", true},
        {"enabled-units", "other.service", "of the recipe", true},
        {"aws-keys", "/opt/y", "not there", false},
        {"private-keys", "/opt", "not there", false},
};
static const struct hygiene_intent intent = {.n = ARRAY_LEN(rows), .allow = rows};

static void test_what_is_allowed(void **state)
{
	struct image *t = *state;
	const struct hygiene_allow **unused;
	struct hygiene_report report;
	struct hygiene_findings f;
	struct host *h;
	struct err e;

	image_fill(t);
	image_put(t, "root/.ssh/authorized_keys", "x");
	image_put(t, "home/eve/.ssh/authorized_keys", "x");
	image_put(t, "opt/x/a", "id = AKIAQ7ZX2M4K9P3R5T6W\n");
	image_put(t, "opt/x/b", "id = AKIAQ7ZX2M4K9P3R5T6W\n");
	image_put(t, "opt/x/more/deep", "id = AKIAQ7ZX2M4K9P3R5T6W\n");
	image_link(t, "etc/systemd/system/a.wants/slurmd.service", "x");
	image_link(t, "etc/systemd/system/a.requires/munge.service", "x");
	assert_string_equal(found_in(t, &intent),
	                    "authorized-keys /home/eve/.ssh/authorized_keys\n"
	                    "enabled-units /etc/systemd/system/a.requires/munge.service\n"
	                    "aws-keys /opt/x/b");
	assert_ok(hygiene_look(t->fd, &intent, t->a, &f, &e));
	assert_int_equal(f.n_allowed, 4);
	assert_string_equal(
	        hygiene_words(&f.allowed[0], t->a),
	        "authorized-keys: '/root/.ssh/authorized_keys' is allowed: the admin's");
	assert_string_equal(f.allowed[3].path, "/opt/x/more/deep");
	assert_int_equal(hygiene_unused(&intent, &f, t->a, &unused), 2);
	assert_string_equal(unused[0]->path, "/opt/y");
	assert_string_equal(unused[1]->rule, "private-keys");
	assert_ok(host_open(t->path, HOST_LIVE, &h, &e));
	assert_ok(hygiene_clean(h, &intent, t->a, &report, &e));
	host_close(h);
	assert_int_equal(report.n_cleaned, 1);
	assert_true(image_has(t, "root/.ssh/authorized_keys"));
	assert_false(image_has(t, "home/eve/.ssh/authorized_keys"));
}

/* What the recipe puts in is never removed: it is a finding, wherever the rule is from. */
static void test_what_is_declared_stays(void **state)
{
	static const char *paths[] = {"/opt/app", "/root/.aws/config", "/srv/bob/.netrc",
	                              "/var/log/app.log", "/var/log/app/x"};
	const struct hygiene_intent in = {.declared = {ARRAY_LEN(paths), paths}};
	struct image *t = *state;
	struct hygiene_report report;
	struct host *h;
	struct err e;

	image_fill(t);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		image_put(t, paths[i] + 1, "x");
	image_put(t, "root/.aws/credentials", "x");
	image_put(t, "var/log/other", "x");
	image_put(t, "tmp/build.1", "x");
	image_put(t, "tmp/build.2", "x");
	assert_ok(host_open(t->path, HOST_LIVE, &h, &e));
	assert_ok(hygiene_finish(h, &in, t->a, &report, &e));
	host_close(h);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_true(image_has(t, paths[i] + 1));
	assert_false(image_has(t, "var/log/other"));
	assert_int_equal(report.left.n, 4);
	assert_string_equal(report.left.items[0].path, "/root/.aws");
	assert_string_equal(
	        hygiene_words(&report.left.items[0], t->a),
	        "user-credentials: '/root/.aws': passwords and tokens of whoever built the image; "
	        "cleaning would take what the recipe puts here: take it out of the recipe, or say by "
	        "`allow` why it may stay");
	assert_string_equal(report.left.items[1].path, "/srv/bob/.netrc");
	/* What comes in numbers is told by its place. */
	assert_int_equal(report.n_cleaned, 2);
	assert_string_equal(report.cleaned[0].path, "/var/log");
	assert_string_equal(report.cleaned[1].path, "/tmp/*");
	assert_err(hygiene_refuse(&report.left, &e), ERR_INPUT, "4 things that no image may have");
}

/* What a recipe's files would come to, by their paths alone. */
static void test_what_would_be_taken(void **state)
{
	static const struct {
		const char *path, *rule, *content;
		mode_t type;
	} cases[] = {
	        {"/root/.npmrc", "user-credentials", NULL, S_IFREG},
	        {"/root/.npmrc", "user-credentials", NULL, S_IFLNK},
	        {"/home/eve/.aws", "user-credentials", NULL, S_IFDIR},
	        {"/var/log/x", "logs", NULL, S_IFREG},
	        {"/var/log/x", NULL, NULL, S_IFDIR},
	        {"/etc/credstore/x", "credentials", NULL, S_IFREG},
	        {"/etc/hostname", NULL, NULL, S_IFREG},
	        {"/etc/hostname", NULL, "localhost\n", S_IFREG},
	        {"/etc/hostname", "hostname", "node\n", S_IFREG},
	        {"/etc/machine-id", NULL, "", S_IFREG},
	        {"/etc/resolv.conf", "resolv-conf", NULL, S_IFREG},
	        {"/etc/resolv.conf", NULL, NULL, S_IFLNK},
	        {"/etc/motd", NULL, NULL, S_IFREG},
	        {"/opt/munge.key", "munge-key", NULL, S_IFREG},
	        {"/var/spool/cron/atjobs/.SEQ", NULL, NULL, S_IFREG},
	};
	struct image *t = *state;
	struct hygiene_where *places = hygiene_places(t->a);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct hygiene_rule *rule =
		        hygiene_takes(places, cases[i].path, cases[i].type, cases[i].content);
		if (!str_eq(rule ? rule->name : "", cases[i].rule ? cases[i].rule : ""))
			fail_msg("'%s': %s", cases[i].path, rule ? rule->name : "none");
	}
	assert_true(hygiene_applies(places, "/etc/sudoers.d/x", "sudo-nopasswd"));
	assert_false(hygiene_applies(places, "/etc/sudoers.d/x", "logs"));
}

/* ---- places ---- */

/* A secret is found wherever in a file it lies, also where pieces of it meet. */
static void test_secrets_in_large_files(void **state)
{
	struct image *t = *state;
	const size_t piece = 1 << 18, size = 3 * piece;
	char *text = calloc(1, size + 1);
	struct hygiene_findings f;
	struct err e;

	image_fill(t);
	for (long off = -45; off <= 25; off++) {
		size_t at = (size_t)((long)piece + off);

		memset(text, 'x', size);
		memcpy(text + at, " AKIAQ7ZX2M4K9P3R5T6W ", 22);
		image_put(t, "opt/large", text);
		assert_ok(hygiene_look(t->fd, NULL, t->a, &f, &e));
		assert_int_equal(f.n, 1);
		assert_string_equal(f.items[0].detail, arena_printf(t->a, "at byte %zu", at + 1));
		/* Within a word it is none, and no cut makes it one. */
		memcpy(text + at, "xAKIAQ7ZX2M4K9P3R5T6W ", 22);
		image_put(t, "opt/large", text);
		assert_string_equal(found_in(t, NULL), "");
	}
	memset(text, 'x', size);
	memcpy(text + size - 21, " AKIAQ7ZX2M4K9P3R5T6W", 21);
	image_put(t, "opt/large", text);
	assert_string_equal(found_in(t, NULL), "aws-keys /opt/large");
	free(text);
}

static void test_what_lies_behind_links(void **state)
{
	struct image *t = *state;

	image_fill(t);
	assert_int_equal(mkdirat(t->fd, "data", 0755), 0);
	assert_int_equal(renameat(t->fd, "etc", t->fd, "data/e[t]c"), 0);
	assert_int_equal(renameat(t->fd, "root", t->fd, "data/root"), 0);
	image_link(t, "etc", "data/e[t]c");
	image_link(t, "root", "/data/root");
	assert_string_equal(found_in(t, NULL), "");
	image_put(t, "data/e[t]c/ssh/ssh_host_key", "x");
	image_put(t, "data/root/.netrc", "x");
	image_put(t, "data/e[t]c/sudoers.d/x", "a ALL=NOPASSWD: ALL\n");
	image_link(t, "data/e[t]c/systemd/system/a.wants/munge.service", "x");
	assert_string_equal(found_in(t, NULL), "ssh-host-keys /data/e[t]c/ssh/ssh_host_key\n"
	                                       "sudo-nopasswd /data/e[t]c/sudoers.d/x\n"
	                                       "enabled-units "
	                                       "/data/e[t]c/systemd/system/a.wants/munge.service\n"
	                                       "user-credentials /data/root/.netrc");
}

/* The homes are those of /etc/passwd, wherever they are. */
static void test_homes(void **state)
{
	struct image *t = *state;

	image_fill(t);
	image_put(t, "srv/bob/.bash_history", "x");
	image_put(t, "srv/other/.bash_history", "x");
	image_put(t, "home/eve/.bash_history", "x");
	image_put(t, "etc/skel/.bash_history", "x");
	assert_string_equal(found_in(t, NULL), "histories /etc/skel/.bash_history\n"
	                                       "histories /home/eve/.bash_history\n"
	                                       "histories /srv/bob/.bash_history");
}

static void test_more_than_can_be_told(void **state)
{
	struct image *t = *state;
	struct hygiene_findings f;
	struct hygiene_report report;
	struct host *h;
	struct err e;
	char name[64];

	image_fill(t);
	for (int i = 0; i <= HYGIENE_FINDINGS_MAX; i++) {
		snprintf(name, sizeof name, "var/log/x%04d", i);
		image_put(t, name, "x");
	}
	assert_ok(hygiene_look(t->fd, NULL, t->a, &f, &e));
	assert_int_equal(f.n, HYGIENE_FINDINGS_MAX);
	assert_true(f.more);
	assert_err(hygiene_refuse(&f, &e), ERR_INPUT, "at least 1000 things");
	assert_ok(host_open(t->path, HOST_LIVE, &h, &e));
	assert_ok(hygiene_clean(h, NULL, t->a, &report, &e));
	host_close(h);
	assert_int_equal(report.n_cleaned, 1);
	assert_string_equal(report.cleaned[0].path, "/var/log");
	assert_ok(hygiene_look(t->fd, NULL, t->a, &f, &e));
	assert_ok(hygiene_refuse(&f, &e));
}

static void test_words(void **state)
{
	struct image *t = *state;
	struct hygiene_findings f;
	struct err e;

	image_fill(t);
	image_put(t, "opt/x", "id = AKIAQ7ZX2M4K9P3R5T6W\n");
	image_put(t, "etc/hostname", "builder\n");
	assert_ok(hygiene_look(t->fd, NULL, t->a, &f, &e));
	assert_int_equal(f.n, 2);
	assert_string_equal(hygiene_words(&f.items[0], t->a),
	                    "hostname: '/etc/hostname': the name of the building machine; "
	                    "`build` and `provision --clean` remove it");
	assert_string_equal(hygiene_words(&f.items[1], t->a),
	                    "aws-keys: '/opt/x' at byte 5: an AWS access key; remove it, and make "
	                    "it invalid where it is from: it has been in a file");
	assert_err(hygiene_refuse(&f, &e), ERR_INPUT, "2 things that no image may have");
	f.n = 1;
	assert_err(hygiene_refuse(&f, &e), ERR_INPUT, "hostname: '/etc/hostname': the name of");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, image_setup, image_teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_each_is_found_by_its_rule),
	        TEST(test_each_rule_is_planted),
	        TEST(test_in_other_forms),
	        TEST(test_what_it_unpacks_to_is_told),
	        TEST(test_what_is_none_is_not_found),
	        TEST(test_cleaning),
	        TEST(test_what_is_allowed),
	        TEST(test_what_is_declared_stays),
	        TEST(test_what_would_be_taken),
	        TEST(test_secrets_in_large_files),
	        TEST(test_what_lies_behind_links),
	        TEST(test_homes),
	        TEST(test_more_than_can_be_told),
	        TEST(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
