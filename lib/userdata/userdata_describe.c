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

/* ---- what seems to be meant for us ---- */

/* A key of the node document at the beginning of a line. */
static bool has_key(struct blob text, const char *key)
{
	size_t n = strlen(key);

	for (size_t at = 0; at + n < text.len; at++)
		if ((!at || text.data[at - 1] == '\n') && memcmp(text.data + at, key, n) == 0 &&
		    text.data[at + n] == ':')
			return true;
	return false;
}

/* One alone may be another program's. */
static bool has_our_keys(struct blob text)
{
	static const char *const keys[] = {"cluster", "config", "head", "node"};
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		n += has_key(text, keys[i]);
	return n >= 2;
}

#define BASE64_LEAST 24 /* a shorter text is a word */

static bool is_base64(struct blob text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                             "0123456789+/=\r\n";

	for (size_t i = 0; i < text.len; i++)
		if (!memchr(digits, text.data[i], sizeof digits - 1))
			return false;
	return text.len >= BASE64_LEAST;
}

static const char *packed_by(struct blob raw)
{
	static const struct {
		const char *magic, *what;
	} rows[] = {
	        {"\xfd"
	         "7zXZ",
	         "it is compressed by xz: gzip is read here"},
	        {"\x28\xb5\x2f\xfd", "it is compressed by zstd: gzip is read here"},
	        {"BZh", "it is compressed by bzip2: gzip is read here"},
	        {"PK\x03\x04", "it is a zip archive: gzip is read here"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].magic);

		if (raw.len >= n && memcmp(raw.data, rows[i].magic, n) == 0)
			return rows[i].what;
	}
	return NULL;
}

const char *userdata_near(struct blob raw)
{
	struct blob line = first_line(raw);
	const char *packed = packed_by(raw);

	if (packed)
		return packed;
	if (begins(line, "## template:") && has(raw, "hpc-node"))
		return "it begins with '## template:', and templates are not rendered here";
	if (begins(line, "#cloud-config") && has_key(raw, "hpc-node"))
		return "cloud-config has no key 'hpc-node': expected write_files of "
		       "/etc/hpc-node/node.yaml";
	if (begins(line, "#!") || begins(line, "#cloud-") || begins(line, "Content-Type:") ||
	    begins(line, "MIME-Version:") || gzip_is(raw))
		return NULL;
	if (raw.len && memchr(raw.data, '\0', raw.len))
		return "it has NUL bytes, as UTF-16 without its byte order mark has";
	if (has(line, "hpc-node") || has(line, "hpc_node") || has(line, "hpcnode"))
		return "its first line is not '#hpc-node', though it names hpc-node";
	if (has(raw, "#hpc-node") || has(raw, "# hpc-node"))
		return "'#hpc-node' is not its first line";
	if (has_our_keys(raw))
		return "it has a node document's keys, and its first line is not '#hpc-node'";
	if (is_base64(raw))
		return "it is base64, and what is in it is no node document";
	return NULL;
}
