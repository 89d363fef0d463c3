/* SPDX-License-Identifier: Apache-2.0 */
/* configure: what all of its questions do with an answer. */
#include "base/log.h"
#include "life/configure_own.h"

struct doc *configure_map(struct configure *c, struct doc *parent, const char *key)
{
	struct doc *at = doc_get(parent, key);

	if (at && at->type == DOC_MAP)
		return at;
	at = doc_new_map(c->arena, NULL);
	doc_put(c->arena, parent, key, at);
	return at;
}

static void put(struct configure *c, struct doc *map, const char *key, const char *value,
                bool quoted)
{
	struct doc *text = doc_new_text(c->arena, NULL, value);

	text->quoted = quoted;
	doc_put(c->arena, map, key, text);
}

void configure_put(struct configure *c, struct doc *map, const char *key, const char *value)
{
	put(c, map, key, value, true);
}

void configure_put_plain(struct configure *c, struct doc *map, const char *key, const char *value)
{
	put(c, map, key, value, false);
}

void configure_failed(struct configure *c, const struct err *e)
{
	log_notice("%s: what there is isn't listed", e->text);
	if (e->reason != REASON_AWS_DENIED)
		c->online = false;
}
