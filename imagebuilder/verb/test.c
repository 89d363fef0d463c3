/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test: starts a disk in QEMU as an instance starts it, from NVMe by its own firmware and boot
 * loader, until it offers a login on its serial console. The disk itself is not written to.
 *
 * The machine has a network that leads nowhere, so hpc-agent.service fails in it, and may; whatever
 * else fails until the login, or a kernel that panics, fails the test.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "archive/pack.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"
#include "build/progress.h"
#include "disk/gpt.h"
#include "disk/qcow2.h"
#include "document/arch.h"
#include "store/tool.h"
#include "verb/verb.h"

#define DEADLINE_MS  600000
#define FIRMWARE_MAX (64UL << 20) /* bytes of the file with its variables */
#define CPUINFO_MAX  (16UL << 20)
#define LINE_LEN     1200 /* the size of host_exec's pieces, and the NUL */
#define TAIL         30   /* last lines that are shown if the machine failed */

/* Where Debian, Fedora and Amazon Linux install them. */
static const struct firmware {
	const char *code, *vars;
	bool arm;
	bool secure; /* has Microsoft's keys, and runs only what they signed */
} firmwares[] = {
        {"/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", false, true},
        {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", false, false},
        {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd", false, false},
        {"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd", false, false},
        {"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd", true, false},
        {"/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
         "/usr/share/edk2/aarch64/vars-template-pflash.raw", true, false},
};

/* The machine of each architecture; the first has BIOS, too. */
static const struct machine {
	const char *arch, *program, *package, *firmware; /* the last two: of Debian */
	const char *board, *cpu;                         /* without the host's own processor */
	/* The console of an instance is a 16550, ttyS0. The board of arm64 has another one, which the
	 * firmware writes to. */
	const char *console[8];
} machines[] = {
        {"x86_64",
         "qemu-system-x86_64",
         "qemu-system-x86",
         "ovmf",
         "q35",
         "Nehalem",
         {"-serial", "stdio"}},
        {"arm64",
         "qemu-system-aarch64",
         "qemu-system-arm",
         "qemu-efi-aarch64",
         "virt",
         "cortex-a72",
         {"-chardev", "stdio,id=c0,mux=on", "-serial", "chardev:c0", "-device",
          "pci-serial,chardev=c0"}},
};

struct boot {
	struct arena *arena;
	struct host *host;
	const char *disk, *dir;
	bool bios, secure;
	const struct machine *machine;
	uint64_t deadline;
	struct progress progress;

	bool up;
	size_t failed;
	char fault[LINE_LEN]; /* the first */
	char tail[TAIL][LINE_LEN];
	size_t lines;
};

/* ---- the console ---- */

/* Removes the terminal's control sequences: ESC [ ... letter, and single bytes. */
static void plain(const char *line, char out[static LINE_LEN])
{
	size_t n = 0;

	while (*line && n + 1 < LINE_LEN) {
		if (line[0] == '\033' && line[1] == '[') {
			line += 2;
			line += strspn(line, "0123456789;?");
			line += *line != '\0';
		} else if ((unsigned char)*line < ' ') {
			line++;
		} else {
			out[n++] = *line++;
		}
	}
	out[n] = '\0';
}

/* Tells QEMU's monitor to quit; if the machine ended by itself, there is no monitor. */
static void end_machine(const struct boot *b)
{
	static const char quit[] = "quit\n";
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	scope_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof to.sun_path, "%s/monitor", b->dir);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
	    file_write_all(fd, quit, sizeof quit - 1) < 0)
		log_debug("ending the machine: no answer");
	/* QEMU reads the command when it gets to it; closing the connection early
	 * would discard it. */
	while (fd >= 0 && read(fd, to.sun_path, sizeof to.sun_path) > 0)
		;
}

static bool is_fault(const char *line)
{
	bool unit = strstr(line, "[FAILED] Failed to") && !strstr(line, "hpc-agent.service");

	return unit || strstr(line, "Kernel panic") || strstr(line, "Entering emergency mode");
}

