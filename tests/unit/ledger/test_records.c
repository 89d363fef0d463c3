/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: what was synced is there, wherever the rest was torn. */
#include "ledger/records.h"

#include <signal.h>
#include <sys/resource.h>

#include "scratch.h"

static struct strbuf seen; /* the records that were read, each followed by ';' */

static int take(void *ctx, const char *text, struct err *err)
{
	(void)ctx;
	if (str_eq(text, "refused"))
		return err_set(err, ERR_INTEGRITY, REASON_INPUT_TYPE, EBADMSG, "no such record");
	strbuf_str(&seen, text);
	strbuf_char(&seen, ';');
	return 0;
}

static const char *read_all(struct records *j)
{
	seen = STRBUF(arena, 65536);
	strbuf_str(&seen, "");
	assert_ok(records_open(j, at("j"), take, NULL, &e));
	return seen.data;
}

static void write_all(const char *const *texts, size_t n)
{
	scope_records struct records j = RECORDS_INIT;

	(void)read_all(&j);
	for (size_t i = 0; i < n; i++)
		assert_ok(records_add(&j, texts[i], &e));
	assert_ok(records_sync(&j, &e));
}

static void what_is_written_is_read(void **state)
{
	static const char *const texts[] = {"one", "", "{\"a\": \"b c\"}"};
	struct stat st;

	(void)state;
	write_all(texts, 3);
	scope_records struct records j = RECORDS_INIT;
	assert_string_equal(read_all(&j), "one;;{\"a\": \"b c\"};");
	assert_int_equal(stat(at("j"), &st), 0);
	assert_int_equal(st.st_size, j.size);
	assert_int_equal(st.st_mode & 0007, 0);
	assert_string_equal(get("j"), "7692c3ad3540bb80 one\ne3b0c44298fc1c14 \n"
	                              "ca43d55776ea39ba {\"a\": \"b c\"}\n");
}

/* Every length that a crash may leave: the whole records before it count, and writing goes on. */
static void torn_at_any_byte_it_goes_on(void **state)
{
	static const char *const texts[] = {"first", "second", "third"};
	static const char *const after[] = {"later"};
	const char *whole;
	size_t ends[4] = {0}, n = 0;

	(void)state;
	write_all(texts, 3);
	whole = arena_strdup(arena, get("j"));
	for (size_t i = 0; whole[i]; i++)
		if (whole[i] == '\n')
			ends[++n] = i + 1;
	for (size_t len = 0; len <= strlen(whole); len++) {
		size_t have = 0;

		while (have < 3 && ends[have + 1] <= len)
			have++;
		put("j", arena_memdup(arena, whole, len));
		write_all(after, 1);
		scope_records struct records j = RECORDS_INIT;
		struct strbuf want = STRBUF(arena, 100);
		for (size_t i = 0; i < have; i++)
			strbuf_printf(&want, "%s;", texts[i]);
		strbuf_str(&want, "later;");
		assert_string_equal(read_all(&j), want.data);
	}
}

static void any_byte_that_changed_ends_the_reading(void **state)
{
	static const char *const texts[] = {"first", "second"};
	char *whole;
	size_t first;

	(void)state;
	write_all(texts, 2);
	whole = arena_strdup(arena, get("j"));
	first = strcspn(whole, "\n") + 1;
	for (size_t i = 0; i < strlen(whole); i++) {
		char kept = whole[i];

		whole[i] = kept == '0' ? '1' : '0';
		put("j", whole);
		whole[i] = kept;
		scope_records struct records j = RECORDS_INIT;
		assert_string_equal(read_all(&j), i < first ? "" : "first;");
		assert_int_equal(j.size, i < first ? 0 : first);
	}
}

