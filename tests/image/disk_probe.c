/* SPDX-License-Identifier: Apache-2.0 */
/* Drives the disk part of the library from outside: disk_probe VERB ARG... ; message on stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "disk.h"

/* write OUTPUT raw|qcow2 SIZE uefi+bios|uefi SEED STEM|- FRESH LAYER... */
static int do_write(char **arg, struct err *e)
{
	struct disk_spec spec = {
	        .filesystem = "ext4",
	        .boot = str_eq(arg[3], "uefi") ? BOOT_UEFI : BOOT_UEFI_BIOS,
	        .cmdline = "console=ttyS0,115200n8 quiet",
	        .seed = arg[4],
	};
	struct disk_job job = {
	        .spec = &spec,
	        .arch = "x86_64",
	        .output = arg[0],
	        .format = str_eq(arg[1], "qcow2") ? DISK_QCOW2 : DISK_RAW,
	        .stem = str_eq(arg[5], "-") ? NULL : arg[5],
	        .fresh = (size_t)strtoul(arg[6], NULL, 10),
	        .layers = (const char *const *)(arg + 7),
	        .deadline = clock_in_ms(120000),
	};

	if (str_size(arg[2], &spec.size) < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, 22, "size '%s'", arg[2]);
	int r = disk_epoch(job.layers, &job.epoch, e);
	return r < 0 ? r : disk_write(&job, e);
}

static const struct verb {
	const char *name;
	int args; /* at least */
	int (*run)(char **arg, struct err *e);
} verbs[] = {
        {"write", 8, do_write},
};

int main(int argc, char **argv)
{
	struct err e = {0};

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
		if (!str_eq(argv[1], verbs[i].name) || argc - 2 < verbs[i].args)
			continue;
		uint64_t start = clock_now();
		if (verbs[i].run(argv + 2, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			return err_exit_status(e.kind);
		}
		fprintf(stderr, "%s took %llu ms\n", argv[1],
		        (unsigned long long)((clock_now() - start) / 1000000));
		return 0;
	}
	fprintf(stderr, "disk_probe: no such verb, or too few arguments\n");
	return 2;
}
