/* SPDX-License-Identifier: Apache-2.0 */
/* Records what a build was made of, for the next one. */
#include "build/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "data/json.h"
#include "data/jsonw.h"

static const char *real_path(const char *recipe, struct arena *a)
{
	char real[PATH_MAX];

	return arena_strdup(a, realpath(recipe, real) ? real : "");
}

static const char *path_of(const char *recipe, struct arena *a)
{
	const char *real = real_path(recipe, a);
	char hex[SHA256_HEX];

	digest_hex(real, strlen(real), hex);
	return arena_printf(a, "recipes/%s", hex);
}

void record_prune(const struct store *s)
{
	int fd = openat(s->fd, "recipes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		scope_arena struct arena *a = arena_new();
		struct blob text;
		struct doc *doc;
		struct err none;

		if (d->d_name[0] == '.' ||
		    file_read(fd, d->d_name, JSON_SIZE_MAX, a, &text, &none) < 0)
			continue;
		const char *recipe = json_parse("record", text, a, &doc, &none) < 0
		                             ? NULL
		                             : doc_text(doc, "recipe");
		if (!recipe || (access(recipe, F_OK) < 0 && errno == ENOENT))
			(void)unlinkat(fd, d->d_name, 0);
	}
}

/* ---- reading ---- */

static void read_inputs(const struct doc *d, struct arena *a, struct input_list *l)
{
	for (size_t i = 0; d && d->type == DOC_LIST && i + 1 < d->n; i += 2) {
		struct input *one;

		l->items = arena_grow(a, l->items, &l->n, sizeof *l->items);
		one = &l->items[l->n - 1];
		one->name = d->items[i]->text ? d->items[i]->text : "";
		if (d->items[i + 1]->text)
			str_escape(d->items[i + 1]->text, strlen(d->items[i + 1]->text),
			           one->digest, sizeof one->digest);
	}
}

static const char *text_of(const struct doc *d, const char *key)
{
	const char *text = doc_text(d, key);

	return text ? text : "";
}

static void read_steps(const struct doc *d, struct arena *a, struct record *r)
{
	for (size_t i = 0; d && d->type == DOC_LIST && i < d->n; i++) {
		const struct doc *at = d->items[i];

		r->steps = arena_grow(a, r->steps, &r->n, sizeof *r->steps);
		struct record_step *s = &r->steps[r->n - 1];
		s->name = text_of(at, "name");
		s->key = text_of(at, "key");
		s->below = text_of(at, "below");
		read_inputs(doc_get(at, "inputs"), a, &s->inputs);
	}
}

static void read_failed(const struct doc *d, struct arena *a, struct record *r)
{
	const struct doc *below = doc_get(d, "below");

	r->failed = doc_text(d, "name");
	r->failed_key = doc_text(d, "key");
	r->failed_network = str_eq(text_of(d, "network"), "true");
	for (size_t i = 0; below && below->type == DOC_LIST && i < below->n; i++) {
		if (!below->items[i]->text)
			continue;
		r->failed_below.items = arena_grow(a, r->failed_below.items, &r->failed_below.n,
		                                   sizeof *r->failed_below.items);
		r->failed_below.items[r->failed_below.n - 1] = below->items[i]->text;
	}
}

int record_read(const struct store *s, const char *recipe, struct arena *a, struct record *ret)
{
	struct record r = {0};
	struct err e;
	struct blob text;
	struct doc *d;

	*ret = r;
	if (s->fd < 0)
		return 0;
	if (file_read(s->fd, path_of(recipe, a), JSON_SIZE_MAX, a, &text, &e) < 0)
		return e.no == EACCES ? -EACCES : 0;
	if (json_parse("record", text, a, &d, &e) < 0)
		return 0;
	r.abi = doc_text(d, "abi");
	r.arch = doc_text(d, "arch");
	read_steps(doc_get(d, "steps"), a, &r);
	read_failed(doc_get(d, "failed"), a, &r);
	*ret = r;
	return 0;
}

const struct record_step *record_find(const struct record *r, const char *name, size_t nth)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->steps[i].name, name) && nth-- == 0)
			return &r->steps[i];
	return NULL;
}

/* ---- writing ---- */

static void write_step(struct jsonw *w, const struct record_step *s, bool inputs)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "name", s->name);
	jsonw_str(w, "key", s->key);
	jsonw_str(w, "below", s->below);
	jsonw_begin(w, "inputs", '[');
	for (size_t i = 0; inputs && i < s->inputs.n; i++) {
		jsonw_str(w, NULL, s->inputs.items[i].name);
		jsonw_str(w, NULL, s->inputs.items[i].digest);
	}
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

static void write_failed(struct jsonw *w, const struct record *r)
{
	jsonw_begin(w, "failed", '{');
	jsonw_str(w, "name", r->failed);
	jsonw_str(w, "key", r->failed_key);
	jsonw_bool(w, "network", r->failed_network);
	jsonw_begin(w, "below", '[');
	for (size_t i = 0; i < r->failed_below.n; i++)
		jsonw_str(w, NULL, r->failed_below.items[i]);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

static void write_all(const struct record *r, const char *recipe, bool inputs, struct strbuf *out)
{
	struct jsonw w = {.out = out};

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", 1);
	jsonw_str(&w, "recipe", real_path(recipe, out->arena));
	jsonw_str(&w, "abi", r->abi);
	jsonw_str(&w, "arch", r->arch);
	jsonw_begin(&w, "steps", '[');
	for (size_t i = 0; i < r->n; i++)
		write_step(&w, &r->steps[i], inputs);
	jsonw_end(&w, ']');
	if (r->failed)
		write_failed(&w, r);
	jsonw_end(&w, '}');
}

int record_write(const struct store *s, const char *recipe, const struct record *r, struct err *e)
{
	static const struct file_attr attr = {0600, (uid_t)-1, (gid_t)-1};
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, JSON_SIZE_MAX);
	const char *path = path_of(recipe, a);
	struct blob was;
	struct err none;

	write_all(r, recipe, true, &out);
	if (out.overflow) { /* too many files to list one by one */
		out = STRBUF(a, JSON_SIZE_MAX);
		write_all(r, recipe, false, &out);
	}
	if (out.overflow)
		return err_set(e, ERR_HOST, REASON_HOST_FILE, EFBIG,
		               "writing what '%s' was made of: more than %d bytes", recipe,
		               JSON_SIZE_MAX);
	if (file_read(s->fd, path, JSON_SIZE_MAX, a, &was, &none) == 0 && blob_eq(was, out.data))
		return 0;
	return file_replace(s->fd, path, out.data, out.len, &attr, e);
}