static bool is_login(const char *line)
{
	return (strstr(line, "Started serial-getty@") && strstr(line, "OK")) ||
	       (strstr(line, "Reached target") && strstr(line, "Multi-User System"));
}

static void look_at(void *ctx, const char *text)
{
	struct boot *b = ctx;
	char *line = b->tail[b->lines++ % TAIL];

	plain(text, line);
	log_debug("%s", line);
	if (*line)
		progress_said(&b->progress, line);
	if (is_fault(line) && b->failed++ == 0)
		snprintf(b->fault, sizeof b->fault, "%s", line);
	if (b->up || (!is_login(line) && !strstr(line, "Kernel panic")))
		return;
	b->up = is_login(line);
	end_machine(b);
}

/* ---- the machine ---- */

/* The device alone is not enough: in a virtual machine it may exist without the processor's
 * support, and then hangs. */
static bool has_kvm(struct arena *a)
{
	struct blob text;
	struct err none;

	return access("/dev/kvm", R_OK | W_OK) == 0 &&
	       file_read(AT_FDCWD, "/proc/cpuinfo", CPUINFO_MAX, a, &text, &none) == 0 &&
	       (memmem(text.data, text.len, " vmx ", 5) || memmem(text.data, text.len, " svm ", 5));
}

static int add_firmware(struct boot *b, const char **argv, size_t *n, struct err *e)
{
	const struct file_attr attr = {0600, (uid_t)-1, (gid_t)-1};
	const char *vars = arena_printf(b->arena, "%s/vars", b->dir);
	struct blob text;

	if (b->bios) {
		argv[(*n)++] = "-machine";
		argv[(*n)++] = "pc";
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(firmwares); i++) {
		if (firmwares[i].secure != b->secure ||
		    firmwares[i].arm != str_eq(b->machine->arch, "arm64") ||
		    file_read(AT_FDCWD, firmwares[i].vars, FIRMWARE_MAX, b->arena, &text, e) < 0)
			continue;
		argv[(*n)++] = "-machine";
		argv[(*n)++] = b->secure ? "q35,smm=on" : b->machine->board;
		if (b->secure) {
			argv[(*n)++] = "-global";
			argv[(*n)++] = "driver=cfi.pflash01,property=secure,value=on";
		}
		argv[(*n)++] = "-drive";
		argv[(*n)++] =
		        arena_printf(b->arena, "if=pflash,unit=0,format=raw,readonly=on,file=%s",
		                     firmwares[i].code);
		argv[(*n)++] = "-drive";
		argv[(*n)++] = arena_printf(b->arena, "if=pflash,unit=1,format=raw,file=%s", vars);
		return file_replace(AT_FDCWD, vars, text.data, text.len, &attr, e);
	}
	return err_set(e, ERR_HOST, REASON_HOST_EXEC, ENOENT,
	               "starting '%s': no UEFI firmware%s here: install %s", b->disk,
	               b->secure ? " with Microsoft's keys" : "", b->machine->firmware);
}

/* A comma in a value of QEMU's options is doubled. */
static const char *option_value(const char *s, struct arena *a)
{
	struct strbuf out = STRBUF(a, 2 * strlen(s) + 1);

	strbuf_str(&out, "");
	for (; *s; s++) {
		strbuf_char(&out, *s);
		if (*s == ',')
			strbuf_char(&out, ',');
	}
	return out.data;
}

