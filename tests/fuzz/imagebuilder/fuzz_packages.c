/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes package databases of images. */
#include "fuzz_file.h"
#include "store/packages.h"

static void check_field(const char *text, bool required)
{
	FUZZ_CHECK(text || !required);
	FUZZ_CHECK(!text || !strchr(text, '\n'));
}

/* dpkg's status is read whatever it is: what comes of it is whole, of one line each, and sorted. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct packages p = {0};
	struct err e = {0};

	fuzz_mkdir("var");
	fuzz_mkdir("var/lib");
	fuzz_mkdir("var/lib/dpkg");
	fuzz_mkdir("etc");
	fuzz_put("var/lib/dpkg/status", data, size);
	fuzz_put("etc/os-release", data, size < 4096 ? size : 4096);
	FUZZ_CHECK(packages_read(fuzz_dir(), a, &p, &e) == 0);
	FUZZ_CHECK(!size || str_eq(p.database, "dpkg"));
	check_field(p.distribution, false);
	check_field(p.release, false);
	for (size_t i = 0; i < p.n; i++) {
		const struct package *one = &p.items[i];

		check_field(one->name, true);
		check_field(one->version, true);
		check_field(one->arch, true);
		check_field(one->source, true);
		check_field(one->source_version, true);
		check_field(one->maintainer, false);
		FUZZ_CHECK(i == 0 || strcmp(p.items[i - 1].name, one->name) <= 0);
		FUZZ_CHECK(str_eq(packages_find(&p, one->name)->name, one->name));
	}
	return 0;
}
