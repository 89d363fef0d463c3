/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of component documents that make, move, fetch and remove files. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>

#include "aws/fetch.h"
#include "recipe/component_own.h"

struct file_in {
	const char *path, *content, *owner, *group;
	unsigned mode;
	bool overwrite;
};
struct pair_in {
	const char *source, *destination, *checksum, *algorithm, *owner;
	bool overwrite, ignore_tls;
};
struct path_in {
	const char *path, *target;
	bool force;
};
static int check_absolute(const struct doc *at, const char *key, const char *path, struct err *e)
{
	const struct doc *where = doc_get(at, key);

	if (!path || *path == '/')
		return 0;
	return doc_err(where ? where : at, e, REASON_INPUT_RANGE, "'%s' is no absolute path", path);
}

static int check_path(const struct doc *at, const void *inputs, struct err *e)
{
	return check_absolute(at, "path", ((const struct path_in *)inputs)->path, e);
}

static int check_file(const struct doc *at, const void *inputs, struct err *e)
{
	return check_absolute(at, "path", ((const struct file_in *)inputs)->path, e);
}

static int check_copy(const struct doc *at, const void *inputs, struct err *e)
{
	const struct pair_in *in = inputs;
	int r = check_absolute(at, "source", in->source, e);

	return r < 0 ? r : check_absolute(at, "destination", in->destination, e);
}

static int free_to_write(const struct component_round *r, const char *path, bool overwrite,
                         struct err *e)
{
	if (overwrite || !host_exists(r->env->host, path))
		return 0;
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EEXIST,
	               "'%s' is there already, and 'overwrite' is false", path);
}

#define MODE_UNSET ~0U
static const struct file_in file_defaults = {.mode = MODE_UNSET};
/* A folder that is there gets mode and owner, unless that is refused; what is in it stays. */
static const struct file_in folder_defaults = {.mode = MODE_UNSET, .overwrite = true};
static const struct pair_in pair_defaults = {.overwrite = true, .algorithm = "SHA256"};

static int create_file(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const struct host_owner owner = {in->owner, in->group};
	struct blob content = {in->content ? in->content : "",
	                       in->content ? strlen(in->content) : 0};
	int err = free_to_write(r, in->path, in->overwrite, e);

	return err < 0 ? err
	               : host_write(r->env->host, in->path, content,
	                            in->mode == MODE_UNSET ? 0644 : in->mode, &owner, e);
}

static int create_folder(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const struct host_owner owner = {in->owner, in->group};

	int err = free_to_write(r, in->path, in->overwrite, e);

	return err < 0 ? err
	               : host_mkdir(r->env->host, in->path,
	                            in->mode == MODE_UNSET ? 0755 : in->mode, &owner, e);
}

static int create_symlink(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	int err = free_to_write(r, in->path, in->force, e);

	return err < 0 ? err : host_symlink(r->env->host, in->target, in->path, e);
}

static int delete_file(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	struct stat st;

	if (host_stat(r->env->host, in->path, &st, e) < 0)
		return -e->no;
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_HOST, REASON_HOST_FILE, EISDIR, "'%s' is a folder", in->path);
	return host_remove(r->env->host, in->path, e);
}

static int delete_folder(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	const char *const argv[] = {"rm", "-rf", "--one-file-system", "--", in->path, NULL};

	if (!in->force)
		return host_remove(r->env->host, in->path, e);
	return component_program(r, argv, NULL, "rm", e);
}

static int copy_any(const struct component_round *r, const struct pair_in *in,
                    const char *const *command, struct err *e)
{
	const char *const argv[] = {command[0], command[1],      "-T", "--",
	                            in->source, in->destination, NULL};
	int err = free_to_write(r, in->destination, in->overwrite, e);

	return err < 0 ? err : component_program(r, argv, NULL, command[0], e);
}

static int copy_file(const struct component_round *r, const void *inputs, struct err *e)
{
	static const char *const command[] = {"cp", "-a"};

	return copy_any(r, inputs, command, e);
}

