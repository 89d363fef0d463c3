/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files: single files, directories and links.
 *
 * Content comes from the spec or from a source. A source with a sha256 is fetched only when the
 * file differs from the pin; without one the probe fetches and compares, so that a changed object
 * is noticed on the next run. Content is written atomically and appears in no message; with
 * `secret` not even its digest does.
 */
#include <errno.h>

#include "aws/fetch.h"
#include "base/digest.h"
#include "kinds/kinds.h"
#include "plan/claim.h"

#define SOURCE_MAX                                                                                 \
	(64UL << 20) /* held in memory; larger files belong in the image or on shared storage */

enum file_state { FILE_PRESENT, FILE_ABSENT, FILE_DIRECTORY, FILE_LINK };
static const char *const state_names[] = {"present", "absent", "directory", "link", NULL};

struct file_spec {
	const char *path, *content, *source, *sha256, *target;
	struct host_owner owner;
	int state;
	unsigned mode;
	bool secret;
};

#define MODE_UNSET ~0U
static const struct file_spec file_defaults = {.mode = MODE_UNSET};

static const struct field file_fields[] = {
        {"path", FIELD_STRING, FIELD_AT(struct file_spec, path), .required = true,
         .help = "absolute path; missing parents are made, 0755 root:root"},
        {"state", FIELD_CHOICE, FIELD_AT(struct file_spec, state), .choices = state_names,
         .help = "what shall be there (default: present, a regular file)"},
        {"content", FIELD_STRING, FIELD_AT(struct file_spec, content),
         .help = "the file's content; ${fact} is put in, $$ is a dollar sign"},
        {"source", FIELD_STRING, FIELD_AT(struct file_spec, source),
         .help = "where the content is: s3://bucket/key, https://..., file:/path (64 MiB at most)"},
        {"sha256", FIELD_STRING, FIELD_AT(struct file_spec, sha256),
         .help = "digest the source must have; also saves fetching what is there already"},
        {"secret", FIELD_BOOL, FIELD_AT(struct file_spec, secret),
         .help = "keep even the content's digest out of plans and logs; mode is then 0600"},
        {"mode", FIELD_MODE, FIELD_AT(struct file_spec, mode),
         .help = "permissions (default: 0644, directories 0755)"},
        {"owner", FIELD_STRING, FIELD_AT(struct file_spec, owner.user),
         .help = "user it belongs to (default: root)"},
        {"group", FIELD_STRING, FIELD_AT(struct file_spec, owner.group),
         .help = "group it belongs to (default: root)"},
        {"target", FIELD_STRING, FIELD_AT(struct file_spec, target),
         .help = "where a link points to, as readlink shows it"},
        {0},
};

/* The states for which a key has a meaning. */
#define IN(state) (1U << (state))
static const struct {
	const char *key;
	unsigned states;
} key_states[] = {
        {"content", IN(FILE_PRESENT)},
        {"source", IN(FILE_PRESENT)},
        {"sha256", IN(FILE_PRESENT)},
        {"secret", IN(FILE_PRESENT)},
        {"mode", IN(FILE_PRESENT) | IN(FILE_DIRECTORY)},
        {"owner", IN(FILE_PRESENT) | IN(FILE_DIRECTORY)},
        {"group", IN(FILE_PRESENT) | IN(FILE_DIRECTORY)},
        {"target", IN(FILE_LINK)},
};

/* Where package managers look for their sources and keys: such files are written before packages
 * are installed. */
static const char *const source_dirs[] = {"/etc/apt/", "/usr/share/keyrings/", "/etc/yum.repos.d/",
                                          "/etc/dnf/", "/etc/pki/rpm-gpg/"};

static int claim_keys(const struct step *s, const struct file_spec *f, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(key_states); i++)
		if (doc_get(s->at, key_states[i].key) &&
		    !(key_states[i].states & IN((unsigned)f->state)))
			return doc_err(claim_at(s, key_states[i].key), e, REASON_INPUT_RANGE,
			               "'%s' has no meaning for state '%s'", key_states[i].key,
			               state_names[f->state]);
	if (f->state == FILE_LINK && !f->target)
		return doc_err(s->at, e, REASON_INPUT_REQUIRED, "a link needs 'target'");
	if (f->state != FILE_PRESENT)
		return 0;
	if (!f->content == !f->source)
		return doc_err(s->at, e, REASON_INPUT_REQUIRED,
		               "a file needs either 'content' or 'source'");
	if (f->sha256 && !f->source)
		return doc_err(claim_at(s, "sha256"), e, REASON_INPUT_RANGE,
		               "'sha256' pins a 'source', and there is none");
	return f->sha256 ? claim_sha256(s, "sha256", f->sha256, e) : 0;
}

