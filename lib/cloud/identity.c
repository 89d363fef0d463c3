/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the instance's identity, and beside it the user data and the role, in two rounds. */
#include <errno.h>

#include "base/log.h"
#include "cloud/partition.h"
#include "cloud/session.h"
#include "data/json.h"
#include "http/uri.h"

#define DOCUMENT_MAX (64 * 1024)
#define TAGS         "meta-data/tags/instance"
#define TAGS_MAX     64 /* EC2 allows 50 */
#define TAG_MAX      1024
#define KEY_MAX      4096 /* bytes of a public key */

enum {
	DOCUMENT,
	MAC,
	DOMAIN,
	PARTITION,
	HOSTNAME,
	LAUNCH_INDEX,
	SSH_KEY,
	TAG_NAMES,
	USER_DATA,
	N_READS
};

struct tag {
	const char *name, *path;
	struct imds_read read;
};

struct identity {
	struct cloud *cloud;
	struct arena *arena;
	struct imds_read reads[N_READS];
	struct session_role role; /* needed next: its credentials are read together with the tags */
	struct tag *tags;
	size_t n_tags;
};

/* ---- reading --------------------------------------------------------------------------------- */

/* The service decodes no escapes, so the characters that EC2 allows in a key, such as the ':' of
 * "hpc-node:role", are sent unchanged. All others are escaped. */
static void put_key(struct strbuf *path, struct blob key)
{
	for (size_t i = 0; i < key.len; i++)
		if (strchr("+=,:@", key.data[i]) && key.data[i])
			strbuf_char(path, key.data[i]);
		else
			uri_encode(path, (struct blob){key.data + i, 1}, false);
}

static void add_tag(struct identity *id, struct imds *imds, struct blob name)
{
	struct tag *t = &id->tags[id->n_tags++];
	struct strbuf path = STRBUF(id->arena, 1024);

	strbuf_str(&path, TAGS "/");
	put_key(&path, name);
	t->name = arena_memdup(id->arena, name.data, name.len);
	t->path = path.data;
	t->read = (struct imds_read){.path = t->path, .max = TAG_MAX};
	imds_add(imds, &t->read);
}

static int tag_names_done(struct imds_read *r, struct err *e)
{
	struct identity *id = r->ctx;
	const char *at = r->text.len ? r->text.data : "";

	if (r->absent)
		return 0;
	for (; *at; at += strspn(at, "\r\n")) {
		struct blob name = {at, strcspn(at, "\r\n")};

		at += name.len;
		if (name.len == 0)
			continue;
		if (id->n_tags == TAGS_MAX || name.len > 128)
			return err_set(
			        e, ERR_DENIED, REASON_IMDS_PROTOCOL, EPROTO,
			        "the metadata service lists more or longer tags than EC2 has");
		add_tag(id, r->imds, name);
	}
	return 0;
}

static int read_all(struct cloud *c, struct identity *id, uint64_t deadline, struct err *e)
{
	struct imds_read *list[N_READS + 1];
	size_t n = 0;

	id->reads[DOCUMENT] = (struct imds_read){
	        .path = "dynamic/instance-identity/document", .max = DOCUMENT_MAX, .late = true};
	id->reads[MAC] = (struct imds_read){.path = "meta-data/mac", .max = SESSION_NAME_MAX};
	id->reads[DOMAIN] =
	        (struct imds_read){.path = "meta-data/services/domain", .max = SESSION_NAME_MAX};
	id->reads[PARTITION] =
	        (struct imds_read){.path = "meta-data/services/partition", .max = SESSION_NAME_MAX};
	id->reads[HOSTNAME] =
	        (struct imds_read){.path = "meta-data/local-hostname", .max = SESSION_NAME_MAX};
	id->reads[LAUNCH_INDEX] =
	        (struct imds_read){.path = "meta-data/ami-launch-index", .max = SESSION_NAME_MAX};
	/* Absent where the instance was launched without a key pair. */
	id->reads[SSH_KEY] =
	        (struct imds_read){.path = "meta-data/public-keys/0/openssh-key", .max = KEY_MAX};
	id->reads[TAG_NAMES] = (struct imds_read){
	        .path = TAGS, .max = 16 * 1024, .done = tag_names_done, .ctx = id};
	id->reads[USER_DATA] =
	        (struct imds_read){.path = "user-data", .max = SESSION_USER_DATA_MAX};
	for (; n < N_READS; n++)
		list[n] = &id->reads[n];
	/* An instance may have no role: don't wait for one. */
	session_role_prepare(c, &id->role);
	id->role.role.late = id->role.creds.late = false;
	list[n++] = &id->role.role;
	return imds_read(c->imds, list, n, deadline, e);
}

