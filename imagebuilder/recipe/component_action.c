/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of component documents that run programs, the table of all, and their inputs. */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "recipe/component_own.h"

#define SCRIPT_MAX    (100 * 1024) /* Linux takes 128 KiB in one argument */
#define SHOWN_MAX     200
#define ARGUMENTS_MAX 256
#define ACTIONS_MAX   64

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

int component_program(const struct component_round *r, const char *const *argv,
                      const char *const *env, const char *what, struct err *e)
{
	const struct host_exec x = {
	        .argv = argv,
	        .env = env,
	        .changes = true,
	        .deadline = r->deadline,
	        .line = take_line,
	};
	struct host_result done;
	int err = host_run(r->env->host, &x, r->env->arena, &done, e);

	if (err < 0)
		return err;
	while (done.out.len && done.out.data[done.out.len - 1] == '\n')
		done.out.len--;
	r->step->out = arena_memdup(r->env->arena, done.out.len ? done.out.data : "", done.out.len);
	if (done.status == COMPONENT_REBOOT) {
		if (r->env->may_reboot)
			return 1;
		return err_set(e, ERR_HOST, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "%s asks for a restart by exit status %d, and this is no running "
		               "machine",
		               what, COMPONENT_REBOOT);
	}
	return done.status ? failed(&done, what, e) : 0;
}

static int execute_bash(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct script_in *in = inputs;
	struct strbuf script = STRBUF(r->arena, SCRIPT_MAX);

	for (size_t i = 0; i < in->commands.n; i++)
		strbuf_printf(&script, "%s\n", in->commands.items[i]);
	if (script.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "the commands are longer than %d bytes", SCRIPT_MAX);
	const char *const argv[] = {"/bin/bash", "-c", script.data, r->step->name, NULL};
	return component_program(r, argv, NULL, "the commands", e);
}

static int execute_binary(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct binary_in *in = inputs;
	const char **argv = arena_array(r->arena, in->arguments.n + 2, sizeof *argv);

	argv[0] = in->path;
	for (size_t i = 0; i < in->arguments.n; i++)
		argv[i + 1] = in->arguments.items[i];
	return component_program(r, argv, NULL, arena_printf(r->arena, "'%s'", in->path), e);
}

static int check_binary(const struct doc *at, const void *inputs, struct err *e)
{
	const struct binary_in *in = inputs;

	return *in->path
	               ? 0
	               : doc_err(at, e, REASON_INPUT_RANGE, "'path' is empty, expected a program");
}

static int update_os(const struct component_round *r, const void *inputs, struct err *e)
{
	static const char *const env[] = {"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1",
	                                  NULL};
	static const char *const lists[] = {"apt-get", "-q", "update", NULL};
	static const char *const apt[] = {"apt-get", "-q", "-y", "-o",
	                                  "Dpkg::Options::=--force-confold"};
	const struct update_in *in = inputs;
	bool is_apt = host_exists(r->env->host, "/usr/bin/apt-get");
	const char *argv[2 * ARGUMENTS_MAX + 16];
	size_t n = 0;

	if (in->exclude.n && is_apt)
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		        "apt-get has no 'exclude'; hold the package in /etc/apt/preferences");
	if (is_apt) {
		int err = component_program(r, lists, env, "apt-get update", e);

		if (err)
			return err;
		for (; n < ARRAY_LEN(apt); n++)
			argv[n] = apt[n];
		argv[n++] = in->include.n ? "install" : "dist-upgrade";
		if (in->include.n)
			argv[n++] = "--only-upgrade";
	} else {
		argv[n++] = "dnf";
		argv[n++] = "-y";
		for (size_t i = 0; i < in->exclude.n; i++)
			argv[n++] = arena_printf(r->arena, "--exclude=%s", in->exclude.items[i]);
		argv[n++] = "upgrade";
	}
	argv[n++] = "--";
	for (size_t i = 0; i < in->include.n; i++)
		argv[n++] = in->include.items[i];
	argv[n] = NULL;
	return component_program(r, argv, env, is_apt ? "apt-get" : "dnf", e);
}

static int reboot(const struct component_round *r, const void *inputs, struct err *e)
{
	const struct reboot_in *in = inputs;

	if (!r->env->may_reboot)
		return err_set(e, ERR_HOST, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "'Reboot' needs a running machine");
	(void)clock_sleep_ms((uint64_t)in->delay_s * 1000, r->deadline);
	r->step->done = true; /* once: the next call goes on behind it */
	return 1;
}

