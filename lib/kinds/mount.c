/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: file systems.
 *
 * A type is one row of the table below: how its source is written, what mounts it, the options it
 * gets unless the spec says otherwise. Nothing is written to fstab: the agent mounts at every boot,
 * when identity and name resolution are there, with a cause for every failure; fstab would mount
 * earlier, in series, and hang the boot on a dead server.
 *
 * NFS: hard, so that a server's restart stalls a job and doesn't corrupt its files. No version is
 * pinned: type nfs4 asks for 4.2, then 4.1, then 4.0 (4.1 and up need no lockd or statd port); type
 * nfs goes down to 3. Transfer sizes are the server's. noatime and its like do nothing on NFS,
 * nfs(5).
 *
 * EFS is mounted by the kernel's own client with the options AWS recommends. Only tls, iam and
 * access-point need mount.efs, which sends every byte through a user-space proxy.
 */
#include <errno.h>

#include "base/clock.h"
#include "kinds/kinds.h"
#include "kinds/mount_check.h"
#include "machine/mount.h"
#include "plan/claim.h"

#define OPTIONS_MAX 4096  /* a page: mount(2) */
#define TRY_MS      30000 /* of one try; the engine retries until the step's deadline */

enum fs { FS_NFS4, FS_NFS, FS_EFS, FS_LUSTRE, FS_BIND, FS_TMPFS, FS_N };
static const char *const type_names[] = {"nfs4", "nfs", "efs", "lustre", "bind", "tmpfs", NULL};

struct mount_spec {
	const char *path, *source, *options, *access_point;
	int type;
	bool tls, iam;
	struct host_mount mount; /* set by claim */
};

static const struct field mount_fields[] = {
        {"path", FIELD_STRING, FIELD_AT(struct mount_spec, path), .required = true,
         .help = "where to mount; made when it isn't there"},
        {"type", FIELD_CHOICE, FIELD_AT(struct mount_spec, type), .required = true,
         .choices = type_names, .help = "the file system"},
        {"source", FIELD_STRING, FIELD_AT(struct mount_spec, source),
         .help = "server:/export (nfs4, nfs), fs-ID[:/dir] (efs), fs-ID:/name or "
                 "server@tcp:/name (lustre), a directory (bind)"},
        {"options", FIELD_STRING, FIELD_AT(struct mount_spec, options),
         .help = "mount options, comma separated; they win over the type's own"},
        {"tls", FIELD_BOOL, FIELD_AT(struct mount_spec, tls),
         .help = "encrypt EFS in transit; needs amazon-efs-utils"},
        {"iam", FIELD_BOOL, FIELD_AT(struct mount_spec, iam),
         .help = "present the instance role to EFS; needs tls"},
        {"access-point", FIELD_STRING, FIELD_AT(struct mount_spec, access_point),
         .help = "id of an EFS access point; needs tls"},
        {0},
};

static int source_export(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e);
static int source_efs(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e);
static int source_lustre(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e);
static int source_directory(struct step *s, struct mount_spec *m, const struct vars *f,
                            struct err *e);
static int source_none(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e);

static const struct type {
	const char *fstype; /* for mount(2) or the helper */
	int (*source)(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e);
	const char *options;
	const char *packages[2]; /* packages with its client, Debian's name and Fedora's */
} types[FS_N] = {
        [FS_NFS4] = {"nfs4", source_export, "hard,_netdev", {"nfs-common", "nfs-utils"}},
        [FS_NFS] = {"nfs", source_export, "hard,_netdev", {"nfs-common", "nfs-utils"}},
        [FS_EFS] = {"nfs4",
                    source_efs,
                    "nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,"
                    "_netdev",
                    {"nfs-common", "nfs-utils"}},
        [FS_LUSTRE] = {"lustre", source_lustre, "relatime,flock,_netdev", {"lustre-client", NULL}},
        [FS_BIND] = {"bind", source_directory, "bind", {NULL, NULL}},
        [FS_TMPFS] = {"tmpfs", source_none, "nosuid,nodev", {NULL, NULL}},
};

/* With mount.efs, which sets the NFS options itself. */
static const struct type efs_helper = {
        "efs", source_efs, "_netdev,noresvport", {"amazon-efs-utils", NULL}};

/* Keys that are only valid for some types. */
#define IN(type) (1U << (type))
static const struct {
	const char *key;
	unsigned types;
} key_types[] = {
        {"source", IN(FS_NFS4) | IN(FS_NFS) | IN(FS_EFS) | IN(FS_LUSTRE) | IN(FS_BIND)},
        {"tls", IN(FS_EFS)},
        {"iam", IN(FS_EFS)},
        {"access-point", IN(FS_EFS)},
};

