/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the name service ask sssd, and sessions make homes and keys: by pam-auth-update(8) on Debian
 * and its kin, by authselect(8) elsewhere.
 *
 * A key is made by the user's own process: root writes nothing into homes, which users may exchange
 * for links, and could not on a file server that squashes it.
 */
#include <errno.h>

#include "kinds/directory_own.h"

#define NSSWITCH    "/etc/nsswitch.conf"
#define SESSION     "/etc/pam.d/common-session" /* what pam-auth-update writes */
#define RPM_SESSION "/etc/pam.d/system-auth"    /* what authselect writes */
#define PROFILE     "/usr/share/pam-configs/hpc-node-ssh-keys"
#define KEY_PROGRAM "/usr/lib/hpc-node/ssh-user-key"
#define FILE_MAX    (256UL << 10)

static const struct host_owner root = {0};
static const char profile[] = "Name: SSH keys for users of the directory\n"
                              "Default: no\n"
                              "Priority: 0\n"
                              "Session-Type: Additional\n"
                              "Session:\n"
                              "\toptional\tpam_exec.so quiet " KEY_PROGRAM "\n";
static const char key_program[] =
        "#!/bin/sh\n"
        "# Written by hpc-agent from the section 'directory'; changes here don't last.\n"
        "# Run by pam_exec(8) as root. Only users of sssd are given keys, each by himself.\n"
        "[ \"$PAM_TYPE\" = open_session ] || exit 0\n"
        "entry=$(getent -s sss passwd \"$PAM_USER\") || exit 0\n"
        "uid=$(id -u \"$PAM_USER\") && gid=$(id -g \"$PAM_USER\") && [ \"$uid\" -ne 0 ] || exit 0\n"
        "HOME=$(echo \"$entry\" | cut -d: -f6)\n"
        "export HOME\n"
        "exec setpriv --reuid \"$uid\" --regid \"$gid\" --init-groups sh -c '\n"
        "umask 077\n"
        "cd \"$HOME\" && [ ! -e .ssh/id_rsa ] && [ ! -e .ssh/id_ed25519 ] || exit 0\n"
        "mkdir -p .ssh && ssh-keygen -q -t ed25519 -N \"\" -f .ssh/id_ed25519 &&\n"
        "cat .ssh/id_ed25519.pub >>.ssh/authorized_keys' </dev/null\n";

/* ---- nsswitch.conf ---- */

static bool is_database(const char *line)
{
	return str_starts(line, "passwd:") || str_starts(line, "group:") ||
	       str_starts(line, "shadow:");
}

static bool asks_sssd(const char *line)
{
	for (const char *at = strchr(line, ':'); (at = strstr(at + 1, "sss"));)
		if (strchr(" \t", at[-1]) && (!at[3] || strchr(" \t", at[3])))
			return true;
	return false;
}

/* The file with sss behind what is asked already: *ret_same if it was there. */
static int nsswitch(const struct step_ctx *c, struct blob *ret, bool *ret_same, struct err *e)
{
	struct strbuf out = STRBUF(c->arena, 2 * FILE_MAX);
	struct blob now;
	int r = host_read(c->host, NSSWITCH, FILE_MAX, c->arena, &now, e);

	if (r < 0)
		return r;
	*ret_same = true;
	for (const char *at = now.data; *at;) {
		size_t len = strcspn(at, "\n");
		const char *line = arena_memdup(c->arena, at, len);

		strbuf_str(&out, line);
		if (is_database(line) && !asks_sssd(line)) {
			strbuf_str(&out, " sss");
			*ret_same = false;
		}
		strbuf_char(&out, '\n');
		at += len + (at[len] == '\n');
	}
	*ret = (struct blob){out.data ? out.data : "", out.len};
	return 0;
}

