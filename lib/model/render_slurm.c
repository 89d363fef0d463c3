/* SPDX-License-Identifier: Apache-2.0 */
/* Writes slurm.conf's settings of the whole cluster, each a row with the releases it is for. */
#include <stdio.h>

#include "model/render_own.h"
#include "model/slurmdbd.h"

#define NEVER_S     2147483 /* see idle() */
#define DYNAMIC_MAX 64000   /* nodes that may join without being named here */
#define LAST        9999    /* any release */

/* ---- values that follow from the model: NULL leaves the key out ---- */

/* slurmctld listens on IPv6 only where it is told to. */
static const char *communication(struct render *r)
{
	const char *address = r->model->head_address;

	return address && strchr(address, ':') ? "EnableIPv6" : NULL;
}

static const char *cluster(struct render *r)
{
	return r->model->cluster;
}

/* The address in parentheses spares nodes a question to DNS. */
static const char *controller(struct render *r)
{
	const struct model *m = r->model;

	return m->head_address ? arena_printf(r->arena, "%s(%s)", m->head, m->head_address)
	                       : m->head;
}

/*
 * With SuspendTime=-1 slurmctld doesn't only never suspend: it gives up power saving, and starts no
 * node any more. A very long time is the same to people.
 */
static const char *idle(struct render *r)
{
	int64_t s = r->model->idle_s;

	return arena_printf(r->arena, "%lld", (long long)(s < 0 ? NEVER_S : s));
}

static const char *start(struct render *r)
{
	return arena_printf(r->arena, "%llu", (unsigned long long)r->model->start_s);
}

static const char *program(struct render *r, const char *name)
{
	return arena_printf(r->arena, "%s/%s", r->model->programs, name);
}

/* Ranges, as slurmctld 22.05 takes the name of a set for a node that isn't there, and would then
 * suspend what is always to run. */
static const char *static_nodes(struct render *r)
{
	const struct model *m = r->model;
	struct strbuf b = render_room(r, 64);

	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++) {
			const struct model_resource *c = &m->queues[i].resources[k];

			if (!c->static_nodes)
				continue;
			strbuf_str(&b, b.len ? "," : "");
			render_range(&b, &m->queues[i], c, "st", c->static_nodes);
		}
	return b.len ? b.data : NULL;
}

static uint64_t count_nodes(const struct model *m)
{
	uint64_t n = 0;

	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++)
			n += (uint64_t)m->queues[i].resources[k].static_nodes +
			     m->queues[i].resources[k].dynamic_nodes;
	return n;
}

static const char *node_count(struct render *r)
{
	uint64_t n = count_nodes(r->model);

	return arena_printf(r->arena, "%llu",
	                    (unsigned long long)(n < DYNAMIC_MAX ? DYNAMIC_MAX : n));
}

static const char *consumables(struct render *r)
{
	return r->model->memory_scheduling ? "CR_CPU_Memory" : "CR_CPU";
}

static bool has_gpus(const struct model *m)
{
	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++)
			if (m->queues[i].resources[k].gpus)
				return true;
	return false;
}

static const char *gres(struct render *r)
{
	return has_gpus(r->model) ? "gpu" : NULL;
}

static const char *if_directory(struct render *r, const char *value)
{
	return r->model->directory_service ? value : NULL;
}

static const char *if_accounting(struct render *r, const char *value)
{
	return r->model->database ? value : NULL;
}

static const char *storage_host(struct render *r)
{
	const struct model_database *d = r->model->database;

	return d ? d->external ? d->host : r->model->head : NULL;
}

static const char *storage_port(struct render *r)
{
	const struct model_database *d = r->model->database;

	return d ? arena_printf(r->arena, "%llu",
	                        (unsigned long long)(d->external ? d->port : SLURMDBD_PORT))
	         : NULL;
}

/* ---- the rows ---- */

#define CONTROLLER_BOTH                                                                            \
	"enable_configless,idle_on_node_suspend,node_reg_mem_percent=75,"                          \
	"power_save_interval=1,power_save_min_interval=0"

/*
 * The times and plugins are those of ParallelCluster's template. What differs, and why:
 *   ReturnToService 2           with 1 a node that rebooted unasked stays down
 *   power_save_*interval        a node is started within a second of its job
 *   cloud_reg_addrs             nodes need no DNS; from 23.11 on it is always so, and no word
 *   PrivateData                 from 23.02 on nodes that are powered down are always shown, and the word does nothing
 *   UnkillableStepTimeout       later releases want 5 times MessageTimeout, or nodes may go down
 *   TreeWidth                   before 23.11 a node can't pass a message on to one that DNS doesn't know
 *   PrologSlurmctld             ends when a job's nodes are up: else a job waits for up to 30 s
 *   SwitchType, JobCompType     have no plugin `none` any more
 */
