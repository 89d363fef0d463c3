/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of a cluster's nodes by name, and what a head's node document says about its instances. */
#include "pcluster/cluster_role.h"

#include <errno.h>

static const char *const role_names[] = {
        [CLUSTER_COMPUTE] = "compute",
        [CLUSTER_HEAD] = "head",
        [CLUSTER_LOGIN] = "login",
};

int cluster_role_parse(const char *name, enum cluster_role *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(role_names); i++)
		if (str_eq(name, role_names[i])) {
			*ret = (enum cluster_role)i;
			return 0;
		}
	return -EINVAL;
}

const char *cluster_role_name(enum cluster_role role)
{
	return role_names[role];
}

/* ---- instances that a head launches ---- */

#define GROUPS_MAX 16 /* of EC2 */

#define AT(m) FIELD_AT(struct cluster_launch, m)
const struct field cluster_launch_fields[] = {
        {"image", FIELD_STRING, AT(image),
         .help = "the AMI of nodes for which the configuration has no CustomAmi"},
        {"security-groups", FIELD_STRINGS, AT(groups), .max = GROUPS_MAX,
         .help = "ids of security groups, where the configuration has no SecurityGroups"},
        {"instance-profile", FIELD_STRING, AT(profile),
         .help = "the nodes' role, a name or an ARN, where the configuration has no "
                 "InstanceProfile"},
        {"instance-profiles", FIELD_DOC, AT(profiles),
         .help = "the same by the queue's name, for queues whose nodes have another role"},
        {"key-name", FIELD_STRING, AT(key),
         .help = "key pair for SSH, where the configuration has none of the head's"},
        {"root-device", FIELD_STRING, AT(root_device), .min = 1, .max = 64,
         .help = "the root volume's name in their images, e.g. /dev/sda1 (default: /dev/xvda), for "
                 "what the configuration says of it"},
        {"node", FIELD_DOC, AT(node),
         .help = "further keys of their node documents, e.g. on-failure: terminate"},
        {0},
};
#undef AT

static int check_id(const struct doc *at, const char *text, const char *prefix, struct err *e)
{
	if (str_starts(text, prefix) && text[strlen(prefix)])
		return 0;
	return doc_err(at, e, REASON_INPUT_RANGE, "fleet: '%.80s': expected %s...", text, prefix);
}

static int check_profiles(const struct doc *map, struct err *e)
{
	if (map && map->type != DOC_MAP)
		return doc_err(map, e, REASON_INPUT_TYPE,
		               "fleet: instance-profiles: expected a map of queues, found %s",
		               doc_type_name(map));
	for (size_t i = 0; map && i < map->n; i++)
		if (map->items[i]->type != DOC_SCALAR || !*map->items[i]->text)
			return doc_err(map->items[i], e, REASON_INPUT_TYPE,
			               "fleet: instance-profiles: expected the profile of queue "
			               "'%.80s'",
			               map->keys[i]->text);
	return 0;
}

int cluster_launch_decode(const struct doc *map, struct arena *a, struct cluster_launch *ret,
                          struct err *e)
{
	struct cluster_launch l = {0};

	if (!map)
		return 0;
	if (map->type != DOC_MAP)
		return doc_err(map, e, REASON_INPUT_TYPE, "fleet: expected a map, found %s",
		               doc_type_name(map));
	int r = field_decode(map, cluster_launch_fields, NULL, a, &l, e);
	if (r < 0)
		return r;
	r = l.image ? check_id(doc_get(map, "image"), l.image, "ami-", e) : 0;
	for (size_t i = 0; i < l.groups.n && r == 0; i++)
		r = check_id(doc_get(map, "security-groups"), l.groups.items[i], "sg-", e);
	if (r < 0)
		return r;
	r = check_profiles(l.profiles, e);
	if (r < 0)
		return r;
	if (l.node && l.node->type != DOC_MAP)
		return doc_err(l.node, e, REASON_INPUT_TYPE,
		               "fleet: node: expected a map, found %s", doc_type_name(l.node));
	*ret = l;
	return 0;
}
