/* SPDX-License-Identifier: Apache-2.0 */
/* test: what QEMU is started with, which lines of the console end it, and what they mean. */
#include "machine.h"
#include "verb_test.h"

#include "base/clock.h"
#include "disk/gpt.h"
#include "store/listing.h"

#define LOGIN "echo '[  OK  ] Started serial-getty@ttyS0.service'\n"
#define TARGET                                                                                     \
	"printf '\\033[0;32mReached target\\033[0m \\001multi-user.target - Multi-User System\\r\\n'\n"

static int begin(void **state)
{
	machine_set_up(state);
	return 0;
}

/* A disk whose first sector is that; a table of BIOS has a type in one of four rows. */
static void put_sector(const char *name, size_t row, unsigned last)
{
	char sector[512] = {0};

	if (row < 5)
		sector[446 + 16 * row + 4] = (char)0x83;
	sector[510] = (char)(last & 0xff);
	sector[511] = (char)(last >> 8);
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_int_equal(file_write_all(fd, sector, sizeof sector), 0);
}

#define SIGNATURE 0xaa55

static void put_disk(const char *name)
{
	put_sector(name, 1, SIGNATURE);
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
	assert_has(args, "-nodefaults -no-user-config -display none -no-reboot -smp 2 ");
	assert_has(args, " -serial stdio -monitor unix:/tmp/hpc-imagebuild-");
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

/* A disk whose root partition is of that type. */
static void put_gpt(const char *name, const char *type)
{
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(ftruncate(fd, 4 << 20), 0);
	assert_int_equal(system(arena_printf(arena, "echo 'label: gpt\n,,%s' | /sbin/sfdisk -q %s",
	                                     type, at(name))),
	                 0);
}

#define X86 "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
#define ARM "B921B045-1DF0-41C3-AF44-4C6F280D3FAE"

static void the_partitions_say_the_architecture(void **state)
{
	(void)state;
	unit_need_root();
	put_gpt("arm.raw", ARM);
	put_gpt("x86.raw", X86);
	assert_int_equal(
	        system(arena_printf(arena, "/usr/bin/qemu-img convert -O qcow2 %s %s/arm.qcow2",
	                            at("arm.raw"), top)),
	        0);
	assert_int_equal(mount("none", "/usr/share", "tmpfs", 0, NULL), 0);
	put("../../usr/share/AAVMF/AAVMF_VARS.fd", "variables");
	qemu(LOGIN);
	put_program("qemu-system-aarch64", LOGIN);
	assert_int_equal(run("test", at("arm.raw"), "-q"), 0);
	assert_has(calls_of("qemu-system-aarch64"),
	           " -cpu cortex-a72 -chardev stdio,id=c0,mux=on -serial chardev:c0 "
	           "-device pci-serial,chardev=c0 ");
	assert_has(calls_of("qemu-system-aarch64"),
	           " -machine virt -drive if=pflash,unit=0,format=raw,readonly=on,"
	           "file=/usr/share/AAVMF/AAVMF_CODE.fd ");
	assert_int_equal(run("test", at("arm.raw"), "--firmware", "bios"), 3);
	assert_has(complained(),
	           "arm.raw' is for arm64, whose machines it starts by --firmware uefi only");
	assert_int_equal(run("test", at("x86.raw"), "-q"), 1);
	assert_has(complained(), "no UEFI firmware here: install ovmf");
	assert_int_equal(unlink("/usr/share/AAVMF/AAVMF_VARS.fd"), 0);
	assert_int_equal(run("test", at("arm.raw"), "-q"), 1);
	assert_has(complained(), "no UEFI firmware here: install qemu-efi-aarch64");
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

/* ---- disks ---- */

static void a_disk_has_a_partition_table(void **state)
{
	static const unsigned others[] = {0, 0xaa00, 0x0055, 0x55aa};

	(void)state;
	unit_need_root();
	qemu(LOGIN);
	for (size_t row = 0; row < 4; row++) {
		put_sector("disk.raw", row, SIGNATURE);
		assert_int_equal(boot("-q"), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		put_sector("disk.raw", 1, others[i]);
		assert_refused(3,
		               "' has no partition table: expected a raw disk, or a qcow2 disk "
		               "called .qcow2",
		               "test", at("disk.raw"));
	}
	put_sector("disk.raw", 5, SIGNATURE);
	assert_refused(3, "has no partition table", "test", at("disk.raw"));
	put_sector("disk.raw", 1, SIGNATURE);
	assert_int_equal(truncate(at("disk.raw"), 511), 0);
	assert_refused(3, "has no partition table", "test", at("disk.raw"));

	/* That of UEFI, too. */
	const struct disk_spec spec = {.size = 600ULL << 20, .boot = BOOT_UEFI, .seed = "s"};
	struct host *here;
	struct gpt gpt;
	assert_int_equal(unlink(at("disk.raw")), 0);
	put("disk.raw", "");
	assert_int_equal(truncate(at("disk.raw"), (off_t)spec.size), 0);
	assert_ok(host_open("/", HOST_LIVE, &here, &e));
	assert_ok(gpt_layout(&spec, "x86_64", &gpt, &e));
	assert_ok(gpt_write(here, at("disk.raw"), &gpt, CLOCK_NEVER, &e));
	host_close(here);
	assert_int_equal(boot("-q"), 0);
	put("short.qcow2", "QFI");
	assert_refused(3, "is no qcow2 disk, though it is called so", "test", at("short.qcow2"));
}

/* ---- the machine ---- */

/* Each place where a distribution has it, and only what is there. */
static void the_firmware_is_that_of_the_distribution(void **state)
{
	static const char *const places[][2] = {
	        {"/usr/share/edk2/ovmf/OVMF_VARS.fd", "/usr/share/edk2/ovmf/OVMF_CODE.fd"},
	        {"/usr/share/OVMF/OVMF_VARS.fd", "/usr/share/OVMF/OVMF_CODE.fd"},
	        {"/usr/share/OVMF/OVMF_VARS_4M.fd", "/usr/share/OVMF/OVMF_CODE_4M.fd"},
	};

	(void)state;
	unit_need_root();
	put_disk("disk.raw");
	assert_int_equal(mount("none", "/usr/share", "tmpfs", 0, NULL), 0);
	qemu(LOGIN);
	/* The later rows are preferred. */
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		put(arena_printf(arena, "../..%s", places[i][0]), "variables");
		assert_int_equal(run("test", at("disk.raw"), "-q"), 0);
		const char *args = calls_of("qemu-system-x86_64");
		assert_has(args, arena_printf(arena, "readonly=on,file=%s -drive ", places[i][1]));
	}
	assert_int_equal(umount("/usr/share"), 0);
}

/* The device alone doesn't tell: the processor has to say that it can. */
static void acceleration_needs_device_and_processor(void **state)
{
	static const struct {
		bool device;
		const char *flags, *want;
	} rows[] = {
	        {false, "flags : fpu vmx sse\n", " -accel tcg -cpu Nehalem -serial stdio "},
	        {true, "flags : fpu sse vmx_x\n", " -accel tcg -cpu Nehalem -serial stdio "},
	        {true, "flags : fpu vmx sse\n", " -accel kvm -cpu host -serial stdio "},
	        {true, "flags : fpu svm sse\n", " -accel kvm -cpu host -serial stdio "},
	};

	(void)state;
	unit_need_root();
	put_disk("disk.raw");
	qemu(LOGIN);
	put("dev/null", "");
	put("dev/kvm", "");
	put("cpuinfo", "");
	assert_int_equal(mount("/dev/null", at("dev/null"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(at("dev"), "/dev", NULL, MS_BIND | MS_REC, NULL), 0);
	assert_int_equal(mount(at("cpuinfo"), "/proc/cpuinfo", NULL, MS_BIND, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put("cpuinfo", rows[i].flags);
		if (rows[i].device)
			put("dev/kvm", "");
		else
			assert_int_equal(unlink(at("dev/kvm")), 0);
		(void)unlink(at("qemu-system-x86_64.args"));
		assert_int_equal(boot("-q"), 0);
		assert_has(calls_of("qemu-system-x86_64"), rows[i].want);
	}
	assert_int_equal(umount2("/proc/cpuinfo", MNT_DETACH), 0);
	assert_int_equal(umount2("/dev", MNT_DETACH), 0);
	assert_int_equal(umount2(at("dev/null"), MNT_DETACH), 0);
}

/* A machine that reads its monitor, and goes on until that says `quit`. */
#define MONITOR                                                                                    \
	"exec /usr/bin/python3 -c '\nimport socket, sys\n"                                         \
	"path = [a for a in sys.argv if a.startswith(\"unix:\")][0][5:].split(\",\")[0]\n"         \
	"s = socket.socket(socket.AF_UNIX)\ns.bind(path)\ns.listen()\n"                            \
	"print(LINE, flush=True)\nc = s.accept()[0]\n"                                             \
	"print(c.makefile().readline().strip(), \"was said\", flush=True)\n' \"$@\"\n"

static const char *monitored(const char *line)
{
	const char *at = strstr(MONITOR, "LINE");

	return arena_printf(arena, "%.*s\"%s\"%s", (int)(at - MONITOR), MONITOR, line, at + 4);
}

static size_t directories(void)
{
	scope_fd int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_listing struct listing l = {0};
	size_t n = 0;

	assert_int_equal(listing_read(dir, &l), 0);
	for (int i = 0; i < l.n; i++)
		n += str_starts(l.items[i]->d_name, "hpc-imagebuild-test-");
	return n;
}

static void the_machine_is_told_to_quit(void **state)
{
	(void)state;
	unit_need_root();
	put_disk("disk.raw");
	qemu(monitored("[  OK  ] Started serial-getty@ttyS0.service"));
	assert_int_equal(boot("-v"), 0);
	assert_has(complained(), "quit was said");
	assert_int_equal(directories(), 0);
	qemu(monitored("Kernel panic - not syncing"));
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), "  quit was said\n");
	assert_has(complained(), "1 failed: Kernel panic - not syncing");
}

/* ---- the console ---- */

/* Without the terminal's sequences, and as long as it is. */
static void lines_are_shown_plain(void **state)
{
	char longest[1025];

	(void)state;
	unit_need_root();
	put_disk("disk.raw");
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	qemu(arena_printf(arena,
	                  "printf 'a\\033[1;31mb\\033Xc\\033[?25ld\\033[ne\\033[\\n'\n"
	                  "printf '\\001\\037 \\177\\n'\necho %s\n",
	                  longest));
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), arena_printf(arena, "  abXcde\n   \177\n  %s\n", longest));
	/* A target is on one line. */
	qemu("echo 'Reached target multi-user.target'\necho 'Multi-User System'\n");
	assert_int_equal(boot("-q"), 1);
	assert_has(complained(), "it ended before it offered a login");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, machine_tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_login_ends_it),
	        T(what_fails_is_told),
	        T(other_disks_are_started_otherwise),
	        T(the_partitions_say_the_architecture),
	        T(events_tell_it),
	        T(nothing_is_left_of_it),
	        T(a_disk_has_a_partition_table),
	        T(the_firmware_is_that_of_the_distribution),
	        T(acceleration_needs_device_and_processor),
	        T(the_machine_is_told_to_quit),
	        T(lines_are_shown_plain),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