/* ---- assertions ---- */

static int assert_holds(const struct component_round *r, const struct doc *inputs, bool run,
                        struct err *e)
{
	int v = component_holds(r, inputs, e);

	if (v < 0 || !run || v)
		return v < 0 ? v : 0;
	struct strbuf text = STRBUF(r->arena, SHOWN_MAX);
	doc_json(inputs, &text);
	return err_set(e, ERR_HOST, REASON_HOST_COMMAND_FAILED, EIO, "it does not hold that %s",
	               text.data);
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

static const struct component_action actions[] = {
        {"ExecuteBash", true, false, script_fields, sizeof(struct script_in), NULL, NULL,
         execute_bash},
        {"ExecuteBinary", true, false, binary_fields, sizeof(struct binary_in), NULL, check_binary,
         execute_binary},
        {"UpdateOS", true, false, update_fields, sizeof(struct update_in), NULL, NULL, update_os},
        {"Reboot", true, true, reboot_fields, sizeof(struct reboot_in), NULL, NULL, reboot},
        {"Assert", true, false, NULL, 0, NULL, NULL, NULL},
        {0},
};

static const struct {
	const char *name, *why;
} refused[] = {
        {"ExecutePowerShell", "the image is Linux"},
        {"SetRegistry", "the image is Linux"},
        {"InstallMSI", "the image is Linux"},
        {"UninstallMSI", "the image is Linux"},
        {"S3Upload", "a build sends nothing out"},
        {"ExecuteDocument", "list that document under 'components' instead"},
        {"AppendFile", "running it twice would append twice; use CreateFile"},
        {"ReadFile", "use ExecuteBash with 'cat', whose outputs.stdout can be referred to"},
        {"ListFiles", "use ExecuteBash with 'ls', whose outputs.stdout can be referred to"},
};

int component_action_find(const struct doc *at, const struct component_action **ret, struct err *e)
{
	static const struct component_action *const tables[] = {actions, component_file_actions};
	const char *names[ACTIONS_MAX];
	size_t n = 0;

	if (at->type != DOC_SCALAR)
		return doc_err(at, e, REASON_INPUT_TYPE, "'action': expected a string, found %s",
		               doc_type_name(at));
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct component_action *a = tables[t]; a->name && n < ACTIONS_MAX;
		     a++) {
			names[n++] = a->name;
			if (!str_eq(a->name, at->text))
				continue;
			*ret = a;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (str_eq(refused[i].name, at->text))
			return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
			               "'%s' has no place here: %s", at->text, refused[i].why);
	const char *near = str_nearest(at->text, names, n);
	return doc_err(at, e, REASON_INPUT_UNKNOWN_KEY,
	               near ? "unknown action '%s', did you mean '%s'?" : "unknown action '%s'%s",
	               at->text, near ? near : "");
}

static int one_input(const struct component_round *r, const struct doc *d, bool run, struct err *e)
{
	const struct component_action *action = r->step->action;
	void *inputs = arena_alloc(r->arena, action->size);

	if (action->defaults)
		memcpy(inputs, action->defaults, action->size);
	int err = field_decode(d, action->fields, NULL, r->arena, inputs, e);
	if (err == 0 && action->check)
		err = action->check(d, inputs, e);
	return err < 0 || !run ? err : action->run(r, inputs, e);
}

int component_action_each(const struct component_round *r, const struct doc *inputs, bool run,
                          struct err *e)
{
	const struct component_action *action = r->step->action;
	const struct doc *d = inputs ? inputs : doc_new_map(r->arena, r->step->at);
	int err = 0;

	if (!action->fields)
		return inputs ? assert_holds(r, inputs, run, e)
		              : doc_err(r->step->at, e, REASON_INPUT_REQUIRED,
		                        "'inputs' is missing");
	if (d->type == DOC_MAP)
		return one_input(r, d, run, e);
	if (action->one || d->type != DOC_LIST)
		return doc_err(d, e, REASON_INPUT_TYPE, "inputs of '%s': expected a %s, found %s",
		               action->name, action->one ? "map" : "list of maps",
		               doc_type_name(d));
	for (size_t i = 0; i < d->n && err == 0; i++)
		err = one_input(r, d->items[i], run, e);
	return err;
}
