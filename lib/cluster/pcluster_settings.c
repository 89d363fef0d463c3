/* SPDX-License-Identifier: Apache-2.0 */
/* Translates a queue's proxy and multithreading settings to sections, and notes what isn't carried
 * out. */
#include "cluster/pcluster.h"
#include "data/scalar.h"

static bool is_on(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);
	bool on = false;

	return at && scalar_bool(at, &on) == 0 && on;
}

/* ---- the proxy ---- */

static const char *proxy_of(const struct doc *queue)
{
	const struct doc *at = doc_find(queue, "Networking.Proxy.HttpProxyAddress");

	return at ? at->text : NULL;
}

/* Never through a proxy: this machine, its metadata service, and the head node. */
static const char *no_proxy(const struct pcluster_input *in)
{
	return arena_printf(in->arena, "localhost,127.0.0.1,::1,169.254.169.254,fd00:ec2::254,%s",
	                    in->node->head);
}

struct doc *pcluster_proxy_env(const struct pcluster_input *in, const struct doc *queue)
{
	const char *proxy = proxy_of(queue);

	if (!proxy)
		return NULL;
	struct doc *env = doc_new_map(in->arena, queue);
	doc_put_text(in->arena, env, "http_proxy", proxy);
	doc_put_text(in->arena, env, "https_proxy", proxy);
	doc_put_text(in->arena, env, "no_proxy", no_proxy(in));
	return env;
}

static struct doc *section(const struct pcluster_input *in, struct doc *spec, const char *name)
{
	struct doc *list = doc_get(spec, name);

	if (list)
		return list;
	list = doc_new_list(in->arena, spec);
	doc_put(in->arena, spec, name, list);
	return list;
}

static void add_file(const struct pcluster_input *in, struct doc *spec, const char *path,
                     const char *content)
{
	struct doc *file = doc_new_map(in->arena, spec);

	doc_put_text(in->arena, file, "path", path);
	doc_put_text(in->arena, file, "content", content);
	doc_push(in->arena, section(in, spec, "files"), file);
}

/* For logins and jobs, and for apt if the image is Ubuntu; dnf reads the variables. */
static void add_proxy(const struct pcluster_input *in, const char *proxy, struct doc *spec)
{
	const struct doc *os = doc_find(in->config, "Image.Os");

	add_file(in, spec, "/etc/profile.d/hpc-node-proxy.sh",
	         arena_printf(in->arena, "export http_proxy='%s' https_proxy='%s' no_proxy='%s'\n",
	                      proxy, proxy, no_proxy(in)));
	if (os && str_starts(os->text, "ubuntu"))
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
	doc_push(in->arena, section(in, spec, "scripts"), script);
}

/* ---- what is not carried out ---- */

static const struct {
	const char *key; /* below `of` */
	enum { CONFIG, QUEUE } of;
	const char *value; /* NULL: any; "true": any spelling of it */
	const char *effect;
} without_effect[] = {
        {"ComputeSettings.LocalStorage.EphemeralVolume", QUEUE, NULL,
         "EphemeralVolume: disks of the instance are not set up, nothing is mounted at MountDir"},
        {"DirectoryService", CONFIG, NULL,
         "DirectoryService: sssd is not set up, only users that the image has are known"},
        {"DeploymentSettings.DisableSudoAccessForDefaultUser", CONFIG, "true",
         "DisableSudoAccessForDefaultUser: sudo stays as the image has it"},
        {"DeploymentSettings.DefaultUserHome", CONFIG, "Local",
         "DefaultUserHome: Local: /home is not mounted, and homes stay where the image has them"},
        {"Scheduling.SlurmSettings.Dns.UseEc2Hostnames", CONFIG, "true",
         "UseEc2Hostnames: the host name is the node's Slurm name"},
};

static bool has_value(const struct doc *at, const char *value)
{
	bool on = false;

	if (!value)
		return true;
	if (str_eq(value, "true"))
		return scalar_bool(at, &on) == 0 && on;
	return str_eq(at->text, value);
}

static void add_notes(const struct pcluster_input *in, const struct doc *queue)
{
	for (size_t i = 0; i < ARRAY_LEN(without_effect); i++) {
		const struct doc *of = without_effect[i].of == QUEUE ? queue : in->config;
		const struct doc *at = doc_find(of, without_effect[i].key);

		if (at && has_value(at, without_effect[i].value))
			cluster_note(in->notes, at, "%s", without_effect[i].effect);
	}
}

void pcluster_settings(const struct pcluster_input *in, const struct doc *queue, struct doc *spec)
{
	const struct doc *resource = queue ? pcluster_resource(in, queue) : NULL;
	const char *proxy = proxy_of(queue);

	if (proxy)
		add_proxy(in, proxy, spec);
	if (is_on(resource, "DisableSimultaneousMultithreading"))
		add_smt(in, resource, spec);
	add_notes(in, queue);
}
