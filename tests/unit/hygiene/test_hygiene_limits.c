/* SPDX-License-Identifier: Apache-2.0 */
/* How long a secret has to be: what just is one, and what is one character or byte away from it. */
#include "found.h"

/* Base64 without order; "/+" are in none of the marks' sets. */
static const char mixed[] =
        "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hI3jK5lM7nO9pQ2rS4tU6vW8xY"
        "0zA2bC4dE6fG8hI0jK2lM4nO6pQ8rS0tU2vW4xY6zA8bC0dE2fG4hI6jK8lM0n";

static void assert_found(struct image *t, const char *text, size_t len, const char *rule)
{
	image_put_bytes(t, "opt/a", text, len);
	const char *found = found_in(t, NULL);
	const char *want = rule ? arena_printf(t->a, "%s /opt/a", rule) : "";
	if (!str_eq(found, want))
		fail_msg("'%.*s': found '%s', wanted '%s'", (int)len, text, found, want);
}

static void assert_text(struct image *t, const char *text, const char *rule)
{
	assert_found(t, text, strlen(text), rule);
}

/* Behind the head so many characters, and no fewer, are a secret; `most`: and no more. */
struct length {
	const char *rule, *head;
	int least;
	bool most;
	const char *tail;
};

static void test_lengths(void **state)
{
	static const struct length rows[] = {
	        {"tokens", "ghp_", 36, false, ""},
	        {"tokens", "gho_", 36, false, ""},
	        {"tokens", "ghu_", 36, false, ""},
	        {"tokens", "ghs_", 36, false, ""},
	        {"tokens", "ghr_", 36, false, ""},
	        {"tokens", "github_pat_", 70, false, ""},
	        {"tokens", "glpat-", 20, false, ""},
	        {"tokens", "gldt-", 20, false, ""},
	        {"tokens", "glrt-", 20, false, ""},
	        {"tokens", "glcbt-", 20, false, ""},
	        {"tokens", "glptt-", 20, false, ""},
	        {"tokens", "glsoat-", 20, false, ""},
	        {"tokens", "npm_", 36, false, ""},
	        {"tokens", "pypi-AgE", 56, false, ""},
	        {"tokens", "dckr_pat_", 24, false, ""},
	        {"tokens", "dop_v1_", 60, false, ""},
	        {"tokens", "hvs.", 24, false, ""},
	        {"tokens", "x.atlasv1.", 60, false, ""},
	        {"tokens", "glsa_", 32, false, ""},
	        {"tokens", "tskey-auth-", 16, false, ""},
	        {"tokens", "tskey-api-", 16, false, ""},
	        {"tokens", "nvapi-", 60, false, ""},
	        {"tokens", "sk_live_", 24, false, ""},
	        {"tokens", "rk_live_", 24, false, ""},
	        {"tokens", "GOCSPX-", 28, false, ""},
	        {"tokens", "sk-proj-", 40, false, ""},
	        {"tokens", "sk-ant-api", 40, false, ""},
	        {"tokens", "ATATT3xFfGF0", 60, false, ""},
	        {"tokens", "xoxa-1", 23, false, ""},
	        {"tokens", "xoxb-1", 23, false, ""},
	        {"tokens", "xoxe-1", 23, false, ""},
	        {"tokens", "xoxo-1", 23, false, ""},
	        {"tokens", "xoxp-1", 23, false, ""},
	        {"tokens", "xoxr-1", 23, false, ""},
	        {"tokens", "xoxs-1", 23, false, ""},
	        {"tokens", "hooks.slack.com/services/", 40, false, ""},
	        {"tokens", "_authToken=", 16, false, ""},
	        {"tokens", "SLURM_JWT=", 40, false, ""},
	        {"tokens", "x=hf_", 34, false, ""},
	        {"tokens", "x hf_", 34, false, ""},
	        {"tokens", "\"hf_", 34, false, ""},
	        {"tokens", "'hf_", 34, false, ""},
	        {"tokens", "x=SG.aB3dE5fG7hJ9kL1mN3pQ5r.", 43, true, ""},
	        {"tokens", "x SG.aB3dE5fG7hJ9kL1mN3pQ5r.", 43, true, ""},
	        {"tokens", "\"SG.", 22, true, ".aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9f"},
	        {"tokens", "'SG.", 22, true, ".aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9f"},
	        {"tokens", "AccountKey=", 86, true, "=="},
	        {"aws-keys", "aws_secret_access_key=", 40, true, ""},
	        {"aws-keys", "AWS_SECRET_ACCESS_KEY=", 40, true, ""},
	        {"aws-keys", "SecretAccessKey:", 40, true, ""},
	        {"aws-keys", "secretAccessKey:", 40, true, "\n"},
	        {"aws-keys", "aws_session_token=", 100, false, ""},
	        {"aws-keys", "AWS_SESSION_TOKEN=", 100, false, ""},
	        {"private-keys", "-----BEGIN PRIVATE KEY-----\n", 32, false, ""},
	        {"private-keys", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", 32, false, ""},
	        {"private-keys", "-----BEGIN OpenVPN Static key V1-----\n", 32, false, ""},
	        {"private-keys", "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", 32, false, ""},
	        {"private-keys", "AGE-SECRET-KEY-1", 58, false, ""},
	        {"private-keys", "PrivateKey = ", 43, true, "="},
	        {"private-keys", "PrivateKey = ", 43, true, "=\n"},
	        {"private-keys", "{\"kty\":\"x\",\"d\":\"", 32, false, ""},
	        {"private-keys", "{\"k\":\"", 32, false, "\",\"kty\":\"x\"}"},
	};
	struct image *t = *state;

	image_fill(t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int n = -1; n <= 1; n++)
			assert_text(t,
			            arena_printf(t->a, "%s%.*s%s", rows[i].head, rows[i].least + n,
			                         mixed, rows[i].tail),
			            n == 0 || (n > 0 && !rows[i].most) ? rows[i].rule : NULL);
}

#define BODY "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"
#define X15  "xxxxxxxxxxxxxxx"
#define X16  X15 "x"

/* One character next to what is one, on either side. */
static void test_what_is_near(void **state)
{
	static const struct {
		const char *text, *rule;
	} rows[] = {
	        {"AKIAQ7ZX2M4K9P3R5T6", NULL},
	        {"AKIAQ7ZX2M4K9P3R5T6W", "aws-keys"},
	        {"AKIAQ7ZX2M4K9P3R5T6Wx", NULL},
	        {"AKIAQ7ZX2M4K9P3R5T6W_", "aws-keys"},
	        {"AKIAQ7ZX2M4K9P3R5T6w", NULL},
	        {"AKIAq7ZX2M4K9P3R5T6W", NULL},
	        {"9AKIAQ7ZX2M4K9P3R5T6W", NULL},
	        {"_AKIAQ7ZX2M4K9P3R5T6W", "aws-keys"},
	        {"AKIAQ7ZX2M4K9EXAMPLE", NULL},
	        /* Between name and value. */
	        {"aws_secret_access_key =             wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz",
	         "aws-keys"},
	        {"aws_secret_access_key =                wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz",
	         NULL},
	        {"aws_secret_access_key wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz", NULL},
	        /* Ten characters that differ look random, nine don't. */
	        {"aws_secret_access_key=abcdefghijabcdefghijabcdefghijabcdefghij", "aws-keys"},
	        {"aws_secret_access_key=abcdefghiaabcdefghiaabcdefghiaabcdefghia", NULL},
	        /* In a word of its own. */
	        {"xghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5", NULL},
	        {"_ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5", NULL},
	        {"-ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5", "tokens"},
	        {"xoxb-a23456789012345678901234", NULL},
	        {"xoxc-123456789012345678aBcDeF", NULL},
	        /* Up to seven headers before the key. */
	        {"-----BEGIN PRIVATE KEY-----\nA: b\nA: b\nA: b\nA: b\nA: b\nA: b\nA: b\n" BODY,
	         "private-keys"},
	        {"-----BEGIN PRIVATE KEY-----\nA: b\nA: b\nA: b\nA: b\nA: b\nA: b\nA: b\nA: b\n" BODY,
	         NULL},
	        {"-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "private-keys"},
	        {"-----BEGIN PRIVATE KEY-----\nA", NULL},
	        {"-----BEGIN PRIVATE KEY-----\n", NULL},
	        {"-----BEGIN PRIVATE KEY-----", NULL},
	        {"-----BEGIN PRIVATE KEY-----\\n\\r\\t" BODY, "private-keys"},
	        {"-----BEGIN PRIVATE KEY-----\\x" BODY, "private-keys"},
	        {"-----BEGIN PRIVATE KEY-----\\", NULL},
	        /* Its kind has so much room. */
	        {"-----BEGIN " X15 X16 X16 " PRIVATE KEY-----\n" BODY, "private-keys"},
	        {"-----BEGIN " X16 X16 X16 " PRIVATE KEY-----\n" BODY, NULL},
	        {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", NULL},
	        /* WireGuard's of 44 characters, to the end. */
	        {"PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk==", NULL},
	        {"PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmkx", NULL},
	        {"\n\nPrivate-key-format: v1\nKey: x\n", "private-keys"},
	        {"Private-key-format: v1\nPrivateExponent: x\n", "private-keys"},
	        {"Private-key-format: v1\nPublicKey: x\n", NULL},
	};
	struct image *t = *state;

	image_fill(t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_text(t, rows[i].text, rows[i].rule);
}

/* What makes it a secret is looked for in 2048 bytes from the mark, for a JWK also before it. */
static void test_how_far_is_looked(void **state)
{
	static const struct {
		const char *head, *tail; /* so many spaces are between them */
		int most;
	} rows[] = {
	        {"PuTTY-User-Key-File-3: x\n", "Private-Lines:", 2048 - 25 - 14},
	        {"Private-key-format: v1", "\nKey: ", 2048 - 22 - 6},
	        {"\"kty\":\"\"", "\"k\":\"" BODY "\"", 2048 - 8 - 5 - 32},
	        {"\"k\":\"" BODY "\"", "\"kty\"", 2048 - 38},
	};
	struct image *t = *state;

	image_fill(t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int n = 0; n < 2; n++)
			assert_text(t,
			            arena_printf(t->a, "%s%*s%s", rows[i].head, rows[i].most + n,
			                         "", rows[i].tail),
			            n ? NULL : "private-keys");
}

#define Z16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define Z32 Z16 Z16
#define Z63 Z32 Z16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

#define B(bytes) (bytes), sizeof(bytes) - 1

static void test_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *rule;
	} rows[] = {
	        /* DER: 64 bytes of a modulus, 16 of a curve's secret; a length of one byte, one
	         * behind 0x81, two behind 0x82. */
	        {B("\x30\x45\2\1\0\2\x40" Z63 "\0"), "private-keys"},
	        {B("\x30\x44\2\1\0\2\x3f" Z63), NULL},
	        {B("\x30\x81\x45\2\1\0\2\x40" Z63 "\0"), "private-keys"},
	        {B("\x30\x82\0\x45\2\1\0\2\x40" Z63 "\0"), "private-keys"},
	        {B("\x30\x84\0\0\0\x45\2\1\0\2\x40" Z63 "\0"), "private-keys"},
	        {B("\x30\x85\0\0\0\0\x45\2\1\0\2\x40" Z63 "\0"), NULL},
	        {B("\x30\x80\2\1\0\2\x40" Z63 "\0"), NULL},
	        {B("\x30\x46\2\1\0\2\x40" Z63 "\0"), NULL},
	        {B("\x30\x15\2\1\1\4\x10" Z16), "private-keys"},
	        {B("\x30\x14\2\1\1\4\x0f"
	           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	         NULL},
	        {B("\x30\x16\2\1\1\x30\x11\6" Z16), "private-keys"},
	        {B("\x30\x16\2\1\1\x30\x11\5" Z16), NULL},
	        {B("\x30\x0d\x30\x0b\6\x09\x2a\x86\x48\x86\xf7\x0d\1\5\x0d"), "private-keys"},
	        {B("\x30\x0e\x30\x0c\6\x0a\x2a\x86\x48\x86\xf7\x0d\1\x0c\1\3"), "private-keys"},
	        {B("\x30\x0d\x30\x0b\6\x09\x2a\x86\x48\x86\xf7\x0d\1\6\x0d"), NULL},
	        {B("\x30"), NULL},
	        {B("\x30\0"), NULL},
	        {B("\x30\x81"), NULL},
	        /* Java: a first entry that is a key. */
	        {B("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1"), "private-keys"},
	        {B("\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0"), NULL},
	        /* OpenPGP: 32 bytes, all there, of an algorithm for keys. */
	        {B("\x94\x20\4\1\2\3\4\1" Z16 "\0\0\0\0\0\0\0\0\0\0"), "private-keys"},
	        {B("\x94\x1f\4\1\2\3\4\1" Z16 "\0\0\0\0\0\0\0\0\0\0"), NULL},
	        {B("\x94\x20\4\1\2\3\4\1" Z16 "\0\0\0\0\0\0\0\0\0"), NULL},
	        {B("\x94\x20\4\1\2\3\4\0" Z32), NULL},
	        {B("\x94\x20\4\1\2\3\4\3" Z32), "private-keys"},
	        {B("\x94\x20\4\1\2\3\4\4" Z32), NULL},
	        {B("\x94\x20\4\1\2\3\4\x0f" Z32), NULL},
	        {B("\x94\x20\4\1\2\3\4\x10" Z32), "private-keys"},
	        {B("\x94\x20\4\1\2\3\4\x1c" Z32), "private-keys"},
	        {B("\x94\x20\4\1\2\3\4\x1d" Z32), NULL},
	        {B("\x94\x20\3\1\2\3\4\1" Z32), NULL},
	        {B("\x95\0\x20\4\1\2\3\4\1" Z32), "private-keys"},
	        {B("\x95\1\x20\4\1\2\3\4\1" Z32), NULL},
	        {B("\xc5\x20\4\1\2\3\4\1" Z32), "private-keys"},
	        {B("\xc5\xbf\4\1\2\3\4\1" Z63 Z63 Z63), "private-keys"},
	        {B("\xc5\xc0\0\4\1\2\3\4\1" Z63 Z63 Z63), "private-keys"},
	        {B("\xc5\xc0\0\4\1\2\3\4\1" Z63 Z63 Z32 Z16 "\0\0\0\0\0\0\0"), NULL},
	        {B("\xc5\xc0\0\4\1\2\3\4\1" Z63 Z63 Z32 Z16 "\0\0\0\0\0\0\0\0\0\0\0\0"),
	         "private-keys"},
	        /* A keytab's first entry is of 16 bytes at least, all there. */
	        {B("\5\2\0\0\0\x10" Z16), "kerberos-keytab"},
	        {B("\5\2\0\0\0\x0f" Z16), NULL},
	        {B("\5\2\0\0\0\x11" Z16), NULL},
	        {B("\5\2\1\0\0\x10" Z16), NULL},
	        {B("\5\2\0\1\0\x10" Z16), NULL},
	        {B("\5\2\0\0\1\x10" Z16), NULL},
	        {B("\5\1\0\0\0\x10" Z16), NULL},
	        {B("\4\2\0\0\0\x10" Z16), NULL},
	        {B("\5\2\0\0\0"), NULL},
	        /* A core dump is told by its first 18 bytes. */
	        {B("\x7f\x45LF\2\1\1\0\0\0\0\0\0\0\0\0\4\0"), "crash-dumps"},
	        {B("\x7f\x45LF\2\1\1\0\0\0\0\0\0\0\0\0\4"), NULL},
	        {B("\x7f\x45LF\2\1\1\0\0\0\0\0\0\0\0\0\4\1"), NULL},
	        {B("\x7f\x45LF\2\2\1\0\0\0\0\0\0\0\0\0\0\4"), "crash-dumps"},
	        {B("\x7f\x45LF\2\2\1\0\0\0\0\0\0\0\0\0\4\0"), NULL},
	};
	struct image *t = *state;

	image_fill(t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		image_put_bytes(t, "opt/a", rows[i].text, rows[i].len);
		const char *found = found_in(t, NULL);
		const char *want =
		        rows[i].rule ? arena_printf(t->a, "%s /opt/a", rows[i].rule) : "";
		if (!str_eq(found, want))
			fail_msg("row %zu: found '%s', wanted '%s'", i, found, want);
	}
}

static void test_swap_areas(void **state)
{
	struct image *t = *state;
	char *text = arena_alloc(t->a, 2 << 16);

	image_fill(t);
	for (size_t page = 2048; page <= 1 << 17; page *= 2) {
		bool is = page >= 4096 && page <= 65536;

		memset(text, 0, 2 << 16);
		memcpy(text + page - 10, "SWAPSPACE2", 10);
		assert_found(t, text, page, is ? "swap-files" : NULL);
		if (is)
			assert_found(t, text, page - 1, NULL);
	}
}

/* A line is read up to its 1023rd character. */
static void test_long_lines(void **state)
{
	struct image *t = *state;

	image_fill(t);
	for (int n = 0; n < 2; n++) {
		/* "X='" and the value; its first character is the last that is read. */
		image_put(t, "etc/environment",
		          arena_printf(t->a, "A=%*s B_PASSWORD=p\n", 1022 - 2 - 12 + n, ""));
		assert_string_equal(found_in(t, NULL),
		                    n ? "" : "environment-passwords /etc/environment");
	}
}

static void test_accounts(void **state)
{
	static const struct {
		const char *line;
		bool found;
	} rows[] = {
	        {"a:x:0:0::/:/bin/sh", true},
	        {"a:x:1:0::/:/bin/sh", false},
	        {"a:x:00:0::/:/bin/sh", false},
	        {"root:x:0:0::/:/bin/sh", false},
	        {"a:aaZ012345678:1:0::/:/", false},
	        {"a:aaZ0123456789:1:0::/:/", true},
	        {"a:aaZ01234567890:1:0::/:/", false},
	        {"a::1:0::/:/", true},
	        {"a::1", false},
	        {"a::", false},
	        {"a", false},
	        {"a:$1$:x", false},
	        {"a:$1$:x:y", true},
	        {"a:::", false},
	        {"a::::", true},
	};
	struct image *t = *state;

	image_fill(t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		image_put(t, "etc/shadow", arena_printf(t->a, "%s\n", rows[i].line));
		if (str_eq(found_in(t, NULL), "accounts /etc/shadow") != rows[i].found)
			fail_msg("'%s': '%s'", rows[i].line, found_in(t, NULL));
	}
}

/* The rest of passwd has homes as well, but what is searched for has an end. */
static void test_many_homes(void **state)
{
	struct image *t = *state;
	struct strbuf passwd = STRBUF(t->a, 1 << 16);
	struct hygiene_findings f;
	struct err e;

	image_fill(t);
	/* Three are looked at always. */
	for (int i = 0; i < 256 - 3; i++)
		strbuf_printf(&passwd, "u%d:x:%d:0::/srv/h%d:/bin/sh\n", i, i + 1, i);
	strbuf_str(&passwd, "last:x:999:0::/srv/last:/bin/sh\n");
	image_put(t, "etc/passwd", passwd.data);
	image_put(t, "srv/h252/.bash_history", "x");
	image_put(t, "srv/last/.bash_history", "x");
	assert_string_equal(found_in(t, NULL), "histories /srv/h252/.bash_history");
	char *large = arena_alloc(t->a, (1 << 20) + 2);
	memset(large, 'x', (1 << 20) + 1);
	large[1 << 20] = '\0';
	image_put(t, "etc/passwd", large);
	assert_ok(hygiene_look(t->fd, NULL, t->a, &f, &e));
	large[1 << 20] = 'x';
	large[(1 << 20) + 1] = '\0';
	image_put(t, "etc/passwd", large);
	assert_err(hygiene_look(t->fd, NULL, t->a, &f, &e), ERR_INPUT, "passwd");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, image_setup, image_teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_lengths),  TEST(test_what_is_near), TEST(test_how_far_is_looked),
	        TEST(test_bytes),    TEST(test_swap_areas),   TEST(test_long_lines),
	        TEST(test_accounts), TEST(test_many_homes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
