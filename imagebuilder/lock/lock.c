/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes locks, and compares them with a recipe. */
#include "lock/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/file.h"
#include "data/yaml.h"

#define TEXT_MAX YAML_SIZE_MAX /* what is written has to be read again */

static const char *const versions[] = {"1", NULL};

static const struct field package_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct lock_package, name), .required = true, .min = 1},
        {"version", FIELD_STRING, FIELD_AT(struct lock_package, version), .required = true,
         .min = 1},
        {"arch", FIELD_STRING, FIELD_AT(struct lock_package, arch), .required = true, .min = 1},
        {"size", FIELD_SIZE, FIELD_AT(struct lock_package, size), .required = true, .min = 1},
        {"sha256", FIELD_STRING, FIELD_AT(struct lock_package, sha256), .required = true, .min = 64,
         .max = 64},
        {"url", FIELD_STRING, FIELD_AT(struct lock_package, url), .required = true, .min = 1},
        {"required", FIELD_BOOL, FIELD_AT(struct lock_package, required)},
        {0},
};

static const struct field file_fields[] = {
        {"uri", FIELD_STRING, FIELD_AT(struct lock_file, uri), .required = true, .min = 1},
        {"sha256", FIELD_STRING, FIELD_AT(struct lock_file, sha256), .required = true, .min = 64,
         .max = 64},
        {0},
};

struct text {
	int version;
	const char *from, *arch;
	struct field_strings asked, sources;
	struct field_list packages, files;
};

static const struct field lock_fields[] = {
        {"lock", FIELD_CHOICE, FIELD_AT(struct text, version), .choices = versions,
         .required = true},
        {"from", FIELD_STRING, FIELD_AT(struct text, from), .required = true, .min = 1},
        {"arch", FIELD_STRING, FIELD_AT(struct text, arch), .required = true, .min = 1},
        {"asked", FIELD_STRINGS, FIELD_AT(struct text, asked), .max = LOCK_PACKAGES_MAX},
        {"sources", FIELD_STRINGS, FIELD_AT(struct text, sources), .required = true, .min = 1,
         .max = 1024},
        {"packages", FIELD_LIST, FIELD_AT(struct text, packages), .required = true, .min = 1,
         .max = LOCK_PACKAGES_MAX, .sub = package_fields, .size = sizeof(struct lock_package)},
        {"files", FIELD_LIST, FIELD_AT(struct text, files), .max = LOCK_FILES_MAX,
         .sub = file_fields, .size = sizeof(struct lock_file)},
        {0},
};

const char *lock_path(const char *recipe, struct arena *a)
{
	const char *slash = strrchr(recipe, '/'), *dot = strrchr(recipe, '.');
	size_t len = dot && (!slash || dot > slash + 1) ? (size_t)(dot - recipe) : strlen(recipe);

	return arena_printf(a, "%.*s" LOCK_SUFFIX, (int)len, recipe);
}

/* ---- reading ---- */

/* It becomes part of a path; objects are named in lower case. */
static int check_digest(const struct doc *at, const char *sha256, struct err *e)
{
	unsigned char sum[SHA256_LEN];

	if (str_unhex(sha256, sum, sizeof sum) == 0 && !strpbrk(sha256, "ABCDEF"))
		return 0;
	return doc_err(doc_get(at, "sha256"), e, REASON_INPUT_RANGE,
	               "'%s' is no SHA-256: expected 64 digits of 0-9 and a-f", sha256);
}

bool lock_takes_url(const char *url)
{
	static const char *const schemes[] = {"http://", "https://"};
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		known |= str_starts(url, schemes[i]);
	return known && !strpbrk(url, " \t\n");
}

/* URL and digest become arguments of apt. */
static int check_package(const struct doc *at, const struct lock_package *p, struct err *e)
{
	if (!lock_takes_url(p->url))
		return doc_err(doc_get(at, "url"), e, REASON_INPUT_RANGE,
		               "'%s' is no URL: expected http or https", p->url);
	return check_digest(at, p->sha256, e);
}

