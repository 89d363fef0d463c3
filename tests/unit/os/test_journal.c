/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's socket is one of ours, in a mount namespace of this test. */
#include "scratch.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/scope.h"
#include "os/journal.h"

static int journal = -1;

static void records_arrive_with_their_fields(void **state)
{
	const struct log_field fields[] = {{"HPC_STEP", "mounts:/home"},
	                                   {"MESSAGE_ID", JOURNAL_ID_STEP_FAILED},
	                                   {"lower", "dropped"},
	                                   {"_TRUSTED", "dropped"},
	                                   {"HPC_REASON", NULL}};
	char text[4096] = "";

	(void)state;
	log_set_sink(journal_sink, (void *)(uintptr_t) "hpc-agent", LOG_LEVEL_INFO);
	log_record(LOG_LEVEL_WARNING, fields, ARRAY_LEN(fields), "step %s failed", "mounts:/home");
	log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
	assert_true(recv(journal, text, sizeof text - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(text, "MESSAGE=step mounts:/home failed\nPRIORITY=4\n"
	                          "SYSLOG_IDENTIFIER=hpc-agent\nHPC_STEP=mounts:/home\n"
	                          "MESSAGE_ID=" JOURNAL_ID_STEP_FAILED "\n");
}

/* Letters, digits and underscores, a letter first: the ends of each range and what is beside it. */
static void names_of_fields(void **state)
{
	static const char *const good[] = {"A", "Z", "AZ", "A0", "A9", "A_"};
	static const char *const bad[] = {"",   "@",  "[",  "0",  "_A", "A@",
	                                  "A[", "A/", "A:", "Aa", "A`"};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool fine = i < ARRAY_LEN(good);
		const struct log_field one = {fine ? good[i] : bad[i - ARRAY_LEN(good)], "v"};

		memset(text, 0, sizeof text);
		journal_sink((void *)(uintptr_t) "x", LOG_LEVEL_INFO, "m", &one, 1);
		assert_true(recv(journal, text, sizeof text - 1, MSG_DONTWAIT) > 0);
		assert_true((strstr(text, "=v\n") != NULL) == fine);
	}
}

static void too_many_fields_are_cut(void **state)
{
	struct log_field fields[40];
	char text[8192] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		fields[i] = (struct log_field){"F", "v"};
	journal_sink((void *)(uintptr_t) "x", LOG_LEVEL_INFO, "m", fields, ARRAY_LEN(fields));
	assert_int_equal(recv(journal, text, sizeof text - 1, MSG_DONTWAIT),
	                 strlen("MESSAGE=m\nPRIORITY=6\nSYSLOG_IDENTIFIER=x\n") + 16 * 4);
}

static int listen_here(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "size=1m"), 0);
	/* Nobody there: lost, quietly. */
	journal_sink((void *)(uintptr_t) "x", LOG_LEVEL_INFO, "m", NULL, 0);
	assert_int_equal(mkdir("/run/systemd", 0755), 0);
	assert_int_equal(mkdir("/run/systemd/journal", 0755), 0);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(journal, (struct sockaddr *)&at, sizeof at), 0);
	return 0;
}

static int stop_listening(void **state)
{
	(void)state;
	return close(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(records_arrive_with_their_fields),
	        cmocka_unit_test(names_of_fields),
	        cmocka_unit_test(too_many_fields_are_cut),
	};

	return cmocka_run_group_tests(tests, listen_here, stop_listening);
}
