/* SPDX-License-Identifier: Apache-2.0 */
/* Converts the ACLs of a tar's entry to the xattrs by which Linux sets them. */
#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdlib.h>

#include "archive/tar_own.h"

static const struct {
	int type;
	const char *name;
} kinds[TAR_ACLS] = {
        {ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access"},
        {ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default"},
};

static const struct {
	int tag;
	uint16_t value;
	bool numbered; /* it is for one user or group, by number */
} tags[] = {
        {ARCHIVE_ENTRY_ACL_USER_OBJ, ACL_USER_OBJ, false},
        {ARCHIVE_ENTRY_ACL_USER, ACL_USER, true},
        {ARCHIVE_ENTRY_ACL_GROUP_OBJ, ACL_GROUP_OBJ, false},
        {ARCHIVE_ENTRY_ACL_GROUP, ACL_GROUP, true},
        {ARCHIVE_ENTRY_ACL_MASK, ACL_MASK, false},
        {ARCHIVE_ENTRY_ACL_OTHER, ACL_OTHER, false},
};

/* The kernel accepts them only in this order. */
static int by_tag(const void *a, const void *b)
{
	const struct posix_acl_xattr_entry *x = a, *y = b;
	uint16_t p = le16toh(x->e_tag), q = le16toh(y->e_tag);
	uint32_t i = le32toh(x->e_id), k = le32toh(y->e_id);

	if (p != q)
		return p < q ? -1 : 1;
	return i < k ? -1 : i > k;
}

static bool take(int tag, int perm, int id, struct posix_acl_xattr_entry *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (tags[i].tag != tag)
			continue;
		*ret = (struct posix_acl_xattr_entry){
		        .e_tag = htole16(tags[i].value),
		        .e_perm = htole16((uint16_t)(perm & 07)),
		        .e_id = htole32(tags[i].numbered ? (uint32_t)id
		                                         : (uint32_t)ACL_UNDEFINED_ID),
		};
		return !tags[i].numbered || id >= 0;
	}
	return false;
}

static bool read_acl(struct archive_entry *entry, int kind, struct arena *a, struct blob *ret)
{
	struct posix_acl_xattr_entry *items = NULL;
	size_t n = 0;
	int type, perm, tag, id;
	const char *name;

	if (archive_entry_acl_reset(entry, kind) == 0)
		return false;
	while (archive_entry_acl_next(entry, kind, &type, &perm, &tag, &id, &name) == ARCHIVE_OK) {
		items = arena_grow(a, items, &n, sizeof *items);
		if (!take(tag, perm, id, &items[n - 1]))
			return false;
	}
	if (!n)
		return false;
	qsort(items, n, sizeof *items, by_tag);
	struct posix_acl_xattr_header head = {.a_version = htole32(POSIX_ACL_XATTR_VERSION)};
	size_t len = sizeof head + n * sizeof *items;
	char *value = arena_alloc(a, len);
	memcpy(value, &head, sizeof head);
	memcpy(value + sizeof head, items, n * sizeof *items);
	*ret = (struct blob){value, len};
	return true;
}

size_t tar_acls(struct archive_entry *entry, struct arena *a, struct xattr ret[static TAR_ACLS])
{
	size_t n = 0;

	for (size_t i = 0; i < TAR_ACLS; i++) {
		if (!read_acl(entry, kinds[i].type, a, &ret[n].value))
			continue;
		ret[n++].name = kinds[i].name;
	}
	return n;
}
