/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the mount*.c files; not for other floors.
 *
 * Everything that may touch a mounted file system - resolving a path, mounting, statfs - is done in
 * a child that can be killed (mount_child.c), since a dead file server blocks any process that
 * accesses it. This process only reads mountinfo, which doesn't access the file systems.
 */
#pragma once

#include "host/host_own.h"
#include "machine/mount.h"
#include "os/child.h"

/* ---- mount_table.c: mountinfo ---- */

/* What /proc/self/mountinfo shows as mounted exactly at target, last one first; n = 0: nothing. */
struct host_mounted {
	size_t n;
	struct host_mounted_fs {
		const char *source, *fstype, *options; /* options: vfs and fs options joined */
		const char *root; /* the visible part of it: "/" but for bind mounts */
		dev_t dev;
	} * items;
};

struct mount_table {
	size_t n;
	struct mount_line {
		const char *target;
		struct host_mounted_fs fs;
	} * lines; /* oldest first */
};

int mount_table_read(struct arena *a, struct mount_table *ret, struct err *e) ATTR_MUST_USE;
/* Those mounted exactly at target, last first. */
void mount_table_at(const struct mount_table *t, const char *target, struct arena *a,
                    struct host_mounted *ret);
/* The mount the path lies in, or NULL. */
const struct mount_line *mount_table_around(const struct mount_table *t, const char *path);

/* ---- mount_match.c: is it the same thing? ---- */

struct mount_want {
	const char *source, *fstype;
	bool bind;
	const char *root; /* bind: what mountinfo must show as root, with dev */
	dev_t dev;        /* bind, or a block device's number; 0: neither */
};

enum mount_match {
	MOUNT_OTHER,
	MOUNT_SAME,
	MOUNT_ASK_NAME, /* same export, but only a name look-up tells if the server is the same */
};

bool mount_is_network(const char *source, const char *fstype);
enum mount_match mount_match(const struct mount_want *w, const struct host_mounted_fs *fs);
/* "host:/path" or "[v6]:/path": the host without brackets; false if it isn't in this form. */
bool mount_server(const char *source, char host[static 256]);
/* A word, or the value of name=, in a comma separated list; the list may be NULL. */
bool mount_has_option(const char *options, const char *word);
bool mount_option(const char *options, const char *name, char *value, size_t cap);

/* ---- mount_child.c: what may hang ---- */

struct mount_look {
	int no;                     /* errno of the failure, 0: fine */
	bool exists;                /* the target is there */
	char target[HOST_PATH_MAX]; /* as mountinfo would show it */
	char source[HOST_PATH_MAX]; /* a local source, links and tags resolved; else "" */
	dev_t dev;                  /* of a block device */
};

/* source may be NULL. The paths are the root's. */
int mount_look(struct host *h, const char *target, const char *source, uint64_t deadline,
               struct mount_look *ret, struct err *e) ATTR_MUST_USE;

/* The result of a try to mount; only mountinfo tells whether it worked. */
struct mount_try {
	bool hung, abandoned; /* the deadline ended it */
	const char *silent;   /* hung, and nothing listens there: "10.0.0.1 port 2049"; or NULL */
	int no;               /* errno of a step before libmount, with `stage` */
	const char *stage;
	const char *missing; /* the helper that isn't installed, or NULL */
	int status;          /* the helper's, if one ran; else libmount's exit code; 0: success */
	bool helper;
	bool answers;       /* the file system at the target now answered statfs(2) */
	int syscall_no;     /* errno of mount(2), or 0 */
	const char *words;  /* libmount's message, "" for helpers */
	struct blob errout; /* what the helper wrote, last 8 KiB */
};

int mount_try(struct host *h, const struct host_mount *m, const struct mount_look *at,
              struct arena *a, struct mount_try *ret, struct err *e) ATTR_MUST_USE;
/* 1: the name has this address; 0: it hasn't, or this isn't known by the deadline. */
int mount_name_has(const char *name, const char *address, uint64_t deadline);
/* False: an NFS server that accepts no connection, returned as "HOST port N"; true: it does, or
 * isn't one. */
bool mount_server_listens(const struct host_mount *m, uint64_t deadline, char told[static 300]);
/* The file system at this (resolved) path answers statfs(2). */
int mount_answers(const char *target, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* ---- mount_error.c ---- */

/* Turns a failed try into an error: "mounting 'S' at 'T': words". Returns -e->no. */
int mount_error(const struct mount_try *t, const char *what, bool network, struct err *e);
/* The package that ships the helper of a type that can't be mounted without one, or NULL. */
const char *mount_helper_package(const char *fstype);
