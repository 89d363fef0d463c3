/* SPDX-License-Identifier: Apache-2.0 */
/* Tells launches apart by what their instances are made with. */
#include "launch/site.h"

#include "base/digest.h"

/* Of a resource: what an instance that is there would have to be launched anew for. Its types, subnets and
 * market are in each launch. */
static const char *const keys[] = {
        "image",     "security-groups", "instance-profile", "key-name",
        "max-price", "placement-group", "tenancy",          "capacity-reservation",
        "efa",       "public-address",  "threads-per-core", "root",
        "tags",
};

void site_shape(const struct site *s, const struct site_resource *r, char out[static SITE_SHAPE])
{
	scope_arena struct arena *a = arena_new();
	struct strbuf text = STRBUF(a, SITE_FILE_MAX);
	char digest[SHA256_HEX];

	strbuf_str(&text, s->cluster);
	if (s->node)
		doc_json(s->node, &text);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (doc_has(r->at, keys[i])) {
			strbuf_str(&text, keys[i]);
			doc_json(doc_get(r->at, keys[i]), &text);
		}
	digest_hex(text.data, text.len, digest);
	memcpy(out, digest, SITE_SHAPE - 1);
	out[SITE_SHAPE - 1] = '\0';
}
