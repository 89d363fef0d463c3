/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translates users to sections, those under HpcNode and the default user that Image: Os: implies:
 * accounts, their keys for SSH, who may sudo.
 *
 * Keys are root's files outside of homes: a home is the head's, where the root of other nodes may
 * write nothing, and its authorized_keys belongs to the user. Homes that all nodes share are made
 * on the head.
 */
#include "cluster/pcluster.h"
#include "cluster/pcluster_own.h"
#include "data/scalar.h"

#define KEYS_DIR  "/etc/ssh/hpc-node"
#define SSHD_CONF "/etc/ssh/sshd_config.d/10-hpc-node.conf"
/* The last one read, as the last line that fits a user decides; names with a dot aren't read:
 * sudoers(5). */
#define SUDOERS    "/etc/sudoers.d/zz-hpc-node"
#define LOCAL_HOME "/local/home"
#define WRITTEN_BY "# Written by hpc-agent from the cluster's configuration: edit that, not this.\n"
#define TEXT_LEN   (1UL << 20)

static void add_file(const struct pcluster_input *in, struct doc *spec, const char *path,
                     const char *mode, const char *content)
{
	struct doc *file = doc_new_map(in->arena, in->config);

	doc_put_text(in->arena, file, "path", path);
	doc_put_text(in->arena, file, "mode", mode);
	doc_put_text(in->arena, file, "content", content);
	doc_push(in->arena, pcluster_section(in, spec, "files"), file);
}

static void add_keys(const struct pcluster_input *in, const char *user, const char *lines,
                     struct doc *spec)
{
	add_file(in, spec, arena_printf(in->arena, KEYS_DIR "/%s", user), "0644",
	         arena_printf(in->arena, WRITTEN_BY "%s", lines));
}

static bool makes_homes(const struct pcluster_input *in)
{
	return pcluster_is_head(in) || !pcluster_shares_home(in);
}

static void add_user(const struct pcluster_input *in, const struct doc *user, struct doc *spec)
{
	const struct doc *keys = doc_get(user, "Keys"), *key;
	struct strbuf lines = STRBUF(in->arena, TEXT_LEN);
	struct arena *a = in->arena;
	struct doc *account = doc_new_map(a, user), *uid = doc_get(user, "Uid");

	doc_put(a, account, "name", doc_get(user, "Name"));
	doc_put(a, account, "uid", uid);
	doc_put(a, account, "gid", uid);
	doc_put_text(a, account, "create-home", makes_homes(in) ? "true" : "false");
	doc_push(a, pcluster_section(in, spec, "users"), account);
	for (size_t i = 0; (key = pcluster_item(keys, i)) != NULL; i++)
		strbuf_printf(&lines, "%s\n", key->text);
	add_keys(in, doc_text(user, "Name"), lines.len ? lines.data : "", spec);
}

/* ---- the default user ---- */

static const struct os {
	const char *os, *user, *distribution;
} systems[] = {
        {"alinux", "ec2-user", "amzn"}, {"ubuntu", "ubuntu", "ubuntu"},
        {"rhel", "ec2-user", "rhel"},   {"rocky", "rocky", "rocky"},
        {"centos", "centos", "centos"}, {"debian", "admin", "debian"},
};

static const struct os *find_os(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(systems); i++)
		if (str_starts(name, systems[i].os))
			return &systems[i];
	return NULL;
}

const char *pcluster_user(const struct doc *config)
{
	const struct os *os = find_os(doc_text(doc_get(config, "Image"), "Os"));

	return os ? os->user : NULL;
}

static const struct os *os_of(const struct pcluster_input *in)
{
	const struct doc *at = doc_find(in->config, "Image.Os");
	const char *here = vars_get(in->facts, "distribution");
	const struct os *os = find_os(at->text);

	if (!os)
		cluster_note(in->notes, at,
		             "Os: '%s' implies no default user known here: none is made", at->text);
	else if (!in->elsewhere && here && !str_eq(here, os->distribution))
		cluster_note(in->notes, at,
		             "Os: this machine is not '%s' but %s; the default user is '%s' all "
		             "the same",
		             at->text, here, os->user);
	return os;
}

static const struct doc *listed(const struct doc *users, const char *name)
{
	for (size_t i = 0; users && i < users->n; i++)
		if (str_eq(doc_text(users->items[i], "Name"), name))
			return users->items[i];
	return NULL;
}

bool pcluster_has_local_home(const struct doc *config)
{
	const struct doc *home = doc_find(config, "DeploymentSettings.DefaultUserHome");

	return home && str_eq(home->text, "Local");
}

