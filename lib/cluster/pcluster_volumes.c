/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disks that a ParallelCluster file gives a machine: instance store, a head's EBS volumes, and what a
 * head keeps when it is replaced.
 */
#include "cluster/pcluster_own.h"
#include "model/model.h"

#define EPHEMERAL_DIR "/scratch" /* ParallelCluster's default */
#define STATE_DIR     "/var/lib/hpc-head"

static struct doc *add_volume(const struct pcluster_input *in, struct doc *spec,
                              const struct doc *at, const char *path, const char *disk)
{
	struct doc *volume = doc_new_map(in->arena, at);

	doc_put_text(in->arena, volume, "path", path);
	doc_put_text(in->arena, volume, "disk", disk);
	doc_push(in->arena, pcluster_section(in, spec, "volumes"), volume);
	return volume;
}

/* ---- instance store ---- */

/* ParallelCluster mounts it on every machine that has one, told or not, for every user. A node goes on
 * without: degraded, if the file asks for it. */
static void add_ephemeral(const struct pcluster_input *in, const struct doc *of, struct doc *spec)
{
	const struct doc *at =
	        doc_find(of, pcluster_is_head(in) ? "LocalStorage.EphemeralVolume"
	                                          : "ComputeSettings.LocalStorage.EphemeralVolume");
	const char *given = at ? doc_text(at, "MountDir") : NULL;
	const char *dir = pcluster_dir(given ? given : EPHEMERAL_DIR, in->arena);

	if (pcluster_storage_at(in, dir)) {
		if (at)
			cluster_note(in->notes, at,
			             "EphemeralVolume: '%s' is a shared storage's: disks of the "
			             "instance are not set up",
			             dir);
		return;
	}
	struct doc *volume = add_volume(in, spec, at ? at : in->config, dir, "instance-store");
	doc_put_text(in->arena, volume, "mode", "1777");
	doc_put_text(in->arena, volume, "optional", "true");
	if (!at)
		doc_put_text(in->arena, volume, "if-any", "true");
}

/* ---- EBS ---- */

static const char *disk_of(const struct pcluster_input *in, const struct doc *entry)
{
	const struct doc *id = doc_find(entry, "EbsSettings.VolumeId");

	return id ? id->text : pcluster_storage_source(in, doc_text(entry, "Name"));
}

/* What a snapshot was taken of has a file system. */
static void add_ebs(const struct pcluster_input *in, const struct doc *entry, struct doc *spec)
{
	const char *dir = pcluster_dir(doc_text(entry, "MountDir"), in->arena);
	const char *name = doc_text(entry, "Name"), *disk = disk_of(in, entry);

	if (doc_find(entry, "EbsSettings.Raid"))
		cluster_note(in->notes, entry,
		             "shared storage '%s': no volumes are joined to a RAID: what the head "
		             "has at '%s' is served",
		             name, dir);
	else if (!disk)
		cluster_note(in->notes, entry,
		             "shared storage '%s': the file does not tell its volume, and the node "
		             "document not by 'storage: {%s: vol-ID or /dev/NAME}': what the head "
		             "has at '%s' is served",
		             name, name, dir);
	else {
		struct doc *volume = add_volume(in, spec, entry, dir, disk);

		doc_put_text(in->arena, volume, "mode", "1777");
		if (doc_find(entry, "EbsSettings.SnapshotId"))
			doc_put_text(in->arena, volume, "format", "false");
	}
}

/* ---- what a head keeps ---- */

static void keep(const struct pcluster_input *in, struct doc *spec, struct doc *names,
                 const char *dir, const char *name)
{
	struct doc *mount = doc_new_map(in->arena, in->config);

	doc_push(in->arena, names, doc_new_text(in->arena, in->config, name));
	doc_put_text(in->arena, mount, "path", dir);
	doc_put_text(in->arena, mount, "type", "bind");
	doc_put_text(in->arena, mount, "source", arena_printf(in->arena, STATE_DIR "/%s", name));
	doc_push(in->arena, pcluster_section(in, spec, "mounts"), mount);
}

static void add_state(const struct pcluster_input *in, struct doc *spec)
{
	const char *disk = pcluster_storage_source(in, PCLUSTER_STATE);
	struct doc *names = doc_new_list(in->arena, in->config);

	if (!disk)
		return;
	doc_put(in->arena, add_volume(in, spec, in->config, STATE_DIR, disk), "directories", names);
	if (!pcluster_storage_at(in, "/home") && !pcluster_head_efs(in))
		keep(in, spec, names, "/home", "home");
	keep(in, spec, names, MODEL_STATE_DIR, "slurmctld");
	if (doc_get(spec, "fleet"))
		keep(in, spec, names, "/var/lib/hpc-fleet", "hpc-fleet");
}

void pcluster_volumes(const struct pcluster_input *in, const struct doc *of, struct doc *spec)
{
	const struct doc *list = doc_get(in->config, "SharedStorage");

	if (in->node->role == CLUSTER_LOGIN)
		return;
	add_ephemeral(in, of, spec);
	if (!pcluster_is_head(in))
		return;
	for (size_t i = 0; list && i < list->n; i++)
		if (str_eq(doc_text(list->items[i], "StorageType"), "Ebs"))
			add_ebs(in, list->items[i], spec);
	add_state(in, spec);
}
