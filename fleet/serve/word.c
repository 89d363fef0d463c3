/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what is wanted of the fleet, and tells how it is. */
#include "serve/word.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "aws/fetch.h"
#include "aws/s3.h"
#include "base/log.h"
#include "model/fleet_word.h"

#define CALL_MS 5000
#define REST_MS                                                                                    \
	60000 /* after a failure: each one may have taken a call's time, in which nothing is launched */
#define ID_MAX  64     /* characters of an id */
#define FILE_ID "word" /* in the state directory: the id that was carried out last */

int word_open(struct fleet *f, struct err *e)
{
	const char *config = doc_text(f->site.node, "config");
	const char *owner = doc_text(f->site.node, "bucket-owner");
	struct arena *a = f->program.arena;
	struct blob id;

	f->word.wanted.uri = fleet_word_beside(config, FLEET_WORD_WANTED, a);
	f->word.status.uri = fleet_word_beside(config, FLEET_WORD_STATUS, a);
	if (owner)
		cloud_expect_owner(f->cloud, owner);
	int r = file_read(AT_FDCWD, fleet_path(f, FILE_ID), ID_MAX, a, &id, e);
	if (r < 0 && e->no != ENOENT)
		return r;
	if (r >= 0)
		snprintf(f->word.id, sizeof f->word.id, "%s", id.data);
	return 0;
}

/* Only the first of a series is told. */
static void rest(struct fleet_object *o, const struct err *e)
{
	if (!o->failed)
		log_warning("word for the fleet: %s", e->text);
	o->failed = true;
	o->next = clock_in_ms(REST_MS);
}

static bool is_due(const struct fleet_object *o)
{
	return o->uri && clock_passed(o->next);
}

static int done(struct fleet *f, const char *id, struct err *e)
{
	const struct file_attr attr = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
	int r = file_replace(AT_FDCWD, fleet_path(f, FILE_ID), id, strlen(id), &attr, e);

	if (r < 0)
		return r;
	snprintf(f->word.id, sizeof f->word.id, "%s", id);
	return 0;
}

int word_read(struct fleet *f, struct err *e)
{
	struct fleet_object *o = &f->word.wanted;
	const struct fetch from = {.uri = o->uri, .max = FLEET_WORD_MAX};
	scope_arena struct arena *a = arena_new();
	struct fleet_word w;
	struct blob text;
	struct err why;

	if (!is_due(o))
		return 0;
	int r = fetch_memory(f->cloud, &from, a, &text, clock_in_ms(CALL_MS), &why);
	if (r < 0 && why.kind == ERR_ABSENT) {
		o->failed = false;
		return 0;
	}
	if (r < 0 || fleet_word_parse(o->uri, text, a, &w, &why) < 0) {
		rest(o, &why);
		return 0;
	}
	o->failed = false;
	if (str_eq(w.id, f->word.id) || strlen(w.id) >= sizeof f->word.id)
		return 0;
	log_notice("%s, by '%s'", w.status, o->uri);
	if (str_eq(w.status, FLEET_START) || str_eq(w.status, FLEET_STOP)) {
		r = fleet_mode(f, str_eq(w.status, FLEET_STOP), e);
		if (r < 0)
			return r;
	}
	return done(f, w.id, e);
}

void word_tell(struct fleet *f)
{
	scope_arena struct arena *a = arena_new();
	const char *status = !f->ledger.stopped   ? FLEET_RUNNING
	                     : fleet_alive(f) > 0 ? FLEET_STOPPING
	                                          : FLEET_STOPPED;
	struct fleet_object *o = &f->word.status;
	const char *now = arena_printf(a, "%s %s", status, f->word.id);
	char at[21];
	struct err why;

	if (!is_due(o) || str_eq(now, f->word.told))
		return;
	clock_rfc3339(clock_wall(), at);
	const char *text = fleet_word_text(
	        &(struct fleet_word){.id = f->word.id, .status = status, .at = at}, a);
	if (s3_put(f->cloud, o->uri, (struct blob){text, strlen(text)}, false, clock_in_ms(CALL_MS),
	           &why) < 0) {
		rest(o, &why);
		return;
	}
	o->failed = false;
	snprintf(f->word.told, sizeof f->word.told, "%s", now);
}