static int make_nsswitch(const struct step_ctx *c, struct err *e)
{
	struct host_owner owner;
	struct blob text;
	unsigned mode;
	bool same;
	int r = nsswitch(c, &text, &same, e);

	if (r < 0 || same)
		return r;
	r = host_read_attr(c->host, NSSWITCH, &mode, &owner, e);
	return r < 0 ? r : host_write(c->host, NSSWITCH, text, mode, &owner, e);
}

/* ---- PAM ---- */

static bool is_debian(const struct step_ctx *c)
{
	return host_exists(c->host, SESSION);
}

static int session_has(const struct step_ctx *c, const char *what, struct err *e)
{
	struct blob text;
	int r = host_read(c->host, is_debian(c) ? SESSION : RPM_SESSION, FILE_MAX, c->arena, &text,
	                  e);

	return r < 0 ? r : strstr(text.data, what) != NULL;
}

static const struct key_file {
	const char *path, *text;
	unsigned mode;
} key_files[] = {
        {KEY_PROGRAM, key_program, 0755},
        {PROFILE, profile, 0644},
};

/* 1: they are as they shall be. */
static int key_files_hold(const struct step_ctx *c, struct err *e)
{
	int r = 1;

	for (size_t i = 0; i < ARRAY_LEN(key_files) && r > 0; i++) {
		const struct key_file *f = &key_files[i];

		r = host_file_is(c->host, f->path, (struct blob){f->text, strlen(f->text)}, f->mode,
		                 &root, e);
	}
	return r;
}

static int write_key_files(const struct step_ctx *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(key_files) && r == 0; i++) {
		const struct key_file *f = &key_files[i];

		r = host_write(c->host, f->path, (struct blob){f->text, strlen(f->text)}, f->mode,
		               &root, e);
	}
	return r;
}

int directory_sessions_hold(const struct step_ctx *c, const struct directory_spec *d, struct err *e)
{
	struct blob text;
	bool same;
	int r = nsswitch(c, &text, &same, e);

	if (r < 0 || !same)
		return r;
	r = session_has(c, "pam_mkhomedir.so", e);
	if (r <= 0 || !d->ssh_keys)
		return r;
	r = key_files_hold(c, e);
	return r <= 0 ? r : session_has(c, KEY_PROGRAM, e);
}

static int run(const struct step_ctx *c, const char *const *argv, struct err *e)
{
	static const char *const env[] = {"DEBIAN_FRONTEND=noninteractive", NULL};
	const struct host_exec x = {
	        .argv = argv, .env = env, .changes = true, .deadline = c->deadline};
	struct host_result said;

	return host_run_ok(c->host, &x, c->arena, &said, e);
}

static int make_sessions(const struct step_ctx *c, const struct directory_spec *d, struct err *e)
{
	static const char *const homes[] = {"pam-auth-update", "--package", "--enable", "mkhomedir",
	                                    NULL};
	static const char *const keys[] = {"pam-auth-update", "--package",         "--enable",
	                                   "mkhomedir",       "hpc-node-ssh-keys", NULL};

	return run(c, d->ssh_keys ? keys : homes, e);
}

static int make_rpm_sessions(const struct step_ctx *c, const struct directory_spec *d,
                             struct err *e)
{
	static const char *const argv[] = {"authselect",     "select",  "sssd",
	                                   "with-mkhomedir", "--force", NULL};

	if (d->ssh_keys)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "ssh-keys: sessions make keys only where pam-auth-update(8) is");
	return run(c, argv, e);
}

int directory_sessions_make(const struct step_ctx *c, const struct directory_spec *d, struct err *e)
{
	int r = d->ssh_keys && is_debian(c) ? write_key_files(c, e) : 0;

	if (r < 0)
		return r;
	r = directory_sessions_hold(c, d, e);
	if (r != 0 && host_mode(c->host) != HOST_DRY)
		return r < 0 ? r : 0;
	r = is_debian(c) ? make_sessions(c, d, e) : make_rpm_sessions(c, d, e);
	return r < 0 ? r : make_nsswitch(c, e);
}
