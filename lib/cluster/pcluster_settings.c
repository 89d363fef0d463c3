/* SPDX-License-Identifier: Apache-2.0 */
/* Translates the proxy and multithreading settings of a queue, a pool or the head to sections, and notes
 * what isn't carried out. */
#include "cluster/pcluster_own.h"
#include "data/scalar.h"

/* ---- the proxy ---- */

/* apt(8) needs the scheme. */
static const char *proxy_of(const struct pcluster_input *in, const struct doc *of)
{
	const struct doc *at = doc_find(of, "Networking.Proxy.HttpProxyAddress");

	if (!at || strstr(at->text, "://"))
		return at ? at->text : NULL;
	return arena_printf(in->arena, "http://%s", at->text);
}

/* Never through a proxy: this machine, its metadata service, and the head node. */
static const char *no_proxy(const struct pcluster_input *in)
{
	const char *head = in->node->head; /* one that is the head need not name itself */

	return arena_printf(in->arena, "localhost,127.0.0.1,::1,169.254.169.254,fd00:ec2::254%s%s",
	                    head ? "," : "", head ? head : "");
}

struct doc *pcluster_proxy_env(const struct pcluster_input *in, const struct doc *of)
{
	const char *proxy = proxy_of(in, of);

	if (!proxy)
		return NULL;
	struct doc *env = doc_new_map(in->arena, of);
	doc_put_text(in->arena, env, "http_proxy", proxy);
	doc_put_text(in->arena, env, "https_proxy", proxy);
	doc_put_text(in->arena, env, "no_proxy", no_proxy(in));
	return env;
}

static void add_file(const struct pcluster_input *in, struct doc *spec, const char *path,
                     const char *content)
{
	struct doc *file = doc_new_map(in->arena, spec);

	doc_put_text(in->arena, file, "path", path);
	doc_put_text(in->arena, file, "content", content);
	doc_push(in->arena, pcluster_section(in, spec, "files"), file);
}

/* For logins and jobs, and for apt; dnf reads the variables. */
static void add_proxy(const struct pcluster_input *in, const char *proxy, struct doc *spec)
{
	add_file(in, spec, "/etc/profile.d/hpc-node-proxy.sh",
	         arena_printf(in->arena, "export http_proxy='%s' https_proxy='%s' no_proxy='%s'\n",
	                      proxy, proxy, no_proxy(in)));
	if (pcluster_has_apt(in))
		add_file(in, spec, "/etc/apt/apt.conf.d/95hpc-node-proxy",
		         arena_printf(in->arena,
		                      "Acquire::http::Proxy \"%s\";\n"
		                      "Acquire::https::Proxy \"%s\";\n",
		                      proxy, proxy));
}

/* ---- simultaneous multithreading ---- */

/* Some instance types take this as a CPU option at launch; then it is off already. */
static void add_smt(const struct pcluster_input *in, const struct doc *at, struct doc *spec)
{
	static const char text[] = "#!/bin/sh\n"
	                           "control=/sys/devices/system/cpu/smt/control\n"
	                           "[ \"$(cat $control 2>/dev/null)\" != on ] || "
	                           "echo off >$control\n";
	struct doc *script = doc_new_map(in->arena, at);

	doc_put_text(in->arena, script, "id", "disable-smt");
	doc_put_text(in->arena, script, "stage", "start");
	doc_put_text(in->arena, script, "content", text);
	doc_push(in->arena, pcluster_section(in, spec, "scripts"), script);
}

/* ---- what is not carried out ---- */

/* WHOLE: of the whole file, whatever the role. */
enum part { QUEUE, RESOURCE, HEAD, POOL, WHOLE, N_PARTS };

