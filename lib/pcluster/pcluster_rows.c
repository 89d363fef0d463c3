/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a document against a table of names and types. The walk is as deep as the table, which is
 * finite. */
#include "pcluster/pcluster_rows.h"

#include <errno.h>
#include <inttypes.h>

#include "data/scalar.h"

struct walk {
	struct cluster_notes *unknown;
	struct faults *faults;
	struct err *err;
	bool own; /* below a key that is not ParallelCluster's */
};

static int check_map(struct walk *w, const struct doc *d, const struct pcluster_row *rows);

static int expect(const struct doc *d, enum doc_type type, const char *name, const char *what,
                  struct err *e)
{
	if (d->type == type)
		return 0;
	return doc_err(d, e, REASON_INPUT_TYPE, "'%s': expected %s, found %s", name, what,
	               doc_type_name(d));
}

static int check_element(struct walk *w, const struct doc *d, const struct pcluster_row *row)
{
	int r = expect(d, DOC_MAP, row->name, "a list of maps", w->err);

	if (r < 0 || !row->sub)
		return r;
	return check_map(w, d, row->sub);
}

static int check_least(const struct doc *d, const struct pcluster_row *row, struct err *e)
{
	if (d->n >= row->least)
		return 0;
	return doc_err(d, e, REASON_INPUT_RANGE, "'%s': expected %zu at least, found %zu",
	               row->name, row->least, d->n);
}

static int check_list(struct walk *w, const struct doc *d, const struct pcluster_row *row)
{
	int failed = expect(d, DOC_LIST, row->name, "a list", w->err);

	if (failed == 0)
		failed = check_least(d, row, w->err);
	if (failed < 0)
		return failed;
	for (size_t i = 0; i < d->n; i++) {
		int r = check_element(w, d->items[i], row);

		if (r < 0 && !faults_add(w->faults, w->err))
			return r;
		failed = r < 0 ? r : failed;
	}
	return failed;
}

static int check_scalar(const struct doc *d, const struct pcluster_row *row, struct err *e)
{
	/* Only the result matters; the value is dropped. */
	union {
		const char *string;
		bool boolean;
		int64_t integer;
		double number;
		int choice;
		struct field_strings strings;
		struct field_pairs pairs;
	} value;
	const struct field field = {.name = row->name, .type = row->type, .choices = row->choices};
	scope_arena struct arena *a = arena_new();

	return field_decode_value(d, &field, NULL, a, &value, e);
}

/* ---- texts ---- */

/* "ami-" and small letters or digits; any other start, and something behind it. */
static bool starts_as(const char *text, const struct pcluster_row *row)
{
	const char *behind = text + strlen(row->starts);

	if (!str_starts(text, row->starts) || !*behind)
		return false;
	if (str_ends(row->starts, "-"))
		return !behind[strspn(behind, "0123456789abcdefghijklmnopqrstuvwxyz")];
	return !row->holds || strstr(behind, row->holds);
}

static int check_text(const struct doc *d, const struct pcluster_row *row, struct err *e)
{
	const char *other = d->type == DOC_SCALAR ? scalar_no_text(d) : NULL;

	if (d->type != DOC_SCALAR)
		return doc_err(d, e, REASON_INPUT_TYPE, "'%s': expected a string, found %s",
		               row->name, doc_type_name(d));
	if (other)
		return doc_err(d, e, REASON_INPUT_TYPE,
		               "'%s': expected a string, found %s %s: it takes quotes to be one",
		               row->name, other, d->text);
	if (row->starts && !starts_as(d->text, row))
		return doc_err(d, e, REASON_INPUT_RANGE,
		               "%s: '%s' is no %s, expected one that begins with '%s'%s%s%s",
		               row->name, d->text, str_eq(row->starts, "arn:") ? "ARN" : "id",
		               row->starts, row->holds ? " and has '" : "",
		               row->holds ? row->holds : "", row->holds ? "' in it" : "");
	return 0;
}

/* A list of them. One that stands alone ParallelCluster doesn't take; we do. */
static int check_texts(struct walk *w, const struct doc *d, const struct pcluster_row *row)
{
	if (w->own && d->type == DOC_SCALAR)
		return check_text(d, row, w->err);
	int failed = expect(d, DOC_LIST, row->name, "a list", w->err);
	if (failed == 0)
		failed = check_least(d, row, w->err);
	for (size_t i = 0; failed == 0 && i < d->n; i++)
		failed = check_text(d->items[i], row, w->err);
	return failed;
}

