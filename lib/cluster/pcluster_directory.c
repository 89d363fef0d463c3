/* SPDX-License-Identifier: Apache-2.0 */
/* Translates DirectoryService to the section `directory`, which each node has. */
#include "cluster/pcluster_own.h"
#include "data/scalar.h"

#define BASE_MAX 4096

static bool is_domain(const char *name)
{
	static const char letters[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	return name[strspn(name, letters)] == '\0';
}

/* DC=corp,DC=example,DC=com of corp.example.com; what is a distinguished name already stays. */
static const char *base_of(const struct pcluster_input *in, const char *domain)
{
	struct strbuf out = STRBUF(in->arena, BASE_MAX);

	if (!is_domain(domain))
		return domain;
	for (const char *at = domain; *at;) {
		size_t len = strcspn(at, ".");

		strbuf_printf(&out, "%sDC=%.*s", out.len ? "," : "", (int)len, at);
		at += len + (at[len] == '.');
	}
	return out.len ? out.data : domain;
}

/* A list with commas; ldaps where no protocol is named. */
static struct doc *uris_of(const struct pcluster_input *in, const struct doc *at)
{
	struct doc *list = doc_new_list(in->arena, at);

	for (const char *p = at->text; *p;) {
		size_t len = strcspn(p, ", ");
		const char *uri = arena_memdup(in->arena, p, len);

		if (len)
			doc_push(
			        in->arena, list,
			        doc_new_text(in->arena, at,
			                     strstr(uri, "://")
			                             ? uri
			                             : arena_printf(in->arena, "ldaps://%s", uri)));
		p += len + (p[len] != '\0');
	}
	return list;
}

static struct doc *options_of(const struct pcluster_input *in, const struct doc *at)
{
	const struct doc *more = doc_get(at, "AdditionalSssdConfigs");
	const char *filter = doc_text(at, "LdapAccessFilter");
	struct arena *a = in->arena;
	struct doc *options = doc_new_map(a, at);
	const struct {
		const char *name, *value;
	} rows[] = {{"ldap_tls_reqcert", doc_text(at, "LdapTlsReqCert")},
	            {"ldap_tls_cacert", doc_text(at, "LdapTlsCaCert")},
	            {"access_provider", filter ? "ldap" : NULL},
	            {"ldap_access_filter", filter}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value && !doc_get(more, rows[i].name))
			doc_put_text(a, options, rows[i].name, rows[i].value);
	for (size_t i = 0; more && i < more->n; i++)
		if (more->items[i]->type != DOC_NULL)
			doc_put(a, options, more->keys[i]->text, more->items[i]);
	return options;
}

/* Users log in on these; on compute nodes they have their homes and keys already. */
static bool makes_keys(const struct pcluster_input *in, const struct doc *at)
{
	const struct doc *wanted = doc_get(at, "GenerateSshKeysForUsers");

	if (in->node->role == CLUSTER_COMPUTE ||
	    (wanted && !scalar_on(at, "GenerateSshKeysForUsers")))
		return false;
	if (!pcluster_has_apt(in))
		cluster_note(in->notes, wanted ? wanted : at,
		             "GenerateSshKeysForUsers: users get keys only where "
		             "pam-auth-update(8) is, on Debian and its kin");
	return pcluster_has_apt(in);
}

void pcluster_directory(const struct pcluster_input *in, struct doc *spec)
{
	const struct doc *at = doc_get(in->config, "DirectoryService");
	struct arena *a = in->arena;

	if (!at)
		return;
	struct doc *section = doc_new_map(a, at), *options = options_of(in, at);
	doc_put(a, section, "uris", uris_of(in, doc_get(at, "DomainAddr")));
	doc_put_text(a, section, "base", base_of(in, doc_text(at, "DomainName")));
	doc_put(a, section, "bind-dn", doc_get(at, "DomainReadOnlyUser"));
	doc_put(a, section, "password", doc_get(at, "PasswordSecretArn"));
	if (options->n)
		doc_put(a, section, "options", options);
	if (makes_keys(in, at))
		doc_put_text(a, section, "ssh-keys", "true");
	doc_put(a, spec, "directory", section);
}
