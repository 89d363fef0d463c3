/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostname: the machine's name, and that it resolves.
 *
 * munged and slurmd look up their own name when they start; munged stalls 20 s when it does not
 * resolve. So the name gets a line at the top of /etc/hosts, with the address of fact `local-ipv4`,
 * or with 127.0.1.1 (Debian's convention) where that fact is unknown. A comment marks our line. The
 * name is removed from every other line, since the resolver would return those addresses too; the
 * rest of the file is left as it is.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "kinds/kinds.h"
#include "machine/kernel.h"
#include "plan/claim.h"

#define HOSTS_PATH "/etc/hosts"
#define HOSTS_MAX  (1UL << 20)
#define HOSTS_MARK "# hpc-node: this machine"
#define NAME_LEN   64 /* HOST_NAME_MAX of Linux; also the longest DNS label plus one */

struct hostname_spec {
	const char *name;
	const char *address,
	        *label; /* set by claim: own address, and the name up to its first dot */
};

static const struct field hostname_fields[] = {
        {"hostname", FIELD_STRING, FIELD_AT(struct hostname_spec, name),
         .help = "the machine's name, short or fully qualified; it also gets a line in /etc/hosts"},
        {0},
};

/* RFC 1123: labels of letters, digits and inner dashes. */
static bool is_hostname(const char *name)
{
	size_t len = strlen(name), label = 0;

	if (len == 0 || len > NAME_LEN)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (name[i] == '.' || !name[i]) {
			if (label == 0 || label > 63 || name[i - 1] == '-')
				return false;
			label = 0;
		} else if (isalnum((unsigned char)name[i]) || (name[i] == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
	return true;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct hostname_spec *h = fields;
	const char *address = vars_get(facts, "local-ipv4");
	struct in_addr ignored;

	if (!is_hostname(h->name))
		return doc_err(s->at, e, REASON_INPUT_RANGE,
		               "'%s' is not a host name: letters, digits, '-' and '.', at most %d",
		               h->name, NAME_LEN);
	if (address && inet_pton(AF_INET, address, &ignored) != 1)
		return doc_err(s->at, e, REASON_INPUT_FACT,
		               "fact 'local-ipv4' is '%s', which is no address", address);
	h->address = address ? arena_strdup(s->arena, address) : "127.0.1.1";
	h->label = arena_printf(s->arena, "%.*s", (int)strcspn(h->name, "."), h->name);
	step_needs(s, "path:%s", HOSTS_PATH);
	step_provides(s, "name:self");
	return 0;
}

static bool names_us(const struct hostname_spec *h, struct blob word)
{
	return (word.len == strlen(h->name) && !strncasecmp(word.data, h->name, word.len)) ||
	       (word.len == strlen(h->label) && !strncasecmp(word.data, h->label, word.len));
}

static struct blob next_word(struct blob *line)
{
	size_t i = 0, start;

	while (i < line->len && isspace((unsigned char)line->data[i]))
		i++;
	start = i;
	while (i < line->len && !isspace((unsigned char)line->data[i]))
		i++;

	struct blob word = {line->data + start, i - start};
	line->data += i;
	line->len -= i;
	return word;
}

/* Copies one line without our names; a line that had nothing else is dropped. */
static void add_foreign(const struct hostname_spec *h, struct blob line, struct strbuf *out)
{
	const char *hash = memchr(line.data, '#', line.len);
	size_t len = hash ? (size_t)(hash - line.data) : line.len;
	struct strbuf kept = STRBUF(out->arena, line.len + 2);
	struct blob rest = {line.data, len};
	struct blob word = next_word(&rest);
	size_t names = 0, ours = 0;

	strbuf_add(&kept, word.data, word.len);
	for (word = next_word(&rest); word.len; word = next_word(&rest)) {
		if (names_us(h, word)) {
			ours++;
			continue;
		}
		strbuf_char(&kept, names++ ? ' ' : '\t');
		strbuf_add(&kept, word.data, word.len);
	}
	if (ours == 0)
		strbuf_add(out, line.data, line.len);
	else if (names > 0)
		strbuf_printf(out, "%s%s%.*s", kept.data, hash ? " " : "", (int)(line.len - len),
		              line.data + len);
	if (ours == 0 || names > 0)
		strbuf_char(out, '\n');
}

static struct blob hosts_text(const struct hostname_spec *h, struct blob now, struct arena *a)
{
	struct strbuf out = STRBUF(a, HOSTS_MAX + 4096);
	const char *mark = HOSTS_MARK;

	strbuf_printf(&out, "%s\t%s", h->address, h->name);
	if (!str_eq(h->name, h->label))
		strbuf_printf(&out, " %s", h->label);
	strbuf_printf(&out, "\t%s\n", mark);
	while (now.len > 0) {
		const char *end = memchr(now.data, '\n', now.len);
		size_t len = end ? (size_t)(end - now.data) : now.len;

		if (!memmem(now.data, len, mark, strlen(mark)))
			add_foreign(h, (struct blob){now.data, len}, &out);
		len += end ? 1 : 0;
		now.data += len;
		now.len -= len;
	}
	return (struct blob){out.data, out.len};
}

static int wanted_hosts(const struct step_ctx *c, const struct hostname_spec *h, struct blob *ret,
                        struct err *e)
{
	static const char fresh[] =
	        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
	struct blob now = {fresh, sizeof fresh - 1};

	int r = host_lookup(c->host, HOSTS_PATH, e);

	if (r > 0)
		r = host_read(c->host, HOSTS_PATH, HOSTS_MAX, c->arena, &now, e);
	if (r < 0)
		return r;
	*ret = hosts_text(h, now, c->arena);
	return 0;
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct hostname_spec *h = fields;
	struct host_owner root = {0};
	const char *name;
	struct blob hosts;
	int r = host_hostname(c->host, c->arena, &name, e);

	if (r < 0)
		return r;
	if (!str_eq(name, h->name))
		return 0;
	r = wanted_hosts(c, h, &hosts, e);
	return r < 0 ? r : host_file_is(c->host, HOSTS_PATH, hosts, 0644, &root, e);
}

/* The file first, so that the name resolves from the moment the machine has it. */
static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct hostname_spec *h = fields;
	struct host_owner root = {0};
	struct blob hosts;
	int r = wanted_hosts(c, h, &hosts, e);

	if (r < 0)
		return r;
	r = host_write(c->host, HOSTS_PATH, hosts, 0644, &root, e);
	if (r < 0)
		return r;
	return host_set_hostname(c->host, h->name, e);
}

const struct kind kind_hostname = {
        .section = "hostname",
        .summary = "the machine's name, resolvable on the machine itself",
        .shape = KIND_SCALAR,
        .fields = hostname_fields,
        .size = sizeof(struct hostname_spec),
        .timeout_ms = 30000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
