/* SPDX-License-Identifier: Apache-2.0 */
/* Which entries of binfmt_misc make another architecture's programs run. */
#include "bases_test.h"

#include "bases/emulation.h"
#include "document/arch.h"

#define MAGIC    "magic 7f454c460201010000000000000000000200b700\n"
#define MASK     "mask ffffffffffffff00fffffffffffffffffeffffff\n"
#define BEFORE   "enabled\ninterpreter /usr/bin/q\nflags: "
#define ENTRY(f) BEFORE f "\noffset 0\n" MAGIC MASK

static const char *other(void)
{
	return str_eq(arch_native(), "arm64") ? "x86_64" : "arm64";
}

static int check(const char *entry)
{
	char text[512];

	(void)mkdir(at("binfmt"), 0755);
	snprintf(text, sizeof text, "%s", entry);
	char *machine = strstr(text, "b700\n");
	if (machine && str_eq(other(), "x86_64"))
		memcpy(machine, "3e00", 4);
	put("binfmt/entry", text);
	return emulation_check("r.yaml", other(), at("binfmt"), &e);
}

static void its_own_programs_need_none(void **state)
{
	(void)state;
	assert_ok(emulation_check("r.yaml", arch_native(), "/none", &e));
}

static void an_entry_with_its_emulator_open_will_do(void **state)
{
	(void)state;
	assert_ok(check(ENTRY("POF")));
	assert_ok(check(ENTRY("F")));
	/* An entry without a mask compares all; ET_DYN is what programs are today. */
	assert_ok(check(BEFORE "F\noffset 0\nmagic 7f454c460201010000000000000000000300b700\n"));
}

static void what_does_not_run_them_is_refused(void **state)
{
	static const char *const entries[] = {
	        ENTRY("PO"),
	        "disabled\ninterpreter /usr/bin/q\nflags: F\noffset 0\n" MAGIC MASK,
	        BEFORE "F\noffset 1\n" MAGIC MASK,
	        BEFORE "F\n" MAGIC MASK,
	        BEFORE "F\noffset 0\n",
	        BEFORE "F\noffset 0\nmagic 7f454c4602010100000000000000000002002800\n" MASK,
	        BEFORE "F\noffset 0\nmagic 7f454c460201010000000000000000000200b700\n",
	        BEFORE "F\noffset 0\n" MAGIC "mask ffff\n",
	        BEFORE "F\noffset 0\nextension .x\n",
	        "",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		assert_err(check(entries[i]), ERR_HOST,
		           arena_printf(arena,
		                        "r.yaml: the image is for %s, whose programs this %s "
		                        "machine can't run: install qemu-user-static",
		                        other(), arch_native()));
		assert_int_equal(e.reason, REASON_HOST_EXEC);
	}
	assert_err(emulation_check("r.yaml", other(), "/none", &e), ERR_HOST, "install");
	assert_err(emulation_check("r.yaml", "riscv64", at("binfmt"), &e), ERR_HOST, "for riscv64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(its_own_programs_need_none),
	        SCRATCH_TEST(an_entry_with_its_emulator_open_will_do),
	        SCRATCH_TEST(what_does_not_run_them_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
