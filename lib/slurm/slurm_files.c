/* SPDX-License-Identifier: Apache-2.0 */
/* Writes slurmd's arguments, unit and drop-in. */
#include "slurm/slurm_own.h"

#define OPTIONS_MAX (8UL << 10)
#define DROPIN      "slurmd.service.d/10-hpc-node.conf"
#define UNIT_PATH   "/etc/systemd/system/slurmd.service"
#define CGROUP_PATH "/etc/slurm/cgroup.conf"
#define SPOOL_DIR   "/var/spool/slurmd"
#define LOG_DIR     "/var/log/slurm"

/* The same settings as units/slurmd.service.d/10-hpc-node.conf, for machines that only have the
 * program. */
static const char dropin_text[] = "[Unit]\n"
                                  "ConditionPathExists=\n"
                                  "StartLimitIntervalSec=0\n"
                                  "\n"
                                  "[Service]\n"
                                  "EnvironmentFile=-/etc/default/slurmd\n"
                                  "EnvironmentFile=-/etc/sysconfig/slurmd\n"
                                  "Restart=on-failure\n"
                                  "RestartSec=2\n";

/* For a Slurm that was built from source without a unit. -s: slurmd(8). */
static const char unit_text[] = "[Unit]\n"
                                "Description=Slurm node daemon\n"
                                "After=munge.service remote-fs.target\n"
                                "StartLimitIntervalSec=0\n"
                                "\n"
                                "[Service]\n"
                                "Type=simple\n"
                                "EnvironmentFile=-/etc/default/slurmd\n"
                                "EnvironmentFile=-/etc/sysconfig/slurmd\n"
                                "ExecStart=%s -D -s $SLURMD_OPTIONS\n"
                                "ExecReload=/bin/kill -HUP $MAINPID\n"
                                "KillMode=process\n"
                                "LimitNOFILE=131072\n"
                                "LimitMEMLOCK=infinity\n"
                                "LimitSTACK=infinity\n"
                                "Delegate=yes\n"
                                "TasksMax=infinity\n"
                                "Restart=on-failure\n"
                                "RestartSec=2\n"
                                "\n"
                                "[Install]\n"
                                "WantedBy=multi-user.target\n";

static const char *const unit_dirs[] = {"/etc/systemd/system", "/usr/local/lib/systemd/system",
                                        "/usr/lib/systemd/system", "/lib/systemd/system"};

/* slurmd's arguments, NULL-terminated. */
static const char **arguments(const struct slurm_spec *s, struct arena *a)
{
	const char **argv = arena_array(a, 12 + s->options.n, sizeof *argv);
	size_t n = 0;

	/* Sets the boot time to slurmd's start: a machine that was up before slurmctld resumed the
	 * node (warm pool, container) would otherwise be ignored when it registers. */
	argv[n++] = "-b";
	argv[n++] = "-N";
	argv[n++] = s->node;
	if (s->configless && s->server) {
		argv[n++] = "--conf-server";
		argv[n++] = s->server;
	}
	if (s->dynamic) {
		argv[n++] = "-Z";
		argv[n++] = "--conf";
		argv[n++] = s->dynamic;
	}
	for (size_t i = 0; i < s->options.n; i++)
		argv[n++] = s->options.items[i];
	return argv;
}

const char *slurm_options_path(const struct step_ctx *c, const char *daemon)
{
	bool debian = host_exists(c->host, "/etc/debian_version");

	return arena_printf(c->arena, "/etc/%s/%s", debian ? "default" : "sysconfig", daemon);
}

/* systemd splits $SLURMD_OPTIONS at blanks and interprets quotes; claim refused words that need
 * them. */
static struct blob options_text(const struct slurm_spec *s, struct arena *a)
{
	struct strbuf out = STRBUF(a, OPTIONS_MAX);
	const char **argv = arguments(s, a);

	strbuf_str(&out,
	           "# Written by hpc-agent from the section 'slurm'; changes here don't last.\n"
	           "SLURMD_OPTIONS=\"");
	for (size_t i = 0; argv[i]; i++) {
		const char *quote = strpbrk(argv[i], " \t") ? "'" : "";

		strbuf_printf(&out, "%s%s%s%s", i ? " " : "", quote, argv[i], quote);
	}
	strbuf_str(&out, "\"\n");
	return (struct blob){out.data, out.len};
}

