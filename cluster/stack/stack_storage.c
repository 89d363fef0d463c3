/* SPDX-License-Identifier: Apache-2.0 */
/* SharedStorage: file systems and volumes that the stack makes, and their sources for the nodes. */
#include "stack/stack_own.h"

#include "data/scalar.h"

#define EBS_GIB    35          /* ParallelCluster's default */
#define HOME_NAME  "home"      /* in the node document: SharedStorageType: Efs */
#define STATE_NAME "hpc-state" /* there, too: as the agent knows it */
#define HOME_ID    "HomeFileSystem"
#define LETTERS    "ghijklmnop" /* of devices; f is the state volume's */

static const struct doc *storage(const struct stack_writer *x)
{
	return doc_get(x->in->config, "SharedStorage");
}

static bool is_type(const struct doc *entry, const char *type)
{
	return str_eq(doc_text(entry, "StorageType"), type);
}

static bool home_on_efs(const struct stack_writer *x)
{
	const char *type = doc_text(doc_get(x->in->config, "HeadNode"), "SharedStorageType");

	return type && strcasecmp(type, "Efs") == 0;
}

static bool makes_efs(const struct doc *entry)
{
	return is_type(entry, "Efs") && !doc_find(entry, "EfsSettings.FileSystemId");
}

static bool makes_lustre(const struct doc *entry)
{
	return is_type(entry, "FsxLustre") && !doc_find(entry, "FsxLustreSettings.FileSystemId");
}

static const char *policy_of(struct stack_writer *x, const struct doc *settings, bool snapshot)
{
	const struct doc *at = doc_get(settings, "DeletionPolicy");

	if (!at)
		return "Delete";
	if (!str_eq(at->text, "Delete") && !str_eq(at->text, "Retain") &&
	    !(snapshot && str_eq(at->text, "Snapshot")))
		stack_refuse(x, at, "DeletionPolicy: '%s', expected one of Delete, Retain%s",
		             at->text, snapshot ? ", Snapshot" : "");
	return at->text;
}

/* ---- EBS ---- */

static const char *attachment(struct stack_writer *x, size_t nth)
{
	return arena_printf(x->arena, "/dev/sd%c", nth < strlen(LETTERS) ? LETTERS[nth] : '?');
}

static void ebs_volume(struct stack_writer *x, const char *id, const char *name,
                       const struct doc *settings)
{
	stack_begin(x, id, "AWS::EC2::Volume", policy_of(x, settings, true));
	stack_get(x, "AvailabilityZone", "Head", "AvailabilityZone");
	if (!doc_get(settings, "Size") && !doc_get(settings, "SnapshotId"))
		jsonw_u64(&x->w, "Size", EBS_GIB);
	stack_copy_number(x, "Size", settings, "Size");
	stack_copy(x, "SnapshotId", settings, "SnapshotId");
	if (!doc_get(settings, "VolumeType"))
		jsonw_str(&x->w, "VolumeType", "gp3");
	stack_copy(x, "VolumeType", settings, "VolumeType");
	stack_copy_number(x, "Iops", settings, "Iops");
	stack_copy_number(x, "Throughput", settings, "Throughput");
	jsonw_bool(&x->w, "Encrypted", stack_unless_off(settings, "Encrypted"));
	stack_copy(x, "KmsKeyId", settings, "KmsKeyId");
	stack_tags(x, "Tags", name);
	stack_end(x);
}

static void ebs(struct stack_writer *x, const struct doc *entry, size_t nth)
{
	const struct doc *settings = doc_get(entry, "EbsSettings");
	const char *name = doc_text(entry, "Name"), *given = doc_text(settings, "VolumeId");
	const char *id = stack_id(x, name);

	if (doc_get(settings, "Raid")) {
		stack_refuse(x, doc_get(settings, "Raid"),
		             "Raid: volumes of several disks aren't made");
		return;
	}
	if (nth >= strlen(LETTERS)) {
		stack_refuse(x, entry, "SharedStorage: more than %zu volumes", strlen(LETTERS));
		return;
	}
	if (!given)
		ebs_volume(x, id, name, settings);
	stack_begin(x, arena_printf(x->arena, "%sAttachment", id), "AWS::EC2::VolumeAttachment",
	            NULL);
	jsonw_str(&x->w, "Device", attachment(x, nth));
	stack_ref(x, "InstanceId", "Head");
	if (given)
		jsonw_str(&x->w, "VolumeId", given);
	else
		stack_ref(x, "VolumeId", id);
	stack_end(x);
}

/* ---- EFS ---- */

static bool seen(const char **list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], text))
			return true;
	return false;
}

