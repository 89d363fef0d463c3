/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "cluster/pcluster.h"
#include "data/scalar.h"

/* What the storage functions work on: one SharedStorage entry and where its mount goes. */
struct entry {
	const struct doc *at;
	const struct cluster_node *node;
	const struct vars *facts;
	struct arena *arena;
	struct doc *mount; /* the mounts: entry being made */
	const char *name, *dir;
};

/* A MountDir may lack its leading slash: "shared" means /shared. */
static const char *mount_dir(const struct doc *storage, struct arena *a)
{
	const char *dir = doc_text(storage, "MountDir");

	return dir[0] == '/' ? dir : arena_printf(a, "/%s", dir);
}

static void nfs_from_head(struct arena *a, struct doc *mount, const char *head, const char *dir)
{
	doc_put_text(a, mount, "type", "nfs4");
	doc_put_text(a, mount, "source", arena_printf(a, "%s:%s", head, dir));
}

/* The id or source that the node document gives for this storage, or NULL. */
static const char *mapped(const struct entry *s)
{
	char tag[160];
	const char *text = s->node->storage ? doc_text(s->node->storage, s->name) : NULL;

	if (text)
		return text;
	snprintf(tag, sizeof tag, "tag.hpc-node:storage.%s", s->name);
	return vars_get(s->facts, tag);
}

static int unmapped(const struct entry *s, const char *what, const char *example, struct err *e)
{
	return doc_err(
	        s->at, e, REASON_INPUT_REQUIRED,
	        "shared storage '%s': the file does not tell %s: add 'storage: {%s: %s}' to the "
	        "node document, or the instance tag hpc-node:storage.%s",
	        s->name, what, s->name, example, s->name);
}

static const char *setting(const struct entry *s, const char *section, const char *key)
{
	const struct doc *settings = doc_get(s->at, section);

	return settings ? doc_text(settings, key) : NULL;
}

static bool setting_on(const struct entry *s, const char *section, const char *key)
{
	const struct doc *value = doc_get(doc_get(s->at, section), key);
	bool on = false;

	return value && scalar_bool(value, &on) == 0 && on;
}

static int ebs(struct entry *s, struct err *e)
{
	(void)e;
	nfs_from_head(s->arena, s->mount, s->node->head, s->dir);
	return 0;
}

static int efs(struct entry *s, struct err *e)
{
	const char *id = setting(s, "EfsSettings", "FileSystemId");
	const char *point = setting(s, "EfsSettings", "AccessPointId");

	if (!id)
		id = mapped(s);
	if (!id)
		return unmapped(s, "the id of a file system that ParallelCluster makes",
		                "fs-0123456789abcdef0", e);
	doc_put_text(s->arena, s->mount, "type", "efs");
	doc_put_text(s->arena, s->mount, "source", id);
	if (setting_on(s, "EfsSettings", "EncryptionInTransit"))
		doc_put_text(s->arena, s->mount, "tls", "true");
	if (setting_on(s, "EfsSettings", "IamAuthorization"))
		doc_put_text(s->arena, s->mount, "iam", "true");
	if (point)
		doc_put_text(s->arena, s->mount, "access-point", point);
	return 0;
}

/* OpenZFS and ONTAP volumes speak NFS; a volume id alone does not tell the server's name. */
static int fsx_nfs(struct entry *s, struct err *e)
{
	const char *source = mapped(s);

	if (!source)
		return unmapped(s, "the server of a volume",
		                "'fs-0123456789abcdef0.fsx.REGION.amazonaws.com:/fsx/vol1'", e);
	doc_put_text(s->arena, s->mount, "type", "nfs4");
	doc_put_text(s->arena, s->mount, "source", source);
	return 0;
}

static const char *lustre_source(const struct entry *s, const char *id, const char *mount_name)
{
	const char *region = vars_get(s->facts, "region"),
	           *suffix = vars_get(s->facts, "dns-suffix");

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

	if (!source && id && mount_name)
		source = lustre_source(s, id, mount_name);
	if (!source)
		return unmapped(s, "the mount name of a Lustre file system",
		                "'fs-0123456789abcdef0.fsx.REGION.amazonaws.com@tcp:/abcdef01'", e);
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
	s->dir = mount_dir(s->at, s->arena);
	s->mount = doc_new_map(s->arena, s->at);
	doc_put_text(s->arena, s->mount, "path", s->dir);
	for (size_t i = 0; i < ARRAY_LEN(storage_types); i++) {
		if (!str_eq(type, storage_types[i].type))
			continue;
		int r = storage_types[i].fill(s, e);

		if (r >= 0)
			doc_push(s->arena, mounts, s->mount);
		return r;
	}
	return doc_err(s->at, e, REASON_BUG, "storage type '%s' passed the schema", type);
}

static bool has_mount(const struct doc *mounts, const char *dir)
{
	for (size_t i = 0; i < mounts->n; i++)
		if (str_eq(doc_text(mounts->items[i], "path"), dir))
			return true;
	return false;
}

static void add_head_export(const struct entry *s, struct doc *mounts, const char *dir)
{
	struct doc *mount = doc_new_map(s->arena, s->at);

	if (has_mount(mounts, dir))
		return;
	doc_put_text(s->arena, mount, "path", dir);
	nfs_from_head(s->arena, mount, s->node->head, dir);
	doc_push(s->arena, mounts, mount);
}

int pcluster_mounts(const struct doc *config, const struct cluster_node *node,
                    const struct vars *facts, struct arena *a, struct doc *mounts, struct err *e)
{
	const struct doc *list = doc_get(config, "SharedStorage");
	const struct doc *home = doc_find(config, "DeploymentSettings.DefaultUserHome");
	struct entry s = {.at = config, .node = node, .facts = facts, .arena = a};

	if (!node->head)
		return doc_err(config, e, REASON_INPUT_REQUIRED,
		               "a compute node mounts /home from the head node: add 'head: "
		               "ADDRESS' to the "
		               "node document, or the instance tag hpc-node:head");
	for (size_t i = 0; list && i < list->n; i++) {
		s.at = list->items[i];
		int r = add_storage(&s, mounts, e);
		if (r < 0)
			return r;
	}
	s.at = doc_get(config, "HeadNode");
	if (!home || !str_eq(home->text, "Local"))
		add_head_export(&s, mounts, "/home");
	if (!vars_get(facts, "slurm-prefix"))
		add_head_export(&s, mounts, "/opt/slurm");
	return 0;
}
