/* SPDX-License-Identifier: Apache-2.0 */
/* Looks packages up in the image's manifest, as long as the package database is unchanged. */
#include "kinds/baked.h"

#include <errno.h>

#include "base/digest.h"
#include "base/log.h"
#include "data/json.h"

#define SCHEMA "1"

static int useless(const struct err *e)
{
	if (e->no != ENOENT)
		log_debug("the image's manifest is not used: %s", e->text);
	return 0;
}

static bool is_of(struct host *h, const char *database, const struct doc *manifest, struct arena *a)
{
	const char *was = doc_text(manifest, "package-database-sha256");
	char hex[SHA256_HEX];
	struct blob now;
	struct err none;

	if (!was || host_read(h, database, BAKED_DATABASE_MAX, a, &now, &none) < 0)
		return false;
	digest_hex(now.data, now.len, hex);
	return str_eq(was, hex);
}

static void list(const struct doc *packages, struct strbuf *out)
{
	for (size_t i = 0; packages && packages->type == DOC_LIST && i < packages->n; i++) {
		const char *name = doc_text(packages->items[i], "name");
		const char *version = doc_text(packages->items[i], "version");

		if (name && version)
			strbuf_printf(out, "installed %s %s\n", name, version);
	}
}

int baked_packages(struct host *h, const char *database, struct arena *a, struct blob *ret)
{
	struct strbuf out = STRBUF(a, JSON_SIZE_MAX);
	const char *schema;
	struct blob text;
	struct doc *d;
	struct err e;

	if (host_read(h, BAKED_MANIFEST, JSON_SIZE_MAX, a, &text, &e) < 0 ||
	    json_parse(BAKED_MANIFEST, text, a, &d, &e) < 0)
		return useless(&e);
	schema = doc_text(d, "schema");
	if (!schema || !str_eq(schema, SCHEMA) || !is_of(h, database, d, a))
		return 0;
	list(doc_get(d, "packages"), &out);
	*ret = (struct blob){out.data, out.len};
	return !out.overflow;
}
