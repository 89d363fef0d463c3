/* SPDX-License-Identifier: Apache-2.0 */
/* What is written into images about them: the manifest, which verify then holds against the tree,
 * and the SPDX document. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "data/json.h"
#include "image.h"
#include "kinds/baked.h"
#include "look/manifest.h"
#include "look/verify.h"

static const char status[] = "Package: slurmd\nStatus: install ok installed\nArchitecture: amd64\n"
                             "Source: slurm-wlm (22.05.8-4)\nVersion: 22.05.8-4+b1\n"
                             "Maintainer: Someone <s@example.org>\n\n"
                             "Package: base-files\nStatus: install ok installed\n"
                             "Architecture: all\nVersion: 12.4\n\n"
                             "Package: gone\nStatus: deinstall ok config-files\n"
                             "Architecture: all\nVersion: 1\n\n";

static const struct manifest given = {.name = "node",
                                      .version = "1.2.3",
                                      .arch = "x86_64",
                                      .recipe = "aa",
                                      .lock = NULL,
                                      .tree = "bb",
                                      .epoch = 1000000000};

static void fill(struct image *t)
{
	image_fill(t);
	image_put(t, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
	image_put(t, "var/lib/dpkg/status", status);
	image_put(t, "lib/modules/6.1.0-9/x", "x");
	image_put(t, "lib/modules/6.1.0-10/x", "x");
	image_put(t, "lib/modules/.hidden/x", "x");
	image_put(t, "usr/lib/hpc-node/x", "x");
}

static void write_manifest(struct image *t)
{
	struct host *h;
	struct err e;

	assert_ok(host_open(t->path, HOST_LIVE, &h, &e));
	assert_ok(manifest_write(h, &given, &e));
	host_close(h);
}

static const char *at(const struct doc *d, const char *key)
{
	const char *text = doc_text(d, key);

	return text ? text : "null";
}

static void test_the_manifest(void **state)
{
	struct image *t = *state;
	struct doc *d;
	struct err e;

	fill(t);
	write_manifest(t);
	const char *text = image_text(t, &BAKED_MANIFEST[1]);
	assert_ok(json_parse("m", (struct blob){text, strlen(text)}, t->a, &d, &e));
	const struct doc *image = doc_get(d, "image");
	assert_string_equal(at(d, "schema"), "1");
	assert_string_equal(at(image, "name"), "node");
	assert_string_equal(at(image, "version"), "1.2.3");
	assert_string_equal(at(image, "arch"), "x86_64");
	assert_string_equal(at(image, "date"), "2001-09-09T01:46:40Z");
	assert_string_equal(at(image, "recipe-sha256"), "aa");
	assert_string_equal(at(image, "lock-sha256"), "null");
	assert_string_equal(at(image, "layers"), "bb");
	assert_string_equal(at(d, "distribution"), "debian");
	assert_string_equal(at(d, "release"), "12");
	assert_string_equal(at(d, "slurm"), "22.05.8-4+b1");
	assert_string_equal(at(d, "package-database"), "dpkg");
	assert_int_equal(strlen(at(d, "package-database-sha256")), 64);
	const struct doc *kernels = doc_get(d, "kernels"), *packages = doc_get(d, "packages");
	assert_int_equal(kernels->n, 2);
	assert_string_equal(kernels->items[0]->text, "6.1.0-10");
	assert_string_equal(kernels->items[1]->text, "6.1.0-9");
	assert_int_equal(packages->n, 2);
	assert_string_equal(at(packages->items[1], "name"), "slurmd");
	assert_string_equal(at(packages->items[1], "version"), "22.05.8-4+b1");
	assert_string_equal(at(packages->items[1], "source"), "slurm-wlm");
}

static void test_the_sbom(void **state)
{
	struct image *t = *state;
	char path[128];
	struct blob text, again;
	struct doc *d;
	struct err e;

	fill(t);
	snprintf(path, sizeof path, "%s/sbom", t->dir);
	assert_ok(sbom_write(path, t->fd, &given, "cc", &e));
	assert_ok(file_read(AT_FDCWD, path, SBOM_MAX, t->a, &text, &e));
	assert_ok(json_parse("s", text, t->a, &d, &e));
	assert_string_equal(at(d, "spdxVersion"), "SPDX-2.3");
	assert_string_equal(at(d, "name"), "node-1.2.3");
	assert_string_equal(at(doc_get(d, "creationInfo"), "created"), "2001-09-09T01:46:40Z");
	const struct doc *packages = doc_get(d, "packages"),
	                 *relations = doc_get(d, "relationships");
	assert_int_equal(packages->n, 3);
	assert_string_equal(at(packages->items[0], "SPDXID"), "SPDXRef-image");
	assert_string_equal(at(doc_get(packages->items[0], "checksums")->items[0], "checksumValue"),
	                    "cc");
	assert_string_equal(at(packages->items[2], "SPDXID"), "SPDXRef-Package-slurmd-amd64");
	assert_non_null(strstr(text.data, "pkg:deb/debian/slurmd@22.05.8-4%2Bb1?arch=amd64"
	                                  "&distro=debian-12"));
	assert_int_equal(relations->n, 3);
	assert_string_equal(at(relations->items[0], "relationshipType"), "DESCRIBES");
	assert_string_equal(at(relations->items[2], "relationshipType"), "CONTAINS");
	assert_string_equal(at(relations->items[2], "relatedSpdxElement"),
	                    "SPDXRef-Package-slurmd-amd64");
	assert_ok(sbom_write(path, t->fd, &given, "cc", &e));
	assert_ok(file_read(AT_FDCWD, path, SBOM_MAX, t->a, &again, &e));
	assert_true(text.len == again.len && memcmp(text.data, again.data, text.len) == 0);
	assert_ok(sbom_write(path, t->fd, &given, NULL, &e));
	assert_ok(file_read(AT_FDCWD, path, SBOM_MAX, t->a, &again, &e));
	assert_null(strstr(again.data, "checksums"));
}

/* ---- verify ---- */

