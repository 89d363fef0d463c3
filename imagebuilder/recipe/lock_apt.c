/* SPDX-License-Identifier: Apache-2.0 */
/* Asks apt to resolve a list of packages. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "host/host.h"
#include "recipe/lock.h"
#include "store/store.h"

#define UPDATE_MS   600000
#define ASK_MS      120000
#define CONFIG_MAX  65536
#define SHOW_AT_ONE 40 /* host_run keeps 256 KiB, and stanzas rarely have 4 */

struct apt {
	struct arena *arena;
	struct host *host;
	const char *dir;
	const char *env[3];
};

/* ---- a separate state directory ---- */

static int put(const struct apt *t, const char *name, const char *text, struct err *e)
{
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};

	return file_replace(AT_FDCWD, arena_printf(t->arena, "%s/%s", t->dir, name), text,
	                    strlen(text), &attr, e);
}

/* An empty status file, so that nothing counts as installed; the rest as mmdebstrap sets it. */
static int set_up(const struct apt *t, const char *arch, const struct field_strings *sources,
                  struct err *e)
{
	static const char *const dirs[] = {"lists", "lists/partial", "cache", "cache/archives",
	                                   "cache/archives/partial"};
	struct strbuf list = STRBUF(t->arena, CONFIG_MAX);
	const char *config = arena_printf(
	        t->arena,
	        "Dir::State \"%1$s\";\nDir::State::status \"%1$s/status\";\n"
	        "Dir::State::lists \"%1$s/lists\";\nDir::Cache \"%1$s/cache\";\n"
	        "Dir::Etc::sourcelist \"%1$s/sources.list\";\nDir::Etc::sourceparts "
	        "\"/dev/null\";\n"
	        "Dir::Etc::preferences \"/dev/null\";\nDir::Etc::preferencesparts \"/dev/null\";\n"
	        "APT::Architecture \"%2$s\";\nAPT::Architectures \"%2$s\";\n"
	        "APT::Install-Recommends \"false\";\nAPT::Sandbox::User \"root\";\n"
	        "Acquire::Languages \"none\";\n",
	        t->dir, arch);
	int r;

	strbuf_str(&list, "");
	for (size_t i = 0; i < sources->n; i++)
		strbuf_printf(&list, "%s\n", sources->items[i]);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdir(arena_printf(t->arena, "%s/%s", t->dir, dirs[i]), 0755) < 0)
			return err_errno(e, errno, "making '%s/%s'", t->dir, dirs[i]);
	r = put(t, "apt.conf", config, e);
	if (r < 0)
		return r;
	r = put(t, "sources.list", list.data, e);
	if (r < 0)
		return r;
	return put(t, "status", "", e);
}

static int ask(const struct apt *t, const char *const *argv, uint64_t ms, struct blob *ret,
               struct err *e)
{
	const struct host_exec x = {.argv = argv, .env = t->env, .deadline = clock_in_ms(ms)};
	struct host_result res;
	int r = host_run_ok(t->host, &x, t->arena, &res, e);

	*ret = res.out;
	return r;
}

/* ---- which packages ---- */

/* "%3a" of a file's name is the colon of a version's epoch. */
static const char *unescaped(struct arena *a, const char *s, size_t len)
{
	char *out = arena_memdup(a, s, len), *to = out;

	for (const char *p = out; *p; p++) {
		int high = *p == '%' ? str_hex_digit(p[1]) : -1;
		int low = high < 0 ? -1 : str_hex_digit(p[2]);

		if (low >= 0) {
			*to++ = (char)(high << 4 | low);
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return out;
}

/* "'URL' NAME_VERSION_ARCH.deb SIZE [HASH]" */
static bool read_uri(const struct apt *t, const char *line, size_t len, struct lock_package *ret)
{
	const char *end = line + len, *quote = memchr(line + 1, '\'', len - 1);

	if (*line != '\'' || !quote || end - quote < 3)
		return false;
	const char *name = quote + 2;
	const char *space = memchr(name, ' ', (size_t)(end - name));
	const char *first = memchr(name, '_', (size_t)(end - name));
	const char *second = first ? memchr(first + 1, '_', (size_t)(end - first - 1)) : NULL;

	if (!space || !second || second > space || space - second < 6)
		return false;
	const char *size = arena_memdup(t->arena, space + 1, (size_t)(end - space - 1));
	uint64_t bytes = 0;
	(void)str_u64(arena_memdup(t->arena, size, strcspn(size, " ")), 0, INT64_MAX, &bytes);
	*ret = (struct lock_package){
	        .url = arena_memdup(t->arena, line + 1, (size_t)(quote - line - 1)),
	        .name = unescaped(t->arena, name, (size_t)(first - name)),
	        .version = unescaped(t->arena, first + 1, (size_t)(second - first - 1)),
	        .arch = arena_memdup(t->arena, second + 1, (size_t)(space - second - 5)),
	        .size = bytes,
	};
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct lock_package *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : strcmp(x->arch, y->arch);
}

/* The essential and required packages and apt: that is minbase. */
static int find_packages(const struct apt *t, const struct field_strings *asked, struct lock *l,
                         struct err *e)
{
	static const char *const words[] = {"apt-get",    "--yes", "--print-uris",       "install",
	                                    "?essential", "apt",   "?priority(required)"};
	const char **argv = arena_array(t->arena, ARRAY_LEN(words) + asked->n + 1, sizeof *argv);
	struct blob out;

	memcpy(argv, words, sizeof words);
	for (size_t i = 0; i < asked->n; i++)
		argv[ARRAY_LEN(words) + i] = asked->items[i];
	int r = ask(t, argv, ASK_MS, &out, e);
	if (r < 0)
		return err_wrap(e, "asking apt for the packages");
	for (const char *p = out.data, *end = p + out.len; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = eol ? (size_t)(eol - p) : (size_t)(end - p);
		struct lock_package one;

		if (len && read_uri(t, p, len, &one)) {
			l->packages = arena_grow(t->arena, l->packages, &l->n, sizeof *l->packages);
			l->packages[l->n - 1] = one;
		}
		p += len + 1;
	}
	if (l->n == 0 || l->n > LOCK_PACKAGES_MAX)
		return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, EBADMSG,
		               "asking apt for the packages: %zu of them", l->n);
	qsort(l->packages, l->n, sizeof *l->packages, by_name);
	return 0;
}

/* ---- details of the packages ---- */

/* The value of that field of one stanza, or NULL. */
static const char *stanza_field(const struct apt *t, const char *at, const char *end,
                                const char *key)
{
	size_t n = strlen(key);

	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));

		if (!eol)
			eol = end;
		if ((size_t)(eol - at) > n + 2 && !memcmp(at, key, n) && !memcmp(at + n, ": ", 2))
			return arena_memdup(t->arena, at + n + 2, (size_t)(eol - at) - n - 2);
		at = eol + 1;
	}
	return NULL;
}

