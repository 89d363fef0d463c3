/* SPDX-License-Identifier: Apache-2.0 */
/* Proves boot code by the files of GRUB in the image, or by its structure where there are none. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "disk/grub.h"

#define BOOT_IMG "/usr/lib/grub/i386-pc/boot.img"

#define COUNT_AT (GRUB_CORE_BLOCKLIST + 8)

struct span {
	size_t from, to;
};

/* What grub-bios-setup leaves as the files have it. Not: the BIOS parameter block, where core.img
 * begins, the boot drive and its check; the block list and the fields of its Reed-Solomon code. */
static const struct span boot_same[] = {
        {0, 0x3}, {0x5a, GRUB_BOOT_KERNEL_SECTOR}, {0x68, GRUB_BOOT_CODE}};
static const struct span core_same[] = {{0, GRUB_CORE_BLOCKLIST}, {0x220, SIZE_MAX}};

static int fault(struct err *e, const char *what)
{
	return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG, "%s", what);
}

static bool any_data(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return true;
	return false;
}

static bool same(const struct span *spans, size_t n, struct blob have, struct blob want)
{
	if (have.len < want.len)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t to = spans[i].to < want.len ? spans[i].to : want.len;

		if (spans[i].from < to &&
		    memcmp(have.data + spans[i].from, want.data + spans[i].from,
		           to - spans[i].from) != 0)
			return false;
	}
	return true;
}

/* The first of these files in the tree; no data if there is none. */
static struct blob own_file(int tree, const char *const *names, size_t max, struct arena *a)
{
	struct blob text = {0};
	struct err none;

	for (; *names; names++)
		if (file_read(tree, *names, max, a, &text, &none) == 0 && text.len)
			return text;
	return (struct blob){0};
}

static uint64_t number(const char *at, size_t len)
{
	uint64_t n = 0;

	memcpy(&n, at, len);
	return le64toh(n);
}

/* Each sector that the first one loads must be there: a compressed core has no empty ones but, as
 * filling, the last. */
static bool core_is_whole(struct blob core, uint64_t start)
{
	size_t n = (size_t)number(core.data + COUNT_AT, 2);

	if (!any_data(core.data, GPT_SECTOR) || !n || (n + 1) * GPT_SECTOR > core.len ||
	    number(core.data + GRUB_CORE_BLOCKLIST, 8) != start + 1)
		return false;
	for (size_t i = 1; i < n; i++)
		if (!any_data(core.data + i * GPT_SECTOR, GPT_SECTOR))
			return false;
	return true;
}

static int prove_bios(struct blob boot, struct blob core, uint64_t start, struct blob own_boot,
                      struct blob own_core, struct err *e)
{
	if (!any_data(boot.data, GRUB_BOOT_CODE) || !any_data(core.data, GPT_SECTOR))
		return fault(e, "the partition for GRUB by BIOS has no GRUB");
	if (number(boot.data + GRUB_BOOT_KERNEL_SECTOR, 8) != start)
		return fault(e, "the boot code for BIOS doesn't begin GRUB's partition");
	if (own_boot.len >= GRUB_BOOT_CODE &&
	    !same(boot_same, ARRAY_LEN(boot_same), boot, own_boot))
		return fault(e, "the boot code for BIOS is not the image's own boot.img");
	if (own_core.len > GPT_SECTOR && !same(core_same, ARRAY_LEN(core_same), core, own_core))
		return fault(e, "the GRUB for BIOS is not the image's own core.img");
	if (!memmem(boot.data, GRUB_BOOT_CODE, "GRUB ", 5))
		return fault(e, "the boot code for BIOS is not GRUB's");
	if (!core_is_whole(core, start))
		return fault(e, "the GRUB for BIOS has parts missing");
	return 0;
}

int grub_prove_bios(int disk, uint64_t partition, int tree, bool *ret_own, struct err *e)
{
	static const char *const boots[] = {"/boot/grub/i386-pc/boot.img",
	                                    "/boot/grub2/i386-pc/boot.img", BOOT_IMG, NULL};
	static const char *const cores[] = {"/boot/grub/i386-pc/core.img",
	                                    "/boot/grub2/i386-pc/core.img", NULL};
	scope_arena struct arena *a = arena_new();
	char *boot = arena_alloc(a, GPT_SECTOR), *core = arena_alloc(a, GRUB_CORE_MAX);
	ssize_t n = pread(disk, core, GRUB_CORE_MAX, (off_t)partition);

	if (n < GPT_SECTOR || pread(disk, boot, GPT_SECTOR, 0) != GPT_SECTOR)
		return err_errno(e, n < 0 ? errno : EIO, "reading the boot code");
	struct blob own_boot = own_file(tree, boots, GPT_SECTOR, a);
	struct blob own_core = own_file(tree, cores, GRUB_CORE_MAX, a);
	*ret_own = own_boot.len && own_core.len;
	return prove_bios((struct blob){boot, GPT_SECTOR}, (struct blob){core, (size_t)n},
	                  partition / GPT_SECTOR, own_boot, own_core, e);
}

/* ---- UEFI ---- */

