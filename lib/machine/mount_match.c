/* SPDX-License-Identifier: Apache-2.0 */
/* Tells whether an existing mount is the one that was asked for. */
#include <arpa/inet.h>
#include <strings.h>

#include "machine/mount_own.h"

#define PORTION 1024

/* A network source split in two: "host", "path" without trailing slashes ("" is
 * the server's root). */
struct nfs_export {
	char host[256], path[PORTION];
};

static bool export_of(const char *source, struct nfs_export *ret)
{
	const char *host = source, *end, *path;

	if (source[0] == '[') {
		host = source + 1;
		end = strchr(host, ']');
		path = end && end[1] == ':' ? end + 2 : NULL;
	} else {
		end = strchr(host, ':');
		path = end ? end + 1 : NULL;
	}
	if (!path || end == host || (size_t)(end - host) >= sizeof ret->host ||
	    memchr(host, '/', (size_t)(end - host)))
		return false;

	size_t n = strlen(path);
	while (n && path[n - 1] == '/')
		n--;
	if (n >= sizeof ret->path)
		return false;
	memcpy(ret->host, host, (size_t)(end - host));
	ret->host[end - host] = '\0';
	memcpy(ret->path, path, n);
	ret->path[n] = '\0';
	return true;
}

bool mount_server(const char *source, char host[static 256])
{
	struct nfs_export x;

	if (!export_of(source, &x))
		return false;
	memcpy(host, x.host, sizeof x.host);
	return true;
}

bool mount_is_network(const char *source, const char *fstype)
{
	static const char *const types[] = {"nfs", "nfs4", "efs", "lustre", "cifs", "smb3"};
	struct nfs_export x;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(fstype, types[i]))
			return true;
	return export_of(source, &x);
}

bool mount_has_option(const char *options, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = options; p && *p;) {
		size_t n = strcspn(p, ",");

		if (n == len && strncmp(p, word, n) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

bool mount_option(const char *options, const char *name, char *value, size_t cap)
{
	size_t len = strlen(name);

	for (const char *p = options; p && *p;) {
		size_t n = strcspn(p, ",");

		if (n > len && strncmp(p, name, len) == 0 && p[len] == '=' && n - len <= cap) {
			memcpy(value, p + len + 1, n - len - 1);
			value[n - len - 1] = '\0';
			return true;
		}
		p += n + (p[n] == ',');
	}
	return false;
}

/* Compares addresses by value: "::1" and "0:0:0:0:0:0:0:1" are the same. */
static bool same_address(const char *a, const char *b)
{
	unsigned char x[16], y[16];

	if (inet_pton(AF_INET, a, x) == 1 && inet_pton(AF_INET, b, y) == 1)
		return memcmp(x, y, 4) == 0;
	return inet_pton(AF_INET6, a, x) == 1 && inet_pton(AF_INET6, b, y) == 1 &&
	       memcmp(x, y, 16) == 0;
}

static bool is_address(const char *host)
{
	unsigned char x[16];

	return inet_pton(AF_INET, host, x) == 1 || inet_pton(AF_INET6, host, x) == 1;
}

static enum mount_match match_export(const struct nfs_export *want, const struct nfs_export *have,
                                     const char *options)
{
	char addr[64];

	if (!str_eq(want->path, have->path))
		return MOUNT_OTHER;
	if (strcasecmp(want->host, have->host) == 0 || same_address(want->host, have->host))
		return MOUNT_SAME;
	if (!mount_option(options, "addr", addr, sizeof addr))
		return MOUNT_OTHER;
	if (is_address(want->host))
		return same_address(want->host, addr) ? MOUNT_SAME : MOUNT_OTHER;
	return MOUNT_ASK_NAME;
}

/* mount.efs mounts its own proxy on the loopback address, so only the path can be compared. */
static enum mount_match match_efs(const struct mount_want *w, const struct host_mounted_fs *fs)
{
	struct nfs_export want, have;

	return export_of(w->source, &want) && export_of(fs->source, &have) &&
	                       same_address(have.host, "127.0.0.1") && str_eq(want.path, have.path)
	               ? MOUNT_SAME
	               : MOUNT_OTHER;
}

enum mount_match mount_match(const struct mount_want *w, const struct host_mounted_fs *fs)
{
	struct nfs_export want, have;

	if (w->bind)
		return w->dev == fs->dev && str_eq(w->root, fs->root) ? MOUNT_SAME : MOUNT_OTHER;
	if (str_eq(w->fstype, "efs") && !str_eq(fs->fstype, "efs"))
		return match_efs(w, fs);
	/* An export is identified by server and path; the type only says how it was asked for:
	 * "nfs" is shown as "nfs4" if that version was negotiated. */
	if (export_of(w->source, &want) && export_of(fs->source, &have))
		return match_export(&want, &have, fs->options);
	if (!str_eq(w->fstype, fs->fstype))
		return MOUNT_OTHER;
	if (w->dev)
		return w->dev == fs->dev ? MOUNT_SAME : MOUNT_OTHER;
	return str_eq(w->source, fs->source) ? MOUNT_SAME : MOUNT_OTHER;
}