static void take_stanza(const struct apt *t, struct lock *l, const char *at, const char *end)
{
	const char *name = stanza_field(t, at, end, "Package");
	const char *version = stanza_field(t, at, end, "Version");
	const char *arch = stanza_field(t, at, end, "Architecture");

	for (size_t i = 0; i < l->n; i++) {
		struct lock_package *p = &l->packages[i];

		if (p->sha256 || !str_eq(p->name, name) || !str_eq(p->version, version) ||
		    !str_eq(p->arch, arch))
			continue;
		p->sha256 = stanza_field(t, at, end, "SHA256");
		p->required = str_eq(stanza_field(t, at, end, "Priority"), "required");
	}
}

static int describe(const struct apt *t, struct lock *l, size_t from, struct err *e)
{
	const char *argv[SHOW_AT_ONE + 3] = {"apt-cache", "show"};
	struct blob out;

	for (size_t i = 0; i < SHOW_AT_ONE && from + i < l->n; i++) {
		const struct lock_package *p = &l->packages[from + i];
		bool all = str_eq(p->arch, "all");

		argv[i + 2] = arena_printf(t->arena, "%s%s%s=%s", p->name, all ? "" : ":",
		                           all ? "" : p->arch, p->version);
	}
	int r = ask(t, argv, ASK_MS, &out, e);
	if (r < 0)
		return err_wrap(e, "asking apt for digests");
	for (const char *p = out.data, *end = p + out.len; p < end;) {
		const char *next = memmem(p, (size_t)(end - p), "\n\n", 2);

		take_stanza(t, l, p, next ? next : end);
		p = next ? next + 2 : end;
	}
	return 0;
}

static int check_found(const struct lock_package *p, struct err *e)
{
	if (!p->sha256)
		return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, ENOENT,
		               "locking '%s' %s: apt has no SHA-256 of it", p->name, p->version);
	if (lock_takes_url(p->url))
		return 0;
	return err_set(e, ERR_HOST, REASON_HOST_PACKAGE, ENOTSUP,
	               "locking '%s' %s: it comes from '%s', which other machines don't have: "
	               "expected a source by http or https in this machine's apt",
	               p->name, p->version, p->url);
}

static int resolve(const struct apt *t, const struct field_strings *asked, struct lock *l,
                   struct err *e)
{
	static const char *const update[] = {
	        "apt-get", "--quiet", "-o", "APT::Update::Error-Mode=any", "update", NULL};
	struct blob out;
	int r = ask(t, update, UPDATE_MS, &out, e);

	if (r < 0)
		return err_wrap(e, "fetching package lists");
	r = find_packages(t, asked, l, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n; i += SHOW_AT_ONE) {
		r = describe(t, l, i, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < l->n; i++) {
		r = check_found(&l->packages[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_up_and_resolve(const struct apt *t, struct lock *l, struct err *e)
{
	int r = set_up(t, str_eq(l->arch, "arm64") ? "arm64" : "amd64", &l->sources, e);

	if (r < 0)
		return r;
	return resolve(t, &l->asked, l, e);
}

int lock_resolve(const char *from, const char *arch, const struct field_strings *asked,
                 const struct field_strings *sources, struct arena *a, struct lock *ret,
                 struct err *e)
{
	char dir[] = "/tmp/hpc-imagebuild-XXXXXX";
	struct apt t = {.arena = a, .dir = dir};
	struct lock l = {
	        .file = "", .from = from, .arch = arch, .asked = *asked, .sources = *sources};
	int r = host_open("/", HOST_LIVE, &t.host, e);

	if (r < 0)
		return r;
	if (!mkdtemp(dir)) {
		host_close(t.host);
		return err_errno(e, errno, "making '%s'", dir);
	}
	t.env[0] = arena_printf(a, "APT_CONFIG=%s/apt.conf", dir);
	t.env[1] = "LC_ALL=C.UTF-8";
	r = set_up_and_resolve(&t, &l, e);
	store_remove(dir);
	host_close(t.host);
	if (r < 0)
		return r;
	*ret = l;
	return 0;
}
