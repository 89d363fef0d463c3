/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden CASE: what a spec would do, compared byte for byte with what it did when last looked at.
 *
 * CASE is a directory:
 *     spec.yaml | cluster-config.yaml   the document; the latter goes through cluster_spec(), which
 *                                       takes role, node, head and munge-key from the facts
 *     facts                             lines "name=value"; may be missing
 *     root/                             the machine as it is before; may be missing (then empty)
 *     plan.expected                     the steps in their order, or the error
 *     effects.expected                  what each step would change on a dry host rooted in a copy
 *                                       of root/, with the content of files ("\" after a last line
 *                                       without its newline); missing when there is no plan
 * In the copy all belongs to root, directories and executables are 0755, other files 0644. After
 * the first pass comes a second one on the same host, and what doesn't hold then is named, but for
 * steps that run a program or act on a unit: a dry host can't foresee what those bring about.
 * With UPDATE_GOLDEN=1 in the environment the expected files are written instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "cluster/cluster.h"
#include "data/yaml.h"
#include "kinds/kinds.h"
#include "os/tree.h"
#include "plan/plan.h"

#define TEXT_MAX (1UL << 20)

struct golden {
	struct arena *arena;
	const char *dir;
	struct vars facts;
	struct doc *spec;
	struct plan plan;
	struct host *host;
	struct strbuf plan_text, effects;
	bool acted;   /* the step at hand ran a program or acted on a unit */
	bool *opaque; /* per step: the same, remembered for the second pass */
};

static const char *case_path(const struct golden *g, const char *name)
{
	return arena_printf(g->arena, "%s/%s", g->dir, name);
}

static int die(const char *what, const char *path)
{
	fprintf(stderr, "golden: %s '%s': %s\n", what, path, strerror(errno));
	return 2;
}

/* ---- a root to work in ------------------------------------------------------------------------
 */

static char copy_root[] = "/tmp/golden.XXXXXX";

static void remove_copy(void)
{
	struct err ignored;

	(void)tree_remove(AT_FDCWD, copy_root, true, &ignored);
}

static int copy_file(const struct tree_entry *at, int to, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct file_attr attr = {at->st->st_mode & 0100 ? 0755 : 0644, 0, 0};
	struct blob text;
	int r = file_read(at->dir, at->name, TEXT_MAX, a, &text, e);

	return r < 0 ? r : file_replace(to, at->path, text.data, text.len, &attr, e);
}

static int copy_link(const struct tree_entry *at, int to)
{
	char target[4096];
	ssize_t n = readlinkat(at->dir, at->name, target, sizeof target - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	return symlinkat(target, to, at->path);
}

/* ctx is the descriptor of the copy. */
static int copy_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	int to = *(const int *)ctx;

	if (S_ISREG(at->st->st_mode))
		return copy_file(at, to, e);
	if (S_ISDIR(at->st->st_mode)
	            ? mkdirat(to, at->path, 0755) < 0 || fchmodat(to, at->path, 0755, 0) < 0 ||
	                      fchownat(to, at->path, 0, 0, 0) < 0
	            : copy_link(at, to) < 0)
		return err_errno(e, errno, "copying '%s'", at->path);
	return TREE_GO;
}

static int copy_tree(const char *from, int to, struct err *e)
{
	const struct tree_walk walk = {.visit = copy_one, .ctx = &to};
	scope_fd int dir = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT ? 0 : err_errno(e, errno, "opening '%s'", from);
	return tree_walk(dir, &walk, e);
}

static int write_text(const char *path, const char *text)
{
	scope_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : file_write_all(fd, text, strlen(text));
}

/* The fixtures belong to root; who isn't root becomes it in a user namespace of his own. */
static int become_root(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0)
		return 0;
	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	snprintf(map, sizeof map, "0 %u 1", uid);
	if (write_text("/proc/self/setgroups", "deny") < 0 ||
	    write_text("/proc/self/uid_map", map) < 0)
		return -1;
	snprintf(map, sizeof map, "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map);
}

static int make_root(const struct golden *g)
{
	const char *fixture = case_path(g, "root");
	struct err e;

	if (become_root() < 0)
		return die("becoming root for", g->dir);
	if (!mkdtemp(copy_root))
		return die("making", copy_root);
	atexit(remove_copy);
	scope_fd int to = open(copy_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0 || fchmod(to, 0755) < 0)
		return die("opening", copy_root);
	return copy_tree(fixture, to, &e) < 0 ? die(e.text, fixture) : 0;
}

/* ---- inputs -----------------------------------------------------------------------------------
 */