static int check_integer(const struct doc *d, const struct pcluster_row *row, struct err *e)
{
	int64_t value;

	if (!row->min && !row->max)
		return 0;
	if (scalar_i64(d, row->min, row->max, &value) == 0)
		return 0;
	return doc_err(d, e, REASON_INPUT_RANGE,
	               "%s: '%s' is out of range, expected %" PRId64 " to %" PRId64, row->name,
	               d->text, row->min, row->max);
}

static bool is_one_of(const char *text, const char *const *choices)
{
	while (*choices && !str_eq(*choices, text))
		choices++;
	return *choices != NULL;
}

/* What a newer release may allow, and nothing here depends on. */
static bool is_newer(const struct walk *w, const struct doc *d, const struct pcluster_row *row)
{
	if (!w->unknown || !row->open || d->type != DOC_SCALAR || is_one_of(d->text, row->choices))
		return false;
	cluster_note(w->unknown, d, "%s: '%s' is no value that is known, and is ignored", row->name,
	             d->text);
	return true;
}

static int check_value(struct walk *w, const struct doc *d, const struct pcluster_row *row)
{
	if (d->type ==
	    DOC_NULL) /* "Key:" with nothing after it means unset, as ParallelCluster reads it */
		return 0;
	if (row->type == FIELD_LIST)
		return check_list(w, d, row);
	if (row->type == FIELD_STRINGS)
		return check_texts(w, d, row);
	int r = row->type == FIELD_STRING || row->type == FIELD_CHOICE ? check_text(d, row, w->err)
	                                                               : 0;
	if (r < 0 || is_newer(w, d, row))
		return r;
	if (row->type != FIELD_MAP) {
		r = check_scalar(d, row, w->err);
		return r < 0 || row->type != FIELD_INT ? r : check_integer(d, row, w->err);
	}
	r = expect(d, DOC_MAP, row->name, "a map", w->err);
	if (r < 0 || !row->sub)
		return r;
	struct walk inside = *w;
	if (row->own) {
		inside.unknown = NULL;
		inside.own = true;
	}
	return check_map(&inside, d, row->sub);
}

static int unknown_key(struct walk *w, const struct doc *key, const struct pcluster_row *rows)
{
	const char *names[64];
	size_t n = 0;

	while (n < ARRAY_LEN(names) && rows[n].name) {
		names[n] = rows[n].name;
		n++;
	}
	const char *near = str_nearest(key->text, names, n);
	if (w->unknown) {
		cluster_note(w->unknown, key, "unknown key '%s' is ignored%s%s%s", key->text,
		             near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
		return 0;
	}
	if (near)
		return doc_err(key, w->err, REASON_INPUT_UNKNOWN_KEY,
		               "unknown key '%s', did you mean '%s'?", key->text, near);
	return doc_err(key, w->err, REASON_INPUT_UNKNOWN_KEY,
	               "unknown key '%s', not one that is known here", key->text);
}

static int check_map(struct walk *w, const struct doc *d, const struct pcluster_row *rows)
{
	int failed = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct pcluster_row *row = rows;

		while (row->name && !str_eq(row->name, d->keys[i]->text))
			row++;
		int r = row->name ? check_value(w, d->items[i], row)
		                  : unknown_key(w, d->keys[i], rows);
		if (r < 0 && !faults_add(w->faults, w->err))
			return r;
		failed = r < 0 ? r : failed;
	}
	for (const struct pcluster_row *row = rows; row->name; row++) {
		if (!row->required || doc_get(d, row->name))
			continue;
		failed = doc_err(d, w->err, REASON_INPUT_REQUIRED, "'%s' is missing", row->name);
		if (!faults_add(w->faults, w->err))
			return failed;
	}
	return failed;
}

int pcluster_rows_check(const struct doc *d, const struct pcluster_row *rows, const char *what,
                        struct cluster_notes *unknown, struct faults *faults, struct err *e)
{
	struct walk w = {.unknown = unknown, .faults = faults, .err = e};
	int r = expect(d, DOC_MAP, what, "a map", e);

	return r < 0 ? r : check_map(&w, d, rows);
}
