/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a finished image: its disk, its boot loader, and its tree. */
#include "look/verify_own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "store/listing.h"

#define FSTAB_MAX (64 << 10)

/* An error about the disk is a fault of the image; an error of this machine stays an error. */
static int judge(struct verify *v, const char *check, int r, const struct err *e, const char *fine)
{
	if (r < 0 && e->kind != ERR_INTEGRITY && e->kind != ERR_INPUT)
		return r;
	verify_tell(v, check, r < 0 ? VERIFY_FAULT : VERIFY_OK, "%s", r < 0 ? e->text : fine);
	return 0;
}

/* ---- the disk ---- */

static int check_table(struct verify *v, struct err *e)
{
	static const char check[] = "partition-table";
	const struct rawdisk *d = &v->image->disk;
	bool last = true;

	if (!d->has_table) {
		verify_tell(v, check, VERIFY_NOTE, "a file system alone, which no machine boots");
		return 0;
	}
	for (size_t i = 0; i < d->table.n; i++)
		last = last && d->table.items[i].start <= d->root->start;
	if (!last)
		verify_tell(v, check, VERIFY_FAULT,
		            "the root is not the last partition, and can't grow with the disk");
	return judge(v, check, gpt_check_copy(d->fd, d->file, &d->table, e), e,
	             "the table and its copy are sound");
}

/* Otherwise it would not have been unpacked. */
static int check_system(struct verify *v, struct err *e)
{
	(void)e;
	verify_tell(v, "file-system", VERIFY_OK, "e2fsck finds the root sound");
	return 0;
}

static int check_kernel(struct verify *v, struct err *e)
{
	int fd = file_open(v->image->root, "/boot", O_RDONLY | O_DIRECTORY, 0), n = 0;
	scope_listing struct listing l = {0};
	int r = fd < 0 ? 0 : listing_read(fd, &l);

	if (fd >= 0)
		close(fd);
	if (r < 0)
		return err_errno(e, -r, "listing /boot of the image");
	for (int i = 0; i < l.n; i++)
		n += str_starts(l.items[i]->d_name, "vmlinuz-");
	verify_tell(v, "kernel", n ? VERIFY_OK : VERIFY_FAULT,
	            n ? "in /boot" : "no /boot/vmlinuz-*");
	return 0;
}

/* The root's line, found by what it refers to: it must not be another disk's. */
static const char *root_in(const char *text, struct arena *a)
{
	char device[512], at[512];

	for (const char *line = text; line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (sscanf(line, " %511[^# \t\n] %511s", device, at) == 2 && str_eq(at, "/"))
			return arena_strdup(a, device);
	return NULL;
}

static int check_fstab(struct verify *v, struct err *e)
{
	static const char check[] = "fstab";
	const struct rawdisk *d = &v->image->disk;
	struct blob text = {"", 0};
	int r = file_read(v->image->root, "/etc/fstab", FSTAB_MAX, v->arena, &text, e);

	if (r < 0 && r != -ENOENT)
		return judge(v, check, r, e, "");
	const char *device = root_in(arena_memdup(v->arena, text.data, text.len), v->arena);
	bool uuid = device && str_starts(device, "UUID=");
	bool part = device && str_starts(device, "PARTUUID=");
	if (!device)
		verify_tell(v, check, VERIFY_FAULT, "/etc/fstab has no line for /");
	else if ((uuid && strcasecmp(device + 5, d->uuid) != 0) ||
	         (part && (!d->root || strcasecmp(device + 9, d->root->uuid) != 0)))
		verify_tell(v, check, VERIFY_FAULT, "/etc/fstab names another root: %s", device);
	else
		verify_tell(v, check, VERIFY_OK, "names the root: %s", device);
	return 0;
}

/* ---- the tree ---- */

static void tell_unused(struct verify *v, const struct hygiene_findings *found)
{
	const struct hygiene_allow **unused;
	size_t n = hygiene_unused(v->intent, found, v->arena, &unused);

	for (size_t i = 0; i < n; i++)
		verify_tell(v, "hygiene", VERIFY_NOTE,
		            "the recipe allows what is not there: %s: '%s'", unused[i]->rule,
		            unused[i]->path);
}

/* An image can't excuse itself: what its manifest says of a fault is only told. */
static void tell_finding(struct verify *v, const struct hygiene_finding *f,
                         const struct hygiene_intent *said)
{
	const struct hygiene_allow *row = hygiene_allows(said, f->rule, f->path);

	verify_tell(v, "hygiene", VERIFY_FAULT, "%s%s%s", hygiene_words(f, v->arena),
	            row ? "; its manifest says why it is there: " : "", row ? row->reason : "");
}

static int check_hygiene(struct verify *v, struct err *e)
{
	static const char check[] = "hygiene";
	struct hygiene_intent said = {0};
	struct hygiene_findings found;

	verify_allowed(v, &said);
	int r = hygiene_look(v->image->root, v->intent, v->arena, &found, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < found.n; i++)
		tell_finding(v, &found.items[i], &said);
	if (found.more)
		verify_tell(v, check, VERIFY_FAULT, "and more than can be told");
	for (size_t i = 0; i < found.n_allowed; i++)
		if (!found.allowed[i].allowed->implied)
			verify_tell(v, check, VERIFY_NOTE, "%s",
			            hygiene_words(&found.allowed[i], v->arena));
	tell_unused(v, &found);
	if (!found.n)
		verify_tell(v, check, VERIFY_OK, "nothing that no image may have");
	return 0;
}

int verify_all(struct verify *v, struct err *e)
{
	static const struct {
		int (*check)(struct verify *v, struct err *e);
		bool disk, table; /* only for images that have one */
		const char *what;
	} checks[] = {
	        {check_table, true, false, "reading the partition table"},
	        {check_system, true, false, "checking the file system"},
	        {verify_boot, true, true, "comparing the boot loader"},
	        {check_kernel, true, true, "looking for a kernel"},
	        {check_fstab, true, true, "reading fstab"},
	        {check_hygiene, false, false, "searching for what no image may have"},
	        {verify_manifest, false, false, "comparing the manifest"},
	};

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		if ((!v->image->is_disk && checks[i].disk) ||
		    (!v->image->disk.has_table && checks[i].table))
			continue;
		if (v->phase)
			v->phase(v->ctx, checks[i].what);
		int r = checks[i].check(v, e);
		if (r < 0)
			return r;
	}
	return 0;
}
