/* SPDX-License-Identifier: Apache-2.0 */
/* ssh: becomes ssh(1) to the head, whose keys are known. */
#include "life/ssh.h"
#include "life/life.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "state/known_host.h"
#include "state/view.h"

#define ARGS_OURS 12
#define TEXT_MAX  (128 * 1024) /* as much as one argument of execve(2) may have */

/* ---- the command ---- */

static int pick_address(const struct life *l, const struct view *v, const char **ret, struct err *e)
{
	const char *outer = v->head.public_address, *name = v->stack.name;

	if (!v->head.id)
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "cluster '%.100s' has no head: its stack is %s", name,
		               v->stack.status);
	if (!str_eq(v->head.state, "running"))
		return err_set(e, ERR_ABSENT, REASON_AWS_STATE, ENOENT,
		               "the head '%.50s' of cluster '%.100s' is %s, expected it running",
		               v->head.id, name, v->head.state);
	*ret = l->inside || !*outer ? v->head.address : outer;
	if (**ret)
		return 0;
	return err_set(e, ERR_ABSENT, REASON_AWS_STATE, ENOENT,
	               "the head '%.50s' of cluster '%.100s' has no address yet", v->head.id, name);
}

static int pick_user(const struct life *l, const struct view *v, const char **ret, struct err *e)
{
	*ret = l->user ? l->user : stacks_output(&v->stack, "User");
	if (!*ret)
		return err_set(e, ERR_USAGE, REASON_INPUT_REQUIRED, EINVAL,
		               "the stack of cluster '%.100s' doesn't tell whom its image lets in: "
		               "expected --user",
		               v->stack.name);
	if (**ret && **ret != '-' && !strpbrk(*ret, "@ \t\r\n"))
		return 0;
	return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
	               "--user '%.100s': expected the name of a user", *ret);
}

/* As shlex.quote() of Python does. */
static void quote(struct strbuf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "@%+=:,./-_";

	if (*word && !word[strspn(word, plain)]) {
		strbuf_str(out, word);
		return;
	}
	strbuf_char(out, '\'');
	for (; *word; word++)
		if (*word == '\'')
			strbuf_str(out, "'\"'\"'");
		else
			strbuf_char(out, *word);
	strbuf_char(out, '\'');
}

static const char *as_text(const char *const *argv, struct arena *a)
{
	struct strbuf out = STRBUF(a, TEXT_MAX);

	for (size_t i = 0; argv[i]; i++) {
		if (i)
			strbuf_char(&out, ' ');
		quote(&out, argv[i]);
	}
	return out.data;
}

static const char *const *arguments(const struct life *l, const char *to, const char *instance,
                                    const char *file, const char *const *more)
{
	struct arena *a = l->program.arena;
	const char **argv;
	size_t n = 0, n_more = 0;

	while (more[n_more])
		n_more++;
	argv = arena_array(a, ARGS_OURS + n_more + 1, sizeof *argv);
	argv[n++] = "ssh";
	argv[n++] = to;
	argv[n++] = "-o";
	argv[n++] = arena_printf(a, "HostKeyAlias=%s", instance);
	argv[n++] = "-o";
	argv[n++] = arena_printf(
	        a, strpbrk(file, " \t'\\") ? "UserKnownHostsFile=\"%s\"" : "UserKnownHostsFile=%s",
	        file);
	argv[n++] = "-o";
	argv[n++] =
	        l->accept_new ? "StrictHostKeyChecking=accept-new" : "StrictHostKeyChecking=yes";
	if (l->key_file) {
		argv[n++] = "-i";
		argv[n++] = l->key_file;
	}
	for (size_t i = 0; i < n_more; i++)
		argv[n++] = more[i];
	return argv;
}

int ssh_command(struct life *l, const char *name, const char *const *more, struct ssh_command *ret,
                struct err *e)
{
	const char *address = NULL, *user = NULL, *file = NULL;
	struct view v = {0};
	int r = view_cluster(l, name, &v, e);

	if (r < 0)
		return r;
	r = pick_address(l, &v, &address, e);
	if (r < 0)
		return r;
	r = pick_user(l, &v, &user, e);
	if (r < 0)
		return r;
	r = (l->accept_new ? known_host_file : known_host)(l, v.head.id, &file, e);
	if (r < 0)
		return r;
	ret->argv = arguments(l, arena_printf(l->program.arena, "%s@%s", user, address), v.head.id,
	                      file, more);
	ret->text = as_text(ret->argv, l->program.arena);
	return 0;
}

/* ---- the verb ---- */

int ssh_become(struct life *l, const struct ssh_command *c)
{
	struct err e;

	cloud_close(l->cloud);
	l->cloud = NULL;
	(void)fflush(stdout);
	signal(SIGXFSZ, SIG_DFL);
	execvp(c->argv[0], (char *const *)(uintptr_t)c->argv);
	err_set(&e, ERR_HOST, REASON_HOST_EXEC, errno, "running ssh: %s", strerror(errno));
	return program_fail(&l->program, &e);
}

static int print_json(struct life *l, const char *command)
{
	struct strbuf out = STRBUF(l->program.arena, 2 * TEXT_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "command", command);
	jsonw_end(&w, '}');
	return view_print(l, out.data);
}

int verb_ssh(void *program)
{
	struct life *l = program;
	struct ssh_command c;
	struct err e;

	/* The operands are argv's, which ends with NULL. */
	const char *const *more =
	        l->ssh_more ? l->ssh_more : (const char *const *)l->program.line.operands + 1;

	if (ssh_command(l, l->program.line.operands[0], more, &c, &e) < 0)
		return program_fail(&l->program, &e);
	if (!l->dryrun)
		return ssh_become(l, &c);
	if (l->program.json)
		return print_json(l, c.text);
	puts(c.text);
	return 0;
}
