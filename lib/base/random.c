/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the kernel for random bytes. */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

int random_bytes(void *out, size_t n)
{
	unsigned char *at = out;

	while (n) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}
