/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits: resource limits of logins and of services.
 *
 * A job's limits have two origins. slurmd's own are the ceiling: they come from its unit or, if
 * that sets none, from systemd's defaults, hence the drop-in for system.conf. The submitting
 * shell's soft limits are what Slurm carries over (PropagateResourceLimits=ALL by default): they
 * come from pam_limits, hence the file in limits.d. If only one of them is set, a job asks for more
 * than slurmd may give and fails, or MPI finds 64 KiB of lockable memory and no RDMA. One value
 * sets both the soft and the hard limit; "soft:hard" sets them apart. pam_limits' "*" doesn't
 * include root, so root has lines of its own. Running services keep their limits until they are
 * restarted.
 */
#include "kinds/kinds.h"
#include "machine/unit.h"
#include "plan/claim.h"

#define PAM_PATH     "/etc/security/limits.d/90-hpc-node.conf"
#define SYSTEMD_PATH "/etc/systemd/system.conf.d/90-hpc-node.conf"
#define TEXT_MAX     4096
#define NOFILE_MAX                                                                                 \
	1048576 /* fs.nr_open's default: beyond it setrlimit fails and nobody can log in */
#define HEAD "# Written by hpc-agent from the section 'limits'; changes here don't last.\n"

enum {
	LIMIT_CORE,
	LIMIT_MEMLOCK,
	LIMIT_NOFILE,
	LIMIT_NPROC,
	LIMIT_SIGPENDING,
	LIMIT_STACK,
	LIMIT_N
};

struct limits_spec {
	const char *text[LIMIT_N];
	struct limit {
		uint64_t soft, hard;
	} value[LIMIT_N]; /* set by claim */
};

#define UNLIMITED UINT64_MAX

#define FIELD(limit, key, what)                                                                    \
	{                                                                                          \
		key, FIELD_STRING, FIELD_AT(struct limits_spec, text[limit]), .help = what         \
	}
static const struct field limits_fields[] = {
        FIELD(LIMIT_CORE, "core", "size of core files: 0, a size like 2G, or unlimited"),
        FIELD(LIMIT_MEMLOCK, "memlock", "memory a process may lock; RDMA and EFA want unlimited"),
        FIELD(LIMIT_NOFILE, "nofile", "open files: a number, or soft:hard like 65536:1048576"),
        FIELD(LIMIT_NPROC, "nproc", "processes and threads of one user, or unlimited"),
        FIELD(LIMIT_SIGPENDING, "sigpending", "signals queued for one user, or unlimited"),
        FIELD(LIMIT_STACK, "stack", "stack of a process: a size like 64M, or unlimited"),
        {0},
};

/* The names of a limit in the two files, and the unit in which pam_limits counts it (systemd:
 * bytes). */
static const struct {
	const char *pam, *systemd;
	uint64_t pam_unit;
	bool size;
	uint64_t max; /* 0: none, and "unlimited" is one */
} limits[LIMIT_N] = {
        [LIMIT_CORE] = {"core", "DefaultLimitCORE", 1024, true, 0},
        [LIMIT_MEMLOCK] = {"memlock", "DefaultLimitMEMLOCK", 1024, true, 0},
        [LIMIT_NOFILE] = {"nofile", "DefaultLimitNOFILE", 1, false, NOFILE_MAX},
        [LIMIT_NPROC] = {"nproc", "DefaultLimitNPROC", 1, false, 0},
        [LIMIT_SIGPENDING] = {"sigpending", "DefaultLimitSIGPENDING", 1, false, 0},
        [LIMIT_STACK] = {"stack", "DefaultLimitSTACK", 1024, true, 0},
};

static int parse_one(size_t which, const char *text, uint64_t *ret)
{
	if (str_eq(text, "unlimited") || str_eq(text, "infinity")) {
		*ret = UNLIMITED;
		return limits[which].max ? -1 : 0;
	}
	if (limits[which].size)
		return str_size(text, ret);
	return str_u64(text, 0, limits[which].max ? limits[which].max : UINT64_MAX - 1, ret);
}

