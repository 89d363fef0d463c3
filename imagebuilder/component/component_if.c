/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of component documents: the operators of `if` and of Assert. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/scope.h"
#include "component/component_path.h"

#define DEPTH_MAX 16

enum compare { LESS = 1, EQUAL = 2, GREATER = 4 };
enum operand {
	OF_STRING,
	OF_NUMBER,
	OF_PATTERN,
	OF_NOTHING,
	OF_SPACE,
	OF_FILE,
	OF_FOLDER,
	OF_PROGRAM,
	OF_DIGEST,
};

static const struct comparison {
	const char *name;
	enum operand of;
	int holds; /* enum compare of value to the operator's own text, or enum digest_kind */
} comparisons[] = {
        {"stringIsEmpty", OF_NOTHING, 0},
        {"stringIsWhitespace", OF_SPACE, 0},
        {"stringEquals", OF_STRING, EQUAL},
        {"stringLessThan", OF_STRING, LESS},
        {"stringLessThanEquals", OF_STRING, LESS | EQUAL},
        {"stringGreaterThan", OF_STRING, GREATER},
        {"stringGreaterThanEquals", OF_STRING, GREATER | EQUAL},
        {"patternMatches", OF_PATTERN, 0},
        {"numberEquals", OF_NUMBER, EQUAL},
        {"numberLessThan", OF_NUMBER, LESS},
        {"numberLessThanEquals", OF_NUMBER, LESS | EQUAL},
        {"numberGreaterThan", OF_NUMBER, GREATER},
        {"numberGreaterThanEquals", OF_NUMBER, GREATER | EQUAL},
        {"fileExists", OF_FILE, 0},
        {"folderExists", OF_FOLDER, 0},
        {"binaryExists", OF_PROGRAM, 0},
        {"fileMD5Equals", OF_DIGEST, DIGEST_MD5},
        {"fileSHA1Equals", OF_DIGEST, DIGEST_SHA1},
        {"fileSHA256Equals", OF_DIGEST, DIGEST_SHA256},
        {"fileSHA512Equals", OF_DIGEST, DIGEST_SHA512},
};

static int compared(double a, double b)
{
	return a < b ? LESS : a > b ? GREATER : EQUAL;
}

/* A comparison of something that isn't a number is false. */
static bool numbers(const char *value, const char *own, int holds)
{
	char *end_a, *end_b;
	double a = strtod(value, &end_a), b = strtod(own, &end_b);

	return *value && *own && !*end_a && !*end_b && (compared(a, b) & holds);
}

/* Only equality looks at the case of letters. */
static bool strings(const char *value, const char *own, int holds)
{
	int order = holds == EQUAL ? strcmp(value, own) : strcasecmp(value, own);

	return (compared(order, 0) & holds) != 0;
}

/* 0: nothing is there. Links are followed, within the root. */
static mode_t mode_of(const struct component_round *round, const char *path)
{
	scope_fd int fd = round->env ? file_open(host_root_fd(round->env->host),
	                                         component_path(round->arena, path), O_PATH, 0)
	                             : -1;
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_mode : 0;
}

static bool is_there(const struct component_round *round, const char *path, bool folder)
{
	mode_t mode = mode_of(round, path);

	return mode && S_ISDIR(mode) == folder;
}

static bool is_program(const struct component_round *round, const char *path)
{
	mode_t mode = mode_of(round, path);

	return S_ISREG(mode) && (mode & 0111);
}

static bool has_program(const struct component_round *round, const char *name)
{
	static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
	                                      "/usr/bin",        "/sbin",          "/bin"};

	if (!*name || strchr(name, '/'))
		return is_program(round, name);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (is_program(round, arena_printf(round->arena, "%s/%s", folders[i], name)))
			return true;
	return false;
}

/* A file that can't be read has no digest. */
static int digest_is(const struct component_round *round, const struct doc *own,
                     enum digest_kind kind, const char *path, struct err *e)
{
	unsigned char bytes[DIGEST_HEX_MAX / 2];
	size_t len = digest_hex_len(kind);
	char hex[DIGEST_HEX_MAX];
	struct blob content;
	struct err none;

	if (!strstr(own->text, COMPONENT_UNKNOWN) &&
	    (strlen(own->text) != len || str_unhex(own->text, bytes, len / 2) < 0))
		return doc_err(own, e, REASON_INPUT_RANGE, "'%s' is no %s in %zu hex digits",
		               own->text, digest_names[kind], len);
	if (!round->env ||
	    file_read(host_root_fd(round->env->host), component_path(round->arena, path),
	              COMPONENT_FILE_MAX, round->arena, &content, &none) < 0)
		return 0;
	if (!digest_hex_of(kind, content.data, content.len, hex))
		return err_set(e, ERR_HOST, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "this machine has no %s", digest_names[kind]);
	return strcasecmp(hex, own->text) == 0;
}

static int compare_by(const struct component_round *round, const struct comparison *o,
                      const struct doc *own, const char *with, struct err *e)
{
	switch (o->of) {
	case OF_NOTHING:
		return !*own->text;
	case OF_SPACE:
		return *own->text && !own->text[strspn(own->text, " \t\r\n")];
	case OF_STRING:
		return strings(with, own->text, o->holds);
	case OF_NUMBER:
		return numbers(with, own->text, o->holds);
	case OF_PATTERN:
		return component_pattern(own, with, round->arena, e);
	case OF_FILE:
	case OF_FOLDER:
		return is_there(round, own->text, o->of == OF_FOLDER);
	case OF_PROGRAM:
		return has_program(round, own->text);
	case OF_DIGEST:
		return digest_is(round, own, (enum digest_kind)o->holds, with, e);
	}
	return 0;
}

