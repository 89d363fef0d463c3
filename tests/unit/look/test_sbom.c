/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest and the SPDX document to the last byte, of images by dpkg and by rpm. */
#include "machine.h"

#include "data/jsonw.h"
#include "kinds/baked.h"
#include "look/manifest.h"
#include "store/ident.h"

static const struct manifest given = {.name = "node",
                                      .version = "1.2.3",
                                      .arch = "x86_64",
                                      .recipe = "aa",
                                      .lock = "cc",
                                      .tree = "bb",
                                      .epoch = 1000000000};

static void put_dpkg(void)
{
	put("tree/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
	put("tree/var/lib/dpkg/status",
	    "Package: libx++1\nStatus: install ok installed\nArchitecture: amd64\n"
	    "Source: x (1.0-1)\nVersion: 1:1.0~rc+b1\nMaintainer: A B <a@example.org>\n\n"
	    "Package: a.b\nStatus: install ok installed\nArchitecture: all\nVersion: 2\n\n");
}

static void put_rpm(void)
{
	put("tree/etc/os-release", "ID=\"rocky\"\nVERSION_ID=\"9.4\"\n");
	put("tree/var/lib/rpm/rpmdb.sqlite", "a database");
	put_program("rpm", "cat <<'END'\n"
	                   "tool\t2:1.0-1.el9\tx86_64\ttools-1.1-2.src.rpm\tSomebody\t100\n"
	                   "Lib_x\t1-1\tnoarch\tx.src.rpm\t(none)\t200\nEND\n");
}

static const char *manifest(const struct manifest *m)
{
	struct host *h;

	put("tree/usr/lib/hpc-node/x", "x");
	assert_ok(host_open(at("tree"), HOST_LIVE, &h, &e));
	assert_ok(manifest_write(h, m, &e));
	host_close(h);
	return get("tree" BAKED_MANIFEST);
}

static const char *sbom(const char *sha256)
{
	scope_fd int root = open(at("tree"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	assert_ok(sbom_write(at("sbom"), root, &given, sha256, &e));
	assert_int_equal(stat(at("sbom"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	return get("sbom");
}

static const char *sum_of(const char *path)
{
	char hex[SHA256_HEX];

	assert_ok(file_sha256(AT_FDCWD, at(path), hex, &e));
	return arena_strdup(arena, hex);
}

#define IMAGE                                                                                      \
	"{\"schema\":1,\"image\":{\"name\":\"node\",\"version\":\"1.2.3\",\"arch\":\"x86_64\","    \
	"\"date\":\"2001-09-09T01:46:40Z\",\"recipe-sha256\":\"aa\",\"lock-sha256\":\"cc\","       \
	"\"layers\":\"bb\"},\"built-by\":\"hpc-imagebuild " HPC_VERSION "\","

static void a_manifest_has_all_of_it(void **state)
{
	(void)state;
	unit_need_root();
	put_dpkg();
	put("tree/lib/modules/6.1/x", "x");
	assert_string_equal(
	        manifest(&given),
	        arena_printf(arena,
	                     IMAGE "\"distribution\":\"debian\",\"release\":\"12\",\"slurm\":null,"
	                           "\"kernels\":[\"6.1\"],\"package-database\":\"dpkg\","
	                           "\"package-database-sha256\":\"%s\",\"packages\":["
	                           "{\"name\":\"a.b\",\"version\":\"2\",\"arch\":\"all\","
	                           "\"source\":\"a.b\"},{\"name\":\"libx++1\",\"version\":"
	                           "\"1:1.0~rc+b1\",\"arch\":\"amd64\",\"source\":\"x\"}],"
	                           "\"hygiene\":null}\n",
	                     sum_of("tree/var/lib/dpkg/status")));
	struct stat st;
	assert_int_equal(stat(at("tree" BAKED_MANIFEST), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void an_empty_tree_has_a_manifest(void **state)
{
	static const struct hygiene_report none;
	struct manifest m = given;

	(void)state;
	unit_need_root();
	m.lock = NULL;
	m.hygiene = &none;
	assert_string_equal(
	        manifest(&m),
	        "{\"schema\":1,\"image\":{\"name\":\"node\",\"version\":\"1.2.3\",\"arch\":"
	        "\"x86_64\",\"date\":\"2001-09-09T01:46:40Z\",\"recipe-sha256\":\"aa\","
	        "\"lock-sha256\":null,\"layers\":\"bb\"},\"built-by\":\"hpc-imagebuild " HPC_VERSION
	        "\",\"distribution\":null,\"release\":null,\"slurm\":null,\"kernels\":[],"
	        "\"package-database\":null,\"package-database-sha256\":null,\"packages\":[],"
	        "\"hygiene\":{\"cleaned\":[],\"allowed\":[]}}\n");
}

/* The first of the packages that are it, however it is called. */
static void slurm_has_many_names(void **state)
{
	static const char *const names[] = {"slurmctld", "slurm-client", "slurm-smd-slurmd",
	                                    "slurm-slurmd", "slurmd"};
	const char *status = "";

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		status = arena_printf(arena,
		                      "%sPackage: %s\nStatus: install ok installed\n"
		                      "Architecture: all\nVersion: 2%zu\n\n",
		                      status, names[i], i);
		put("tree/var/lib/dpkg/status", status);
		if (!strstr(manifest(&given), arena_printf(arena, "\"slurm\":\"2%zu\"", i)))
			fail_msg("%s: %s", names[i], manifest(&given));
	}
}

#define UNKNOWN                                                                                    \
	"\"downloadLocation\":\"NOASSERTION\",\"filesAnalyzed\":false,\"licenseConcluded\":"       \
	"\"NOASSERTION\",\"licenseDeclared\":\"NOASSERTION\",\"copyrightText\":\"NOASSERTION\""
#define PACKAGE(id, name, version, supplier, source, purl)                                         \
	"{\"SPDXID\":\"SPDXRef-Package-" id "\",\"name\":\"" name "\",\"versionInfo\":\"" version  \
	"\",\"supplier\":\"" supplier "\",\"sourceInfo\":\"built from " source "\"," UNKNOWN       \
	",\"externalRefs\":[{\"referenceCategory\":\"PACKAGE-MANAGER\",\"referenceType\":"         \
	"\"purl\",\"referenceLocator\":\"" purl "\"}]}"
#define RELATION(from, type, to)                                                                   \
	"{\"spdxElementId\":\"" from "\",\"relationshipType\":\"" type                             \
	"\",\"relatedSpdxElement\":\"" to "\"}"
#define HEAD                                                                                       \
	"{\"spdxVersion\":\"SPDX-2.3\",\"dataLicense\":\"CC0-1.0\",\"SPDXID\":"                    \
	"\"SPDXRef-DOCUMENT\",\"name\":\"node-1.2.3\",\"documentNamespace\":\"urn:uuid:%s\","      \
	"\"creationInfo\":{\"created\":\"2001-09-09T01:46:40Z\",\"creators\":[\"Tool: "            \
	"hpc-imagebuild-" HPC_VERSION "\"]},\"packages\":[{\"SPDXID\":\"SPDXRef-image\","          \
	"\"name\":\"node\",\"versionInfo\":\"1.2.3\",\"primaryPackagePurpose\":"                   \
	"\"OPERATING-SYSTEM\"," UNKNOWN
#define DESCRIBES    RELATION("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image")
#define CONTAINS(id) "," RELATION("SPDXRef-image", "CONTAINS", "SPDXRef-Package-" id)

static void a_document_has_all_of_it(void **state)
{
	char uuid[IDENT_UUID], other[IDENT_UUID];

	(void)state;
	unit_need_root();
	put_dpkg();
	ident_uuid("aa", "dd", uuid);
	assert_string_equal(
	        sbom("dd"),
	        arena_printf(
	                arena,
	                HEAD
	                ",\"checksums\":[{\"algorithm\":\"SHA256\",\"checksumValue\":\"dd\"}]}," PACKAGE(
	                        "a.b-all", "a.b", "2", "NOASSERTION", "a.b 2",
	                        "pkg:deb/debian/a.b@2?arch=all&distro=debian-12") "," PACKAGE("libx.2B.2B1-amd64",
	                                                                                      "libx++1",
	                                                                                      "1:1.0~rc+b1",
	                                                                                      "Organization: A B <a@example.org>",
	                                                                                      "x 1.0-1",
	                                                                                      "pkg:deb/debian/libx%%2B%%2B1@1%%3A1.0~rc%%2Bb1?arch=amd64&distro="
	                                                                                      "debian-12") "],\"relationships\":[" DESCRIBES
	                        CONTAINS("a.b-all") CONTAINS("libx.2B.2B1-amd64") "]}\n",
	                uuid));
	/* Without a checksum it is another document. */
	ident_uuid("aa", "sbom", other);
	assert_true(str_starts(sbom(NULL), arena_printf(arena, HEAD "},{", other)));
}

static void a_document_of_rpm_packages(void **state)
{
	char uuid[IDENT_UUID];

	(void)state;
	unit_need_root();
	put_rpm();
	ident_uuid("aa", "dd", uuid);
	const char *text = sbom("dd");
	assert_true(str_ends(
	        text,
	        PACKAGE("tool-x86_64", "tool", "2:1.0-1.el9", "Organization: Somebody",
	                "tools 1.1-2",
	                "pkg:rpm/rocky/tool@1.0-1.el9?arch=x86_64&epoch=2&distro=rocky-9.4") "],\"relationships\":[" DESCRIBES
	                CONTAINS(".4Cib.5Fx-noarch") CONTAINS("tool-x86_64") "]}\n"));
	assert_non_null(
	        strstr(text, PACKAGE(".4Cib.5Fx-noarch", "Lib_x", "1-1", "NOASSERTION", "Lib_x 1-1",
	                             "pkg:rpm/rocky/Lib_x@1-1?arch=noarch&distro=rocky-9.4")));
	/* What no file tells is the kind's own name. */
	assert_int_equal(unlink(at("tree/etc/os-release")), 0);
	assert_non_null(strstr(sbom("dd"), "\"pkg:rpm/rpm/Lib_x@1-1?arch=noarch\""));
	assert_int_equal(unlink(at("tree/var/lib/rpm/rpmdb.sqlite")), 0);
	put_dpkg();
	assert_int_equal(unlink(at("tree/etc/os-release")), 0);
	assert_non_null(strstr(sbom("dd"), "\"pkg:deb/debian/a.b@2?arch=all\""));
	put_program("rpm", "exit 1\n");
	assert_int_equal(unlink(at("tree/var/lib/dpkg/status")), 0);
	put_rpm();
	put_program("rpm", "exit 1\n");
	scope_fd int root = open(at("tree"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put("sbom", "was");
	assert_err(sbom_write(at("sbom"), root, &given, "dd", &e), ERR_HOST, "rpm");
	assert_string_equal(get("sbom"), "was");
	struct host *h;
	assert_ok(host_open(at("tree"), HOST_LIVE, &h, &e));
	assert_err(manifest_write(h, &given, &e), ERR_HOST, "rpm");
	host_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        MACHINE_TEST(a_manifest_has_all_of_it),
	        MACHINE_TEST(an_empty_tree_has_a_manifest),
	        MACHINE_TEST(slurm_has_many_names),
	        MACHINE_TEST(a_document_has_all_of_it),
	        MACHINE_TEST(a_document_of_rpm_packages),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
