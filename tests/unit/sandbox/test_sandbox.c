/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox, with jobs of the tests' own: what they see, what they may do, how their ends are told. */
#include "scratch.h"

#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "job.h"

static char said[4096];

static void hear(void *ctx, const char *line)
{
	(void)ctx;
	strncat(said, line, sizeof said - strlen(said) - 2);
	strncat(said, "|", 2);
}

static struct job job;
static const char *layers[3];
static struct sandbox box;

static int set_up_box(void **state)
{
	set_up(state);
	put("low/word", "x");
	put("low/usr/sbin/x", "x");
	put("low/etc/x", "x");
	put("low/var/lib/apt/lists/x", "x");
	put("low/var/cache/apt/x", "x");
	put("low/var/cache/dnf/x", "x");
	put("low/var/cache/man/x", "x");
	put("high/upper", "x");
	layers[0] = at("low");
	layers[1] = at("high");
	job = (struct job){.text = top};
	said[0] = '\0';
	box = (struct sandbox){.layers = layers,
	                       .dir = at("dir"),
	                       .job = &job_row,
	                       .arg = &job,
	                       .deadline = clock_in_ms(20000),
	                       .line = hear};
	return 0;
}

static int do_run(enum what what)
{
	job.what = what;
	(void)tree_remove(AT_FDCWD, at("dir"), true, &e); /* a layer is begun once */
	put("dir/x", "x");
	return sandbox_run(&box, &e);
}

static void it_sees_the_image_and_no_more(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "secret", 1), 0);
	assert_ok(do_run(LOOK));
	/* What it changed is in the tree, what it was lent isn't. */
	assert_int_equal(access(at("dir/tree/made"), F_OK), 0);
	assert_int_equal(access(at("dir/tree/run/gone"), F_OK), -1);
	assert_int_equal(access(at("dir/tree/tmp/gone"), F_OK), -1);
	assert_int_equal(access(at("dir/tree/usr/sbin/policy-rc.d"), F_OK), -1);
	assert_int_equal(access(at("low/made"), F_OK), -1);
}

static void it_has_few_rights(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	/* Whatever is inherited ends here. */
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];
	syscall(SYS_capget, &header, d);
	d[0].inheritable = d[0].permitted;
	syscall(SYS_capset, &header, d);
	job.text = job_has_table32() ? "32" : "";
	assert_ok(do_run(DENIED));
	assert_int_equal(stat(at("dir/tree/word"), &st), 0);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_mode & 07777, 02755);
}

static void how_it_ended_is_told(void **state)
{
	(void)state;
	unit_need_root();
	assert_err(do_run(FAIL), ERR_INTEGRITY, arena_printf(arena, "so it is: %s", top));
	assert_int_equal(e.reason, REASON_CHECKSUM_MISMATCH);
	assert_int_equal(e.no, EBADMSG);
	assert_err(do_run(DIE), ERR_HOST, "the process died by signal 6");
	assert_int_equal(e.reason, REASON_STEP_DIED);
	job.text = "9";
	assert_err(do_run(END), ERR_HOST, "the process ended with status 9");
	assert_int_equal(e.reason, REASON_STEP_DIED);
	job.text = "128";
	assert_err(do_run(END), ERR_HOST, "the process ended with status 128");
	job.text = "1";
	assert_err(do_run(END), ERR_HOST, "the process ended with status 1");
	job.text = "0";
	assert_ok(do_run(END));
	box.deadline = clock_in_ms(200);
	uint64_t start = clock_now();
	assert_err(do_run(HANG), ERR_HOST, "not finished by its deadline");
	assert_int_equal(e.reason, REASON_STEP_TIMEOUT);
	assert_true(clock_now() - start < 5000000000ULL);
}

static void a_crowd_is_ended(void **state)
{
	(void)state;
	unit_need_root();
	assert_err(do_run(CROWD), ERR_HOST,
	           "more than 4096 processes at once: all of them were ended");
	assert_int_equal(e.reason, REASON_STEP_DIED);
	assert_int_equal(e.no, EAGAIN);
}

static void its_lines_are_heard(void **state)
{
	(void)state;
	unit_need_root();
	job.text = "to stderr";
	assert_ok(do_run(TALK));
	assert_non_null(strstr(said, "to stdout|"));
	assert_non_null(strstr(said, "half|"));
	assert_non_null(strstr(said, "to stderr|"));
}

static void it_gets_the_descriptors_it_was_given(void **state)
{
	int fds[2];

	(void)state;
	unit_need_root();
	put("one", "one");
	put("two", "two");
	/* Given in the way of their places. */
	fds[1] = open(at("two"), O_RDONLY | O_CLOEXEC);
	fds[0] = open(at("one"), O_RDONLY | O_CLOEXEC);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	box.fds = fds;
	box.n_fds = 2;
	assert_ok(do_run(READ));
	close(fds[0]);
	close(fds[1]);
}

