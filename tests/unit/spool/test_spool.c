/* SPDX-License-Identifier: Apache-2.0 */
/* The spool: written whole, read in order, and what is no request. */
#include "spool/spool.h"

#include "scratch.h"

static struct spool all;
static int synced;

/* Stands before libc's. */
int fsync(int fd)
{
	(void)fd;
	synced++;
	return 0;
}

static void what_is_put_is_read_in_order_and_goes(void **state)
{
	static const struct {
		enum spool_verb verb;
		const char *nodes, *jobs;
	} rows[] = {
	        {SPOOL_RESUME, "q-dy-a-[1-3]", "{\"jobs\":[]}\nmore\n"},
	        {SPOOL_SUSPEND, "b", ""},
	        {SPOOL_RESUME_FAIL, "c", ""},
	        {SPOOL_START, "", ""},
	        {SPOOL_STOP, "", ""},
	        {SPOOL_RECONCILE, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_ok(spool_put(top, rows[i].verb, rows[i].nodes,
		                    (struct blob){rows[i].jobs, strlen(rows[i].jobs)}, &e));
	assert_ok(spool_read(top, arena, &all, &e));
	assert_int_equal(all.n, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(all.items[i].verb, rows[i].verb);
		assert_string_equal(all.items[i].nodes, rows[i].nodes);
		assert_int_equal(all.items[i].jobs.len, strlen(rows[i].jobs));
		assert_memory_equal(all.items[i].jobs.data, rows[i].jobs, strlen(rows[i].jobs));
	}
	assert_ok(spool_done(top, &all.items[0], &e));
	assert_ok(spool_read(top, arena, &all, &e));
	assert_int_equal(all.n, ARRAY_LEN(rows) - 1);
	assert_int_equal(all.items[0].verb, SPOOL_SUSPEND);
	assert_ok(spool_done(top, &all.items[0], &e));
	assert_ok(spool_done(top, &all.items[0], &e)); /* one that is gone already */
}

/* slurmctld waits for its programs: a sync may take longer than all the rest. */
static void what_slurm_says_is_not_waited_for(void **state)
{
	(void)state;
	synced = 0;
	for (enum spool_verb v = SPOOL_RESUME; v <= SPOOL_RESUME_FAIL; v++)
		assert_ok(spool_put(top, v, "a", (struct blob){0}, &e));
	assert_int_equal(synced, 0);
	assert_ok(spool_put(top, SPOOL_STOP, "", (struct blob){0}, &e));
	assert_int_equal(synced, 2);
}

/* Root's request is read by the service, which isn't root. */
static void it_is_of_the_spools_owner(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	assert_int_equal(chown(top, 12345, 23456), 0);
	assert_ok(spool_put(top, SPOOL_STOP, "", (struct blob){0}, &e));
	assert_ok(spool_read(top, arena, &all, &e));
	assert_int_equal(stat(at(all.items[0].name), &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 23456);
}

static void nobody_else_may_read_it(void **state)
{
	struct stat st;

	(void)state;
	assert_ok(spool_put(top, SPOOL_STOP, "", (struct blob){0}, &e));
	assert_ok(spool_read(top, arena, &all, &e));
	assert_int_equal(stat(at(all.items[0].name), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void what_is_no_request_is_removed(void **state)
{
	static const char *const texts[] = {"",     "resume", "resume a", "resume\n", "resumes a\n",
	                                    " a\n", "\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		put(arena_printf(arena, "0%zu", i), texts[i]);
	put("1", "suspend a b\n");
	put(".hidden", "x");
	assert_ok(spool_read(top, arena, &all, &e));
	assert_int_equal(all.n, 1);
	assert_string_equal(all.items[0].name, "1");
	assert_string_equal(all.items[0].nodes, "a b");
	assert_int_equal(all.items[0].jobs.len, 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(access(at(arena_printf(arena, "0%zu", i)), F_OK), -1);
	assert_int_equal(access(at(".hidden"), F_OK), 0);
}

static void a_nul_ends_no_request_early(void **state)
{
	scope_fd int fd = open(at("1"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(write(fd, "resume a\0b\n", 11), 11);
	assert_ok(spool_read(top, arena, &all, &e));
	assert_int_equal(all.n, 0);
}

static void no_more_are_read_than_fit(void **state)
{
	(void)state;
	for (int i = 0; i < SPOOL_FILES_MAX + 2; i++)
		put(arena_printf(arena, "%05d", i), "stop \n");
	assert_ok(spool_read(top, arena, &all, &e));
	assert_int_equal(all.n, SPOOL_FILES_MAX);
	assert_string_equal(all.items[SPOOL_FILES_MAX - 1].name, "00999");
}

static void what_can_not_be_written_is_told(void **state)
{
	char *big = arena_alloc(arena, SPOOL_FILE_MAX);

	(void)state;
	assert_err(spool_put(at("absent"), SPOOL_STOP, "", (struct blob){0}, &e), ERR_HOST,
	           "absent");
	assert_err(spool_read(at("absent"), arena, &all, &e), ERR_HOST, "absent");
	assert_err(spool_done(at("absent"), &(struct spool_item){.name = "x"}, &e), ERR_HOST,
	           "absent");
	assert_err(spool_put(top, SPOOL_STOP, "", (struct blob){big, SPOOL_FILE_MAX - 63}, &e),
	           ERR_INPUT, "at most");
	assert_ok(spool_put(top, SPOOL_STOP, "", (struct blob){big, SPOOL_FILE_MAX - 64}, &e));
	assert_ok(spool_read(top, arena, &all, &e));
	assert_int_equal(all.items[0].jobs.len, SPOOL_FILE_MAX - 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(what_is_put_is_read_in_order_and_goes),
	        SCRATCH_TEST(what_slurm_says_is_not_waited_for),
	        SCRATCH_TEST(it_is_of_the_spools_owner),
	        SCRATCH_TEST(nobody_else_may_read_it),
	        SCRATCH_TEST(what_is_no_request_is_removed),
	        SCRATCH_TEST(a_nul_ends_no_request_early),
	        SCRATCH_TEST(no_more_are_read_than_fit),
	        SCRATCH_TEST(what_can_not_be_written_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
