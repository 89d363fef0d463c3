/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: the ways from a subnet to S3 and to EC2. */
#include "life/doctor_own.h"

#include "data/scalar.h"

static bool is_list(const struct doc *d)
{
	return d && d->type == DOC_LIST;
}

static bool is_of(const struct doc *table, const char *subnet)
{
	const struct doc *list = doc_get(table, "associationSet");

	for (size_t i = 0; is_list(list) && i < list->n; i++)
		if (str_eq(doc_text(list->items[i], "subnetId"), subnet))
			return true;
	return false;
}

static bool is_main(const struct doc *table)
{
	const struct doc *list = doc_get(table, "associationSet");

	for (size_t i = 0; is_list(list) && i < list->n; i++)
		if (str_eq(doc_text(list->items[i], "main"), "true"))
			return true;
	return false;
}

/* A subnet without a table of its own has its VPC's main one. */
static const struct doc *table_of(const struct doctor *d, const struct doc *subnet)
{
	const char *vpc = doc_text(subnet, "vpcId");
	const struct doc *found = NULL;

	for (size_t i = 0; i < d->routes->n; i++) {
		const struct doc *t = d->routes->items[i];

		if (is_of(t, doc_text(subnet, "subnetId")))
			return t;
		if (str_eq(doc_text(t, "vpcId"), vpc) && is_main(t))
			found = t;
	}
	return found;
}

/* An internet gateway is a way only for who has an address there; anything else is taken for one. */
static bool reaches_all(const struct doc *table, bool outside)
{
	const struct doc *list = doc_get(table, "routeSet");

	for (size_t i = 0; is_list(list) && i < list->n; i++) {
		const char *to = doc_text(list->items[i], "destinationCidrBlock");
		const char *by = doc_text(list->items[i], "gatewayId");

		if (!str_eq(to, "0.0.0.0/0") ||
		    str_eq(doc_text(list->items[i], "state"), "blackhole"))
			continue;
		if (!by || !str_starts(by, "igw-") || outside)
			return true;
	}
	return false;
}

static bool has_table(const struct doc *endpoint, const char *table)
{
	const struct doc *list = doc_get(endpoint, "routeTableIdSet");

	for (size_t i = 0; table && is_list(list) && i < list->n; i++)
		if (str_eq(list->items[i]->text, table))
			return true;
	return false;
}

/* ".s3" of "com.amazonaws.eu-west-1.s3": an interface of the VPC, or a gateway of the table. */
static bool has_endpoint(const struct doctor *d, const struct doc *subnet, const struct doc *table,
                         const char *service)
{
	for (size_t i = 0; i < d->endpoints->n; i++) {
		const struct doc *p = d->endpoints->items[i];
		bool gateway = str_eq(doc_text(p, "vpcEndpointType"), "Gateway");

		if (str_ends(doc_text(p, "serviceName"), service) &&
		    str_eq(doc_text(p, "vpcId"), doc_text(subnet, "vpcId")) &&
		    str_eq(doc_text(p, "state"), "available") &&
		    (!gateway || has_table(p, doc_text(table, "routeTableId"))))
			return true;
	}
	return false;
}

void doctor_way(struct doctor *d, const struct doc *subnet, bool head, bool outside)
{
	const char *id = doc_text(subnet, "subnetId");
	const struct doc *table;

	if (!d->routes || !d->endpoints)
		return;
	d->looked++;
	table = table_of(d, subnet);
	outside |= str_eq(doc_text(subnet, "mapPublicIpOnLaunch"), "true");
	if (reaches_all(table, outside))
		return;
	if (!has_endpoint(d, subnet, table, ".s3"))
		doctor_fault(d,
		             "subnet '%s' has no way to S3: expected a route to a NAT gateway, "
		             "addresses of the internet, or a gateway endpoint of S3",
		             id);
	if (head && !has_endpoint(d, subnet, table, ".ec2"))
		doctor_fault(d,
		             "subnet '%s' of the head has no way to EC2: expected a route to a NAT "
		             "gateway, an address of the internet, or an interface endpoint of EC2",
		             id);
}
