/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: what of the account doesn't fit a cluster's file; makes nothing. */
#include <stdio.h>

#include "aws/ec2.h"
#include "data/scalar.h"
#include "life/doctor_own.h"
#include "life/life.h"
#include "state/view.h"

#define EXIT_FAULTS  3
#define EXIT_UNKNOWN 4

/* ---- findings ---- */

static size_t count(const struct doctor *d, const char *level)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += str_eq(d->findings[i].level, level);
	return n;
}

/* ---- what there is ---- */

typedef int lister(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                   struct err *e);

static const struct doc *look(struct doctor *d, lister *from)
{
	struct doc *found;
	struct err e;

	if (from(d->life->cloud, d->arena, &found, d->life->program.deadline, &e) == 0)
		return found;
	doctor_unknown(d, &e);
	return NULL;
}

static uint64_t number(const struct doc *map, const char *key, uint64_t fallback)
{
	int64_t n;

	return doc_get(map, key) && scalar_i64(doc_get(map, key), 0, UINT32_MAX, &n) == 0
	               ? (uint64_t)n
	               : fallback;
}

/* ---- the key pair ---- */

static void check_key(struct doctor *d)
{
	const char *key = doc_text(doc_find(d->config, "HeadNode.Ssh"), "KeyName");
	const struct doc *pairs = key ? look(d, ec2_key_pairs) : NULL;
	size_t i = 0;

	if (!pairs)
		return;
	d->looked++;
	while (i < pairs->n && !str_eq(doc_text(pairs->items[i], "keyName"), key))
		i++;
	if (i == pairs->n)
		doctor_fault(d, "key pair '%s' isn't in the region", key);
}

/* ---- types and subnets ---- */

static bool is_offered(const struct doc *zones, const struct doc *subnet)
{
	for (size_t i = 0; i < zones->n; i++)
		if (str_eq(doc_text(zones->items[i], "location"),
		           doc_text(subnet, "availabilityZone")))
			return true;
	return false;
}

/* One of the subnets is enough. */
static void check_type(struct doctor *d, const char *type, const struct doc *ids)
{
	struct doc *zones;
	bool any = false, known = false;
	struct err e;

	if (ec2_offers(d->life->cloud, type, d->arena, &zones, d->life->program.deadline, &e) < 0) {
		doctor_unknown(d, &e);
		return;
	}
	d->looked++;
	if (!zones->n) {
		doctor_fault(d, "the region doesn't have instance type '%s'", type);
		return;
	}
	for (size_t i = 0; i < ids->n; i++) {
		const struct doc *subnet = doctor_subnet(d, ids->items[i]->text);

		known |= subnet != NULL;
		any |= subnet && is_offered(zones, subnet);
	}
	if (known && !any)
		doctor_fault(d, "instance type '%s' isn't in the zone of subnet '%s'", type,
		             ids->items[0]->text);
}

/* All subnets of a file are in the head's network. Returns how many addresses are free in them. */
static uint64_t check_subnets(struct doctor *d, const struct doc *ids, const char *vpc, bool head,
                              bool outside)
{
	uint64_t left = 0;

	for (size_t i = 0; d->subnets && i < ids->n; i++) {
		const char *id = ids->items[i]->text;
		const struct doc *subnet = doctor_subnet(d, id);

		d->looked++;
		if (!subnet) {
			doctor_fault(d, "subnet '%s' isn't in the region", id);
			continue;
		}
		if (vpc && !str_eq(doc_text(subnet, "vpcId"), vpc))
			doctor_fault(d, "subnet '%s' is in %s, the head's in %s", id,
			             doc_text(subnet, "vpcId"), vpc);
		left += number(subnet, "availableIpAddressCount", 0);
		doctor_way(d, subnet, head, outside);
	}
	return left;
}