static int move_file(const struct component_round *r, const void *inputs, struct err *e)
{
	static const char *const command[] = {"mv", "-f"};

	return copy_any(r, inputs, command, e);
}

static int set_permissions(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const char *mode = arena_printf(r->arena, "%04o", in->mode);
	const char *const argv[] = {"chmod", "--", mode, in->path, NULL};

	return component_program(r, argv, NULL, "chmod", e);
}

static int set_owner(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const char *owner = arena_printf(r->arena, "%s%s%s", in->owner, in->group ? ":" : "",
	                                 in->group ? in->group : "");
	const char *const argv[] = {"chown", "-h", "--", owner, in->path, NULL};

	return component_program(r, argv, NULL, "chown", e);
}

/* ---- fetching ---- */

static int check_s3(const struct doc *at, const void *inputs, struct err *e)
{
	const struct pair_in *in = inputs;

	if (!str_starts(in->source, "s3://"))
		return doc_err(doc_get(at, "source"), e, REASON_INPUT_RANGE,
		               "'%s' is no s3://bucket/key", in->source);
	if (str_ends(in->source, "/*") || str_ends(in->source, "/"))
		return doc_err(doc_get(at, "source"), e, REASON_INPUT_UNSUPPORTED,
		               "'%s' is many objects, expected one", in->source);
	return check_absolute(at, "destination", in->destination, e);
}

static int check_web(const struct doc *at, const void *inputs, struct err *e)
{
	const struct pair_in *in = inputs;
	unsigned char digest[32];

	if (!str_starts(in->source, "https://"))
		return doc_err(doc_get(at, "source"), e, REASON_INPUT_RANGE,
		               "'%s' is no https:// address", in->source);
	if (in->ignore_tls)
		return doc_err(doc_get(at, "ignoreCertificateErrors"), e, REASON_INPUT_UNSUPPORTED,
		               "what comes from a server that can't prove who it is stays out of "
		               "images");
	if (in->checksum && !str_eq(in->algorithm, "SHA256"))
		return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
		               "algorithm '%s' is not supported, expected SHA256", in->algorithm);
	if (in->checksum && (strlen(in->checksum) != 64 || str_unhex(in->checksum, digest, 32) < 0))
		return doc_err(doc_get(at, "checksum"), e, REASON_INPUT_RANGE,
		               "'%s' is no SHA-256 in 64 hex digits", in->checksum);
	return check_absolute(at, "destination", in->destination, e);
}

static int download(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct pair_in *in = inputs;
	const struct fetch f = {
	        .uri = in->source, .sha256 = in->checksum, .max = COMPONENT_FILE_MAX};
	static const struct host_owner root;
	struct blob content;
	int err = free_to_write(r, in->destination, in->overwrite, e);

	if (err == 0)
		err = fetch_memory(r->env->cloud, &f, r->arena, &content, r->deadline, e);
	return err < 0 ? err : host_write(r->env->host, in->destination, content, 0644, &root, e);
}

/* ---- the table ---- */

#define PATH                                                                                       \
	{                                                                                          \
		"path", FIELD_STRING, FIELD_AT(struct file_in, path), .required = true, .min = 1,  \
		                                                      .max = PATH_MAX - 1          \
	}