struct told {
	struct strbuf text;
};

static void tell(void *ctx, const char *check, enum verify_state state, const char *what)
{
	static const char *const states[] = {"ok", "fault", "note"};
	struct told *told = ctx;

	strbuf_printf(&told->text, "%s %s: %s\n", states[state], check, what);
}

static const char *verify(struct image *t, size_t faults)
{
	struct told told = {.text = STRBUF(t->a, 1 << 20)};
	struct inspect_space space = INSPECT_SPACE_INIT("/nowhere");
	struct inspect i;
	struct err e;

	assert_ok(inspect_open(t->path, &space, "x", UINT64_MAX, &i, &e));
	struct verify v = {
	        .image = &i, .deadline = UINT64_MAX, .arena = t->a, .tell = tell, .ctx = &told};
	assert_ok(verify_all(&v, &e));
	inspect_close(&i);
	assert_int_equal(v.faults, faults);
	return told.text.data;
}

static void test_verify(void **state)
{
	struct image *t = *state;

	fill(t);
	assert_string_equal(verify(t, 0), "ok hygiene: nothing that no image may have\n"
	                                  "note manifest: the image has none\n");
	write_manifest(t);
	assert_string_equal(verify(t, 0), "ok hygiene: nothing that no image may have\n"
	                                  "ok manifest: it fits\n");
	image_put(t, "etc/ssh/ssh_host_key", "x");
	assert_non_null(strstr(verify(t, 1), "fault hygiene: ssh-host-keys: '/etc/ssh/ssh_host_key'"
	                                     ": every instance would"));
}

static void test_what_does_not_fit(void **state)
{
	struct image *t = *state;

	fill(t);
	write_manifest(t);
	image_put(t, "lib/modules/6.1.0-11/x", "x");
	image_put(t, "var/lib/dpkg/status",
	          "Package: slurmd\nStatus: install ok installed\nArchitecture: amd64\n"
	          "Version: 23\n\n");
	const char *text = verify(t, 5);
	assert_non_null(strstr(text, "fault manifest: a package it names is not there: base-files "
	                             "12.4 all\n"));
	assert_non_null(strstr(text, "a package it names is not there: slurmd 22.05.8-4+b1 amd64"));
	assert_non_null(strstr(text, "a package it doesn't name is there: slurmd 23 amd64"));
	assert_non_null(strstr(text, "the package manager's database is not the one"));
	assert_non_null(strstr(text, "a kernel's modules it doesn't name is there: 6.1.0-11"));
	image_put(t, &BAKED_MANIFEST[1], "{\"schema\": 2}");
	assert_non_null(strstr(verify(t, 1), "fault manifest: its schema is 2, expected 1"));
	image_put(t, &BAKED_MANIFEST[1], "{\"a\": 2}");
	assert_non_null(strstr(verify(t, 1), "its schema is missing, expected 1"));
	image_put(t, &BAKED_MANIFEST[1], "{");
	assert_non_null(strstr(verify(t, 1), "fault manifest: " BAKED_MANIFEST));
}

/* Of one kind ten are told, and how many more. */
static void test_many_faults(void **state)
{
	struct image *t = *state;
	char name[64];

	fill(t);
	write_manifest(t);
	for (int i = 10; i < 20; i++) {
		snprintf(name, sizeof name, "lib/modules/7.%d/x", i);
		image_put(t, name, "x");
	}
	assert_null(strstr(verify(t, 10), "more"));
	image_put(t, "lib/modules/8.0/x", "x");
	image_put(t, "lib/modules/8.1/x", "x");
	assert_non_null(strstr(verify(t, 11), "is there: 2 more"));
}

/* ---- what may be there ---- */

