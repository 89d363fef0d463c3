/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and replaces a table of the packet filter, over netlink. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "host/host_own.h"
#include "machine/filter_own.h"

#define BATCH_MAX (128UL << 10) /* bytes of a transaction: 72 rules of less than 400 */
#define ANSWER_MAX                                                                                 \
	(16UL << 10) /* bytes of one answer: the kernel sends at most so much as is asked for */
#define DUMPS_MAX 10 /* tries, while somebody else changes the rules */

static int failed(struct err *e, int no, const char *doing, const char *table)
{
	err_errno(e, no, "%s table '%s' of nftables", doing, table);
	e->kind = ERR_HOST; /* whatever the number means elsewhere */
	return -e->no;
}

static void link_close(struct mnl_socket **s)
{
	if (*s)
		mnl_socket_close(*s);
}

#define scope_link __attribute__((cleanup(link_close)))

static struct mnl_socket *link_open(void)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) == 0)
		return s;
	int no = errno;
	mnl_socket_close(s);
	errno = no;
	return NULL;
}

/* ---- asking ---- */

/* A message of the transaction or a query; the payload is added by the caller. */
static struct nlmsghdr *message(char *at, uint16_t type, unsigned flags)
{
	return nftnl_nlmsg_build_hdr(at, type, NFPROTO_INET, (uint16_t)flags, 1);
}

/* The kernel answers while it is asked: nothing is waited for. 0 or -errno. */
static int ask(struct mnl_socket *s, const struct nlmsghdr *query, mnl_cb_t take, void *ctx)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX];

	if (mnl_socket_sendto(s, query, query->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(s), answer, sizeof answer, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		int r = mnl_cb_run(answer, (size_t)n, 1, mnl_socket_get_portid(s), take, ctx);
		if (r <= MNL_CB_STOP)
			return r < 0 ? -errno : 0;
	}
}

struct listing {
	const char *table;
	struct strbuf *out;
};

static int take_table(const struct nlmsghdr *m, void *ctx)
{
	const struct listing *l = ctx;
	struct nftnl_table *t = nftnl_table_alloc();

	/* A dormant table has flags. */
	if (!t || nftnl_table_nlmsg_parse(m, t) < 0 || nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS))
		strbuf_str(l->out, "a table that is not ours\n");
	nftnl_table_free(t);
	return MNL_CB_OK;
}

static int take_chain(const struct nlmsghdr *m, void *ctx)
{
	const struct listing *l = ctx;
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c || nftnl_chain_nlmsg_parse(m, c) < 0)
		strbuf_str(l->out, "a chain that is not ours\n");
	else if (str_eq(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE), l->table))
		filter_say_chain(l->out, c);
	nftnl_chain_free(c);
	return MNL_CB_OK;
}

static int take_rule(const struct nlmsghdr *m, void *ctx)
{
	const struct listing *l = ctx;
	struct nftnl_rule *r = nftnl_rule_alloc();

	/* The kernel lists this table's rules only; what this library can't read isn't ours. */
	if (!r || nftnl_rule_nlmsg_parse(m, r) < 0)
		strbuf_str(l->out, "a rule that is not ours\n");
	else if (str_eq(nftnl_rule_get_str(r, NFTNL_RULE_TABLE), l->table))
		filter_say_rule(l->out, r);
	nftnl_rule_free(r);
	return MNL_CB_OK;
}

static int ask_table(struct mnl_socket *s, struct listing *l)
{
	_Alignas(struct nlmsghdr) char query[512];
	struct nlmsghdr *m = message(query, NFT_MSG_GETTABLE, NLM_F_ACK);

	mnl_attr_put_strz(m, NFTA_TABLE_NAME, l->table);
	return ask(s, m, take_table, l);
}

static int ask_chains(struct mnl_socket *s, struct listing *l)
{
	_Alignas(struct nlmsghdr) char query[512];

	return ask(s, message(query, NFT_MSG_GETCHAIN, NLM_F_DUMP), take_chain, l);
}

static int ask_rules(struct mnl_socket *s, struct listing *l)
{
	_Alignas(struct nlmsghdr) char query[512];
	struct nlmsghdr *m = message(query, NFT_MSG_GETRULE, NLM_F_DUMP);

	mnl_attr_put_strz(m, NFTA_RULE_TABLE, l->table);
	return ask(s, m, take_rule, l);
}

static int list_once(struct mnl_socket *s, struct listing *l)
{
	int r = ask_table(s, l);

	if (r < 0)
		return r;
	r = ask_chains(s, l);
	return r < 0 ? r : ask_rules(s, l);
}

/* 1: `out` has the table as text; 0: there is none; -errno. */
static int list(const char *table, struct strbuf *out)
{
	scope_link struct mnl_socket *s = link_open();
	struct listing l = {table, out};
	int r = s ? -EINTR : -errno;

	for (int i = 0; r == -EINTR && i < DUMPS_MAX; i++) {
		out->len = 0;
		r = list_once(s, &l);
	}
	/* Without nfnetlink there is no such socket, and without nf_tables no such request. */
	if (r == -ENOENT || r == -EPROTONOSUPPORT || r == -EOPNOTSUPP || r == -EINVAL)
		return 0;
	return r < 0 ? r : 1;
}

