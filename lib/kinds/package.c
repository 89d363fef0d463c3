/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages: distribution packages that shall be installed, by apt-get, dnf or yum.
 *
 * On a baked image all are installed, as its manifest proves; elsewhere one query tells. If any is
 * missing, one transaction installs them, without recommended packages and without questions.
 * Package lists are fetched once, and by default only after an installation has failed, as it does
 * with missing or stale lists. Existing configuration files are kept. Whether services start is up
 * to their packages (Debian's do, others' don't); the sections that own them configure and restart
 * them later. Files that name package sources come first, and so does the machine's own name, since
 * munge's package starts munged.
 */
#include <errno.h>

#include "base/log.h"
#include "kinds/baked.h"
#include "kinds/kinds.h"
#include "plan/claim.h"

#define NAME_LEN 256
#define ARGV_MAX 24 /* words before the packages' names */

enum package_update { UPDATE_IF_NEEDED, UPDATE_ALWAYS, UPDATE_NEVER };
static const char *const update_names[] = {"if-needed", "always", "never", NULL};

struct packages_spec {
	struct field_strings names; /* "name" or "name=version" */
	struct field_strings files; /* of packages */
	/* made by claim */
	struct field_strings wanted; /* the names, and those that the files' names tell */
	int update;
};

static const struct field packages_fields[] = {
        {"names", FIELD_STRINGS, FIELD_AT(struct packages_spec, names), .required = true,
         .help = "packages by their real names, each may be pinned as name=version"},
        {"files", FIELD_STRINGS, FIELD_AT(struct packages_spec, files),
         .help = "package files on this machine, named as the distribution does "
                 "(NAME_VERSION_ARCH.deb, NAME-VERSION-RELEASE.ARCH.rpm); installed with the rest"},
        {"update", FIELD_CHOICE, FIELD_AT(struct packages_spec, update), .choices = update_names,
         .help = "fetch the package lists: if-needed (default), always before installing, never"},
        {0},
};

/* The first one whose program exists is used. */
static const struct manager {
	const char *program;
	char pin;             /* between name and version on its command line */
	const char *database; /* what a manifest's digest covers; NULL: manifests prove nothing */
	const char *query[ARGV_MAX];
	const char *update[ARGV_MAX];
	const char *install[ARGV_MAX];
} managers[] = {
        {
                .program = "/usr/bin/apt-get",
                .pin = '=',
                .database = BAKED_DPKG,
                .query = {"dpkg-query", "--show",
                          "--showformat=${db:Status-Status} ${Package} ${Version}\\n"},
                .update = {"apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update"},
                .install = {"apt-get", "-y", "-q", "--no-install-recommends", "-o",
                            "APT::Cmd::Pattern-Only=true", "-o", "DPkg::Lock::Timeout=120", "-o",
                            "Dpkg::Options::=--force-confdef", "-o",
                            "Dpkg::Options::=--force-confold", "install"},
        },
        {
                .program = "/usr/bin/dnf",
                .pin = '-',
                .query = {"rpm", "-q", "--queryformat=installed %{NAME} %{VERSION}-%{RELEASE}\\n"},
                .update = {"dnf", "-y", "-q", "makecache", "--refresh"},
                .install = {"dnf", "-y", "-q", "--setopt=install_weak_deps=False", "install"},
        },
        {
                .program = "/usr/bin/yum",
                .pin = '-',
                .query = {"rpm", "-q", "--queryformat=installed %{NAME} %{VERSION}-%{RELEASE}\\n"},
                .update = {"yum", "-y", "-q", "makecache"},
                .install = {"yum", "-y", "-q", "install"},
        },
};

/* NEEDRESTART_SUSPEND: Ubuntu's hook would restart services, including ours. */
static const char *const environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL=C.UTF-8",
        "HOME=/root",
        "DEBIAN_FRONTEND=noninteractive",
        "NEEDRESTART_SUSPEND=1",
        NULL,
};

/* Messages of a failed fetch in any of the three. */
static const char *const network_words[] = {
        "Failed to fetch",    "Temporary failure", "Could not resolve",           "Cannot download",
        "Failed to download", "Could not connect", "Cannot find a valid baseurl",
};

/* Packages that create an account which other sections may use as an owner. */
static const struct {
	const char *package, *account;
} accounts[] = {
        {"munge", "munge"},        {"slurmd", "slurm"},          {"slurmctld", "slurm"},
        {"slurm-slurmd", "slurm"}, {"slurm-slurmctld", "slurm"}, {"slurm", "slurm"},
        {"slurm-client", "slurm"},
};

