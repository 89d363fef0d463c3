/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind munge: what its claim makes of a section, and key, places and credential on a machine
 * whose munge, unmunge and unit do as the test says. tests/unit/kinds/test_munge.c has the real ones.
 */
#include "kind_world.h"

#include "munge/munge.h"
#include "munge/munge_own.h"

#define KEY   "0123456789abcdef0123456789abcdef"
#define PLACE "machine/etc/munge/munge.key"
#define OWNER 64040

static const struct munge_spec *made; /* by claim */

static int claim(const char *section)
{
	int r = claim_of(&kind_munge, section, NULL);

	made = claimed;
	return r;
}

static int probe(void)
{
	return kind_probe(&kind_munge);
}

static int apply(void)
{
	return kind_apply(&kind_munge);
}

static int begin(void **state)
{
	if (!kind_begin(state, "munge.service"))
		return 0;
	put_etc("/etc/passwd", "root:x:0:0::/root:/bin/sh\nmunge:x:64040:64041::/:/bin/false\n");
	put_etc("/etc/group", "root:x:0:\nmunge:x:64041:\n");
	put("machine/etc/other", "");
	put("machine/var/lib/other", "");
	put("machine/var/log/other", "");
	put("key", KEY);
	put_program("munge", "echo MUNGE:credential\n");
	put_program("unmunge", arena_printf(arena, "cat >%s/read\n", top));
	assert_ok(claim(arena_printf(arena, "{key: 'file:%s/key'}", top)));
	return 0;
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *section, *message;
		enum reason reason;
	} rows[] = {
	        {"{}", "'key'", REASON_INPUT_REQUIRED},
	        {"{key: /k}", "s:1:14: '/k' is no place of a key: expected s3://, https://, file:/",
	         REASON_INPUT_RANGE},
	        {"{key: 'http://h/k'}",
	         "http isn't protected against changes on the way; use https",
	         REASON_INPUT_UNSUPPORTED},
	        {"{key: 'arn:aws:s3:::b/k'}", "is no place of a key", REASON_INPUT_RANGE},
	        {"{key: 'x:secretsmanager:y'}",
	         "expected s3://BUCKET/KEY, https://... or file:/PATH", REASON_INPUT_SYNTAX},
	        {"{key: 'https://h/k', create: true}",
	         "s:1:37: 'https://h/k' is not s3://...: only there a key is made",
	         REASON_INPUT_RANGE},
	        {"{key: 's3://bucket/k', create: true, sha256: ab}",
	         "s:1:53: of a key that is yet to be made nobody knows the sha256",
	         REASON_INPUT_RANGE},
	        {"{key: 's3://bucket/k', sha256: ab}", "s:1:39: 'ab' is not a sha256",
	         REASON_INPUT_RANGE},
	        {"{key: 'arn:aws:secretsmanager:r:1:secret:k', sha256: ab}",
	         "s:1:61: a secret has versions, not a sha256", REASON_INPUT_RANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(claim(rows[i].section), ERR_INPUT, rows[i].message);
		assert_string_equal(reason_row(e.reason)->name, reason_row(rows[i].reason)->name);
	}
	assert_ok(claim("{key: 'https://h/k'}"));
	assert_ok(claim("{key: 'arn:aws:secretsmanager:r:1:secret:k'}"));
	assert_ok(claim("{key: 's3://bucket/k', create: true}"));
}

static const char *joined(const struct field_strings *l)
{
	struct strbuf out = STRBUF(arena, 1024);

	for (size_t i = 0; i < l->n; i++)
		strbuf_printf(&out, "%s%s", i ? " " : "", l->items[i]);
	return out.data;
}

static void what_it_needs_and_provides(void **state)
{
	(void)state;
	assert_ok(claim("{key: 'file:/srv//k'}"));
	assert_string_equal(joined(&plan.steps[0]->needs),
	                    "path:/srv/k user:munge path:/etc/munge pkg:munge name:self");
	assert_string_equal(joined(&plan.steps[0]->provides),
	                    "path:/etc/munge/munge.key unit:munge.service munge:ready");
	assert_ok(claim("{key: 's3://bucket/k'}"));
	assert_string_equal(joined(&plan.steps[0]->needs),
	                    "user:munge path:/etc/munge pkg:munge name:self");
}

