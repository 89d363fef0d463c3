/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the text of grub.cfg for the newest kernels of the layers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk/grub.h"
#include "store/stack.h"

#define CMDLINE_MAX 2048 /* COMMAND_LINE_SIZE of x86 and arm64 */

struct kernel {
	const char *image, *initrd; /* initrd NULL: none */
};

/* The newest first; *ret_before.image NULL: there is but one. */
struct kernels {
	struct kernel newest, before;
	bool links; /* Debian's, which it moves at an upgrade: what is before may be there later */
};

static int newer_first(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)b, *(const char *const *)a);
}

static struct kernel kernel_of(const char *const *layers, const char *name, struct arena *a)
{
	const char *version = name + strlen("vmlinuz-");
	const char *const initrds[] = {arena_printf(a, "/boot/initrd.img-%s", version),
	                               arena_printf(a, "/boot/initramfs-%s.img", version)};
	struct kernel k = {.image = arena_printf(a, "/boot/%s", name)};

	for (size_t i = 0; i < ARRAY_LEN(initrds) && !k.initrd; i++)
		if (stack_have(layers, initrds[i]))
			k.initrd = initrds[i];
	return k;
}

static int find_kernels(const char *const *layers, struct arena *a, struct kernels *ret,
                        struct err *e)
{
	const char **names;
	size_t n;

	*ret = (struct kernels){0};
	if (stack_have(layers, "/vmlinuz")) {
		bool initrd = stack_have(layers, "/initrd.img");

		ret->links = true;
		ret->newest = (struct kernel){"/vmlinuz", initrd ? "/initrd.img" : NULL};
		ret->before = (struct kernel){"/vmlinuz.old", initrd ? "/initrd.img.old" : NULL};
		return 0;
	}
	int r = stack_list(layers, "/boot", "vmlinuz-", a, &names, &n, e);
	if (r < 0)
		return r;
	if (n == 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		               "looking for a kernel: the tree has no /boot/vmlinuz-*; add a "
		               "kernel to `packages`");
	qsort(names, n, sizeof *names, newer_first);
	ret->newest = kernel_of(layers, names[0], a);
	if (n > 1)
		ret->before = kernel_of(layers, names[1], a);
	return 0;
}

/* Quotes each word, so that GRUB's script language doesn't interpret it. */
static void add_words(struct strbuf *out, const char *cmdline)
{
	for (const char *p = cmdline; *p; p++) {
		if (*p == ' ')
			continue;
		strbuf_str(out, " '");
		for (; *p && *p != ' '; p++)
			strbuf_str(out, *p == '\'' ? "'\\''" : (char[]){*p, '\0'});
		strbuf_char(out, '\'');
		if (!*p)
			return;
	}
}

static void add_entry(struct strbuf *out, const char *title, const struct kernel *k,
                      const char *cmdline, const struct gpt *gpt)
{
	strbuf_printf(out, "menuentry '%s' {\nlinux %s root=PARTUUID=%s ro%s", title, k->image,
	              gpt->parts[GPT_ROOT].uuid, k->initrd ? "" : " rootwait");
	add_words(out, cmdline);
	if (k->initrd)
		strbuf_printf(out, "\ninitrd %s", k->initrd);
	strbuf_str(out, "\n}\n");
}

/* GRUB goes to its second entry where the first can't be loaded. */
static void add_entries(struct strbuf *out, const struct kernels *k, const char *cmdline,
                        const struct gpt *gpt)
{
	add_entry(out, "newest kernel", &k->newest, cmdline, gpt);
	if (!k->before.image)
		return;
	if (k->links)
		strbuf_printf(out, "if [ -e %s ]; then\n", k->before.image);
	add_entry(out, "kernel before", &k->before, cmdline, gpt);
	if (k->links)
		strbuf_str(out, "fi\n");
}

int grub_config(const char *const *layers, const char *cmdline, const struct gpt *gpt,
                const char *root_uuid, struct arena *a, struct blob *ret, struct err *e)
{
	struct strbuf out = STRBUF(a, 8 * CMDLINE_MAX + 2048);
	struct kernels kernels;

	for (const char *p = cmdline; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
			               "the kernel's command line: a control character in it");
	if (strlen(cmdline) > CMDLINE_MAX - 128)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "the kernel's command line: more than %d characters",
		               CMDLINE_MAX - 128);
	int r = find_kernels(layers, a, &kernels, e);
	if (r < 0)
		return r;
	strbuf_printf(&out,
	              "set timeout=0\n"
	              "set default=0\n"
	              "set fallback=1\n"
	              "if serial --unit=0 --speed=115200; then\n"
	              "  terminal_input serial console\n"
	              "  terminal_output serial console\n"
	              "fi\n"
	              "search --no-floppy --fs-uuid --set=root %s\n",
	              root_uuid);
	add_entries(&out, &kernels, cmdline, gpt);
	*ret = (struct blob){out.data, out.len};
	return 0;
}