static bool is_package(const char *name)
{
	static const char others[] = "+._~:=-";
	size_t len = strcspn(name, "=");

	if (len == 0 || strlen(name) > NAME_LEN || (name[len] && !name[len + 1]))
		return false;
	if (memchr(name, '~', len))
		return false;
	for (const char *p = name; *p; p++) {
		bool alnum = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		             (*p >= '0' && *p <= '9');

		if (!alnum && (p == name || !strchr(others, *p)))
			return false;
	}
	return true;
}

static void provide(struct step *s, const char *name, size_t len)
{
	step_provides(s, "pkg:%.*s", (int)len, name);
	for (size_t k = 0; k < ARRAY_LEN(accounts); k++)
		if (blob_eq((struct blob){name, len}, accounts[k].package)) {
			step_provides(s, "user:%s", accounts[k].account);
			step_provides(s, "group:%s", accounts[k].account);
		}
}

/* "munge" of "/x/munge_0.5.15-2_amd64.deb" and of "/x/munge-0.5.15-1.el9.x86_64.rpm"; NULL: it is
 * neither. */
static const char *name_of_file(const char *path, struct arena *a)
{
	const char *slash = strrchr(path, '/');
	char *name = arena_strdup(a, slash ? slash + 1 : path);

	if (str_ends(path, ".deb")) {
		char *end = strchr(name, '_');

		if (!end)
			return NULL;
		*end = '\0';
		return name;
	}
	if (!str_ends(path, ".rpm"))
		return NULL;
	for (int dashes = 0; dashes < 2; dashes++) {
		char *dash = strrchr(name, '-');

		if (!dash)
			return NULL;
		*dash = '\0';
	}
	return name;
}

static int claim_files(struct step *s, struct packages_spec *p, struct err *e)
{
	for (size_t i = 0; i < p->files.n; i++) {
		int r = claim_path(s, "files", &p->files.items[i], e);

		if (r < 0)
			return r;
		const char *name = name_of_file(p->files.items[i], s->arena);
		if (!name || !is_package(name))
			return doc_err(claim_item(s, "files", i), e, REASON_INPUT_RANGE,
			               "'%s' is not named as a package file: expected "
			               "NAME_VERSION_ARCH.deb or NAME-VERSION-RELEASE.ARCH.rpm",
			               p->files.items[i]);
		step_needs(s, "path:%s", p->files.items[i]);
		provide(s, name, strlen(name));
		p->wanted.items[p->wanted.n++] = name;
	}
	return 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct packages_spec *p = fields;

	(void)facts;
	p->wanted.items =
	        arena_array(s->arena, p->names.n + p->files.n + 1, sizeof *p->wanted.items);
	for (size_t i = 0; i < p->names.n; i++) {
		const char *name = p->names.items[i];
		size_t len = strcspn(name, "=");

		if (strchr(name, '/') && strchr(name, '/') > name && *name != '.')
			return doc_err(claim_item(s, "names", i), e, REASON_INPUT_RANGE,
			               "'%s' names a release as apt's command line does: expected "
			               "name or name=version",
			               name);
		if (str_ends(name, "-"))
			return doc_err(claim_item(s, "names", i), e, REASON_INPUT_RANGE,
			               "'%s' would make apt remove a package: this section only "
			               "installs",
			               name);
		if (!is_package(name))
			return doc_err(claim_item(s, "names", i), e, REASON_INPUT_RANGE,
			               "'%s' is not a package: expected name or name=version",
			               name);
		provide(s, name, len);
		p->wanted.items[p->wanted.n++] = name;
	}
	step_needs(s, "packages:sources");
	step_needs(s, "name:self");
	return claim_files(s, p, e);
}

static const struct manager *find_manager(const struct step_ctx *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(managers); i++)
		if (host_exists(c->host, managers[i].program))
			return &managers[i];
	err_set(e, ERR_HOST, REASON_HOST_PACKAGE, ENOENT,
	        "looking for packages: this machine has none of apt-get, dnf, yum");
	return NULL;
}

static const char **new_argv(const struct step_ctx *c, const char *const *words, size_t more)
{
	size_t n = 0;

	while (words[n])
		n++;
	const char **argv = arena_array(c->arena, n + more + 1, sizeof *argv);
	memcpy(argv, words, n * sizeof *argv);
	return argv;
}

static size_t argv_len(const char *const *argv)
{
	size_t n = 0;

	while (argv[n])
		n++;
	return n;
}

static void log_line(void *ctx, const char *line)
{
	(void)ctx;
	log_debug("%s", line);
}

static int run(const struct step_ctx *c, const char *const *argv, bool changes,
               struct host_result *ret, struct err *e)
{
	const struct host_exec x = {.argv = argv,
	                            .env = environment,
	                            .changes = changes,
	                            .deadline = c->deadline,
	                            .line = changes ? log_line : NULL};

	return host_run(c->host, &x, c->arena, ret, e);
}

/* Whether the query's output has the line "installed NAME VERSION"; the version may omit the
 * release, as rpm's users do. */
