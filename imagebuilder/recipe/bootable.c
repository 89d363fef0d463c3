/* SPDX-License-Identifier: Apache-2.0 */
/* Checks by their names that the packages of a recipe bring a kernel and an init. */
#include "recipe/bootable.h"

#include <unistd.h>

#include "document/distribution.h"
#include "recipe/brings.h"

/* By distribution, the first that fits. mmdebstrap's minbase has no init; packages of sessions and
 * networks depend on one. Kernels of rpm distributions need systemd themselves. */
static const struct part {
	const char *what, *distribution, *packages, *fix;
	bool secure;               /* only for boot: uefi+secure */
	const char *arch, *unless; /* only for that one, where this machine has no such file */
} parts[] = {
        {"kernel", "debian:", "linux-image-*",
         "linux-image-cloud-amd64 (arm64: linux-image-cloud-arm64)"},
        {"kernel", "ubuntu:",
         "linux-image-* linux-aws* linux-generic* linux-virtual* linux-kvm* linux-lowlatency* "
         "linux-oem-* linux-gcp* linux-azure*",
         "linux-aws"},
        {"kernel", "", "kernel kernel-* kernel[0-9]*", "kernel"},
        {"init", "debian:",
         "systemd-sysv init sysvinit-core runit-init libpam-systemd libpam-elogind "
         "dbus-user-session network-manager polkitd policykit-1",
         "systemd-sysv"},
        {"init", "ubuntu:",
         "systemd-sysv init sysvinit-core runit-init libpam-systemd libpam-elogind "
         "dbus-user-session network-manager polkitd policykit-1 ubuntu-minimal ubuntu-server",
         "systemd-sysv"},
        {"GRUB for UEFI", "debian:", "grub-efi-arm64-bin grub-efi-arm64", "grub-efi-arm64-bin",
         .arch = "arm64", .unless = "/usr/lib/grub/arm64-efi/moddep.lst"},
        {"GRUB for UEFI", "ubuntu:", "grub-efi-arm64-bin grub-efi-arm64", "grub-efi-arm64-bin",
         .arch = "arm64", .unless = "/usr/lib/grub/arm64-efi/moddep.lst"},
        {"signed shim", "debian:", "shim-signed", "shim-signed", .secure = true},
        {"signed GRUB", "debian:", "grub-efi-amd64-signed", "grub-efi-amd64-signed",
         .secure = true},
};

static const char *const kernels_in[] = {"/boot", "/vmlinuz", "/usr/lib/modules", NULL};

static int check_part(const struct recipe *top, const struct part *row,
                      const struct field_strings *all, struct arena *a, struct err *e)
{
	bool found = false;
	int r = brings_package(top, row->packages, a, &found, e);

	if (r < 0)
		return r;
	for (size_t i = 0; all && i < all->n; i++)
		found = found || brings_match(row->packages, all->items[i], a);
	if (found)
		return 0;
	const struct recipe *lowest = brings_lowest(top);
	const struct doc *at = doc_find(lowest->sections, "packages");
	return doc_err(at ? at : lowest->image, e, REASON_INPUT_REQUIRED,
	               "no package of this image brings the %s that a disk starts by: add %s to "
	               "'packages', or build a tree by --format dir or tar",
	               row->what, row->fix);
}

static bool is_needed(const struct part *row, const struct recipe *top)
{
	return !row->arch || (str_eq(row->arch, top->arch) && access(row->unless, R_OK) < 0);
}

int bootable_check(const struct recipe *top, const struct field_strings *all, struct arena *a,
                   struct err *e)
{
	const struct recipe *lowest = brings_lowest(top);
	bool secure = top->disk.boot == BOOT_UEFI_SECURE;
	const char *done = "";

	if (secure && top->distribution && !distribution_is(top->distribution, "debian"))
		return doc_err(doc_find(top->image, "disk.boot"), e, REASON_INPUT_UNSUPPORTED,
		               "uefi+secure is for images of Debian, by whose shim and GRUB they "
		               "start, and this is of %s",
		               top->distribution);
	if (lowest->from_type != FROM_DISTRIBUTION || brings_unknown(top, kernels_in))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if ((parts[i].secure && !secure) || !is_needed(&parts[i], top) ||
		    str_eq(done, parts[i].what) || !str_starts(lowest->from, parts[i].distribution))
			continue;
		done = parts[i].what;
		int r = check_part(top, &parts[i], all, a, e);
		if (r < 0)
			return r;
	}
	return 0;
}
