/* SPDX-License-Identifier: Apache-2.0 */
/* The table of architectures. */
#include "document/arch.h"

#include <sys/utsname.h>

const char *const arch_names[] = {"x86_64", "arm64", "amd64", "aarch64", NULL};
static const char *const canonical[] = {"x86_64", "arm64", "x86_64", "arm64"};
_Static_assert(ARRAY_LEN(canonical) + 1 == ARRAY_LEN(arch_names), "a canonical name for each");

const char *arch_name(int row)
{
	return canonical[row];
}

const char *arch_native(void)
{
	static struct utsname here; /* which the answer may point into */

	if (uname(&here) < 0)
		return "unknown";
	for (size_t i = 0; arch_names[i]; i++)
		if (str_eq(arch_names[i], here.machine))
			return canonical[i];
	return here.machine;
}

int arch_check_name(const struct doc *at, const char *name, struct err *e)
{
	for (size_t i = 0; arch_names[i]; i++)
		if (str_eq(arch_names[i], name))
			return 0;
	const char *near = str_nearest(name, arch_names, ARRAY_LEN(canonical));
	if (near)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "unknown architecture '%s', did you mean '%s'?", name, near);
	return doc_err(at, e, REASON_INPUT_RANGE,
	               "unknown architecture '%s', expected x86_64 or arm64", name);
}

bool arch_is(const char *arch, const char *name)
{
	for (size_t i = 0; arch_names[i]; i++)
		if (str_eq(arch_names[i], name))
			return str_eq(canonical[i], arch);
	return false;
}
