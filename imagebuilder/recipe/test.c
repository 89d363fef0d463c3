/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and runs the tests of a recipe. */
#include "recipe/test.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"

#define SHOWN_MAX   160 /* longest part of the output in a message */
#define NOT_STARTED 127 /* the status by which a shell reports a missing program */

static const struct field test_expect_fields[] = {
        {"status", FIELD_INT, FIELD_AT(struct test, status), .max = 255,
         .help = "its exit status (default: 0); 127 when it isn't there"},
        {"stdout", FIELD_STRINGS, FIELD_AT(struct test, out), .help = "what stdout contains"},
        {"stderr", FIELD_STRINGS, FIELD_AT(struct test, errout), .help = "what stderr contains"},
        {0},
};

const struct field test_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct test, name), .min = 1, .max = 100,
         .help = "what messages call it (default: the command)"},
        {"run", FIELD_STRINGS, FIELD_AT(struct test, run), .required = true, .min = 1, .max = 256,
         .help = "program and arguments; no shell reads them"},
        {"expect", FIELD_MAP, 0, .sub = test_expect_fields, .help = "what it shall come to"},
        {"timeout", FIELD_DURATION, FIELD_AT(struct test, timeout_ms), .min = 1, .max = 3600000,
         .help = "how long it may take (default: 60s)"},
        {0},
};

int test_read(const struct doc *list, const struct vars *facts, struct arena *a,
              struct test_list *ret, struct err *e)
{
	static const struct test defaults = {.timeout_ms = TEST_TIMEOUT_MS};
	struct test_list l = {0};

	if (list && list->type != DOC_LIST && list->type != DOC_NULL)
		return doc_err(list, e, REASON_INPUT_TYPE,
		               "'tests': expected a list of maps, found %s", doc_type_name(list));
	for (size_t i = 0; list && i < list->n; i++) {
		struct test t = defaults;
		int r = field_decode(list->items[i], test_fields, facts, a, &t, e);

		if (r < 0)
			return r;
		t.at = list->items[i];
		if (!*t.run.items[0])
			return doc_err(doc_get(t.at, "run"), e, REASON_INPUT_RANGE,
			               "'run' begins with an empty string, expected a program");
		if (!t.name) {
			struct strbuf b = STRBUF(a, SHOWN_MAX);

			for (size_t k = 0; k < t.run.n; k++)
				strbuf_printf(&b, "%s%s", k ? " " : "", t.run.items[k]);
			t.name = b.data;
		}
		l.items = arena_grow(a, l.items, &l.n, sizeof *l.items);
		l.items[l.n - 1] = t;
	}
	*ret = l;
	return 0;
}

static int unmet(const struct test *t, struct err *e, const char *what)
{
	struct doc at = *t->at;

	doc_err(&at, e, REASON_HOST_COMMAND_FAILED, "test '%s': %s", t->name, what);
	e->kind = ERR_HOST;
	return -e->no;
}

static int contains(const struct test *t, const char *stream, struct blob text,
                    const struct field_strings *wanted, struct arena *a, struct err *e)
{
	char shown[SHOWN_MAX];

	for (size_t i = 0; i < wanted->n; i++) {
		if (memmem(text.data, text.len, wanted->items[i], strlen(wanted->items[i])))
			continue;
		str_escape(text.data ? text.data : "", text.len, shown, sizeof shown);
		return unmet(t, e,
		             arena_printf(a, "expected %s to contain '%s', found '%s'", stream,
		                          wanted->items[i], shown));
	}
	return 0;
}

int test_run(const struct test *t, struct host *h, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char **argv = arena_array(a, t->run.n + 1, sizeof *argv);
	struct host_result result = {0};
	const struct host_exec x = {
	        .argv = argv,
	        .changes = false,
	        .deadline = clock_min(deadline, clock_in_ms(t->timeout_ms)),
	};

	memcpy(argv, t->run.items, t->run.n * sizeof *argv);
	int r = host_run(h, &x, a, &result, e);
	if (r == -ENOENT) {
		result.status = NOT_STARTED;
		result.errout = (struct blob){e->text, strlen(e->text)};
	} else if (r < 0) {
		return unmet(t, e, arena_strdup(a, e->text));
	}
	if (result.status != t->status) {
		char shown[SHOWN_MAX];

		str_escape(result.errout.data ? result.errout.data : "", result.errout.len, shown,
		           sizeof shown);
		return unmet(t, e,
		             arena_printf(a, "expected exit status %" PRId64 ", found %d: %s",
		                          t->status, result.status, shown));
	}
	r = contains(t, "stdout", result.out, &t->out, a, e);
	if (r < 0)
		return r;
	return contains(t, "stderr", result.errout, &t->errout, a, e);
}
