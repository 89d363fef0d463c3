/* SPDX-License-Identifier: Apache-2.0 */
/* The munge key: when one is made, and which one counts. */
#include "aws/service.h"

#include "munge/munge_own.h"

#define GET       "GET /bucket/munge.key "
#define PUT       "PUT /bucket/munge.key "
#define CODE(c)   "<Error><Code>" c "</Code></Error>"
#define WINNERS   "0123456789abcdef0123456789abcdef"
#define NO_SUCH   404, NULL, CODE("NoSuchKey")
#define NO_ACCESS 403, NULL, CODE("AccessDenied")

static struct munge_key key;

static struct munge_spec spec_of(bool create)
{
	munge_key_forget(&(struct munge_spec){.fetched = &key});
	return (struct munge_spec){
	        .key = "s3://bucket/munge.key", .create = create, .fetched = &key};
}

static struct host *open_host(enum host_mode mode)
{
	struct host *h = NULL;

	assert_ok(host_open("/", mode, &h, &e));
	return h;
}

static int make(const struct munge_spec *m, enum host_mode mode)
{
	struct host *h = open_host(mode);
	const struct step_ctx ctx = {.host = h, .cloud = c, .arena = a, .deadline = soon()};
	int r = munge_key_make(&ctx, m, &e);

	host_close(h);
	return r;
}

static int get(const struct munge_spec *m)
{
	struct host *h = open_host(HOST_LIVE);
	const struct step_ctx ctx = {.host = h, .cloud = c, .arena = a, .deadline = soon()};
	int r = munge_key_get(&ctx, m, &e);

	host_close(h);
	return r;
}

static void one_that_is_there_is_used(void **state)
{
	static const struct script_row rows[] = {{GET, 0, 200, NULL, WINNERS}, {0}};
	struct munge_spec m = spec_of(true);

	(void)state;
	begin(rows);
	assert_int_equal(make(&m, HOST_LIVE), 1);
	assert_true(blob_eq(munge_key_bytes(&m), WINNERS));
	assert_string_equal(script_last(&s, "PUT /bucket"), "");
}

/* Looking makes nothing. */
static void none_is_made_by_looking(void **state)
{
	static const struct script_row rows[] = {{GET, 0, NO_SUCH}, {0}};
	struct munge_spec m = spec_of(true);

	(void)state;
	begin(rows);
	assert_int_equal(get(&m), 0);
	assert_int_equal(make(&m, HOST_DRY), 1);
	assert_int_equal(munge_key_bytes(&m).len, 1024);
	assert_string_equal(script_last(&s, "PUT /bucket"), "");
	m = spec_of(false);
	assert_err(get(&m), ERR_ABSENT, "fetching the munge key");
	assert_err(make(&m, HOST_LIVE), ERR_ABSENT, "fetching the munge key");
	assert_string_equal(script_last(&s, "PUT /bucket"), "");
}

static void the_stored_one_counts(void **state)
{
	static const struct script_row rows[] = {
	        {GET, 1, NO_SUCH}, {PUT, 1, 200, NULL}, {GET, 0, 200, NULL, WINNERS}, {0}};
	struct munge_spec m = spec_of(true);

	(void)state;
	begin(rows);
	assert_int_equal(make(&m, HOST_LIVE), 1);
	assert_non_null(strstr(script_last(&s, "PUT /bucket"), "If-None-Match: *\r\n"));
	assert_non_null(strstr(script_last(&s, "PUT /bucket"), "Content-Length: 1024\r\n"));
	assert_true(blob_eq(munge_key_bytes(&m), WINNERS));
	/* It is asked for once in a process, until it is forgotten. */
	script_stop(&s);
	assert_int_equal(get(&m), 1);
	assert_int_equal(make(&m, HOST_LIVE), 1);
	munge_key_forget(&m);
	assert_int_equal(munge_key_bytes(&m).len, 0);
	assert_false(key.known);
}

/* Another one was faster, or an earlier try of ours whose answer was lost. */
static void who_comes_second_reads_the_winners(void **state)
{
	static const struct script_row rows[] = {
	        {GET, 1, NO_SUCH},
	        {PUT, 1, 0, NULL},
	        {PUT, 1, 412, NULL, CODE("PreconditionFailed")},
	        {GET, 0, 200, NULL, WINNERS},
	        {0},
	};
	struct munge_spec m = spec_of(true);

	(void)state;
	begin(rows);
	assert_int_equal(make(&m, HOST_LIVE), 1);
	assert_true(blob_eq(munge_key_bytes(&m), WINNERS));
}

/* Whoever may not list the bucket is told "denied" of what isn't there. */
static void without_the_right_to_list(void **state)
{
	static const struct script_row rows[] = {
	        {GET, 1, NO_ACCESS}, {PUT, 1, 200, NULL}, {GET, 0, 200, NULL, WINNERS}, {0}};
	static const struct script_row closed[] = {{GET, 0, NO_ACCESS},
	                                           {PUT, 1, 412, NULL, CODE("PreconditionFailed")},
	                                           {PUT, 0, NO_ACCESS},
	                                           {0}};
	struct munge_spec m = spec_of(true);

	(void)state;
	begin(rows);
	assert_int_equal(make(&m, HOST_LIVE), 1);
	m = spec_of(true);
	begin(closed);
	assert_err(make(&m, HOST_LIVE), ERR_DENIED, "reading the munge key that is stored");
	assert_err(make(&m, HOST_LIVE), ERR_DENIED, "making the munge key");
	assert_int_equal(e.reason, REASON_S3_ACCESS_DENIED);
}

static void a_stored_one_that_is_none(void **state)
{
	static const struct script_row rows[] = {
	        {GET, 1, NO_SUCH}, {PUT, 1, 200, NULL}, {GET, 0, 200, NULL, "short"}, {0}};
	struct munge_spec m = spec_of(true);

	(void)state;
	begin(rows);
	assert_err(make(&m, HOST_LIVE), ERR_INPUT, "5 bytes, expected 32 to 8192");
	assert_int_equal(e.reason, REASON_MUNGE_KEY_INVALID);
	assert_false(key.known);
}

/* As short and as long as a key may be, byte for byte. */
static void keys_at_their_limits(void **state)
{
	static const struct {
		size_t len;
		bool good;
	} rows[] = {{31, false}, {32, true}, {8192, true}, {8193, false}};
	struct munge_spec m = spec_of(false);
	char path[] = "/tmp/unit-munge-XXXXXX", bytes[8193];
	int fd = mkstemp(path);

	(void)state;
	begin((const struct script_row[]){{0}});
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7);
	m.key = arena_printf(a, "file:%s", path);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		munge_key_forget(&m);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, rows[i].len, 0), rows[i].len);
		if (!rows[i].good) {
			assert_err(get(&m), ERR_INPUT, "munge key");
			assert_false(key.known);
			continue;
		}
		assert_int_equal(get(&m), 1);
		assert_int_equal(munge_key_bytes(&m).len, rows[i].len);
		assert_memory_equal(munge_key_bytes(&m).data, bytes, rows[i].len);
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(one_that_is_there_is_used), TEST(none_is_made_by_looking),
	        TEST(the_stored_one_counts),     TEST(who_comes_second_reads_the_winners),
	        TEST(without_the_right_to_list), TEST(a_stored_one_that_is_none),
	        TEST(keys_at_their_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
