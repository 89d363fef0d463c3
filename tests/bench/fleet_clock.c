/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpc-fleet on simulated time: the service itself, but that it waits for nothing. Its clock is in the
 * file HPC_CLOCK, a struct clock_fake, where EC2's stand-in reads it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/fleet.h"

int main(int argc, char **argv)
{
	struct fleet f = FLEET_INIT;
	const char *path = getenv("HPC_CLOCK");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	struct clock_fake *now = mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (now == MAP_FAILED) {
		perror("HPC_CLOCK");
		return 2;
	}
	clock_set_fake(now);
	return program_main(&fleet_info, argc, argv, &f.program);
}
