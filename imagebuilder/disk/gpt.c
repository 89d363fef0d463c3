/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out the partitions of a new disk and writes their table. */
#include "disk/gpt.h"

#include <errno.h>
#include <inttypes.h>

#define MIB      ((uint64_t)1 << 20)
#define ESP_SIZE (64 * MIB)

struct role {
	const char *name;
	const char *type; /* UEFI and the Discoverable Partitions Specification */
	const char *type_arm64;
};

static const struct role roles[GPT_ROLES] = {
        [GPT_BIOS] = {"bios", "21686148-6449-6E6F-744E-656564454649", NULL},
        [GPT_ESP] = {"esp", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", NULL},
        [GPT_ROOT] = {"root", "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
                      "B921B045-1DF0-41C3-AF44-4C6F280D3FAE"},
};

int gpt_layout(const struct disk_spec *d, const char *arch, struct gpt *ret, struct err *e)
{
	struct gpt g = {.arch = arch};
	uint64_t at = MIB, end = d->size / MIB * MIB;
	uint64_t sizes[GPT_ROLES] = {
	        [GPT_BIOS] = d->boot == BOOT_UEFI_BIOS ? MIB : 0, [GPT_ESP] = ESP_SIZE};

	/* The backup table is in the last sectors. */
	if (end < at + MIB + ESP_SIZE + RECIPE_DISK_MIN / 8)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ERANGE,
		               "a disk of %" PRIu64 " MiB: too small for a boot loader and a root",
		               d->size / MIB);
	ident_uuid(d->seed, "disk", g.uuid);
	for (int i = 0; i < GPT_ROLES; i++) {
		uint64_t size = i == GPT_ROOT ? end - MIB - at : sizes[i];
		g.parts[i] = (struct gpt_part){.start = at, .size = size};
		ident_uuid(d->seed, roles[i].name, g.parts[i].uuid);
		at += size;
	}
	*ret = g;
	return 0;
}

int gpt_write(struct host *tools, const char *file, const struct gpt *g, uint64_t deadline,
              struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf text = STRBUF(a, 4096);

	strbuf_printf(&text, "label: gpt\nlabel-id: %s\nunit: sectors\nfirst-lba: 34\n", g->uuid);
	for (int i = 0; i < GPT_ROLES; i++) {
		const struct gpt_part *p = &g->parts[i];
		const struct role *role = &roles[i];
		bool arm64 = role->type_arm64 && str_eq(g->arch, "arm64");

		if (p->size)
			strbuf_printf(&text,
			              "start=%" PRIu64 ", size=%" PRIu64
			              ", type=%s, uuid=%s, name=%s\n",
			              p->start / GPT_SECTOR, p->size / GPT_SECTOR,
			              arm64 ? role->type_arm64 : role->type, p->uuid, role->name);
	}
	const char *const argv[] = {"sfdisk",  "--quiet", "--no-reread", "--no-tell-kernel",
	                            "--label", "gpt",     file,          NULL};
	struct host_exec x = {.argv = argv,
	                      .input = {text.data, text.len},
	                      .changes = true,
	                      .deadline = deadline};
	struct host_result out;

	return host_run_ok(tools, &x, a, &out, e);
}
