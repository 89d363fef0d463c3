/* SPDX-License-Identifier: Apache-2.0 */
/* Finds files of a base's EFI system partition that a disk made of it would not have. */
#include "disk/esp.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "store/tool.h"

#define NAMED_MAX 3 /* in a message */

/* What distributions' packages put there: shim, GRUB, their tables and GRUB's own files. */
static const char *const loaders[] = {"shim*.efi", "grub*.efi", "mm*.efi",  "fb*.efi",
                                      "boot*.efi", "boot*.csv", "grub.cfg", "grubenv",
                                      "*.mod",     "*.lst",     "*.pf2"};

static bool is_loader(const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < ARRAY_LEN(loaders); i++)
		if (fnmatch(loaders[i], slash ? slash + 1 : path, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

/* An unformatted one has no signature of a boot sector. */
static bool is_formatted(const struct rawdisk *d, const struct gpt_entry *p)
{
	unsigned char sector[512];

	return pread(d->fd, sector, sizeof sector, (off_t)p->start) == sizeof sector &&
	       sector[510] == 0x55 && sector[511] == 0xaa;
}

static int list(const struct rawdisk *d, const struct gpt_entry *p, uint64_t deadline,
                struct arena *a, const char **ret, struct err *e)
{
	const char *const argv[] = {
	        "mdir", "-/", "-b", "-i", arena_printf(a, "%s@@%" PRIu64, d->path, p->start),
	        "::",   NULL};
	const char *const env[] = {"MTOOLS_SKIP_CHECK=1", "LC_ALL=C", NULL};
	struct host_exec x = {.argv = argv, .env = env, .deadline = deadline};
	struct host_result out;
	int r = host_run_here(&x, a, &out, e);

	if (r < 0)
		return r;
	const char *said = out.errout.data ? out.errout.data : "";
	if (out.status != 0 && !strstr(said, "not found")) /* it is empty */
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "looking into '%s': its partition for UEFI can't be read: %.*s",
		               d->file, (int)strcspn(said, "\n"), said);
	*ret = out.out.data ? out.out.data : "";
	return 0;
}

/* "::/EFI/BOOT/BOOTX64.EFI" a line; directories end with a slash. */
static size_t foreign_of(const char *text, struct arena *a, struct strbuf *names)
{
	size_t n = 0;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\r\n");
		const char *path = arena_memdup(a, p, len);

		if (!str_starts(path, "::/") || str_ends(path, "/") || is_loader(path))
			continue;
		if (n++ < NAMED_MAX)
			strbuf_printf(names, "%s'%s'", n > 1 ? ", " : "", path + 2);
	}
	return n;
}

static int check_one(const struct rawdisk *d, const struct gpt_entry *p, uint64_t deadline,
                     struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf names = STRBUF(a, 512);
	const char *text = "";
	int r = tool_need("mdir", "mtools", e);

	if (r < 0)
		return r;
	r = list(d, p, deadline, a, &text, e);
	if (r < 0)
		return r;
	size_t n = foreign_of(text, a, &names);
	if (!n)
		return 0;
	return err_set(
	        e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
	        "starting from '%s': its partition for UEFI has %s%s, which a disk made of it "
	        "would lose: take these files away, or start from a tar of its root",
	        d->file, names.data, n > NAMED_MAX ? " and more" : "");
}

int esp_check(const struct rawdisk *d, uint64_t deadline, struct err *e)
{
	int r = 0;

	for (size_t i = 0; d->has_table && i < d->table.n && r == 0; i++) {
		const struct gpt_entry *p = &d->table.items[i];
		const char *kind = gpt_kind(p);

		if (kind && str_eq(kind, "esp") && is_formatted(d, p))
			r = check_one(d, p, deadline, e);
	}
	return r;
}
