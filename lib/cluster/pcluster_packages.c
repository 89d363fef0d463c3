/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translates HpcNode: Packages: to sections: what the node's role needs is installed where the image
 * lacks it, from the distribution, from the site's repository, or from package files by their
 * digests.
 */
#include "cluster/pcluster_own.h"

#define CACHE "/var/cache/hpc-node/packages"

/* Debian and its kin, and the others. */
static const struct family {
	const char *repository, *key;
	const char *const roles[3][4];  /* as enum cluster_role; NULL ends a list */
	const char *mounts;             /* for what is mounted over NFS */
	const char *accounting;         /* for a slurmdbd of the cluster's own */
	const char *const directory[5]; /* for users of a directory; NULL ends the list */
} families[] = {
        {
                "/etc/apt/sources.list.d/hpc-node.list",
                "/etc/apt/keyrings/hpc-node.asc",
                {
                        [CLUSTER_COMPUTE] = {"munge", "slurmd", "slurm-client"},
                        [CLUSTER_HEAD] = {"munge", "slurmctld", "slurm-client",
                                          "nfs-kernel-server"},
                        [CLUSTER_LOGIN] = {"munge", "slurm-client"},
                },
                "nfs-common",
                "slurmdbd",
                {"sssd-ldap", "libnss-sss", "libpam-sss", "openssh-client"},
        },
        {
                "/etc/yum.repos.d/hpc-node.repo",
                "/etc/pki/rpm-gpg/RPM-GPG-KEY-hpc-node",
                {
                        [CLUSTER_COMPUTE] = {"munge", "slurm-slurmd", "slurm"},
                        [CLUSTER_HEAD] = {"munge", "slurm-slurmctld", "slurm", "nfs-utils"},
                        [CLUSTER_LOGIN] = {"munge", "slurm"},
                },
                "nfs-utils",
                "slurm-slurmdbd",
                {"sssd-ldap", "sssd-client", "authselect", "oddjob-mkhomedir"},
        },
};

static const struct family *family_of(const struct pcluster_input *in)
{
	return &families[!pcluster_has_apt(in)];
}

static struct doc *add_file(const struct pcluster_input *in, const struct doc *at, const char *path,
                            struct doc *spec)
{
	struct doc *file = doc_new_map(in->arena, at);

	doc_put_text(in->arena, file, "path", path);
	doc_push(in->arena, pcluster_section(in, spec, "files"), file);
	return file;
}

static void add_source(const struct pcluster_input *in, const struct doc *from, struct doc *file)
{
	doc_put(in->arena, file, "source", doc_get(from, "Source"));
	doc_put(in->arena, file, "sha256", doc_get(from, "Sha256"));
}

static void add_repository(const struct pcluster_input *in, const struct doc *packages,
                           struct doc *spec)
{
	const struct doc *key = doc_get(packages, "RepositoryKey");
	struct doc *text = doc_get(packages, "Repository");
	const struct family *f = family_of(in);

	if (key)
		add_source(in, key, add_file(in, key, f->key, spec));
	if (!text)
		return;
	doc_put_text(in->arena, add_file(in, text, f->repository, spec), "content",
	             arena_printf(in->arena, "%s\n", text->text));
}

/* The last component of its URI; a query isn't a part of it. */
static const char *path_of(const struct pcluster_input *in, const struct doc *file)
{
	const char *uri = doc_text(file, "Source"), *name = uri;
	size_t len = strcspn(uri, "?");

	for (size_t i = 0; i < len; i++)
		if (uri[i] == '/')
			name = uri + i + 1;
	return arena_printf(in->arena, CACHE "/%.*s", (int)(len - (size_t)(name - uri)), name);
}

static void add_text(const struct pcluster_input *in, struct doc *list, const char *text)
{
	doc_push(in->arena, list, doc_new_text(in->arena, list, text));
}

static bool has_nfs(const struct doc *mounts)
{
	for (size_t i = 0; mounts && i < mounts->n; i++) {
		const char *type = doc_text(mounts->items[i], "type");

		if (str_eq(type, "nfs4") || str_eq(type, "efs"))
			return true;
	}
	return false;
}

void pcluster_packages(const struct pcluster_input *in, struct doc *spec)
{
	const struct doc *at = doc_find(in->config, "HpcNode.Packages"), *name;
	const struct doc *files = doc_get(at, "Files");
	struct arena *a = in->arena;
	const struct family *f = family_of(in);
	const char *const *role = f->roles[in->node->role];

	if (!at)
		return;
	struct doc *section = doc_new_map(a, at);
	struct doc *names = doc_new_list(a, at), *paths = doc_new_list(a, at);
	for (size_t i = 0; i < ARRAY_LEN(f->roles[0]) && role[i]; i++)
		add_text(in, names, role[i]);
	if (has_nfs(doc_get(spec, "mounts")))
		add_text(in, names, f->mounts);
	if (doc_get(doc_get(spec, "database"), "password"))
		add_text(in, names, f->accounting);
	if (doc_get(spec, "directory"))
		for (size_t i = 0; f->directory[i]; i++)
			add_text(in, names, f->directory[i]);
	for (size_t i = 0; (name = pcluster_item(doc_get(at, "Names"), i)) != NULL; i++)
		doc_push(a, names, doc_new_text(a, name, name->text));
	for (size_t i = 0; files && i < files->n; i++) {
		const char *path = path_of(in, files->items[i]);

		add_source(in, files->items[i], add_file(in, files->items[i], path, spec));
		doc_push(a, paths, doc_new_text(a, files->items[i], path));
	}
	add_repository(in, at, spec);
	doc_put(a, section, "names", names);
	if (paths->n)
		doc_put(a, section, "files", paths);
	doc_put(a, spec, "packages", section);
}
