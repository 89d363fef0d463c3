/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: what each record means, and that reading them again gives the same. */
#include "ledger/ledger.h"

#include "base/clock.h"
#include "scratch.h"

static struct ledger l;
static struct clock_fake now = {.now_ns = 1, .wall = 1000};

static int begin(void **state)
{
	set_up(state);
	now.wall = 1000;
	clock_set_fake(&now);
	assert_ok(ledger_open(&l, at("j"), &e));
	return 0;
}

static int end(void **state)
{
	ledger_close(&l);
	clock_set_fake(NULL);
	return tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct hostlist nodes(const char *text)
{
	struct hostlist list;

	assert_ok(hostlist_parse(text, arena, &list, &e));
	return list;
}

static void asked(const char *token, const char *list, const char *job)
{
	struct hostlist names = nodes(list);
	const struct ledger_ask ask = {.token = token,
	                               .type = "t3.micro",
	                               .subnet = "subnet-1",
	                               .market = "spot",
	                               .owner = {job, job ? "u1" : NULL, "lab"},
	                               .whole = job != NULL,
	                               .n = names.n,
	                               .nodes = names.names};

	assert_ok(ledger_asked(&l, &ask, &e));
}

static void unwanted(const char *list)
{
	struct hostlist names = nodes(list);

	assert_ok(ledger_unwanted(&l, names.names, names.n, "suspended", &e));
}

static void wanted(const char *list, const char *job)
{
	struct hostlist names = nodes(list);

	assert_ok(ledger_wanted(&l, names.names, names.n, &(struct ledger_owner){job, "u1", NULL},
	                        job != NULL, &e));
}

static const char *owner(const struct ledger_owner *x, bool whole)
{
	return arena_printf(arena, "%s/%s/%s/%d", x->job ? x->job : "-", x->user ? x->user : "-",
	                    x->account ? x->account : "-", whole);
}

/* All that it knows, as text. */
static const char *dump(const struct ledger *from)
{
	struct strbuf b = STRBUF(arena, 65536);

	strbuf_printf(&b, "%s\n", from->stopped ? "stopped" : "goes");
	for (size_t i = 0; i < from->n_wishes; i++)
		if (from->wishes[i].open)
			strbuf_printf(&b, "wants %s %s\n", from->wishes[i].node,
			              owner(&from->wishes[i].owner, from->wishes[i].whole));
	for (size_t i = 0; i < from->n; i++) {
		const struct ledger_launch *x = &from->launches[i];

		strbuf_printf(&b, "%s %s %s %s %s %lld %lld %d %s %s %s %s:", x->token, x->type,
		              x->subnet, x->market, owner(&x->owner, x->whole), (long long)x->at,
		              (long long)x->told, (int)x->state, x->cause ? x->cause : "-",
		              x->code ? x->code : "-", x->request ? x->request : "-",
		              x->why ? x->why : "-");
		for (size_t k = 0; k < x->n; k++)
			strbuf_printf(&b, " %s=%s%s%s(%s)", x->places[k].node,
			              x->places[k].id ? x->places[k].id : "-",
			              x->places[k].unwanted ? "!" : "",
			              x->places[k].ended ? "." : "",
			              x->places[k].why ? x->places[k].why : "");
		strbuf_char(&b, '\n');
	}
	return b.data;
}

/* What a reader of the file sees is what is in memory. */
static void assert_same(void)
{
	scope_ledger struct ledger other = {0};
	size_t torn;

	assert_ok(ledger_look(&other, at("j"), &torn, &e));
	assert_int_equal(torn, 0);
	assert_string_equal(dump(&other), dump(&l));
}

static void fill(void)
{
	static const char *const ids[] = {"i-1", NULL, "i-3"};
	static const char *const one[] = {"i-4"};

	wanted("q-[1-3]", NULL);
	wanted("r-[1-2]", "77");
	asked("tok1", "q-[1-3]", NULL);
	now.wall = 1002;
	assert_ok(ledger_got(&l, "tok1", ids, 3, &e));
	asked("tok2", "r-[1-2]", "77");
	assert_ok(ledger_failed(&l, "tok2", "capacity", "Insufficient", "req-1", "none there", &e));
	asked("tok3", "q-2", NULL);
	assert_ok(ledger_got(&l, "tok3", one, 1, &e));
	asked("tok4", "s-1", NULL);
	unwanted("q-1,s-1");
	assert_ok(ledger_ended(&l, "i-3", "spot", &e));
}

static void each_record_has_its_meaning(void **state)
{
	(void)state;
	fill();
	assert_string_equal(
	        dump(&l),
	        "goes\nwants r-1 77/u1/-/1\nwants r-2 77/u1/-/1\n"
	        "tok1 t3.micro subnet-1 spot -/-/lab/0 1000 1002 1 - - - -: q-1=i-1!(suspended) "
	        "q-2=-!.(launched again) q-3=i-3.(spot)\n"
	        "tok2 t3.micro subnet-1 spot 77/u1/lab/1 1002 1002 2 capacity Insufficient req-1 none there: "
	        "r-1=-.() r-2=-.()\n"
	        "tok3 t3.micro subnet-1 spot -/-/lab/0 1002 1002 1 - - - -: q-2=i-4()\n"
	        "tok4 t3.micro subnet-1 spot -/-/lab/0 1002 0 0 - - - -: s-1=-!(suspended)\n");
	assert_same();
}

/* Journals of before markets and owners were written. */
static void an_older_journal_is_read(void **state)
{
	static const char *const records[] = {
	        "{\"is\":\"wanted\",\"nodes\":\"q-1\",\"job\":\"7\",\"at\":1}",
	        "{\"is\":\"wanted\",\"nodes\":\"q-2\",\"at\":1}",
	        ("{\"is\":\"asked\",\"token\":\"t\",\"nodes\":\"q-3\",\"type\":\"t3.micro\",\"subnet\":"
	         "\"subnet-1\",\"whole\":false,\"at\":1}")};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(records); i++)
		assert_ok(records_add(&l.journal, records[i], &e));
	ledger_close(&l);
	assert_ok(ledger_open(&l, at("j"), &e));
	assert_string_equal(dump(&l),
	                    "goes\nwants q-1 7/-/-/1\nwants q-2 -/-/-/0\n"
	                    "t t3.micro subnet-1 on-demand -/-/-/0 1 0 0 - - - -: q-3=-()\n");
	assert_string_equal(ledger_where(&l.launches[0], arena), "t3.micro in subnet-1");
}