static int parse(struct arena *a, size_t which, const char *text, struct limit *ret)
{
	const char *colon = strchr(text, ':');

	if (!colon) {
		int r = parse_one(which, text, &ret->soft);
		ret->hard = ret->soft;
		return r;
	}
	const char *soft = arena_printf(a, "%.*s", (int)(colon - text), text);
	if (parse_one(which, soft, &ret->soft) < 0 || parse_one(which, colon + 1, &ret->hard) < 0)
		return -1;
	return ret->soft <= ret->hard ? 0 : -1;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct limits_spec *l = fields;

	(void)facts;
	for (size_t i = 0; i < LIMIT_N; i++) {
		if (!l->text[i] || parse(s->arena, i, l->text[i], &l->value[i]) == 0)
			continue;
		const struct doc *at = claim_at(s, limits[i].pam);
		if (limits[i].max)
			return doc_err(at, e, REASON_INPUT_RANGE,
			               "'%s' is not a number up to %llu, or soft:hard of such",
			               l->text[i], (unsigned long long)limits[i].max);
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "'%s' is neither a %s nor 'unlimited', nor soft:hard of such",
		               l->text[i], limits[i].size ? "size (e.g. 64M)" : "number");
	}
	step_provides(s, "limits:system");
	step_provides(s, "path:%s", PAM_PATH);
	step_provides(s, "path:%s", SYSTEMD_PATH);
	return 0;
}

static const char *number(struct arena *a, uint64_t value, uint64_t unit, const char *unlimited)
{
	return value == UNLIMITED ? unlimited
	                          : arena_printf(a, "%llu", (unsigned long long)(value / unit));
}

static struct blob pam_text(const struct limits_spec *l, struct arena *a)
{
	static const char *const domains[] = {"*", "root"};
	struct strbuf out = STRBUF(a, TEXT_MAX);

	strbuf_str(&out, HEAD);
	for (size_t i = 0; i < LIMIT_N; i++)
		for (size_t d = 0; l->text[i] && d < ARRAY_LEN(domains); d++) {
			uint64_t unit = limits[i].pam_unit;

			strbuf_printf(&out, "%s soft %s %s\n", domains[d], limits[i].pam,
			              number(a, l->value[i].soft, unit, "unlimited"));
			strbuf_printf(&out, "%s hard %s %s\n", domains[d], limits[i].pam,
			              number(a, l->value[i].hard, unit, "unlimited"));
		}
	return (struct blob){out.data, out.len};
}

static struct blob systemd_text(const struct limits_spec *l, struct arena *a)
{
	struct strbuf out = STRBUF(a, TEXT_MAX);

	strbuf_str(&out, HEAD "[Manager]\n");
	for (size_t i = 0; i < LIMIT_N; i++)
		if (l->text[i])
			strbuf_printf(&out, "%s=%s:%s\n", limits[i].systemd,
			              number(a, l->value[i].soft, 1, "infinity"),
			              number(a, l->value[i].hard, 1, "infinity"));
	return (struct blob){out.data, out.len};
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct host_owner root = {0};
	int r = host_file_is(c->host, PAM_PATH, pam_text(fields, c->arena), 0644, &root, e);

	return r <= 0 ? r
	              : host_file_is(c->host, SYSTEMD_PATH, systemd_text(fields, c->arena), 0644,
	                             &root, e);
}

/* pam's file last: a run killed before systemd has read its file leaves pam's unwritten, so the
 * next run applies the step again. */
static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct host_owner root = {0};
	int r = host_write(c->host, SYSTEMD_PATH, systemd_text(fields, c->arena), 0644, &root, e);

	if (r < 0)
		return r;
	if (host_is_self(c->host) && host_has_systemd(c->host)) {
		r = host_daemon_reload(c->host, c->deadline, e);
		if (r < 0)
			return r;
	}
	return host_write(c->host, PAM_PATH, pam_text(fields, c->arena), 0644, &root, e);
}

const struct kind kind_limits = {
        .section = "limits",
        .summary = "resource limits of logins (pam_limits) and services (systemd)",
        .shape = KIND_MAP,
        .fields = limits_fields,
        .size = sizeof(struct limits_spec),
        .timeout_ms = 30000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