static int claim_owner(struct step *s, const struct host_owner *o, struct err *e)
{
	int r = o->user ? claim_account(claim_at(s, "owner"), o->user, e) : 0;

	if (r < 0)
		return r;
	r = o->group ? claim_account(claim_at(s, "group"), o->group, e) : 0;
	if (r < 0)
		return r;
	claim_needs_owner(s, o->user, o->group);
	return 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct file_spec *f = fields;
	int r = claim_path(s, "path", &f->path, e);

	(void)facts;
	if (r < 0)
		return r;
	r = claim_keys(s, f, e);
	if (r < 0)
		return r;
	r = f->source ? claim_source(s, "source", f->source, e) : 0;
	if (r < 0)
		return r;
	r = claim_owner(s, &f->owner, e);
	if (r < 0)
		return r;
	if (f->mode == MODE_UNSET)
		f->mode = f->state == FILE_DIRECTORY ? 0755 : f->secret ? 0600 : 0644;
	step_name(s, "%s", f->path);
	claim_needs_parent(s, f->path);
	if (f->state != FILE_ABSENT)
		step_provides(s, "path:%s", f->path);
	for (size_t i = 0; i < ARRAY_LEN(source_dirs); i++)
		if (str_starts(f->path, source_dirs[i]))
			step_provides(s, "packages:sources");
	return 0;
}

static bool digest_is(struct blob content, const char *sha256)
{
	unsigned char want[SHA256_LEN], got[SHA256_LEN];

	digest_sha256(content.data, content.len, got);
	return str_unhex(sha256, want, sizeof want) == 0 && memcmp(want, got, sizeof want) == 0;
}

static int fetch_local(const struct step_ctx *c, const struct file_spec *f, struct blob *ret,
                       struct err *e)
{
	int r = host_read(c->host, f->source + strlen("file:"), SOURCE_MAX, c->arena, ret, e);

	if (r < 0)
		return r;
	if (f->sha256 && !digest_is(*ret, f->sha256))
		return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
		               "reading '%s': its sha256 is not %s", f->source, f->sha256);
	return 0;
}

static int wanted_content(const struct step_ctx *c, const struct file_spec *f, struct blob *ret,
                          struct err *e)
{
	if (f->content) {
		*ret = (struct blob){f->content, strlen(f->content)};
		return 0;
	}
	if (str_starts(f->source, "file:"))
		return fetch_local(c, f, ret, e);
	if (!c->cloud)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "fetching '%s': nothing is fetched in this run", f->source);
	return fetch_memory(
	        c->cloud, &(struct fetch){.uri = f->source, .sha256 = f->sha256, .max = SOURCE_MAX},
	        c->arena, ret, c->deadline, e);
}

/* With a pin, the file's own digest tells whether it has the source's content. */
static int probe_present(const struct step_ctx *c, const struct file_spec *f, struct err *e)
{
	struct blob content;
	int r;

	if (!host_exists(c->host, f->path))
		return 0;
	if (!f->sha256) {
		r = wanted_content(c, f, &content, e);
		return r < 0 ? r : host_file_is(c->host, f->path, content, f->mode, &f->owner, e);
	}
	r = host_read(c->host, f->path, SOURCE_MAX, c->arena, &content, e);
	if (r == -EFBIG)
		return 0;
	if (r < 0)
		return r;
	return digest_is(content, f->sha256)
	               ? host_file_is(c->host, f->path, content, f->mode, &f->owner, e)
	               : 0;
}

static int probe_directory(const struct step_ctx *c, const struct file_spec *f, struct err *e)
{
	return host_dir_is(c->host, f->path, f->mode, &f->owner, e);
}

static int probe_link(const struct step_ctx *c, const struct file_spec *f, struct err *e)
{
	return host_link_is(c->host, f->path, f->target, e);
}

static int probe_absent(const struct step_ctx *c, const struct file_spec *f, struct err *e)
{
	int r = host_lookup(c->host, f->path, e);

	return r < 0 ? r : !r;
}

static int apply_present(const struct step_ctx *c, const struct file_spec *f, struct err *e)
{
	struct blob content;
	int r = wanted_content(c, f, &content, e);

	if (r < 0)
		return r;
	return (f->secret ? host_write_secret : host_write)(c->host, f->path, content, f->mode,
	                                                    &f->owner, e);
}

static int apply_directory(const struct step_ctx *c, const struct file_spec *f, struct err *e)
{
	return host_mkdir(c->host, f->path, f->mode, &f->owner, e);
}

static int apply_link(const struct step_ctx *c, const struct file_spec *f, struct err *e)
{
	return host_symlink(c->host, f->target, f->path, e);
}

static int apply_absent(const struct step_ctx *c, const struct file_spec *f, struct err *e)
{
	return host_remove(c->host, f->path, e);
}

static const struct {
	int (*probe)(const struct step_ctx *c, const struct file_spec *f, struct err *e);
	int (*apply)(const struct step_ctx *c, const struct file_spec *f, struct err *e);
} states[] = {
        [FILE_PRESENT] = {probe_present, apply_present},
        [FILE_ABSENT] = {probe_absent, apply_absent},
        [FILE_DIRECTORY] = {probe_directory, apply_directory},
        [FILE_LINK] = {probe_link, apply_link},
};

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct file_spec *f = fields;

	return states[f->state].probe(c, f, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct file_spec *f = fields;

	return states[f->state].apply(c, f, e);
}

const struct kind kind_files = {
        .section = "files",
        .summary = "files, directories and links, their content, mode and owner",
        .shape = KIND_LIST,
        .fields = file_fields,
        .size = sizeof(struct file_spec),
        .defaults = &file_defaults,
        .timeout_ms = 60000,
        .traceless = true,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
