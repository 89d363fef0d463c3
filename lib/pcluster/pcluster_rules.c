/* SPDX-License-Identifier: Apache-2.0 */
/* Checks rules between the keys of a ParallelCluster file that affect what a node gets. */
#include "pcluster/pcluster_rules.h"

#include <limits.h>

#include "data/network.h"
#include "pcluster/pcluster_input.h"
#include "pcluster/pcluster_rows.h"

struct walk {
	struct faults_walk faults;
	struct cluster_notes *shortfalls; /* NULL: they are faults */
	struct arena *arena;
};

/* A refusal of ParallelCluster's own checks, which its schema doesn't have. */
static void fall_short(struct walk *w, int r)
{
	cluster_shortfall(w->shortfalls, &w->faults, r);
}

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
	const struct doc *resources = list_at(queue, "ComputeResources");
	if (!w->faults.ended)
		unique(w, resources, "Name");
	for (size_t i = 0; resources && i < resources->n && !w->faults.ended; i++)
		unique(w, list_at(resources->items[i], "Instances"), "InstanceType");
}

/* A file for Slurm without queues is none that ParallelCluster takes. */
static void check_queues(struct walk *w, const struct doc *config)
{
	const struct doc *scheduling = doc_get(config, "Scheduling");
	const struct doc *queues = doc_find(config, "Scheduling.SlurmQueues");
	const char *scheduler = doc_text(scheduling, "Scheduler");

	if (!scheduler || !str_eq(scheduler, "slurm") || (queues && queues->type != DOC_LIST) ||
	    (queues && queues->n))
		return;
	faults_take(&w->faults,
	            doc_err(queues ? queues : scheduling, w->faults.err, REASON_INPUT_REQUIRED,
	                    "SlurmQueues: expected one queue at least"));
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

static bool is_among(const char *dir, const char *const *list, bool below)
{
	for (; *list; list++)
		if (str_eq(dir, *list) || (below && str_is_below(dir, *list)))
			return true;
	return false;
}

/* Directories of the system itself. ParallelCluster refuses these at the top level, too, and the
 * word that was "none" to its older releases. */
static bool is_reserved(const char *dir)
{
	static const char *const at[] = {"/",     "/NONE",  "/bin",   "/boot", "/dev", "/etc",
	                                 "/lib",  "/lib64", "/media", "/mnt",  "/opt", "/proc",
	                                 "/root", "/run",   "/sbin",  "/srv",  "/sys", "/tmp",
	                                 "/usr",  "/var",   NULL};
	static const char *const below[] = {"/boot", "/dev", "/etc", "/proc", "/run", "/sys", NULL};

	return is_among(dir, at, false) || is_among(dir, below, true);
}

/* What ParallelCluster's own head serves to its nodes, since 3.8. */
static bool is_its_own(const char *dir)
{
	static const char *const below[] = {"/opt/slurm", "/opt/intel", "/opt/parallelcluster",
	                                    NULL};

	return is_among(dir, below, true);
}

/* A name between two slashes that no file system takes. */
static bool is_too_long(const char *dir)
{
	for (size_t len; *dir; dir += len + (dir[len] == '/')) {
		len = strcspn(dir, "/");
		if (len > NAME_MAX)
			return true;
	}
	return false;
}

static bool has_dots(const char *dir)
{
	return strstr(dir, "/../") || strstr(dir, "/./") || str_ends(dir, "/..") ||
	       str_ends(dir, "/.");
}

static void check_dir(struct walk *w, const struct doc *at, const char *dir)
{
	if (has_dots(dir) || is_too_long(dir) || strpbrk(dir, " \t\r\n,"))
		faults_take(
		        &w->faults,
		        doc_err(at, w->faults.err, REASON_INPUT_RANGE,
		                "MountDir: '%s' is no directory to mount at: expected a path "
		                "without '.', '..', spaces and commas, of names of 255 bytes at most",
		                at->text));
	else if (is_reserved(dir))
		faults_take(
		        &w->faults,
		        doc_err(at, w->faults.err, REASON_INPUT_RANGE,
		                "MountDir: '%s' is the system's own, expected another directory",
		                dir));
	else if (is_its_own(dir))
		fall_short(
		        w,
		        doc_err(at, w->faults.err, REASON_INPUT_RANGE,
		                "MountDir: '%s' is what ParallelCluster's head serves itself: it "
		                "takes another directory",
		                dir));
}

/* As ParallelCluster's SharedStorageNameValidator. */
#define NAME_MAX_LEN 30

static void check_name(struct walk *w, const struct doc *storage)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789-_";
	const struct doc *at = scalar_at(storage, "Name");
	size_t len = at ? strlen(at->text) : 0;

	if (!at || w->faults.ended ||
	    (len && len <= NAME_MAX_LEN && !at->text[strspn(at->text, allowed)] &&
	     !str_eq(at->text, "default")))
		return;
	fall_short(w,
	           doc_err(at, w->faults.err, REASON_INPUT_RANGE,
	                   "Name of shared storage: '%s': ParallelCluster takes letters, digits, "
	                   "'-' and '_', at most %d of them, and not 'default'",
	                   at->text, NAME_MAX_LEN));
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

int pcluster_rules(const struct doc *config, struct cluster_notes *shortfalls,
                   struct faults *faults, struct arena *a, struct err *e)
{
	const struct doc *queues = list_at(config, "Scheduling.SlurmQueues");
	const struct doc *storage = list_at(config, "SharedStorage");
	const struct doc *pools = list_at(config, "LoginNodes.Pools");
	struct walk w = {
	        .faults = {.faults = faults, .err = e}, .shortfalls = shortfalls, .arena = a};

	check_queues(&w, config);
	if (!w.faults.ended)
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
		check_name(&w, storage->items[i]);
	}
	check_dirs(&w, storage);
	if (w.faults.ended)
		return w.faults.failed;
	int paired = pcluster_pairs(config, shortfalls, faults, e);
	if (paired < 0 && !faults)
		return paired;
	int r = pcluster_user_rules(config, faults, e);
	if (r < 0)
		return r;
	return paired < 0 ? paired : w.faults.failed;
}
