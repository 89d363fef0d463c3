/* SPDX-License-Identifier: Apache-2.0 */
/* Checks rules between the keys of a ParallelCluster file that affect what a node gets. */
#include "pcluster/pcluster_rules.h"

#include "data/network.h"
#include "pcluster/pcluster_input.h"

struct walk {
	struct faults_walk faults;
	struct arena *arena;
};

/* The schema's faults are reported together with ours, so no type can be relied on here. */
static const struct doc *scalar_at(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);

	return at && at->type == DOC_SCALAR ? at : NULL;
}

static const struct doc *list_at(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);

	return at && at->type == DOC_LIST ? at : NULL;
}

/* ---- duplicate names ---- */

static void unique(struct walk *w, const struct doc *list, const char *key)
{
	for (size_t i = 1; list && i < list->n && !w->faults.ended; i++) {
		const char *name = doc_text(list->items[i], key);
		size_t first = 0;

		while (name && first < i && !str_eq(doc_text(list->items[first], key), name))
			first++;
		if (name && first < i)
			faults_take(&w->faults,
			            doc_err(doc_get(list->items[i], key), w->faults.err,
			                    REASON_INPUT_DUPLICATE,
			                    "%s '%s' is given twice: the first is at line %u", key,
			                    name, doc_get(list->items[first], key)->line));
	}
}

/* ---- queues ---- */

/* It is written between quotes to files of the machine. ParallelCluster leaves it to the programs
 * that read it, which take an address without a scheme, too. */
static void check_proxy(struct walk *w, const struct doc *node)
{
	const struct doc *at = scalar_at(node, "Networking.Proxy.HttpProxyAddress");
	const char *scheme = at ? strstr(at->text, "://") : NULL;

	if (!at)
		return;
	if ((!scheme || str_starts(at->text, "http://") || str_starts(at->text, "https://")) &&
	    *(scheme ? scheme + strlen("://") : at->text) && !strpbrk(at->text, " \t\r\n'\"\\`$;"))
		return;
	faults_take(&w->faults, doc_err(at, w->faults.err, REASON_INPUT_RANGE,
	                                "HttpProxyAddress: '%s' is no address of a proxy, expected "
	                                "http://HOST:PORT",
	                                at->text));
}

static void check_queue(struct walk *w, const struct doc *queue)
{
	const struct doc *updated = doc_find(queue, "CustomActions.OnNodeUpdated");

	if (updated)
		faults_take(&w->faults,
		            doc_err(updated, w->faults.err, REASON_INPUT_UNSUPPORTED,
		                    "OnNodeUpdated: a queue has OnNodeStart and OnNodeConfigured, "
		                    "only the head node has this"));
	if (!w->faults.ended)
		check_proxy(w, queue);
	if (!w->faults.ended)
		unique(w, list_at(queue, "ComputeResources"), "Name");
}

/* ---- addresses that may connect, each a network or the id of a prefix list ---- */

/* An address within a network is taken for the network, as EC2 does. */
static bool is_network(const char *text)
{
	struct network ignored;

	return network_parse(text, &ignored) == 0;
}

static void check_allowed(struct walk *w, const struct doc *node)
{
	static const char *const keys[] = {"Ssh.AllowedIps", "Dcv.AllowedIps"};

	for (size_t i = 0; i < ARRAY_LEN(keys) && !w->faults.ended; i++) {
		const struct doc *at = scalar_at(node, keys[i]);

		if (at && !str_starts(at->text, "pl-") && !is_network(at->text))
			faults_take(&w->faults,
			            doc_err(at, w->faults.err, REASON_INPUT_RANGE,
			                    "AllowedIps: '%s' is no range of addresses, expected "
			                    "one like 10.0.0.0/16 or the id of a prefix list",
			                    at->text));
	}
}

/* ---- shared storage ---- */

static const struct {
	const char *type, *settings;
} settings_of[] = {
        {"Ebs", "EbsSettings"},
        {"Efs", "EfsSettings"},
        {"FsxLustre", "FsxLustreSettings"},
        {"FsxOpenZfs", "FsxOpenZfsSettings"},
        {"FsxOntap", "FsxOntapSettings"},
        {"FileCache", "FileCacheSettings"},
};

static void check_settings(struct walk *w, const struct doc *storage)
{
	const char *type = doc_text(storage, "StorageType");

	for (size_t i = 0; i < ARRAY_LEN(settings_of) && !w->faults.ended; i++) {
		const struct doc *at = doc_get(storage, settings_of[i].settings);

		if (at && type && !str_eq(type, settings_of[i].type))
			faults_take(&w->faults,
			            doc_err(at, w->faults.err, REASON_INPUT_RANGE,
			                    "%s: StorageType is %s, expected settings of that type "
			                    "only",
			                    settings_of[i].settings, type));
	}
}

/* A node mounts what they name. */
static const struct {
	const char *key, *prefix;
} ids[] = {
        {"EfsSettings.FileSystemId", "fs-"},       {"EfsSettings.AccessPointId", "fsap-"},
        {"FsxLustreSettings.FileSystemId", "fs-"}, {"FsxOntapSettings.VolumeId", "fsvol-"},
        {"FsxOpenZfsSettings.VolumeId", "fsvol-"}, {"FileCacheSettings.FileCacheId", "fc-"},
};

