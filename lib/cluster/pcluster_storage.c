/* SPDX-License-Identifier: Apache-2.0 */
/* Translates SharedStorage and what the head node exports to mounts. */
#include <errno.h>

#include "cluster/pcluster_own.h"
#include "data/scalar.h"

#define INTERNAL "home" /* in `storage:`, the file system that SharedStorageType: Efs makes */

/* The arguments of the storage functions: one SharedStorage entry and where its mount is added. */
struct entry {
	const struct pcluster_input *in;
	const struct doc *at;
	struct arena *arena;
	struct doc *mount; /* the mounts: entry that is being made */
	const char *name, *dir;
};

/* An IPv6 address is put in brackets before a path: fstab(5), nfs(5). */
static void nfs_from_head(const struct entry *s, struct doc *mount, const char *dir)
{
	const char *head = s->in->node->head;
	bool v6 = strchr(head, ':');

	doc_put_text(s->arena, mount, "type", "nfs4");
	doc_put_text(s->arena, mount, "source",
	             arena_printf(s->arena, "%s%s%s:%s", v6 ? "[" : "", head, v6 ? "]" : "", dir));
}

const char *pcluster_storage_source(const struct pcluster_input *in, const char *name)
{
	const char *text = doc_text(in->node->storage, name);

	return text ? text
	            : vars_get(in->facts, arena_printf(in->arena, "tag.hpc-node:storage.%s", name));
}

static const char *mapped(const struct entry *s)
{
	return pcluster_storage_source(s->in, s->name);
}

/* Only the node's own document has it: on the node its absence is a fault, elsewhere a note and a
 * sample value. */
static int unmapped(const struct entry *s, const char *what, const char *example, const char **ret,
                    struct err *e)
{
	if (!s->in->elsewhere)
		return doc_err(s->at, e, REASON_INPUT_REQUIRED,
		               "shared storage '%s': the file does not tell %s: add 'storage: {%s: "
		               "%s}' to the node document, or the instance tag "
		               "hpc-node:storage.%s",
		               s->name, what, s->name, example, s->name);
	cluster_note(s->in->notes, s->at,
	             "shared storage '%s': the file does not tell %s: the node document needs "
	             "'storage: {%s: %s}'",
	             s->name, what, s->name, example);
	*ret = example;
	return 0;
}

static const char *setting(const struct entry *s, const char *section, const char *key)
{
	const struct doc *settings = doc_get(s->at, section);

	return settings ? doc_text(settings, key) : NULL;
}

/* Not on a head: see add_storage(). */
static int ebs(struct entry *s, struct err *e)
{
	(void)e;
	nfs_from_head(s, s->mount, s->dir);
	return 0;
}

static int efs(struct entry *s, struct err *e)
{
	const char *id = setting(s, "EfsSettings", "FileSystemId");
	const char *point = setting(s, "EfsSettings", "AccessPointId");

	if (!id)
		id = mapped(s);
	if (!id) {
		int r = unmapped(s, "the id of a file system that ParallelCluster makes",
		                 "fs-0123456789abcdef0", &id, e);
		if (r < 0)
			return r;
	}
	doc_put_text(s->arena, s->mount, "type", "efs");
	doc_put_text(s->arena, s->mount, "source", id);
	if (scalar_on(s->at, "EfsSettings.EncryptionInTransit"))
		doc_put_text(s->arena, s->mount, "tls", "true");
	if (scalar_on(s->at, "EfsSettings.IamAuthorization"))
		doc_put_text(s->arena, s->mount, "iam", "true");
	if (point)
		doc_put_text(s->arena, s->mount, "access-point", point);
	return 0;
}

/* OpenZFS and ONTAP volumes use NFS; a volume id alone does not give the server's name. */
static int fsx_nfs(struct entry *s, struct err *e)
{
	const char *source = mapped(s);

	if (!source) {
		int r = unmapped(s, "the server of a volume",
		                 "fs-0123456789abcdef0.fsx.eu-west-1.amazonaws.com:/fsx/vol1",
		                 &source, e);
		if (r < 0)
			return r;
	}
	doc_put_text(s->arena, s->mount, "type", "nfs4");
	doc_put_text(s->arena, s->mount, "source", source);
	return 0;
}

static const char *lustre_source(const struct entry *s, const char *id, const char *mount_name)
{
	const char *region = vars_get(s->in->facts, "region"),
	           *suffix = vars_get(s->in->facts, "dns-suffix");

	if (!region)
		return NULL;
	return arena_printf(s->arena, "%s.fsx.%s.%s@tcp:/%s", id, region,
	                    suffix ? suffix : "amazonaws.com", mount_name);
}

