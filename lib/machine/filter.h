/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's packet filter: a table of nftables that refuses an address, either to users and to
 * what is forwarded, as from containers with a network of their own, or to a control group.
 *
 * The table is of the family inet, see nft(8). For users it has four chains: what leaves this
 * machine for the address goes through `own`, which accepts what belongs to the listed users and
 * refuses the rest; what is forwarded there is refused. For a control group it has two. Refused means a reset connection or "port unreachable",
 * so that nobody waits. A socket belongs to the user who opened it, as seen from the machine's
 * first user namespace: root of a user namespace counts as who made that one.
 *
 * The kernel is asked directly, without the program nft: it takes some milliseconds of a machine
 * that boots. A root that isn't running has no table, and can't be given one except in a dry
 * run. It needs CAP_NET_ADMIN, nf_tables and nft_reject_inet, which the kernel loads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct host;

#define HOST_FILTER_USERS 64

struct host_filter {
	const char *table;
	const char *address, *address6; /* of IPv4 and IPv6, as text */
	const uid_t *users;             /* who reaches them */
	size_t n_users;                 /* at most HOST_FILTER_USERS */
	/* Not 0: nobody but this group of version 2 is refused, see cgroups(7); it is a child of
	 * the hierarchy's root, known by the inode number of its directory. A socket belongs to the
	 * group of the process that opened it. Needs nft_socket and libnftnl 1.2. */
	uint64_t cgroup;
};

/* 1: the table exists; 0: it doesn't, or this kernel has no nf_tables. ERR_HOST. */
int host_filter_exists(struct host *h, const char *table, struct err *e) ATTR_MUST_USE;
/* 1: the table is there and is exactly this, rule by rule; 0: it isn't. ERR_HOST. */
int host_filter_is(struct host *h, const struct host_filter *f, struct err *e) ATTR_MUST_USE;
/* Replaces the table in one transaction; there is no moment without one. ERR_HOST; it is an
 * ERR_BUG if an address can't be read or there are too many users. */
int host_filter_set(struct host *h, const struct host_filter *f, struct err *e) ATTR_MUST_USE;
/* Takes it away; nothing to do when there is none. */
int host_filter_remove(struct host *h, const char *table, struct err *e) ATTR_MUST_USE;
