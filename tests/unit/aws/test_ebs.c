/* SPDX-License-Identifier: Apache-2.0 */
/* EBS direct: starting, putting blocks, completing; what is tried again and what ends it all. */
#include "service.h"

#include "aws/ebs.h"
#include "base/str.h"

#define JSON       "Content-Type: application/json\r\n"
#define TYPE(type) "x-amzn-ErrorType: " type "\r\n"
#define PUT(n)     "PUT /snapshots/snap-1/blocks/" n " "
#define START      "POST /snapshots "

/* Blocks 3, 4, ... of zeros; how many there are, and which have arrived. */
struct blocks {
	uint32_t next, end, done;
	enum { NOTHING, NEXT, READ, DONE } fail; /* the callback that does */
};

static int next_block(void *ctx, struct ebs_block *ret, struct err *why)
{
	struct blocks *b = ctx;

	if (b->fail == NEXT)
		return err_set(why, ERR_HOST, REASON_HOST_FILE, EIO, "looking for the next");
	if (b->next == b->end)
		return 0;
	ret->index = b->next++;
	memset(ret->sha256, 7, sizeof ret->sha256);
	return 1;
}

static int read_block(void *ctx, uint32_t index, void *block, struct err *why)
{
	struct blocks *b = ctx;

	(void)index;
	memset(block, 'z', EBS_BLOCK);
	return b->fail == READ ? err_set(why, ERR_HOST, REASON_HOST_FILE, EIO, "reading the disk")
	                       : 0;
}

static int arrived(void *ctx, const struct ebs_block *block, struct err *why)
{
	struct blocks *b = ctx;

	(void)block;
	if (b->fail == DONE)
		return err_set(why, ERR_HOST, REASON_HOST_SPACE, ENOSPC, "noting it");
	b->done++;
	return 0;
}

static struct ebs_put putting(struct blocks *b, unsigned connections)
{
	return (struct ebs_put){
	        .snapshot = "snap-1",
	        .connections = connections,
	        .next = next_block,
	        .read = read_block,
	        .done = arrived,
	        .ctx = b,
	};
}

static void a_snapshot_is_started(void **state)
{
	static const struct script_row rows[] = {
	        {START, 0, 201, JSON, "{\"SnapshotId\":\"snap-0a1b\"}"}, {0}};
	const struct ebs_tag tags[] = {{"k", "v"}};
	struct ebs_start start = {
	        .gib = 8, .token = "tok", .timeout_min = 30, .tags = tags, .n_tags = 1};
	char id[EBS_ID] = "";

	(void)state;
	begin(rows);
	assert_ok(ebs_start(c, &start, id, soon(), &e));
	assert_string_equal(id, "snap-0a1b");
	assert_non_null(strstr(script_last(&s, START),
	                       "{\"VolumeSize\":8,\"Timeout\":30,\"ClientToken\":\"tok\","
	                       "\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}"));
	start = (struct ebs_start){.gib = 8,
	                           .token = "tok",
	                           .description = "d",
	                           .parent = "snap-9",
	                           .encrypted = true,
	                           .kms_key = "arn"};
	assert_ok(ebs_start(c, &start, id, soon(), &e));
	assert_non_null(
	        strstr(script_last(&s, START),
	               "\"ParentSnapshotId\":\"snap-9\",\"Encrypted\":true,\"KmsKeyArn\":\"arn\""));
	start.n_tags = EBS_TAGS_MAX + 1;
	start.tags = arena_array(a, start.n_tags, sizeof *tags);
	for (size_t i = 0; i < start.n_tags; i++)
		((struct ebs_tag *)(uintptr_t)start.tags)[i] = tags[0];
	assert_err(ebs_start(c, &start, id, soon(), &e), ERR_INPUT, "too many tags");
	start.n_tags = EBS_TAGS_MAX;
	assert_ok(ebs_start(c, &start, id, soon(), &e));
}

static void answers_that_name_none(void **state)
{
	static const char *const bodies[] = {
	        "", "{}", "{\"SnapshotId\":\"ami-1\"}", "{\"SnapshotId\":\"snap-XYZ\"}",
	        "{\"SnapshotId\":\"snap-000000000000000000000000000\"}"};
	const struct ebs_start start = {.gib = 8, .token = "tok"};
	char id[EBS_ID] = "untouched";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		const struct script_row rows[] = {{START, 0, 201, JSON, bodies[i]}, {0}};

		begin(rows);
		assert_err(ebs_start(c, &start, id, soon(), &e), ERR_DENIED, "starting a snapshot");
		assert_int_equal(e.reason, REASON_HTTP_STATUS);
		assert_string_equal(id, "untouched");
	}
}

