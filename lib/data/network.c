/* SPDX-License-Identifier: Apache-2.0 */
/* Reads networks of IP addresses. */
#include "data/network.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/str.h"

static bool has_host_bits(const unsigned char *address, unsigned bits, unsigned prefix)
{
	for (unsigned bit = prefix; bit < bits; bit++)
		if (address[bit / 8] & (0x80U >> (bit % 8)))
			return true;
	return false;
}

int network_parse(const char *text, struct network *ret)
{
	const char *slash = strchrnul(text, '/');
	size_t len = (size_t)(slash - text);
	char host[INET6_ADDRSTRLEN];
	unsigned char raw[sizeof(struct in6_addr)];

	if (len >= sizeof host)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	bool v6 = strchr(host, ':');
	unsigned bits = v6 ? 128 : 32;
	uint64_t prefix = bits;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, raw) != 1 ||
	    (*slash && str_u64(slash + 1, 0, bits, &prefix) < 0))
		return -EINVAL;
	*ret = (struct network){.prefix = (unsigned)prefix,
	                        .host_bits = has_host_bits(raw, bits, (unsigned)prefix)};
	return 0;
}

int network_check(const struct doc *at, const char *text, struct err *e)
{
	struct network n;

	if (network_parse(text, &n) < 0)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "'%s' is not a network like 10.0.0.0/24 or fd00:1::/64, nor an "
		               "address",
		               text);
	if (n.prefix == 0)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "'%s' is everybody: expected the networks of the cluster", text);
	if (n.host_bits)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "'%s' is an address within a network: the bits behind /%u must be "
		               "zero",
		               text, n.prefix);
	return 0;
}

/* ---- hosts ---- */

#define HOST_NAME_BYTES 253 /* RFC 1123 */

static bool is_almost_ipv4(const char *text)
{
	const char *dot = strrchr(text, '.'), *last = dot && dot[1] ? dot + 1 : text;
	unsigned char address[sizeof(struct in_addr)];

	return dot && last[strspn(last, "0123456789")] == '\0' &&
	       inet_pton(AF_INET, text, address) != 1;
}

bool network_is_host(const char *text)
{
	static const char allowed[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET6, text, address) == 1)
		return true;
	return *text && *text != '-' && *text != '.' && strlen(text) <= HOST_NAME_BYTES &&
	       text[strspn(text, allowed)] == '\0' && !strstr(text, "..") && !is_almost_ipv4(text);
}
