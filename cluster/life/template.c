/* SPDX-License-Identifier: Apache-2.0 */
/* template: prints the stack of a file. Needs no network and no account. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "life/plan_file.h"
#include "stack/stack.h"

/* --storage NAME=SOURCE, as a map. */
static int read_storage(struct life *l, const struct doc **ret, struct err *e)
{
	struct arena *a = l->program.arena;
	struct doc *map = doc_new_map(a, NULL);

	for (size_t i = 0; i < l->storage.n; i++) {
		const char *text = l->storage.items[i], *eq = strchr(text, '=');

		if (!eq || eq == text || !eq[1])
			return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
			               "--storage '%s': expected NAME=SOURCE", text);
		doc_put_text(a, map, arena_memdup(a, text, (size_t)(eq - text)), eq + 1);
	}
	*ret = map;
	return 0;
}

/* A source that no storage of the file takes is a typing error. */
static int check_storage(const struct doc *config, const struct doc *given, struct err *e)
{
	const struct doc *list = doc_get(config, "SharedStorage");

	for (size_t i = 0; i < given->n; i++) {
		size_t k = 0;

		while (list && k < list->n &&
		       !str_eq(doc_text(list->items[k], "Name"), given->keys[i]->text))
			k++;
		if (!list || k == list->n)
			return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, ENOENT,
			               "--storage: the file has no shared storage '%s'",
			               given->keys[i]->text);
	}
	return 0;
}

static int run(struct life *l, struct faults *faults, struct cluster_notes *notes,
               struct stack *ret, struct err *e)
{
	struct plan_file file;
	const struct doc *storage;
	int r = read_storage(l, &storage, e);

	if (r < 0)
		return r;
	r = plan_file_read(l, l->program.line.operands[0], faults, notes, &file, e);
	if (r < 0)
		return r;
	r = check_storage(file.config, storage, e);
	if (r < 0)
		return r;
	const struct stack_input in = {.config = file.config,
	                               .model = &file.model,
	                               .sha256 = file.sha256,
	                               .vpc = l->vpc,
	                               .bucket = l->bucket,
	                               .image = l->image,
	                               .compute_image = l->compute_image,
	                               .storage = storage,
	                               .faults = faults,
	                               .notes = notes,
	                               .arena = l->program.arena};
	return stack_write(&in, ret, e);
}

int verb_template(void *program)
{
	struct life *l = program;
	struct faults faults = {.arena = l->program.arena};
	struct cluster_notes notes = {.arena = l->program.arena};
	struct stack stack;
	struct err e;
	int r = run(l, &faults, &notes, &stack, &e);

	for (size_t i = 0; i < notes.n && !l->program.quiet; i++)
		log_notice("note: %s", notes.items[i]);
	if (r < 0)
		return program_faults(&l->program, &faults, &e);
	fwrite(stack.text.data, 1, stack.text.len, stdout);
	return 0;
}
