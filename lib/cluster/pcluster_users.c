/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translates the users under HpcNode to sections: accounts, their keys for SSH, who may sudo.
 *
 * Keys are root's files outside of homes: a home is the head's, where the root of other nodes may
 * write nothing, and its authorized_keys belongs to the user. Homes that all nodes share are made
 * on the head.
 */
#include "cluster/pcluster.h"
#include "data/scalar.h"

#define KEYS_DIR   "/etc/ssh/hpc-node"
#define SSHD_CONF  "/etc/ssh/sshd_config.d/10-hpc-node.conf"
#define SUDOERS    "/etc/sudoers.d/90-hpc-node" /* names with a dot are not read: sudoers(5) */
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

static bool makes_homes(const struct pcluster_input *in)
{
	const struct doc *home = doc_find(in->config, "DeploymentSettings.DefaultUserHome");

	return in->node->role == CLUSTER_HEAD || (home && str_eq(home->text, "Local"));
}

static void add_account(const struct pcluster_input *in, const struct doc *user, struct doc *spec)
{
	struct arena *a = in->arena;
	struct doc *account = doc_new_map(a, user), *uid = doc_get(user, "Uid");

	doc_put(a, account, "name", doc_get(user, "Name"));
	doc_put(a, account, "uid", uid);
	doc_put(a, account, "gid", uid);
	doc_put_text(a, account, "create-home", makes_homes(in) ? "true" : "false");
	doc_push(a, pcluster_section(in, spec, "users"), account);
}

static void add_keys(const struct pcluster_input *in, const struct doc *user, struct doc *spec)
{
	struct strbuf text = STRBUF(in->arena, TEXT_LEN);
	const struct doc *keys = doc_get(user, "Keys"), *key;

	strbuf_str(&text, WRITTEN_BY);
	for (size_t i = 0; (key = pcluster_item(keys, i)) != NULL; i++)
		strbuf_printf(&text, "%s\n", key->text);
	add_file(in, spec, arena_printf(in->arena, KEYS_DIR "/%s", doc_text(user, "Name")), "0644",
	         text.data);
}

/* sshd reads its settings when it starts; not every machine has one, nor under the same name. */
static void add_sshd(const struct pcluster_input *in, struct doc *spec)
{
	static const char *const units[] = {"ssh.service", "sshd.service"};
	struct arena *a = in->arena;

	add_file(in, spec, SSHD_CONF, "0644",
	         WRITTEN_BY
	         "AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2 " KEYS_DIR "/%u\n");
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct doc *unit = doc_new_map(a, in->config);

		doc_put_text(a, unit, "name", units[i]);
		doc_put_text(a, unit, "state", "any");
		doc_put_text(a, unit, "if-present", "true");
		doc_put_text(a, unit, "restart-on", SSHD_CONF);
		doc_push(a, pcluster_section(in, spec, "units"), unit);
	}
}

static bool may_sudo(const struct doc *user)
{
	const struct doc *sudo = doc_get(user, "Sudo");
	bool on = false;

	return sudo && scalar_bool(sudo, &on) == 0 && on;
}

/* Written even if nobody may: who no longer may must not stay in it. */
static void add_sudoers(const struct pcluster_input *in, const struct doc *users, struct doc *spec)
{
	struct strbuf text = STRBUF(in->arena, TEXT_LEN);

	strbuf_str(&text, WRITTEN_BY);
	for (size_t i = 0; i < users->n; i++)
		if (may_sudo(users->items[i]))
			strbuf_printf(&text, "%s ALL=(ALL:ALL) NOPASSWD: ALL\n",
			              doc_text(users->items[i], "Name"));
	add_file(in, spec, SUDOERS, "0440", text.data);
}

void pcluster_users(const struct pcluster_input *in, struct doc *spec)
{
	const struct doc *users = doc_find(in->config, "HpcNode.Users");

	if (!users)
		return;
	for (size_t i = 0; i < users->n; i++) {
		add_account(in, users->items[i], spec);
		add_keys(in, users->items[i], spec);
	}
	add_sshd(in, spec);
	add_sudoers(in, users, spec);
}