static void a_node_has_its_newest_place(void **state)
{
	struct ledger_launch *x = NULL;

	(void)state;
	fill();
	assert_string_equal(ledger_find(&l, "q-2", &x)->id, "i-4");
	assert_string_equal(x->token, "tok3");
	assert_null(ledger_find(&l, "q-9", &x));
	assert_string_equal(ledger_instance(&l, "i-3", &x)->node, "q-3");
	assert_string_equal(x->token, "tok1");
	assert_null(ledger_instance(&l, "i-9", NULL));
	assert_ptr_equal(ledger_launch_of(&l, "tok3"), &l.launches[2]);
	assert_null(ledger_launch_of(&l, "tok9"));
	assert_true(ledger_has(&l, "q-2"));
	assert_false(ledger_has(&l, "q-1")); /* unwanted */
	assert_false(ledger_has(&l, "q-3")); /* ended */
	assert_false(ledger_has(&l, "r-1")); /* failed */
	assert_false(ledger_has(&l, "q-9"));
	asked("tok5", "t-1", NULL);
	assert_true(ledger_has(&l, "t-1")); /* on its way */
}

static void a_wish_is_open_until_it_is_got_or_unwanted(void **state)
{
	static const char *const id[] = {"i-1"};

	(void)state;
	wanted("a-[1-2]", NULL);
	assert_true(ledger_wants(&l, "a-1") && ledger_wants(&l, "a-2"));
	assert_false(ledger_wants(&l, "a-3"));
	asked("tok1", "a-1", NULL);
	assert_true(ledger_wants(&l, "a-1"));
	assert_ok(ledger_failed(&l, "tok1", "capacity", "", "", "", &e));
	assert_true(ledger_wants(&l, "a-1"));
	asked("tok2", "a-1", NULL);
	assert_ok(ledger_got(&l, "tok2", id, 1, &e));
	assert_false(ledger_wants(&l, "a-1"));
	unwanted("a-2");
	assert_false(ledger_wants(&l, "a-2"));
	wanted("a-2", "5");
	wanted("a-2", "6");
	assert_same();
	unwanted("a-2");
	assert_false(ledger_wants(&l, "a-2"));
}

