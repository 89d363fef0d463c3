/* SPDX-License-Identifier: Apache-2.0 */
/* Drives the disk part of the library from outside: disk_probe VERB ARG... ; message on stderr. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "base/str.h"
#include "disk/disk.h"
#include "hygiene/hygiene.h"
#include "look/manifest.h"

/* write OUTPUT raw|qcow2 SIZE uefi+bios|uefi|uefi+secure SEED STEM|- FRESH LAYER... */
static int do_write(char **arg, struct err *e)
{
	struct disk_spec spec = {
	        .filesystem = "ext4",
	        .boot = str_eq(arg[3], "uefi")          ? BOOT_UEFI
	                : str_eq(arg[3], "uefi+secure") ? BOOT_UEFI_SECURE
	                                                : BOOT_UEFI_BIOS,
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

/* rules */
static int do_rules(char **arg, struct err *e)
{
	(void)arg, (void)e;
	for (size_t i = 0; hygiene_rule(i); i++)
		printf("%s\n", hygiene_rule(i)->name);
	return 0;
}

/* "RULE:PATTERN" */
static struct hygiene_intent intent_of(char **arg, struct arena *a)
{
	struct hygiene_intent in = {0};
	struct hygiene_allow *rows = NULL;

	for (; *arg; arg++) {
		const char *colon = strchr(*arg, ':');
		rows = arena_grow(a, rows, &in.n, sizeof *rows);
		rows[in.n - 1] = (struct hygiene_allow){
		        arena_memdup(a, *arg, (size_t)(colon - *arg)), colon + 1, "a test", false};
	}
	in.allow = rows;
	return in;
}

/* clean ROOT ALLOW... */
static int do_clean(char **arg, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct hygiene_intent intent = intent_of(arg + 1, a);
	struct hygiene_report report;
	struct host *h = NULL;
	int r = host_open(arg[0], HOST_LIVE, &h, e);

	if (r == 0)
		r = hygiene_clean(h, &intent, a, &report, e);
	host_close(h);
	return r;
}

/* look ROOT ALLOW...: "RULE PATH" a line, and each in words as the error's first line */
static int do_look(char **arg, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	scope_fd int root = open(arg[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct hygiene_intent intent = intent_of(arg + 1, a);
	struct hygiene_findings found;
	int r = root < 0 ? err_errno(e, errno, "opening '%s'", arg[0])
	                 : hygiene_look(root, &intent, a, &found, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < found.n; i++) {
		printf("%s %s\n", found.items[i].rule->name, found.items[i].path);
		fprintf(stderr, "%s\n", hygiene_words(&found.items[i], a));
	}
	return hygiene_refuse(&found, e);
}

/* manifest ROOT SBOM: of an image named "node" */
static int do_manifest(char **arg, struct err *e)
{
	const struct manifest m = {.name = "node",
	                           .version = "1.0.0",
	                           .arch = "x86_64",
	                           .recipe = "aa",
	                           .epoch = 1700000000};
	struct host *h = NULL;
	int r = host_open(arg[0], HOST_LIVE, &h, e);

	if (r == 0)
		r = manifest_write(h, &m, e);
	if (r == 0)
		r = sbom_write(arg[1], host_root_fd(h), &m, "bb", e);
	host_close(h);
	return r;
}

static const struct verb {
	const char *name;
	int args; /* at least */
	int (*run)(char **arg, struct err *e);
} verbs[] = {
        {"write", 8, do_write}, {"rules", 0, do_rules},       {"clean", 1, do_clean},
        {"look", 1, do_look},   {"manifest", 2, do_manifest},
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