static const char *wanted(const struct filter_parts *p, struct arena *a)
{
	struct strbuf out = STRBUF(a, FILTER_TEXT);

	for (size_t i = 0; i < p->n_chains; i++)
		filter_say_chain(&out, p->chains[i]);
	for (size_t i = 0; i < p->n_rules; i++)
		filter_say_rule(&out, p->rules[i]);
	return out.data;
}

/* list(), and the same for a root that isn't running, which has none. A dry run may be anybody's,
 * who sees no rules. */
static int look(const struct host *h, const char *table, struct strbuf *out, struct err *e)
{
	int r = h->running ? list(table, out) : 0;

	if (r == -EPERM && h->mode == HOST_DRY)
		return 0;
	return r < 0 ? failed(e, -r, "reading", table) : r;
}

int host_filter_exists(struct host *h, const char *table, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct host_assumed *assumed = host_assumed(h, "filter:%s", table);
	struct strbuf out = STRBUF(a, FILTER_TEXT);

	if (assumed)
		return assumed->text != NULL;
	return look(h, table, &out, e);
}

int host_filter_is(struct host *h, const struct host_filter *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct host_assumed *assumed = host_assumed(h, "filter:%s", f->table);
	struct strbuf out = STRBUF(a, FILTER_TEXT);
	struct filter_parts p;
	int r = filter_parts_new(&p, f, e);

	if (r < 0)
		return r;
	const char *want = wanted(&p, a);
	filter_parts_close(&p);
	if (assumed)
		return assumed->text && str_eq(assumed->text, want);
	r = look(h, f->table, &out, e);
	return r <= 0 ? r : !out.overflow && out.data && str_eq(out.data, want);
}

/* ---- changing ---- */

struct batch {
	char *at, *end; /* an arena's; the last message ends at `at` */
	char *start;
};

static void add(struct batch *b, struct nlmsghdr *m)
{
	b->at += MNL_ALIGN(m->nlmsg_len);
}

static void add_table(struct batch *b, const char *table, uint16_t type, unsigned flags)
{
	struct nlmsghdr *m = message(b->at, type, flags);

	mnl_attr_put_strz(m, NFTA_TABLE_NAME, table);
	add(b, m);
}

/* The table is created first, so that deleting it can't fail. */
static void begin(struct batch *b, const char *table, struct arena *a)
{
	b->start = b->at = arena_alloc(a, BATCH_MAX);
	add(b, nftnl_batch_begin(b->at, 1));
	add_table(b, table, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	add_table(b, table, NFT_MSG_DELTABLE, 0);
}

static void add_parts(struct batch *b, const struct filter_parts *p)
{
	add_table(b, nftnl_chain_get_str(p->chains[0], NFTNL_CHAIN_TABLE), NFT_MSG_NEWTABLE,
	          NLM_F_CREATE);
	for (size_t i = 0; i < p->n_chains; i++) {
		struct nlmsghdr *m = message(b->at, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

		nftnl_chain_nlmsg_build_payload(m, p->chains[i]);
		add(b, m);
	}
	for (size_t i = 0; i < p->n_rules; i++) {
		struct nlmsghdr *m = message(b->at, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

		nftnl_rule_nlmsg_build_payload(m, p->rules[i]);
		add(b, m);
	}
}

/* The kernel has judged the transaction when the call returns, and only says what went wrong. */
static int commit(const struct host *h, struct batch *b)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
	scope_link struct mnl_socket *s = link_open();

	if (!h->running)
		return -EOPNOTSUPP;
	add(b, nftnl_batch_end(b->at, 1));
	if (!s || mnl_socket_sendto(s, b->start, (size_t)(b->at - b->start)) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(s), answer, sizeof answer, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 ||
		    mnl_cb_run(answer, (size_t)n, 1, mnl_socket_get_portid(s), NULL, NULL) < 0)
			return -errno;
	}
}

static void record_set(const struct host *h, const struct host_filter *f, struct arena *a)
{
	struct strbuf users = STRBUF(a, 1024);

	if (f->cgroup) {
		host_record(h, "filter %s refuse %s %s to cgroup %llu", f->table, f->address,
		            f->address6, (unsigned long long)f->cgroup);
		return;
	}
	strbuf_str(&users, f->n_users ? "" : " nobody");
	for (size_t i = 0; i < f->n_users; i++)
		strbuf_printf(&users, " %u", f->users[i]);
	host_record(h, "filter %s refuse %s %s but to%s", f->table, f->address, f->address6,
	            users.data);
}

int host_filter_set(struct host *h, const struct host_filter *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct filter_parts p;
	struct batch b;
	int r = filter_parts_new(&p, f, e);

	if (r < 0)
		return r;
	begin(&b, f->table, a);
	add_parts(&b, &p);
	if (h->mode == HOST_DRY)
		host_assume(h, "filter:%s", f->table)->text = wanted(&p, h->arena);
	else
		r = commit(h, &b);
	filter_parts_close(&p);
	if (r < 0)
		return failed(e, -r, "replacing", f->table);
	record_set(h, f, a);
	return 0;
}

int host_filter_remove(struct host *h, const char *table, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct batch b;
	int r = host_filter_exists(h, table, e);

	if (r <= 0)
		return r;
	begin(&b, table, a);
	if (h->mode == HOST_DRY)
		host_assume(h, "filter:%s", table)->text = NULL;
	else
		r = commit(h, &b);
	if (r < 0)
		return failed(e, -r, "removing", table);
	host_record(h, "filter %s remove", table);
	return 0;
}
