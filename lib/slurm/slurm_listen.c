/* SPDX-License-Identifier: Apache-2.0 */
/* Tells whether the slurmd of this machine listens. */
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>

#include "slurm/slurm_own.h"

#define SLURMD_PORT  6818
#define TABLE_MAX    (1024 * 1024)
#define CONF_MAX     (4 * 1024 * 1024)
#define LISTEN_STATE "0A" /* TCP_LISTEN, proc(5) /proc/net/tcp */

/* SlurmdPort of the configuration that slurmd fetched, or Slurm's default. */
static unsigned slurmd_port(const struct step_ctx *c, const struct slurm_spec *s, struct arena *a)
{
	static const char key[] = "SlurmdPort=";
	struct blob conf;
	struct err ignored;
	uint64_t port;

	if (!s->configless ||
	    host_read(c->host, "/run/slurm/conf/slurm.conf", CONF_MAX, a, &conf, &ignored) < 0)
		return SLURMD_PORT;
	for (const char *line = conf.data; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n \t");
		if (strncasecmp(line, key, strlen(key)) != 0)
			continue;
		line += strlen(key);
		const char *digits = arena_memdup(a, line, strspn(line, "0123456789"));
		return str_u64(digits, 1, UINT16_MAX, &port) < 0 ? SLURMD_PORT : (unsigned)port;
	}
	return SLURMD_PORT;
}

/* A line is "0: 00000000:1AA2 00000000:0000 0A ...": address and port in hex, then the state. */
static bool listens_in(const char *table, unsigned port, struct arena *a)
{
	const char *local = arena_printf(a, ":%04X ", port);

	for (const char *at = table; (at = strstr(at, local)); at++) {
		const char *remote = at + strlen(local), *state = strchr(remote, ' ');

		if (state && str_starts(state + 1, LISTEN_STATE))
			return true;
	}
	return false;
}

bool slurm_listens(const struct step_ctx *c, const struct slurm_spec *s)
{
	static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
	scope_arena struct arena *a = arena_new();
	unsigned port = slurmd_port(c, s, a);

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct blob text;
		struct err ignored;

		if (file_read(AT_FDCWD, tables[i], TABLE_MAX, a, &text, &ignored) == 0 &&
		    text.len && listens_in(text.data, port, a))
			return true;
	}
	return false;
}
