/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of component documents that make, copy, move and remove files. */
#include <errno.h>
#include <limits.h>

#include "recipe/component_own.h"

struct file_in {
	const char *path, *content, *owner, *group;
	unsigned mode;
	bool overwrite;
};
struct pair_in {
	const char *source, *destination;
	bool overwrite;
};
struct path_in {
	const char *path, *target;
	bool force;
};

int component_absolute(const struct doc *at, const char *key, const char *path, struct err *e)
{
	const struct doc *where = doc_get(at, key);

	if (!path || *path == '/')
		return 0;
	return doc_err(where ? where : at, e, REASON_INPUT_RANGE, "'%s' is no absolute path", path);
}

static int check_path(const struct doc *at, const void *inputs, struct err *e)
{
	return component_absolute(at, "path", ((const struct path_in *)inputs)->path, e);
}

static int check_file(const struct doc *at, const void *inputs, struct err *e)
{
	return component_absolute(at, "path", ((const struct file_in *)inputs)->path, e);
}

static int check_copy(const struct doc *at, const void *inputs, struct err *e)
{
	const struct pair_in *in = inputs;
	int r = component_absolute(at, "source", in->source, e);

	if (r < 0)
		return r;
	return component_absolute(at, "destination", in->destination, e);
}

int component_free(const struct component_round *round, const char *path, bool overwrite,
                   struct err *e)
{
	if (overwrite || !host_exists(round->env->host, path))
		return 0;
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EEXIST,
	               "'%s' is there already, and 'overwrite' is false", path);
}

#define MODE_UNSET ~0U
static const struct file_in file_defaults = {.mode = MODE_UNSET};
/* A folder that is there gets mode and owner, unless that is refused; what is in it stays. */
static const struct file_in folder_defaults = {.mode = MODE_UNSET, .overwrite = true};
static const struct pair_in pair_defaults = {.overwrite = true};

static int create_file(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const struct host_owner owner = {in->owner, in->group};
	struct blob content = {in->content ? in->content : "",
	                       in->content ? strlen(in->content) : 0};
	int r = component_free(round, in->path, in->overwrite, e);

	if (r < 0)
		return r;
	return host_write(round->env->host, in->path, content,
	                  in->mode == MODE_UNSET ? 0644 : in->mode, &owner, e);
}

static int create_folder(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const struct host_owner owner = {in->owner, in->group};
	int r = component_free(round, in->path, in->overwrite, e);

	if (r < 0)
		return r;
	return host_mkdir(round->env->host, in->path, in->mode == MODE_UNSET ? 0755 : in->mode,
	                  &owner, e);
}

static int create_symlink(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	int r = component_free(round, in->path, in->force, e);

	if (r < 0)
		return r;
	return host_symlink(round->env->host, in->target, in->path, e);
}

static int delete_file(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	struct stat st;

	if (host_stat(round->env->host, in->path, &st, e) < 0)
		return -e->no;
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_HOST, REASON_HOST_FILE, EISDIR, "'%s' is a folder", in->path);
	return host_remove(round->env->host, in->path, e);
}

static int delete_folder(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	const char *const argv[] = {"rm", "-rf", "--one-file-system", "--", in->path, NULL};

	if (!in->force)
		return host_remove(round->env->host, in->path, e);
	return component_program(round, argv, NULL, "rm", e);
}

static int copy_any(const struct component_round *round, const struct pair_in *in,
                    const char *const *command, struct err *e)
{
	const char *const argv[] = {command[0], command[1],      "-T", "--",
	                            in->source, in->destination, NULL};
	int r = component_free(round, in->destination, in->overwrite, e);

	if (r < 0)
		return r;
	return component_program(round, argv, NULL, command[0], e);
}

static int copy_file(const struct component_round *round, const void *inputs, struct err *e)
{
	static const char *const command[] = {"cp", "-a"};

	return copy_any(round, inputs, command, e);
}

static int move_file(const struct component_round *round, const void *inputs, struct err *e)
{
	static const char *const command[] = {"mv", "-f"};

	return copy_any(round, inputs, command, e);
}

static int set_permissions(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const char *mode = arena_printf(round->arena, "%04o", in->mode);
	const char *const argv[] = {"chmod", "--", mode, in->path, NULL};

	return component_program(round, argv, NULL, "chmod", e);
}

static int set_owner(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const char *owner = arena_printf(round->arena, "%s%s%s", in->owner, in->group ? ":" : "",
	                                 in->group ? in->group : "");
	const char *const argv[] = {"chown", "-h", "--", owner, in->path, NULL};

	return component_program(round, argv, NULL, "chown", e);
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
#undef OF

const struct component_action component_file_actions[] = {
        {.name = "CreateFile",
         .fields = file_fields,
         .size = sizeof(struct file_in),
         .defaults = &file_defaults,
         .check = check_file,
         .run = create_file},
        {.name = "CreateFolder",
         .fields = folder_fields,
         .size = sizeof(struct file_in),
         .defaults = &folder_defaults,
         .check = check_file,
         .run = create_folder},
        {.name = "CreateSymlink",
         .fields = link_fields,
         .size = sizeof(struct path_in),
         .check = check_path,
         .run = create_symlink},
        {.name = "CopyFile",
         .fields = pair_fields,
         .size = sizeof(struct pair_in),
         .defaults = &pair_defaults,
         .check = check_copy,
         .run = copy_file},
        {.name = "CopyFolder",
         .fields = pair_fields,
         .size = sizeof(struct pair_in),
         .defaults = &pair_defaults,
         .check = check_copy,
         .run = copy_file},
        {.name = "MoveFile",
         .fields = pair_fields,
         .size = sizeof(struct pair_in),
         .defaults = &pair_defaults,
         .check = check_copy,
         .run = move_file},
        {.name = "MoveFolder",
         .fields = pair_fields,
         .size = sizeof(struct pair_in),
         .defaults = &pair_defaults,
         .check = check_copy,
         .run = move_file},
        {.name = "DeleteFile",
         .fields = delete_fields,
         .size = sizeof(struct path_in),
         .check = check_path,
         .run = delete_file},
        {.name = "DeleteFolder",
         .fields = delete_folder_fields,
         .size = sizeof(struct path_in),
         .check = check_path,
         .run = delete_folder},
        {.name = "SetFilePermissions",
         .fields = permission_fields,
         .size = sizeof(struct file_in),
         .defaults = &file_defaults,
         .check = check_file,
         .run = set_permissions},
        {.name = "SetFileOwner",
         .fields = owner_fields,
         .size = sizeof(struct file_in),
         .defaults = &file_defaults,
         .check = check_file,
         .run = set_owner},
        {0},
};