static void key_places_and_credential(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	w.active = true;
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "stop restart ");
	assert_string_equal(get(PLACE), KEY);
	assert_int_equal(stat(at(PLACE), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(st.st_uid, OWNER);
	assert_string_equal(calls_of("munge"), "--no-input\n");
	assert_string_equal(calls_of("unmunge"), "--metadata=/dev/null\n");
	assert_string_equal(get("read"), "MUNGE:credential\n");
	/* What apply has proven is not tried again; then the key is forgotten. */
	assert_true(made->fetched->known);
	assert_int_equal(probe(), 1);
	assert_string_equal(calls_of("munge"), "--no-input\n");
	assert_false(made->fetched->known);
	assert_int_equal(made->fetched->bytes.len, 0);
	/* It is in place: munged is only restarted. */
	assert_ok(apply());
	assert_string_equal(w.did.data, "restart ");
	w.active = false;
	assert_int_equal(probe(), 0);
}

/* Another process knows nothing of what was proven. */
static void a_probe_makes_a_credential_itself(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(apply());
	assert_ok(claim(arena_printf(arena, "{key: 'file:%s/key'}", top)));
	assert_int_equal(probe(), 1);
	assert_string_equal(calls_of("munge"), "--no-input\n--no-input\n");
	put_program("munge", "exit 1\n");
	assert_ok(claim(arena_printf(arena, "{key: 'file:%s/key'}", top)));
	assert_int_equal(probe(), 0);
}

static void a_credential_that_fails_is_told(void **state)
{
	(void)state;
	unit_need_root();
	put_program("unmunge", "echo 'unmunge: Error: Invalid credential' >&2; exit 3\n");
	assert_err(apply(), ERR_HOST,
	           "making and reading a munge credential: running 'unmunge': exit status 3: "
	           "unmunge: Error: Invalid credential");
	assert_int_equal(e.reason, REASON_MUNGE_ROUND_TRIP);
	assert_int_equal(probe(), 0);
	put_program("munge", "echo 'munge: Error: no socket' >&2; exit 6\n");
	assert_err(apply(), ERR_HOST, "running 'munge': exit status 6: munge: Error: no socket");
	assert_int_equal(e.reason, REASON_MUNGE_ROUND_TRIP);
	assert_int_equal(probe(), 0);
}

static void a_service_manager_that_fails(void **state)
{
	(void)state;
	unit_need_root();
	w.active = true;
	w.deaf = 1; /* before it is stopped: the key stays away */
	assert_err(apply(), ERR_HOST, "no answer");
	assert_int_equal(e.reason, REASON_UNIT_TIMEOUT);
	assert_int_equal(access(at(PLACE), F_OK), -1);
	w.deaf = 2;
	assert_err(apply(), ERR_HOST, "no answer");
	assert_int_equal(access(at(PLACE), F_OK), 0);
	assert_string_equal(calls_of("munge"), "");
	w.deaf = 1;
	assert_err(probe(), ERR_HOST, "no answer");
	w.deaf = 0;
	w.failing = true;
	assert_err(apply(), ERR_HOST, "start: it failed");
	assert_string_equal(calls_of("munge"), "");
}

/* The modes that munged accepts are left alone. */
static void modes_of_places(void **state)
{
	static const struct {
		const char *dir;
		unsigned mode, then;
	} rows[] = {
	        {"machine/etc/munge", 0700, 0700},     {"machine/etc/munge", 0500, 0500},
	        {"machine/etc/munge", 0740, 0700},     {"machine/etc/munge", 0701, 0700},
	        {"machine/var/lib/munge", 0755, 0755}, {"machine/var/lib/munge", 0700, 0700},
	        {"machine/var/lib/munge", 0731, 0711}, {"machine/var/lib/munge", 0713, 0711},
	        {"machine/var/log/munge", 0750, 0750}, {"machine/var/log/munge", 0720, 0700},
	        {"machine/var/log/munge", 0704, 0700}, {"machine/var/log/munge", 0701, 0700},
	};

	(void)state;
	unit_need_root();
	assert_ok(apply());
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stat st;

		assert_int_equal(chmod(at(rows[i].dir), rows[i].mode), 0);
		assert_int_equal(probe(), rows[i].mode == rows[i].then);
		assert_ok(apply());
		assert_int_equal(stat(at(rows[i].dir), &st), 0);
		if ((st.st_mode & 07777) != rows[i].then)
			fail_msg("%s %04o is then %04o", rows[i].dir, rows[i].mode,
			         st.st_mode & 07777);
	}
	assert_int_equal(chown(at("machine/etc/munge"), 1, 1), 0);
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_int_equal(probe(), 1);
}

static void what_cannot_be_changed_is_told(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(chmod(at("machine/var/lib"), 0777), 0);
	assert_err(
	        apply(), ERR_HOST,
	        "placing the munge key: '/var/lib' has mode 0777, and munged refuses what others "
	        "may write to");
	assert_int_equal(e.reason, REASON_MUNGE_KEY_UNSAFE);
	assert_int_equal(e.no, EPERM);
	assert_string_equal(w.did.data, "");
	assert_int_equal(chmod(at("machine/var/lib"), 0755), 0);
	put("machine/etc/munge", "a file\n");
	assert_err(apply(), ERR_HOST, "/etc/munge");
	assert_string_equal(w.did.data, "");
	assert_int_equal(unlink(at("machine/etc/munge")), 0);
	put("machine/etc/munge/munge.key/x", "");
	assert_err(apply(), ERR_HOST, "/etc/munge/munge.key");
	assert_int_equal(unlink(at("key")), 0);
	assert_ok(claim(arena_printf(arena, "{key: 'file:%s/key'}", top)));
	assert_err(apply(), ERR_HOST, "fetching the munge key");
	assert_err(probe(), ERR_HOST, "fetching the munge key");
}

static void a_dry_run_makes_no_credential(void **state)
{
	(void)state;
	unit_need_root();
	host->mode = HOST_DRY;
	assert_ok(apply());
	assert_string_equal(calls_of("munge"), "");
	assert_int_equal(access(at(PLACE), F_OK), -1);
}

int main(void)
{
#define MUNGE(fn) cmocka_unit_test_setup_teardown(fn, begin, kind_end)
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(what_is_refused),
	        SCRATCH_TEST(what_it_needs_and_provides),
	        MUNGE(key_places_and_credential),
	        MUNGE(a_probe_makes_a_credential_itself),
	        MUNGE(a_credential_that_fails_is_told),
	        MUNGE(a_service_manager_that_fails),
	        MUNGE(modes_of_places),
	        MUNGE(what_cannot_be_changed_is_told),
	        MUNGE(a_dry_run_makes_no_credential),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