static int read_facts(struct golden *g)
{
	const char *path = case_path(g, "facts");
	struct blob text;
	struct err e;

	g->facts.arena = g->arena;
	if (access(path, F_OK) < 0)
		return 0;
	if (file_read(AT_FDCWD, path, TEXT_MAX, g->arena, &text, &e) < 0)
		return die("reading", path);
	for (char *save = NULL, *line = strtok_r(arena_strdup(g->arena, text.data), "\n", &save);
	     line; line = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(line, '=');

		errno = EINVAL;
		if (!equals)
			return die("reading", path);
		*equals = '\0';
		vars_set(&g->facts, line, equals + 1, "golden");
	}
	return 0;
}

/* The shipped ones. */
static int read_types(const struct golden *g, struct instance_table *ret, struct err *e)
{
	const char *path = case_path(g, "../../../lib/model/instance-types.tsv");
	struct blob text;
	int r = file_read(AT_FDCWD, path, INSTANCE_TABLE_MAX, g->arena, &text, e);

	return r < 0 ? r : instance_add(ret, path, text, g->arena, e);
}

/* The fact "fleet" is the node document's map of that name, "shared" what its nodes' have in common. */
static int read_launch(const struct golden *g, struct cluster_node *node, struct err *e)
{
	const char *fleet = vars_get(&g->facts, "fleet"), *shared = vars_get(&g->facts, "shared");
	struct doc *map = NULL;
	int r = 0;

	if (shared)
		r = yaml_parse("shared", (struct blob){shared, strlen(shared)}, g->arena, &map, e);
	if (r < 0)
		return r;
	node->shared = map;
	if (!fleet)
		return 0;
	r = yaml_parse("fleet", (struct blob){fleet, strlen(fleet)}, g->arena, &map, e);
	return r < 0 ? r : cluster_launch_decode(map, g->arena, &node->launch, e);
}

static int spec_of_cluster(struct golden *g, const struct doc *config, struct err *e)
{
	const char *role = vars_get(&g->facts, "role");
	struct instance_table types = {0};
	struct cluster_node node = {
	        .node = vars_get(&g->facts, "node"),
	        .head = vars_get(&g->facts, "head"),
	        .munge_key = vars_get(&g->facts, "munge-key"),
	        .munge_key_default = vars_get(&g->facts, "munge-key-default"),
	};

	if (cluster_role_parse(role ? role : "", &node.role) < 0)
		return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "fact 'role' is missing or no role");
	int r = read_types(g, &types, e);
	if (r < 0)
		return r;
	r = read_launch(g, &node, e);
	if (r < 0)
		return r;
	const struct cluster_reading reading = {.strict = true, .types = &types};
	return cluster_spec(config, &node, &g->facts, &reading, g->arena, &g->spec, e);
}

static int read_spec(struct golden *g, struct err *e)
{
	bool cluster = access(case_path(g, "spec.yaml"), F_OK) < 0;
	const char *name = cluster ? "cluster-config.yaml" : "spec.yaml";
	struct blob text;
	struct doc *d;
	int r = file_read(AT_FDCWD, case_path(g, name), TEXT_MAX, g->arena, &text, e);

	if (r < 0)
		return r;
	r = cluster ? cluster_read(name, text, g->arena, &d, e)
	            : yaml_parse(name, text, g->arena, &d, e);
	if (r < 0)
		return r;
	if (cluster)
		return spec_of_cluster(g, d, e);
	g->spec = d;
	return 0;
}

/* ---- effects ----------------------------------------------------------------------------------
 */

/* What a dry host was told to write can be read from it. */
static void add_content(struct golden *g, const char *path)
{
	struct blob text;
	struct err e;

	if (host_read(g->host, path, TEXT_MAX, g->arena, &text, &e) < 0)
		return;
	for (const char *line = text.data; *line;) {
		size_t len = strcspn(line, "\n");

		strbuf_printf(&g->effects, "      | %.*s%s\n", (int)len, line,
		              line[len] ? "" : "\\");
		line += len + (line[len] == '\n');
	}
}

static void add_change(void *ctx, const char *change)
{
	struct golden *g = ctx;

	g->acted = g->acted || str_starts(change, "run ") || str_starts(change, "unit ");
	strbuf_printf(&g->effects, "    %s\n", change);
	if (str_starts(change, "write ") && !str_ends(change, " secret"))
		add_content(g, arena_printf(g->arena, "%.*s", (int)strcspn(change + 6, " "),
		                            change + 6));
}

static void add_error(struct strbuf *out, const char *indent, const struct err *e)
{
	strbuf_printf(out, "%s%s, exit status %d\n%s%s\n", indent, reason_row(e->reason)->name,
	              err_exit_status(e->kind), indent, e->text);
}

