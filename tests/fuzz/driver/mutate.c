/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes documents node by node, rather than byte by byte, and gives each to a target: emptied in
 * several ways, of another type, removed, twice, in another order. Takes files and directories of
 * YAML as replay.c does; the same inputs give the same changes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/scope.h"
#include "data/yaml.h"
#include "fuzz.h"

#define CHANGES_MAX 30000 /* of one run; more are thinned out evenly */

/* What a node becomes. */
static const char *const values[] = {
        "",
        "~",
        "\"\"",
        "[]",
        "{}",
        "[~]",
        "[[]]",
        "[{}]",
        "7",
        "-1",
        "0",
        "1.5",
        "true",
        "text",
        "/etc",
        "\"${node}\"",
        "\"a\\e[31m\\n\"",
        "\"$\"",
        "99999999999999999999",
        "0x10",
        "\"/\"",
        "\"..\"",
};
enum {
	WRAPPED_IN_LIST = ARRAY_LEN(values),
	WRAPPED_IN_MAP,
	REMOVED,
	TWICE,
	REVERSED,
	CHANGES, /* kinds of change */
};

struct writer {
	struct strbuf out;
	size_t at;     /* number of the next node in the order of the text */
	size_t target; /* the one that is changed */
	unsigned change;
};

static void write_scalar(struct writer *w, const struct doc *d)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "._/-";

	if (!d->quoted && d->text[strspn(d->text, plain)] == '\0' && d->text[0] != '-')
		strbuf_str(&w->out, d->text);
	else
		strbuf_json(&w->out, d->text);
}

static void write_node(struct writer *w, const struct doc *d);

static void write_child(struct writer *w, const struct doc *d, size_t i)
{
	if (d->type == DOC_MAP) {
		strbuf_json(&w->out, d->keys[i]->text);
		strbuf_str(&w->out, ": ");
	}
	write_node(w, d->items[i]);
	strbuf_str(&w->out, ", ");
}

static void write_children(struct writer *w, const struct doc *d, bool reversed)
{
	strbuf_char(&w->out, d->type == DOC_MAP ? '{' : '[');
	for (size_t k = 0; k < d->n; k++) {
		size_t i = reversed ? d->n - 1 - k : k;
		bool here = w->at == w->target;

		if (here && w->change == REMOVED) {
			w->at++;
			continue;
		}
		if (here && w->change == TWICE) {
			w->target = SIZE_MAX;
			write_child(w, d, i);
		}
		write_child(w, d, i);
	}
	strbuf_char(&w->out, d->type == DOC_MAP ? '}' : ']');
}

static void write_plainly(struct writer *w, const struct doc *d, bool reversed)
{
	if (d->type == DOC_NULL)
		strbuf_char(&w->out, '~');
	else if (d->type == DOC_SCALAR)
		write_scalar(w, d);
	else
		write_children(w, d, reversed);
}

static void write_node(struct writer *w, const struct doc *d)
{
	bool here = w->at++ == w->target;

	if (!here || w->change == REMOVED || w->change == TWICE) {
		write_plainly(w, d, false);
		return;
	}
	if (w->change < ARRAY_LEN(values)) {
		strbuf_str(&w->out, values[w->change]);
		return;
	}
	if (w->change == WRAPPED_IN_LIST)
		strbuf_char(&w->out, '[');
	if (w->change == WRAPPED_IN_MAP)
		strbuf_str(&w->out, "{x: ");
	write_plainly(w, d, w->change == REVERSED);
	if (w->change == WRAPPED_IN_LIST)
		strbuf_char(&w->out, ']');
	if (w->change == WRAPPED_IN_MAP)
		strbuf_char(&w->out, '}');
}

static size_t count(const struct doc *d)
{
	size_t n = 1;

	for (size_t i = 0; i < d->n; i++)
		n += count(d->items[i]);
	return n;
}

/* A comment in front of the document says what it is. */
static struct blob first_line(struct blob text)
{
	const char *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

	if (!end || text.data[0] != '#')
		return (struct blob){0};
	return (struct blob){text.data, (size_t)(end - text.data) + 1};
}

static void change(const struct doc *d, struct blob head, size_t node, unsigned how)
{
	scope_arena struct arena *a = arena_new();
	struct writer w = {.out = STRBUF(a, 1 << 20), .target = node, .change = how};
	uint8_t *copy;

	strbuf_add(&w.out, head.data, head.len);
	strbuf_str(&w.out, "---\n"); /* it is YAML, though it begins with '{' */
	write_node(&w, d);
	strbuf_char(&w.out, '\n');
	/* Of its exact size, so that a sanitizer sees a byte too far. */
	copy = malloc(w.out.len);
	FUZZ_CHECK(copy);
	memcpy(copy, w.out.data, w.out.len);
	if (getenv("MUTATE_VERBOSE"))
		fprintf(stderr, "node %zu, change %u: %s", node, how, w.out.data);
	LLVMFuzzerTestOneInput(copy, w.out.len);
	free(copy);
}

struct seed {
	const char *name;
	struct doc *doc;
	struct blob head;
	size_t nodes;
};

struct seeds {
	struct arena *arena;
	size_t n, nodes;
	struct seed *items;
};

static void add_seed(struct seeds *s, int dirfd, const char *name)
{
	struct blob text;
	struct doc *d;
	struct err e;

	FUZZ_CHECK(file_read(dirfd, name, YAML_SIZE_MAX, s->arena, &text, &e) == 0);
	if (yaml_parse_foreign("seed", text, s->arena, &d, &e) < 0 || d->type == DOC_SCALAR)
		return;
	s->items = arena_grow(s->arena, s->items, &s->n, sizeof *s->items);
	s->items[s->n - 1] = (struct seed){
	        .name = arena_strdup(s->arena, name),
	        .doc = d,
	        .head = first_line(text),
	        .nodes = count(d),
	};
	s->nodes += s->items[s->n - 1].nodes;
}

static void add_seeds(struct seeds *s, const char *path)
{
	scope_dir DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir) {
		add_seed(s, AT_FDCWD, path);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			add_seed(s, dirfd(dir), entry->d_name);
}

int main(int argc, char **argv)
{
	scope_arena struct arena *a = arena_new();
	struct seeds s = {.arena = a};
	size_t made = 0;

	for (int i = 1; i < argc; i++)
		add_seeds(&s, argv[i]);
	size_t total = s.nodes * CHANGES, step = total / CHANGES_MAX + 1, turn = 0;
	for (size_t i = 0; i < s.n; i++) {
		fprintf(stderr, "%s\n", s.items[i].name);
		for (size_t node = 0; node < s.items[i].nodes; node++)
			for (unsigned how = 0; how < CHANGES; how++) {
				if (turn++ % step)
					continue;
				change(s.items[i].doc, s.items[i].head, node, how);
				made++;
			}
	}
	printf("%zu documents, %zu changes\n", s.n, made);
	return made ? 0 : 2;
}