static void a_nul_is_in_no_record(void **state)
{
	scope_fd int fd = open(at("j"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	scope_arena struct arena *own = arena_new();
	struct strbuf line = STRBUF(own, 100);

	(void)state;
	records_line("ab", &line);
	line.data[18] = '\0';
	assert_ok(file_write_all(fd, line.data, line.len));
	scope_records struct records j = RECORDS_INIT;
	assert_string_equal(read_all(&j), "");
}

static void looking_changes_nothing(void **state)
{
	static const char *const texts[] = {"first", "second"};
	size_t size = 0, torn = 0;

	(void)state;
	write_all(texts, 2);
	size_t len = strlen(get("j"));
	assert_int_equal(truncate(at("j"), (off_t)len - 2), 0);
	seen = STRBUF(arena, 100);
	assert_ok(records_read(at("j"), take, NULL, &size, &torn, &e));
	assert_string_equal(seen.data, "first;");
	assert_int_equal(size + torn, len - 2);
	assert_int_equal(torn, 17 + 7 - 2);
	assert_int_equal(strlen(get("j")), len - 2);
	assert_ok(records_read(at("j"), take, NULL, NULL, &torn, &e));
	assert_err(records_read(at("absent"), take, NULL, NULL, &torn, &e), ERR_HOST, "absent");
}

static void there_is_one_writer(void **state)
{
	scope_records struct records j = RECORDS_INIT;
	struct records other = RECORDS_INIT;

	(void)state;
	(void)read_all(&j);
	assert_cloexec(j.fd);
	assert_err(records_open(&other, at("j"), take, NULL, &e), ERR_BUSY,
	           "another process writes to it");
	assert_int_equal(other.fd, -1);
	records_close(&j);
	records_close(&j);
	(void)read_all(&other);
	records_close(&other);
}

static void what_can_not_be_read_is_told(void **state)
{
	static const char *const texts[] = {"refused"};
	struct records j = RECORDS_INIT;

	(void)state;
	write_all(texts, 1);
	assert_err(records_open(&j, at("j"), take, NULL, &e), ERR_INTEGRITY,
	           arena_printf(arena, "reading '%s': no such record", at("j")));
	assert_err(records_open(&j, at("no/j"), take, NULL, &e), ERR_HOST, "no/j");
	assert_int_equal(mkdir(at("d"), 0700), 0);
	assert_err(records_open(&j, at("d"), take, NULL, &e), ERR_HOST, "/d'");
	assert_int_equal(symlink(at("j"), at("l")), 0);
	assert_err(records_open(&j, at("l"), take, NULL, &e), ERR_HOST, "/l'");
}

static void what_is_no_record_is_a_bug(void **state)
{
	scope_records struct records j = RECORDS_INIT;
	char *big = arena_alloc(arena, RECORDS_TEXT_MAX + 2);

	(void)state;
	(void)read_all(&j);
	assert_err(records_add(&j, "a\nb", &e), ERR_BUG, "record");
	memset(big, 'x', RECORDS_TEXT_MAX + 1);
	assert_err(records_add(&j, big, &e), ERR_BUG, "record");
	big[RECORDS_TEXT_MAX] = '\0';
	assert_ok(records_add(&j, big, &e));
}

/* As on a disk that is full: what was written in part goes, and the next record can be read. */
static void a_record_that_has_no_room_leaves_none(void **state)
{
	scope_records struct records j = RECORDS_INIT;
	struct rlimit limit, small;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	(void)read_all(&j);
	assert_ok(records_add(&j, "first", &e));
	getrlimit(RLIMIT_FSIZE, &limit);
	small = limit;
	small.rlim_cur = j.size + 5;
	setrlimit(RLIMIT_FSIZE, &small);
	int r = records_add(&j, "second", &e);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(strlen(get("j")), j.size);
	assert_ok(records_add(&j, "third", &e));
	records_close(&j);
	assert_string_equal(read_all(&j), "first;third;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(what_is_written_is_read),
	        SCRATCH_TEST(torn_at_any_byte_it_goes_on),
	        SCRATCH_TEST(any_byte_that_changed_ends_the_reading),
	        SCRATCH_TEST(a_nul_is_in_no_record),
	        SCRATCH_TEST(looking_changes_nothing),
	        SCRATCH_TEST(there_is_one_writer),
	        SCRATCH_TEST(what_can_not_be_read_is_told),
	        SCRATCH_TEST(what_is_no_record_is_a_bug),
	        SCRATCH_TEST(a_record_that_has_no_room_leaves_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
