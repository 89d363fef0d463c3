/* SPDX-License-Identifier: Apache-2.0 */
/* Reads which networks the instance's VPC has. */
#include <errno.h>

#include "cloud/session.h"

#define BLOCKS_MAX (16 * 1024) /* bytes; a VPC has at most 50 blocks of each family */

/* A block a line; `text` gets them by blanks. */
static int add_blocks(const struct imds_read *r, struct strbuf *text, struct err *e)
{
	const char *at = r->text.len ? r->text.data : "";

	if (r->absent)
		return 0;
	for (at += strspn(at, "\r\n"); *at; at += strspn(at, "\r\n")) {
		size_t len = strcspn(at, "\r\n");

		if (strspn(at, "0123456789abcdefABCDEF:./") != len)
			return err_set(e, ERR_DENIED, REASON_IMDS_PROTOCOL, EPROTO,
			               "what the metadata service lists as the VPC's networks "
			               "are none");
		strbuf_str(text, text->len ? " " : "");
		strbuf_add(text, at, len);
		at += len;
	}
	return 0;
}

static int take_blocks(struct imds_read *const *list, size_t n, struct vars *v, struct err *e)
{
	struct strbuf text = STRBUF(v->arena, n * (BLOCKS_MAX + 1));

	for (size_t i = 0; i < n; i++) {
		if (list[i]->rc < 0) {
			*e = list[i]->err;
			return list[i]->rc;
		}
		int r = add_blocks(list[i], &text, e);
		if (r < 0)
			return r;
	}
	if (text.len)
		vars_set(v, "vpc-cidrs", text.data, "imds");
	return 0;
}

int cloud_networks(struct cloud *c, struct vars *facts, uint64_t deadline, struct err *e)
{
	const char *mac = vars_get(facts, "mac");
	scope_arena struct arena *a = arena_new();

	if (c->broken.kind != ERR_NONE) {
		*e = c->broken;
		return -e->no;
	}
	if (!mac)
		return 0;
	const char *dir = arena_printf(a, "meta-data/network/interfaces/macs/%s", mac);
	scope_imds_read struct imds_read v4 = {
	        .path = arena_printf(a, "%s/vpc-ipv4-cidr-blocks", dir), .max = BLOCKS_MAX};
	scope_imds_read struct imds_read v6 = {
	        .path = arena_printf(a, "%s/vpc-ipv6-cidr-blocks", dir), .max = BLOCKS_MAX};
	struct imds_read *list[] = {&v4, &v6};
	int r = imds_read(c->imds, list, ARRAY_LEN(list), deadline, e);
	if (r == 0)
		r = take_blocks(list, ARRAY_LEN(list), facts, e);
	return r < 0 ? err_wrap(e, "learning the networks of this instance's VPC") : 0;
}
