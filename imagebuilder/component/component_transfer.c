/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of component documents that download and upload files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <strings.h>

#include "aws/fetch.h"
#include "aws/s3.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "component/component_path.h"
#include "os/tree.h"

#define ACCOUNT_DIGITS 12

struct transfer_in {
	const char *source, *destination, *checksum, *algorithm, *owner;
	bool overwrite, ignore_tls, recurse;
};
static const struct transfer_in transfer_defaults = {.overwrite = true, .algorithm = "SHA256"};

/* ---- inputs ---- */

static int check_owner(const struct doc *at, const char *owner, struct err *e)
{
	if (!owner ||
	    (strlen(owner) == ACCOUNT_DIGITS && strspn(owner, "0123456789") == ACCOUNT_DIGITS))
		return 0;
	return doc_err(doc_get(at, "expectedBucketOwner"), e, REASON_INPUT_RANGE,
	               "'%s' is no account: expected %d digits", owner, ACCOUNT_DIGITS);
}

/* One object, or with a last component of "*" all below a prefix. */
static int check_many(const struct doc *at, const char *source, struct err *e)
{
	const char *star = strchr(source, '*');

	if (!str_ends(source, "/") && (!star || (str_ends(source, "/*") && !star[1])))
		return 0;
	return doc_err(doc_get(at, "source"), e, REASON_INPUT_UNSUPPORTED,
	               "'%s' is neither an object nor all below a prefix: expected "
	               "s3://bucket/key or s3://bucket/prefix/*",
	               source);
}

static int check_download(const struct doc *at, const void *inputs, struct err *e)
{
	const struct transfer_in *in = inputs;

	if (!str_starts(in->source, "s3://"))
		return doc_err(doc_get(at, "source"), e, REASON_INPUT_RANGE,
		               "'%s' is no s3://bucket/key", in->source);
	int r = check_many(at, in->source, e);
	if (r < 0)
		return r;
	r = component_path_check(at, "destination", in->destination, false, e);
	if (r < 0)
		return r;
	return check_owner(at, in->owner, e);
}

static int check_upload(const struct doc *at, const void *inputs, struct err *e)
{
	const struct transfer_in *in = inputs;

	if (!str_starts(in->destination, "s3://"))
		return doc_err(doc_get(at, "destination"), e, REASON_INPUT_RANGE,
		               "'%s' is no s3://bucket/key", in->destination);
	int r = component_path_check(at, "source", in->source, true, e);
	if (r < 0)
		return r;
	return check_owner(at, in->owner, e);
}

static int check_sum(const struct doc *at, const struct transfer_in *in, struct err *e)
{
	unsigned char digest[DIGEST_HEX_MAX / 2];
	int kind = digest_kind(in->algorithm);

	if (!in->checksum)
		return 0;
	if (kind < 0)
		return doc_err(doc_get(at, "algorithm"), e, REASON_INPUT_RANGE,
		               "unknown algorithm '%s', expected MD5, SHA1, SHA256 or SHA512",
		               in->algorithm);
	size_t len = digest_hex_len((enum digest_kind)kind);
	if (strlen(in->checksum) == len && str_unhex(in->checksum, digest, len / 2) == 0)
		return 0;
	return doc_err(doc_get(at, "checksum"), e, REASON_INPUT_RANGE,
	               "'%s' is no %s in %zu hex digits", in->checksum, digest_names[kind], len);
}

static int check_web(const struct doc *at, const void *inputs, struct err *e)
{
	const struct transfer_in *in = inputs;

	if (!str_starts(in->source, "https://") && !str_starts(in->source, "http://"))
		return doc_err(doc_get(at, "source"), e, REASON_INPUT_RANGE,
		               "'%s' is no https:// or http:// address", in->source);
	if (in->ignore_tls)
		return doc_err(doc_get(at, "ignoreCertificateErrors"), e, REASON_INPUT_UNSUPPORTED,
		               "a server that can't prove who it is: expected its certificate in "
		               "AWS_CA_BUNDLE, or an http:// address with a checksum");
	int r = check_sum(at, in, e);
	if (r < 0)
		return r;
	return component_path_check(at, "destination", in->destination, false, e);
}

/* ---- fetching ---- */

/* The last part of the address's path. */
static const char *name_of(const char *uri, struct arena *a)
{
	size_t len = strcspn(uri, "?#"), from = len;

	while (from > 0 && uri[from - 1] != '/')
		from--;
	return arena_memdup(a, uri + from, len - from);
}

/* In a folder the file keeps its name. */
static int place(const struct component_round *round, const struct transfer_in *in,
                 const char **ret, struct err *e)
{
	const char *path = component_path(round->arena, in->destination);

	if (str_ends(in->destination, "/")) {
		const char *name = name_of(in->source, round->arena);

		if (!*name)
			return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
			               "'%s' has no name in it, and '%s' is a folder", in->source,
			               in->destination);
		path = arena_printf(round->arena, "%s/%s", path[1] ? path : "", name);
	}
	*ret = path;
	return 0;
}

