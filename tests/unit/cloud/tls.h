/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openssl's server in a network of the test's own: each file of its directory is a whole answer,
 * with status and headers, to the request for its name. What is in cert.pem is who it is.
 */
#pragma once

#include "base/arena.h"

#define TLS_PORT "4433"
#define TLS_HERE "https://127.0.0.1:" TLS_PORT "/"

/* Returns when it answers; the directory is gone after tls_end(). */
void tls_begin(void);
void tls_end(void);

/* The path of a file there, in the arena. */
const char *tls_path(const char *name, struct arena *a);
void tls_put(const char *name, const char *text);