/* ---- results --------------------------------------------------------------------------------- */

static void set(struct vars *v, const char *name, const char *value)
{
	if (value)
		vars_set(v, name, value, "imds");
}

/* The first line, unless it has characters that aren't printed. */
static void set_line(struct vars *v, const char *name, const struct imds_read *r, struct arena *a)
{
	const char *text = r->text.len ? r->text.data : "";
	size_t len = strcspn(text, "\r\n");

	if (r->absent || !len || strlen(text) != r->text.len)
		return;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return;
	set(v, name, arena_memdup(a, text, len));
}

static int take_document(struct identity *id, struct vars *v, struct err *e)
{
	static const struct {
		const char *fact, *key;
	} facts[] = {
	        {"instance-id", "instanceId"}, {"instance-type", "instanceType"},
	        {"region", "region"},          {"availability-zone", "availabilityZone"},
	        {"account-id", "accountId"},   {"local-ipv4", "privateIp"},
	        {"ami-id", "imageId"},
	};
	struct imds_read *r = &id->reads[DOCUMENT];
	struct doc *d = NULL;

	if (r->absent)
		return err_set(e, ERR_ABSENT, REASON_IMDS_ABSENT, ENOENT,
		               "the metadata service has no identity document");
	if (json_parse("identity document", (struct blob){r->text.data, r->text.len}, id->arena, &d,
	               e) < 0 ||
	    d->type != DOC_MAP || !doc_text(d, "instanceId") || !doc_text(d, "region"))
		return err_set(e, ERR_DENIED, REASON_IMDS_PROTOCOL, EPROTO,
		               "the metadata service's identity document isn't one");
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		set(v, facts[i].fact, doc_text(d, facts[i].key));
	return 0;
}

static void take_partition(struct identity *id, struct vars *v)
{
	const struct partition *p = partition_by_region(vars_get(v, "region"));
	const char *domain = imds_name(&id->reads[DOMAIN], id->arena);
	const char *name = imds_name(&id->reads[PARTITION], id->arena);

	if (id->reads[DOMAIN].absent || !domain || !partition_domain_valid(domain))
		domain = p ? p->domain : NULL;
	if (id->reads[PARTITION].absent || !name)
		name = p ? p->name : NULL;
	set(v, "partition", name);
	set(v, "dns-suffix", domain);
}

/* Keeps region and domain for the calls of services, which then need not read them again. */
static void teach_session(struct cloud *c, const struct vars *v)
{
	const char *region = vars_get(v, "region"), *domain = vars_get(v, "dns-suffix");

	if (c->config.region || !partition_region_valid(region))
		return;
	c->region = arena_strdup(c->arena, region);
	if (domain)
		c->domain = arena_strdup(c->arena, domain);
}

static int failed_read(struct identity *id, struct err *e)
{
	if (id->role.role.rc < 0 && id->role.role.err.kind != ERR_ABSENT) {
		*e = id->role.role.err;
		return -e->no;
	}
	for (size_t i = 0; i < N_READS; i++)
		if (id->reads[i].rc < 0) {
			*e = id->reads[i].err;
			return -e->no;
		}
	for (size_t i = 0; i < id->n_tags; i++)
		if (id->tags[i].read.rc < 0) {
			*e = id->tags[i].read.err;
			return -e->no;
		}
	return 0;
}

