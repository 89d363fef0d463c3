/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the boot loaders of a disk: that they are there, and that they are the image's own. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "disk/grub.h"
#include "look/verify_own.h"
#include "store/store.h"
#include "store/tool.h"

static const char check[] = "boot";

static const struct gpt_entry *part_of(const struct gpt_table *t, const char *kind)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(gpt_kind(&t->items[i]), kind))
			return &t->items[i];
	return NULL;
}

/* No data: the partition has no such file. */
static int read_from(struct verify *v, const struct gpt_entry *esp, const char *name,
                     const char *to, struct blob *ret, struct err *e)
{
	const char *const argv[] = {
	        "mcopy",
	        "-n",
	        "-i",
	        arena_printf(v->arena, "%s@@%" PRIu64, v->image->disk.path, esp->start),
	        arena_printf(v->arena, "::EFI/%s", name),
	        to,
	        NULL};
	const char *const env[] = {"MTOOLS_SKIP_CHECK=1", "MTOOLSRC=/dev/null", NULL};
	struct host_exec x = {.argv = argv, .env = env, .deadline = v->deadline};
	struct host_result res;
	int r = host_run_here(&x, v->arena, &res, e);

	if (r < 0)
		return err_wrap(e, "looking into the EFI system partition");
	*ret = (struct blob){0};
	if (res.status != 0)
		return 0;
	return file_read(AT_FDCWD, to, GRUB_EFI_MAX, v->arena, ret, e);
}

static int read_all(struct verify *v, const struct gpt_entry *esp, const char *dir,
                    struct grub_signed *ret, struct err *e)
{
	/* By machine. The first is what UEFI starts if it has no boot entries, as in a new
	 * instance. */
	static const char *const names[][4] = {
	        {"BOOT/BOOTX64.EFI", "BOOT/grubx64.efi", "BOOT/mmx64.efi", "debian/grub.cfg"},
	        {"BOOT/BOOTAA64.EFI", "BOOT/grubaa64.efi", "BOOT/mmaa64.efi", "debian/grub.cfg"},
	};
	struct blob *files[] = {&ret->loader, &ret->grub, &ret->manager, &ret->lead};
	const char *to = arena_printf(v->arena, "%s/file", dir);

	for (size_t i = 0; i < ARRAY_LEN(names) && !ret->loader.len; i++) {
		ret->arm = i == 1;
		for (size_t k = 0; k < ARRAY_LEN(files) && (k == 0 || ret->loader.len); k++) {
			int r = read_from(v, esp, names[i][k], to, files[k], e);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int find_loaders(struct verify *v, const struct gpt_entry *esp, struct grub_signed *ret,
                        struct err *e)
{
	char dir[] = "/tmp/hpc-imagebuild-XXXXXX";
	int r = tool_need("mcopy", "mtools", e);

	if (r < 0)
		return r;
	if (!mkdtemp(dir))
		return err_errno(e, errno, "making '%s'", dir);
	r = read_all(v, esp, dir, ret, e);
	store_remove(dir);
	return r;
}

/* 1: sound, 0: a fault was told. */
static int tell_fault(struct verify *v, int r, const struct err *e)
{
	if (r < 0 && e->kind != ERR_INTEGRITY)
		return r;
	if (r < 0)
		verify_tell(v, check, VERIFY_FAULT, "%s", e->text);
	return r == 0;
}

static int prove(struct verify *v, const struct grub_signed *l, bool *own, struct err *e)
{
	int r = grub_prove_efi(l->loader, l->arm, v->image->root, own, e);

	return r < 0 ? r : grub_prove_signed(l, v->image->disk.uuid, v->image->root, e);
}

static int check_uefi(struct verify *v, const struct gpt_entry *esp, bool *own, struct err *e)
{
	struct grub_signed l = {0};
	int r = find_loaders(v, esp, &l, e);

	if (r < 0)
		return r;
	if (!l.loader.len) {
		verify_tell(v, check, VERIFY_FAULT,
		            "the EFI system partition has no loader in /EFI/BOOT");
		return 0;
	}
	return tell_fault(v, prove(v, &l, own, e), e);
}

int verify_boot(struct verify *v, struct err *e)
{
	const struct rawdisk *d = &v->image->disk;
	const struct gpt_entry *esp = part_of(&d->table, "esp"), *bios = part_of(&d->table, "bios");
	bool own_uefi = true, own_bios = true;
	int uefi = esp ? check_uefi(v, esp, &own_uefi, e) : 0;

	if (uefi < 0)
		return uefi;
	int r = bios ? grub_prove_bios(d->fd, bios->start, v->image->root, &own_bios, e) : 0;
	int legacy = bios ? tell_fault(v, r, e) : 0;
	if (legacy < 0)
		return legacy;
	if (!esp && !bios)
		verify_tell(v, check, VERIFY_FAULT,
		            "neither an EFI system partition nor one for GRUB by BIOS");
	if (uefi || legacy)
		verify_tell(v, check, VERIFY_OK, "a loader for %s, %s",
		            !legacy ? "UEFI"
		            : uefi  ? "UEFI and one for BIOS"
		                    : "BIOS",
		            own_uefi && own_bios
		                    ? "by the image's own files of GRUB"
		                    : "by its form: the image has no files of GRUB to compare");
	return 0;
}
