/* SPDX-License-Identifier: Apache-2.0 */
/* Builds GRUB and installs it where UEFI and BIOS look for it. */
#include "disk/grub.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "document/arch.h"
#include "store/stack.h"

#define MODULES                                                                                    \
	"part_gpt", "ext2", "fat", "search", "search_fs_uuid", "configfile", "linux", "normal",    \
	        "serial", "terminal", "boot", "echo", "test"

#define MODULES_DIR      "/usr/lib/grub/%s"
#define MODULES_MAX      (4 << 20)
#define BOOT_IMG         "/usr/lib/grub/i386-pc/boot.img"
#define BOOT_DRIVE_CHECK 0x66  /* a jump that is only needed by BIOSes with wrong drive numbers */
#define CORE_SEGMENT     0x820 /* where the remaining sectors are loaded to */

static const struct target {
	const char *arch;
	enum recipe_boot boot;
	const char *platform, *file, *package; /* of GRUB */
} targets[] = {
        {"x86_64", BOOT_UEFI, "x86_64-efi", "BOOTX64.EFI", "grub-efi-amd64-bin"},
        {"arm64", BOOT_UEFI, "arm64-efi", "BOOTAA64.EFI", "grub-efi-arm64-bin"},
        {"x86_64", BOOT_UEFI_BIOS, "i386-pc", "core.img", "grub-pc-bin"},
};

static const struct target *target_of(const char *arch, enum recipe_boot boot)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		if (str_eq(targets[i].arch, arch) && targets[i].boot == boot)
			return &targets[i];
	return NULL;
}

static int check_one(const char *arch, enum recipe_boot boot, struct err *e)
{
	const struct target *t = target_of(arch, boot);
	char path[128];

	if (!t)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "booting '%s' by %s: there is no such GRUB; use `boot: uefi`", arch,
		               boot == BOOT_UEFI ? "UEFI" : "BIOS");
	snprintf(path, sizeof path, MODULES_DIR "/moddep.lst", t->platform);
	/* Of another architecture they are the image's: Debian has its packages for their own only. */
	if (access(path, R_OK) < 0 && (boot != BOOT_UEFI || str_eq(arch, arch_native())))
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, ENOENT,
		               "looking for GRUB's '%s': not on this machine; install %s",
		               t->platform, t->package);
	return 0;
}

int grub_check(const char *arch, enum recipe_boot boot, struct err *e)
{
	if (boot == BOOT_UEFI_SECURE)
		return 0; /* of the image's packages */
	int r = check_one(arch, BOOT_UEFI, e);

	if (r < 0 || boot == BOOT_UEFI)
		return r;
	return check_one(arch, boot, e);
}

static int run(const struct grub *g, const char *const *argv, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *const env[] = {
	        "TZ=UTC",
	        "MTOOLS_SKIP_CHECK=1",
	        "MTOOLSRC=/dev/null",
	        arena_printf(a, "SOURCE_DATE_EPOCH=%" PRId64, g->epoch),
	        NULL,
	};
	struct host_exec x = {.argv = argv, .env = env, .changes = true, .deadline = g->deadline};
	struct host_result out;

	return host_run_ok(g->tools, &x, a, &out, e);
}

static int put_here(const struct grub *g, const char *name, struct blob text, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct file_attr attr = {0600, (uid_t)-1, (gid_t)-1};

	return file_replace(AT_FDCWD, arena_printf(a, "%s/%s", g->dir, name), text.data, text.len,
	                    &attr, e);
}

const char *grub_lead(const char *root_uuid, struct arena *a)
{
	return arena_printf(a,
	                    "search --no-floppy --fs-uuid --set=root %s\n"
	                    "set prefix=($root)/boot/grub\n"
	                    "configfile ($root)/boot/grub/grub.cfg\n",
	                    root_uuid);
}

static int put_config(const struct grub *g, const char *name, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *text = grub_lead(g->root_uuid, a);

	return put_here(g, name, (struct blob){text, strlen(text)}, e);
}

static int copy_module(const struct grub *g, const char *from, const char *platform,
                       const char *name, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct stat st;
	struct blob text;

	if (!stack_stat(g->layers, arena_printf(a, "%s/%s", from, name), &st) ||
	    !S_ISREG(st.st_mode))
		return 0; /* the directory of images that are whole already */
	int r = stack_read(g->layers, arena_printf(a, "%s/%s", from, name), MODULES_MAX, a, &text,
	                   e);

	return r < 0 ? r : put_here(g, arena_printf(a, "%s/%s", platform, name), text, e);
}