/* A file that slurmd's unit needs from us; path NULL: none. */
struct unit_file {
	const char *path;
	struct blob text;
};

static struct unit_file unit_file(const struct step_ctx *c, const struct slurm_spec *s)
{
	struct arena *a = c->arena;

	if (s->prefix) {
		const char *program = slurm_program(s, a, "sbin", "slurmd");
		char *text = arena_printf(a, unit_text, program);

		return (struct unit_file){UNIT_PATH, {text, strlen(text)}};
	}
	for (size_t i = 1; i < ARRAY_LEN(unit_dirs); i++)
		if (host_exists(c->host, arena_printf(a, "%s/%s", unit_dirs[i], DROPIN)))
			return (struct unit_file){NULL, {"", 0}};
	return (struct unit_file){arena_printf(a, "%s/%s", unit_dirs[0], DROPIN),
	                          {dropin_text, sizeof dropin_text - 1}};
}

/*
 * Only if slurm.conf is a file of this node: with --conf-server slurmd reads cgroup.conf from its
 * cache below the spool directory, where it stores what slurmctld sends and deletes what slurmctld
 * doesn't send (22.05); slurm_join.c warns of that. Below a prefix both come from the head node's
 * export.
 */
static bool has_own_cgroup_conf(const struct slurm_spec *s)
{
	return !s->configless && !s->prefix;
}

static const char *const dirs[] = {SPOOL_DIR, LOG_DIR};
static const struct host_owner root_owner = {0};

int slurm_files_hold(const struct step_ctx *c, const struct slurm_spec *s, struct err *e)
{
	struct unit_file unit = unit_file(c, s);
	int r = host_file_is(c->host, slurm_options_path(c, "slurmd"), options_text(s, c->arena),
	                     0644, &root_owner, e);

	if (r == 1 && unit.path)
		r = host_file_is(c->host, unit.path, unit.text, 0644, &root_owner, e);
	if (r == 1 && has_own_cgroup_conf(s))
		r = host_lookup(c->host, CGROUP_PATH, e);
	for (size_t i = 0; i < ARRAY_LEN(dirs) && r == 1; i++)
		r = host_lookup(c->host, dirs[i], e);
	return r;
}

static int make_dir(const struct step_ctx *c, const char *path, const struct host_owner *owner,
                    struct err *e)
{
	int r = host_lookup(c->host, path, e);

	return r == 0 ? host_mkdir(c->host, path, 0755, owner, e) : r < 0 ? r : 0;
}

static int make_dirs(const struct step_ctx *c, struct err *e)
{
	static const struct host_owner slurm = {.user = "slurm", .group = "slurm"};
	struct err ignored; /* SlurmUser may have another name, and root may write anywhere */
	uid_t uid;
	gid_t gid;
	bool known = host_owner_ids(c->host, &slurm, &uid, &gid, &ignored) == 0;
	int r = make_dir(c, SPOOL_DIR, &root_owner, e);

	return r < 0 ? r : make_dir(c, LOG_DIR, known ? &slurm : &root_owner, e);
}

int slurm_files_write(const struct step_ctx *c, const struct slurm_spec *s, struct err *e)
{
	static const char cgroup[] = "CgroupMountpoint=/sys/fs/cgroup\n";
	struct unit_file unit = unit_file(c, s);
	int r = make_dirs(c, e);

	if (r < 0)
		return r;
	r = has_own_cgroup_conf(s) ? host_lookup(c->host, CGROUP_PATH, e) : 1;
	if (r == 0)
		r = host_write(c->host, CGROUP_PATH, (struct blob){cgroup, sizeof cgroup - 1}, 0644,
		               &root_owner, e);
	if (r < 0)
		return r;
	r = host_write(c->host, slurm_options_path(c, "slurmd"), options_text(s, c->arena), 0644,
	               &root_owner, e);
	if (r < 0 || !unit.path)
		return r;
	return host_write(c->host, unit.path, unit.text, 0644, &root_owner, e);
}

int slurm_files_load(const struct step_ctx *c, const struct slurm_spec *s,
                     const struct host_unit_state *unit, struct err *e)
{
	static const char cache[] = "/run/slurm/conf";

	if (unit->need_reload || unit_file(c, s).path) {
		int r = host_daemon_reload(c->host, c->deadline, e);
		if (r < 0)
			return r;
	}
	if (unit->active || !s->configless || !host_exists(c->host, cache))
		return 0;
	return host_remove(c->host, cache, e);
}
