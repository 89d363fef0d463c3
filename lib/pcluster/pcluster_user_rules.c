/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the users that stand under HpcNode: their names, ids and keys. */
#include "data/scalar.h"
#include "pcluster/pcluster_input.h"
#include "pcluster/pcluster_rules.h"
#include "plan/claim.h"

#define KEY_MAX  4096 /* bytes of a public key */
#define ID_MAX   INT32_MAX
#define ID_USERS 1000 /* below are the system's accounts: login.defs(5) */

/* One is the default user's, and 60001 to 65535 are systemd's and nobody's:
 * https://systemd.io/UIDS-GIDS */
#define ID_USERS_END (PCLUSTER_DEFAULT_UID - 1)
#define ID_SITE      65536

static const char *const key_types[] = {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
};

struct rules {
	const struct doc *users;
	struct faults_walk faults;
};

/* True where the walk ends. */
static bool refused(struct rules *w, int r)
{
	if (r < 0)
		faults_take(&w->faults, r);
	return w->faults.ended;
}

/* The schema's faults are reported together with ours, so no type can be relied on here. */
static const struct doc *scalar_at(const struct doc *d, const char *key)
{
	const struct doc *at = doc_get(d, key);

	return at && at->type == DOC_SCALAR ? at : NULL;
}

static bool uid_of(const struct doc *user, int64_t *ret)
{
	const struct doc *at = scalar_at(user, "Uid");

	return at && scalar_i64(at, INT64_MIN, INT64_MAX, ret) == 0;
}

/* As useradd(8) takes them. A name in capitals could be a word or an alias of sudoers(5). */
static bool is_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			return false;
	return (*name >= 'a' && *name <= 'z') || *name == '_';
}

static int check_name(const struct rules *w, size_t i)
{
	const struct doc *at = scalar_at(w->users->items[i], "Name");
	int r = at ? claim_account(at, at->text, w->faults.err) : 0;

	if (at && r == 0 && !is_name(at->text))
		return doc_err(at, w->faults.err, REASON_INPUT_RANGE,
		               "Name: '%s': expected a small letter or '_', and no capitals",
		               at->text);

	for (size_t k = 0; at && r == 0 && k < i; k++) {
		const struct doc *other = scalar_at(w->users->items[k], "Name");

		if (other && str_eq(other->text, at->text))
			return doc_err(at, w->faults.err, REASON_INPUT_DUPLICATE,
			               "user '%s' is given twice: the first is at line %u",
			               at->text, other->line);
	}
	return r;
}

static int check_uid(const struct rules *w, size_t i)
{
	const struct doc *at = scalar_at(w->users->items[i], "Uid");
	int64_t uid, other;

	if (!uid_of(w->users->items[i], &uid))
		return 0;
	if (uid < ID_USERS || uid > ID_MAX || (uid > ID_USERS_END && uid < ID_SITE))
		return doc_err(at, w->faults.err, REASON_INPUT_RANGE,
		               "Uid: %s is the system's or none, expected %d to %d, or %d and more",
		               at->text, ID_USERS, ID_USERS_END, ID_SITE);
	for (size_t k = 0; k < i; k++)
		if (uid_of(w->users->items[k], &other) && other == uid)
			return doc_err(at, w->faults.err, REASON_INPUT_DUPLICATE,
			               "Uid %s is given twice: the first is at line %u", at->text,
			               scalar_at(w->users->items[k], "Uid")->line);
	return 0;
}

/* The bytes begin with the type once more, after its length: RFC 4253, 6.6. */
static bool is_key_of(const char *type, struct blob base64)
{
	unsigned char key[KEY_MAX];
	size_t len = strlen(type), n = 0;

	return str_base64_decode(base64, key, sizeof key, &n) == 0 && n > 4 + len && !key[0] &&
	       !key[1] && !key[2] && key[3] == len && memcmp(key + 4, type, len) == 0;
}

bool pcluster_is_public_key(const char *text)
{
	size_t len = strcspn(text, " ");
	const char *base64 = text + len + (text[len] == ' ');

	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	for (size_t i = 0; i < ARRAY_LEN(key_types); i++)
		if (blob_eq((struct blob){text, len}, key_types[i]))
			return is_key_of(key_types[i], (struct blob){base64, strcspn(base64, " ")});
	return false;
}

static int check_key(const struct rules *w, const struct doc *at)
{
	char shown[60];

	if (at->type != DOC_SCALAR || pcluster_is_public_key(at->text))
		return 0;
	return doc_err(at, w->faults.err, REASON_INPUT_RANGE,
	               "Keys: '%s' is no public key, expected one line as in id_ed25519.pub: TYPE "
	               "BASE64 COMMENT",
	               str_escape(at->text, strlen(at->text), shown, sizeof shown));
}

static void check_user(struct rules *w, size_t i)
{
	const struct doc *at, *keys = doc_get(w->users->items[i], "Keys");

	if (refused(w, check_name(w, i)) || refused(w, check_uid(w, i)))
		return;
	for (size_t k = 0; (at = pcluster_item(keys, k)) != NULL; k++)
		if (refused(w, check_key(w, at)))
			return;
}

int pcluster_user_rules(const struct doc *config, struct faults *faults, struct err *e)
{
	const struct doc *users = doc_find(config, "HpcNode.Users");
	struct rules w = {.users = users, .faults = {.faults = faults, .err = e}};

	if (!users || users->type != DOC_LIST)
		return 0;
	for (size_t i = 0; i < users->n && !w.faults.ended; i++)
		check_user(&w, i);
	return w.faults.failed;
}
