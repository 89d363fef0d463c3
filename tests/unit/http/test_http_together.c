/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges together: on which connections, in which order, taken back, and in another process. */
#include "exchange.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

static void test_requests_overlap_and_connections_are_kept(void **state)
{
	struct one o[4] = {0};
	unsigned requests, rounds, more_rounds;
	int connections;
	unsigned more_requests;

	(void)state;
	server.counts->most = 0;
	http_counts(http, &requests, &rounds);
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		prepare(&o[i], "/slow");
		http_start(http, &o[i].x);
	}
	http_wait(http);
	assert_int_equal(server.counts->most, 4);
	connections = server.counts->connections;
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		assert_int_equal(o[i].x.rc, 0);
		assert_string_equal(o[i].body.data, "ok");
		assert_ok(get(&o[i], "/ok"));
		drop(&o[i]);
	}
	assert_int_equal(server.counts->connections, connections);
	http_counts(http, &more_requests, &more_rounds);
	assert_int_equal(more_rounds, rounds + 5);
	assert_int_equal(more_requests, requests + 8);
}

/* So many requests at once; returns how many new connections they took. */
static int all_at_once(size_t n)
{
	struct one o[12] = {0};
	int before = server.counts->connections;

	for (size_t i = 0; i < n; i++) {
		prepare(&o[i], "/slow");
		http_start(http, &o[i].x);
	}
	http_wait(http);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(o[i].x.rc, 0);
		drop(&o[i]);
	}
	return server.counts->connections - before;
}

static void test_eight_connections_are_kept_unless_more_are_asked_for(void **state)
{
	(void)state;
	(void)all_at_once(12);
	assert_int_equal(all_at_once(8), 0);
	assert_int_equal(all_at_once(12), 4);
	http_keep(http, 12);
	(void)all_at_once(12);
	assert_int_equal(all_at_once(12), 0);
	http_keep(http, 8);
}

/* After one that failed: what is there is not used, however often. */
static void test_a_fresh_connection(void **state)
{
	struct one o = {0};
	int before = server.counts->connections;

	(void)state;
	for (int i = 0; i < HTTP_SOCKETS_MAX + 2; i++) {
		prepare(&o, "/ok");
		o.x.fresh = true;
		assert_ok(http_run(http, &o.x, &e));
	}
	assert_int_equal(server.counts->connections, before + HTTP_SOCKETS_MAX + 2);
	prepare(&o, "/ok");
	o.x.traffic = HTTP_WEB;
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(server.counts->connections, before + HTTP_SOCKETS_MAX + 3);
	drop(&o);
}

static void test_metadata_requests_are_at_most_four_at_once(void **state)
{
	struct one o[7] = {0};

	(void)state;
	server.counts->most = 0;
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		prepare(&o[i], "/slow");
		o[i].x.traffic = HTTP_METADATA;
		http_start(http, &o[i].x);
	}
	http_wait(http);
	assert_int_equal(server.counts->most, 4);
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		assert_int_equal(o[i].x.rc, 0);
		drop(&o[i]);
	}
}

static void next(struct http_exchange *x)
{
	struct one *chain = (struct one *)(void *)x;

	prepare(&chain[1], "/ok");
	http_start(http, &chain[1].x);
}

static void test_one_may_start_another(void **state)
{
	struct one chain[2] = {0};

	(void)state;
	prepare(&chain[0], "/ok");
	chain[0].x.done = next;
	assert_ok(http_run(http, &chain[0].x, &e));
	assert_int_equal(chain[1].x.status, 200);
	drop(&chain[0]);
	drop(&chain[1]);
}

static void test_cancelled(void **state)
{
	struct one o = {0};

	(void)state;
	prepare(&o, "/hang");
	o.x.start = clock_in_ms(60000);
	http_start(http, &o.x);
	http_cancel(&o.x);
	http_wait(http);
	assert_int_equal(o.x.rc, -ECANCELED);
	drop(&o);
}

/* One that waits or runs may be taken back, and started again behind the others. */
static void test_cancelled_and_started_again(void **state)
{
	struct one o[2] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		prepare(&o[i], "/ok");
		http_start(http, &o[i].x);
	}
	http_cancel(&o[0].x);
	http_start(http, &o[0].x);
	http_wait(http);
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		assert_int_equal(o[i].x.rc, 0);
		assert_int_equal(o[i].x.status, 200);
		drop(&o[i]);
	}
}

static void cancel_next(struct http_exchange *x)
{
	http_cancel(&((struct one *)(void *)x)[1].x);
}