static const struct {
	const char *key; /* below `of` */
	enum part of;
	const char *value; /* NULL: any; "true", "false": any spelling of it */
	const char *effect;
} without_effect[] = {
        {"HealthChecks.Gpu.Enabled", QUEUE, "true",
         "HealthChecks: no program looks at GPUs before a job"},
        {"HealthChecks.Gpu.Enabled", RESOURCE, "true",
         "HealthChecks: no program looks at GPUs before a job"},
        {"Dcv.Enabled", HEAD, "true", "Dcv: no remote desktop is set up"},
        {"Dcv.Enabled", POOL, "true", "Dcv: no remote desktop is set up"},
        {"GracetimePeriod", POOL, NULL,
         "GracetimePeriod: users get no notice of the end of an instance, and no time"},
        {"Name", POOL, NULL,
         "LoginNodes: each has host keys of its own, as the head's are secret to it alone"},
        {"Imds.Secured", HEAD, "false",
         "Imds: Secured: the metadata service is root's alone all the same"},
        {"CustomActions.OnNodeUpdated", HEAD, NULL,
         "OnNodeUpdated: not run, since no update of a stack is noticed"},
        {"Scheduling.ScalingStrategy", WHOLE, "best-effort",
         "ScalingStrategy: jobs get all of their nodes or none"},
        {"Scheduling.ScalingStrategy", WHOLE, "greedy-all-or-nothing",
         "ScalingStrategy: jobs get all of their nodes or none, one job after the other"},
        {"Scheduling.SlurmSettings.Dns.HostedZoneId", WHOLE, NULL,
         "HostedZoneId: no records are made: nodes are found by their addresses"},
        {"Scheduling.SlurmSettings.QueueUpdateStrategy", WHOLE, NULL,
         "QueueUpdateStrategy: running nodes are not replaced when the file changes"},
        {"Imds.ImdsSupport", WHOLE, "v1.0",
         "ImdsSupport: the instances that are launched have version 2 alone"},
        {"Monitoring.Logs.Rotation.Enabled", WHOLE, NULL,
         "Rotation: logs are rotated as their packages say"},
        {"DevSettings.Cookbook", WHOLE, NULL, "Cookbook: no Chef runs here"},
        {"DevSettings.NodePackage", WHOLE, NULL,
         "NodePackage: ParallelCluster's daemons don't run here"},
        {"AdditionalPackages.IntelSoftware", WHOLE, NULL,
         "IntelSoftware: nothing of it is installed: it belongs into the image"},
        {"DevSettings.InstanceTypesData", WHOLE, NULL,
         "InstanceTypesData: not read: what is known of instance types are the package's facts"},
        {"DevSettings.EfaInterfaceType", WHOLE, NULL,
         "EfaInterfaceType: not read: interfaces are of type efa"},
};

static bool has_value(const struct doc *at, const char *value)
{
	bool on = false;

	if (!value)
		return true;
	if (str_eq(value, "true") || str_eq(value, "false"))
		return scalar_bool(at, &on) == 0 && on == str_eq(value, "true");
	return str_eq(at->text, value);
}

static void add_notes(const struct pcluster_input *in, const struct doc *of)
{
	static const enum part parts[] = {
	        [CLUSTER_COMPUTE] = QUEUE, [CLUSTER_HEAD] = HEAD, [CLUSTER_LOGIN] = POOL};
	const struct doc *maps[N_PARTS] = {NULL};

	maps[parts[in->node->role]] = of;
	if (in->node->role == CLUSTER_COMPUTE && of)
		maps[RESOURCE] = pcluster_resource(in, of);
	maps[WHOLE] = in->config;
	for (size_t i = 0; i < ARRAY_LEN(without_effect); i++) {
		const struct doc *at = doc_find(maps[without_effect[i].of], without_effect[i].key);

		if (at && has_value(at, without_effect[i].value))
			cluster_note(in->notes, at, "%s", without_effect[i].effect);
	}
}

/* ---- the host's name ---- */

/* A host's name has no '_'. */
static void add_slurm_name(const struct pcluster_input *in, struct doc *spec)
{
	const char *node = in->node->node;

	if (in->node->role == CLUSTER_HEAD || !node || !strchr(node, '_'))
		return;
	char *name = arena_strdup(in->arena, node);
	for (char *p = name; *p; p++)
		*p = *p == '_' ? '-' : *p;
	doc_put_text(in->arena, spec, "hostname", name);
}

/* Instead of the node's name in Slurm, which slurmd is told all the same. */
static void add_hostname(const struct pcluster_input *in, struct doc *spec)
{
	const struct doc *at = doc_find(in->config, "Scheduling.SlurmSettings.Dns.UseEc2Hostnames");
	const char *name = vars_get(in->facts, "local-hostname");

	if (!scalar_on(in->config, "Scheduling.SlurmSettings.Dns.UseEc2Hostnames")) {
		add_slurm_name(in, spec);
		return;
	}
	if (in->node->role == CLUSTER_HEAD)
		cluster_note(in->notes, at,
		             "UseEc2Hostnames: the head keeps the name that slurm.conf has");
	else if (name)
		doc_put_text(in->arena, spec, "hostname", name);
	else {
		add_slurm_name(in, spec);
		cluster_note(in->notes, at,
		             "UseEc2Hostnames: nothing tells EC2's name of this machine: its host "
		             "name is the node's Slurm name");
	}
}

void pcluster_settings(const struct pcluster_input *in, const struct doc *of, struct doc *spec)
{
	bool compute = in->node->role == CLUSTER_COMPUTE;
	const struct doc *machine = compute && of ? pcluster_resource(in, of) : of;
	const char *proxy = proxy_of(in, of);

	if (proxy)
		add_proxy(in, proxy, spec);
	if (scalar_on(machine, "DisableSimultaneousMultithreading"))
		add_smt(in, machine, spec);
	add_hostname(in, spec);
	add_notes(in, of);
}