static int fsx_lustre(struct entry *s, struct err *e)
{
	const char *source = mapped(s);
	const char *id = setting(s, "FsxLustreSettings", "FileSystemId");
	const char *mount_name = setting(s, "FsxLustreSettings", "MountName");

	const char *server = setting(s, "FsxLustreSettings", "DnsName");

	if (!source && server && mount_name)
		source = arena_printf(s->arena, "%s@tcp:/%s", server, mount_name);
	if (!source && id && mount_name)
		source = lustre_source(s, id, mount_name);
	if (!source) {
		int r = unmapped(s, "the mount name of a Lustre file system",
		                 "fs-0123456789abcdef0.fsx.eu-west-1.amazonaws.com@tcp:/abcdef01",
		                 &source, e);
		if (r < 0)
			return r;
	}
	doc_put_text(s->arena, s->mount, "type", "lustre");
	doc_put_text(s->arena, s->mount, "source", source);
	return 0;
}

static const struct {
	const char *type;
	int (*fill)(struct entry *s, struct err *e);
} storage_types[] = {
        {"Ebs", ebs},
        {"Efs", efs},
        {"FsxOpenZfs", fsx_nfs},
        {"FsxOntap", fsx_nfs},
        {"FsxLustre", fsx_lustre},
        {"FileCache", fsx_lustre},
};

static int add_storage(struct entry *s, struct doc *mounts, struct err *e)
{
	const char *type = doc_text(s->at, "StorageType");

	s->name = doc_text(s->at, "Name");
	s->dir = pcluster_dir(doc_text(s->at, "MountDir"), s->arena);
	if (pcluster_is_head(s->in) && str_eq(type, "Ebs"))
		return 0; /* a disk of its own: pcluster_volumes() */
	s->mount = doc_new_map(s->arena, s->at);
	doc_put_text(s->arena, s->mount, "path", s->dir);
	for (size_t i = 0; i < ARRAY_LEN(storage_types); i++) {
		if (!str_eq(type, storage_types[i].type))
			continue;
		int r = storage_types[i].fill(s, e);

		if (r < 0)
			return r;
		doc_push(s->arena, mounts, s->mount);
		return 0;
	}
	return doc_err(s->at, e, REASON_BUG, "storage type '%s' passed the schema", type);
}

static void add_head_export(const struct entry *s, struct doc *mounts, const char *dir)
{
	struct doc *mount = doc_new_map(s->arena, s->at);

	doc_put_text(s->arena, mount, "path", dir);
	nfs_from_head(s, mount, dir);
	doc_push(s->arena, mounts, mount);
}

/* With SharedStorageType: Efs the directories that the head node would export are on a file system
 * that ParallelCluster makes, under the same names. */
static int add_internal(struct entry *s, struct doc *mounts, const char *dir, struct err *e)
{
	const char *id = mapped(s);

	if (!id) {
		int r = unmapped(s, "the id of the file system of SharedStorageType: Efs",
		                 "fs-0123456789abcdef0", &id, e);
		if (r < 0)
			return r;
	}
	struct doc *mount = doc_new_map(s->arena, s->at);
	doc_put_text(s->arena, mount, "path", dir);
	doc_put_text(s->arena, mount, "type", "efs");
	doc_put_text(s->arena, mount, "source", arena_printf(s->arena, "%s:%s", id, dir));
	doc_push(s->arena, mounts, mount);
	return 0;
}

/* /home, and Slurm if the image of a node has none. */
static int add_head(const struct pcluster_input *in, struct doc *mounts, struct err *e)
{
	const struct doc *type = doc_find(in->config, "HeadNode.SharedStorageType");
	bool efs = pcluster_head_efs(in);
	struct entry s = {.in = in,
	                  .arena = in->arena,
	                  .name = INTERNAL,
	                  .at = efs ? type : doc_get(in->config, "HeadNode")};
	const struct {
		const char *dir;
		bool wanted;
	} rows[] = {
	        {"/home", pcluster_shares_home(in)},
	        {"/opt/slurm", !pcluster_is_head(in) && !vars_get(in->facts, "slurm-prefix") &&
	                               pcluster_prefix(in)},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].wanted || pcluster_storage_at(in, rows[i].dir))
			continue;
		if (!efs && pcluster_is_head(in))
			continue; /* it serves its own */
		if (!efs) {
			add_head_export(&s, mounts, rows[i].dir);
			continue;
		}
		int r = add_internal(&s, mounts, rows[i].dir, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int pcluster_mounts(const struct pcluster_input *in, struct doc *mounts, struct err *e)
{
	const struct doc *list = doc_get(in->config, "SharedStorage");

	if (!in->node->head && !pcluster_is_head(in))
		return doc_err(in->config, e, REASON_INPUT_REQUIRED,
		               "a node mounts /home from the head node: add 'head: "
		               "ADDRESS' to the node document, or the instance tag hpc-node:head");
	for (size_t i = 0; list && i < list->n; i++) {
		struct entry s = {.in = in, .at = list->items[i], .arena = in->arena};
		int r = add_storage(&s, mounts, e);

		if (r < 0)
			return r;
	}
	return add_head(in, mounts, e);
}
