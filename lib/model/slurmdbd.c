/* SPDX-License-Identifier: Apache-2.0 */
/* Writes slurmdbd.conf. */
#include "model/slurmdbd.h"

#include <errno.h>

#define TEXT_MAX 4096
#define PASSWORD "StoragePass=\""

bool slurmdbd_is_word(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("\"'#\\=", *p))
			return false;
	return *text != '\0';
}

struct blob slurmdbd_text(const struct slurmdbd *x, struct arena *a)
{
	struct strbuf out = STRBUF(a, TEXT_MAX);

	strbuf_printf(&out,
	              "# Written by hpc-agent from the cluster's configuration: edit that, not "
	              "this.\n"
	              "AuthType=auth/munge\n"
	              "DbdHost=%s\n"
	              "DbdPort=%d\n"
	              "SlurmUser=" SLURMDBD_USER "\n"
	              "LogFile=" SLURMDBD_LOG "\n"
	              "PidFile=/run/slurmdbd.pid\n"
	              "StorageType=accounting_storage/mysql\n",
	              x->here, SLURMDBD_PORT);
	strbuf_printf(&out, "StorageHost=%s\nStoragePort=%llu\nStorageLoc=%s\nStorageUser=%s\n",
	              x->host, (unsigned long long)x->port, x->name, x->user);
	return (struct blob){out.data, out.len};
}

static int put(struct secret *out, const char *text, size_t len)
{
	if (len > SECRET_MAX - out->len)
		return -ENOSPC;
	memcpy(out->data + out->len, text, len);
	out->len += len;
	return 0;
}

/* Within the quotes '#' and a backslash want one before them: _strip_comments() and _strip_escapes()
 * of Slurm's src/common/parse_config.c, which come before the quotes are looked at. */
static int put_password(struct secret *out, const struct secret *password)
{
	int r = put(out, PASSWORD, strlen(PASSWORD));

	for (size_t i = 0; i < password->len && r == 0; i++) {
		const char *c = &password->data[i];

		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '"')
			return -EINVAL;
		r = *c == '#' || *c == '\\' ? put(out, "\\", 1) : 0;
		r = r < 0 ? r : put(out, c, 1);
	}
	return r < 0 ? r : put(out, "\"\n", 2);
}

int slurmdbd_whole(struct blob text, const struct secret *password, struct secret *ret)
{
	scope_secret struct secret out = {0};
	int r = put(&out, text.data, text.len);

	r = r < 0 ? r : put_password(&out, password);
	if (r < 0)
		return r;
	*ret = out;
	return 0;
}
