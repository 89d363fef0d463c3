/* SPDX-License-Identifier: Apache-2.0 */
/* The chains and rules of a table, as objects of libnftnl. */
#include <stdio.h> /* libnftnl/expr.h relies on it */

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>

#include "base/attr.h"
#include "machine/filter_own.h"

#define PRIORITY (-300) /* as raw: before any rule of others, nft(8) */

/* Allocation doesn't fail: arena.h. */
static void *had(void *p)
{
	if (!p)
		abort();
	return p;
}

static void add_chain(struct filter_parts *p, const char *table, const char *name, int hook)
{
	struct nftnl_chain *c = had(nftnl_chain_alloc());

	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	if (hook >= 0) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, (uint32_t)hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, PRIORITY);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	p->chains[p->n_chains++] = c;
}

static struct nftnl_rule *add_rule(struct filter_parts *p, const char *table, const char *chain)
{
	struct nftnl_rule *r = had(nftnl_rule_alloc());

	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	p->rules[p->n_rules++] = r;
	return r;
}

static struct nftnl_expr *expression(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *x = had(nftnl_expr_alloc(name));

	nftnl_rule_add_expr(r, x);
	return x;
}

static void equals(struct nftnl_rule *r, const void *data, size_t len)
{
	struct nftnl_expr *x = expression(r, "cmp");

	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, data, (uint32_t)len);
}

static void meta_is(struct nftnl_rule *r, uint32_t key, const void *data, size_t len)
{
	struct nftnl_expr *x = expression(r, "meta");

	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, NFT_REG_1);
	equals(r, data, len);
}

static void payload_is(struct nftnl_rule *r, size_t offset, const void *data, size_t len)
{
	struct nftnl_expr *x = expression(r, "payload");

	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, (uint32_t)offset);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, (uint32_t)len);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	equals(r, data, len);
}

static void cgroup_is(struct nftnl_rule *r, const uint64_t *cgroup)
{
	struct nftnl_expr *x = expression(r, "socket");

	nftnl_expr_set_u32(x, NFTNL_EXPR_SOCKET_KEY, NFT_SOCKET_CGROUPV2);
	nftnl_expr_set_u32(x, NFTNL_EXPR_SOCKET_LEVEL, 1); /* 0 is the root */
	nftnl_expr_set_u32(x, NFTNL_EXPR_SOCKET_DREG, NFT_REG_1);
	equals(r, cgroup, sizeof *cgroup);
}

static void verdict(struct nftnl_rule *r, int what, const char *chain)
{
	struct nftnl_expr *x = expression(r, "immediate");

	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)what);
	if (chain)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void reject(struct nftnl_rule *r, uint32_t type, uint8_t code)
{
	struct nftnl_expr *x = expression(r, "reject");

	nftnl_expr_set_u32(x, NFTNL_EXPR_REJECT_TYPE, type);
	nftnl_expr_set_u8(x, NFTNL_EXPR_REJECT_CODE, code);
}

static void add_refuse(struct filter_parts *p, const char *table)
{
	uint8_t tcp = IPPROTO_TCP;
	struct nftnl_rule *r = add_rule(p, table, "refuse");

	meta_is(r, NFT_META_L4PROTO, &tcp, sizeof tcp);
	reject(r, NFT_REJECT_TCP_RST, 0);
	reject(add_rule(p, table, "refuse"), NFT_REJECT_ICMPX_UNREACH,
	       NFT_REJECT_ICMPX_PORT_UNREACH);
}

static void add_own(struct filter_parts *p, const struct host_filter *f)
{
	for (size_t i = 0; i < f->n_users; i++) {
		struct nftnl_rule *r = add_rule(p, f->table, "own");
		uint32_t uid = f->users[i];

		meta_is(r, NFT_META_SKUID, &uid, sizeof uid);
		verdict(r, NF_ACCEPT, NULL);
	}
	verdict(add_rule(p, f->table, "own"), NFT_GOTO, "refuse");
}

struct target {
	uint8_t family, bytes[16];
	size_t at, len; /* of the destination in the header */
};

static void add_targets(struct filter_parts *p, const struct host_filter *f,
                        const struct target targets[2], const char *chain, const char *to)
{
	for (size_t i = 0; i < 2; i++) {
		struct nftnl_rule *r = add_rule(p, f->table, chain);

		meta_is(r, NFT_META_NFPROTO, &targets[i].family, 1);
		payload_is(r, targets[i].at, targets[i].bytes, targets[i].len);
		if (f->cgroup)
			cgroup_is(r, &f->cgroup);
		verdict(r, NFT_GOTO, to);
	}
}

int filter_parts_new(struct filter_parts *ret, const struct host_filter *f, struct err *e)
{
	struct target targets[2] = {
	        {NFPROTO_IPV4, {0}, offsetof(struct iphdr, daddr), 4},
	        {NFPROTO_IPV6, {0}, offsetof(struct ip6_hdr, ip6_dst), 16},
	};

	*ret = (struct filter_parts){0};
	if (f->n_users > HOST_FILTER_USERS ||
	    inet_pton(AF_INET, f->address, targets[0].bytes) != 1 ||
	    inet_pton(AF_INET6, f->address6, targets[1].bytes) != 1)
		return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "filtering '%s' and '%s'",
		               f->address, f->address6);
	add_chain(ret, f->table, "refuse", -1);
	add_chain(ret, f->table, "output", NF_INET_LOCAL_OUT);
	add_refuse(ret, f->table);
	if (f->cgroup) {
		add_targets(ret, f, targets, "output", "refuse");
		return 0;
	}
	add_chain(ret, f->table, "own", -1);
	add_chain(ret, f->table, "forward", NF_INET_FORWARD);
	add_targets(ret, f, targets, "output", "own");
	add_own(ret, f);
	add_targets(ret, f, targets, "forward", "refuse");
	return 0;
}

void filter_parts_close(struct filter_parts *p)
{
	for (size_t i = 0; i < p->n_chains; i++)
		nftnl_chain_free(p->chains[i]);
	for (size_t i = 0; i < p->n_rules; i++)
		nftnl_rule_free(p->rules[i]);
	*p = (struct filter_parts){0};
}

void filter_say_chain(struct strbuf *out, const struct nftnl_chain *c)
{
	strbuf_printf(out, "chain %s", nftnl_chain_get_str(c, NFTNL_CHAIN_NAME));
	if (nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM))
		strbuf_printf(out, " %s %u %d %u", nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE),
		              nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM),
		              nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO),
		              nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY));
	strbuf_char(out, '\n');
}

static int say_expression(struct nftnl_expr *x, void *ctx)
{
	char text[512] = "";
	struct strbuf *out = ctx;

	nftnl_expr_snprintf(text, sizeof text, x, NFTNL_OUTPUT_DEFAULT, 0);
	strbuf_printf(out, " [%s %s]", nftnl_expr_get_str(x, NFTNL_EXPR_NAME), text);
	return 0;
}

void filter_say_rule(struct strbuf *out, const struct nftnl_rule *r)
{
	strbuf_printf(out, "rule %s", nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));
	nftnl_expr_foreach((struct nftnl_rule *)(uintptr_t)r, say_expression, out);
	strbuf_char(out, '\n');
}