static const char *verify_by(struct image *t, const struct hygiene_intent *intent, size_t faults)
{
	struct told told = {.text = STRBUF(t->a, 1 << 20)};
	struct inspect_space space = INSPECT_SPACE_INIT("/nowhere");
	struct inspect i;
	struct err e;

	assert_ok(inspect_open(t->path, &space, "x", UINT64_MAX, &i, &e));
	struct verify v = {.image = &i,
	                   .intent = intent,
	                   .deadline = UINT64_MAX,
	                   .arena = t->a,
	                   .tell = tell,
	                   .ctx = &told};
	assert_ok(verify_all(&v, &e));
	inspect_close(&i);
	assert_int_equal(v.faults, faults);
	return told.text.data;
}

static void test_what_the_recipe_allows(void **state)
{
	static const struct hygiene_allow rows[] = {
	        {"aws-keys", "/opt/a", "an example", false},
	        {"enabled-units", "x.service", "of the recipe", true},
	        {"tokens", "/none", "no need", false},
	        {"tokens", "/gone", "no need", true},
	};
	const struct hygiene_intent intent = {.n = ARRAY_LEN(rows), .allow = rows};
	struct image *t = *state;

	fill(t);
	image_put(t, "opt/a", "AKIAQ7ZX2M4K9P3R5T6W");
	image_link(t, "etc/systemd/system/a.wants/x.service", "x");
	assert_string_equal(verify_by(t, &intent, 0),
	                    "note hygiene: aws-keys: '/opt/a' at byte 0 is allowed: an example\n"
	                    "note hygiene: the recipe allows what is not there: tokens: '/none'\n"
	                    "ok hygiene: nothing that no image may have\n"
	                    "note manifest: the image has none\n");
	/* Without a recipe both count. */
	assert_non_null(strstr(verify_by(t, NULL, 2), "fault hygiene: enabled-units: "));
}

/* An image's own manifest excuses nothing; its reasons are told. */
static void test_what_the_manifest_says(void **state)
{
	static const char *const others[] = {
	        "{\"hygiene\":{\"allowed\":[{\"rule\":\"aws-keys\",\"path\":\"\",\"reason\":\"r\"}]}}",
	        "{\"hygiene\":{\"allowed\":[{\"path\":\"/opt/a[1]*\",\"reason\":\"r\"}]}}",
	        "{\"hygiene\":{\"allowed\":[{\"rule\":\"aws-keys\",\"reason\":\"r\"}]}}",
	        "{\"hygiene\":{\"allowed\":[{\"rule\":\"aws-keys\",\"path\":\"/opt/a[1]*\"}]}}",
	        "{\"hygiene\":{\"allowed\":{}}}",
	        "{\"hygiene\":[]}",
	        "{",
	};
	struct image *t = *state;

	fill(t);
	image_put(t, "opt/a[1]*", "AKIAQ7ZX2M4K9P3R5T6W");
	image_put(t, "opt/a1x", "AKIAQ7ZX2M4K9P3R5T6W");
	image_put(
	        t, &BAKED_MANIFEST[1],
	        "{\"hygiene\":{\"allowed\":[{\"rule\":\"tokens\",\"path\":\"/x\",\"reason\":\"q\"},"
	        "{\"rule\":\"aws-keys\",\"path\":\"/opt/a[1]*\",\"reason\":\"an example\"}]}}");
	const char *told = verify_by(t, NULL, 3);
	const char *excuse = strstr(told, "; its manifest says why it is there: an example\n");
	assert_non_null(excuse);
	if (strstr(excuse + 1, "; its manifest says why"))
		fail_msg("%s", told);
	assert_true(strstr(told, "/opt/a1x") < strstr(told, "/opt/a[1]*") &&
	            strstr(told, "/opt/a[1]*") < excuse);
	assert_null(strstr(told, "nothing that no image may have"));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		image_put(t, &BAKED_MANIFEST[1], others[i]);
		assert_null(strstr(verify_by(t, NULL, 3), "its manifest says why"));
	}
}

/* A row without all its values, and one that is none. */
static void test_a_damaged_manifest(void **state)
{
	struct image *t = *state;

	fill(t);
	image_put(t, &BAKED_MANIFEST[1],
	          "{\"schema\":1,\"kernels\":[\"6.1.0-9\",[],\"6.1.0-10\"],\"packages\":[{},"
	          "{\"name\":\"slurmd\",\"version\":\"22.05.8-4+b1\",\"arch\":\"amd64\"},"
	          "\"base-files 12.4 all\"]}");
	assert_string_equal(verify(t, 2),
	                    "ok hygiene: nothing that no image may have\n"
	                    "fault manifest: a package it names is not there: ? ? ?\n"
	                    "fault manifest: a kernel's modules it names is not there: \n");
	image_put(t, &BAKED_MANIFEST[1], "{\"schema\":1,\"kernels\":{},\"packages\":7}");
	assert_non_null(strstr(verify(t, 4), "it doesn't name is there: base-files 12.4 all\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, image_setup, image_teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_the_manifest),
	        TEST(test_the_sbom),
	        TEST(test_verify),
	        TEST(test_what_does_not_fit),
	        TEST(test_many_faults),
	        TEST(test_what_the_recipe_allows),
	        TEST(test_what_the_manifest_says),
	        TEST(test_a_damaged_manifest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
