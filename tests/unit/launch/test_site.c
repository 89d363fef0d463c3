/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet's file: what it may say, its faults, and what nodes are told of it. */
#include "site_text.h"

static void each_key_reaches_its_place(void **state)
{
	(void)state;
	assert_ok(read_site(SITE_TEXT));
	assert_string_equal(site.cluster, "c");
	assert_int_equal(site.n_resources, 2);
	const struct site_resource *r = &site.resources[0];
	assert_int_equal(r->nodes.n, 3);
	assert_string_equal(r->nodes.names[2], "q-dy-a-3");
	assert_string_equal(r->image, "ami-1");
	assert_string_equal(r->profile, "p");
	assert_string_equal(r->key, "k");
	assert_int_equal(r->groups.n, 1);
	assert_string_equal(r->groups.items[0], "sg-1");
	assert_string_equal(r->tags.items[0].name, "team");
	assert_string_equal(r->tags.items[0].value, "physics");
	assert_null(site.resources[1].profile);
	assert_null(site.resources[1].key);
	assert_int_equal(site.resources[1].groups.n, 0);
	assert_ptr_equal(site_find(&site, "q-dy-a-1"), &site.resources[0]);
	assert_ptr_equal(site_find(&site, "q-dy-b-1"), &site.resources[1]);
	assert_null(site_find(&site, "q-dy-a-4"));
}

static void pools_come_in_the_files_order(void **state)
{
	static const char *const want[][2] = {{"t3.micro", "subnet-a"},
	                                      {"t3.micro", "subnet-b"},
	                                      {"t3a.micro", "subnet-a"},
	                                      {"t3a.micro", "subnet-b"}};

	(void)state;
	assert_ok(read_site(SITE_TEXT));
	assert_int_equal(site.resources[0].n_pools, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct site_pool *p = &site.resources[0].pools[i];

		assert_string_equal(p->type, want[i][0]);
		assert_string_equal(p->subnet, want[i][1]);
		assert_ptr_equal(p->resource, &site.resources[0]);
	}
	assert_int_equal(site.resources[1].n_pools, 1);
}

#define ONE(change)                                                                                \
	"cluster: c\nresources:\n- {nodes: a, image: ami-1, types: t.x, subnets: subnet-1" change  \
	"}\n"

static void spot_falls_back_to_the_same_places(void **state)
{
	static const char *const want[] = {SITE_SPOT, SITE_SPOT, SITE_ON_DEMAND, SITE_ON_DEMAND};

	(void)state;
	assert_ok(
	        read_site("types: [{name: t.x, cores: 4}]\ncluster: c\nresources:\n"
	                  "- {nodes: a, image: ami-1, types: [t.x, t.y], subnets: subnet-1,\n"
	                  "   market: spot, max-price: 12.5, fall-back: true, root: {size: 9}}\n"));
	const struct site_resource *r = &site.resources[0];
	assert_int_equal(r->n_pools, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(r->pools[i].market, want[i]);
		assert_string_equal(r->pools[i].type, i % 2 ? "t.y" : "t.x");
		assert_string_equal(r->pools[i].subnet, "subnet-1");
	}
	assert_string_equal(r->max_price, "12.5");
	assert_true(r->has_root && r->root.gib == 9);
	assert_string_equal(r->root.device, "/dev/xvda");
	assert_int_equal(site_type(&site, "t.x")->cards, 1);
	assert_null(site_type(&site, "t.y"));
	assert_ok(read_site("types: [{name: t.x, cores: 4}]\n" ONE(", threads-per-core: 1")));
	assert_ok(read_site(ONE(", market: spot, max-price: 3")));
	assert_false(site.resources[0].has_root);
}

