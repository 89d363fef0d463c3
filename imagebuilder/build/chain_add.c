/* SPDX-License-Identifier: Apache-2.0 */
/* Adding steps to a chain: what they say, what they fetch, and their keys. */
#include <errno.h>

#include "build/chain_own.h"

struct chain_step *chain_add(struct chain *c, const struct chain_type *type, const struct recipe *r,
                             const char *name, void *data)
{
	struct chain_step *s;

	c->steps = arena_grow(c->arena, c->steps, &c->n, sizeof *c->steps);
	s = &c->steps[c->n - 1];
	s->type = type;
	s->recipe = r;
	s->name = name;
	s->data = data;
	return s;
}

int chain_says(struct chain_step *s, const struct strbuf *says, struct err *e)
{
	if (says->overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "%s: a step of more than %lu MiB: put large files in place by "
		               "'copy'",
		               s->recipe->file, CHAIN_SAYS_MAX >> 20);
	s->says = says->data;
	return 0;
}

int chain_refuse(struct chain *c, int r, const struct err *e)
{
	if (r == 0 || !c->outline)
		return r;
	if (!c->refused.no)
		c->refused = *e;
	return 0;
}

int chain_fetches(struct chain *c, struct chain_step *s, struct component_fetches *all,
                  struct strbuf *says, struct err *e)
{
	int r = lock_fix_files(c->lock, all, c->arena, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all->n; i++) {
		const struct component_fetch *f = &all->items[i];

		/* The step names its downloads itself, but not the objects below a prefix. */
		strbuf_printf(says, "\nfetched %s%s%s", f->sha256, f->found ? " " : "",
		              f->found ? f->uri : "");
		input_add(&s->inputs, c->arena, arena_printf(c->arena, "fetched %s", f->uri),
		          f->sha256, strlen(f->sha256), f->at);
	}
	s->fetches = *all;
	return 0;
}

int chain_component_fetches(struct chain *c, struct chain_step *s,
                            const struct component_list *components, unsigned phases,
                            struct strbuf *says, struct err *e)
{
	struct component_fetches all = {0};
	int r = component_fetches(components, phases, c->arena, &all, e);

	if (r < 0)
		return r;
	return chain_fetches(c, s, &all, says, e);
}

void chain_key(const struct chain *c, size_t i, const char *below, char ret[static SHA256_HEX])
{
	const struct chain_step *s = &c->steps[i];
	const char *const texts[] = {CHAIN_ABI, s->recipe->arch, below, s->says};
	struct digest *d = digest_new();
	unsigned char sum[SHA256_LEN];

	for (size_t t = 0; t < ARRAY_LEN(texts); t++)
		digest_add(d, texts[t], strlen(texts[t]) + 1);
	digest_sum(d, sum);
	digest_close(d);
	str_hex(sum, sizeof sum, ret);
}