static int run_machine(struct boot *b, struct err *e)
{
	bool kvm = str_eq(b->machine->arch, arch_native()) && has_kvm(b->arena);
	const char *argv[48] = {b->machine->program,
	                        "-nodefaults",
	                        "-no-user-config",
	                        "-display",
	                        "none",
	                        "-no-reboot",
	                        "-smp",
	                        "2",
	                        "-m",
	                        "1024",
	                        "-device",
	                        "virtio-rng-pci",
	                        "-device",
	                        "nvme,drive=d0,serial=vol0,bootindex=0",
	                        "-netdev",
	                        "user,id=n0,restrict=on",
	                        "-device",
	                        "virtio-net-pci,netdev=n0,romfile=",
	                        "-accel",
	                        kvm ? "kvm" : "tcg",
	                        "-cpu",
	                        kvm ? "host" : b->machine->cpu};
	size_t n = 0;
	struct host_result res;

	while (argv[n])
		n++;
	for (const char *const *word = b->machine->console; *word; word++)
		argv[n++] = *word;
	argv[n++] = "-monitor";
	argv[n++] = arena_printf(b->arena, "unix:%s/monitor,server=on,wait=off", b->dir);
	argv[n++] = "-drive";
	argv[n++] = arena_printf(
	        b->arena, "if=none,id=d0,snapshot=on,cache=unsafe,format=%s,file=%s",
	        str_ends(b->disk, ".qcow2") ? "qcow2" : "raw", option_value(b->disk, b->arena));
	int r = add_firmware(b, argv, &n, e);
	if (r < 0)
		return r;
	const struct host_exec x = {
	        .argv = argv, .deadline = b->deadline, .line = look_at, .line_ctx = b};
	r = host_run_ok(b->host, &x, b->arena, &res, e);
	if (r == -ETIMEDOUT)
		return err_set(e, ERR_DEADLINE, REASON_DEADLINE, ETIMEDOUT,
		               "starting '%s': no login by the deadline", b->disk);
	return r;
}

/* ---- the verb ---- */

static void show_tail(const struct boot *b)
{
	size_t first = b->lines > TAIL ? b->lines - TAIL : 0;

	for (size_t i = first; i < b->lines; i++)
		fprintf(stderr, "  %s\n", b->tail[i % TAIL]);
}

static int judge(const struct boot *b, struct err *e)
{
	if (b->failed)
		return err_set(e, ERR_HOST, REASON_HOST_COMMAND_FAILED, EIO,
		               "starting '%s': %zu failed: %s", b->disk, b->failed, b->fault);
	if (!b->up)
		return err_set(e, ERR_HOST, REASON_HOST_COMMAND_FAILED, EIO,
		               "starting '%s': it ended before it offered a login", b->disk);
	return 0;
}

static bool is_qcow2(int fd)
{
	char magic[4];

	return pread(fd, magic, sizeof magic, 0) == sizeof magic &&
	       memcmp(magic, "QFI\xfb", sizeof magic) == 0;
}

/* A partition table of BIOS, or what UEFI wants before its own: any of four partitions, and the
 * signature behind them. */
static bool has_table(int fd)
{
	unsigned char sector[512];

	if (pread(fd, sector, sizeof sector, 0) != sizeof sector || sector[510] != 0x55 ||
	    sector[511] != 0xaa)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (sector[446 + 16 * i + 4])
			return true;
	return false;
}

/* With anything else the firmware would wait until the deadline. */
static int check_disk(int fd, const char *path, struct err *e)
{
	if (str_ends(path, ".qcow2")) {
		if (is_qcow2(fd))
			return 0;
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "'%s' is no qcow2 disk, though it is called so", path);
	}
	if (str_ends(path, PACK_SUFFIX))
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "'%s' is compressed: expected the raw disk in it, which zstd -d "
		               "unpacks",
		               path);
	if (has_table(fd))
		return 0;
	return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, ENOENT,
	               "'%s' has no partition table: expected a raw disk, or a qcow2 disk called "
	               ".qcow2",
	               path);
}

static int check_image(const char *path, struct err *e)
{
	scope_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, errno, "opening '%s': %s", path,
		               strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "'%s' is no file, expected a raw or qcow2 disk", path);
	return check_disk(fd, path, e);
}

static int find_machine(struct boot *b, const char *arch, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (str_eq(machines[i].arch, arch))
			b->machine = &machines[i];
	if (b->machine == machines || (!b->bios && !b->secure))
		return tool_need(b->machine->program, b->machine->package, e);
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
	               "'%s' is for %s, whose machines it starts by --firmware uefi only", b->disk,
	               arch);
}

