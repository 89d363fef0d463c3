/* SPDX-License-Identifier: Apache-2.0 */
/* template: prints the stack of a file. Needs no network and no account. */
#include <stdio.h>

#include "base/log.h"
#include "life/life.h"
#include "stack/stack.h"
#include "state/plan_file.h"
#include "state/storage.h"

static int run(struct life *l, struct faults *faults, struct cluster_notes *notes,
               struct stack *ret, struct err *e)
{
	struct plan_file file;
	const struct doc *storage;
	int r = plan_file_read(l, l->program.line.operands[0], faults, notes, &file, e);

	if (r < 0)
		return r;
	r = storage_read(l, file.config, &storage, e);
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