int lock_read(const char *path, struct arena *a, struct lock *ret, struct err *e)
{
	struct text t = {0};
	struct blob text;
	struct doc *d;
	int r = file_read(AT_FDCWD, path, TEXT_MAX, a, &text, e);

	if (r < 0)
		return r;
	r = yaml_parse(path, text, a, &d, e);
	if (r < 0)
		return r;
	r = field_decode(d, lock_fields, NULL, a, &t, e);
	if (r < 0)
		return r;
	struct lock l = {.file = path,
	                 .from = t.from,
	                 .arch = t.arch,
	                 .asked = t.asked,
	                 .sources = t.sources,
	                 .n = t.packages.n,
	                 .packages = t.packages.items,
	                 .n_files = t.files.n,
	                 .files = t.files.items};
	const struct doc *list = doc_get(d, "packages"), *files = doc_get(d, "files");
	for (size_t i = 0; i < l.n; i++) {
		r = check_package(list->items[i], &l.packages[i], e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < l.n_files; i++) {
		r = check_digest(files->items[i], l.files[i].sha256, e);
		if (r < 0)
			return r;
	}
	digest_hex(text.data, text.len, l.sha256);
	*ret = l;
	return 0;
}

/* ---- writing ---- */

static void write_strings(struct strbuf *out, const char *key, const struct field_strings *list)
{
	strbuf_printf(out, "%s: [", key);
	for (size_t i = 0; i < list->n; i++) {
		strbuf_str(out, i ? ", " : "");
		strbuf_json(out, list->items[i]);
	}
	strbuf_str(out, "]\n");
}

static void write_pair(struct strbuf *out, const char *key, const char *value)
{
	strbuf_str(out, key);
	strbuf_json(out, value);
}

static void write_package(struct strbuf *out, const struct lock_package *p)
{
	write_pair(out, "- {name: ", p->name);
	write_pair(out, ", version: ", p->version);
	write_pair(out, ", arch: ", p->arch);
	strbuf_printf(out, ", size: %" PRIu64, p->size);
	if (p->required)
		strbuf_str(out, ", required: true");
	write_pair(out, ", sha256: ", p->sha256);
	write_pair(out, ", url: ", p->url);
	strbuf_str(out, "}\n");
}

int lock_write(const struct lock *l, const char *path, struct err *e)
{
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, TEXT_MAX);

	strbuf_printf(&out, "# Written by hpc-imagebuild lock; keep it with the recipe.\n"
	                    "lock: 1\n");
	write_pair(&out, "from: ", l->from);
	write_pair(&out, "\narch: ", l->arch);
	strbuf_char(&out, '\n');
	write_strings(&out, "asked", &l->asked);
	write_strings(&out, "sources", &l->sources);
	strbuf_str(&out, "packages:\n");
	for (size_t i = 0; i < l->n; i++)
		write_package(&out, &l->packages[i]);
	strbuf_str(&out, l->n_files ? "files:\n" : "");
	for (size_t i = 0; i < l->n_files; i++) {
		write_pair(&out, "- {uri: ", l->files[i].uri);
		write_pair(&out, ", sha256: ", l->files[i].sha256);
		strbuf_str(&out, "}\n");
	}
	if (out.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "writing '%s': more than %d bytes", path, TEXT_MAX);
	return file_replace(AT_FDCWD, path, out.data, out.len, &attr, e);
}

/* ---- comparing with a recipe ---- */

static int misfit(const struct lock *l, const char *recipe, struct err *e, const char *what,
                  const char *word)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
	               "%s: %s '%s', and '%s' says otherwise: make the lock anew by "
	               "`hpc-imagebuild lock %s`, or build with --unlocked",
	               l->file, what, word, recipe, recipe);
}

/* Both are sorted. */
static const char *first_missing(const struct field_strings *in, const struct field_strings *of)
{
	size_t k = 0;

	for (size_t i = 0; i < of->n; i++) {
		while (k < in->n && strcmp(in->items[k], of->items[i]) < 0)
			k++;
		if (k == in->n || !str_eq(in->items[k], of->items[i]))
			return of->items[i];
	}
	return NULL;
}

int lock_fits(const struct lock *l, const char *recipe, const char *from, const char *arch,
              const struct field_strings *asked, struct err *e)
{
	if (!str_eq(l->from, from))
		return misfit(l, recipe, e, "it is of", l->from);
	if (!str_eq(l->arch, arch))
		return misfit(l, recipe, e, "it is for", l->arch);
	const char *more = first_missing(&l->asked, asked), *less = first_missing(asked, &l->asked);
	if (more)
		return misfit(l, recipe, e, "it is without the package", more);
	return less ? misfit(l, recipe, e, "it has the package", less) : 0;
}

void lock_key(const struct lock *l, struct strbuf *key)
{
	strbuf_printf(key, "locked %s\n", l->from);
	for (size_t i = 0; i < l->asked.n; i++)
		strbuf_printf(key, "asked %s\n", l->asked.items[i]);
	for (size_t i = 0; i < l->sources.n; i++)
		strbuf_printf(key, "source %s\n", l->sources.items[i]);
	for (size_t i = 0; i < l->n; i++)
		strbuf_printf(key, "package %s:%s%s %s\n", l->packages[i].name, l->packages[i].arch,
		              l->packages[i].required ? " required" : "", l->packages[i].sha256);
}