static void check_head(struct doctor *d, const char **ret_vpc)
{
	const struct doc *head = doc_get(d->config, "HeadNode");
	const struct doc *networking = doc_get(head, "Networking");
	const char *id = doc_text(networking, "SubnetId");
	const struct doc *subnet = doctor_subnet(d, id);
	struct doc *ids = doc_new_list(d->arena, NULL);
	bool outside = doc_get(networking, "ElasticIp") &&
	               !str_eq(doc_text(networking, "ElasticIp"), "false");

	*ret_vpc = doc_text(subnet, "vpcId");
	doc_push(d->arena, ids, doc_new_text(d->arena, NULL, id));
	if (!check_subnets(d, ids, NULL, true, outside) && subnet)
		doctor_fault(d, "subnet '%s' has no free address for the head", id);
	check_type(d, doc_text(head, "InstanceType"), ids);
}

/* Types of a compute resource: of Instances, or the one of files before 3.3. */
static void check_types(struct doctor *d, const struct doc *resource, const struct doc *ids)
{
	const struct doc *list = doc_get(resource, "Instances");

	if (doc_text(resource, "InstanceType"))
		check_type(d, doc_text(resource, "InstanceType"), ids);
	for (size_t i = 0; list && i < list->n; i++)
		check_type(d, doc_text(list->items[i], "InstanceType"), ids);
}

static void check_queue(struct doctor *d, const struct doc *queue, const char *vpc)
{
	const struct doc *resources = doc_get(queue, "ComputeResources");
	const struct doc *ids = doc_find(queue, "Networking.SubnetIds");
	bool outside = scalar_on(queue, "Networking.AssignPublicIp");
	uint64_t most = 0, left = check_subnets(d, ids, vpc, false, outside);

	for (size_t i = 0; resources && i < resources->n; i++) {
		most += number(resources->items[i], "MaxCount", 10);
		check_types(d, resources->items[i], ids);
	}
	if (doctor_subnet(d, ids->items[0]->text) && most > left)
		doctor_fault(d,
		             "queue '%s' may have %llu nodes, and its subnets have %llu free "
		             "addresses",
		             doc_text(queue, "Name"), (unsigned long long)most,
		             (unsigned long long)left);
}

static void check_all(struct doctor *d)
{
	const struct doc *queues = doc_find(d->config, "Scheduling.SlurmQueues");
	const char *vpc;

	check_key(d);
	d->subnets = look(d, ec2_subnets);
	d->routes = look(d, ec2_routes);
	d->endpoints = look(d, ec2_endpoints);
	check_head(d, &vpc);
	for (size_t i = 0; queues && i < queues->n; i++)
		check_queue(d, queues->items[i], vpc);
}

/* ---- the verb ---- */

static int print_json(const struct doctor *d)
{
	struct strbuf out = STRBUF(d->arena, VIEW_OUTPUT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
	jsonw_u64(&w, "looked", d->looked);
	jsonw_begin(&w, "findings", '[');
	for (size_t i = 0; i < d->n; i++) {
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "level", d->findings[i].level);
		jsonw_str(&w, "text", d->findings[i].text);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	return view_print(d->life, out.data);
}

static int tell(const struct doctor *d)
{
	size_t faults = count(d, "fault"), unknown = count(d, "unknown");

	if (d->life->program.json)
		(void)print_json(d);
	for (size_t i = 0; !d->life->program.json && i < d->n; i++)
		printf("%s: %s\n", d->findings[i].level, d->findings[i].text);
	if (!d->life->program.json)
		printf("%zu things looked at: %zu faults, %zu not known\n", d->looked, faults,
		       unknown);
	return faults ? EXIT_FAULTS : unknown ? EXIT_UNKNOWN : 0;
}

int verb_doctor(void *program)
{
	struct life *l = program;
	struct arena *a = l->program.arena;
	struct faults faults = {.arena = a};
	struct cluster_notes notes = {.arena = a};
	struct plan_file file;
	struct err e;

	if (plan_file_read(l, l->program.line.operands[0], &faults, &notes, &file, &e) < 0)
		return program_faults(&l->program, &faults, &e);
	if (!l->region)
		l->region = cluster_region(file.config);
	if (view_open(l, &e) < 0)
		return program_fail(&l->program, &e);
	struct doctor d = {.life = l, .arena = a, .config = file.config};
	check_all(&d);
	return tell(&d);
}
