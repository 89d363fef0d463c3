/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches, checks and runs a script of the section scripts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "aws/fetch.h"
#include "base/log.h"
#include "base/scope.h"
#include "kinds/script_own.h"

#define LAST_LINES 4
#define LINE_KEPT  120

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3; glibc 2.38 */
#endif

static int fetch(const struct step_ctx *c, const struct script_spec *s, struct err *e)
{
	struct fetch f = {.uri = s->source, .sha256 = s->sha256};

	if (!c->cloud)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "fetching script '%s': there is no cloud to fetch from here",
		               s->name);
	int r = fetch_memory(c->cloud, &f, s->text->arena, &s->text->bytes, c->deadline, e);
	return r < 0 ? err_wrap(e, "fetching script '%s'", s->name) : 0;
}

/* The kernel says only ENOEXEC to these, or ENOENT for an interpreter named "bash\r". */
static int check_form(const struct script_spec *s, struct err *e)
{
	struct blob b = s->text->bytes;
	const char *end = memchr(b.data, '\n', b.len);
	size_t first = end ? (size_t)(end - b.data) : b.len;

	if (b.len > 4 && memcmp(b.data, "\177ELF", 4) == 0)
		return 0;
	if (b.len < 3 || memcmp(b.data, "#!", 2) != 0)
		return err_set(
		        e, ERR_INPUT, REASON_SCRIPT_FAILED, ENOEXEC,
		        "loading script '%s': it begins with neither #! nor a program's header",
		        s->name);
	if (memchr(b.data, '\r', first))
		return err_set(e, ERR_INPUT, REASON_SCRIPT_FAILED, ENOEXEC,
		               "loading script '%s': its lines end as on DOS, with CR LF", s->name);
	return 0;
}

static int get_bytes(const struct step_ctx *c, const struct script_spec *s, struct err *e)
{
	if (!s->run.n && !s->content)
		return fetch(c, s, e);
	s->text->bytes =
	        s->run.n ? (struct blob){NULL, 0} : (struct blob){s->content, strlen(s->content)};
	return 0;
}

int script_load(const struct step_ctx *c, const struct script_spec *s, struct err *e)
{
	struct script_text *t = s->text;

	if (t->known)
		return 0;
	int r = get_bytes(c, s, e);
	if (r < 0)
		return r;
	r = t->bytes.data ? check_form(s, e) : 0;
	if (r < 0)
		return r;
	digest_hex(t->bytes.data, t->bytes.len, t->digest);
	t->known = true;
	return 0;
}

/* An unnamed file that holds the script; -errno. */
static int script_fd(const struct script_spec *s)
{
	scope_fd int fd = memfd_create("script", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("script", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	int r = file_write_all(fd, s->text->bytes.data, s->text->bytes.len);
	if (r < 0)
		return r;
	if (fchmod(fd, 0555) < 0)
		return -errno;
	r = file_seal(fd);
	return r < 0 ? r : steal_fd(&fd);
}

/* The last lines of output, for the error. */
struct output {
	char last[LAST_LINES][LINE_KEPT];
	size_t n;
};

static void take_line(void *ctx, const char *line)
{
	struct output *o = ctx;

	log_info("%s", line);
	if (line[strspn(line, " \t\r")])
		str_escape(line, strcspn(line, "\r"), o->last[o->n++ % LAST_LINES], LINE_KEPT);
}

static int failed(const struct script_spec *s, const struct output *o,
                  const struct host_result *done, struct err *e)
{
	char how[HOST_HOW];
	char text[LAST_LINES * (LINE_KEPT + 4)] = "";
	size_t n = o->n < LAST_LINES ? o->n : LAST_LINES, len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " | " : ": ",
		                        o->last[(o->n - n + i) % LAST_LINES]);
	return err_set(e, ERR_HOST, REASON_SCRIPT_FAILED, EIO, "running script '%s': %s%s", s->name,
	               host_how_ended(done, how), text);
}

static const char **argv_of(const struct script_spec *s, struct arena *a)
{
	const struct field_strings *list = s->run.n ? &s->run : &s->args;
	const char **argv = arena_array(a, list->n + 2, sizeof *argv);
	size_t n = 0;

	if (!s->run.n)
		argv[n++] = s->name;
	for (size_t i = 0; i < list->n; i++)
		argv[n++] = list->items[i];
	return argv;
}

static const char **env_of(const struct script_spec *s, struct arena *a)
{
	const char **env = arena_array(a, s->env.n + 1, sizeof *env);

	for (size_t i = 0; i < s->env.n; i++)
		env[i] = arena_printf(a, "%s=%s", s->env.items[i].name, s->env.items[i].value);
	return env;
}

/* The kernel says of a missing interpreter what it says of a missing program. */
static int not_run(const struct script_spec *s, struct err *e)
{
	struct blob b = s->text->bytes;
	size_t at = 2, len = 0;

	if (e->no != ENOENT || b.len < 3 || memcmp(b.data, "#!", 2) != 0)
		return err_wrap(e, "running script '%s'", s->name);
	while (at < b.len && memchr(" \t", b.data[at], 2))
		at++;
	while (at + len < b.len && !memchr(" \t\n", b.data[at + len], 3))
		len++;
	return err_set(e, e->kind, e->reason, ENOENT,
	               "running script '%s': its interpreter '%.*s' is not there", s->name,
	               (int)(len < LINE_KEPT ? len : LINE_KEPT), b.data + at);
}

int script_run(const struct step_ctx *c, const struct script_spec *s, struct err *e)
{
	scope_fd int fd = s->text->bytes.data ? script_fd(s) : -1;
	struct output out = {.n = 0};
	struct host_exec x = {
	        .argv = argv_of(s, c->arena),
	        .env = env_of(s, c->arena),
	        .exec_fd = fd > 0 ? fd : 0,
	        .user = s->user,
	        .changes = true,
	        .deadline = c->deadline,
	        .line = take_line,
	        .line_ctx = &out,
	};
	struct host_result done;

	if (s->text->bytes.data && fd < 0)
		return err_errno(e, -fd, "keeping script '%s' in memory", s->name);
	int r = host_run(c->host, &x, c->arena, &done, e);
	if (r < 0)
		return not_run(s, e);
	return done.status == 0 ? 0 : failed(s, &out, &done, e);
}