static bool has_installed(struct blob answer, const char *package)
{
	size_t len = strcspn(package, "=");
	const char *version = package[len] ? package + len + 1 : NULL;
	const char *line = answer.data, *end = answer.data + answer.len;

	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *at = line + strlen("installed ");
		const char *stop = next ? next : end;

		line = next ? next + 1 : end;
		if (stop - at <= (ptrdiff_t)len || strncmp(at - 10, "installed ", 10) != 0 ||
		    strncmp(at, package, len) != 0 || at[len] != ' ')
			continue;
		if (!version)
			return true;
		at += len + 1;
		size_t n = strlen(version);
		if ((size_t)(stop - at) >= n && !strncmp(at, version, n) &&
		    (at + n == stop || at[n] == '-'))
			return true;
	}
	return false;
}

static int query(const struct step_ctx *c, const struct packages_spec *p, const struct manager *m,
                 struct blob *ret, struct err *e)
{
	struct host_result answer;
	const char **argv = new_argv(c, m->query, p->wanted.n);
	size_t n = argv_len(argv);
	for (size_t i = 0; i < p->wanted.n; i++) {
		const char *name = p->wanted.items[i];

		argv[n++] = arena_printf(c->arena, "%.*s", (int)strcspn(name, "="), name);
	}
	int r = run(c, argv, false, &answer, e);
	if (r < 0)
		return r;
	*ret = answer.out;
	return 0;
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct packages_spec *p = fields;
	const struct manager *m = find_manager(c, e);
	struct blob there;
	int r;

	if (!m)
		return -ENOENT;
	if (p->wanted.n == 0)
		return 1;
	if (!m->database || !baked_packages(c->host, m->database, c->arena, &there)) {
		r = query(c, p, m, &there, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < p->wanted.n; i++)
		if (!has_installed(there, p->wanted.items[i]))
			return 0;
	return 1;
}

/* Network failures are temporary, so the step is retried until its deadline; others are final. */
static int failed(const struct host_result *res, const char *what, struct err *e)
{
	struct blob text = res->errout.len ? res->errout : res->out;
	enum err_kind kind = ERR_HOST;
	char how[HOST_HOW];
	size_t end = text.len, start;

	for (size_t i = 0; i < ARRAY_LEN(network_words); i++)
		if (memmem(text.data, text.len, network_words[i], strlen(network_words[i])))
			kind = ERR_RETRY;
	while (end > 0 && (text.data[end - 1] == '\n' || text.data[end - 1] == ' '))
		end--;
	for (start = end; start > 0 && text.data[start - 1] != '\n';)
		start--;
	return err_set(e, kind, REASON_HOST_PACKAGE, EIO, "%s: %s: %.*s", what,
	               host_how_ended(res, how), (int)(end - start),
	               text.data ? text.data + start : "");
}

static int update(const struct step_ctx *c, const struct manager *m, struct err *e)
{
	struct host_result res;
	int r = run(c, m->update, true, &res, e);

	if (r < 0)
		return r;
	return res.status ? failed(&res, "fetching package lists", e) : 0;
}

static int install(const struct step_ctx *c, const struct packages_spec *p, const struct manager *m,
                   struct err *e)
{
	const char **argv = new_argv(c, m->install, p->names.n + p->files.n);
	size_t n = argv_len(argv);
	struct host_result res;

	for (size_t i = 0; i < p->names.n; i++) {
		char *word = arena_strdup(c->arena, p->names.items[i]);
		size_t at = strcspn(word, "=");

		if (word[at])
			word[at] = m->pin;
		argv[n++] = word;
	}
	for (size_t i = 0; i < p->files.n; i++)
		argv[n++] = p->files.items[i];
	int r = run(c, argv, true, &res, e);
	if (r < 0)
		return r;
	return res.status ? failed(&res, "installing packages", e) : 0;
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct packages_spec *p = fields;
	const struct manager *m = find_manager(c, e);
	int r;

	if (!m)
		return -ENOENT;
	if (p->update == UPDATE_ALWAYS) {
		r = update(c, m, e);
		if (r < 0)
			return r;
	}
	r = install(c, p, m, e);
	if (r == 0 || p->update != UPDATE_IF_NEEDED || e->reason != REASON_HOST_PACKAGE)
		return r;
	log_info("%s; fetching the package lists and trying again", e->text);
	r = update(c, m, e);
	return r < 0 ? r : install(c, p, m, e);
}

static bool network(const void *fields)
{
	(void)fields;
	return true;
}

const struct kind kind_packages = {
        .section = "packages",
        .summary = "distribution packages that are installed",
        .shape = KIND_STRINGS,
        .fields = packages_fields,
        .size = sizeof(struct packages_spec),
        .timeout_ms = 600000,
        .network = network,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