static void test_one_may_cancel_another_that_runs(void **state)
{
	struct one o[2] = {0};

	(void)state;
	prepare(&o[0], "/slow");
	prepare(&o[1], "/hang");
	o[0].x.done = cancel_next;
	http_start(http, &o[0].x);
	http_start(http, &o[1].x);
	http_wait(http);
	assert_int_equal(o[0].x.rc, 0);
	assert_int_equal(o[1].x.rc, -ECANCELED);
	assert_string_equal(o[1].x.err.text, "not needed any more");
	assert_int_equal(o[1].x.err.kind, ERR_RETRY);
	drop(&o[0]);
	drop(&o[1]);
}

static void test_the_end_takes_back_what_is_queued(void **state)
{
	struct http *h = http_new(NULL);
	struct one o = {0};

	(void)state;
	prepare(&o, "/ok");
	http_start(h, &o.x);
	http_after_fork(h);
	assert_int_equal(o.x.rc, -ECANCELED);
	http_start(h, &o.x);
	http_close(h);
	assert_int_equal(o.x.rc, -ECANCELED);
	http_close(NULL);
	http_wire_close(NULL);
	drop(&o);
}

static void test_one_for_later_is_waited_for(void **state)
{
	struct http *h = http_new(NULL);
	struct one o[2] = {0};
	unsigned requests, rounds;

	(void)state;
	prepare(&o[0], "/ok");
	o[0].x.start = clock_in_ms(120);
	assert_ok(http_run(h, &o[0].x, &e));
	assert_true(clock_passed(o[0].x.start));
	/* It doesn't keep others waiting, nor does their end bring it forward. */
	prepare(&o[0], "/ok");
	prepare(&o[1], "/ok");
	o[0].x.start = clock_in_ms(120);
	http_start(h, &o[0].x);
	http_start(h, &o[1].x);
	http_wait(h);
	assert_true(clock_passed(o[0].x.start));
	assert_int_equal(o[0].x.rc, 0);
	assert_int_equal(o[1].x.rc, 0);
	http_counts(h, &requests, &rounds);
	assert_int_equal(requests, 3);
	assert_int_equal(rounds, 3);
	/* What isn't sent doesn't count. */
	o[0].x.deadline = clock_now();
	assert_err(http_run(h, &o[0].x, &e), ERR_DEADLINE, "");
	http_counts(h, &requests, &rounds);
	assert_int_equal(requests, 3);
	http_close(h);
	drop(&o[0]);
	drop(&o[1]);
}

static void test_child_leaves_the_parents_connection_alone(void **state)
{
	struct one o = {0};
	int connections, status;
	pid_t pid;

	(void)state;
	assert_ok(get(&o, "/ok"));
	connections = server.counts->connections;
	pid = fork();
	if (pid == 0) {
		http_after_fork(http);
		_exit(get(&o, "/ok") == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(server.counts->connections, connections + 1);
	assert_ok(get(&o, "/ok"));
	assert_int_equal(server.counts->connections, connections + 1);
	drop(&o);
}

static void test_signals_stay_as_they_were(void **state)
{
	struct one o = {0};
	sigset_t now;

	(void)state;
	assert_ok(get(&o, "/ok"));
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 0);
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	drop(&o);
}

static void pipe_broke(struct http_exchange *x)
{
	(void)x;
	raise(SIGPIPE);
}

/* A peer that hangs up ends no program; a signal that the caller held back stays his. */
static void test_a_broken_pipe_is_no_end(void **state)
{
	struct one o = {0};
	sigset_t pipe, now;

	(void)state;
	prepare(&o, "/ok");
	o.x.done = pipe_broke;
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(sigpending(&now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 0);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	assert_int_equal(sigprocmask(SIG_BLOCK, &pipe, NULL), 0);
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(sigpending(&now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 1);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 1);
	assert_int_equal(sigtimedwait(&pipe, NULL, &(struct timespec){0}), SIGPIPE);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &pipe, NULL), 0);
	drop(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_requests_overlap_and_connections_are_kept),
	        cmocka_unit_test(test_eight_connections_are_kept_unless_more_are_asked_for),
	        cmocka_unit_test(test_a_fresh_connection),
	        cmocka_unit_test(test_metadata_requests_are_at_most_four_at_once),
	        cmocka_unit_test(test_one_may_start_another),
	        cmocka_unit_test(test_cancelled),
	        cmocka_unit_test(test_cancelled_and_started_again),
	        cmocka_unit_test(test_one_may_cancel_another_that_runs),
	        cmocka_unit_test(test_the_end_takes_back_what_is_queued),
	        cmocka_unit_test(test_one_for_later_is_waited_for),
	        cmocka_unit_test(test_child_leaves_the_parents_connection_alone),
	        cmocka_unit_test(test_signals_stay_as_they_were),
	        cmocka_unit_test(test_a_broken_pipe_is_no_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