static void check_ids(struct walk *w, const struct doc *storage)
{
	for (size_t i = 0; i < ARRAY_LEN(ids) && !w->faults.ended; i++) {
		const struct doc *at = scalar_at(storage, ids[i].key);

		if (at && !str_starts(at->text, ids[i].prefix))
			faults_take(&w->faults,
			            doc_err(at, w->faults.err, REASON_INPUT_RANGE,
			                    "%s: '%s' is no id, expected one that begins with '%s'",
			                    ids[i].key, at->text, ids[i].prefix));
	}
}

/* Directories of the system itself. ParallelCluster refuses these at the top level, too, and the
 * word that was "none" to its older releases. */
static bool is_reserved(const char *dir)
{
	static const char *const at[] = {"/",    "/NONE", "/bin",   "/boot",  "/dev",
	                                 "/etc", "/lib",  "/lib64", "/media", "/mnt",
	                                 "/opt", "/proc", "/root",  "/run",   "/sbin",
	                                 "/srv", "/sys",  "/tmp",   "/usr",   "/var"};
	static const char *const below[] = {"/boot/", "/dev/", "/etc/", "/proc/", "/run/", "/sys/"};

	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		if (str_eq(dir, at[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(below); i++)
		if (str_starts(dir, below[i]))
			return true;
	return false;
}

static bool has_dots(const char *dir)
{
	return strstr(dir, "/../") || strstr(dir, "/./") || str_ends(dir, "/..") ||
	       str_ends(dir, "/.");
}

static void check_dir(struct walk *w, const struct doc *at, const char *dir)
{
	if (has_dots(dir) || strpbrk(dir, " \t\r\n,"))
		faults_take(&w->faults,
		            doc_err(at, w->faults.err, REASON_INPUT_RANGE,
		                    "MountDir: '%s' is no directory to mount at: expected a path "
		                    "without '.', '..', spaces and commas",
		                    at->text));
	else if (is_reserved(dir))
		faults_take(
		        &w->faults,
		        doc_err(at, w->faults.err, REASON_INPUT_RANGE,
		                "MountDir: '%s' is the system's own, expected another directory",
		                dir));
}

static void check_overlap(struct walk *w, const struct doc *at, const struct doc *other)
{
	if (!other)
		return;
	const char *dir = pcluster_dir(at->text, w->arena);
	const char *taken = pcluster_dir(other->text, w->arena);
	if (str_eq(dir, taken))
		faults_take(&w->faults,
		            doc_err(at, w->faults.err, REASON_INPUT_DUPLICATE,
		                    "MountDir '%s' is given twice: the first is at line %u", dir,
		                    other->line));
	else if (str_is_below(dir, taken) || str_is_below(taken, dir))
		faults_take(&w->faults,
		            doc_err(at, w->faults.err, REASON_INPUT_DUPLICATE,
		                    "MountDir '%s' and '%s' of line %u lie one in the other", dir,
		                    taken, other->line));
}

static void check_dirs(struct walk *w, const struct doc *list)
{
	for (size_t i = 0; list && i < list->n && !w->faults.ended; i++) {
		const struct doc *at = scalar_at(list->items[i], "MountDir");

		if (!at)
			continue;
		check_dir(w, at, pcluster_dir(at->text, w->arena));
		for (size_t k = 0; k < i && !w->faults.ended; k++)
			check_overlap(w, at, scalar_at(list->items[k], "MountDir"));
	}
}

/* A local disk must not be mounted inside shared storage, nor around it; at the same directory
 * ParallelCluster only warns, and here no disk is mounted. */
static void check_ephemeral(struct walk *w, const struct doc *queue, const struct doc *list)
{
	const struct doc *at =
	        scalar_at(queue, "ComputeSettings.LocalStorage.EphemeralVolume.MountDir");

	for (size_t i = 0; at && list && i < list->n && !w->faults.ended; i++) {
		const struct doc *other = scalar_at(list->items[i], "MountDir");

		if (other &&
		    !str_eq(pcluster_dir(at->text, w->arena), pcluster_dir(other->text, w->arena)))
			check_overlap(w, at, other);
	}
}

/* ---- all of them ---- */

int pcluster_rules(const struct doc *config, struct faults *faults, struct arena *a, struct err *e)
{
	const struct doc *queues = list_at(config, "Scheduling.SlurmQueues");
	const struct doc *storage = list_at(config, "SharedStorage");
	const struct doc *pools = list_at(config, "LoginNodes.Pools");
	struct walk w = {.faults = {.faults = faults, .err = e}, .arena = a};

	unique(&w, queues, "Name");
	for (size_t i = 0; queues && i < queues->n && !w.faults.ended; i++) {
		check_queue(&w, queues->items[i]);
		check_ephemeral(&w, queues->items[i], storage);
	}
	check_allowed(&w, doc_get(config, "HeadNode"));
	for (size_t i = 0; pools && i < pools->n && !w.faults.ended; i++)
		check_allowed(&w, pools->items[i]);
	if (!w.faults.ended)
		unique(&w, pools, "Name");
	if (!w.faults.ended)
		unique(&w, storage, "Name");
	for (size_t i = 0; storage && i < storage->n && !w.faults.ended; i++) {
		check_settings(&w, storage->items[i]);
		check_ids(&w, storage->items[i]);
	}
	check_dirs(&w, storage);
	if (w.faults.ended)
		return w.faults.failed;
	int r = pcluster_user_rules(config, faults, e);
	return r < 0 ? r : w.faults.failed;
}
