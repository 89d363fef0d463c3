/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of an instance's SSH server, from what the machine itself told on its console, which EC2 hands
 * out over TLS: nobody in the network between can have put them there. They are kept, as the console
 * forgets; an instance's id is never given to another one.
 */
#pragma once

#include "state/state.h"

/* *ret: a file of known hosts in which the instance's id has its keys, below ~/.ssh. A console without
 * keys is ERR_ABSENT. */
int known_host(struct life *l, const char *instance, const char **ret, struct err *e) ATTR_MUST_USE;

/* The same file, which may not exist, in a directory that does; nobody is asked: for a host that is to be
 * trusted by what it shows the first time. */
int known_host_file(struct life *l, const char *instance, const char **ret,
                    struct err *e) ATTR_MUST_USE;

/* The last block of keys that was written as a whole, "NAME TYPE BASE64" a line; "" where there is none.
 * What isn't a whole key is left out. */
const char *known_host_lines(const char *console, const char *name, struct arena *a);
