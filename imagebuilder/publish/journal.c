/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a run: its file, its lock, its lines. */
#include "publish/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/scope.h"
#include "data/json.h"
#include "data/jsonw.h"

#define SIZE_MAX_BYTES (1024 * 1024)
#define LINE_MAX_BYTES (64 * 1024)
#define LINES_MAX      4096

void journal_name(char ret[static JOURNAL_RUN])
{
	unsigned char chance[4];
	time_t now = clock_wall();
	char hex[9];
	struct tm tm;
	size_t n;

	if (random_bytes(chance, sizeof chance) < 0)
		memset(chance, 0, sizeof chance);
	str_hex(chance, sizeof chance, hex);
	gmtime_r(&now, &tm);
	n = strftime(ret, JOURNAL_RUN, "%Y%m%d-%H%M%S-", &tm);
	memcpy(ret + n, hex, sizeof hex);
}

bool journal_name_valid(const char *run)
{
	size_t len = strlen(run);

	return len > 0 && len < JOURNAL_RUN && strspn(run, "0123456789abcdef-") == len &&
	       run[0] != '-';
}

/* ---- reading --------------------------------------------------------------------------------- */

static int add(struct journal *j, struct blob line, struct err *e)
{
	struct doc *d;
	int r;

	if (j->n == LINES_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "the journal of run %s is too long", j->run);
	r = json_parse("journal", line, j->arena, &d, e);
	if (r < 0)
		return err_wrap(e, "run %s", j->run);
	j->lines = arena_grow(j->arena, j->lines, &j->n, sizeof(const struct doc *));
	j->lines[j->n - 1] = d;
	return 0;
}

static int load(struct journal *j, struct err *e)
{
	struct stat st;
	size_t at = 0;

	if (fstat(j->fd, &st) < 0)
		return err_errno(e, errno, "reading the journal of run %s", j->run);
	if (st.st_size >= SIZE_MAX_BYTES)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "the journal of run %s is too long", j->run);
	/* No more room than that: gc reads thousands of them. */
	char *text = arena_alloc(j->arena, (size_t)st.st_size + 1);
	ssize_t len = pread(j->fd, text, (size_t)st.st_size, 0);
	if (len < 0)
		return err_errno(e, errno, "reading the journal of run %s", j->run);
	for (const char *nl; (nl = memchr(text + at, '\n', (size_t)len - at));) {
		size_t n = (size_t)(nl - text) - at;
		int r = add(j, (struct blob){text + at, n}, e);

		if (r < 0)
			return r;
		at += n + 1;
	}
	/* A line cut short by a crash must not run into the next one. */
	if ((size_t)len > at && ftruncate(j->fd, (off_t)at) < 0)
		return err_errno(e, errno, "mending the journal of run %s", j->run);
	return 0;
}

int journal_open(struct journal *j, int dir, const char *run, bool make, struct arena *a,
                 struct err *e)
{
	char name[JOURNAL_RUN + 8];
	int flags = O_RDWR | O_APPEND | (make ? O_CREAT | O_EXCL : 0), r;

	*j = (struct journal){.arena = a, .fd = -1};
	if (!journal_name_valid(run))
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s' isn't the name of a run", run);
	snprintf(j->run, sizeof j->run, "%s", run);
	snprintf(name, sizeof name, "%s.jsonl", run);
	j->fd = file_open(dir, name, flags, 0600);
	if (j->fd == -ENOENT)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ENOENT,
		               "there is no run '%s' here", run);
	if (j->fd < 0)
		return err_errno(e, -j->fd, "the journal of run %s", run);
	if (flock(j->fd, LOCK_EX | LOCK_NB) < 0) {
		r = errno == EWOULDBLOCK
		            ? err_set(e, ERR_BUSY, REASON_BUSY, EBUSY,
		                      "run %s is at work in another process", run)
		            : err_errno(e, errno, "locking the journal of run %s", run);
		journal_close(j);
		return r;
	}
	r = make ? (fsync(dir) < 0 ? err_errno(e, errno, "the journal's directory") : 0)
	         : load(j, e);
	if (r < 0)
		journal_close(j);
	return r;
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* -errno */
static int write_line(const struct journal *j, const struct strbuf *line)
{
	int r = file_write_all(j->fd, line->data, line->len);
	if (r < 0)
		return r;
	r = file_write_all(j->fd, "\n", 1);
	if (r < 0)
		return r;
	return fdatasync(j->fd) < 0 ? -errno : 0;
}

int journal_line(struct journal *j, const struct strbuf *line, struct err *e)
{
	if (line->overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "the journal of run %s: a line of it is too long", j->run);
	int r = write_line(j, line);
	if (r < 0)
		return err_errno(e, -r, "writing the journal of run %s", j->run);
	return add(j, (struct blob){line->data, line->len}, e);
}

int journal_note(struct journal *j, const char *event, const char *step,
                 const struct journal_pair *pairs, size_t n, struct err *e)
{
	struct strbuf b = STRBUF(j->arena, LINE_MAX_BYTES);
	struct jsonw w = {.out = &b};
	char now[21];

	clock_rfc3339(clock_wall(), now);
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "event", event);
	if (step)
		jsonw_str(&w, "step", step);
	jsonw_str(&w, "at", now);
	for (size_t i = 0; i < n; i++)
		if (pairs[i].value)
			jsonw_str(&w, pairs[i].key, pairs[i].value);
	jsonw_end(&w, '}');
	return journal_line(j, &b, e);
}

const struct doc *journal_find(const struct journal *j, const char *event, const char *step)
{
	for (size_t i = j->n; i > 0; i--)
		if (str_eq(doc_text(j->lines[i - 1], "event"), event) &&
		    (!step || str_eq(doc_text(j->lines[i - 1], "step"), step)))
			return j->lines[i - 1];
	return NULL;
}
