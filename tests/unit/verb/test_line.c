/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: which options and operands each verb takes, and its help. */
#include "verb_test.h"

static void wrong_lines_end_with_2(void **state)
{
	(void)state;
	assert_refused(2, "verb is missing", NULL);
	assert_refused(2, "did you mean 'check'", "chekc");
	assert_refused(2, "takes FILE", "check");
	assert_refused(2, "takes RECIPE", "plan", "a", "b");
	assert_refused(2, "does not take", "check", "--store", "x", "a");
	assert_refused(2, "one of uefi, bios", "test", "--firmware", "x", "a");
	assert_refused(2, "neither list nor prune", "cache", "clear");
	assert_refused(2, "expected --name NAME", "publish", "disk");
	assert_refused(2, "expected ami-...", "share", "snap-1", "111122223333");
}

/* A letter that no keyboard has would be one by mistake. */
static void help_is_plain_text(void **state)
{
	(void)state;
	for (const struct command_verb *v = image_program.command.verbs; v->name; v++) {
		assert_runs(v->name, "--help");
		assert_has(said(), v->name);
		assert_has(said(), "-q, --quiet");
		for (const char *p = said(); *p; p++)
			assert_true(*p == '\n' || (unsigned char)*p >= ' ');
	}
}

/* What a verb of that name takes, without what all take. */
static void each_verb_takes_its_options(void **state)
{
	static const char *const rows[][2] = {
	        {"check", "set json"},
	        {"plan", "set store unlocked json"},
	        {"provision", "set root clean incomplete deadline json"},
	        {"schema", ""},
	        {"publish",
	         "deadline name description arch boot uefi-data tpm parent encrypt kms-key tag share copy alias deprecate connections state region json"},
	        {"resume", "deadline share copy alias deprecate connections state region json"},
	        {"gc", "deadline state region dry-run json"},
	        {"copy", "deadline name encrypt region"},
	        {"share", "deadline region"},
	        {"deprecate", "deadline region"},
	        {"deregister", "deadline region"},
	        {"alias", "deadline region"},
	        {"build",
	         "set deadline name description uefi-data tpm parent encrypt kms-key tag share copy alias deprecate connections state region output format compress store unlocked snapshot json"},
	        {"lock", "set store fetch update snapshot json"},
	        {"test", "deadline firmware json"},
	        {"verify", "set store recipe json"},
	        {"diff", "store json"},
	        {"shell", "set store unlocked failed"},
	        {"cache", "store keep json"},
	        {"version", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct command_verb *v = image_program.command.verbs;
		struct strbuf b = STRBUF(arena, 4096);

		while (v->name && !str_eq(v->name, rows[i][0]))
			v++;
		for (const struct command_option *o = option_table; o->name; o++)
			if ((o->verbs & v->bit) && !str_eq(o->name, "quiet") &&
			    !str_eq(o->name, "verbose"))
				strbuf_printf(&b, "%s%s", b.len ? " " : "", o->name);
		assert_string_equal(b.data ? b.data : "", rows[i][1]);
	}
	/* Some also by a letter. */
	put("r.yaml", "image: {name: unit}\n");
	assert_refused(2, "--tag: expected --format ami", "build", at("r.yaml"), "-t", "a=b");
	assert_refused(2, "--name: expected --format ami", "build", at("r.yaml"), "-n", "abc");
	assert_refused(2, "one of x86_64, arm64", "publish", "disk", "--arch", "x");
	assert_refused(2, "one of uefi-preferred, uefi, legacy-bios", "publish", "disk", "--boot",
	               "x");
}

static void each_verb_takes_its_operands(void **state)
{
	static const struct {
		const char *verb;
		int least, most;
	} rows[] = {
	        {"check", 1, 4096}, {"plan", 1, 1},      {"provision", 1, 1},   {"schema", 0, 0},
	        {"publish", 1, 1},  {"resume", 1, 1},    {"gc", 0, 0},          {"copy", 2, 2},
	        {"share", 2, 64},   {"deprecate", 2, 2}, {"deregister", 1, 64}, {"alias", 2, 2},
	        {"build", 1, 1},    {"lock", 1, 1024},   {"test", 1, 1},        {"verify", 1, 1},
	        {"diff", 2, 2},     {"shell", 1, 4096},  {"cache", 1, 1},       {"version", 0, 0},
	};
	const char **words = arena_array(arena, 4096 + 4, sizeof *words);

	(void)state;
	words[0] = "hpc-imagebuild";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		words[1] = rows[i].verb;
		for (int n = 0; n <= rows[i].most; n++)
			words[2 + n] = "x";
		words[3 + rows[i].most] = NULL;
		assert_int_equal(run_words(words), 2);
		assert_has(complained(), arena_printf(arena, "%s takes ", rows[i].verb));
		if (!rows[i].least)
			continue;
		words[2 + rows[i].least - 1] = NULL;
		assert_int_equal(run_words(words), 2);
		assert_has(complained(), arena_printf(arena, "%s takes ", rows[i].verb));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        VERB_TEST(wrong_lines_end_with_2),
	        VERB_TEST(help_is_plain_text),
	        VERB_TEST(each_verb_takes_its_options),
	        VERB_TEST(each_verb_takes_its_operands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
