/* SPDX-License-Identifier: Apache-2.0 */
/* What the fleet asked for and got. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/scope.h"
#include "ledger/ledger_own.h"

#define KEEP_S 3600 /* what failed or ended is remembered that long, for `why` */

int ledger_token(char out[static LEDGER_TOKEN], struct err *e)
{
	unsigned char random[LEDGER_TOKEN / 2];
	int r = random_bytes(random, sizeof random);

	if (r < 0)
		return err_errno(e, -r, "making a token");
	str_hex(random, sizeof random, out);
	return 0;
}

/* ---- opening ---- */

struct ledger ledger_new(void)
{
	struct arena *a = arena_new();

	return (struct ledger){.arena = a,
	                       .journal = RECORDS_INIT,
	                       .by_token = {.arena = a},
	                       .by_node = {.arena = a},
	                       .by_id = {.arena = a},
	                       .wish_of = {.arena = a}};
}

int ledger_open(struct ledger *l, const char *path, struct err *e)
{
	struct ledger new = ledger_new();

	new.path = arena_strdup(new.arena, path);
	int r = records_open(&new.journal, path, ledger_apply, &new, e);
	if (r < 0) {
		arena_close(new.arena);
		return r;
	}
	*l = new;
	return 0;
}

int ledger_look(struct ledger *l, const char *path, size_t *ret_torn, struct err *e)
{
	struct ledger new = ledger_new();
	int r = records_read(path, ledger_apply, &new, NULL, ret_torn, e);

	if (r < 0) {
		arena_close(new.arena);
		return r;
	}
	*l = new;
	return 0;
}

void ledger_close(struct ledger *l)
{
	if (!l->arena)
		return;
	records_close(&l->journal);
	arena_close(l->arena);
	l->arena = NULL;
}

/* ---- writing ---- */

/* What can't be written must not be acted on; a journal that failed once isn't trusted again before
 * it was read anew. */
static int write_one(struct ledger *l, const char *text, bool sync, struct err *e)
{
	int r = records_add(&l->journal, text, e);

	if (r >= 0 && sync)
		r = records_sync(&l->journal, e);
	if (r < 0) {
		l->broken = true;
		return r;
	}
	return ledger_apply(l, text, e);
}

int ledger_wanted(struct ledger *l, const char *const *nodes, size_t n,
                  const struct ledger_owner *owner, bool whole, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return write_one(l, ledger_text_wanted(nodes, n, owner, whole, clock_wall(), a), true, e);
}

int ledger_asked(struct ledger *l, const struct ledger_ask *ask, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return write_one(l, ledger_text_asked(ask, ask->at ? ask->at : clock_wall(), a), true, e);
}

int ledger_got(struct ledger *l, const char *token, const char *const *ids, size_t n, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return write_one(l, ledger_text_got(token, ids, n, clock_wall(), a), false, e);
}

int ledger_failed(struct ledger *l, const char *token, const char *cause, const char *code,
                  const char *request, const char *why, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct ledger_launch f = {
	        .token = token, .cause = cause, .code = code, .request = request, .why = why};

	return write_one(l, ledger_text_failed(&f, clock_wall(), a), false, e);
}

int ledger_unwanted(struct ledger *l, const char *const *nodes, size_t n, const char *why,
                    struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return write_one(l, ledger_text_unwanted(nodes, n, why, clock_wall(), a), true, e);
}

int ledger_ended(struct ledger *l, const char *id, const char *why, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return write_one(l, ledger_text_ended(id, why, clock_wall(), a), false, e);
}

int ledger_mode(struct ledger *l, bool stopped, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return write_one(l, ledger_text_mode(stopped, clock_wall(), a), true, e);
}

int ledger_sync(struct ledger *l, struct err *e)
{
	return records_sync(&l->journal, e);
}

/* ---- shrinking ---- */

/* Whether nothing can come of a launch any more. */
static bool is_over(const struct ledger_launch *x, int64_t now)
{
	if (x->state == LEDGER_ASKED)
		return false;
	if (x->state == LEDGER_FAILED)
		return x->told + KEEP_S < now;
	for (size_t i = 0; i < x->n; i++)
		if (!x->places[i].ended || x->places[i].until + KEEP_S >= now)
			return false;
	return x->told + KEEP_S < now;
}