static void what_nodes_are_told(void **state)
{
	struct blob data;

	(void)state;
	assert_ok(read_site(SITE_TEXT));
	data = site_user_data(&site, "q-dy-a-[1-2]", arena);
	assert_string_equal(data.data, "#hpc-node\n{\"cluster\":\"c\",\"config\":\"s3://b/c.yaml\","
	                               "\"head\":\"10.0.0.1\",\"munge-key\":null,"
	                               "\"nodes\":\"q-dy-a-[1-2]\"}\n");
	assert_int_equal(data.len, strlen(data.data));
	assert_ok(read_site("cluster: c\nresources: [{nodes: a, image: ami-1, types: t.x, subnets: "
	                    "subnet-1}]\n"));
	assert_string_equal(site_user_data(&site, "a", arena).data,
	                    "#hpc-node\n{\"cluster\":\"c\",\"nodes\":\"a\"}\n");
}

static void a_fault_is_told_at_its_place(void **state)
{
	static const char *const rows[][2] = {
	        {"resources: []\n", "fleet.yaml:1:12: 'resources': expected a list"},
	        {"cluster: c\n", "the key 'resources' is missing"},
	        {"cluster: c\nresources: [{}]\n", "the key 'nodes' is missing"},
	        {"cluster: c\nresources: [{nodes: 'a[', image: ami-1, types: t, subnets: subnet-1}]\n",
	         "fleet.yaml:2:21: nodes: 'a[' is no list of nodes"},
	        {"cluster: c\nresources: [{nodes: a, image: ami-, types: t, subnets: subnet-1}]\n",
	         "fleet.yaml:2:31: image: 'ami-': expected ami-..."},
	        {"cluster: c\nresources: [{nodes: a, image: ami-1, types: t, subnets: net-1}]\n",
	         "subnets: 'net-1': expected subnet-..."},
	        {ONE(", security-groups: [sg-1, default]"),
	         "security-groups: 'default': expected sg-..."},
	        {ONE(", tags: {'hpc-node:node': x}"), "tags: 'hpc-node:node': expected letters"},
	        {ONE(", tags: {'aws:x': x}"), "tags: 'aws:x': expected letters"},
	        {ONE(", tags: {'a b': x}"), "tags: 'a b': expected letters"},
	        {"node: x\n" ONE(""), "fleet.yaml:1:7: node: expected a map, found string"},
	        {"node: {node: x}\n" ONE(""),
	         "fleet.yaml:1:14: node: 'node' is set for each launch"},
	        {"node: {nodes: x}\n" ONE(""), "node: 'nodes' is set for each launch"},
	        {"node: {cluster: x}\n" ONE(""), "node: 'cluster' is set for each launch"},
	        {"node: {head: '10.0.0.1:6817'}\n" ONE(""),
	         "fleet.yaml:1:14: node: head: '10.0.0.1:6817' is no address"},
	        {"node: {head: 'http://h'}\n" ONE(""), "node: head: 'http://h' is no address"},
	        {"node: {head: '[fd00::1]'}\n" ONE(""), "node: head: '[fd00::1]' is no address"},
	        {"node: {config: c.yaml}\n" ONE(""),
	         "fleet.yaml:1:16: node: config: 'c.yaml': expected s3://BUCKET/KEY"},
	        {"node: {config: 'http://h/c'}\n" ONE(""),
	         "node: config: 'http://h/c': expected s3"},
	        {"cluster: c\nresources: [{nodes: a, image: ami-1, types: t3 micro, subnets: "
	         "subnet-1}]\n",
	         "types: 't3 micro': expected a type such as c7i.large"},
	        {"cluster: c\nresources: [{nodes: a, image: ami-1, types: T3.micro, subnets: "
	         "subnet-1}]\n",
	         "types: 'T3.micro': expected a type"},
	        {"cluster: c\nresources: [{nodes: a, image: ami-1, types: t3., subnets: subnet-1}]\n",
	         "types: 't3.': expected a type"},
	        {ONE(", max-price: 0.1"), "max-price: only 'market: spot' has a price"},
	        {ONE(", market: spot, max-price: 1."), "max-price: expected dollars an hour"},
	        {ONE(", market: spot, max-price: .5"), "max-price: expected dollars an hour"},
	        {ONE(", market: spot, max-price: 1e3"), "max-price: expected dollars an hour"},
	        {ONE(", fall-back: true"), "fleet.yaml:3:70: fall-back: only 'market: spot' falls"},
	        {ONE(", market: spot, capacity-reservation: cr-1"), "Spot instances use none"},
	        {ONE(", market: capacity-block"), "'market: capacity-block' needs its block"},
	        {ONE(", market: capacity-block, capacity-reservation: cr-1, placement-group: g"),
	         "placement-group: a capacity block takes none"},
	        {ONE(", capacity-reservation: x"), "expected cr-... or arn:..."},
	        {ONE(", tenancy: host"), "tenancy: expected default or dedicated"},
	        {ONE(", root: {kms-key: k}"), "root: a kms-key needs 'encrypted: true'"},
	        {ONE(", threads-per-core: 1"), "'types' doesn't tell the cores of t.x"},
	        {ONE(", efa: true"), "efa: 'types' tells of none in t.x"},
	        {"types: [{name: t.x, cards: 2, efa: 2}]\n" ONE(
	                 ", efa: true, public-address: true"),
	         "public-address: EC2 gives none where"},
	        {ONE(", market: cheap"), "one of on-demand, spot, capacity-block"},
	        {ONE(", typs: x"), "did you mean 'types'?"},
	        {"a: [", "fleet.yaml:"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		site.cluster = "untouched";
		assert_err(read_site(rows[i][0]), ERR_INPUT, rows[i][1]);
		assert_string_equal(site.cluster, "untouched");
	}
	/* User data has a limit, and a launch's names are part of it. */
	for (size_t n = 15895; n < 16395; n += 250) {
		const char *text =
		        arena_printf(arena, "node: {config: 's3://%*s'}\n" ONE(""), (int)n, "x");
		bool fits = n == 15895;

		if (fits)
			assert_ok(read_site(text));
		else
			assert_err(
			        read_site(text), ERR_INPUT,
			        "fleet.yaml:1:7: node: too long: user data has at most 16384 bytes");
	}
	assert_ok(read_site("node: {head: 'fd00::1', config: /etc/c.yaml}\n" ONE("")));
	assert_ok(read_site("node: {}\n" ONE(", tags: {'a.b-C_d:e@f=g+h,i': ''}")));
}

static void all_faults_are_looked_for(void **state)
{
	static const char text[] = "cluster: c\nnode: {node: x}\nresources:\n"
	                           "- {nodes: a, image: x, types: t, subnets: subnet-1}\n"
	                           "- {nodes: b, image: ami-1, types: t, subnets: x}\n";
	struct faults faults = {.arena = arena};

	(void)state;
	assert_true(site_read("f", (struct blob){text, strlen(text)}, &faults, arena, &site, &e) <
	            0);
	assert_int_equal(faults.n, 3);
	assert_non_null(strstr(faults.items[2].text, "f:5:"));
}

static const char limits[] =
        "cluster: c\n"
        "types: [{name: t3.micro, price: 0.0104}, {name: c5.large, price: \"0.085\"}]\n"
        "queues:\n"
        "- {name: q, max-node-hours: 10, max-hourly-cost: 12.5}\n"
        "resources:\n"
        "- {queue: q, nodes: a, image: ami-1, types: [t3.micro, c5.large], subnets: subnet-a,\n"
        "   market: spot, max-price: 0.004}\n"
        "- {queue: r, nodes: b, image: ami-1, types: t3.nano, subnets: subnet-a}\n";

static void a_queue_has_its_limits(void **state)
{
	(void)state;
	assert_ok(read_site(limits));
	const struct site_queue *q = site_queue(&site, "q");
	assert_non_null(q);
	assert_int_equal(q->max_hours, 10);
	assert_string_equal(q->max_cost, "12.5");
	assert_null(site_queue(&site, "r"));
	assert_null(site_queue(&site, NULL));
	const struct site_resource *r = &site.resources[0];
	assert_int_equal(site_cost(&site, r, "t3.micro", SITE_SPOT), 4000);
	assert_int_equal(site_cost(&site, r, "t3.micro", SITE_ON_DEMAND), 10400);
	assert_int_equal(site_cost(&site, r, "c5.large", SITE_ON_DEMAND), 85000);
	assert_int_equal(site_cost(&site, r, "t3.nano", SITE_ON_DEMAND), 0);
	assert_int_equal(site_cost(&site, &site.resources[1], "t3.micro", SITE_SPOT), 10400);
}

static void prices_are_exact(void **state)
{
	static const struct {
		const char *price;
		int64_t micros;
	} rows[] = {
	        {"0", 0},
	        {"1", 1000000},
	        {"0.0104", 10400},
	        {"12.50", 12500000},
	        {"0.000001", 1},
	        {"0.0000001", 1},
	        {"0.0000010", 1},
	        {"0.0000011", 2},
	        {"98.32", 98320000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(site_micros(rows[i].price), rows[i].micros);
}

static void limits_that_cant_be_held(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} rows[] = {
	        {"12.5", "a lot", "max-hourly-cost: 'a lot': expected dollars an hour, as 12.50"},
	        {"12.5", "-1", "max-hourly-cost: '-1'"},
	        {"price: 0.0104", "price: 0", "price: '0': expected dollars an hour, as 0.0104"},
	        {", price: 0.0104", "", "the price of t3.micro isn't told in 'types'"},
	        {"name: q", "name: x", "queues: no resource has 'queue: x'"},
	        {"12.5}", "12.5}\n- {name: q}", "queues: 'q' is there twice"},
	        {"max-node-hours: 10", "max-node-hours: 0", "max-node-hours"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *at = strstr(limits, rows[i].from);

		assert_non_null(at);
		assert_err(read_site(arena_printf(arena, "%.*s%s%s", (int)(at - limits), limits,
		                                  rows[i].to, at + strlen(rows[i].from))),
		           ERR_INPUT, rows[i].want);
	}
}

static const char *shape(const char *text)
{
	char *out = arena_alloc(arena, SITE_SHAPE);

	assert_ok(read_site(text));
	site_shape(&site, &site.resources[0], out);
	return out;
}

static void a_shape_is_what_instances_are_made_with(void **state)
{
	static const struct {
		const char *from, *to;
		bool same;
	} rows[] = {
	        {"[1-3]", "[1-9]", true},
	        {"types: t3.micro", "types: [t3.nano, t3.micro]", true},
	        {"subnet-a", "[subnet-a, subnet-b]", true},
	        {", tags",
	         ", queue: q, name: n, exclusive: true, market: spot, fall-back: true, tags", true},
	        {"image: ami-1, types: t3.micro", "types: t3.micro, image: ami-1", true},
	        {"ami-1", "ami-2", false},
	        {"{a: b}", "{a: c}", false},
	        {"10.0.0.1", "10.0.0.2", false},
	        {"cluster: c", "cluster: d", false},
	        {", tags", ", root: {size: 9}, tags", false},
	};
	static const char text[] = "cluster: c\nnode: {head: 10.0.0.1}\nresources:\n"
	                           "- {nodes: \"a-[1-3]\", image: ami-1, types: t3.micro, subnets: "
	                           "subnet-a, tags: {a: b}}\n";
	const char *first;

	(void)state;
	first = shape(text);
	assert_int_equal(strlen(first), SITE_SHAPE - 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *at = strstr(text, rows[i].from);

		assert_non_null(at);
		const char *other = shape(arena_printf(arena, "%.*s%s%s", (int)(at - text), text,
		                                       rows[i].to, at + strlen(rows[i].from)));
		assert_int_equal(str_eq(first, other), rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(each_key_reaches_its_place),
	        TEST(pools_come_in_the_files_order),
	        TEST(spot_falls_back_to_the_same_places),
	        TEST(what_nodes_are_told),
	        TEST(a_fault_is_told_at_its_place),
	        TEST(all_faults_are_looked_for),
	        TEST(a_queue_has_its_limits),
	        TEST(prices_are_exact),
	        TEST(limits_that_cant_be_held),
	        TEST(a_shape_is_what_instances_are_made_with),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