/* The subnets of the cluster, each once; *ret has room for them all. */
static size_t all_subnets(struct stack_writer *x, const char ***ret)
{
	const struct doc *queues = doc_find(x->in->config, "Scheduling.SlurmQueues");
	const char **list = NULL;
	size_t n = 0;

	list = arena_grow(x->arena, list, &n, sizeof *list);
	list[0] = doc_find(x->in->config, "HeadNode.Networking.SubnetId")->text;
	for (size_t i = 0; queues && i < queues->n; i++) {
		const struct doc *own = doc_find(queues->items[i], "Networking.SubnetIds");
		bool many = own && own->type == DOC_LIST;

		for (size_t k = 0; own && k < (many ? own->n : 1); k++) {
			const char *subnet = many ? own->items[k]->text : own->text;

			if (seen(list, n, subnet))
				continue;
			list = arena_grow(x->arena, list, &n, sizeof *list);
			list[n - 1] = subnet;
		}
	}
	*ret = list;
	return n;
}

static const char *target_id(struct stack_writer *x, const char *id, size_t i)
{
	return arena_printf(x->arena, "%sTarget%zu", id, i + 1);
}

static void efs_targets(struct stack_writer *x, const char *id, const struct doc *at)
{
	const char **subnets;
	size_t n = all_subnets(x, &subnets);

	if (n > 1)
		cluster_note(
		        x->in->notes, at,
		        "a mount target is made in each of %zu subnets: EFS takes one in a zone, "
		        "so no two of them may be in the same one",
		        n);
	for (size_t i = 0; i < n; i++) {
		stack_begin(x, target_id(x, id, i), "AWS::EFS::MountTarget", NULL);
		stack_ref(x, "FileSystemId", id);
		jsonw_str(&x->w, "SubnetId", subnets[i]);
		jsonw_begin(&x->w, "SecurityGroups", '[');
		stack_get(x, NULL, "StorageSecurityGroup", "GroupId");
		jsonw_end(&x->w, ']');
		stack_end(x);
	}
}

static void efs(struct stack_writer *x, const char *id, const char *name,
                const struct doc *settings, const struct doc *at)
{
	stack_begin(x, id, "AWS::EFS::FileSystem", policy_of(x, settings, false));
	jsonw_bool(&x->w, "Encrypted", scalar_on(settings, "Encrypted"));
	stack_copy(x, "KmsKeyId", settings, "KmsKeyId");
	stack_copy(x, "PerformanceMode", settings, "PerformanceMode");
	stack_copy(x, "ThroughputMode", settings, "ThroughputMode");
	stack_copy_number(x, "ProvisionedThroughputInMibps", settings, "ProvisionedThroughput");
	stack_tags(x, "FileSystemTags", name);
	stack_end(x);
	efs_targets(x, id, at);
}

/* ---- FSx for Lustre ---- */

static const struct {
	const char *key;
	bool number;
} lustre_keys[] = {
        {"DeploymentType", false},
        {"ImportedFileChunkSize", true},
        {"ExportPath", false},
        {"ImportPath", false},
        {"WeeklyMaintenanceStartTime", false},
        {"AutomaticBackupRetentionDays", true},
        {"DailyAutomaticBackupStartTime", false},
        {"PerUnitStorageThroughput", true},
        {"AutoImportPolicy", false},
        {"DriveCacheType", false},
        {"DataCompressionType", false},
};

static void lustre(struct stack_writer *x, const struct doc *entry)
{
	const struct doc *settings = doc_get(entry, "FsxLustreSettings");
	const struct doc *links = doc_get(settings, "DataRepositoryAssociations");
	const char *name = doc_text(entry, "Name");

	if (links && links->n)
		stack_refuse(x, links, "DataRepositoryAssociations: they aren't made");
	stack_begin(x, stack_id(x, name), "AWS::FSx::FileSystem", policy_of(x, settings, false));
	jsonw_str(&x->w, "FileSystemType", "LUSTRE");
	stack_copy(x, "FileSystemTypeVersion", settings, "FileSystemTypeVersion");
	stack_copy_number(x, "StorageCapacity", settings, "StorageCapacity");
	stack_copy(x, "StorageType", settings, "StorageType");
	stack_copy(x, "KmsKeyId", settings, "KmsKeyId");
	stack_copy(x, "BackupId", settings, "BackupId");
	jsonw_begin(&x->w, "SubnetIds", '[');
	jsonw_str(&x->w, NULL, doc_find(x->in->config, "HeadNode.Networking.SubnetId")->text);
	jsonw_end(&x->w, ']');
	jsonw_begin(&x->w, "SecurityGroupIds", '[');
	stack_get(x, NULL, "StorageSecurityGroup", "GroupId");
	jsonw_end(&x->w, ']');
	jsonw_begin(&x->w, "LustreConfiguration", '{');
	for (size_t i = 0; i < ARRAY_LEN(lustre_keys); i++)
		(lustre_keys[i].number ? stack_copy_number : stack_copy)(
		        x, lustre_keys[i].key, settings, lustre_keys[i].key);
	stack_copy_switch(x, "CopyTagsToBackups", settings, "CopyTagsToBackups");
	jsonw_end(&x->w, '}');
	stack_tags(x, "Tags", name);
	stack_end(x);
}