static void put_launch(const struct ledger_launch *x, struct strbuf *out, struct arena *a)
{
	const char **nodes = arena_array(a, x->n, sizeof *nodes);
	const char **ids = arena_array(a, x->n, sizeof *ids);
	struct ledger_ask ask = {.token = x->token,
	                         .type = x->type,
	                         .subnet = x->subnet,
	                         .market = x->market,
	                         .queue = x->queue,
	                         .shape = x->shape,
	                         .owner = x->owner,
	                         .whole = x->whole,
	                         .n = x->n,
	                         .nodes = nodes};

	for (size_t i = 0; i < x->n; i++) {
		nodes[i] = x->places[i].node;
		ids[i] = x->places[i].id;
	}
	records_line(ledger_text_asked(&ask, x->at, a), out);
	if (x->state == LEDGER_GOT)
		records_line(ledger_text_got(x->token, ids, x->n, x->told, a), out);
	if (x->state == LEDGER_FAILED)
		records_line(ledger_text_failed(x, x->told, a), out);
	/* The launches come in their order, so that the newest place of a node is this one now. */
	for (size_t i = 0; i < x->n; i++) {
		const struct ledger_place *p = &x->places[i];

		if (p->unwanted)
			records_line(ledger_text_unwanted(&p->node, 1, p->why, x->told, a), out);
		if (p->id && p->ended)
			records_line(ledger_text_ended(p->id, p->why, p->until, a), out);
	}
}

/* The file is locked before it has the name, so that no other writer comes between. */
static int replace(struct ledger *l, const struct strbuf *text, struct err *e)
{
	const struct file_attr attr = {.mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1};
	scope_file_new struct file_new f = FILE_NEW_INIT;
	int r = file_new_open(&f, AT_FDCWD, l->path, e);

	if (r < 0)
		return r;
	scope_fd int fd = fcntl(f.fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
		return err_errno(e, errno, "locking '%s'", l->path);
	r = file_new_write(&f, text->data, text->len, e);
	if (r < 0)
		return r;
	r = file_new_commit(&f, &attr, e);
	if (r < 0)
		return r;
	records_close(&l->journal);
	l->journal = (struct records){.fd = steal_fd(&fd), .size = text->len};
	return 0;
}

/* Read anew from what was written: the memory of what is over goes with the old arena. */
static int read_anew(struct ledger *l, const struct strbuf *text, struct err *e)
{
	struct ledger new = ledger_new();
	scope_arena struct arena *a = arena_new();

	new.journal = l->journal;
	new.broken = l->broken;
	new.path = arena_strdup(new.arena, l->path);
	for (const char *at = text->data; *at;) {
		size_t len = strcspn(at, "\n");
		const char *record = memchr(at, ' ', len);
		int r = ledger_apply(
		        &new, arena_memdup(a, record + 1, len - (size_t)(record + 1 - at)), e);

		if (r < 0) {
			arena_close(new.arena);
			return r;
		}
		at += len + 1;
	}
	arena_close(l->arena);
	*l = new;
	return 0;
}

static int tell_over(const struct ledger *l, int64_t now, ledger_over_fn *over, void *ctx,
                     struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct ledger_launch **gone = arena_array(a, l->n, sizeof(void *));
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (is_over(&l->launches[i], now))
			gone[n++] = &l->launches[i];
	return over && n ? over(ctx, gone, n, e) : 0;
}

int ledger_shrink(struct ledger *l, size_t above, ledger_over_fn *over, void *ctx, struct err *e)
{
	int64_t now = clock_wall();
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, RECORDS_FILE_MAX);

	if (l->journal.size <= above || l->broken)
		return 0;
	strbuf_str(&out, "");
	records_line(ledger_text_mode(l->stopped, clock_wall(), a), &out);
	for (size_t i = 0; i < l->n; i++)
		if (!is_over(&l->launches[i], now))
			put_launch(&l->launches[i], &out, a);
	/* Behind the launches: what was got or unwanted before ends no wish that is open now. */
	for (size_t i = 0; i < l->n_wishes; i++)
		if (l->wishes[i].open)
			records_line(ledger_text_wanted(&l->wishes[i].node, 1, &l->wishes[i].owner,
			                                l->wishes[i].whole, clock_wall(), a),
			             &out);
	if (out.overflow)
		return err_set(e, ERR_HOST, REASON_INPUT_LIMIT, EFBIG, "the journal is too large");
	int r = tell_over(l, now, over, ctx, e);
	if (r < 0)
		return r;
	r = replace(l, &out, e);
	if (r < 0)
		return r;
	return read_anew(l, &out, e);
}
