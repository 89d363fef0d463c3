/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of component documents that make single files, folders and links, and read files. */
#include <errno.h>
#include <limits.h>

#include "base/file.h"
#include "base/log.h"
#include "component/component_encoding.h"
#include "component/component_path.h"

#define READ_MAX   (256 * 1024) /* for ReadFile, which keeps the content */
#define ENCODE_MAX (16UL << 20) /* for SetFileEncoding */
#define MODE_UNSET ~0U

struct file_in {
	const char *path, *content, *owner, *group, *encoding;
	unsigned mode;
	bool overwrite, print;
};
static const struct file_in file_defaults = {
        .mode = MODE_UNSET, .overwrite = true, .content = "", .encoding = "utf8"};

struct link_in {
	const char *path, *target;
	bool force;
};

/* ---- inputs ---- */

static int check_file(const struct doc *at, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	struct component_encoding unused;
	int r = component_path_check(at, "path", in->path, false, e);

	if (r < 0)
		return r;
	if (component_encoding_find(in->encoding, &unused))
		return 0;
	return doc_err(doc_get(at, "encoding"), e, REASON_INPUT_RANGE,
	               "'%s' is no encoding that is known, expected utf-8, utf-16, utf-16-le, "
	               "utf-16-be, utf-32, utf-32-le or utf-32-be",
	               in->encoding);
}

static int check_link(const struct doc *at, const void *inputs, struct err *e)
{
	const struct link_in *in = inputs;
	int r = component_path_check(at, "path", in->path, false, e);

	if (r < 0)
		return r;
	return component_path_check(at, "target", in->target, false, e);
}

static int encoded(const struct component_round *round, struct blob text, const char *encoding,
                   struct blob *ret, struct err *e)
{
	struct component_encoding to = {1, false};

	(void)component_encoding_find(encoding, &to);
	return component_encode(text, to, round->arena, ret, e);
}

/* ---- making ---- */

static int create_file(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const struct host_owner owner = {in->owner, in->group};
	const char *path = component_path(round->arena, in->path);
	struct blob content;
	int r = component_free(round, path, in->overwrite, e);

	if (r < 0)
		return r;
	r = encoded(round, (struct blob){in->content, strlen(in->content)}, in->encoding, &content,
	            e);
	if (r < 0)
		return r;
	return host_write(round->env->host, path, content, in->mode == MODE_UNSET ? 0644 : in->mode,
	                  &owner, e);
}

/* An existing folder gets mode and owner; its content stays. */
static int create_folder(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const struct host_owner owner = {in->owner, in->group};
	const char *path = component_path(round->arena, in->path);
	int r = component_free(round, path, in->overwrite, e);

	if (r < 0)
		return r;
	return host_mkdir(round->env->host, path, in->mode == MODE_UNSET ? 0755 : in->mode, &owner,
	                  e);
}

static int create_symlink(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct link_in *in = inputs;
	const char *path = component_path(round->arena, in->path);
	int r = component_free(round, path, in->force, e);

	if (r < 0)
		return r;
	r = component_parent(round, path, e);
	if (r < 0)
		return r;
	return host_symlink(round->env->host, in->target, path, e);
}

/* ---- changing and reading ---- */

/* Done by a program, so that a link is followed below the root, and owner, mode and attributes
 * stay. */
static int write_through(const struct component_round *round, const char *path, struct blob text,
                         bool append, struct err *e)
{
	const char *const over[] = {"tee", "--", path, NULL};
	const char *const after[] = {"tee", "--append", "--", path, NULL};
	const struct host_exec x = {
	        .argv = append ? after : over,
	        .input = text,
	        .changes = true,
	        .deadline = round->deadline,
	};
	struct host_result done;

	return host_run_ok(round->env->host, &x, round->arena, &done, e);
}

static int append_file(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const char *path = component_path(round->arena, in->path);
	struct blob content;
	int r = component_is(round, path, false, e);

	if (r < 0)
		return r;
	r = encoded(round, (struct blob){in->content, strlen(in->content)}, in->encoding, &content,
	            e);
	if (r < 0)
		return r;
	return content.len ? write_through(round, path, content, true, e) : 0;
}

