/* SPDX-License-Identifier: Apache-2.0 */
/* Checks what a machine is told of its controller, and finds out where Slurm's configuration is. */
#include <ctype.h>

#include "plan/claim.h"
#include "slurm/slurm_client_own.h"

/* A word of a daemon's options: systemd unquotes it twice, so quotes and escapes are refused. */
int slurm_claim_word(const struct step *s, const char *key, const char *word, bool blanks,
                     struct err *e)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < len; i++) {
		bool blank = word[i] == ' ' && blanks && i > 0 && i + 1 < len;

		if (!blank && (!isgraph((unsigned char)word[i]) || strchr("\"'\\$`", word[i])))
			return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
			               "'%s' contains a quote, a backslash, a dollar sign, or a "
			               "character that is not plain: expected none of these",
			               word);
	}
	if (!len)
		return doc_err(claim_at(s, key), e, REASON_INPUT_RANGE,
		               "an empty word: expected at least one character");
	return 0;
}

static int claim_head(struct step *s, struct slurm_spec *spec, const struct vars *facts,
                      struct err *e)
{
	const char *fact = vars_get(facts, "head");

	if (!spec->head.n && fact) {
		spec->head.items = arena_array(s->arena, 1, sizeof fact);
		spec->head.items[0] = arena_strdup(s->arena, fact);
		spec->head.n = 1;
	}
	if (!spec->head.n && spec->mode != SLURM_OWN_CONF)
		return doc_err(
		        s->at, e, REASON_INPUT_REQUIRED,
		        "the head node is not known: give 'head' here or in the node document");
	for (size_t i = 0; i < spec->head.n; i++) {
		int r = slurm_claim_word(s, "head", spec->head.items[i], false, e);
		if (r < 0)
			return r;
		step_needs(s, "name:%s", spec->head.items[i]);
	}
	return 0;
}

/* slurmctld listens on every port of a range; nodes are spread over them by their names. Each
 * always gets the same port, so that a second run finds what the first wrote. */
static int claim_port(struct step *s, struct slurm_spec *spec, struct err *e)
{
	char *low = arena_strdup(s->arena, spec->port), *dash = strchr(low, '-');
	uint64_t first, last, hash = 0;

	if (dash)
		*dash = '\0';
	if (str_u64(low, 1, 65535, &first) < 0 ||
	    str_u64(dash ? dash + 1 : low, first, 65535, &last) < 0)
		return doc_err(claim_at(s, "port"), e, REASON_INPUT_RANGE,
		               "'%s' is not a port or a range of ports: expected one like 6817 or "
		               "6820-6829",
		               spec->port);
	for (const char *p = spec->node ? spec->node : ""; *p; p++)
		hash = hash * 31 + (unsigned char)*p;
	spec->port_number = (unsigned)(first + hash % (last - first + 1));
	return 0;
}

/* "head:6817,other:6817"; an IPv6 address is put in brackets. */
static const char *server_list(const struct slurm_spec *spec, struct arena *a)
{
	struct strbuf out = STRBUF(a, 4096);

	for (size_t i = 0; i < spec->head.n; i++) {
		const char *head = spec->head.items[i];
		bool v6 = strchr(head, ':');

		strbuf_printf(&out, "%s%s%s%s:%u", i ? "," : "", v6 ? "[" : "", head, v6 ? "]" : "",
		              spec->port_number);
	}
	return out.data;
}

int slurm_claim_server(struct step *s, struct slurm_spec *spec, const struct vars *facts,
                       struct err *e)
{
	int r = claim_head(s, spec, facts, e);

	if (r < 0)
		return r;
	r = claim_port(s, spec, e);
	if (r < 0)
		return r;
	spec->server = server_list(spec, s->arena);
	return 0;
}

int slurm_claim_prefix(const struct step *s, struct slurm_spec *spec, struct err *e)
{
	if (!spec->prefix)
		return 0;
	int r = claim_path(s, "prefix", &spec->prefix, e);
	return r < 0 ? r : slurm_claim_word(s, "prefix", spec->prefix, false, e);
}

/* Slurm's clients use a slurm.conf at Slurm's built-in path, whatever slurmd is told. On a head
 * node's export it is that of AWS ParallelCluster, which isn't configless. */
int slurm_settle(const struct step_ctx *c, const char *doing, const void *fields,
                 struct slurm_spec *ret, struct err *e)
{
	const struct slurm_spec *s = fields;
	const char *etc = s->prefix ? arena_printf(c->arena, "%s/etc", s->prefix) : "/etc/slurm";
	int r = step_check_running(c, doing, e);

	if (r < 0)
		return r;
	r = s->mode != SLURM_AUTO
	            ? s->mode != SLURM_CONFIGLESS
	            : host_lookup(c->host, arena_printf(c->arena, "%s/slurm.conf", etc), e);
	if (r < 0)
		return r;
	*ret = *s;
	ret->configless = r == 0;
	return 0;
}
