/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a file that a cloud-config document tells cloud-init to write. */
#include "userdata/cloudconfig.h"

#include "data/yaml.h"

bool cloudconfig_is(struct blob text)
{
	static const char first[] = "#cloud-config";
	size_t len = sizeof first - 1;

	if (text.len < len || memcmp(text.data, first, len) != 0)
		return false;
	return text.len == len || memchr(" \t\r\n", text.data[len], 4);
}

/* The names that cc_write_files.py accepts. */
static bool is_base64(const char *encoding)
{
	static const char *const names[] = {"b64",       "base64",   "gz+b64",
	                                    "gz+base64", "gzip+b64", "gzip+base64"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(encoding, names[i]))
			return true;
	return false;
}

static struct blob content_of(const struct doc *entry, struct arena *a)
{
	const char *content = doc_text(entry, "content"), *encoding = doc_text(entry, "encoding");

	if (!content)
		return (struct blob){0};
	if (!encoding || !is_base64(encoding))
		return (struct blob){content, strlen(content)};
	size_t cap = strlen(content) / 4 * 3 + 3, len;
	char *out = arena_alloc(a, cap);
	if (str_base64_decode((struct blob){content, strlen(content)}, out, cap, &len) < 0)
		return (struct blob){0};
	return (struct blob){out, len};
}

struct blob cloudconfig_file(struct blob text, const char *path, struct arena *a)
{
	struct blob found = {0};
	struct doc *d = NULL;
	struct err ignored;

	if (yaml_parse_foreign("user-data", text, a, &d, &ignored) < 0 || d->type != DOC_MAP)
		return found;
	const struct doc *files = doc_get(d, "write_files");
	if (!files || files->type != DOC_LIST)
		return found;
	for (size_t i = 0; i < files->n; i++) {
		const struct doc *entry = files->items[i];
		const char *its = entry->type == DOC_MAP ? doc_text(entry, "path") : NULL;

		if (its && str_eq(its, path))
			found = content_of(entry, a);
	}
	return found;
}
