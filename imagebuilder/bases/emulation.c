/* SPDX-License-Identifier: Apache-2.0 */
/* Finds whether the kernel starts programs of another architecture by an emulator. */
#include "bases/emulation.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "document/arch.h"

#define ENTRY_MAX 4096
#define MAGIC_MAX 128 /* bytes; more than an ELF header has do not fit one */

/* How a program of the architecture begins: an ELF header's identification, type and machine. */
struct begin {
	unsigned char bytes[20];
};

static const struct machine {
	const char *arch;
	unsigned char number; /* e_machine, little-endian; the second byte is 0 */
} machines[] = {{"x86_64", EM_X86_64}, {"arm64", EM_AARCH64}};

static bool begins(const char *arch, struct begin *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		if (!str_eq(machines[i].arch, arch))
			continue;
		*ret = (struct begin){{0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
		                       EV_CURRENT, [16] = ET_DYN, [18] = machines[i].number}};
		return true;
	}
	return false;
}

/* The value of a line "key value" of an entry; NULL: it has none. */
static const char *line_of(const char *text, const char *key, struct arena *a)
{
	size_t len = strlen(key);

	for (const char *p = text; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");

		if (n > len && memcmp(p, key, len) == 0 && p[len] == ' ')
			return arena_memdup(a, p + len + 1, n - len - 1);
		p += n;
	}
	return NULL;
}

/* The bytes of a line in hexadecimal, at most MAGIC_MAX; none where there is no line. */
static size_t bytes_of(const char *hex, unsigned char *ret)
{
	size_t n = 0;
	unsigned v;

	for (; hex && n < MAGIC_MAX && sscanf(hex, "%2x", &v) == 1; hex += 2)
		ret[n++] = (unsigned char)v;
	return n;
}

static bool fits(const char *text, const struct begin *begin, struct arena *a)
{
	unsigned char magic[MAGIC_MAX], mask[MAGIC_MAX];
	const char *flags = line_of(text, "flags:", a), *offset = line_of(text, "offset", a);
	size_t n = bytes_of(line_of(text, "magic", a), magic);
	size_t masked = bytes_of(line_of(text, "mask", a), mask);

	if (!str_starts(text, "enabled\n") || !flags || !strchr(flags, 'F') || !offset ||
	    !str_eq(offset, "0") || !n || n > sizeof begin->bytes || (masked && masked != n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((begin->bytes[i] ^ magic[i]) & (masked ? mask[i] : 0xff))
			return false;
	return true;
}

static bool has_entry(const char *binfmt, const struct begin *begin)
{
	scope_dir DIR *dir = opendir(binfmt);
	bool found = false;

	for (struct dirent *d; dir && !found && (d = readdir(dir));) {
		scope_arena struct arena *a = arena_new();
		struct blob text;
		struct err none;

		if (d->d_name[0] == '.' ||
		    file_read(dirfd(dir), d->d_name, ENTRY_MAX, a, &text, &none) < 0)
			continue;
		found = fits(arena_memdup(a, text.data, text.len), begin, a);
	}
	return found;
}

int emulation_check(const char *file, const char *arch, const char *binfmt, struct err *e)
{
	struct begin begin;

	if (str_eq(arch, arch_native()) || (begins(arch, &begin) && has_entry(binfmt, &begin)))
		return 0;
	return err_set(e, ERR_HOST, REASON_HOST_EXEC, ENOEXEC,
	               "%s: the image is for %s, whose programs this %s machine can't run: install "
	               "qemu-user-static, which tells the kernel's binfmt_misc of its emulator",
	               file, arch, arch_native());
}
