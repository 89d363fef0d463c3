/* SPDX-License-Identifier: Apache-2.0 */
/* Sets up a state directory for apt, and runs apt with it. */
#include "lock/apt_state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"

#define UPDATE_MS  600000
#define ASK_MS     120000
#define CONFIG_MAX 65536

static int put(const struct apt_state *t, const char *name, const char *text, struct err *e)
{
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};

	return file_replace(AT_FDCWD, arena_printf(t->arena, "%s/%s", t->dir, name), text,
	                    strlen(text), &attr, e);
}

/* An empty status file, so that nothing counts as installed; the rest as mmdebstrap sets it. */
static int set_up(const struct apt_state *t, const char *arch, struct err *e)
{
	static const char *const dirs[] = {"lists", "lists/partial", "cache", "cache/archives",
	                                   "cache/archives/partial"};
	const char *config = arena_printf(
	        t->arena,
	        "Dir::State \"%1$s\";\nDir::State::status \"%1$s/status\";\n"
	        "Dir::State::lists \"%1$s/lists\";\nDir::Cache \"%1$s/cache\";\n"
	        "Dir::Etc::sourcelist \"%1$s/sources.list\";\nDir::Etc::sourceparts "
	        "\"/dev/null\";\n"
	        "Dir::Etc::preferences \"%1$s/preferences\";\nDir::Etc::preferencesparts "
	        "\"/dev/null\";\n"
	        "APT::Architecture \"%2$s\";\nAPT::Architectures \"%2$s\";\n"
	        "APT::Install-Recommends \"false\";\nAPT::Sandbox::User \"root\";\n"
	        "Acquire::Languages \"none\";\n",
	        t->dir, arch);
	int r;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdir(arena_printf(t->arena, "%s/%s", t->dir, dirs[i]), 0755) < 0)
			return err_errno(e, errno, "making '%s/%s'", t->dir, dirs[i]);
	r = put(t, "apt.conf", config, e);
	if (r < 0)
		return r;
	r = put(t, "preferences", "", e);
	if (r < 0)
		return r;
	return put(t, "status", "", e);
}

int apt_open(struct apt_state *t, const char *dir, const char *arch, struct arena *a, struct err *e)
{
	*t = (struct apt_state){.arena = a, .dir = dir};
	int r = host_open("/", HOST_LIVE, &t->host, e);
	if (r < 0)
		return r;
	t->env[0] = arena_printf(a, "APT_CONFIG=%s/apt.conf", dir);
	t->env[1] = "LC_ALL=C.UTF-8";
	return set_up(t, arch, e);
}

void apt_close(struct apt_state *t)
{
	host_close(t->host);
	*t = APT_STATE_INIT;
}

static int run(const struct apt_state *t, const char *const *argv, uint64_t ms, bool ok,
               struct host_result *ret, struct err *e)
{
	const struct host_exec x = {.argv = argv, .env = t->env, .deadline = clock_in_ms(ms)};

	return (ok ? host_run_ok : host_run)(t->host, &x, t->arena, ret, e);
}

int apt_update(const struct apt_state *t, const struct field_strings *sources, struct err *e)
{
	static const char *const update[] = {
	        "apt-get", "--quiet", "-o", "APT::Update::Error-Mode=any", "update", NULL};
	struct strbuf list = STRBUF(t->arena, CONFIG_MAX);
	struct host_result res;

	strbuf_str(&list, "");
	for (size_t i = 0; i < sources->n; i++)
		strbuf_printf(&list, "%s\n", sources->items[i]);
	int r = put(t, "sources.list", list.data, e);
	if (r < 0)
		return r;
	r = run(t, update, UPDATE_MS, true, &res, e);
	return r < 0 ? err_wrap(e, "fetching package lists") : 0;
}

int apt_prefer(const struct apt_state *t, const char *text, struct err *e)
{
	return put(t, "preferences", text, e);
}

int apt_ask(const struct apt_state *t, const char *const *argv, struct blob *ret, struct err *e)
{
	struct host_result res;
	int r = run(t, argv, ASK_MS, true, &res, e);

	if (r == 0)
		*ret = res.out;
	return r;
}

int apt_try(const struct apt_state *t, const char *const *argv, struct blob *ret, int *ret_status,
            struct err *e)
{
	struct host_result res;
	int r = run(t, argv, ASK_MS, false, &res, e);

	if (r < 0)
		return r;
	*ret = res.out;
	*ret_status = res.status;
	return 0;
}
