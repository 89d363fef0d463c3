/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl: kernel settings, now and after the next boot.
 *
 * A setting that the kernel refuses fails the step before the file is written, so that the file
 * never contains an impossible value. At boot systemd-sysctl reads the files in order of their
 * names: 99-*.conf and /etc/sysctl.conf override ours until the agent runs again.
 */
#include <ctype.h>

#include "kinds/kinds.h"
#include "machine/kernel.h"
#include "plan/claim.h"

#define SYSCTL_PATH "/etc/sysctl.d/90-hpc-node.conf"
#define SYSCTL_MAX  (64UL << 10)

struct sysctl_spec {
	struct field_pairs pairs;
};

static const struct field sysctl_fields[] = {
        {"sysctl", FIELD_PAIRS, FIELD_AT(struct sysctl_spec, pairs),
         .help = "name: value, as in 'net.core.somaxconn: 65535'; written to " SYSCTL_PATH},
        {0},
};

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-/", *p))
			return false;
	return len > 0 && strchr(name, '.') && name[0] != '.' && name[len - 1] != '.' &&
	       !strstr(name, "..");
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	const struct sysctl_spec *c = fields;

	(void)facts;
	for (size_t i = 0; i < c->pairs.n; i++) {
		const struct field_pair *p = &c->pairs.items[i];

		if (!is_name(p->name))
			return doc_err(p->at, e, REASON_INPUT_RANGE,
			               "'%s' is not a kernel setting like 'vm.swappiness'",
			               p->name);
		if (!*p->value || strpbrk(p->value, "\r\n"))
			return doc_err(p->at, e, REASON_INPUT_RANGE,
			               "the value of '%s' is not one line", p->name);
	}
	step_provides(s, "path:%s", SYSCTL_PATH);
	return 0;
}

static struct blob file_text(const struct sysctl_spec *c, struct arena *a)
{
	struct strbuf out = STRBUF(a, SYSCTL_MAX);

	strbuf_str(&out,
	           "# Written by hpc-agent from the section 'sysctl'; changes here don't last.\n");
	for (size_t i = 0; i < c->pairs.n; i++)
		strbuf_printf(&out, "%s = %s\n", c->pairs.items[i].name, c->pairs.items[i].value);
	return (struct blob){out.data, out.len};
}

/* People align lists of numbers in different ways, and so does the kernel. */
static bool same_words(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, " \t\n");
		b += strspn(b, " \t\n");

		size_t n = strcspn(a, " \t\n");
		if (n != strcspn(b, " \t\n") || strncmp(a, b, n) != 0)
			return false;
		if (n == 0)
			return true;
		a += n;
		b += n;
	}
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct sysctl_spec *spec = fields;
	struct host_owner root = {0};

	for (size_t i = 0; host_is_self(c->host) && i < spec->pairs.n; i++) {
		const struct field_pair *p = &spec->pairs.items[i];
		const char *now;
		struct err ignored; /* apply has the same error again, and reports it */

		if (host_sysctl_get(c->host, p->name, c->arena, &now, &ignored) < 0 ||
		    !same_words(now, p->value))
			return 0;
	}
	return host_file_is(c->host, SYSCTL_PATH, file_text(spec, c->arena), 0644, &root, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct sysctl_spec *spec = fields;
	struct host_owner root = {0};

	for (size_t i = 0; host_is_self(c->host) && i < spec->pairs.n; i++) {
		const struct field_pair *p = &spec->pairs.items[i];
		int r = host_sysctl_set(c->host, p->name, p->value, e);

		if (r < 0)
			return r;
	}
	return host_write(c->host, SYSCTL_PATH, file_text(spec, c->arena), 0644, &root, e);
}

const struct kind kind_sysctl = {
        .section = "sysctl",
        .summary = "kernel settings, now and at the next boot",
        .shape = KIND_PAIRS,
        .fields = sysctl_fields,
        .size = sizeof(struct sysctl_spec),
        .timeout_ms = 30000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
