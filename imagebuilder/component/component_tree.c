/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of component documents that copy, move, remove and list files, and set their owner
 * and mode. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>

#include "base/file.h"
#include "base/scope.h"
#include "component/component_path.h"
#include "os/tree.h"

#define LIST_MAX (256 * 1024) /* bytes of ListFiles, which keeps them */

struct pair_in {
	const char *source, *destination;
	bool overwrite;
};
static const struct pair_in pair_defaults = {.overwrite = true};

struct path_in {
	const char *path, *owner, *group, *pattern;
	unsigned mode;
	bool force, recursive;
};
static const struct path_in list_defaults = {.pattern = "*"};
static const struct path_in folder_defaults = {.recursive = true};

/* ---- copying and moving ---- */

static bool is_folder_name(const char *path)
{
	return str_ends(path, "/");
}

static int check_pair(const struct doc *at, const void *inputs, struct err *e)
{
	const struct pair_in *in = inputs;
	int r = component_path_check(at, "source", in->source, true, e);

	if (r < 0)
		return r;
	r = component_path_check(at, "destination", in->destination, false, e);
	if (r < 0)
		return r;
	if (strchr(in->source, '*') && !is_folder_name(in->destination))
		return doc_err(
		        doc_get(at, "destination"), e, REASON_INPUT_RANGE,
		        "'%s' does not end with '/', and the source has a wildcard: expected "
		        "a folder",
		        in->destination);
	return 0;
}

static int remove_tree(const struct component_round *round, const char *path, struct err *e)
{
	const char *const argv[] = {"rm", "-rf", "--one-file-system", "--", path, NULL};

	return component_program(round, argv, NULL, "rm", e);
}

struct moving {
	const char *program, *how;
	mode_t type;  /* of what a wildcard matches */
	bool replace; /* an existing folder is removed first */
};

static int move_one(const struct component_round *round, const struct pair_in *in,
                    const struct moving *m, const char *source, struct err *e)
{
	const char *to = component_path(round->arena, in->destination);

	if (is_folder_name(in->destination))
		to = arena_printf(round->arena, "%s%s", to[1] ? to : "", strrchr(source, '/'));
	const char *const argv[] = {m->program, m->how, "-T", "--", source, to, NULL};
	int r = component_free(round, to, in->overwrite, e);
	if (r < 0)
		return r;
	r = component_parent(round, to, e);
	if (r < 0)
		return r;
	if (m->replace && host_exists(round->env->host, to) &&
	    host_exists(round->env->host, source)) {
		r = remove_tree(round, to, e);
		if (r != 0)
			return r;
	}
	return component_program(round, argv, NULL, m->program, e);
}

static int move_all(const struct component_round *round, const struct pair_in *in,
                    const struct moving *m, struct err *e)
{
	struct field_strings sources;
	int r = component_glob(round, in->source, m->type, &sources, e);

	if (r < 0)
		return r;
	if (!sources.n)
		return err_set(e, ERR_HOST, REASON_HOST_FILE, ENOENT, "nothing matches '%s'",
		               in->source);
	for (size_t i = 0; i < sources.n; i++) {
		r = move_one(round, in, m, sources.items[i], e);
		if (r != 0)
			return r;
	}
	return 0;
}

static int copy_file(const struct component_round *round, const void *inputs, struct err *e)
{
	static const struct moving copy = {"cp", "-a", S_IFREG, false};

	return move_all(round, inputs, &copy, e);
}

static int copy_folder(const struct component_round *round, const void *inputs, struct err *e)
{
	static const struct moving copy = {"cp", "-a", S_IFDIR, false};

	return move_all(round, inputs, &copy, e);
}

static int move_file(const struct component_round *round, const void *inputs, struct err *e)
{
	static const struct moving move = {"mv", "-f", S_IFREG, false};

	return move_all(round, inputs, &move, e);
}

static int move_folder(const struct component_round *round, const void *inputs, struct err *e)
{
	static const struct moving move = {"mv", "-f", S_IFDIR, true};

	return move_all(round, inputs, &move, e);
}

/* ---- removing ---- */