static void blocks_arrive(void **state)
{
	static const struct script_row rows[] = {{"PUT ", 0, 201, NULL, NULL}, {0}};
	struct blocks b = {.next = 3, .end = 9};
	struct ebs_put p = putting(&b, 2);
	const char *sent;

	(void)state;
	begin(rows);
	assert_ok(ebs_put(c, &p, soon(), &e));
	assert_int_equal(b.done, 6);
	assert_int_equal(p.put, 6);
	assert_int_equal(p.attempts, 6);
	assert_int_equal(p.throttled, 0);
	assert_true(s.shared->connections <= 2);
	sent = script_last(&s, PUT("8"));
	assert_non_null(strstr(sent, "x-amz-Checksum-Algorithm: SHA256\r\n"));
	assert_non_null(strstr(sent, "x-amz-Data-Length: 524288\r\n"));
	assert_non_null(strstr(sent, "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"));
	assert_non_null(
	        strstr(sent, "x-amz-Checksum: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\r\n"));
}

static void passing_faults(void **state)
{
	static const struct script_row rows[] = {
	        {PUT("3"), 2, 400, TYPE("RequestThrottledException"), "{}"},
	        {PUT("4"), 1, 500, TYPE("InternalServerException"), "{}"},
	        {PUT("6"), 1, 400, TYPE("ConcurrentLimitExceededException"), "{}"},
	        {PUT("5"), 1, 0, NULL, NULL},
	        {"PUT ", 0, 201, NULL, NULL},
	        {0},
	};
	struct blocks b = {.next = 3, .end = 9};
	struct ebs_put p = putting(&b, 3);

	(void)state;
	begin(rows);
	assert_ok(ebs_put(c, &p, soon(), &e));
	assert_int_equal(b.done, 6);
	assert_int_equal(p.throttled, 3);
	assert_true(p.attempts >= 10);
}

static void a_new_snapshot_may_be_unknown_for_a_while(void **state)
{
	static const struct script_row rows[] = {
	        {"PUT ", 2, 404, TYPE("ResourceNotFoundException"), "{}"},
	        {"PUT ", 0, 201, NULL, NULL},
	        {0},
	};
	struct blocks b = {.next = 3, .end = 4};
	struct ebs_put p = putting(&b, 1);

	(void)state;
	begin(rows);
	assert_err(ebs_put(c, &p, soon(), &e), ERR_ABSENT, "putting block 3 of 'snap-1': try 1");
	begin(rows);
	b = (struct blocks){.next = 3, .end = 4};
	p = putting(&b, 1);
	p.just_started = true;
	assert_ok(ebs_put(c, &p, soon(), &e));
	assert_int_equal(b.done, 1);
}

static void what_ends_it_all(void **state)
{
	static const struct {
		const char *headers;
		int status;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
	        {TYPE("AccessDeniedException"), 403, ERR_DENIED, REASON_AWS_DENIED},
	        {TYPE("ValidationException"), 400, ERR_DENIED, REASON_AWS_INVALID},
	        {TYPE("ServiceQuotaExceededException"), 402, ERR_DENIED, REASON_AWS_QUOTA},
	        {TYPE("ConflictException"), 409, ERR_DENIED, REASON_AWS_CONFLICT},
	        {TYPE("ResourceNotFoundException"), 404, ERR_ABSENT, REASON_AWS_ABSENT},
	        {NULL, 418, ERR_DENIED, REASON_HTTP_STATUS},
	        {"x-amz-Checksum: b3RoZXI=\r\n", 201, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {
		        {"PUT ", 0, rows[i].status, rows[i].headers, "{\"Message\":\"words\"}"},
		        {0}};
		struct blocks b = {.next = 3, .end = 9};
		struct ebs_put p = putting(&b, 1);

		begin(script);
		assert_err(ebs_put(c, &p, soon(), &e), rows[i].kind, "putting block 3 of 'snap-1'");
		assert_int_equal(e.reason, rows[i].reason);
		assert_int_equal(s.shared->requests, 1);
		assert_int_equal(b.done, 0);
	}
}

static void a_disk_that_cannot_be_read(void **state)
{
	static const struct script_row rows[] = {{"PUT ", 0, 201, NULL, NULL}, {0}};
	struct blocks b = {.next = 3, .end = 9, .fail = READ};
	struct ebs_put p = putting(&b, 1);

	(void)state;
	begin(rows);
	assert_err(ebs_put(c, &p, soon(), &e), ERR_HOST, "reading the disk");
	assert_int_equal(s.shared->requests, 0);
	b.fail = NEXT;
	assert_err(ebs_put(c, &p, soon(), &e), ERR_HOST, "looking for the next");
	assert_int_equal(s.shared->requests, 0);
	/* What arrived and can't be noted isn't counted as noted, and nothing more is sent. */
	b.fail = DONE;
	assert_err(ebs_put(c, &p, soon(), &e), ERR_HOST, "noting it");
	assert_int_equal(e.no, ENOSPC);
	assert_int_equal(s.shared->requests, 1);
	assert_int_equal(b.done, 0);
}

/* Signing with the service's time, and with newer credentials, is tried within the same run. */
static void another_time_and_other_credentials(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        SCRIPT_ROLE,
	        {SCRIPT_CREDS_PATH, 1, 200, SCRIPT_DATE,
	         SCRIPT_KEYS("ASIAFIRST", "2026-01-01T06:00:00Z")},
	        {SCRIPT_CREDS_PATH, 0, 200, SCRIPT_DATE,
	         SCRIPT_KEYS("ASIANEWER", "2026-01-01T06:00:00Z")},
	        {PUT("3"), 1, 403, SCRIPT_DATE TYPE("RequestTimeTooSkewed"), "{}"},
	        {PUT("4"), 1, 403, TYPE("ExpiredTokenException"), "{}"},
	        {"PUT /snapshots", 0, 201, NULL, NULL},
	        {0},
	};
	struct blocks b = {.next = 3, .end = 6};
	struct ebs_put p = putting(&b, 1);

	(void)state;
	begin(rows);
	cloud_close(c);
	script_clock.wall = WALL + 1800;
	c = cloud_open(&(struct cloud_config){
	        .imds_endpoint = s.url, .ebs_endpoint = s.url, .region = "eu-west-1"});
	assert_ok(ebs_put(c, &p, soon(), &e));
	assert_int_equal(b.done, 3);
	assert_int_equal(p.put, 3);
	assert_int_equal(p.attempts, 5);
	assert_non_null(strstr(script_last(&s, PUT("3")), "Credential=ASIAFIRST/20260101/"));
	assert_non_null(strstr(script_last(&s, PUT("3")), "x-amz-date: 20260101T0000"));
	assert_non_null(strstr(script_last(&s, PUT("4")), "Credential=ASIANEWER/20260101/"));
}