static const struct field file_fields[] = {
        PATH,
        {"content", FIELD_STRING, FIELD_AT(struct file_in, content)},
        {"owner", FIELD_STRING, FIELD_AT(struct file_in, owner)},
        {"group", FIELD_STRING, FIELD_AT(struct file_in, group)},
        {"permissions", FIELD_MODE, FIELD_AT(struct file_in, mode)},
        {"overwrite", FIELD_BOOL, FIELD_AT(struct file_in, overwrite)},
        {0},
};
static const struct field folder_fields[] = {
        PATH,
        {"owner", FIELD_STRING, FIELD_AT(struct file_in, owner)},
        {"group", FIELD_STRING, FIELD_AT(struct file_in, group)},
        {"permissions", FIELD_MODE, FIELD_AT(struct file_in, mode)},
        {"overwrite", FIELD_BOOL, FIELD_AT(struct file_in, overwrite)},
        {0},
};
static const struct field permission_fields[] = {
        PATH,
        {"permissions", FIELD_MODE, FIELD_AT(struct file_in, mode), .required = true},
        {0},
};
static const struct field owner_fields[] = {
        PATH,
        {"owner", FIELD_STRING, FIELD_AT(struct file_in, owner), .required = true, .min = 1},
        {"group", FIELD_STRING, FIELD_AT(struct file_in, group), .min = 1},
        {0},
};
#define OF(member) FIELD_AT(struct path_in, member)
static const struct field delete_fields[] = {
        {"path", FIELD_STRING, OF(path), .required = true, .min = 2},
        {0},
};
static const struct field delete_folder_fields[] = {
        {"path", FIELD_STRING, OF(path), .required = true, .min = 2},
        {"force", FIELD_BOOL, OF(force)},
        {0},
};
static const struct field link_fields[] = {
        {"path", FIELD_STRING, OF(path), .required = true, .min = 2},
        {"target", FIELD_STRING, OF(target), .required = true, .min = 1},
        {"force", FIELD_BOOL, OF(force)},
        {0},
};
#undef OF
#define OF(member) FIELD_AT(struct pair_in, member)
static const struct field pair_fields[] = {
        {"source", FIELD_STRING, OF(source), .required = true, .min = 2},
        {"destination", FIELD_STRING, OF(destination), .required = true, .min = 2},
        {"overwrite", FIELD_BOOL, OF(overwrite)},
        {0},
};
static const struct field web_fields[] = {
        {"source", FIELD_STRING, OF(source), .required = true},
        {"destination", FIELD_STRING, OF(destination), .required = true, .min = 2},
        {"checksum", FIELD_STRING, OF(checksum)},
        {"algorithm", FIELD_STRING, OF(algorithm)},
        {"overwrite", FIELD_BOOL, OF(overwrite)},
        {"ignoreCertificateErrors", FIELD_BOOL, OF(ignore_tls)},
        {0},
};
static const struct field s3_fields[] = {
        {"source", FIELD_STRING, OF(source), .required = true},
        {"destination", FIELD_STRING, OF(destination), .required = true, .min = 2},
        {"overwrite", FIELD_BOOL, OF(overwrite)},
        {0},
};
#define FILE_IN file_fields, sizeof(struct file_in), &file_defaults
const struct component_action component_file_actions[] = {
        {"CreateFile", false, false, FILE_IN, check_file, create_file},
        {"CreateFolder", false, false, folder_fields, sizeof(struct file_in), &folder_defaults,
         check_file, create_folder},
        {"CreateSymlink", false, false, link_fields, sizeof(struct path_in), NULL, check_path,
         create_symlink},
        {"CopyFile", false, false, pair_fields, sizeof(struct pair_in), &pair_defaults, check_copy,
         copy_file},
        {"CopyFolder", false, false, pair_fields, sizeof(struct pair_in), &pair_defaults,
         check_copy, copy_file},
        {"MoveFile", false, false, pair_fields, sizeof(struct pair_in), &pair_defaults, check_copy,
         move_file},
        {"MoveFolder", false, false, pair_fields, sizeof(struct pair_in), &pair_defaults,
         check_copy, move_file},
        {"DeleteFile", false, false, delete_fields, sizeof(struct path_in), NULL, check_path,
         delete_file},
        {"DeleteFolder", false, false, delete_folder_fields, sizeof(struct path_in), NULL,
         check_path, delete_folder},
        {"SetFilePermissions", false, false, permission_fields, sizeof(struct file_in),
         &file_defaults, check_file, set_permissions},
        {"SetFileOwner", false, false, owner_fields, sizeof(struct file_in), &file_defaults,
         check_file, set_owner},
        {"S3Download", false, false, s3_fields, sizeof(struct pair_in), &pair_defaults, check_s3,
         download},
        {"WebDownload", false, false, web_fields, sizeof(struct pair_in), &pair_defaults, check_web,
         download},
        {0},
};