static int set_encoding(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const char *path = component_path(round->arena, in->path);
	struct blob text, content;
	int r = file_read(host_root_fd(round->env->host), path, ENCODE_MAX, round->arena, &text, e);

	if (r < 0)
		return r;
	r = encoded(round, text, in->encoding, &content, e);
	if (r < 0)
		return err_wrap(e, "reading '%s'", path);
	return write_through(round, path, content, false, e);
}

static void print_lines(const char *text)
{
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");

		log_info("%.*s", (int)len, p);
		p += len + (p[len] == '\n');
	}
}

static int read_file(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct file_in *in = inputs;
	const char *path = component_path(round->arena, in->path);
	struct component_encoding from = {1, false};
	struct blob bytes, text;
	int r = file_read(host_root_fd(round->env->host), path, READ_MAX, round->arena, &bytes, e);

	if (r < 0)
		return r;
	(void)component_encoding_find(in->encoding, &from);
	r = component_decode(bytes, from, round->arena, &text, e);
	if (r < 0)
		return err_wrap(e, "reading '%s'", path);
	component_output(round, text.data);
	if (in->print)
		print_lines(text.data);
	return 0;
}

/* ---- the table ---- */

#define OF(member) FIELD_AT(struct file_in, member)
#define PATH                                                                                       \
	{                                                                                          \
		"path", FIELD_STRING, OF(path), .required = true, .min = 1, .max = PATH_MAX - 1    \
	}
#define ENCODED                                                                                    \
	{                                                                                          \
		"encoding", FIELD_STRING, OF(encoding)                                             \
	}
#define OWNED                                                                                      \
	{"owner", FIELD_STRING, OF(owner)}, {"group", FIELD_STRING, OF(group)},                    \
	        {"permissions", FIELD_MODE, OF(mode)},                                             \
	{                                                                                          \
		"overwrite", FIELD_BOOL, OF(overwrite)                                             \
	}
static const struct field file_fields[] = {
        PATH, {"content", FIELD_STRING, OF(content)}, ENCODED, OWNED, {0},
};
static const struct field folder_fields[] = {
        PATH,
        OWNED,
        {0},
};
static const struct field append_fields[] = {
        PATH,
        {"content", FIELD_STRING, OF(content)},
        ENCODED,
        {0},
};
static const struct field encoding_fields[] = {
        PATH,
        ENCODED,
        {0},
};
static const struct field read_fields[] = {
        PATH,
        ENCODED,
        {"printFileContent", FIELD_BOOL, OF(print)},
        {0},
};
#undef OF
#define OF(member) FIELD_AT(struct link_in, member)
static const struct field link_fields[] = {
        {"path", FIELD_STRING, OF(path), .required = true, .min = 2, .max = PATH_MAX - 1},
        {"target", FIELD_STRING, OF(target), .required = true, .min = 1, .max = PATH_MAX - 1},
        {"force", FIELD_BOOL, OF(force)},
        {0},
};
#undef OF

#define FILE_IN(fields_of)                                                                         \
	.fields = fields_of, .size = sizeof(struct file_in), .defaults = &file_defaults,           \
	.check = check_file
const struct component_action component_file_actions[] = {
        {.name = "CreateFile", FILE_IN(file_fields), .run = create_file},
        {.name = "AppendFile", FILE_IN(append_fields), .run = append_file},
        {.name = "ReadFile", .output = "content", FILE_IN(read_fields), .run = read_file},
        {.name = "SetFileEncoding", FILE_IN(encoding_fields), .run = set_encoding},
        {.name = "CreateFolder", FILE_IN(folder_fields), .run = create_folder},
        {.name = "CreateSymlink",
         .fields = link_fields,
         .size = sizeof(struct link_in),
         .check = check_link,
         .run = create_symlink},
        {0},
};