static int take(struct cloud *c, struct identity *id, struct vars *v, struct err *e)
{
	int r = failed_read(id, e);

	if (r < 0)
		return r;
	r = take_document(id, v, e);
	if (r < 0)
		return r;
	if (!id->reads[MAC].absent)
		set(v, "mac", imds_name(&id->reads[MAC], id->arena));
	if (!id->reads[HOSTNAME].absent)
		set(v, "local-hostname", imds_name(&id->reads[HOSTNAME], id->arena));
	if (!id->reads[LAUNCH_INDEX].absent)
		set(v, "launch-index", imds_name(&id->reads[LAUNCH_INDEX], id->arena));
	set_line(v, "ssh-key", &id->reads[SSH_KEY], id->arena);
	set(v, "role", id->role.role.rc == 0 ? imds_name(&id->role.role, id->arena) : "");
	take_partition(id, v);
	for (size_t i = 0; i < id->n_tags; i++) {
		struct imds_read *tag = &id->tags[i].read;

		if (tag->absent)
			log_warning("the metadata service lists tag '%s' and has no value for it",
			            id->tags[i].name);
		else
			set(v, arena_printf(id->arena, "tag.%s", id->tags[i].name),
			    tag->text.len ? tag->text.data : "");
	}
	teach_session(c, v);
	return 0;
}

static void keep_user_data(struct cloud *c, struct imds_read *r)
{
	if (r->rc < 0 || c->have_user_data)
		return;
	c->have_user_data = true;
	c->user_data = (struct blob){"", 0};
	if (!r->absent && r->text.len)
		c->user_data = (struct blob){arena_memdup(c->arena, r->text.data, r->text.len),
		                             r->text.len};
}

static int learn(struct cloud *c, struct identity *id, struct vars *v, uint64_t deadline,
                 struct err *e)
{
	int r = read_all(c, id, deadline, e);

	if (r < 0)
		return r;
	r = take(c, id, v, e);
	if (r < 0)
		return r;
	keep_user_data(c, &id->reads[USER_DATA]);
	return 0;
}

static void identity_close(struct cloud *c, struct identity *id)
{
	struct err ignored = {0};

	for (size_t i = 0; i < N_READS; i++)
		imds_read_close(&id->reads[i]);
	for (size_t i = 0; i < id->n_tags; i++)
		imds_read_close(&id->tags[i].read);
	if (id->role.fresh.have)
		(void)session_role_settle(c, &id->role, &ignored);
	imds_read_close(&id->role.role);
	imds_read_close(&id->role.creds);
	creds_close(&id->role.fresh);
}

int cloud_identity(struct cloud *c, struct vars *ret, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct identity *id;
	int r;

	if (c->broken.kind != ERR_NONE) {
		*e = c->broken;
		return -e->no;
	}
	id = arena_alloc(a, sizeof *id);
	id->cloud = c;
	id->arena = a;
	id->tags = arena_array(a, TAGS_MAX, sizeof *id->tags);
	r = learn(c, id, ret, deadline, e);
	identity_close(c, id);
	if (r < 0)
		return err_wrap(e, "learning this instance's identity");
	return 0;
}

static int read_user_data(struct cloud *c, uint64_t deadline, struct err *e)
{
	scope_imds_read struct imds_read read = {.path = "user-data", .max = SESSION_USER_DATA_MAX};
	struct imds_read *list[] = {&read};
	int r = imds_read(c->imds, list, ARRAY_LEN(list), deadline, e);

	if (r < 0)
		return r;
	if (read.rc < 0) {
		*e = read.err;
		return read.rc;
	}
	keep_user_data(c, &read);
	return 0;
}

int cloud_user_data(struct cloud *c, struct arena *a, struct blob *ret, uint64_t deadline,
                    struct err *e)
{
	if (c->broken.kind != ERR_NONE) {
		*e = c->broken;
		return -e->no;
	}
	if (!c->have_user_data && read_user_data(c, deadline, e) < 0)
		return err_wrap(e, "reading the user data");
	*ret = (struct blob){arena_memdup(a, c->user_data.data, c->user_data.len),
	                     c->user_data.len};
	return 0;
}
