/* SPDX-License-Identifier: Apache-2.0 */
/* The first line of a journal, written and read: everything that resuming needs to know. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "data/jsonw.h"
#include "publish/publish_own.h"

#define LINE_MAX_BYTES (192 * 1024) /* with EC2_UEFI_DATA_MAX characters */

static const struct {
	const char *key;
	size_t offset;
} texts[] = {
        {"name", offsetof(struct publish_spec, name)},
        {"description", offsetof(struct publish_spec, description)},
        {"arch", offsetof(struct publish_spec, arch)},
        {"boot", offsetof(struct publish_spec, boot)},
        {"uefi_data", offsetof(struct publish_spec, uefi_data)},
        {"parent", offsetof(struct publish_spec, parent)},
        {"kms_key", offsetof(struct publish_spec, kms_key)},
        {"alias", offsetof(struct publish_spec, follow.alias)},
        {"deprecate", offsetof(struct publish_spec, follow.deprecate)},
};
static const struct {
	const char *key;
	size_t offset;
} lists[] = {
        {"tags", offsetof(struct publish_spec, tags)},
        {"accounts", offsetof(struct publish_spec, follow.accounts)},
        {"regions", offsetof(struct publish_spec, follow.regions)},
};

int publish_begin_line(struct publish *p, struct err *e)
{
	struct strbuf b = STRBUF(p->arena, LINE_MAX_BYTES);
	struct jsonw w = {.out = &b};
	char *full = realpath(p->spec.image, NULL);
	char now[21];

	clock_rfc3339(clock_wall(), now);
	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "event", "begin");
	jsonw_str(&w, "at", now);
	jsonw_str(&w, "image", full ? full : p->spec.image);
	jsonw_str(&w, "digest", p->digest);
	jsonw_bool(&w, "encrypted", p->spec.encrypted);
	jsonw_bool(&w, "tpm", p->spec.tpm);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *v = *(const char *const *)((const char *)&p->spec + texts[i].offset);

		if (v)
			jsonw_str(&w, texts[i].key, v);
	}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct command_list *v =
		        *(const struct command_list *const *)((const char *)&p->spec +
		                                              lists[i].offset);

		jsonw_begin(&w, lists[i].key, '[');
		for (size_t k = 0; k < v->n; k++)
			jsonw_str(&w, NULL, v->items[k]);
		jsonw_end(&w, ']');
	}
	jsonw_end(&w, '}');
	free(full);
	return journal_line(&p->journal, &b, e);
}

static const struct command_list *read_list(struct publish *p, const struct doc *d)
{
	struct command_list *l = arena_alloc(p->arena, sizeof *l);

	for (size_t i = 0; d && d->type == DOC_LIST && i < d->n && l->n < COMMAND_LIST_MAX; i++)
		l->items[l->n++] = d->items[i]->text;
	return l;
}

int publish_read_begin(struct publish *p, struct err *e)
{
	const struct doc *d = journal_find(&p->journal, "begin", NULL);

	p->spec = (struct publish_spec){0};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*(const char **)((char *)&p->spec + texts[i].offset) = doc_text(d, texts[i].key);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		*(const struct command_list **)((char *)&p->spec + lists[i].offset) =
		        read_list(p, doc_get(d, lists[i].key));
	p->spec.image = doc_text(d, "image");
	p->spec.encrypted = str_eq(doc_text(d, "encrypted"), "true");
	p->spec.tpm = str_eq(doc_text(d, "tpm"), "true");
	if (!p->spec.image || !p->spec.name || !p->spec.arch || !p->spec.boot)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "run %s was killed before it began: nothing was made, gc forgets it",
		               p->journal.run);
	return 0;
}