/* ---- what is to be fetched ---- */

/* The text at that key with everything put in; NULL: it has none. */
static int known_text(const struct component_round *r, const struct doc *input, const char *key,
                      const char **ret, struct err *e)
{
	const struct doc *d = doc_get(input, key);
	struct component_round round = *r;
	struct doc *expanded;
	bool unknown = false;

	*ret = NULL;
	if (!d)
		return 0;
	round.unknown = &unknown;
	int err = component_expand(&round, d, &expanded, e);
	if (err < 0)
		return err;
	if (unknown)
		return doc_err(d, e, REASON_INPUT_UNSUPPORTED,
		               "'%s' of a download is known only when a step before has run, and a "
		               "build fetches before: expected text, constants and parameters",
		               key);
	*ret = expanded->text;
	return 0;
}

static const char *lower_case(struct arena *a, const char *hex)
{
	char *out = arena_strdup(a, hex);

	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

int component_fetches_add(struct component_fetches *l, const char *uri, const char *sum,
                          const struct doc *at, struct arena *a, struct err *e)
{
	sum = sum ? lower_case(a, sum) : NULL;
	for (size_t i = 0; i < l->n; i++) {
		struct component_fetch *f = &l->items[i];

		if (!str_eq(f->uri, uri))
			continue;
		if (sum && f->sha256 && !str_eq(sum, f->sha256))
			return doc_err(at, e, REASON_INPUT_RANGE,
			               "'%s' has another checksum in %s:%u", uri, f->at->file,
			               f->at->line);
		f->sha256 = f->sha256 ? f->sha256 : sum;
		return 0;
	}
	l->items = arena_grow(a, l->items, &l->n, sizeof *l->items);
	l->items[l->n - 1] =
	        (struct component_fetch){.uri = uri, .sha256 = sum, .at = at, .fd = -1};
	return 0;
}

static int add_fetch(const struct component_round *r, const struct doc *input,
                     struct component_fetches *l, struct err *e)
{
	const struct doc *at = doc_get(input, "source");
	const char *uri, *sum = NULL;
	int err = known_text(r, input, "source", &uri, e);

	if (err == 0)
		err = known_text(r, input, "checksum", &sum, e);
	if (err < 0)
		return err;
	return component_fetches_add(l, uri, sum, at, r->arena, e);
}

static int add_step(const struct component *c, struct component_step *s, struct arena *a,
                    struct component_fetches *l, struct err *e)
{
	size_t rounds = s->loop_over.n ? s->loop_over.n : 1;
	const struct doc *d = s->inputs;
	int err = 0;

	for (size_t i = 0; d && i < rounds; i++) {
		const struct component_round r = {
		        .component = c,
		        .step = s,
		        .arena = a,
		        .loop_index = i,
		        .loop_value = s->loop_over.n ? s->loop_over.items[i] : NULL,
		};

		struct doc *inputs;

		/* As it was read only the first round was looked at. */
		err = component_expand(&r, d, &inputs, e);
		if (err == 0)
			err = component_action_each(&r, inputs, false, e);
		if (err == 0 && d->type == DOC_MAP)
			err = add_fetch(&r, d, l, e);
		for (size_t k = 0; d->type == DOC_LIST && k < d->n && err == 0; k++)
			err = add_fetch(&r, d->items[k], l, e);
		if (err < 0)
			return err;
	}
	return 0;
}

int component_fetches(const struct component *c, unsigned phases, struct arena *a,
                      struct component_fetches *ret, struct err *e)
{
	struct component_fetches l = *ret;
	int err = 0;

	for (size_t i = 0; i < c->n && err == 0; i++)
		if (c->steps[i].action->run == download && (phases & 1U << c->steps[i].phase))
			err = add_step(c, &c->steps[i], a, &l, e);
	if (err == 0)
		*ret = l;
	return err;
}
