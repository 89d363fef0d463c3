/* SPDX-License-Identifier: Apache-2.0 */
/* Checks whether this machine has a program. */
#include "store/tool.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int tool_need(const char *name, const char *package, struct err *e)
{
	static const char *const dirs[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
	                                   "/usr/bin",        "/sbin",          "/bin"};
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/%s", dirs[i], name);
		if (access(path, X_OK) == 0)
			return 0;
	}
	return err_set(e, ERR_HOST, REASON_HOST_EXEC, ENOENT,
	               "looking for '%s': not on this machine; install %s", name, package);
}