static const struct comparison *comparison_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
		if (str_eq(comparisons[i].name, name))
			return &comparisons[i];
	return NULL;
}

static int no_operator(const struct doc *key, struct err *e)
{
	const char *names[ARRAY_LEN(comparisons) + 3] = {"and", "or", "not"};

	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
		names[i + 3] = comparisons[i].name;
	const char *near = str_nearest(key->text, names, ARRAY_LEN(names));
	return doc_err(key, e, REASON_INPUT_UNKNOWN_KEY,
	               near ? "unknown operator '%s', did you mean '%s'?"
	                    : "unknown operator '%s', expected and, or, not, or a comparison%s",
	               key->text, near ? near : "");
}

static int holds(const struct component_round *round, const struct doc *d, unsigned depth,
                 struct err *e);

/* `any`: one of them is enough. */
static int holds_list(const struct component_round *round, const struct doc *list, bool any,
                      unsigned depth, struct err *e)
{
	bool all = true, one = false;

	if (list->type != DOC_LIST)
		return holds(round, list, depth + 1, e);
	for (size_t i = 0; i < list->n; i++) {
		int v = holds(round, list->items[i], depth + 1, e);

		if (v < 0)
			return v;
		all = all && v;
		one = one || v;
	}
	return any ? one : all;
}

static int holds_one(const struct component_round *round, const struct doc *map, size_t i,
                     unsigned depth, struct err *e)
{
	const struct doc *key = map->keys[i], *own = map->items[i];

	if (str_eq(key->text, "and") || str_eq(key->text, "or"))
		return holds_list(round, own, str_eq(key->text, "or"), depth, e);
	if (str_eq(key->text, "not")) {
		int v = holds_list(round, own, false, depth, e);

		return v < 0 ? v : !v;
	}
	const struct comparison *o = comparison_of(key->text);
	if (!o)
		return no_operator(key, e);
	if (own->type != DOC_SCALAR)
		return doc_err(own, e, REASON_INPUT_TYPE, "'%s': expected a string, found %s",
		               o->name, doc_type_name(own));
	const char *needs = o->of <= OF_PATTERN ? "value" : o->of == OF_DIGEST ? "path" : NULL;
	const char *with = needs ? doc_text(map, needs) : NULL;
	if (needs && !with)
		return doc_err(map, e, REASON_INPUT_REQUIRED,
		               "'%s' is missing: what '%s' is compared with", needs, o->name);
	return compare_by(round, o, own, with, e);
}

static int holds(const struct component_round *round, const struct doc *d, unsigned depth,
                 struct err *e)
{
	const struct doc *seen = NULL;
	int v = 0;

	if (depth > DEPTH_MAX)
		return doc_err(d, e, REASON_INPUT_LIMIT, "conditions are nested too deep");
	if (d->type != DOC_MAP)
		return doc_err(d, e, REASON_INPUT_TYPE, "a condition is a map, found %s",
		               doc_type_name(d));
	for (size_t i = 0; i < d->n; i++) {
		const char *key = d->keys[i]->text;

		if (str_eq(key, "value") || str_eq(key, "path"))
			continue;
		if (seen)
			return doc_err(d->keys[i], e, REASON_INPUT_RANGE,
			               "a condition has one operator, and here is '%s' already",
			               seen->text);
		seen = d->keys[i];
		v = holds_one(round, d, i, depth, e);
		if (v < 0)
			return v;
	}
	if (!seen)
		return doc_err(d, e, REASON_INPUT_REQUIRED, "a condition without an operator");
	return v;
}

int component_holds(const struct component_round *round, const struct doc *d, struct err *e)
{
	return d->type == DOC_LIST ? holds_list(round, d, false, 0, e) : holds(round, d, 0, e);
}

/* ---- if ---- */

static const char *const verdicts[] = {"Execute", "Skip", "Abort", NULL};
struct then_spec {
	int then, otherwise;
};
static const struct field then_fields[] = {
        {"then", FIELD_CHOICE, FIELD_AT(struct then_spec, then), .choices = verdicts},
        {"else", FIELD_CHOICE, FIELD_AT(struct then_spec, otherwise), .choices = verdicts},
        {0},
};

/* The `if` without its `then` and `else`, which are keys beside the condition. */
static int split_if(const struct doc *d, struct arena *a, struct then_spec *ret_then,
                    struct doc **ret, struct err *e)
{
	struct doc *then = doc_new_map(a, d), *condition = doc_new_map(a, d);

	if (d->type != DOC_MAP)
		return doc_err(d, e, REASON_INPUT_TYPE, "'if': expected a map, found %s",
		               doc_type_name(d));
	for (size_t i = 0; i < d->n; i++) {
		bool branch = str_eq(d->keys[i]->text, "then") || str_eq(d->keys[i]->text, "else");

		doc_append(a, branch ? then : condition, d->keys[i], d->items[i]);
	}
	*ret = condition;
	return field_decode(then, then_fields, NULL, a, ret_then, e);
}

int component_verdict(const struct component_round *round, enum component_verdict *ret,
                      struct err *e)
{
	struct then_spec spec = {.then = VERDICT_EXECUTE, .otherwise = VERDICT_SKIP};
	const struct doc *written = round->step->condition;
	struct doc *expanded, *condition = NULL;

	*ret = VERDICT_EXECUTE;
	if (!written)
		return 0;
	int r = component_expand(round, written, &expanded, e);
	if (r < 0)
		return r;
	r = split_if(expanded, round->arena, &spec, &condition, e);
	if (r < 0)
		return r;
	r = holds(round, condition, 0, e);
	if (r < 0)
		return r;
	*ret = (enum component_verdict)(r ? spec.then : spec.otherwise);
	return 0;
}