/* Where grub-mkimage finds the modules: a copy of the image's, or NULL: this machine's. */
static int find_modules(const struct grub *g, const struct target *t, struct arena *a,
                        const char **ret, struct err *e)
{
	const char *from = arena_printf(a, MODULES_DIR, t->platform), **names = NULL;
	size_t n = 0;

	*ret = NULL;
	if (access(arena_printf(a, "%s/moddep.lst", from), R_OK) == 0)
		return 0;
	int r = stack_list(g->layers, from, "", a, &names, &n, e);
	if (r < 0)
		return r;
	if (!n)
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		        "GRUB's modules for %s are neither on this machine nor in the image: "
		        "add %s to `packages`",
		        t->platform, t->package);
	*ret = arena_printf(a, "%s/%s", g->dir, t->platform);
	if (mkdir(*ret, 0700) < 0)
		return err_errno(e, errno, "making '%s'", *ret);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = copy_module(g, from, t->platform, names[i], e);
	return r;
}

/* Builds GRUB for the target, as a file of that name in the directory. */
static int make_image(const struct grub *g, const struct target *t, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *modules = NULL;
	char *config = arena_printf(a, "%s/load.cfg", g->dir);
	int r = put_config(g, "load.cfg", e);
	if (r < 0)
		return r;
	r = find_modules(g, t, a, &modules, e);
	if (r < 0)
		return r;
	char *out = arena_printf(a, "%s/%s", g->dir, t->file);
	const char *const argv[] = {"grub-mkimage",
	                            "-O",
	                            t->platform,
	                            "-o",
	                            out,
	                            "-p",
	                            "/EFI/BOOT",
	                            "-c",
	                            config,
	                            MODULES,
	                            str_eq(t->platform, "i386-pc") ? "biosdisk" : "efi_gop",
	                            modules ? "-d" : NULL,
	                            modules,
	                            NULL};
	return run(g, argv, e);
}

/* What is on the ESP for Secure Boot: files of the image's packages, and under no name the text that
 * leads to the root. */
static const struct signed_file {
	const char *from, *package, *name, *to;
} signed_files[] = {
        {"/usr/lib/shim/shimx64.efi.signed", "shim-signed", "shim.efi", "::EFI/BOOT/BOOTX64.EFI"},
        {"/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "grub-efi-amd64-signed", "grub.efi",
         "::EFI/BOOT/grubx64.efi"},
        {"/usr/lib/shim/mmx64.efi.signed", NULL, "mm.efi", "::EFI/BOOT/mmx64.efi"},
        {NULL, NULL, "grub.cfg", "::EFI/debian/grub.cfg"},
};

static int take_signed(const struct grub *g, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(signed_files); i++) {
		const struct signed_file *f = &signed_files[i];
		scope_arena struct arena *a = arena_new();
		struct blob text = {0};
		int r = f->from ? stack_read(g->layers, f->from, GRUB_EFI_MAX, a, &text, e)
		                : put_config(g, f->name, e);

		if (r < 0)
			return r;
		if (!text.len && f->package)
			return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
			               "boot: uefi+secure: the tree has no '%s'; add %s to "
			               "`packages`",
			               f->from, f->package);
		r = text.len ? put_here(g, f->name, text, e) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_to_esp(const struct grub *g, const char *at, const char *name, const char *to,
                       struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *const mcopy[] = {"mcopy", "-i", at, arena_printf(a, "%s/%s", g->dir, name),
	                             to,      NULL};

	return run(g, mcopy, e);
}

static int copy_signed(const struct grub *g, const char *at, struct err *e)
{
	const char *const mmd[] = {"mmd", "-i", at, "::EFI/debian", NULL};
	int r = run(g, mmd, e);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(signed_files); i++) {
		const struct signed_file *f = &signed_files[i];
		scope_arena struct arena *a = arena_new();

		if (access(arena_printf(a, "%s/%s", g->dir, f->name), F_OK) == 0)
			r = copy_to_esp(g, at, f->name, f->to, e);
	}
	return r;
}

static int make_esp(const struct grub *g, const struct target *t, bool secure, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct gpt_part *esp = &g->gpt->parts[GPT_ESP];
	char *at = arena_printf(a, "%s@@%" PRIu64, g->file, esp->start);
	/* One sector a cluster: FAT32 needs at least 65525 clusters. */
	const char *const mkfs[] = {"mkfs.vfat",
	                            "--offset",
	                            arena_printf(a, "%" PRIu64, esp->start / GPT_SECTOR),
	                            "--invariant",
	                            "-F",
	                            "32",
	                            "-s",
	                            "1",
	                            "-S",
	                            "512",
	                            "-i",
	                            arena_printf(a, "%08" PRIx32, g->volume),
	                            "-n",
	                            "ESP",
	                            g->file,
	                            arena_printf(a, "%" PRIu64, esp->size / 1024),
	                            NULL};
	const char *const mmd[] = {"mmd", "-i", at, "::EFI", "::EFI/BOOT", NULL};
	int r = run(g, mkfs, e);

	if (r < 0)
		return r;
	r = run(g, mmd, e);
	if (r < 0)
		return r;
	return secure ? copy_signed(g, at, e)
	              : copy_to_esp(g, at, t->file, arena_printf(a, "::EFI/BOOT/%s", t->file), e);
}

