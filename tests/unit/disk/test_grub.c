/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of disk/grub. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "disk/grub.h"
#include "store/stack.h"

#define ROOT "0d1e2f3a-0000-8000-8000-000000000000"

struct fixture {
	char dir[64], lower[96], upper[96];
	const char *layers[3];
	struct arena *a;
	struct gpt gpt;
};

static void put(const char *layer, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", layer, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, name, strlen(name)), strlen(name));
	close(fd);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct disk_spec spec = {
	        .size = (uint64_t)1 << 30, .boot = BOOT_UEFI_BIOS, .seed = "s"};
	struct err e;
	char path[256];

	snprintf(f->dir, sizeof f->dir, "/tmp/unit-grub-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->lower, sizeof f->lower, "%s/lower", f->dir);
	snprintf(f->upper, sizeof f->upper, "%s/upper", f->dir);
	const char *const dirs[] = {f->lower, f->upper};
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(mkdir(dirs[i], 0755), 0);
		snprintf(path, sizeof path, "%s/boot", dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		f->layers[i] = dirs[i];
	}
	f->a = arena_new();
	assert_ok(gpt_layout(&spec, "x86_64", &f->gpt, &e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
	arena_close(f->a);
	int r = system(command);
	free(f);
	return r;
}

static const char *config(struct fixture *f, const char *cmdline)
{
	struct blob text = {0};
	struct err e;

	assert_ok(grub_config(f->layers, cmdline, &f->gpt, ROOT, f->a, &text, &e));
	return text.data;
}

static void test_the_newest_kernel_is_booted(void **state)
{
	struct fixture *f = *state;

	put(f->lower, "boot/vmlinuz-6.1.0-9-cloud-amd64");
	put(f->lower, "boot/initrd.img-6.1.0-9-cloud-amd64");
	put(f->upper, "boot/vmlinuz-6.1.0-10-cloud-amd64");
	const char *text = config(f, "quiet");
	assert_non_null(strstr(text, "linux /boot/vmlinuz-6.1.0-10-cloud-amd64 root=PARTUUID="));
	assert_non_null(strstr(text, " ro rootwait 'quiet'\n}\nmenuentry 'kernel before' {\nlinux "
	                             "/boot/vmlinuz-6.1.0-9-cloud-amd64 root=PARTUUID="));
	const char *initrd = strstr(text, "initrd");
	assert_non_null(initrd);
	assert_true(str_eq(initrd, "initrd /boot/initrd.img-6.1.0-9-cloud-amd64\n}\n"));
	assert_non_null(strstr(text, "set fallback=1\n"));
}

static void test_a_kernel_removed_above_is_not_booted(void **state)
{
	struct fixture *f = *state;
	char gone[256];

	unit_need_root();
	put(f->lower, "boot/vmlinuz-6.1.0-9-cloud-amd64");
	put(f->lower, "boot/initrd.img-6.1.0-9-cloud-amd64");
	put(f->lower, "boot/vmlinuz-6.1.0-10-cloud-amd64");
	snprintf(gone, sizeof gone, "%s/boot/vmlinuz-6.1.0-10-cloud-amd64", f->upper);
	assert_int_equal(mknod(gone, S_IFCHR, 0), 0);
	assert_non_null(strstr(config(f, ""), "\ninitrd /boot/initrd.img-6.1.0-9-cloud-amd64\n"));
}

static void remake(struct fixture *f, const char *path)
{
	char whole[256];

	snprintf(whole, sizeof whole, "%s/%s", f->upper, path);
	(void)rmdir(whole);
	assert_int_equal(mkdir(whole, 0755), 0);
	assert_int_equal(setxattr(whole, "trusted.overlay.opaque", "y", 1, 0), 0);
}

/* A directory that was removed and made again has nothing of the one below. */
static void test_a_kernel_in_a_directory_made_anew_is_not_booted(void **state)
{
	struct fixture *f = *state;
	struct blob text = {0};
	struct err e;

	unit_need_root();
	put(f->lower, "boot/vmlinuz-6.1.0-9-cloud-amd64");
	put(f->lower, "boot/initrd.img-6.1.0-8-cloud-amd64");
	remake(f, "boot");
	assert_err(grub_config(f->layers, "", &f->gpt, ROOT, f->a, &text, &e), ERR_INPUT,
	           "no /boot/vmlinuz-*");
	put(f->upper, "boot/vmlinuz-6.1.0-8-cloud-amd64");
	assert_null(strstr(config(f, ""), "initrd"));
}

static void test_debians_links_win(void **state)
{
	struct fixture *f = *state;
	char link[256];

	put(f->lower, "boot/vmlinuz-6.1.0-9-cloud-amd64");
	snprintf(link, sizeof link, "%s/vmlinuz", f->lower);
	assert_int_equal(symlink("boot/vmlinuz-6.1.0-9-cloud-amd64", link), 0);
	const char *text = config(f, "");
	assert_non_null(strstr(text, "linux /vmlinuz root="));
	/* The older one is there when an upgrade has made its link. */
	assert_non_null(strstr(text, "if [ -e /vmlinuz.old ]; then\nmenuentry 'kernel before' {\n"
	                             "linux /vmlinuz.old root="));
	assert_true(str_ends(text, "}\nfi\n"));
}

static void test_the_command_line_is_literal(void **state)
{
	struct fixture *f = *state;

	put(f->lower, "boot/vmlinuz-6.1");
	assert_non_null(strstr(config(f, " a=$(x)  b;c it's"), " 'a=$(x)' 'b;c' 'it'\\''s'\n}\n"));
}

static void test_what_is_refused(void **state)
{
	struct fixture *f = *state;
	struct blob text = {0};
	struct err e;

	assert_err(grub_config(f->layers, "", &f->gpt, ROOT, f->a, &text, &e), ERR_INPUT,
	           "no /boot/vmlinuz-*");
	put(f->lower, "boot/vmlinuz-6.1");
	assert_err(grub_config(f->layers, "a\nboot", &f->gpt, ROOT, f->a, &text, &e), ERR_INPUT,
	           "control character");
	assert_null(text.data);
	assert_err(grub_config(f->layers, "a\x7f", &f->gpt, ROOT, f->a, &text, &e), ERR_INPUT,
	           "control character");
	char line[1922];
	memset(line, '\'', sizeof line);
	line[1921] = '\0';
	assert_err(grub_config(f->layers, line, &f->gpt, ROOT, f->a, &text, &e), ERR_INPUT,
	           "the kernel's command line: more than 1920 characters");
	assert_null(text.data);
	/* Whatever is in it, all of it is there, for both kernels. */
	line[1920] = '\0';
	put(f->lower, "boot/vmlinuz-6.2");
	const char *longest = config(f, line);
	size_t n = 0;
	for (const char *p = longest; (p = strstr(p, "'\\''")); p++)
		n++;
	assert_int_equal(n, 2 * 1920);
	assert_true(str_ends(longest, "'\n}\n"));
}

/* To the byte; dracut's name of an initrd, and three kernels of which two are listed. */
static void test_the_whole_text(void **state)
{
	struct fixture *f = *state;
	const char *uuid = f->gpt.parts[GPT_ROOT].uuid;

	put(f->lower, "boot/vmlinuz-9");
	put(f->lower, "boot/vmlinuz-11");
	put(f->upper, "boot/vmlinuz-10");
	put(f->lower, "boot/initramfs-11.img");
	put(f->lower, "boot/vmlinux-12");
	assert_string_equal(config(f, "quiet \x80"),
	                    arena_printf(f->a,
	                                 "set timeout=0\nset default=0\nset fallback=1\n"
	                                 "if serial --unit=0 --speed=115200; then\n"
	                                 "  terminal_input serial console\n"
	                                 "  terminal_output serial console\nfi\n"
	                                 "search --no-floppy --fs-uuid --set=root " ROOT "\n"
	                                 "menuentry 'newest kernel' {\n"
	                                 "linux /boot/vmlinuz-11 root=PARTUUID=%s ro 'quiet' "
	                                 "'\x80'\ninitrd /boot/initramfs-11.img\n}\n"
	                                 "menuentry 'kernel before' {\n"
	                                 "linux /boot/vmlinuz-10 root=PARTUUID=%s ro rootwait "
	                                 "'quiet' '\x80'\n}\n",
	                                 uuid, uuid));
	/* By links, the older initrd goes with the newer. */
	char link[256];
	snprintf(link, sizeof link, "%s/vmlinuz", f->lower);
	assert_int_equal(symlink("boot/vmlinuz-11", link), 0);
	snprintf(link, sizeof link, "%s/initrd.img", f->upper);
	assert_int_equal(symlink("boot/none", link), 0);
	const char *text = strstr(config(f, " "), "menuentry");
	assert_string_equal(text, arena_printf(f->a,
	                                       "menuentry 'newest kernel' {\n"
	                                       "linux /vmlinuz root=PARTUUID=%s ro\n"
	                                       "initrd /initrd.img\n}\n"
	                                       "if [ -e /vmlinuz.old ]; then\n"
	                                       "menuentry 'kernel before' {\n"
	                                       "linux /vmlinuz.old root=PARTUUID=%s ro\n"
	                                       "initrd /initrd.img.old\n}\nfi\n",
	                                       uuid, uuid));
}

static void test_layout(void **state)
{
	(void)state;
	struct disk_spec spec = {.size = (uint64_t)1 << 30, .boot = BOOT_UEFI, .seed = "s"};
	struct gpt g = {0};
	struct err e;

	assert_ok(gpt_layout(&spec, "arm64", &g, &e));
	assert_int_equal(g.parts[GPT_BIOS].size, 0);
	assert_int_equal(g.parts[GPT_ESP].start, 1 << 20);
	assert_int_equal(g.parts[GPT_ROOT].start, 65 << 20);
	assert_int_equal(g.parts[GPT_ROOT].start + g.parts[GPT_ROOT].size, 1023 << 20);
	spec.size = 100 << 20;
	assert_err(gpt_layout(&spec, "arm64", &g, &e), ERR_INPUT, "100 MiB: too small");
	assert_err(grub_check("riscv64", BOOT_UEFI, &e), ERR_INPUT, "no such GRUB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_the_newest_kernel_is_booted, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_kernel_removed_above_is_not_booted, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(
	                test_a_kernel_in_a_directory_made_anew_is_not_booted, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_debians_links_win, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_the_command_line_is_literal, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_the_whole_text, setup, teardown),
	        cmocka_unit_test(test_layout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