static int check_many(const struct doc *at, const void *inputs, struct err *e)
{
	return component_path_check(at, "path", ((const struct path_in *)inputs)->path, true, e);
}

static int check_one(const struct doc *at, const void *inputs, struct err *e)
{
	return component_path_check(at, "path", ((const struct path_in *)inputs)->path, false, e);
}

static int delete_file(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	struct field_strings paths;
	int r = component_glob(round, in->path, S_IFREG, &paths, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < paths.n; i++) {
		r = component_is(round, paths.items[i], false, e);
		if (r < 0)
			return r;
		r = host_remove(round->env->host, paths.items[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_delete_folder(const struct doc *at, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	int r = check_one(at, inputs, e);

	if (r < 0)
		return r;
	if (in->path[strspn(in->path, "/.")])
		return 0;
	return doc_err(doc_get(at, "path"), e, REASON_INPUT_RANGE,
	               "'%s' is the root or the working directory, expected a folder in it",
	               in->path);
}

static int delete_folder(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	const char *path = component_path(round->arena, in->path);

	if (in->force)
		return remove_tree(round, path, e);
	int r = component_is(round, path, true, e);
	if (r < 0)
		return r;
	return host_remove(round->env->host, path, e);
}

/* ---- listing ---- */

struct listing {
	const struct path_in *in;
	const char *top;
	struct strbuf *out;
};

static int list_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct listing *l = ctx;

	(void)e;
	if (S_ISDIR(at->st->st_mode))
		return l->in->recursive ? TREE_GO : TREE_PRUNE;
	if (fnmatch(l->in->pattern, at->name, 0) == 0)
		strbuf_printf(l->out, "%s%s/%s", l->out->len ? "," : "", l->top[1] ? l->top : "",
		              at->path);
	return TREE_GO;
}

static int list_files(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct path_in *in = inputs;
	struct strbuf out = STRBUF(round->arena, LIST_MAX);
	struct listing l = {.in = in, .top = component_path(round->arena, in->path), .out = &out};
	const struct tree_walk walk = {.visit = list_one, .ctx = &l};
	scope_fd int dir =
	        file_open(host_root_fd(round->env->host), l.top, O_RDONLY | O_DIRECTORY, 0);

	if (dir < 0)
		return err_errno(e, -dir, "listing '%s'", l.top);
	int r = tree_walk(dir, &walk, e);
	if (r < 0)
		return r;
	if (out.overflow)
		return err_set(e, ERR_HOST, REASON_INPUT_LIMIT, EFBIG,
		               "listing '%s': more than %d bytes of names", l.top, LIST_MAX);
	component_output(round, out.data ? out.data : "");
	return 0;
}

/* ---- permissions and owners ---- */

/* Runs chmod(1) or chown(1), for a folder with its content unless that is excluded. */
static int change(const struct component_round *round, const struct path_in *in,
                  const char *program, const char *flags, const char *what, bool folder,
                  struct err *e)
{
	const char *path = component_path(round->arena, in->path);
	const char *argv[8] = {program};
	size_t n = 1;
	int r = component_is(round, path, folder, e);

	if (r < 0)
		return r;
	if (flags)
		argv[n++] = flags;
	if (folder && in->recursive)
		argv[n++] = "-R";
	argv[n++] = "--";
	argv[n++] = what;
	argv[n++] = path;
	return component_program(round, argv, NULL, program, e);
}

static const char *mode_text(const struct component_round *round, const struct path_in *in)
{
	return arena_printf(round->arena, "%04o", in->mode);
}

/* Without a group it becomes that of the user, which needs the user's name, not a number. */
static const char *owner_text(const struct component_round *round, const struct path_in *in)
{
	bool number = in->owner[strspn(in->owner, "0123456789")] == '\0';

	return arena_printf(round->arena, "%s%s%s", in->owner, in->group || !number ? ":" : "",
	                    in->group ? in->group : "");
}

static int set_file_permissions(const struct component_round *round, const void *inputs,
                                struct err *e)
{
	return change(round, inputs, "chmod", NULL, mode_text(round, inputs), false, e);
}

static int set_folder_permissions(const struct component_round *round, const void *inputs,
                                  struct err *e)
{
	return change(round, inputs, "chmod", NULL, mode_text(round, inputs), true, e);
}

static int set_file_owner(const struct component_round *round, const void *inputs, struct err *e)
{
	return change(round, inputs, "chown", "-h", owner_text(round, inputs), false, e);
}

static int set_folder_owner(const struct component_round *round, const void *inputs, struct err *e)
{
	return change(round, inputs, "chown", "-h", owner_text(round, inputs), true, e);
}

/* ---- the table ---- */

#define OF(member) FIELD_AT(struct pair_in, member)
static const struct field pair_fields[] = {
        {"source", FIELD_STRING, OF(source), .required = true, .min = 2, .max = PATH_MAX - 1},
        {"destination", FIELD_STRING, OF(destination), .required = true, .min = 1,
         .max = PATH_MAX - 1},
        {"overwrite", FIELD_BOOL, OF(overwrite)},
        {0},
};
#undef OF
#define OF(member) FIELD_AT(struct path_in, member)
#define PATH                                                                                       \
	{                                                                                          \
		"path", FIELD_STRING, OF(path), .required = true, .min = 1, .max = PATH_MAX - 1    \
	}
static const struct field delete_fields[] = {PATH, {0}};
static const struct field delete_folder_fields[] = {
        PATH,
        {"force", FIELD_BOOL, OF(force)},
        {0},
};
static const struct field list_fields[] = {
        PATH,
        {"fileNamePattern", FIELD_STRING, OF(pattern), .min = 1},
        {"recursive", FIELD_BOOL, OF(recursive)},
        {0},
};
static const struct field permission_fields[] = {
        PATH,
        {"permissions", FIELD_MODE, OF(mode), .required = true},
        {0},
};
static const struct field folder_permission_fields[] = {
        PATH,
        {"permissions", FIELD_MODE, OF(mode), .required = true},
        {"recursive", FIELD_BOOL, OF(recursive)},
        {0},
};
#define OWNER                                                                                      \
	{"owner", FIELD_STRING, OF(owner), .required = true, .min = 1},                            \
	{                                                                                          \
		"group", FIELD_STRING, OF(group), .min = 1                                         \
	}
static const struct field owner_fields[] = {PATH, OWNER, {0}};
static const struct field folder_owner_fields[] = {
        PATH,
        OWNER,
        {"recursive", FIELD_BOOL, OF(recursive)},
        {0},
};
#undef OF

#define PAIR_IN                                                                                    \
	.fields = pair_fields, .size = sizeof(struct pair_in), .defaults = &pair_defaults,         \
	.check = check_pair
#define PATH_IN(fields_of, check_it)                                                               \
	.fields = fields_of, .size = sizeof(struct path_in), .check = check_it
const struct component_action component_tree_actions[] = {
        {.name = "CopyFile", PAIR_IN, .run = copy_file},
        {.name = "CopyFolder", PAIR_IN, .run = copy_folder},
        {.name = "MoveFile", PAIR_IN, .run = move_file},
        {.name = "MoveFolder", PAIR_IN, .run = move_folder},
        {.name = "DeleteFile", PATH_IN(delete_fields, check_many), .run = delete_file},
        {.name = "DeleteFolder",
         PATH_IN(delete_folder_fields, check_delete_folder),
         .run = delete_folder},
        {.name = "ListFiles",
         .output = "files",
         .defaults = &list_defaults,
         PATH_IN(list_fields, check_one),
         .run = list_files},
        {.name = "SetFilePermissions",
         PATH_IN(permission_fields, check_one),
         .run = set_file_permissions},
        {.name = "SetFolderPermissions",
         .defaults = &folder_defaults,
         PATH_IN(folder_permission_fields, check_one),
         .run = set_folder_permissions},
        {.name = "SetFileOwner", PATH_IN(owner_fields, check_one), .run = set_file_owner},
        {.name = "SetFolderOwner",
         .defaults = &folder_defaults,
         PATH_IN(folder_owner_fields, check_one),
         .run = set_folder_owner},
        {0},
};