/* Keys that were given can't be renewed, and a role's not for ever. */
static void credentials_that_stay_refused(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN, SCRIPT_ROLE,
	        SCRIPT_CREDS, {"PUT /snapshots", 0, 403, TYPE("ExpiredTokenException"), "{}"},
	        {0},
	};
	struct blocks b = {.next = 3, .end = 6};
	struct ebs_put p = putting(&b, 1);

	(void)state;
	begin(rows);
	assert_err(ebs_put(c, &p, soon(), &e), ERR_DENIED, "putting block 3 of 'snap-1': try 1");
	assert_int_equal(e.reason, REASON_CREDENTIALS_REJECTED);
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){
	        .imds_endpoint = s.url, .ebs_endpoint = s.url, .region = "eu-west-1"});
	b = (struct blocks){.next = 3, .end = 6};
	p = putting(&b, 1);
	assert_err(ebs_put(c, &p, soon(), &e), ERR_DENIED, "putting block 3 of 'snap-1': try 3");
	assert_int_equal(e.reason, REASON_CREDENTIALS_REJECTED);
	assert_int_equal(b.done, 0);
}

static void throttled_until_the_block_gives_up(void **state)
{
	static const struct script_row rows[] = {
	        {"PUT ", 0, 400, TYPE("RequestThrottledException"), "{}"}, {0}};
	struct blocks b = {.next = 3, .end = 4};
	struct ebs_put p = putting(&b, 1);

	(void)state;
	begin(rows);
	assert_err(ebs_put(c, &p, clock_in_ms(20000), &e), ERR_RETRY, "putting block 3");
	assert_int_equal(e.reason, REASON_AWS_THROTTLED);
	assert_true(p.attempts > 1 && p.throttled == p.attempts);
}

static void completing(void **state)
{
	static const struct script_row rows[] = {
	        {"POST /snapshots/completion/snap-1 ", 1, 202, JSON, "{}"},
	        {"POST /snapshots/completion/snap-1 ", 0, 400, TYPE("ValidationException"), "{}"},
	        {0},
	};
	unsigned char sum[SHA256_LEN] = {7};
	const char *sent;

	(void)state;
	begin(rows);
	assert_ok(ebs_complete(c, "snap-1", 6, sum, soon(), &e));
	sent = script_last(&s, "POST ");
	assert_non_null(strstr(sent, "x-amz-ChangedBlocksCount: 6\r\n"));
	assert_non_null(strstr(sent, "x-amz-Checksum-Aggregation-Method: LINEAR\r\n"));
	assert_non_null(strstr(sent, "x-amz-Checksum-Algorithm: SHA256\r\n"));
	assert_err(ebs_complete(c, "snap-1", 6, sum, soon(), &e), ERR_DENIED,
	           "completing 'snap-1'");
	assert_int_equal(e.reason, REASON_AWS_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_snapshot_is_started),
	        TEST(answers_that_name_none),
	        TEST(blocks_arrive),
	        TEST(passing_faults),
	        TEST(a_new_snapshot_may_be_unknown_for_a_while),
	        TEST(what_ends_it_all),
	        TEST(a_disk_that_cannot_be_read),
	        TEST(another_time_and_other_credentials),
	        TEST(credentials_that_stay_refused),
	        TEST(throttled_until_the_block_gives_up),
	        TEST(completing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