/* An option of the spec replaces those of the type in the same row. */
static const char *const rivals[][9] = {
        {"hard", "soft", "softerr"},
        {"nfsvers", "vers", "minorversion", "v3", "v4", "v4.0", "v4.1", "v4.2"},
        {"resvport", "noresvport"},
        {"relatime", "noatime", "strictatime", "norelatime", "atime"},
        {"flock", "localflock", "noflock"},
        {"bind", "rbind"},
        {"suid", "nosuid"},
        {"dev", "nodev"},
};

static struct blob option_name(struct blob option)
{
	const char *equals = memchr(option.data, '=', option.len);

	return (struct blob){option.data, equals ? (size_t)(equals - option.data) : option.len};
}

static bool same_name(struct blob a, struct blob b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool are_rivals(struct blob a, struct blob b)
{
	if (same_name(a, b))
		return true;
	for (size_t row = 0; row < ARRAY_LEN(rivals); row++) {
		bool has_a = false, has_b = false;

		for (size_t i = 0; i < ARRAY_LEN(rivals[row]) && rivals[row][i]; i++) {
			has_a = has_a || blob_eq(a, rivals[row][i]);
			has_b = has_b || blob_eq(b, rivals[row][i]);
		}
		if (has_a && has_b)
			return true;
	}
	return false;
}

static bool is_replaced(struct blob option, const char *by)
{
	while (by && *by) {
		struct blob other = mount_next_option(&by);

		if (are_rivals(option_name(option), option_name(other)))
			return true;
	}
	return false;
}

/* The type's options that the spec's don't replace, then the spec's. */
static const char *merged_options(struct arena *a, const char *own, const char *given)
{
	struct strbuf out = STRBUF(a, OPTIONS_MAX);

	while (*own) {
		struct blob option = mount_next_option(&own);

		if (is_replaced(option, given))
			continue;
		strbuf_str(&out, out.len ? "," : "");
		strbuf_add(&out, option.data, option.len);
	}
	if (given && *given)
		strbuf_printf(&out, "%s%s", out.len ? "," : "", given);
	return out.len ? out.data : "";
}

static int needs_source(const struct step *s, const struct mount_spec *m, struct err *e)
{
	if (!m->source)
		return doc_err(s->at, e, REASON_INPUT_REQUIRED, "type '%s' needs 'source'",
		               type_names[m->type]);
	for (const char *p = m->source; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return doc_err(claim_at(s, "source"), e, REASON_INPUT_RANGE,
			               "source contains a blank or control character");
	return 0;
}

static int bad_source(const struct step *s, const struct mount_spec *m, const char *form,
                      struct err *e)
{
	return doc_err(claim_at(s, "source"), e, REASON_INPUT_RANGE, "'%s' is not of the form %s",
	               m->source, form);
}

static bool is_export(const char *source)
{
	const char *colon = strstr(source, ":/");

	return colon && colon > source;
}

/* The length of an id like "fsap-0123abcd" at the beginning of the text; 0: there is none. */
static size_t id_len(const char *text, const char *prefix)
{
	size_t skip = strlen(prefix);
	size_t n = str_starts(text, prefix) ? strspn(text + skip, "0123456789abcdef") : 0;

	return n ? skip + n : 0;
}

static int source_export(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e)
{
	int r = needs_source(s, m, e);

	(void)f;
	if (r < 0)
		return r;
	if (!is_export(m->source))
		return bad_source(s, m, "server:/export", e);
	m->mount.source = m->source;
	return 0;
}

/* "fs-0123.efs.eu-west-1.amazonaws.com": region and DNS suffix are the instance's. */
static int service_name(struct step *s, const char *id, const char *service, const struct vars *f,
                        const char **ret, struct err *e)
{
	const char *region = vars_get(f, "region"), *suffix = vars_get(f, "dns-suffix");

	if (!region || !suffix)
		return doc_err(claim_at(s, "source"), e, REASON_INPUT_FACT,
		               "the address of '%s' needs fact '%s', which is unknown here", id,
		               region ? "dns-suffix" : "region");
	*ret = arena_printf(s->arena, "%s.%s.%s.%s", id, service, region, suffix);
	return 0;
}

static int source_helper(struct step *s, struct mount_spec *m, const char *id, const char *dir,
                         struct err *e)
{
	struct strbuf options = STRBUF(s->arena, OPTIONS_MAX);

	if (!m->tls)
		return doc_err(s->at, e, REASON_INPUT_REQUIRED,
		               "'iam' and 'access-point' need 'tls: true': EFS takes them over TLS "
		               "only");
	if (!id)
		return bad_source(s, m, "fs-ID:/dir, which 'tls' needs", e);
	size_t len = m->access_point ? id_len(m->access_point, "fsap-") : 0;
	if (m->access_point && (!len || m->access_point[len]))
		return doc_err(claim_at(s, "access-point"), e, REASON_INPUT_RANGE,
		               "'%s' is not of the form fsap-ID", m->access_point);
	strbuf_printf(&options, "tls%s", m->iam ? ",iam" : "");
	if (m->access_point)
		strbuf_printf(&options, ",accesspoint=%s", m->access_point);
	if (m->options)
		strbuf_printf(&options, ",%s", m->options);
	m->options = options.data;
	m->mount.source = arena_printf(s->arena, "%s:%s", id, dir);
	return 0;
}

static int source_efs(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e)
{
	static const char form[] = "fs-ID, fs-ID:/dir or server:/dir";
	const char *server, *dir = "/", *id = NULL;
	int r = needs_source(s, m, e);

	if (r < 0)
		return r;
	size_t len = id_len(m->source, "fs-");
	if (len && (!m->source[len] || m->source[len] == ':')) {
		id = arena_printf(s->arena, "%.*s", (int)len, m->source);
		dir = m->source[len] ? m->source + len + 1 : "/";
	}
	if (id ? *dir != '/' : !is_export(m->source))
		return bad_source(s, m, form, e);
	if (id && claim_path(s, "source", &dir, e) < 0)
		return -EINVAL;
	if (m->tls || m->iam || m->access_point)
		return source_helper(s, m, id, dir, e);
	m->mount.source = m->source;
	if (!id)
		return 0;
	r = service_name(s, id, "efs", f, &server, e);
	if (r < 0)
		return r;
	m->mount.source = arena_printf(s->arena, "%s:%s", server, dir);
	return 0;
}

static int source_lustre(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e)
{
	const char *server;
	int r = needs_source(s, m, e);

	if (r < 0)
		return r;
	if (!is_export(m->source) || str_ends(m->source, ":/"))
		return bad_source(s, m, "fs-ID:/name or server@tcp:/name", e);
	m->mount.source = m->source;

	size_t len = id_len(m->source, "fs-");
	if (!len || m->source[len] != ':')
		return 0;
	const char *id = arena_printf(s->arena, "%.*s", (int)len, m->source);
	r = service_name(s, id, "fsx", f, &server, e);
	if (r < 0)
		return r;
	m->mount.source = arena_printf(s->arena, "%s@tcp%s", server, m->source + len);
	return 0;
}

static int source_directory(struct step *s, struct mount_spec *m, const struct vars *f,
                            struct err *e)
{
	(void)f;
	int r = needs_source(s, m, e);
	if (r < 0)
		return r;
	r = claim_path(s, "source", &m->source, e);
	if (r < 0)
		return r;
	step_needs(s, "path:%s", m->source);
	m->mount.source = m->source;
	return 0;
}

static int source_none(struct step *s, struct mount_spec *m, const struct vars *f, struct err *e)
{
	(void)s, (void)f, (void)e;
	m->mount.source = type_names[m->type];
	return 0;
}

static int check_keys(const struct step *s, const struct mount_spec *m, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(key_types); i++)
		if (doc_get(s->at, key_types[i].key) &&
		    !(key_types[i].types & IN((unsigned)m->type)))
			return doc_err(claim_at(s, key_types[i].key), e, REASON_INPUT_RANGE,
			               "'%s' has no meaning for type '%s'", key_types[i].key,
			               type_names[m->type]);
	return m->options ? mount_check_options(s, m->options, e) : 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct mount_spec *m = fields;
	bool helper = m->tls || m->iam || m->access_point;
	const struct type *t = helper ? &efs_helper : &types[m->type];
	int r = claim_path(s, "path", &m->path, e);

	if (r < 0)
		return r;
	r = mount_check_place(s, m->path, e);
	if (r < 0)
		return r;
	r = check_keys(s, m, e);
	if (r < 0)
		return r;
	r = t->source(s, m, facts, e);
	if (r < 0)
		return r;
	m->mount.target = m->path;
	m->mount.fstype = t->fstype;
	m->mount.options = merged_options(s->arena, t->options, m->options);

	step_name(s, "%s", m->path);
	step_provides(s, "mount:%s", m->path);
	step_provides(s, "path:%s", m->path);
	claim_needs_parent(s, m->path);
	for (size_t i = 0; i < ARRAY_LEN(t->packages) && t->packages[i]; i++)
		step_needs(s, "pkg:%s", t->packages[i]);
	/* Scripts of that stage may prepare other file systems, and may themselves be in /home. */
	if (!str_eq(m->path, "/home"))
		step_needs(s, "stage:start");
	return 0;
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct host_mount m = ((const struct mount_spec *)fields)->mount;

	m.deadline = clock_min(c->deadline, clock_in_ms(TRY_MS));
	return host_mount_holds(c->host, &m, c->arena, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct host_mount m = ((const struct mount_spec *)fields)->mount;

	m.deadline = clock_min(c->deadline, clock_in_ms(TRY_MS));
	return host_mount(c->host, &m, c->arena, e);
}

const struct kind kind_mounts = {
        .section = "mounts",
        .summary = "file systems that are mounted",
        .shape = KIND_LIST,
        .fields = mount_fields,
        .size = sizeof(struct mount_spec),
        .timeout_ms = 120000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