/* The root's own path is another one each time, and can't stand in an expected file. */
static struct err without_root(struct golden *g, const struct err *e)
{
	struct err clean = *e;
	char *at = strstr(clean.text, copy_root);

	(void)g;
	if (at)
		memmove(at, at + strlen(copy_root), strlen(at + strlen(copy_root)) + 1);
	return clean;
}

static struct step_ctx ctx_of(struct golden *g)
{
	return (struct step_ctx){.host = g->host,
	                         .arena = g->arena,
	                         .facts = &g->facts,
	                         .deadline = clock_in_ms(60000)};
}

static void first_pass(struct golden *g, size_t i)
{
	const struct step *s = g->plan.steps[i];
	struct step_ctx c = ctx_of(g);
	struct err e = {0};

	g->acted = false;
	int r = s->kind->probe(&c, s->fields, &e);
	strbuf_printf(&g->effects, "%s%s\n", s->id, r == 1 ? ": holds" : "");
	if (r == 0)
		r = s->kind->apply(&c, s->fields, &e);
	if (r < 0) {
		e = without_root(g, &e);
		add_error(&g->effects, "    ", &e);
	}
	g->opaque[i] = g->acted || r < 0;
}

static void second_pass(struct golden *g, size_t i)
{
	const struct step *s = g->plan.steps[i];
	struct step_ctx c = ctx_of(g);
	struct err e = {0};

	if (!g->opaque[i] && s->kind->probe(&c, s->fields, &e) != 1)
		strbuf_printf(&g->effects, "%s: does not hold when looked at again%s%s\n", s->id,
		              *e.text ? ": " : "", e.text);
}

static int build(struct golden *g)
{
	struct err e = {0};
	int r = read_spec(g, &e);

	if (r == 0)
		r = plan_build(g->spec, kinds_all, NULL, &g->facts, NULL, g->arena, &g->plan, &e);
	if (r < 0) {
		add_error(&g->plan_text, "", &e);
		return 0;
	}
	plan_print(&g->plan, &g->plan_text);

	r = make_root(g);
	if (r != 0)
		return r;
	if (host_open(copy_root, HOST_DRY, &g->host, &e) < 0)
		return die(e.text, copy_root);
	host_record_to(g->host, add_change, g);
	g->opaque = arena_array(g->arena, g->plan.n, sizeof *g->opaque);
	for (size_t i = 0; i < g->plan.n; i++)
		first_pass(g, i);
	for (size_t i = 0; i < g->plan.n; i++)
		second_pass(g, i);
	host_close(g->host);
	return 0;
}

/* ---- comparing --------------------------------------------------------------------------------
 */

static size_t first_difference(const char *a, const char *b)
{
	size_t line = 1;

	for (; *a && *a == *b; a++, b++)
		line += *a == '\n';
	return line;
}

/* An empty text is no file. */
static int compare(const struct golden *g, const char *name, const char *got)
{
	const char *path = case_path(g, name);
	const char *update = getenv("UPDATE_GOLDEN");
	struct blob want = {"", 0};
	struct err e;

	if (str_eq(update, "1")) {
		if (*got)
			return write_text(path, got) < 0 ? die("writing", path) : 0;
		return unlink(path) < 0 && errno != ENOENT ? die("removing", path) : 0;
	}
	if (access(path, F_OK) == 0 && file_read(AT_FDCWD, path, TEXT_MAX, g->arena, &want, &e) < 0)
		return die(e.text, path);
	if (str_eq(want.data, got))
		return 0;
	fprintf(stderr,
	        "%s: differs from line %zu on (UPDATE_GOLDEN=1 writes it anew); it should be\n"
	        "%s\nand is\n%s\n",
	        path, first_difference(want.data, got), want.data, got);
	return 1;
}

int main(int argc, char **argv)
{
	scope_arena struct arena *a = arena_new();
	struct golden g = {
	        .arena = a, .plan_text = STRBUF(a, TEXT_MAX), .effects = STRBUF(a, TEXT_MAX)};

	if (argc != 2) {
		fprintf(stderr, "usage: golden CASE\n");
		return 2;
	}
	g.dir = argv[1];
	int r = read_facts(&g);
	if (r == 0)
		r = build(&g);
	if (r != 0)
		return r;
	int plan = compare(&g, "plan.expected", g.plan_text.data ? g.plan_text.data : "");
	int effects = compare(&g, "effects.expected", g.effects.data ? g.effects.data : "");
	return plan ? plan : effects;
}
