/* SPDX-License-Identifier: Apache-2.0 */
/* schema: what editors are told of a recipe, one shape of key after the other. */
#include "verb_test.h"

static const struct doc *property(const struct doc *d, const char *name)
{
	const struct doc *p = doc_get(doc_get(d, "properties"), name);

	if (!p)
		fail_msg("no property '%s'", name);
	return p;
}

static bool lists(const struct doc *list, const char *word)
{
	for (size_t i = 0; list && i < list->n; i++)
		if (str_eq(list->items[i]->text, word))
			return true;
	return false;
}

static void the_schema_is_of_the_tables(void **state)
{
	(void)state;
	assert_runs("schema");
	const struct doc *d = said_json();
	assert_string_equal(doc_text(d, "type"), "object");
	assert_string_equal(doc_text(d, "additionalProperties"), "false");
	const struct doc *image = property(d, "image");
	assert_string_equal(doc_text(image, "additionalProperties"), "false");
	assert_true(lists(doc_get(image, "required"), "name"));
	assert_false(lists(doc_get(image, "required"), "from"));
	assert_non_null(doc_text(image, "description"));
	const struct doc *name = property(image, "name");
	assert_true(lists(doc_get(name, "type"), "string") &&
	            lists(doc_get(name, "type"), "number"));
	assert_non_null(doc_text(name, "maxLength"));
	assert_true(lists(doc_get(property(image, "arch"), "enum"), "arm64"));
	const struct doc *size = property(property(image, "disk"), "size");
	assert_false(lists(doc_get(size, "type"), "boolean"));
	assert_true(lists(doc_get(size, "type"), "number"));

	/* One of each shape: a list of maps, scalars by name, a scalar or a map. */
	const struct doc *files = property(d, "files");
	assert_string_equal(doc_text(files, "type"), "array");
	assert_true(lists(doc_get(doc_get(files, "items"), "required"), "path"));
	assert_true(lists(doc_get(property(doc_get(files, "items"), "optional"), "enum"), "yes"));
	assert_non_null(doc_text(property(doc_get(files, "items"), "mode"), "description"));
	assert_non_null(doc_get(property(d, "sysctl"), "additionalProperties"));
	const struct doc *packages = doc_get(property(d, "packages"), "anyOf");
	assert_int_equal(packages->n, 2);
	assert_int_equal(doc_get(packages->items[0], "anyOf")->n, 2);
	assert_string_equal(doc_text(packages->items[1], "type"), "object");
	const struct doc *components = property(d, "components");
	assert_int_equal(doc_get(doc_get(components, "items"), "anyOf")->n, 2);
	assert_string_equal(doc_text(property(d, "tests"), "type"), "array");
	assert_non_null(doc_get(property(d, "include"), "anyOf"));
	/* What only a node has is no part of a recipe. */
	assert_null(doc_get(doc_get(d, "properties"), "hostname"));
	assert_null(doc_get(doc_get(d, "properties"), "munge"));
}

#define TEXT   "\"type\":[\"string\",\"number\",\"boolean\"]"
#define NUMBER "\"type\":[\"string\",\"number\"]"
#define MATCH  "\"match\":{\"$ref\":\"#/properties/when/items/properties/match\"}"
#define NAMED                                                                                      \
	"{" OBJECT "\"required\":[\"name\",\"match\"],\"properties\":{\"name\":{" TEXT "}," MATCH  \
	"}}"
#define ONE_OR_ALL                                                                                 \
	"\"anyOf\":[{" TEXT "},{\"type\":\"array\",\"items\":{\"anyOf\":[{" TEXT "}," NAMED "]}}]"
#define TRUTH  "\"enum\":[true,false,\"yes\",\"no\",\"on\",\"off\",\"true\",\"false\"]"
#define OBJECT "\"type\":\"object\",\"additionalProperties\":false,"

