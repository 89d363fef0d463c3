/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a disk can start is told by the names of packages, before any work. */
#include "recipe_test.h"

#include "recipe/bootable.h"

static int check(const char *text, const struct field_strings *all)
{
	struct recipe recipe;

	put("r.yaml", text);
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	return bootable_check(&recipe, all, arena, &e);
}

#define DEBIAN "image: {name: x, from: debian:bookworm}\n"

static void a_kernel_and_an_init_are_asked_for(void **state)
{
	(void)state;
	assert_err(check(DEBIAN "packages: [systemd-sysv]\n", NULL), ERR_INPUT,
	           "r.yaml:2:11: no package of this image brings the kernel that a disk starts by: "
	           "add linux-image-cloud-amd64");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
	assert_err(check(DEBIAN "packages: [linux-image-amd64, systemd]\n", NULL), ERR_INPUT,
	           "brings the init that a disk starts by: add systemd-sysv to 'packages'");
	assert_err(check(DEBIAN, NULL), ERR_INPUT, "r.yaml:1:8: no package");
	assert_ok(check(DEBIAN "packages: [linux-image-amd64, systemd-sysv]\n", NULL));
	assert_ok(check(DEBIAN "packages: [linux-image-cloud-amd64, libpam-systemd]\n", NULL));
	assert_err(check("image: {name: x, from: 'ubuntu:noble'}\npackages: [init]\n", NULL),
	           ERR_INPUT, "add linux-aws");
	assert_err(check("image: {name: x, from: 'amazonlinux:2023'}\npackages: [systemd]\n", NULL),
	           ERR_INPUT, "add kernel to");
	assert_ok(
	        check("image: {name: x, from: 'amazonlinux:2023'}\npackages: [kernel6.1]\n", NULL));
}

static void what_else_may_bring_them_is_not_refused(void **state)
{
	(void)state;
	const char *items[] = {"init", "linux-image-6.1.0-1-amd64"};
	const struct field_strings locked = {2, items}, half = {1, items};

	assert_ok(check(DEBIAN "packages: [task-x]\n", &locked));
	assert_err(check(DEBIAN "packages: [task-x]\n", &half), ERR_INPUT, "the kernel");
	assert_ok(check(DEBIAN "scripts: [{id: kernel, content: '#!/bin/sh'}]\n", NULL));
	assert_ok(check(DEBIAN "copy: [{from: r.yaml, to: /boot/vmlinuz-1}]\n", NULL));
	assert_err(check(DEBIAN "copy: [{from: r.yaml, to: /etc/boot}]\n", NULL), ERR_INPUT,
	           "kernel");
	put("tree/etc/x", "");
	assert_ok(check("image: {name: x, from: tree}\n", NULL));
	put("base.yaml", DEBIAN "packages: [systemd-sysv]\n");
	assert_ok(
	        check("image: {name: x, from: base.yaml}\npackages: [linux-image-amd64]\n", NULL));
	assert_err(check("image: {name: x, from: base.yaml}\n", NULL), ERR_INPUT,
	           "base.yaml:2:11: ");
}

#define ARM "image: {name: x, from: debian:bookworm, arch: arm64}\n"

/* GRUB's modules for another architecture are the image's, where this machine has none. */
static void grub_for_arm_is_of_the_image(void **state)
{
	(void)state;
	if (access("/usr/lib/grub/arm64-efi/moddep.lst", R_OK) == 0) {
		assert_ok(check(ARM "packages: [linux-image-cloud-arm64, systemd-sysv]\n", NULL));
		return;
	}
	assert_err(check(ARM "packages: [linux-image-cloud-arm64, systemd-sysv]\n", NULL),
	           ERR_INPUT,
	           "r.yaml:2:11: no package of this image brings the GRUB for UEFI that a disk "
	           "starts by: add grub-efi-arm64-bin");
	assert_ok(check(ARM "packages: [linux-image-cloud-arm64, systemd-sysv, "
	                    "grub-efi-arm64-bin]\n",
	                NULL));
}

static void secure_boot_wants_signed_loaders(void **state)
{
	(void)state;
#define SECURE                                                                                     \
	"image: {name: x, from: '%s', disk: {boot: uefi+secure}}\n"                                \
	"packages: [linux-image-amd64, systemd-sysv%s]\n"
#define LOADED(from, more) check(arena_printf(arena, SECURE, from, more), NULL)

	assert_err(LOADED("debian:bookworm", ""), ERR_INPUT,
	           "brings the signed shim that a disk starts by: add shim-signed to 'packages'");
	assert_err(LOADED("debian:bookworm", ", shim-signed"), ERR_INPUT,
	           "brings the signed GRUB that a disk starts by: add grub-efi-amd64-signed");
	assert_ok(LOADED("debian:bookworm", ", shim-signed, grub-efi-amd64-signed"));
	assert_err(LOADED("ubuntu:noble", ", shim-signed, grub-efi-amd64-signed"), ERR_INPUT,
	           "r.yaml:1:53: uefi+secure is for images of Debian, by whose shim and GRUB they "
	           "start, and this is of ubuntu:noble");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_kernel_and_an_init_are_asked_for),
	        T(what_else_may_bring_them_is_not_refused),
	        T(grub_for_arm_is_of_the_image),
	        T(secure_boot_wants_signed_loaders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
