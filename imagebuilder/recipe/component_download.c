/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of component documents that fetch files. */
#include <errno.h>

#include "aws/fetch.h"
#include "recipe/component_own.h"

struct download_in {
	const char *source, *destination, *checksum, *algorithm;
	bool overwrite, ignore_tls;
};
static const struct download_in download_defaults = {.overwrite = true, .algorithm = "SHA256"};

static int check_s3(const struct doc *at, const void *inputs, struct err *e)
{
	const struct download_in *in = inputs;

	if (!str_starts(in->source, "s3://"))
		return doc_err(doc_get(at, "source"), e, REASON_INPUT_RANGE,
		               "'%s' is no s3://bucket/key", in->source);
	if (str_ends(in->source, "/*") || str_ends(in->source, "/"))
		return doc_err(doc_get(at, "source"), e, REASON_INPUT_UNSUPPORTED,
		               "'%s' is many objects, expected one", in->source);
	return component_absolute(at, "destination", in->destination, e);
}

static int check_web(const struct doc *at, const void *inputs, struct err *e)
{
	const struct download_in *in = inputs;
	unsigned char digest[32];

	if (!str_starts(in->source, "https://"))
		return doc_err(doc_get(at, "source"), e, REASON_INPUT_RANGE,
		               "'%s' is no https:// address", in->source);
	if (in->ignore_tls)
		return doc_err(doc_get(at, "ignoreCertificateErrors"), e, REASON_INPUT_UNSUPPORTED,
		               "what comes from a server that can't prove who it is stays out of "
		               "images");
	if (in->checksum && !str_eq(in->algorithm, "SHA256"))
		return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
		               "algorithm '%s' is not supported, expected SHA256", in->algorithm);
	if (in->checksum && (strlen(in->checksum) != 64 || str_unhex(in->checksum, digest, 32) < 0))
		return doc_err(doc_get(at, "checksum"), e, REASON_INPUT_RANGE,
		               "'%s' is no SHA-256 in 64 hex digits", in->checksum);
	return component_absolute(at, "destination", in->destination, e);
}

static int download(const struct component_round *round, const void *inputs, struct err *e)
{
	const struct download_in *in = inputs;
	const struct fetch f = {
	        .uri = in->source, .sha256 = in->checksum, .max = COMPONENT_FILE_MAX};
	static const struct host_owner root;
	struct blob content;
	int r = component_free(round, in->destination, in->overwrite, e);

	if (r < 0)
		return r;
	r = fetch_memory(round->env->cloud, &f, round->arena, &content, round->deadline, e);
	if (r < 0)
		return r;
	return host_write(round->env->host, in->destination, content, 0644, &root, e);
}

#define OF(member) FIELD_AT(struct download_in, member)
static const struct field web_fields[] = {
        {"source", FIELD_STRING, OF(source), .required = true},
        {"destination", FIELD_STRING, OF(destination), .required = true, .min = 2},
        {"checksum", FIELD_STRING, OF(checksum)},
        {"algorithm", FIELD_STRING, OF(algorithm)},
        {"overwrite", FIELD_BOOL, OF(overwrite)},
        {"ignoreCertificateErrors", FIELD_BOOL, OF(ignore_tls)},
        {0},
};
static const struct field s3_fields[] = {
        {"source", FIELD_STRING, OF(source), .required = true},
        {"destination", FIELD_STRING, OF(destination), .required = true, .min = 2},
        {"overwrite", FIELD_BOOL, OF(overwrite)},
        {0},
};
#undef OF

const struct component_action component_download_actions[] = {
        {.name = "S3Download",
         .fields = s3_fields,
         .size = sizeof(struct download_in),
         .defaults = &download_defaults,
         .check = check_s3,
         .run = download,
         .fetches = true},
        {.name = "WebDownload",
         .fields = web_fields,
         .size = sizeof(struct download_in),
         .defaults = &download_defaults,
         .check = check_web,
         .run = download,
         .fetches = true},
        {0},
};