/* ---- all ---- */

void stack_storage_find(struct stack_writer *x)
{
	const struct doc *list = storage(x);

	x->storage_group = home_on_efs(x);
	for (size_t i = 0; list && i < list->n; i++)
		x->storage_group |= makes_efs(list->items[i]) || makes_lustre(list->items[i]);
}

void stack_storage(struct stack_writer *x)
{
	const struct doc *head = doc_get(x->in->config, "HeadNode"), *list = storage(x);
	size_t volumes = 0;

	if (home_on_efs(x))
		efs(x, HOME_ID, HOME_NAME, doc_get(head, "SharedStorageEfsSettings"), head);
	for (size_t i = 0; list && i < list->n; i++) {
		const struct doc *entry = list->items[i];
		const char *name = doc_text(entry, "Name");

		if (is_type(entry, "Ebs"))
			ebs(x, entry, volumes++);
		else if (makes_efs(entry))
			efs(x, stack_id(x, name), name, doc_get(entry, "EfsSettings"), entry);
		else if (makes_lustre(entry))
			lustre(x, entry);
	}
}

/* The target in the head's own subnet, which is the first, is what its mounts need. */
void stack_storage_before_head(struct stack_writer *x)
{
	const struct doc *list = storage(x);
	size_t n = home_on_efs(x);

	for (size_t i = 0; list && i < list->n; i++)
		n += makes_efs(list->items[i]);
	if (!n)
		return;
	jsonw_begin(&x->w, "DependsOn", '[');
	if (home_on_efs(x))
		jsonw_str(&x->w, NULL, target_id(x, HOME_ID, 0));
	for (size_t i = 0; list && i < list->n; i++)
		if (makes_efs(list->items[i]))
			jsonw_str(&x->w, NULL,
			          target_id(x, stack_id(x, doc_text(list->items[i], "Name")), 0));
	jsonw_end(&x->w, ']');
}

/* ---- their sources ---- */

/* Whether the nodes know it by the file alone. */
static bool is_known(const struct doc *entry)
{
	const struct doc *lustre_of = doc_get(entry, "FsxLustreSettings");

	return (is_type(entry, "Ebs") && doc_find(entry, "EbsSettings.VolumeId")) ||
	       (is_type(entry, "Efs") && !makes_efs(entry)) ||
	       (is_type(entry, "FsxLustre") && doc_get(lustre_of, "MountName"));
}

static const char *source(struct stack_writer *x, const struct doc *entry, const char *name,
                          size_t nth)
{
	const char *given = doc_text(x->in->storage, name), *id = stack_id(x, name);

	if (given)
		return stack_literal(x, given);
	if (is_type(entry, "Ebs"))
		return attachment(x, nth);
	if (makes_efs(entry))
		return arena_printf(x->arena, "${%s}", id);
	if (makes_lustre(entry))
		return arena_printf(x->arena,
		                    "${%s}.fsx.${AWS::Region}.${AWS::URLSuffix}@tcp:/"
		                    "${%s.LustreMountName}",
		                    id, id);
	stack_refuse(
	        x, entry,
	        "shared storage '%s': neither the file nor the stack knows its server: expected "
	        "--storage %s=SOURCE",
	        name, name);
	return "";
}

const char *stack_storage_sources(struct stack_writer *x)
{
	struct strbuf out = STRBUF(x->arena, STACK_TEXT_MAX);
	const struct doc *list = storage(x);

	size_t volumes = 0;

	/* The volume can't be named here: it follows the head into its zone. */
	strbuf_str(&out, STATE_NAME ": " STACK_STATE_DEVICE);
	if (home_on_efs(x))
		strbuf_str(&out, ", " HOME_NAME ": \"${" HOME_ID "}\"");
	for (size_t i = 0; list && i < list->n; i++) {
		const char *name = doc_text(list->items[i], "Name");
		size_t nth = is_type(list->items[i], "Ebs") ? volumes++ : 0;

		if (str_eq(name, STATE_NAME))
			stack_refuse(x, list->items[i],
			             "SharedStorage: '%s' is the name of the head's own volume",
			             name);
		if (is_known(list->items[i]))
			continue;
		strbuf_str(&out, ", ");
		strbuf_json(&out, name);
		strbuf_str(&out, ": ");
		strbuf_json(&out, source(x, list->items[i], name, nth));
	}
	return out.data;
}
