/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the SPDX document of an image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "data/jsonw.h"
#include "look/manifest.h"
#include "store/ident.h"

#define IMAGE_ID "SPDXRef-image"

/* RFC 3986, all but unreserved characters: required in package URLs. */
static const char *percent(struct arena *a, const char *s)
{
	struct strbuf out = STRBUF(a, 4096);

	for (; *s; s++) {
		bool plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		                    "0123456789-._~",
		                    *s);
		if (plain)
			strbuf_char(&out, *s);
		else
			strbuf_printf(&out, "%%%02X", (unsigned char)*s);
	}
	return out.data ? out.data : "";
}

/* SPDX ids have letters, digits, "." and "-": anything else by its code. */
static const char *spdx_id(struct arena *a, const struct package *p)
{
	struct strbuf out = STRBUF(a, 4096);

	strbuf_str(&out, "SPDXRef-Package-");
	for (const char *s = p->name; *s; s++)
		if ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '-' || *s == '.')
			strbuf_char(&out, *s);
		else
			strbuf_printf(&out, ".%02X", (unsigned char)*s);
	strbuf_printf(&out, "-%s", p->arch);
	return out.data;
}

static const char *purl(struct arena *a, const struct packages *all, const struct package *p)
{
	bool rpm = str_eq(all->database, "rpm");
	const char *type = rpm ? "rpm" : "deb";
	const char *distribution = all->distribution ? all->distribution : rpm ? "rpm" : "debian";
	const char *colon = rpm ? strchr(p->version, ':') : NULL;
	struct strbuf out = STRBUF(a, 8192);

	strbuf_printf(&out, "pkg:%s/%s/%s@%s?arch=%s", type, percent(a, distribution),
	              percent(a, p->name), percent(a, colon ? colon + 1 : p->version),
	              percent(a, p->arch));
	if (colon) /* that kind of URL has the epoch apart */
		strbuf_printf(&out, "&epoch=%.*s", (int)(colon - p->version), p->version);
	if (all->release)
		strbuf_printf(&out, "&distro=%s-%s", percent(a, distribution),
		              percent(a, all->release));
	return out.data;
}

/* Fields that every package must have and that we don't know. */
static void write_unknown(struct jsonw *w)
{
	jsonw_str(w, "downloadLocation", "NOASSERTION");
	jsonw_bool(w, "filesAnalyzed", false);
	jsonw_str(w, "licenseConcluded", "NOASSERTION");
	jsonw_str(w, "licenseDeclared", "NOASSERTION");
	jsonw_str(w, "copyrightText", "NOASSERTION");
}

static void write_package(struct jsonw *w, struct arena *a, const struct packages *all,
                          const struct package *p)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "SPDXID", spdx_id(a, p));
	jsonw_str(w, "name", p->name);
	jsonw_str(w, "versionInfo", p->version);
	jsonw_str(w, "supplier",
	          p->maintainer ? arena_printf(a, "Organization: %s", p->maintainer)
	                        : "NOASSERTION");
	jsonw_str(w, "sourceInfo",
	          arena_printf(a, "built from %s %s", p->source, p->source_version));
	write_unknown(w);
	jsonw_begin(w, "externalRefs", '[');
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "referenceCategory", "PACKAGE-MANAGER");
	jsonw_str(w, "referenceType", "purl");
	jsonw_str(w, "referenceLocator", purl(a, all, p));
	jsonw_end(w, '}');
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

static void write_image(struct jsonw *w, const struct manifest *m, const char *sha256)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "SPDXID", IMAGE_ID);
	jsonw_str(w, "name", m->name);
	jsonw_str(w, "versionInfo", m->version);
	jsonw_str(w, "primaryPackagePurpose", "OPERATING-SYSTEM");
	write_unknown(w);
	if (sha256) {
		jsonw_begin(w, "checksums", '[');
		jsonw_begin(w, NULL, '{');
		jsonw_str(w, "algorithm", "SHA256");
		jsonw_str(w, "checksumValue", sha256);
		jsonw_end(w, '}');
		jsonw_end(w, ']');
	}
	jsonw_end(w, '}');
}

static void write_relation(struct jsonw *w, const char *from, const char *type, const char *to)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "spdxElementId", from);
	jsonw_str(w, "relationshipType", type);
	jsonw_str(w, "relatedSpdxElement", to);
	jsonw_end(w, '}');
}

static void write_head(struct jsonw *w, struct arena *a, const struct manifest *m,
                       const char *sha256)
{
	char uuid[IDENT_UUID], date[21];

	ident_uuid(m->recipe, sha256 ? sha256 : "sbom", uuid);
	clock_rfc3339((time_t)m->epoch, date);
	jsonw_str(w, "spdxVersion", "SPDX-2.3");
	jsonw_str(w, "dataLicense", "CC0-1.0");
	jsonw_str(w, "SPDXID", "SPDXRef-DOCUMENT");
	jsonw_str(w, "name", arena_printf(a, "%s-%s", m->name, m->version));
	jsonw_str(w, "documentNamespace", arena_printf(a, "urn:uuid:%s", uuid));
	jsonw_begin(w, "creationInfo", '{');
	jsonw_str(w, "created", date);
	jsonw_begin(w, "creators", '[');
	jsonw_str(w, NULL, "Tool: hpc-imagebuild-" HPC_VERSION);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

int sbom_write(const char *path, int root, const struct manifest *m, const char *sha256,
               struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, SBOM_MAX);
	struct jsonw w = {.out = &out};
	struct packages p;
	int r = packages_read(root, a, &p, e);

	if (r < 0)
		return r;
	jsonw_begin(&w, NULL, '{');
	write_head(&w, a, m, sha256);
	jsonw_begin(&w, "packages", '[');
	write_image(&w, m, sha256);
	for (size_t i = 0; i < p.n; i++)
		write_package(&w, a, &p, &p.items[i]);
	jsonw_end(&w, ']');
	jsonw_begin(&w, "relationships", '[');
	write_relation(&w, "SPDXRef-DOCUMENT", "DESCRIBES", IMAGE_ID);
	for (size_t i = 0; i < p.n; i++)
		write_relation(&w, IMAGE_ID, "CONTAINS", spdx_id(a, &p.items[i]));
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	strbuf_char(&out, '\n');
	if (out.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "writing '%s': more than %lu bytes", path, SBOM_MAX);
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};
	return file_replace(AT_FDCWD, path, out.data, out.len, &attr, e);
}
