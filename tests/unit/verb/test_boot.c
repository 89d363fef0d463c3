/* SPDX-License-Identifier: Apache-2.0 */
/* test: what QEMU is started with, which lines of the console end it, and what they mean. */
#include "machine.h"
#include "verb_test.h"

#define LOGIN "echo '[  OK  ] Started serial-getty@ttyS0.service'\n"
#define TARGET                                                                                     \
	"printf '\\033[0;32mReached target\\033[0m \\001multi-user.target - Multi-User System\\r\\n'\n"

static int begin(void **state)
{
	machine_set_up(state);
	return 0;
}

/* A disk with the partition table of BIOS. */
static void put_disk(const char *name)
{
	char sector[512] = {0};

	sector[446 + 16 + 4] = (char)0x83;
	sector[510] = 0x55;
	sector[511] = (char)0xaa;
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(file_write_all(fd, sector, sizeof sector), 0);
}

#define qemu(script) put_program("qemu-system-x86_64", script)
#define boot(...)    run("test", at("disk.raw"), "--firmware", "bios", __VA_ARGS__)

static void a_login_ends_it(void **state)
{
	(void)state;
	unit_need_root();
	put_disk("disk.raw");
	qemu("echo booting\n" LOGIN);
	assert_int_equal(boot("-v"), 0);
	assert_has(said(),
	           arena_printf(arena, "'%s' starts by BIOS: login after ", at("disk.raw")));
	const char *args = calls_of("qemu-system-x86_64");
	assert_has(args, "-nodefaults -no-user-config -display none -no-reboot -serial stdio ");
	assert_has(args, " -monitor unix:/tmp/hpc-imagebuild-");
	assert_has(args, arena_printf(arena,
	                              "-drive if=none,id=d0,snapshot=on,cache=unsafe,format=raw,"
	                              "file=%s -machine pc\n",
	                              at("disk.raw")));
	qemu(TARGET);
	assert_int_equal(boot("-q"), 0);
	assert_string_equal(said(), "");
	/* Without "OK" it only began. */
	qemu("echo '         Started serial-getty@ttyS0.service'\n");
	assert_int_equal(boot("-q"), 1);
	qemu("echo '[  OK  ] Reached target cloud'\n");
	assert_int_equal(boot("-q"), 1);
}

static void what_fails_is_told(void **state)
{
	(void)state;
	unit_need_root();
	put_disk("disk.raw");
	qemu("echo '[FAILED] Failed to start x.service'\necho '[FAILED] Failed to start y.service'\n" LOGIN);
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), "disk.raw': 2 failed: [FAILED] Failed to start x.service");
	assert_has(complained(), "  [  OK  ] Started serial-getty@ttyS0.service\n");
	qemu("echo '[FAILED] Failed to start hpc-agent.service'\n" LOGIN);
	assert_int_equal(boot("-q"), 0);
	qemu("echo 'Kernel panic - not syncing'\n");
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), "1 failed: Kernel panic");
	qemu("echo 'Entering emergency mode'\n" LOGIN);
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), "1 failed: Entering emergency mode");
	qemu("for i in $(seq 40); do echo \"line $i.\"; done\n");
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), "it ended before it offered a login");
	assert_has(complained(), "  line 11.\n");
	assert_has(complained(), "  line 40.\n");
	assert_null(strstr(complained(), "  line 10.\n"));
	qemu("echo out of memory >&2\nexit 3\n");
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), "out of memory");
	qemu("sleep 100\n");
	assert_int_equal(boot("--deadline", "1s"), 7);
	assert_has(complained(), "no login by the deadline");
}

static void other_disks_are_started_otherwise(void **state)
{
	(void)state;
	unit_need_root();
	put("a,b.qcow2", "QFI\xfb and more");
	assert_int_equal(mount("none", "/usr/share", "tmpfs", 0, NULL), 0);
	qemu(LOGIN);
	assert_int_equal(run("test", at("a,b.qcow2"), "-q"), 1);
	assert_has(complained(), "no UEFI firmware here: install ovmf");
	put("../../usr/share/edk2/ovmf/OVMF_VARS.fd", "variables");
	qemu("for a; do case $a in *unit=1*) cp ${a##*file=} $OLDPWD/ 2>/dev/null; "
	     "cat ${a##*file=};; esac; done\necho\n" LOGIN);
	assert_int_equal(run("test", at("a,b.qcow2"), "-v"), 0);
	assert_has(said(), "starts by UEFI: login after ");
	assert_has(complained(), "variables");
	const char *args = calls_of("qemu-system-x86_64");
	assert_has(args,
	           arena_printf(arena, ",format=qcow2,file=%s/a,,b.qcow2 -machine q35 ", top));
	assert_has(args, "-drive if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/edk2/"
	                 "ovmf/OVMF_CODE.fd -drive if=pflash,unit=1,format=raw,file=/tmp/");
	assert_int_equal(umount("/usr/share"), 0);
}

static void events_tell_it(void **state)
{
	(void)state;
	unit_need_root();
	put_disk("disk.raw");
	qemu("echo; echo hello\n" LOGIN);
	assert_int_equal(boot("--json"), 0);
	assert_string_equal(doc_text(said_json_line(0), "event"), "phase");
	assert_string_equal(doc_text(said_json_line(0), "what"), "starting by BIOS");
	assert_string_equal(doc_text(said_json_line(1), "event"), "said");
	assert_string_equal(doc_text(said_json_line(1), "line"), "hello");
	assert_non_null(doc_text(said_json_line(1), "elapsed_ns"));
	assert_string_equal(doc_text(said_json_line(2), "event"), "started");
	assert_string_equal(doc_text(said_json_line(2), "image"), at("disk.raw"));
	assert_string_equal(doc_text(said_json_line(2), "firmware"), "bios");
	assert_string_equal(doc_text(said_json_line(2), "schema"), "1");
	qemu("echo one; echo two; echo 'Kernel panic - not syncing'\n");
	assert_int_equal(boot("--json"), 1);
	const struct doc *failed = said_json_line(2);
	assert_string_equal(doc_text(failed, "event"), "failed");
	assert_int_equal(doc_get(failed, "lines")->n, 3);
	assert_string_equal(doc_get(failed, "lines")->items[1]->text, "two");
	assert_string_equal(doc_text(said_json_line(3), "event"), "error");
	assert_has(doc_text(said_json_line(3), "text"), "1 failed: Kernel panic");
	assert_int_equal(run("test", at("none.raw"), "--json"), 3);
	assert_string_equal(doc_text(said_json_line(1), "event"), "error");
}

static void nothing_is_left_of_it(void **state)
{
	(void)state;
	unit_need_root();
	put_disk("disk.raw");
	qemu("for a; do case $a in unix:*) a=${a#unix:}; echo ${a%%,*} >&2; test -d "
	     "${a%%/*} && echo there >&2;; esac; done\nexit 4\n");
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), "there");
	const char *dir = strstr(complained(), "/tmp/hpc-imagebuild-");
	assert_non_null(dir);
	assert_int_equal(
	        access(arena_memdup(arena, dir, strlen("/tmp/hpc-imagebuild-XXXXXX")), F_OK), -1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, machine_tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_login_ends_it), T(what_fails_is_told),    T(other_disks_are_started_otherwise),
	        T(events_tell_it),  T(nothing_is_left_of_it),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
