/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and leaves word of a cluster's fleet in S3. */
#include "state/fleet_state.h"

#include <errno.h>

#include "aws/fetch.h"
#include "aws/s3.h"
#include "base/random.h"

/* An ARN is "arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/...". */
static const char *account_of(const struct stacks_item *s, struct arena *a)
{
	const char *at = s->id;

	for (int i = 0; i < 4 && at; i++) {
		at = strchr(at, ':');
		at = at ? at + 1 : NULL;
	}
	return at ? arena_memdup(a, at, strcspn(at, ":")) : "";
}

/* A bucket of somebody else that took the name is refused by S3 itself. */
static int place(struct life *l, const struct stacks_item *s, const char *name, const char **ret,
                 struct err *e)
{
	const char *bucket = stacks_parameter(s, "Bucket");

	if (!bucket)
		return err_set(e, ERR_DENIED, REASON_AWS_STATE, EPROTO,
		               "the stack of cluster '%.100s' has no parameter Bucket", s->name);
	cloud_expect_owner(l->cloud, account_of(s, l->program.arena));
	*ret = arena_printf(l->program.arena, "s3://%s/%s/%s", bucket, s->name, name);
	return 0;
}

/* One that isn't there has the id NULL. */
static int read_word(struct life *l, const struct stacks_item *s, const char *name,
                     struct fleet_word *ret, struct err *e)
{
	struct fetch from = {.max = FLEET_WORD_MAX};
	struct blob text;
	int r = place(l, s, name, &from.uri, e);

	if (r < 0)
		return r;
	r = fetch_memory(l->cloud, &from, l->program.arena, &text, l->program.deadline, e);
	if (r < 0 && e->kind == ERR_ABSENT) {
		*e = (struct err){0};
		*ret = (struct fleet_word){0};
		return 0;
	}
	if (r < 0)
		return r;
	return fleet_word_parse(from.uri, text, l->program.arena, ret, e);
}

int fleet_state(struct life *l, const struct stacks_item *s, struct fleet_word *ret, struct err *e)
{
	struct fleet_word is, wanted;
	int r = read_word(l, s, FLEET_WORD_STATUS, &is, e);

	if (r < 0)
		return r;
	r = read_word(l, s, FLEET_WORD_WANTED, &wanted, e);
	if (r < 0)
		return r;
	if (wanted.id && !str_eq(wanted.id, is.id))
		*ret = wanted;
	else if (is.id)
		*ret = is;
	else
		*ret = (struct fleet_word){.id = "", .status = FLEET_UNKNOWN, .at = ""};
	return 0;
}

int fleet_want(struct life *l, const struct stacks_item *s, const char *status,
               struct fleet_word *ret, struct err *e)
{
	struct arena *a = l->program.arena;
	unsigned char raw[8];
	char id[2 * sizeof raw + 1], at[21];
	const char *uri, *text;
	int r = place(l, s, FLEET_WORD_WANTED, &uri, e);

	if (r < 0)
		return r;
	r = random_bytes(raw, sizeof raw);
	if (r < 0)
		return err_errno(e, -r, "making an id");
	str_hex(raw, sizeof raw, id);
	clock_rfc3339(clock_wall(), at);
	const struct fleet_word w = {
	        .id = arena_strdup(a, id), .status = status, .at = arena_strdup(a, at)};
	text = fleet_word_text(&w, a);
	r = s3_put(l->cloud, uri, (struct blob){text, strlen(text)}, false, l->program.deadline, e);
	if (r < 0)
		return r;
	*ret = w;
	return 0;
}
