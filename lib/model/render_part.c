/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of the head's files share: faults, keys, names of nodes. */
#include <strings.h>

#include "model/render_own.h"

bool render_has(struct render *r, enum slurmkey_level level, const struct model_setting *s)
{
	int result = slurmkey_check(level, s->key, r->slurm, s->at, r->faults.err);

	if (result < 0)
		faults_take(&r->faults, result);
	return result == 0;
}

bool render_set(const struct model_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcasecmp(s->items[i].key, key) == 0)
			return true;
	return false;
}

void render_range(struct strbuf *b, const struct model_queue *q, const struct model_resource *c,
                  const char *infix, uint32_t count)
{
	strbuf_printf(b, "%s-%s-%s-[1-%u]", q->name, infix, c->name, count);
}

struct strbuf render_room(const struct render *r, size_t room_of_each)
{
	struct strbuf b = STRBUF(r->arena, RENDER_MAX);
	size_t n = 1;

	for (size_t i = 0; i < r->model->n_queues; i++)
		n += r->model->queues[i].n_resources;
	b.cap = room_of_each * n;
	b.data = arena_alloc(r->arena, b.cap);
	return b;
}
