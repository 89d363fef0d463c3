/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of instance types: the one beside this program must be there, the machine's may. */
#include "machine.h"

#include "model/instance_file.h"

#define HEADER                                                                                     \
	"type\tarch\tvcpus\tcores\tthreads\tmem_mib\tgpu_maker\tgpu_model\tgpus\tefa_ifs\tcards\t" \
	"nvme_n\tnvme_gb\n"
#define ROW(type, vcpus) type "\tx86_64\t" vcpus "\t" vcpus "\t1\t4096\t-\t-\t0\t0\t1\t0\t0\n"

static struct instance_table types;

/* /etc is the test's own. */
static void put_table(const char *text)
{
	(void)mkdir("/etc/hpc-node", 0755);
	scope_fd int fd = open("/etc/hpc-node/instance-types.tsv",
	                       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

static void what_is_shipped_is_enough(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(instance_file_read(INSTANCE_FILE_AGENT, arena, &types, &e));
	assert_true(types.n > 100);
	assert_int_equal(instance_find(&types, "a1.large")->vcpus, 2);
	assert_null(instance_find(&types, "own.large"));
}

static void the_machines_table_adds_and_replaces(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(instance_file_read(INSTANCE_FILE_AGENT, arena, &types, &e));
	size_t shipped = types.n;
	put_table(HEADER ROW("a1.large", "7") ROW("own.large", "9"));
	assert_ok(instance_file_read(INSTANCE_FILE_AGENT, arena, &types, &e));
	assert_int_equal(types.n, shipped + 1);
	assert_int_equal(instance_find(&types, "a1.large")->vcpus, 7);
	assert_int_equal(instance_find(&types, "own.large")->vcpus, 9);
	put_table(HEADER "own.large\n");
	types.n = 0;
	assert_err(instance_file_read(INSTANCE_FILE_AGENT, arena, &types, &e), ERR_INPUT,
	           "/etc/hpc-node/instance-types.tsv:2:");
	assert_int_equal(types.n, 0); /* untouched */
}

static void without_the_shipped_one_it_fails(void **state)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	(void)state;
	unit_need_root();
	assert_true(n > 0);
	self[n] = '\0';
	for (int up = 0; up < 2; up++)
		*strrchr(self, '/') = '\0';
	const char *share = arena_printf(arena, "%s/share/hpc-node", self);
	assert_int_equal(mount("none", share, "tmpfs", 0, "size=64k"), 0);
	int r = instance_file_read(INSTANCE_FILE_AGENT, arena, &types, &e);
	assert_int_equal(umount2(share, MNT_DETACH), 0);
	assert_int_equal(r, -ENOENT);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.text, arena_printf(arena, "%s/instance-types.tsv", share)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        MACHINE_TEST(what_is_shipped_is_enough),
	        MACHINE_TEST(the_machines_table_adds_and_replaces),
	        MACHINE_TEST(without_the_shipped_one_it_fails),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
