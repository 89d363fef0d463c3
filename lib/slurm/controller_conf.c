/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads slurm.conf as far as the kind `slurm-controller` needs it: places, partitions, and digests
 * that tell whether what changed needs a restart.
 *
 * Which keys don't is a short list of those that slurm.conf(5) lets take effect by `scontrol
 * reconfigure`. Whatever isn't in it counts as needing one: a restart takes a second and loses
 * nothing, while a change of nodes that is only reconfigured is refused or lost before 23.11.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/scope.h"
#include "slurm/controller_own.h"

#define CONF_MAX     (64UL << 20) /* bytes of one file; 10,000 nodes by name are 4 MiB */
#define INCLUDES_MAX 64

static const char conf_dir[] = "/etc/slurm";

static const char *const passing_keys[] = {
        "Include",
        "PartitionName",
        "SuspendTime",
        "SuspendTimeout",
        "SuspendExcNodes",
        "SuspendExcParts",
        "SuspendExcStates",
        "SuspendRate",
        "ResumeTimeout",
        "ResumeRate",
        "ResumeProgram",
        "SuspendProgram",
        "ResumeFailProgram",
        "Prolog",
        "Epilog",
        "PrologSlurmctld",
        "EpilogSlurmctld",
        "TaskProlog",
        "TaskEpilog",
        "SlurmctldDebug",
        "SlurmdDebug",
        "DebugFlags",
        "SlurmctldTimeout",
        "SlurmdTimeout",
        "MessageTimeout",
        "KillWait",
        "MinJobAge",
        "SchedulerParameters",
        "ReturnToService",
        "InactiveLimit",
        "BatchStartTimeout",
        "MailProg",
        "UnkillableStepTimeout",
        "LaunchParameters",
        "HealthCheckInterval",
        "HealthCheckProgram",
        "MaxJobCount",
};
/* Beside slurm.conf; the last one concerns nodes alone, which get it by a reconfigure. */
static const char *const beside[] = {"gres.conf", "topology.conf", "topology.yaml",
                                     "job_container.conf", "cgroup.conf"};

struct reading {
	const struct step_ctx *ctx;
	struct controller_conf *conf;
	struct digest *all, *lasting;
	size_t includes;
	struct err *err;
};

static int read_conf(struct reading *r, const char *path);

/* Where the value of "Key=Value" begins. There may be blanks around '=', and an operator before it:
 * src/common/parse_config.c. NULL: it is no setting. */
static const char *past_equals(const char *at)
{
	at += strspn(at, " \t");
	at += *at && strchr("-+*/", *at) ? 1 : 0;
	if (*at != '=')
		return NULL;
	at++;
	return at + strspn(at, " \t");
}

/* The value of "Key=Value" or of " Key=Value" further on in the line; NULL: it has none. */
static const char *value_of(struct reading *r, const char *line, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = line; (at = strcasestr(at, key)); at += len) {
		const char *value = past_equals(at + len);

		if ((at > line && !strchr(" \t", at[-1])) || !value)
			continue;
		value += *value == '"';
		return arena_memdup(r->ctx->arena, value, strcspn(value, " \t\"\r"));
	}
	return NULL;
}

static bool begins(const char *line, const char *key)
{
	size_t len = strlen(key);

	return strncasecmp(line, key, len) == 0 && line[len] && strchr("= \t-+*/", line[len]);
}

static bool is_passing(const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(passing_keys); i++)
		if (begins(line, passing_keys[i]))
			return true;
	return false;
}

static void take_partition(struct reading *r, const char *name)
{
	struct field_strings *p = &r->conf->partitions;

	if (!name || !*name || strcasecmp(name, "DEFAULT") == 0)
		return;
	p->items = arena_grow(r->ctx->arena, p->items, &p->n, sizeof *p->items);
	p->items[p->n - 1] = name;
}

static void take_line(struct reading *r, const char *line)
{
	static const struct {
		const char *key;
		size_t offset;
	} wanted[] = {
	        {"SlurmUser", offsetof(struct controller_conf, user)},
	        {"StateSaveLocation", offsetof(struct controller_conf, state_dir)},
	        {"SlurmctldLogFile", offsetof(struct controller_conf, log)},
	        {"ResumeProgram", offsetof(struct controller_conf, resume)},
	        {"SuspendProgram", offsetof(struct controller_conf, suspend)},
	        {"ResumeFailProgram", offsetof(struct controller_conf, resume_fail)},
	        {"PrologSlurmctld", offsetof(struct controller_conf, prolog)},
	};

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (begins(line, wanted[i].key))
			*(const char **)((char *)r->conf + wanted[i].offset) =
			        value_of(r, line, wanted[i].key);
	if (begins(line, "PartitionName"))
		take_partition(r, value_of(r, line, "PartitionName"));
}

static int include(struct reading *r, const char *line)
{
	const char *name = line + strlen("include");

	name += strspn(name, " \t");
	name = arena_memdup(r->ctx->arena, name, strcspn(name, " \t\r"));
	if (++r->includes > INCLUDES_MAX)
		return err_set(r->err, ERR_INPUT, REASON_INPUT_LIMIT, ELOOP,
		               "reading '%s': more than %d files are included", CONTROLLER_CONF,
		               INCLUDES_MAX);
	return read_conf(r, *name == '/' ? name
	                                 : arena_printf(r->ctx->arena, "%s/%s", conf_dir, name));
}

/* `continued`: the line before ended with a backslash, and was `passing` or not. */
static int read_line(struct reading *r, const char *line, bool continued, bool *passing)
{
	line += strspn(line, " \t");
	digest_add(r->all, line, strlen(line) + 1);
	if (!*line || *line == '#')
		return 0;
	if (!continued)
		*passing = is_passing(line);
	if (!*passing)
		digest_add(r->lasting, line, strlen(line) + 1);
	if (continued)
		return 0;
	if (begins(line, "include"))
		return include(r, line);
	take_line(r, line);
	return 0;
}

static void later(struct reading *r, const struct timespec *at)
{
	uint64_t us = (uint64_t)at->tv_sec * 1000000 + (uint64_t)at->tv_nsec / 1000;

	if (us > r->conf->changed_us)
		r->conf->changed_us = us;
}

/* Of the file itself, wherever links lead. A copy may have an old time of modification, but came
 * now. */
static void note_change(struct reading *r, const char *path)
{
	scope_fd int fd = file_open(host_root_fd(r->ctx->host), path, O_PATH, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	later(r, &st.st_mtim);
	later(r, &st.st_ctim);
}

static int read_lines(struct reading *r, char *text)
{
	bool continued = false, passing = false;

	for (char *line = text; line;) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		int result = read_line(r, line, continued, &passing);
		if (result < 0)
			return result;
		continued = str_ends(line, "\\");
		line = end ? end + 1 : NULL;
	}
	return 0;
}

static int read_conf(struct reading *r, const char *path)
{
	struct blob text;

	if (!host_exists(r->ctx->host, path))
		return err_set(r->err, ERR_HOST, REASON_SLURM_CONF, ENOENT,
		               "reading the controller's configuration: there is no '%s'", path);
	note_change(r, path);
	int result = host_read(r->ctx->host, path, CONF_MAX, r->ctx->arena, &text, r->err);
	if (result < 0)
		return result;
	if (strlen(text.data) != text.len)
		return err_set(r->err, ERR_HOST, REASON_SLURM_CONF, EINVAL,
		               "reading '%s': it contains a NUL", path);
	return read_lines(r, arena_memdup(r->ctx->arena, text.data, text.len));
}

/* A file beside it counts as a whole. */
static int read_beside(struct reading *r, const char *name)
{
	const char *path = arena_printf(r->ctx->arena, "%s/%s", conf_dir, name);
	struct blob text;

	int result = host_lookup(r->ctx->host, path, r->err);
	if (result <= 0)
		return result;
	note_change(r, path);
	result = host_read(r->ctx->host, path, CONF_MAX, r->ctx->arena, &text, r->err);
	if (result < 0)
		return result;
	digest_add(r->all, name, strlen(name) + 1);
	digest_add(r->all, text.data, text.len);
	if (str_eq(name, "cgroup.conf"))
		return 0;
	digest_add(r->lasting, name, strlen(name) + 1);
	digest_add(r->lasting, text.data, text.len);
	return 0;
}

/* What slurmctld would find there: "none", or whose it is to run and to write. */
static int look_at_program(struct reading *r, const char *path, const char **ret)
{
	struct stat st;

	*ret = "none";
	if (*path != '/')
		return 0;
	int result = host_lookup(r->ctx->host, path, r->err);
	if (result <= 0)
		return result;
	scope_fd int fd = file_open(host_root_fd(r->ctx->host), path, O_PATH, 0);
	if (fd == -ENOENT) { /* a link to nowhere, or an earlier step of a dry run makes it */
		*ret = host_mode(r->ctx->host) == HOST_DRY ? "to come" : "none";
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(r->err, ERR_HOST, REASON_HOST_FILE, fd < 0 ? -fd : errno,
		               "looking at '%s', which slurm.conf names: %s", path,
		               strerror(fd < 0 ? -fd : errno));
	later(r, &st.st_ctim); /* that of modification is the package's */
	*ret = arena_printf(r->ctx->arena, "%o %u:%u", st.st_mode, st.st_uid, st.st_gid);
	return 0;
}

/* When it starts, slurmctld looks whether there is such a program, and whose it is to run and to
 * write; if not so, power saving is off until the next start. What is in the program counts as
 * little as its name: it is read at each call. */
static int read_program(struct reading *r, const char *key, const char *path)
{
	struct digest *const digests[] = {r->all, r->lasting};
	const char *state;

	if (!path)
		return 0;
	int result = look_at_program(r, path, &state);
	if (result < 0)
		return result;
	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		digest_add(digests[i], key, strlen(key) + 1);
		digest_add(digests[i], state, strlen(state) + 1);
	}
	return 0;
}

static int read_programs(struct reading *r)
{
	const struct {
		const char *key, *path;
	} rows[] = {
	        {"ResumeProgram", r->conf->resume},
	        {"SuspendProgram", r->conf->suspend},
	        {"ResumeFailProgram", r->conf->resume_fail},
	        {"PrologSlurmctld", r->conf->prolog},
	};
	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows) && result == 0; i++)
		result = read_program(r, rows[i].key, rows[i].path);
	return result;
}

static int read_all(struct reading *r)
{
	int result = read_conf(r, CONTROLLER_CONF);

	for (size_t i = 0; i < ARRAY_LEN(beside) && result == 0; i++)
		result = read_beside(r, beside[i]);
	return result < 0 ? result : read_programs(r);
}

static void finish(struct digest *d, char hex[static SHA256_HEX])
{
	unsigned char sum[SHA256_LEN];

	digest_sum(d, sum);
	str_hex(sum, sizeof sum, hex);
}

int controller_conf_read(const struct step_ctx *c, struct controller_conf *ret, struct err *e)
{
	scope_digest struct digest *all = digest_new();
	scope_digest struct digest *lasting = digest_new();
	struct controller_conf conf = {0};
	struct reading r = {.ctx = c, .conf = &conf, .all = all, .lasting = lasting, .err = e};
	int result = read_all(&r);

	if (result < 0)
		return result;
	/* What slurm.conf(5) says of those that aren't there. */
	conf.user = conf.user ? conf.user : "root";
	conf.state_dir = conf.state_dir ? conf.state_dir : "/var/spool";
	finish(all, conf.all);
	finish(lasting, conf.lasting);
	*ret = conf;
	return 0;
}