static void a_launch_keeps_its_queue_and_its_shape(void **state)
{
	const char *const nodes[] = {"q-1"};
	const struct ledger_ask ask = {.token = "tok",
	                               .type = "t3.micro",
	                               .subnet = "subnet-1",
	                               .queue = "q",
	                               .shape = "0123456789abcdef",
	                               .n = 1,
	                               .nodes = nodes};

	(void)state;
	assert_ok(ledger_asked(&l, &ask, &e));
	for (int i = 0; i < 2; i++) {
		assert_string_equal(l.launches[0].queue, "q");
		assert_string_equal(l.launches[0].shape, "0123456789abcdef");
		assert_ok(ledger_shrink(&l, 0, NULL, NULL, &e));
	}
	asked("other", "q-2", NULL);
	assert_null(l.launches[1].queue);
	assert_null(l.launches[1].shape);
}

static void shrinking_loses_only_what_is_over(void **state)
{
	static const char *const ids[] = {"i-8"};
	const char *before;

	(void)state;
	assert_ok(ledger_mode(&l, true, &e));
	asked("tok0", "z-1", NULL);
	assert_ok(ledger_got(&l, "tok0", ids, 1, &e));
	assert_ok(ledger_ended(&l, "i-8", "over", &e));
	before = dump(&l);
	assert_ok(ledger_shrink(&l, 1 << 20, NULL, NULL, &e)); /* it hasn't grown */
	assert_string_equal(dump(&l), before);
	fill();
	unwanted("q-1");
	wanted("z-1", "7"); /* again, after its first instance ended */
	before = dump(&l);
	assert_ok(ledger_shrink(&l, 0, NULL, NULL, &e));
	assert_string_equal(dump(&l), before); /* none is over for an hour yet */
	assert_same();
	now.wall = 1002 + 3600;
	assert_ok(ledger_shrink(&l, 0, NULL, NULL, &e));
	assert_non_null(ledger_launch_of(&l, "tok2")); /* an hour, and not more */
	assert_null(ledger_launch_of(&l, "tok0"));
	now.wall++;
	assert_ok(ledger_shrink(&l, 0, NULL, NULL, &e));
	assert_null(ledger_launch_of(&l, "tok2"));
	assert_non_null(ledger_launch_of(&l, "tok1"));
	assert_non_null(ledger_launch_of(&l, "tok4"));
	assert_true(l.stopped);
	assert_same();
	/* It is still the only writer, and goes on writing. */
	struct ledger other = {0};
	assert_err(ledger_open(&other, at("j"), &e), ERR_BUSY, "another process");
	assert_ok(ledger_mode(&l, false, &e));
	assert_same();
}