static void each_shape_of_a_key_has_its_type(void **state)
{
	(void)state;
	assert_runs("schema");
	assert_true(str_starts(said(), "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
	                               "\"title\":\"Recipe of hpc-imagebuild\",\"type\":"
	                               "\"object\",\"additionalProperties\":false,"
	                               "\"properties\":{\"image\":{"));
	assert_has(said(),
	           ",\"include\":{\"description\":\"recipes that lie under this one\"," ONE_OR_ALL
	           "},\"copy\":{\"description\":\"files of the building machine\",\"type\":"
	           "\"array\",\"items\":{" OBJECT
	           "\"required\":[\"from\",\"to\"],\"properties\":{\"from\":{");
	/* Values by name, and a section that may be a list of names. */
	assert_has(said(), ",\"sysctl\":{\"description\":\"kernel settings, now and at the next "
	                   "boot\",\"type\":\"object\",\"additionalProperties\":{" TEXT "}},");
	assert_has(said(), ",\"packages\":{\"description\":\"distribution packages that are "
	                   "installed\",\"anyOf\":[{" ONE_OR_ALL "},{" OBJECT
	                   "\"required\":[\"names\"],\"properties\":{\"names\":{");
	/* A list of maps, whose keys have limits, and those of each step behind them. */
	assert_has(said(), ",\"users\":{\"description\":\"local users with their groups\",\"type\":"
	                   "\"array\",\"items\":{" OBJECT
	                   "\"required\":[\"name\"],\"properties\":{\"name\":{\"description\":"
	                   "\"login name\"," TEXT
	                   "},\"uid\":{\"description\":\"user id; the same on every node "
	                   "(default: the next free one)\"," NUMBER ",\"maximum\":4294967293},");
	assert_has(said(), ",\"optional\":{\"description\":\"its failure degrades the node, it "
	                   "doesn't fail the run\"," TRUTH "}");
	assert_has(said(),
	           "\"components\":{\"description\":\"AWS Image Builder component documents\","
	           "\"type\":\"array\",\"items\":{\"anyOf\":[{" TEXT "},{" OBJECT
	           "\"required\":[\"file\"],\"properties\":{\"file\":{" TEXT
	           ",\"minLength\":1},\"parameters\":{\"type\":\"object\","
	           "\"additionalProperties\":{" TEXT "}}," MATCH "}}]}},");
	/* A map in a map, whose keys are all optional. */
	assert_has(said(),
	           "\"run\":{\"description\":\"program and arguments; no shell reads "
	           "them\",\"anyOf\":[{" TEXT
	           "},{\"type\":\"array\",\"minItems\":1,\"maxItems\":256,\"items\":{" TEXT
	           "}}]},\"expect\":{\"description\":\"what it shall come to\"," OBJECT
	           "\"properties\":{\"status\":{\"description\":\"its exit status (default: "
	           "0); 127 when it isn't there\"," NUMBER ",\"maximum\":255},");
	assert_has(said(),
	           "\"reason\":{\"description\":\"why, for those who look at the image; the "
	           "manifest shows it\"," TEXT ",\"minLength\":1,\"maxLength\":300}," MATCH "}}},"
	           "\"when\":{\"description\":\"parts that are for some distributions or "
	           "architectures\",\"type\":\"array\",\"items\":{" OBJECT
	           "\"required\":[\"match\"],\"properties\":{\"match\":{\"description\":"
	           "\"the images that the part is for\"," OBJECT "\"properties\":{");
	/* A part has its keys as the recipe has them. */
	assert_has(said(),
	           "}}},\"include\":{\"$ref\":\"#/properties/include\"},\"copy\":{\"$ref\":");
	assert_has(said(), ",\"units\":{\"$ref\":\"#/properties/units\"},");
	assert_true(str_ends(said(), "\"}}}}}}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        VERB_TEST(the_schema_is_of_the_tables),
	        VERB_TEST(each_shape_of_a_key_has_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