/* When the builder is killed nothing goes on, and nobody has to clean up after it. */
static void it_ends_with_who_began_it(void **state)
{
	struct pollfd p = {.events = POLLIN};
	int fds[2];
	char c;

	(void)state;
	unit_need_root();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		int to = fds[1];

		close(fds[0]);
		box.fds = &to;
		box.n_fds = 1;
		_exit(do_run(STAY) < 0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1); /* it runs */
	assert_int_equal(c, 'r');
	p.fd = fds[0];
	assert_int_equal(poll(&p, 1, 50), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(poll(&p, 1, 15000), 1);
	assert_int_equal(read(fds[0], &c, 1), 0);
	close(fds[0]);
}

/* An image of another system has no place for it, or its own; neither is changed. */
static void services_are_forbidden_where_they_could_be(void **state)
{
	(void)state;
	unit_need_root();
	put("low/usr/sbin/policy-rc.d", "its own");
	job.text = "";
	assert_ok(do_run(TALK));
	assert_string_equal(get("low/usr/sbin/policy-rc.d"), "its own");
	assert_int_equal(access(at("dir/tree/usr/sbin/policy-rc.d"), F_OK), -1);
	assert_int_equal(tree_remove(AT_FDCWD, at("low"), true, &e), 0);
	put("low/x", "x");
	assert_ok(do_run(BARE));
	assert_int_equal(access(at("dir/tree/usr"), F_OK), -1);
	assert_int_equal(access(at("dir/tree/var"), F_OK), -1);
}

static void only_its_own_name_is_a_call(void **state)
{
	char name[] = SANDBOX_NAME, other[] = "hpc-imagebuild", word[] = "x";

	(void)state;
	assert_true(sandbox_called(1, (char *[]){name, NULL}));
	assert_false(sandbox_called(1, (char *[]){other, NULL}));
	assert_false(sandbox_called(2, (char *[]){name, word, NULL}));
	assert_false(sandbox_called(0, (char *[]){NULL}));
}

static void without_an_image_it_sees_this_machine(void **state)
{
	(void)state;
	unit_need_root();
	box.layers = NULL;
	assert_ok(do_run(BESIDE));
}

/* Only with one are names lent; the file is taken away again. */
static void with_a_network_names_are_lent(void **state)
{
	(void)state;
	unit_need_root();
	struct blob names = {"", 0};
	struct stat st;

	box.network = true;
	if (file_read(AT_FDCWD, "/etc/resolv.conf", 65536, arena, &names, &e) < 0)
		names = (struct blob){"", 0};
	job.text = names.data;
	assert_ok(do_run(NAMES));
	assert_int_equal(access(at("dir/tree/etc/resolv.conf"), F_OK), -1);
	/* A link of the image's stays, and leads to what is lent. */
	assert_int_equal(
	        symlink("../run/systemd/resolve/stub-resolv.conf", at("low/etc/resolv.conf")), 0);
	assert_ok(do_run(NAMES));
	assert_int_equal(lstat(at("dir/tree/etc/resolv.conf"), &st), -1);
	/* A file of the image's is covered, and is what it was. */
	assert_int_equal(unlink(at("low/etc/resolv.conf")), 0);
	put("low/etc/resolv.conf", "of the image");
	assert_ok(do_run(NAMES));
	assert_string_equal(get("low/etc/resolv.conf"), "of the image");
	assert_int_equal(access(at("dir/tree/etc/resolv.conf"), F_OK), -1);
}

static void a_link_in_the_image_is_no_way_out(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(symlink(top, at("low/run")), 0);
	assert_err(do_run(LOOK), ERR_HOST, "mounting on /run in the image");
}

/* Whoever calls it by hand gets no sandbox, and a status of its own. */
static void a_first_process_that_nobody_started_ends(void **state)
{
	int status = -1;

	(void)state;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		char name[] = SANDBOX_NAME, *const argv[] = {name, NULL};

		syscall(SYS_close_range, 3U, ~0U, 0);
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
}

static void many_layers_are_joined(void **state)
{
	const char **many = arena_array(arena, 481, sizeof *many);

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < 480; i++) {
		put(arena_printf(arena, "many/%03zu/x", i), "x");
		many[i] = at(arena_printf(arena, "many/%03zu", i));
	}
	box.layers = many;
	assert_ok(do_run(TALK));
}

static void too_many_layers_are_refused(void **state)
{
	const char **many = arena_array(arena, 482, sizeof *many);

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < 481; i++)
		many[i] = layers[0];
	box.layers = many;
	assert_err(do_run(LOOK), ERR_INPUT, "joining 481 layers: expected at most 480");
}

int main(int argc, char **argv)
{
	if (sandbox_called(argc, argv))
		sandbox_main(job_find);
#define T(test) cmocka_unit_test_setup_teardown(test, set_up_box, tear_down)
	const struct CMUnitTest tests[] = {
	        T(it_sees_the_image_and_no_more),
	        T(it_has_few_rights),
	        T(how_it_ended_is_told),
	        T(a_crowd_is_ended),
	        T(its_lines_are_heard),
	        T(it_gets_the_descriptors_it_was_given),
	        T(it_ends_with_who_began_it),
	        T(services_are_forbidden_where_they_could_be),
	        T(only_its_own_name_is_a_call),
	        T(without_an_image_it_sees_this_machine),
	        T(with_a_network_names_are_lent),
	        T(a_link_in_the_image_is_no_way_out),
	        T(a_first_process_that_nobody_started_ends),
	        T(many_layers_are_joined),
	        T(too_many_layers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
