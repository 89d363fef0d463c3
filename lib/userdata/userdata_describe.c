/* SPDX-License-Identifier: Apache-2.0 */
/* Describes user data that isn't ours, for messages. */
#include <ctype.h>
#include <strings.h>

#include "data/gzip.h"
#include "userdata/userdata_own.h"

static struct blob first_line(struct blob raw)
{
	size_t at = 0, len = 0;

	while (at < raw.len && isspace((unsigned char)raw.data[at]))
		at++;
	while (at + len < raw.len && raw.data[at + len] != '\n' && raw.data[at + len] != '\r')
		len++;
	return (struct blob){raw.data + at, len};
}

static bool begins(struct blob text, const char *with)
{
	size_t n = strlen(with);

	return text.len >= n && strncasecmp(text.data, with, n) == 0;
}

static bool has(struct blob text, const char *word)
{
	for (size_t n = strlen(word); text.len >= n;
	     text = (struct blob){text.data + 1, text.len - 1})
		if (strncasecmp(text.data, word, n) == 0)
			return true;
	return false;
}

const char *userdata_describe(struct blob raw)
{
	/* The formats that cloud-init distinguishes by the first line. */
	static const struct {
		const char *begin, *what;
	} rows[] = {
	        {"#!", "a script, whose first line is not '#hpc-node'"},
	        {"#cloud-config", "cloud-config, without a part of type text/x-hpc-node"},
	        {"#cloud-boothook", "a boot hook of cloud-init"},
	        {"#include", "a list of addresses for cloud-init, which are not fetched"},
	        {"## template:", "a template of cloud-init, which is not rendered"},
	        {"Content-Type:", "a MIME message without a part of type text/x-hpc-node"},
	        {"MIME-Version:", "a MIME message without a part of type text/x-hpc-node"},
	        {"{", "JSON, whose first line is not '#hpc-node'"},
	};
	struct blob line = first_line(raw);

	if (!line.len)
		return "empty";
	if (gzip_is(raw))
		return "compressed, and not a node document inside";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (begins(line, rows[i].begin))
			return rows[i].what;
	return "text whose first line is not '#hpc-node'";
}

const char *userdata_near(struct blob raw)
{
	struct blob line = first_line(raw);

	if (begins(line, "## template:") && has(raw, "hpc-node"))
		return "it begins with '## template:', and templates are not rendered here";
	if (begins(line, "#!") || begins(line, "#cloud-") || begins(line, "Content-Type:") ||
	    begins(line, "MIME-Version:"))
		return NULL;
	if (has(line, "hpc-node") || has(line, "hpc_node"))
		return "its first line is not '#hpc-node', though it names hpc-node";
	return NULL;
}
