/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exports: directories of this machine, served over NFSv4.2 by the kernel's server.
 *
 * Holds if the kernel serves what the two files say: model/nfsd.h has their text,
 * exports_server.c writes them, starts the server and compares it. Other versions are off: 4.2
 * needs one port and neither rpcbind nor lockd. Every directory goes to the given networks and nowhere else. Exports that others wrote,
 * in /etc/exports or beside our file, stay.
 */
#include "data/network.h"
#include "kinds/exports_own.h"
#include "kinds/kinds.h"
#include "plan/claim.h"

#define NETWORKS_MAX 256
#define PATHS_MAX    256
#define GRACE_MAX_S  300 /* jobs wait that long after a restart */

static const char *const squashes[] = {"root", "all", "none", NULL}; /* as enum nfsd_squash */

static const struct field exports_fields[] = {
        {"networks", FIELD_STRINGS, FIELD_AT(struct exports_spec, networks), .required = true,
         .min = 1, .max = NETWORKS_MAX,
         .help = "who may mount: networks like 10.0.0.0/24 or fd00:1::/64, or single addresses"},
        {"read-write", FIELD_STRINGS, FIELD_AT(struct exports_spec, read_write), .max = PATHS_MAX,
         .help = "directories that clients may change"},
        {"read-only", FIELD_STRINGS, FIELD_AT(struct exports_spec, read_only), .max = PATHS_MAX,
         .help = "directories that clients may only read, like /opt/slurm"},
        {"squash", FIELD_CHOICE, FIELD_AT(struct exports_spec, squash), .choices = squashes,
         .help = "whose requests become nobody's: root's (default), all, none"},
        {"threads", FIELD_INT, FIELD_AT(struct exports_spec, threads), .min = 1,
         .max = NFSD_THREADS_MAX,
         .help = "threads of the server (default: 4 a core, at least 8, at most 256)"},
        {"grace", FIELD_DURATION, FIELD_AT(struct exports_spec, grace_ms),
         .min = NFSD_GRACE_S * 1000L, .max = GRACE_MAX_S * 1000L,
         .help = "how long clients have to reclaim their locks after a restart, and how long a "
                 "silent client keeps them (default: 10s)"},
        {0},
};

static const struct exports_spec exports_defaults = {.grace_ms = NFSD_GRACE_S * 1000UL};

/* ---- claim ---- */

/* Directories that would give away the machine: those below and above them are refused with them. */
static const char *const refused[] = {
        "/etc",  "/boot", "/dev", "/proc", "/sys", "/run", "/root", "/bin", "/var/lib/hpc-node",
        "/sbin", "/lib"};

/* exports(5) splits at blanks and has quotes and escapes of its own. */
static int claim_plain(const struct doc *at, const char *path, struct err *e)
{
	for (const char *p = path; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("\"\\()#", *p))
			return doc_err(at, e, REASON_INPUT_RANGE,
			               "'%s' can't be exported: expected a path of plain "
			               "characters, without blanks, quotes, '\\', '(', ')' or '#'",
			               path);
	return 0;
}

static int claim_dir(struct step *s, const char *key, struct field_strings *list, size_t i,
                     struct err *e)
{
	const struct doc *at = claim_item(s, key, i);
	int r = claim_path(s, key, &list->items[i], e);

	if (r < 0)
		return r;
	const char *path = list->items[i];
	if (str_eq(path, "/"))
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "'/' is the whole machine: name the directories to export");
	for (size_t k = 0; k < ARRAY_LEN(refused); k++) {
		if (str_is_below(path, refused[k]))
			return doc_err(at, e, REASON_INPUT_RANGE,
			               "'%s' belongs to this machine alone and is never exported",
			               path);
		if (str_is_below(refused[k], path))
			return doc_err(at, e, REASON_INPUT_RANGE,
			               "'%s' contains '%s', which belongs to this machine alone: "
			               "expected a directory of its own",
			               path, refused[k]);
	}
	step_needs(s, "path:%s", path);
	return claim_plain(at, path, e);
}

static bool is_listed(const struct field_strings *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list->items[i], path))
			return true;
	return false;
}

static int claim_dirs(struct step *s, struct exports_spec *x, struct err *e)
{
	struct field_strings *const lists[] = {&x->read_write, &x->read_only};
	static const char *const keys[] = {"read-write", "read-only"};

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			int r = claim_dir(s, keys[l], lists[l], i, e);
			if (r < 0)
				return r;
			const char *path = lists[l]->items[i];
			if (is_listed(lists[l], i, path) ||
			    (l > 0 && is_listed(lists[0], lists[0]->n, path)))
				return doc_err(claim_item(s, keys[l], i), e, REASON_INPUT_DUPLICATE,
				               "'%s' is exported twice", path);
		}
	if (!x->read_write.n && !x->read_only.n)
		return doc_err(s->at, e, REASON_INPUT_REQUIRED,
		               "nothing is exported: expected 'read-write' or 'read-only'");
	return 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct exports_spec *x = fields;

	(void)facts;
	for (size_t i = 0; i < x->networks.n; i++) {
		int r = network_check(claim_item(s, "networks", i), x->networks.items[i], e);
		if (r < 0)
			return r;
	}
	int r = claim_dirs(s, x, e);
	if (r < 0)
		return r;
	step_needs(s, "stage:start"); /* which may make what is exported */
	step_needs(s, "pkg:nfs-kernel-server");
	step_needs(s, "pkg:nfs-utils");
	step_provides(s, "path:%s", NFSD_EXPORTS_PATH);
	step_provides(s, "path:%s", NFSD_CONF_PATH);
	step_provides(s, "unit:%s", EXPORTS_UNIT);
	return 0;
}

const struct kind kind_exports = {
        .section = "exports",
        .summary = "directories that this machine serves over NFSv4.2",
        .shape = KIND_MAP,
        .fields = exports_fields,
        .size = sizeof(struct exports_spec),
        .defaults = &exports_defaults,
        .timeout_ms = 60000,
        .claim = claim,
        .probe = exports_probe,
        .apply = exports_apply,
};
