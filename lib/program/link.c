/* SPDX-License-Identifier: Apache-2.0 */
/* Runs what a link's name asks for. */
#include "program/link.h"

#include <string.h>

#include "base/str.h"
#include "program/program.h"

const char *link_variable(char **environment, const char *name)
{
	size_t len = strlen(name);

	for (char **at = environment; *at; at++)
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return *at;
	return NULL;
}

const char *link_value(char **environment, const char *name)
{
	const char *variable = link_variable(environment, name);

	return variable ? variable + strlen(name) + 1 : NULL;
}

bool link_run(const struct link_row *links, int argc, char **argv, char **environment,
              int *ret_status)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

	for (const struct link_row *l = links; argc > 0 && l->name; l++)
		if (str_eq(slash ? slash + 1 : argv[0], l->name)) {
			program_standard_streams();
			*ret_status = l->run(argc, argv, environment);
			return true;
		}
	return false;
}
