/* SPDX-License-Identifier: Apache-2.0 */
/* Asks slurmctld for its nodes, and tells it of those that can't be had. */
#include "controller/nodes.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "controller/listing.h"
#include "host/exec.h"
#include "model/hostlist.h"

#define SCONTROL_MS 20000
#define REASON_MAX  300 /* bytes that are shown of a reason */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct nodes_item *)a)->name, ((const struct nodes_item *)b)->name);
}

/* Without the blanks behind it; "(null)" and "none" are sinfo's words for nothing. */
static const char *field(const char **at, char end, struct arena *a)
{
	size_t len = strcspn(*at, end == '\n' ? "\n" : "|\n"), n = len;

	while (n && (*at)[n - 1] == ' ')
		n--;
	const char *text = arena_memdup(a, *at, n);
	*at += len + ((*at)[len] == end);
	return str_eq(text, "(null)") || str_eq(text, "none") ? "" : text;
}

static unsigned count_bars(const char *line, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += line[i] == '|';
	return n;
}

void nodes_parse(const char *text, struct arena *a, struct nodes *ret)
{
	struct nodes all = {0};
	size_t n = 0;

	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");

		/* Something that sinfo says of itself. */
		if (count_bars(at, len) < 3) {
			at += len + (at[len] == '\n');
			continue;
		}
		struct nodes_item x = {.name = field(&at, '|', a)};

		x.state = field(&at, '|', a);
		x.comment = field(&at, '|', a);
		x.reason = field(&at, '\n', a);
		all.items = arena_grow(a, all.items, &all.n, sizeof *all.items);
		all.items[all.n - 1] = x;
	}
	/* A node is listed for each of its partitions. */
	if (all.n)
		qsort(all.items, all.n, sizeof *all.items, by_name);
	for (size_t i = 0; i < all.n; i++)
		if (!n || !str_eq(all.items[n - 1].name, all.items[i].name))
			all.items[n++] = all.items[i];
	all.n = n;
	*ret = all;
}

int nodes_list(struct arena *a, struct nodes *ret, struct err *e)
{
	/* Fields of a width keep the line, and so the name before them, in one piece. %T would have one of
	 * the words of a state, and hide that a node which powers up is in maintenance, say. */
	const char *argv[] = {"sinfo",
	                      "--all",
	                      "--noheader",
	                      "--Node",
	                      "--Format=NodeList:|,StateComplete:|,Comment:200|,Reason:200",
	                      NULL};
	const char *lines;
	int r = listing_read(argv, a, &lines, e);

	if (r < 0)
		return r;
	nodes_parse(lines, a, ret);
	return 0;
}

static int update(const char *list, const char *state, const char *reason, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *argv[] = {"scontrol",
	                      "update",
	                      arena_printf(a, "NodeName=%s", list),
	                      arena_printf(a, "State=%s", state),
	                      reason ? arena_printf(a, "Reason=%s", reason) : NULL,
	                      NULL};
	const struct host_exec x = {
	        .argv = argv, .changes = true, .deadline = clock_in_ms(SCONTROL_MS)};
	struct host_result said;

	return host_run_here_ok(&x, a, &said, e);
}

int nodes_fail(const char *list, const char *reason, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return update(list, "down", arena_printf(a, NODES_MARK "%.*s", REASON_MAX, reason), e);
}

static int update_all(const char *const *nodes, size_t n, const char *state, const char *reason,
                      struct err *e)
{
	scope_arena struct arena *a = arena_new();
	int failed = 0;

	for (size_t i = 0; i < n; i += NODES_AT_ONCE) {
		size_t some = n - i < NODES_AT_ONCE ? n - i : NODES_AT_ONCE;
		int r = update(hostlist_print(nodes + i, some, a), state, reason, e);

		failed = r < 0 ? r : failed;
	}
	return failed;
}

int nodes_set(const char *const *nodes, size_t n, const char *state, struct err *e)
{
	return update_all(nodes, n, state, NULL, e);
}

int nodes_retire(const char *const *nodes, size_t n, const char *reason, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return update_all(nodes, n, "power_down_asap", arena_printf(a, NODES_MARK "%s", reason), e);
}

/* Whether one of the state's words begins so: sinfo(1), NODE STATE CODES; later releases print capitals. */
static bool has_word(const char *state, const char *word)
{
	for (const char *at = state; *at;) {
		if (strncasecmp(at, word, strlen(word)) == 0)
			return true;
		at += strcspn(at, "+");
		at += *at == '+';
	}
	return false;
}

bool nodes_is_off(const char *state)
{
	return has_word(state, "powered_down");
}

bool nodes_is_resuming(const char *state)
{
	return has_word(state, "powering_up");
}

bool nodes_is_down(const char *state)
{
	return strncasecmp(state, "down", strlen("down")) == 0;
}

bool nodes_is_ending(const char *state)
{
	return has_word(state, "powering_down") || has_word(state, "power_down");
}

bool nodes_is_kept(const char *state)
{
	return has_word(state, "drain") || has_word(state, "maint") || has_word(state, "reboot");
}