/* Says what nobody vouches for. */
static void warn_weak(const struct transfer_in *in)
{
	int kind = in->checksum ? digest_kind(in->algorithm) : -1;
	bool proven = kind >= 0 && digest_is_strong((enum digest_kind)kind);

	if (str_starts(in->source, "http://") && !proven)
		log_warning("'%s' comes by http and without a SHA256 or SHA512 checksum: whoever "
		            "is on the way can put another file in its place",
		            in->source);
	else if (kind >= 0 && !proven)
		log_warning("'%s': files can be made that differ and have the same %s", in->source,
		            digest_names[kind]);
}

static int check_content(const struct transfer_in *in, struct blob content, struct err *e)
{
	enum digest_kind kind = (enum digest_kind)digest_kind(in->algorithm);
	char hex[DIGEST_HEX_MAX];

	if (!in->checksum)
		return 0;
	if (!digest_hex_of(kind, content.data, content.len, hex))
		return err_set(e, ERR_HOST, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "'%s': this machine has no %s", in->source, digest_names[kind]);
	if (strcasecmp(hex, in->checksum) == 0)
		return 0;
	return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
	               "fetching '%s': its %s is %s, expected %s", in->source, digest_names[kind],
	               hex, in->checksum);
}

static int download_one(const struct component_round *round, const struct transfer_in *in,
                        const char *path, struct err *e)
{
	static const struct host_owner root;
	const struct fetch f = {.uri = in->source, .max = COMPONENT_FILE_MAX, .plain = true};
	struct cloud *c = round->env->cloud;
	struct blob content;
	int r = component_free(round, path, in->overwrite, e);

	if (r < 0)
		return r;
	cloud_expect_owner(c, in->owner);
	r = fetch_memory(c, &f, round->arena, &content, round->deadline, e);
	cloud_expect_owner(c, NULL);
	if (r < 0)
		return r;
	r = check_content(in, content, e);
	if (r < 0)
		return r;
	return host_write(round->env->host, path, content, 0644, &root, e);
}

/* A key is a path below the destination only if none of its parts leads elsewhere. */
static bool key_is_path(const char *key)
{
	for (const char *p = key; *p; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");

		if (!len || (len == 1 && *p == '.') || (len == 2 && strncmp(p, "..", 2) == 0))
			return false;
		p += len;
		if (str_starts(p, "//"))
			return false;
	}
	return *key != '\0';
}

static int download_found(const struct component_round *round, const struct transfer_in *in,
                          const char *uri, struct err *e)
{
	const char *folder = component_path(round->arena, in->destination);
	const char *name = uri + strlen(in->source) - 1;
	struct transfer_in one = *in;

	if (!key_is_path(name))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "'%s' can't be a file below '%s'", uri, in->destination);
	one.source = uri;
	return download_one(round, &one,
	                    arena_printf(round->arena, "%s/%s", folder[1] ? folder : "", name), e);
}

static int download_many(const struct component_round *round, const struct transfer_in *in,
                         struct err *e)
{
	const char *const *uris;
	size_t n;

	cloud_expect_owner(round->env->cloud, in->owner);
	int r = s3_list(round->env->cloud, in->source, round->arena, &uris, &n, round->deadline, e);
	cloud_expect_owner(round->env->cloud, NULL);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		r = download_found(round, in, uris[i], e);
	return r;
}

static int download(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct transfer_in *in = inputs;
	const char *path = NULL;

	if (s3_is_many(in->source))
		return download_many(round, in, e);
	warn_weak(in);
	int r = place(round, in, &path, e);
	if (r < 0)
		return r;
	r = download_one(round, in, path, e);
	if (r < 0)
		return r;
	component_output(round, path);
	return 0;
}

/* ---- sending ---- */

struct sending {
	const struct component_round *round;
	const struct transfer_in *in;
	const char *to; /* the prefix of the keys, with its slash */
};

static int send_one(const struct component_round *round, int dir, const char *name, const char *uri,
                    struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct blob content;
	int r = file_read(dir, name, COMPONENT_FILE_MAX, a, &content, e);

	if (r < 0)
		return r;
	return s3_put(round->env->cloud, uri, content, false, round->deadline, e);
}

static int send_entry(void *ctx, const struct tree_entry *at, struct err *e)
{
	const struct sending *s = ctx;

	if (!S_ISREG(at->st->st_mode))
		return TREE_GO;
	int r = send_one(s->round, at->dir, at->name,
	                 arena_printf(s->round->arena, "%s%s", s->to, at->path), e);
	return r < 0 ? r : TREE_GO;
}

