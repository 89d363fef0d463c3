/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Slurm's release from its version texts. */
#include "model/slurmver.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "22.05" with nothing but further numbers behind it. */
static bool is_release(const char *s)
{
	return is_digit(s[0]) && is_digit(s[1]) && s[2] == '.' && is_digit(s[3]) &&
	       is_digit(s[4]) && (s[5] == '\0' || (s[5] == '.' && is_digit(s[6]))) &&
	       s[strspn(s, "0123456789.")] == '\0';
}

int slurmver_parse(const char *text, unsigned *ret)
{
	const char *blank = strrchr(text, ' ');
	const char *s = blank ? blank + 1 : text;

	if (!is_release(s))
		return -EINVAL;
	unsigned version = (unsigned)((s[0] - '0') * 1000 + (s[1] - '0') * 100 + (s[3] - '0') * 10 +
	                              (s[4] - '0'));
	if (version < SLURMVER_OLDEST)
		return -ERANGE;
	*ret = version;
	return 0;
}

const char *slurmver_name(unsigned version, char *out)
{
	snprintf(out, 8, "%02u.%02u", version / 100 % 100, version % 100);
	return out;
}
