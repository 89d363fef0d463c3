/* SPDX-License-Identifier: Apache-2.0 */
/* Runs programs for components, and the actions that do so. */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "component/component_own.h"

#define SCRIPT_MAX    (100 * 1024) /* Linux takes 128 KiB in one argument */
#define SHOWN_MAX     200
#define ARGUMENTS_MAX 256

struct script_in {
	struct field_strings commands;
};
struct binary_in {
	const char *path;
	struct field_strings arguments;
};
struct update_in {
	struct field_strings include, exclude;
};
struct reboot_in {
	int64_t delay_s;
};

/* ---- programs ---- */

static void take_line(void *ctx, const char *line)
{
	(void)ctx;
	log_info("%s", line);
}

static int failed(const struct host_result *done, const char *what, struct err *e)
{
	struct blob said = done->errout.len ? done->errout : done->out;
	char shown[SHOWN_MAX];

	while (said.len && strchr("\r\n \t", said.data[said.len - 1]))
		said.len--;
	size_t skip = said.len > SHOWN_MAX - 1 ? said.len - (SHOWN_MAX - 1) : 0;
	str_escape(said.len ? said.data + skip : "", said.len - skip, shown, sizeof shown);
	return err_set(e, ERR_HOST, REASON_HOST_COMMAND_FAILED, EIO,
	               "running %s: exit status %d%s%s", what, done->status, *shown ? ": " : "",
	               shown);
}

int component_program(const struct component_round *round, const char *const *argv,
                      const char *const *env, const char *what, struct err *e)
{
	const struct host_exec x = {
	        .argv = argv,
	        .env = env,
	        .changes = true,
	        .deadline = round->deadline,
	        .line = take_line,
	};
	struct host_result done;
	int r = host_run(round->env->host, &x, round->env->arena, &done, e);

	if (r < 0)
		return r;
	while (done.out.len && done.out.data[done.out.len - 1] == '\n')
		done.out.len--;
	component_output(
	        round, done.out.len ? arena_memdup(round->arena, done.out.data, done.out.len) : "");
	if (done.status == COMPONENT_REBOOT) {
		if (round->env->may_reboot)
			return 1;
		return err_set(e, ERR_HOST, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "%s asks for a restart by exit status %d, and this is no running "
		               "machine",
		               what, COMPONENT_REBOOT);
	}
	return done.status ? failed(&done, what, e) : 0;
}

static int execute_bash(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct script_in *in = inputs;
	struct strbuf script = STRBUF(round->arena, SCRIPT_MAX);

	for (size_t i = 0; i < in->commands.n; i++)
		strbuf_printf(&script, "%s\n", in->commands.items[i]);
	if (script.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "the commands are longer than %d bytes", SCRIPT_MAX);
	const char *const argv[] = {"/bin/bash", "-c", script.data, round->step->name, NULL};
	return component_program(round, argv, NULL, "the commands", e);
}

static int execute_binary(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct binary_in *in = inputs;
	const char **argv = arena_array(round->arena, in->arguments.n + 2, sizeof *argv);

	argv[0] = in->path;
	for (size_t i = 0; i < in->arguments.n; i++)
		argv[i + 1] = in->arguments.items[i];
	return component_program(round, argv, NULL, arena_printf(round->arena, "'%s'", in->path),
	                         e);
}

static int check_binary(const struct doc *at, const void *inputs, struct err *e)
{
	const struct binary_in *in = inputs;

	return *in->path
	               ? 0
	               : doc_err(at, e, REASON_INPUT_RANGE, "'path' is empty, expected a program");
}

static int update_os(const struct component_round *round, const void *inputs, struct err *e)
{
	static const char *const env[] = {"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1",
	                                  NULL};
	static const char *const lists[] = {"apt-get", "-q", "update", NULL};
	static const char *const apt[] = {"apt-get", "-q", "-y", "-o",
	                                  "Dpkg::Options::=--force-confold"};
	const struct update_in *in = inputs;
	bool is_apt = host_exists(round->env->host, "/usr/bin/apt-get");
	const char *argv[2 * ARGUMENTS_MAX + 16]; /* its tables allow this many of each list */
	size_t n = 0;

	_Static_assert(ARRAY_LEN(apt) + 4 <= 16, "the words beside both lists fit in");
	if (in->exclude.n && is_apt)
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		        "apt-get has no 'exclude'; hold the package in /etc/apt/preferences");
	if (is_apt) {
		int r = component_program(round, lists, env, "apt-get update", e);

		if (r != 0)
			return r;
		for (; n < ARRAY_LEN(apt); n++)
			argv[n] = apt[n];
		argv[n++] = in->include.n ? "install" : "dist-upgrade";
		if (in->include.n)
			argv[n++] = "--only-upgrade";
	} else {
		argv[n++] = "dnf";
		argv[n++] = "-y";
		for (size_t i = 0; i < in->exclude.n; i++)
			argv[n++] =
			        arena_printf(round->arena, "--exclude=%s", in->exclude.items[i]);
		argv[n++] = "upgrade";
	}
	argv[n++] = "--";
	for (size_t i = 0; i < in->include.n; i++)
		argv[n++] = in->include.items[i];
	argv[n] = NULL;
	return component_program(round, argv, env, is_apt ? "apt-get" : "dnf", e);
}

static int reboot(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct reboot_in *in = inputs;

	if (!round->env->may_reboot)
		return err_set(e, ERR_HOST, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "'Reboot' needs a running machine");
	(void)clock_sleep_ms((uint64_t)in->delay_s * 1000, round->deadline);
	round->step->done = true; /* marked once: the next call continues after it */
	return 1;
}

/* ---- the table ---- */

static const struct field script_fields[] = {
        {"commands", FIELD_STRINGS, FIELD_AT(struct script_in, commands), .required = true,
         .min = 1},
        {0},
};
static const struct field binary_fields[] = {
        {"path", FIELD_STRING, FIELD_AT(struct binary_in, path), .required = true},
        {"arguments", FIELD_STRINGS, FIELD_AT(struct binary_in, arguments), .max = ARGUMENTS_MAX},
        {0},
};
static const struct field update_fields[] = {
        {"include", FIELD_STRINGS, FIELD_AT(struct update_in, include), .max = ARGUMENTS_MAX},
        {"exclude", FIELD_STRINGS, FIELD_AT(struct update_in, exclude), .max = ARGUMENTS_MAX},
        {0},
};
static const struct field reboot_fields[] = {
        {"delaySeconds", FIELD_INT, FIELD_AT(struct reboot_in, delay_s), .min = 0, .max = 3600},
        {0},
};

const struct component_action component_program_actions[] = {
        {.name = "ExecuteBash",
         .output = "stdout",
         .fields = script_fields,
         .size = sizeof(struct script_in),
         .run = execute_bash},
        {.name = "ExecuteBinary",
         .output = "stdout",
         .fields = binary_fields,
         .size = sizeof(struct binary_in),
         .check = check_binary,
         .run = execute_binary},
        {.name = "UpdateOS",
         .fields = update_fields,
         .size = sizeof(struct update_in),
         .run = update_os},
        {.name = "Reboot",
         .offline = "it needs a running machine, and an image is built without one",
         .fields = reboot_fields,
         .size = sizeof(struct reboot_in),
         .run = reboot},
        {0},
};
