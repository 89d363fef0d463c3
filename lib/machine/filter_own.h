/* SPDX-License-Identifier: Apache-2.0 */
/* What the .c files of filter share: the table as objects of libnftnl, and as text to compare. */
#pragma once

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>

#include "base/str.h"
#include "machine/filter.h"

#define FILTER_CHAINS 4
#define FILTER_RULES  (HOST_FILTER_USERS + 8)
#define FILTER_TEXT   (64UL << 10) /* bytes of a table as text; beyond, it isn't ours */

/* Chains and rules in the order in which the kernel lists them. */
struct filter_parts {
	struct nftnl_chain *chains[FILTER_CHAINS];
	struct nftnl_rule *rules[FILTER_RULES];
	size_t n_chains, n_rules;
};

int filter_parts_new(struct filter_parts *ret, const struct host_filter *f,
                     struct err *e) ATTR_MUST_USE;
void filter_parts_close(struct filter_parts *p);

/* Adds a line for it: all that says what it does, and nothing that the kernel numbers. */
void filter_say_chain(struct strbuf *out, const struct nftnl_chain *c);
void filter_say_rule(struct strbuf *out, const struct nftnl_rule *r);
