/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slurmdbd.conf(5) as text, but for the line with the password. Pure: the section `database` writes it,
 * and `render` shows it where there is no head.
 */
#pragma once

#include "base/arena.h"
#include "base/secret.h"
#include "base/str.h"

#define SLURMDBD_CONF_PATH "/etc/slurm/slurmdbd.conf"
#define SLURMDBD_USER      "slurm" /* whose file it is; slurm.conf's SlurmUser */
#define SLURMDBD_LOG       "/var/log/slurm/slurmdbd.log"
#define SLURMDBD_PORT      6819 /* where it listens: Slurm's default */
#define SLURMDBD_SQL_PORT  3306 /* where a MySQL server listens */

struct slurmdbd {
	const char *here; /* host name of the machine that it runs on */
	const char *host; /* of the SQL server */
	uint64_t port;
	const char *name, *user; /* the server's database, and who opens it */
};

/* Whether it can stand in such a file as it is: no blanks, quotes, '#', '=' and backslashes. */
bool slurmdbd_is_word(const char *text);

struct blob slurmdbd_text(const struct slurmdbd *x, struct arena *a);

/* The whole file. -EINVAL: the password has what no line can hold, a double quote or a control
 * character; -ENOSPC: it is too long. */
int slurmdbd_whole(struct blob text, const struct secret *password, struct secret *ret);