static void what_can_not_be_written_did_not_happen(void **state)
{
	const char *const names[] = {"a"};

	(void)state;
	close(l.journal.fd);
	l.journal.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_err(ledger_wanted(&l, names, 1, &(struct ledger_owner){0}, false, &e), ERR_HOST,
	           "the journal");
	assert_int_equal(l.n_wishes, 0);
	assert_true(l.broken);
	assert_ok(ledger_shrink(&l, 0, NULL, NULL, &e)); /* nor is it written anew */
	assert_string_equal(get("j"), "");
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const texts[] = {
	        "",
	        "x",
	        "{}",
	        "[]",
	        "{\"is\":\"other\"}",
	        "{\"is\":\"wanted\"}",
	        "{\"is\":\"asked\",\"token\":\"t\",\"type\":\"a\",\"subnet\":\"s\",\"nodes\":\"a[\"}",
	        "{\"is\":\"asked\",\"token\":\"t\",\"type\":\"a\",\"nodes\":\"a\"}",
	        "{\"is\":\"asked\",\"token\":\"t\",\"subnet\":\"a\",\"nodes\":\"a\"}",
	        "{\"is\":\"asked\",\"type\":\"t\",\"subnet\":\"a\",\"nodes\":\"a\"}",
	        "{\"is\":\"asked\",\"token\":\"known\",\"type\":\"a\",\"subnet\":\"s\",\"nodes\":\"a\"}",
	        "{\"is\":\"got\",\"token\":\"t\",\"ids\":[]}",
	        "{\"is\":\"got\",\"token\":\"known\"}",
	        "{\"is\":\"got\",\"token\":\"known\",\"ids\":\"i-1\"}",
	        "{\"is\":\"got\",\"token\":\"known\",\"ids\":[\"i-1\",\"i-2\"]}",
	        "{\"is\":\"failed\",\"token\":\"t\",\"cause\":\"x\"}",
	        "{\"is\":\"failed\",\"token\":\"known\"}",
	        "{\"is\":\"unwanted\"}",
	        "{\"is\":\"ended\"}",
	};

	(void)state;
	asked("known", "k-1", NULL);
	const char *known = arena_strdup(arena, get("j"));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct strbuf text = STRBUF(arena, 65536);
		struct ledger other = {0};
		size_t torn;

		strbuf_str(&text, known);
		records_line(texts[i], &text);
		put("k", text.data);
		assert_err(ledger_look(&other, at("k"), &torn, &e), ERR_INTEGRITY,
		           "is no record of this version");
	}
}

/* Of when nothing is said it was at the beginning of time: long over. */
static void a_record_may_have_no_time(void **state)
{
	scope_ledger struct ledger other = {0};
	struct strbuf text = STRBUF(arena, 65536);
	size_t torn;

	(void)state;
	records_line("{\"is\":\"asked\",\"token\":\"t\",\"type\":\"a\",\"subnet\":\"s\",\"nodes\":"
	             "\"n\"}",
	             &text);
	records_line("{\"is\":\"got\",\"token\":\"t\",\"ids\":[],\"at\":\"soon\"}", &text);
	put("k", text.data);
	assert_ok(ledger_look(&other, at("k"), &torn, &e));
	assert_int_equal(other.n, 1);
	assert_int_equal(other.launches[0].at, 0);
	assert_int_equal(other.launches[0].told, 0);
	assert_true(other.launches[0].places[0].ended);
}

static void no_two_tokens_are_alike(void **state)
{
	char a[LEDGER_TOKEN], b[LEDGER_TOKEN];

	(void)state;
	assert_ok(ledger_token(a, &e));
	assert_ok(ledger_token(b, &e));
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(each_record_has_its_meaning),
	        TEST(an_older_journal_is_read),
	        TEST(a_node_has_its_newest_place),
	        TEST(a_wish_is_open_until_it_is_got_or_unwanted),
	        TEST(a_launch_keeps_its_queue_and_its_shape),
	        TEST(shrinking_loses_only_what_is_over),
	        TEST(what_can_not_be_written_did_not_happen),
	        TEST(what_is_no_record_is_refused),
	        TEST(a_record_may_have_no_time),
	        TEST(no_two_tokens_are_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
