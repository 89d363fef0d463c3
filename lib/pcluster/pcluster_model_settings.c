/* SPDX-License-Identifier: Apache-2.0 */
/* Reads CustomSlurmSettings: what an administrator adds to slurm.conf, and what he may not. */
#include <strings.h>

#include "model/slurmkey.h"
#include "pcluster/pcluster_model_own.h"

static const char *const where[] = {
        [SETTINGS_CLUSTER] = "SlurmSettings",
        [SETTINGS_QUEUE] = "a queue",
        [SETTINGS_RESOURCE] = "a compute resource",
};
static const enum slurmkey_level levels[] = {
        [SETTINGS_CLUSTER] = SLURMKEY_GLOBAL,
        [SETTINGS_QUEUE] = SLURMKEY_PARTITION,
        [SETTINGS_RESOURCE] = SLURMKEY_NODE,
};

/* ---- one setting ---- */

static bool is_name(const char *key)
{
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return *key && strchr(LETTERS, *key) && key[strspn(key, LETTERS "0123456789")] == '\0';
#undef LETTERS
}

/* A value is one word, or between quotes: a second word would be a key of its own, which nobody has
 * looked at. '#' begins a comment and a backslash at the end joins lines. */
static bool is_value(const char *value)
{
	size_t len = strlen(value);
	bool quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"';

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f || value[i] == '#')
			return false;
	if (quoted)
		return memchr(value + 1, '"', len - 2) == NULL;
	return len && !strpbrk(value, " \"") && value[len - 1] != '\\';
}

static int check(struct reader *x, const struct doc *key, const struct doc *value,
                 enum settings_level level)
{
	if (!is_name(key->text))
		return doc_err(key, x->faults.err, REASON_INPUT_SYNTAX,
		               "CustomSlurmSettings: '%s' is no key of slurm.conf, expected "
		               "letters and digits",
		               key->text);
	if (slurmkey_denied(levels[level], key->text, x->accounting))
		return doc_err(key, x->faults.err, REASON_INPUT_UNSUPPORTED,
		               "CustomSlurmSettings: '%s' of %s follows from the rest of this "
		               "file and can't be set here",
		               key->text, where[level]);
	if (value->type != DOC_SCALAR || !is_value(value->text))
		return doc_err(value, x->faults.err, REASON_INPUT_TYPE,
		               "CustomSlurmSettings: '%s': expected a text without blanks, quotes "
		               "and '#', or one between double quotes",
		               key->text);
	return 0;
}

static void add(struct reader *x, struct model_settings *list, const struct doc *key,
                const struct doc *value)
{
	list->items = arena_grow(x->arena, list->items, &list->n, sizeof *list->items);
	list->items[list->n - 1] =
	        (struct model_setting){.key = key->text, .value = value->text, .at = key};
}

void reader_settings(struct reader *x, const struct doc *map, enum settings_level level,
                     struct model_settings *ret)
{
	for (size_t i = 0; map && i < map->n && !x->faults.ended; i++) {
		int r = check(x, map->keys[i], map->items[i], level);

		if (r < 0)
			faults_take(&x->faults, r);
		else
			add(x, ret, map->keys[i], map->items[i]);
	}
}

/* ---- lines of the whole cluster ---- */

/* What a line is about stands first in it. */
static bool is_first(const char *key)
{
	static const char *const keys[] = {"NodeName", "PartitionName", "NodeSet", "DownNodes"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcasecmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* Nodes of these names are ours to start and to end. */
static int check_node_name(struct reader *x, const struct doc *value)
{
	if (!strstr(value->text, "-st-") && !strstr(value->text, "-dy-"))
		return 0;
	return doc_err(value, x->faults.err, REASON_INPUT_RANGE,
	               "CustomSlurmSettings: NodeName '%s': names with -st- or -dy- are those of "
	               "the queues' own nodes, expected another",
	               value->text);
}

static size_t first_of(const struct doc *map)
{
	size_t i = 0;

	while (i < map->n && !is_first(map->keys[i]->text))
		i++;
	return i;
}

/* A line about nodes or a partition has keys of its own, which are the administrator's alone. */
static void add_own_line(struct reader *x, const struct doc *map, size_t first)
{
	struct model_settings line = {0};

	add(x, &line, map->keys[first], map->items[first]);
	for (size_t i = 0; i < map->n && !x->faults.ended; i++) {
		const struct doc *value = map->items[i];

		if (value->type != DOC_SCALAR || !is_value(value->text) ||
		    !is_name(map->keys[i]->text))
			faults_take(&x->faults,
			            doc_err(map->keys[i], x->faults.err, REASON_INPUT_TYPE,
			                    "CustomSlurmSettings: '%s': expected a text "
			                    "without blanks, quotes and '#', or one between "
			                    "double quotes",
			                    map->keys[i]->text));
		else if (i != first)
			add(x, &line, map->keys[i], value);
	}
	if (strcasecmp(line.items[0].key, "NodeName") == 0 && !x->faults.ended) {
		int r = check_node_name(x, map->items[first]);

		if (r < 0)
			faults_take(&x->faults, r);
	}
	struct model *m = x->model;
	m->lines = arena_grow(x->arena, m->lines, &m->n_lines, sizeof *m->lines);
	m->lines[m->n_lines - 1] = line;
}

/* Each other setting is a line, however the maps are cut. */
static void add_plain_lines(struct reader *x, const struct doc *map)
{
	struct model_settings all = {0};
	struct model *m = x->model;

	reader_settings(x, map, SETTINGS_CLUSTER, &all);
	for (size_t i = 0; i < all.n; i++) {
		m->lines = arena_grow(x->arena, m->lines, &m->n_lines, sizeof *m->lines);
		m->lines[m->n_lines - 1] = (struct model_settings){.n = 1, .items = &all.items[i]};
	}
}

void reader_lines(struct reader *x, const struct doc *slurm)
{
	const struct doc *list = doc_get(slurm, "CustomSlurmSettings");
	const struct doc *include = doc_get(slurm, "CustomSlurmSettingsIncludeFile");

	if (list && include)
		faults_take(&x->faults, doc_err(include, x->faults.err, REASON_INPUT_DUPLICATE,
		                                "CustomSlurmSettingsIncludeFile: it and "
		                                "CustomSlurmSettings exclude each other"));
	if (include && !str_starts(include->text, "s3://") &&
	    !str_starts(include->text, "https://"))
		faults_take(&x->faults,
		            doc_err(include, x->faults.err, REASON_INPUT_RANGE,
		                    "CustomSlurmSettingsIncludeFile: '%s' is no place of a "
		                    "file, expected s3:// or https://",
		                    include->text));
	x->model->include = (struct model_place){include ? include->text : NULL, include};
	for (size_t i = 0; list && i < list->n && !x->faults.ended; i++) {
		size_t first = first_of(list->items[i]);

		if (first < list->items[i]->n)
			add_own_line(x, list->items[i], first);
		else
			add_plain_lines(x, list->items[i]);
	}
}