static int put(int fd, const void *data, size_t len, uint64_t at, struct err *e)
{
	if (lseek(fd, (off_t)at, SEEK_SET) < 0)
		return err_errno(e, errno, "writing GRUB");
	int r = file_write_all(fd, data, len);
	return r < 0 ? err_errno(e, -r, "writing GRUB") : 0;
}

/* Does what grub-bios-setup does, which would need a block device. */
static int embed(const struct grub *g, const struct blob *boot, const struct blob *core,
                 struct err *e)
{
	scope_arena struct arena *a = arena_new();
	uint64_t start = g->gpt->parts[GPT_BIOS].start / GPT_SECTOR;
	char *mbr = arena_memdup(a, boot->data, GRUB_BOOT_CODE);
	char *image = arena_memdup(a, core->data, core->len);
	uint64_t first = htole64(start), rest = htole64(start + 1);
	uint16_t sectors = htole16((uint16_t)((core->len + GPT_SECTOR - 1) / GPT_SECTOR - 1));
	uint16_t segment = htole16(CORE_SEGMENT);

	memcpy(mbr + GRUB_BOOT_KERNEL_SECTOR, &first, sizeof first);
	memset(mbr + BOOT_DRIVE_CHECK, 0x90, 2); /* nop */
	memcpy(image + GRUB_CORE_BLOCKLIST, &rest, sizeof rest);
	memcpy(image + GRUB_CORE_BLOCKLIST + 8, &sectors, sizeof sectors);
	memcpy(image + GRUB_CORE_BLOCKLIST + 10, &segment, sizeof segment);

	scope_fd int fd = open(g->file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", g->file);
	int r = put(fd, mbr, GRUB_BOOT_CODE, 0, e);
	if (r < 0)
		return r;
	return put(fd, image, core->len, start * GPT_SECTOR, e);
}

static int install_bios(const struct grub *g, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct target *t = target_of(g->gpt->arch, BOOT_UEFI_BIOS);
	struct blob boot, core;
	int r = file_read(AT_FDCWD, BOOT_IMG, GPT_SECTOR, a, &boot, e);

	if (r < 0)
		return r;
	r = file_read(AT_FDCWD, arena_printf(a, "%s/%s", g->dir, t->file), GRUB_CORE_MAX, a, &core,
	              e);
	if (r < 0)
		return r;
	if (boot.len != GPT_SECTOR || core.len <= GPT_SECTOR)
		return err_set(e, ERR_HOST, REASON_HOST_FILE, EINVAL,
		               "reading GRUB's boot.img and core.img: not of the size they have");
	return embed(g, &boot, &core, e);
}

int grub_make(const struct grub *g, enum recipe_boot boot, struct err *e)
{
	if (boot == BOOT_UEFI_SECURE)
		return take_signed(g, e);
	int r = make_image(g, target_of(g->gpt->arch, BOOT_UEFI), e);

	if (r < 0 || boot == BOOT_UEFI)
		return r;
	return make_image(g, target_of(g->gpt->arch, boot), e);
}

static int keep_one(const char *from, const char *platform, const char *top, const char *name,
                    struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *dir = arena_printf(a, "%s/%s", top, platform);
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};
	struct blob text;
	int r = file_read(AT_FDCWD, from, GRUB_EFI_MAX, a, &text, e);

	if (r < 0)
		return r;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making '%s'", dir);
	return file_replace(AT_FDCWD, arena_printf(a, "%s/%s", dir, name), text.data, text.len,
	                    &attr, e);
}

int grub_keep(const struct grub *g, enum recipe_boot boot, const char *top, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct target *t = target_of(g->gpt->arch, BOOT_UEFI);

	if (boot == BOOT_UEFI_SECURE)
		return 0; /* the image has them by its packages */
	int r = keep_one(arena_printf(a, "%s/%s", g->dir, t->file), t->platform, top, "core.efi",
	                 e);

	if (r < 0 || boot == BOOT_UEFI)
		return r;
	t = target_of(g->gpt->arch, boot);
	r = keep_one(arena_printf(a, "%s/%s", g->dir, t->file), t->platform, top, "core.img", e);
	if (r < 0)
		return r;
	return keep_one(BOOT_IMG, t->platform, top, "boot.img", e);
}

int grub_install(const struct grub *g, enum recipe_boot boot, struct err *e)
{
	int r = make_esp(g, target_of(g->gpt->arch, BOOT_UEFI), boot == BOOT_UEFI_SECURE, e);

	if (r < 0 || !g->gpt->parts[GPT_BIOS].size)
		return r;
	return install_bios(g, e);
}