/* One id on all nodes, which no listed user can have: with the next one that is free it would own
 * somebody else's files in homes that all nodes share. */
static void add_default(const struct pcluster_input *in, const char *name, struct doc *spec)
{
	const char *key = vars_get(in->facts, "ssh-key");
	bool local = pcluster_has_local_home(in->config);
	struct arena *a = in->arena;
	struct doc *account = doc_new_map(a, doc_find(in->config, "Image.Os"));

	doc_put_text(a, account, "name", name);
	doc_put_text(a, account, "new-uid", arena_printf(a, "%d", PCLUSTER_DEFAULT_UID));
	if (local)
		doc_put_text(a, account, "home", arena_printf(a, LOCAL_HOME "/%s", name));
	doc_put_text(a, account, "create-home", local || makes_homes(in) ? "true" : "false");
	doc_push(a, pcluster_section(in, spec, "users"), account);
	if (key && pcluster_is_public_key(key))
		add_keys(in, name, arena_printf(a, "%s\n", key), spec);
}

/* ---- the machine's settings ---- */

/* Those of a directory: its users have nothing else at their first login. */
static bool takes_passwords(const struct pcluster_input *in)
{
	return doc_get(in->config, "DirectoryService") && in->node->role != CLUSTER_COMPUTE;
}

/* sshd reads its settings when it starts; not every machine has one. Debian's service is ssh, others' is sshd. */
static void add_sshd(const struct pcluster_input *in, struct doc *spec)
{
	struct arena *a = in->arena;
	struct doc *unit = doc_new_map(a, in->config);

	add_file(in, spec, SSHD_CONF, "0644",
	         arena_printf(a,
	                      WRITTEN_BY "AuthorizedKeysFile .ssh/authorized_keys "
	                                 ".ssh/authorized_keys2 " KEYS_DIR "/%%u\n%s",
	                      takes_passwords(in) ? "PasswordAuthentication yes\n" : ""));
	doc_put_text(a, unit, "name", pcluster_has_apt(in) ? "ssh.service" : "sshd.service");
	doc_put_text(a, unit, "state", "any");
	doc_put_text(a, unit, "if-present", "true");
	doc_put_text(a, unit, "restart-on", SSHD_CONF);
	doc_push(a, pcluster_section(in, spec, "units"), unit);
}

/* Written even if nobody may: who no longer may must not stay in it. What the image grants the
 * default user, if `name` isn't NULL, is taken back by a line that stands behind it. */
static void add_sudoers(const struct pcluster_input *in, const struct doc *users, const char *name,
                        struct doc *spec)
{
	bool closed = scalar_on(in->config, "DeploymentSettings.DisableSudoAccessForDefaultUser");
	const struct doc *own = name ? listed(users, name) : NULL;
	struct strbuf text = STRBUF(in->arena, TEXT_LEN);

	strbuf_str(&text, WRITTEN_BY);
	for (size_t i = 0; users && i < users->n; i++)
		if (scalar_on(users->items[i], "Sudo"))
			strbuf_printf(&text, "%s ALL=(ALL:ALL) NOPASSWD: ALL\n",
			              doc_text(users->items[i], "Name"));
	if (name && (closed || (own && !scalar_on(own, "Sudo"))))
		strbuf_printf(&text, "%s ALL=(ALL:ALL) !ALL\n", name);
	else if (name && !own)
		strbuf_printf(&text, "%s ALL=(ALL:ALL) NOPASSWD: ALL\n", name);
	add_file(in, spec, SUDOERS, "0440", text.data);
}

static const struct os *default_of(const struct pcluster_input *in)
{
	const struct doc *wanted = doc_find(in->config, "HpcNode.DefaultUser");

	return !wanted || scalar_on(in->config, "HpcNode.DefaultUser") ? os_of(in) : NULL;
}

const char *pcluster_default_user(const struct pcluster_input *in)
{
	const struct os *os = default_of(in);

	return os ? os->user : NULL;
}

void pcluster_users(const struct pcluster_input *in, struct doc *spec)
{
	const struct doc *users = doc_find(in->config, "HpcNode.Users");
	const struct os *os = default_of(in);

	for (size_t i = 0; users && i < users->n; i++)
		add_user(in, users->items[i], spec);
	if (os && !listed(users, os->user))
		add_default(in, os->user, spec);
	if (users || (os && vars_get(in->facts, "ssh-key")) || takes_passwords(in))
		add_sshd(in, spec);
	if (!os && !users) /* the image's own business: an empty list takes all rights away */
		return;
	add_sudoers(in, users, os ? os->user : NULL, spec);
}
