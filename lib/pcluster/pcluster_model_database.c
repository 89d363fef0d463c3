/* SPDX-License-Identifier: Apache-2.0 */
/* Reads where accounting goes: a database of the cluster's own slurmdbd, or somebody else's. */
#include "model/slurmdbd.h"
#include "pcluster/pcluster_model_own.h"

/* "HOST", "HOST:PORT", either behind "mysql://" or another scheme. */
static int split_uri(struct reader *x, const struct doc *at, struct model_database *d)
{
	const char *scheme = strstr(at->text, "://");
	const char *host = scheme ? scheme + strlen("://") : at->text;
	size_t len = strcspn(host, ":/");
	const char *rest = host + len;

	d->port = SLURMDBD_SQL_PORT;
	d->host = arena_memdup(x->arena, host, len);
	if (*rest == ':') {
		size_t digits = strspn(rest + 1, "0123456789");

		if (str_u64(arena_memdup(x->arena, rest + 1, digits), 1, 65535, &d->port) < 0)
			len = 0;
		rest += 1 + digits;
	}
	if (len && (!*rest || str_eq(rest, "/")) && !strpbrk(d->host, " \t#"))
		return 0;
	return doc_err(at, x->faults.err, REASON_INPUT_RANGE,
	               "Database: Uri: '%s' is no address of a server, expected HOST or HOST:PORT",
	               at->text);
}

/* Names of databases have no dashes in Slurm's eyes. */
static const char *with_underscores(struct arena *a, const char *name)
{
	char *copy = arena_strdup(a, name);

	for (char *p = copy; *p; p++)
		*p = *p == '-' ? '_' : *p;
	return copy;
}

static void own(struct reader *x, const struct doc *at)
{
	struct model_database *d = arena_alloc(x->arena, sizeof *d);
	const char *name = doc_text(at, "DatabaseName");
	int r = split_uri(x, doc_get(at, "Uri"), d);

	if (r < 0)
		faults_take(&x->faults, r);
	d->at = at;
	d->user = doc_text(at, "UserName");
	d->name = with_underscores(x->arena, name ? name : x->model->cluster);
	d->password = doc_text(at, "PasswordSecretArn");
	if (!x->faults.ended && (!slurmdbd_is_word(d->user) || !slurmdbd_is_word(d->name)))
		faults_take(&x->faults,
		            doc_err(at, x->faults.err, REASON_INPUT_RANGE,
		                    "Database: UserName and DatabaseName: expected words "
		                    "without blanks, quotes, '#', '=' and backslashes"));
	x->model->database = d;
}

static void external(struct reader *x, const struct doc *slurm, const struct doc *at)
{
	struct model_database *d = arena_alloc(x->arena, sizeof *d);

	d->at = at;
	d->external = true;
	d->host = doc_text(at, "Host");
	d->port = (uint64_t)reader_int(x, at, "Port", 1, 65535, SLURMDBD_PORT);
	if (!x->faults.ended && !slurmdbd_is_word(d->host))
		faults_take(&x->faults,
		            doc_err(at, x->faults.err, REASON_INPUT_RANGE,
		                    "ExternalSlurmdbd: Host: '%s' is no name of a host", d->host));
	if (!x->faults.ended && !doc_get(slurm, "MungeKeySecretArn"))
		faults_take(&x->faults,
		            doc_err(at, x->faults.err, REASON_INPUT_REQUIRED,
		                    "ExternalSlurmdbd: it and this cluster need one munge "
		                    "key: expected MungeKeySecretArn beside it"));
	cluster_note(x->in->notes, at,
	             "ExternalSlurmdbd: what Slurm sends there is signed, and not encrypted");
	x->model->database = d;
}

void reader_database(struct reader *x, const struct doc *slurm)
{
	const struct doc *mine = doc_get(slurm, "Database");
	const struct doc *theirs = doc_get(slurm, "ExternalSlurmdbd");

	if (mine && theirs)
		faults_take(&x->faults,
		            doc_err(theirs, x->faults.err, REASON_INPUT_DUPLICATE,
		                    "ExternalSlurmdbd: it and Database exclude each other"));
	else if (mine)
		own(x, mine);
	else if (theirs)
		external(x, slurm, theirs);
}