static const struct row {
	const char *key;
	unsigned since, until; /* releases, both included */
	const char *text;      /* NULL: value() */
	const char *(*value)(struct render *r);
	const char *(*of)(struct render *r, const char *text); /* NULL: the text itself */
} rows[] = {
        {"ClusterName", 0, LAST, NULL, cluster},
        {"SlurmctldHost", 0, LAST, NULL, controller},
        {"SlurmctldParameters", 0, 2302, CONTROLLER_BOTH ",cloud_reg_addrs", NULL},
        {"SlurmctldParameters", 2311, LAST, CONTROLLER_BOTH, NULL},
        {"CommunicationParameters", 0, LAST, NULL, communication},
        {"SlurmUser", 0, LAST, "slurm", NULL},
        {"AuthType", 0, LAST, "auth/munge", NULL},
        {"AuthInfo", 0, LAST, "cred_expire=70", NULL},
        {"StateSaveLocation", 0, LAST, MODEL_STATE_DIR, NULL},
        {"SlurmdSpoolDir", 0, LAST, "/var/spool/slurmd", NULL},
        {"SlurmctldPidFile", 0, LAST, "/run/slurmctld.pid", NULL},
        {"SlurmdPidFile", 0, LAST, "/run/slurmd.pid", NULL},
        {"SlurmctldLogFile", 0, LAST, "/var/log/slurm/slurmctld.log", NULL},
        {"SlurmdLogFile", 0, LAST, "/var/log/slurm/slurmd.log", NULL},
        {"DebugFlags", 0, LAST, "Power", NULL},
        {"PrivateData", 0, 2205, "cloud", NULL},
        {"ReturnToService", 0, LAST, "2", NULL},
        {"ReconfigFlags", 0, LAST, "KeepPartState", NULL},
        {"RebootProgram", 0, LAST, "/sbin/reboot", NULL},
        {"MaxNodeCount", 0, LAST, NULL, node_count},
        {"TreeWidth", 0, 2302, "65533", NULL},
        {"SlurmctldTimeout", 0, LAST, "300", NULL},
        {"SlurmdTimeout", 0, LAST, "180", NULL},
        {"MessageTimeout", 0, LAST, "60", NULL},
        {"BatchStartTimeout", 0, LAST, "180", NULL},
        {"UnkillableStepTimeout", 0, 2205, "180", NULL},
        {"UnkillableStepTimeout", 2302, LAST, "300", NULL},
        {"KillWait", 0, LAST, "30", NULL},
        {"MinJobAge", 0, LAST, "300", NULL},
        {"InactiveLimit", 0, LAST, "0", NULL},
        {"SchedulerType", 0, LAST, "sched/backfill", NULL},
        {"SchedulerParameters", 0, LAST, "nohold_on_prolog_fail", NULL},
        {"SelectType", 0, LAST, "select/cons_tres", NULL},
        {"SelectTypeParameters", 0, LAST, NULL, consumables},
        {"EnforcePartLimits", 0, LAST, "ALL", NULL},
        {"MpiDefault", 0, LAST, "none", NULL},
        {"ProctrackType", 0, LAST, "proctrack/cgroup", NULL},
        {"TaskPlugin", 0, LAST, "task/affinity,task/cgroup", NULL},
        {"LaunchParameters", 0, LAST, "enable_nss_slurm", NULL, if_directory},
        {"GresTypes", 0, LAST, NULL, gres},
        {"PrologSlurmctld", 0, LAST, "slurm-prolog-wait", NULL, program},
        {"ResumeProgram", 0, LAST, "slurm-resume", NULL, program},
        {"ResumeFailProgram", 0, LAST, "slurm-resume-fail", NULL, program},
        {"ResumeTimeout", 0, LAST, NULL, start},
        {"ResumeRate", 0, LAST, "0", NULL},
        {"SuspendProgram", 0, LAST, "slurm-suspend", NULL, program},
        {"SuspendTime", 0, LAST, NULL, idle},
        {"SuspendTimeout", 0, LAST, "120", NULL},
        {"SuspendRate", 0, LAST, "0", NULL},
        {"SuspendExcNodes", 0, LAST, NULL, static_nodes},
        {"AccountingStorageType", 0, LAST, "accounting_storage/slurmdbd", NULL, if_accounting},
        {"AccountingStorageHost", 0, LAST, NULL, storage_host},
        {"AccountingStoragePort", 0, LAST, NULL, storage_port},
        {"AccountingStorageUser", 0, LAST, "slurm", NULL, if_accounting},
        {"JobAcctGatherType", 0, LAST, "jobacct_gather/cgroup", NULL, if_accounting},
};

/* A key that the administrator sets in a line of its own is theirs alone: Slurm takes the last one,
 * and complains. */
static bool is_theirs(const struct model *m, const char *key)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].n == 1 && render_set(&m->lines[i], key))
			return true;
	return false;
}

static const char *row_value(struct render *r, const struct row *row)
{
	if (!row->text)
		return row->value(r);
	return row->of ? row->of(r, row->text) : row->text;
}

void render_globals(struct render *r)
{
	for (size_t i = 0; i < ARRAY_LEN(rows) && !r->faults.ended; i++) {
		const struct row *row = &rows[i];
		const struct model_setting own = {.key = row->key};

		if (r->slurm < row->since || r->slurm > row->until || is_theirs(r->model, row->key))
			continue;
		const char *value = row_value(r, row);
		if (value && render_has(r, SLURMKEY_GLOBAL, &own))
			strbuf_printf(&r->out, "%s=%s\n", row->key, value);
	}
}
