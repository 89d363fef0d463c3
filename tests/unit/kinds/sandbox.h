/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine of the test's own to change: mount, network and host name namespaces, and a root on
 * tmpfs with this machine's programs and a fresh /etc. Where daemons are started sandbox_pids()
 * comes before sandbox_enter(), so that none outlives the test.
 */
#pragma once

/*
 * Process ids of its own for what follows: returns in a process below a first one that reaps. The
 * caller becomes the one that waits, and ends with the test's status; whatever is left ends then.
 */
void sandbox_pids(void);

/* For the rest of the process; everything goes away with it. */
void sandbox_enter(void);

/* A file, mode 0644; its directory exists. */
void fixture_write(const char *path, const char *text);