static int send_folder(const struct sending *s, const char *path, struct err *e)
{
	const struct tree_walk walk = {.visit = send_entry, .ctx = (void *)(uintptr_t)s};
	scope_fd int dir =
	        file_open(host_root_fd(s->round->env->host), path, O_RDONLY | O_DIRECTORY, 0);

	if (dir < 0)
		return err_errno(e, -dir, "reading '%s'", path);
	return tree_walk(dir, &walk, e);
}

static int send_files(const struct sending *s, struct err *e)
{
	const struct component_round *round = s->round;
	bool many = strchr(s->in->source, '*') || str_ends(s->in->destination, "/");
	struct field_strings files;
	int r = component_glob(round, s->in->source, S_IFREG, &files, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < files.n; i++) {
		const char *name = strrchr(files.items[i], '/') + 1;

		r = component_is(round, files.items[i], false, e);
		if (r < 0)
			return r;
		r = send_one(round, host_root_fd(round->env->host), files.items[i],
		             many ? arena_printf(round->arena, "%s%s", s->to, name)
		                  : s->in->destination,
		             e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The folders that the source means, with `recurse`: the folder itself, or those that its wildcard
 * matches. */
static int send_folders(const struct sending *s, struct err *e)
{
	struct field_strings folders;
	int r = component_glob(s->round, s->in->source, S_IFDIR, &folders, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < folders.n; i++) {
		struct sending one = *s;

		if (strchr(s->in->source, '*'))
			one.to = arena_printf(s->round->arena, "%s%s/", s->to,
			                      strrchr(folders.items[i], '/') + 1);
		r = send_folder(&one, folders.items[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_folder(const struct component_round *round, const char *path)
{
	struct stat st;
	struct err none;

	return host_stat(round->env->host, component_path(round->arena, path), &st, &none) == 0 &&
	       S_ISDIR(st.st_mode);
}

static int send_all(const struct sending *s, struct err *e)
{
	if (!strchr(s->in->source, '*') && is_folder(s->round, s->in->source)) {
		if (s->in->recurse)
			return send_folders(s, e);
		return err_set(e, ERR_HOST, REASON_HOST_FILE, EISDIR,
		               "'%s' is a folder, and 'recurse' is false", s->in->source);
	}
	int r = send_files(s, e);
	if (r < 0 || !s->in->recurse)
		return r;
	return send_folders(s, e);
}

static int upload(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct transfer_in *in = inputs;
	const struct sending s = {
	        .round = round,
	        .in = in,
	        .to = str_ends(in->destination, "/")
	                      ? in->destination
	                      : arena_printf(round->arena, "%s/", in->destination),
	};

	cloud_expect_owner(round->env->cloud, in->owner);
	int r = send_all(&s, e);
	cloud_expect_owner(round->env->cloud, NULL);
	return r;
}

/* ---- the table ---- */

#define OF(member) FIELD_AT(struct transfer_in, member)
#define PAIR                                                                                       \
	{"source", FIELD_STRING, OF(source), .required = true, .min = 1, .max = PATH_MAX - 1},     \
	{                                                                                          \
		"destination", FIELD_STRING, OF(destination), .required = true, .min = 1,          \
		                                              .max = PATH_MAX - 1                  \
	}
static const struct field web_fields[] = {
        PAIR,
        {"checksum", FIELD_STRING, OF(checksum)},
        {"algorithm", FIELD_STRING, OF(algorithm)},
        {"overwrite", FIELD_BOOL, OF(overwrite)},
        {"ignoreCertificateErrors", FIELD_BOOL, OF(ignore_tls)},
        {0},
};
static const struct field download_fields[] = {
        PAIR,
        {"expectedBucketOwner", FIELD_STRING, OF(owner)},
        {"overwrite", FIELD_BOOL, OF(overwrite)},
        {0},
};
static const struct field upload_fields[] = {
        PAIR,
        {"expectedBucketOwner", FIELD_STRING, OF(owner)},
        {"recurse", FIELD_BOOL, OF(recurse)},
        {0},
};
#undef OF

#define TRANSFER_IN(fields_of, check_it)                                                           \
	.fields = fields_of, .size = sizeof(struct transfer_in), .defaults = &transfer_defaults,   \
	.check = check_it
const struct component_action component_transfer_actions[] = {
        {.name = "S3Download",
         .fetches = true,
         TRANSFER_IN(download_fields, check_download),
         .run = download},
        {.name = "WebDownload",
         .output = "destination",
         .fetches = true,
         TRANSFER_IN(web_fields, check_web),
         .run = download},
        {.name = "S3Upload",
         .offline = "a build sends nothing out",
         TRANSFER_IN(upload_fields, check_upload),
         .run = upload},
        {0},
};
