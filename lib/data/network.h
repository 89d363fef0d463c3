/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks of IP addresses as people write them: "10.0.0.0/16", "fd00:1::/64", or a single address.
 */
#pragma once

#include <stdbool.h>

#include "data/doc.h"

struct network {
	unsigned prefix; /* bits; of a single address all it has */
	bool host_bits;  /* there are bits behind the prefix, which would be dropped silently */
};

/* A host's name or an address, without port, scheme or brackets. A name whose last part is digits would
 * be an address, and is none: 256.0.0.1, 10.0.1. */
bool network_is_host(const char *text);

/* 0, or -EINVAL: not one. */
int network_parse(const char *text, struct network *ret) ATTR_MUST_USE;

/* Refuses at `at` what a server must not be opened to: what is no network, an address within one, and
 * everybody. */
int network_check(const struct doc *at, const char *text, struct err *e) ATTR_MUST_USE;
