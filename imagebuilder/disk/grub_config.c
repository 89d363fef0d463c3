/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the text of grub.cfg for the newest kernel of the layers. */
#include <errno.h>
#include <string.h>

#include "disk/grub.h"
#include "store/stack.h"

#define CMDLINE_MAX 2048 /* COMMAND_LINE_SIZE of x86 and arm64 */

static const char *newest(const char **names, size_t n)
{
	const char *best = names[0];

	for (size_t i = 1; i < n; i++)
		if (strverscmp(names[i], best) > 0)
			best = names[i];
	return best;
}

static int find_kernel(const char *const *layers, struct arena *a, const char **ret_kernel,
                       const char **ret_initrd, struct err *e)
{
	const char **names;
	size_t n;

	if (stack_have(layers, "/vmlinuz")) {
		*ret_kernel = "/vmlinuz";
		*ret_initrd = stack_have(layers, "/initrd.img") ? "/initrd.img" : NULL;
		return 0;
	}
	int r = stack_list(layers, "/boot", "vmlinuz-", a, &names, &n, e);
	if (r < 0)
		return r;
	if (n == 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, ENOENT,
		               "looking for a kernel: the tree has no /boot/vmlinuz-*; add a "
		               "kernel to `packages`");
	const char *version = newest(names, n) + strlen("vmlinuz-");
	const char *const initrds[] = {arena_printf(a, "/boot/initrd.img-%s", version),
	                               arena_printf(a, "/boot/initramfs-%s.img", version)};
	*ret_kernel = arena_printf(a, "/boot/vmlinuz-%s", version);
	*ret_initrd = NULL;
	for (size_t i = 0; i < ARRAY_LEN(initrds) && !*ret_initrd; i++)
		if (stack_have(layers, initrds[i]))
			*ret_initrd = initrds[i];
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

int grub_config(const char *const *layers, const char *cmdline, const struct gpt *gpt,
                const char *root_uuid, struct arena *a, struct blob *ret, struct err *e)
{
	struct strbuf out = STRBUF(a, 4 * CMDLINE_MAX + 2048);
	const char *kernel = NULL, *initrd = NULL;

	for (const char *p = cmdline; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
			               "the kernel's command line: a control character in it");
	if (strlen(cmdline) > CMDLINE_MAX - 128)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "the kernel's command line: more than %d characters",
		               CMDLINE_MAX - 128);
	int r = find_kernel(layers, a, &kernel, &initrd, e);
	if (r < 0)
		return r;
	strbuf_printf(&out,
	              "set timeout=0\n"
	              "if serial --unit=0 --speed=115200; then\n"
	              "  terminal_input serial console\n"
	              "  terminal_output serial console\n"
	              "fi\n"
	              "search --no-floppy --fs-uuid --set=root %s\n"
	              "linux %s root=PARTUUID=%s ro%s",
	              root_uuid, kernel, gpt->parts[GPT_ROOT].uuid, initrd ? "" : " rootwait");
	add_words(&out, cmdline);
	if (initrd)
		strbuf_printf(&out, "\ninitrd %s", initrd);
	strbuf_str(&out, "\nboot\n");
	*ret = (struct blob){out.data, out.len};
	return 0;
}