/* Its partition table says for which architecture it is; one that can't be read is for x86-64. */
static int look_at_disk(struct boot *b, struct err *e)
{
	const char *begin = b->disk, *arch = NULL;
	struct gpt_table table;
	struct err none;
	int r = 0;

	if (str_ends(b->disk, ".qcow2")) {
		begin = arena_printf(b->arena, "%s/begin", b->dir);
		r = qcow2_begin_to_raw(b->disk, begin, b->deadline, &none);
	}
	scope_fd int fd = r < 0 ? -1 : open(begin, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && gpt_read(fd, b->disk, &table, &none) == 0)
		arch = gpt_arch(&table);
	return find_machine(b, arch ? arch : machines[0].arch, e);
}

static int start(struct boot *b, struct err *e)
{
	int r = look_at_disk(b, e);

	if (r < 0)
		return r;
	r = run_machine(b, e);

	if (r < 0)
		return r;
	return judge(b, e);
}

static int on_host(struct boot *b, struct err *e)
{
	int r = host_open("/", HOST_LIVE, &b->host, e);

	if (r < 0)
		return r;
	r = start(b, e);
	host_close(b->host);
	return r;
}

static int test(struct boot *b, const char *path, struct err *e)
{
	char disk[PATH_MAX];
	int r = check_image(path, e);

	if (r < 0)
		return r;
	if (!realpath(path, disk))
		return err_errno(e, errno, "opening '%s'", path);
	b->disk = arena_strdup(b->arena, disk);
	return on_host(b, e);
}

static const char *firmware_name(const struct boot *b)
{
	return b->bios ? "BIOS" : b->secure ? "UEFI with Secure Boot" : "UEFI";
}

static void event_failed(struct boot *b)
{
	size_t first = b->lines > TAIL ? b->lines - TAIL : 0;
	struct jsonw *w = feed_begin(&b->progress.feed, "failed");

	jsonw_begin(w, "lines", '[');
	for (size_t i = first; i < b->lines; i++)
		jsonw_str(w, NULL, b->tail[i % TAIL]);
	jsonw_end(w, ']');
	feed_end(&b->progress.feed);
}

static void tell(struct boot *b, const char *path, uint64_t ns)
{
	feed_line(&b->progress.feed, "'%s' starts by %s: login after %.1f s", path,
	          firmware_name(b), (double)ns / 1e9);
	if (!b->progress.feed.json)
		return;
	struct jsonw *w = feed_begin(&b->progress.feed, "started");
	jsonw_str(w, "image", path);
	jsonw_str(w, "firmware", b->bios ? "bios" : b->secure ? "uefi+secure" : "uefi");
	jsonw_u64(w, "elapsed_ns", ns);
	feed_end(&b->progress.feed);
}

static int run_test(struct image *g)
{
	const char *path = g->program.line.operands[0];
	struct boot *b = arena_alloc(g->program.arena, sizeof *b);
	struct err e;

	b->arena = g->program.arena;
	b->dir = g->tmp;
	b->bios = str_eq(g->opt.firmware, "bios");
	b->secure = str_eq(g->opt.firmware, "uefi+secure");
	b->deadline = program_deadline(&g->program, DEADLINE_MS);
	progress_open(&b->progress, &g->program, NULL);
	progress_work(&b->progress, arena_printf(b->arena, "starting by %s", firmware_name(b)));
	if (test(b, path, &e) < 0) {
		feed_clear(&b->progress.feed);
		if (b->progress.feed.json && b->lines)
			event_failed(b);
		show_tail(b);
		return program_fail(&g->program, &e);
	}
	tell(b, path, clock_now() - g->program.start);
	return 0;
}

int verb_test(void *program)
{
	struct image *g = program;
	struct err e;

	if (image_tmp(g, &e) < 0)
		return program_fail(&g->program, &e);
	return image_guarded(g, run_test);
}