/* An application for UEFI of that machine, in the format PE32+ (PE Format, Microsoft). */
static bool is_application(struct blob file, bool arm)
{
	if (file.len < 0x40 || memcmp(file.data, "MZ", 2) != 0)
		return false;
	size_t at = (size_t)number(file.data + 0x3c, 4);
	if (at > file.len || file.len - at < 0x60 || memcmp(file.data + at, "PE\0\0", 4) != 0)
		return false;
	const char *coff = file.data + at + 4, *optional = coff + 20;
	size_t sections = (size_t)number(coff + 2, 2);
	const char *table = optional + number(coff + 16, 2), *end = file.data + file.len;
	if (number(coff, 2) != (arm ? 0xaa64 : 0x8664) || number(optional, 2) != 0x20b ||
	    number(optional + 68, 2) != 10 || !sections || table > end ||
	    (size_t)(end - table) < sections * 40)
		return false;
	for (size_t i = 0; i < sections; i++) {
		const char *row = table + i * 40;
		uint64_t size = number(row + 16, 4), from = number(row + 20, 4);

		if (from + size > file.len)
			return false;
		if ((number(row + 36, 4) & 0x20) && !any_data(file.data + from, (size_t)size))
			return false; /* its code is gone */
	}
	return true;
}

static bool is_file(struct blob loader, int tree, const char *name)
{
	scope_arena struct arena *a = arena_new();
	const char *const one[] = {name, NULL};
	struct blob own = own_file(tree, one, GRUB_EFI_MAX, a);

	return own.len && own.len == loader.len && memcmp(own.data, loader.data, own.len) == 0;
}

/* By machine: x86-64, arm64. */
static const struct signed_files {
	const char *shim, *grub, *manager; /* in the tree */
	const char *grub_name, *manager_name;
} signed_files[] = {
        {"/usr/lib/shim/shimx64.efi.signed", "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
         "/usr/lib/shim/mmx64.efi.signed", "grubx64.efi", "mmx64.efi"},
        {"/usr/lib/shim/shimaa64.efi.signed", "/usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed",
         "/usr/lib/shim/mmaa64.efi.signed", "grubaa64.efi", "mmaa64.efi"},
};

static int prove_beside_shim(const struct grub_signed *s, const struct signed_files *f, int tree,
                             struct err *e)
{
	scope_arena struct arena *a = arena_new();

	if (!s->grub.len)
		return fault(e,
		             arena_printf(a, "the shim has no %s beside it to load", f->grub_name));
	if (!is_file(s->grub, tree, f->grub))
		return fault(e, "the GRUB that the shim loads is not the image's own signed one");
	if (s->manager.len && !is_file(s->manager, tree, f->manager))
		return fault(e, arena_printf(a, "%s beside the shim is not the image's own",
		                             f->manager_name));
	return 0;
}

/* What grub-install writes for a signed GRUB instead: it may name disks to look at first. */
static bool is_lead_of_install(const char *text, const char *root_uuid, struct arena *a)
{
	const char *search = arena_printf(a, "search.fs_uuid %s root ", root_uuid);

	if (!str_starts(text, search))
		return false;
	text += strlen(search);
	text += strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789,- ");
	return str_eq(text, "\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n");
}

static int prove_lead(struct blob lead, const char *root_uuid, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *text = arena_memdup(a, lead.data ? lead.data : "", lead.len);

	if (!lead.len)
		return fault(e,
		             "the signed GRUB has no /EFI/debian/grub.cfg to lead it to the root");
	if (strlen(text) != lead.len ||
	    (!str_eq(text, grub_lead(root_uuid, a)) && !is_lead_of_install(text, root_uuid, a)))
		return fault(e,
		             "/EFI/debian/grub.cfg does other than lead GRUB to the image's root");
	return 0;
}

int grub_prove_signed(const struct grub_signed *s, const char *root_uuid, int tree, struct err *e)
{
	const struct signed_files *f = &signed_files[s->arm];
	bool shim = is_file(s->loader, tree, f->shim);

	if (!shim && !is_file(s->loader, tree, f->grub))
		return 0;
	int r = shim ? prove_beside_shim(s, f, tree, e) : 0;
	return r < 0 ? r : prove_lead(s->lead, root_uuid, e);
}

int grub_prove_efi(struct blob loader, bool arm, int tree, bool *ret_own, struct err *e)
{
	static const char *const files[][4] = {
	        {"/boot/grub/x86_64-efi/core.efi", "/usr/lib/shim/shimx64.efi.signed",
	         "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
	         "/boot/efi/EFI/BOOT/BOOTX64.EFI"},
	        {"/boot/grub/arm64-efi/core.efi", "/usr/lib/shim/shimaa64.efi.signed",
	         "/usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed",
	         "/boot/efi/EFI/BOOT/BOOTAA64.EFI"},
	};
	scope_arena struct arena *a = arena_new();
	bool any = false, equal = false;

	for (size_t i = 0; i < ARRAY_LEN(files[0]); i++) {
		const char *const one[] = {files[arm][i], NULL};
		struct blob own = own_file(tree, one, GRUB_EFI_MAX, a);

		any = any || own.len;
		equal = equal || (own.len && own.len == loader.len &&
		                  memcmp(own.data, loader.data, own.len) == 0);
	}
	*ret_own = any;
	if (any && !equal)
		return fault(e, "the loader for UEFI is not the image's own GRUB, nor its shim");
	if (!is_application(loader, arm))
		return fault(e, arm ? "BOOTAA64.EFI is no application for UEFI on arm64"
		                    : "BOOTX64.EFI is no application for UEFI on x86-64");
	return 0;
}
