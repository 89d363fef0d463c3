/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of claim() that describe a step, and the policy common to all kinds. */
#include "plan/step.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define NAME_MAX_BYTES 256

const struct field step_policy_fields[] = {
        {"id", FIELD_STRING, FIELD_AT(struct step_policy, id), .min = 1, .max = STEP_ID_MAX,
         .help = "name of the step, in place of the derived one"},
        {"after", FIELD_STRINGS, FIELD_AT(struct step_policy, after),
         .help = "steps that come first: an id, or a section for all its steps"},
        {"timeout", FIELD_DURATION, FIELD_AT(struct step_policy, timeout_ms),
         .help = "how long the step may take, all tries together"},
        {"retries", FIELD_INT, FIELD_AT(struct step_policy, retries), .max = STEP_RETRIES_MAX,
         .help = "further tries after the machine refused; services are always tried again"},
        {"optional", FIELD_BOOL, FIELD_AT(struct step_policy, optional),
         .help = "its failure degrades the node, it doesn't fail the run"},
        {0},
};

void step_name(struct step *s, const char *fmt, ...)
{
	char raw[NAME_MAX_BYTES], clean[NAME_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	str_escape(raw, strlen(raw), clean, sizeof clean);
	s->id = arena_printf(s->arena, "%s:%s", s->kind->section, clean);
}

/* "path://a//b/" -> "path:/a/b", so that names can be compared as text. */
static void tidy_path(char *name)
{
	char *out = name + strlen("path:");

	if (!str_starts(name, "path:/"))
		return;
	for (const char *in = out; *in; in++)
		if (*in != '/' || in[1] != '/')
			*out++ = *in;
	if (out[-1] == '/' && out[-2] != ':')
		out--;
	*out = '\0';
}

ATTR_PRINTF(3, 0)
static void add(struct step *s, struct field_strings *to, const char *fmt, va_list ap)
{
	char *name = arena_vprintf(s->arena, fmt, ap);

	tidy_path(name);
	to->items = arena_grow(s->arena, to->items, &to->n, sizeof *to->items);
	to->items[to->n - 1] = name;
}

void step_provides(struct step *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(s, &s->provides, fmt, ap);
	va_end(ap);
}

void step_needs(struct step *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(s, &s->needs, fmt, ap);
	va_end(ap);
}

int step_check_running(const struct step_ctx *c, const char *doing, struct err *e)
{
	if (host_is_self(c->host) || host_mode(c->host) == HOST_DRY)
		return 0;
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
	               "%s: '%s' is an image, and this is only for a running machine", doing,
	               host_root(c->host));
}
