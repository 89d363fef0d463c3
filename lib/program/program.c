/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a program: main(), from the command line to the exit status. */
#include "program/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "data/jsonw.h"
#include "os/journal.h"

#define HELP_MAX         (16 * 1024)
#define EXIT_USAGE       2
#define EXIT_DEADLINE    7
#define EXIT_NO_OUTPUT   1
#define STANDARD_STREAMS 3

static const char *name_of(const struct program_info *info)
{
	return info->command.name;
}

void program_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR); /* not O_CLOEXEC: children need them, too */
	while (fd >= 0 && fd < STANDARD_STREAMS);
	if (fd >= 0)
		close(fd);
}

/* A core would contain credentials. The process stays dumpable with sanitizers, which need to look
 * into the process they check, and for a plain user: a process that isn't dumpable can't access its
 * own /proc/self/fd, which files are linked from. */
static void no_core(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef HPC_SANITIZE
	if (geteuid() == 0)
		prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Exceeding RLIMIT_FSIZE then makes write(2) fail with EFBIG instead of ending the process.
 * Programs we run get the default again. */
static void no_death_by_size(void)
{
	signal(SIGXFSZ, SIG_IGN);
}

/* systemd.exec(5): JOURNAL_STREAM holds device and inode of the stream that standard error is. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(mine, sizeof mine, "%llu:%llu", (unsigned long long)st.st_dev,
	         (unsigned long long)st.st_ino);
	return str_eq(stream, mine);
}

static void open_log(struct program *p)
{
	enum log_level max = p->verbose ? LOG_LEVEL_DEBUG
	                     : p->quiet ? LOG_LEVEL_ERR
	                                : LOG_LEVEL_NOTICE;
	void *name = arena_strdup(p->arena, name_of(p->info)); /* SYSLOG_IDENTIFIER */

	/* Under systemd stderr is the journal: records then go there completely,
	 * with their fields. */
	p->journal = stderr_is_journal();
	if (p->journal)
		log_set_sink(journal_sink, name, p->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	else
		log_set_sink(log_stderr_sink, name, max);
}

/* Output must have been written: a full disk is a failure. */
static int flushed(const struct program_info *info, int status)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || status != 0)
		return status;
	fprintf(stderr, "%s: standard output could not be written\n", name_of(info));
	return EXIT_NO_OUTPUT;
}

int program_flushed(const struct program *p, int status)
{
	return flushed(p->info, status);
}

static int print_help(const struct program_info *info, const struct command_verb *verb)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, HELP_MAX);

	command_help(&info->command, verb, &b);
	fwrite(b.data, 1, b.len, stdout);
	return flushed(info, 0);
}

static int run(struct program *p)
{
	open_log(p);
	program_environment(p);
	if (p->info->begin)
		p->info->begin(p);
	int status = p->line.verb->run(p);
	if (p->info->close)
		p->info->close(p);
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	return status;
}

int program_main(const struct program_info *info, int argc, char **argv, struct program *p)
{
	struct err e;

	program_standard_streams();
	umask(022);
	no_core();
	no_death_by_size();
	p->info = info;
	p->deadline = CLOCK_NEVER;
	if (command_parse(&info->command, argc, argv, p, &p->line, &e) < 0) {
		fprintf(stderr, "%s: %s\n", name_of(info), e.text);
		return EXIT_USAGE;
	}
	if (p->line.help)
		return print_help(info, p->line.verb);
	scope_arena struct arena *a = arena_new();
	p->arena = a;
	p->start = clock_now();
	return flushed(info, run(p));
}

uint64_t program_deadline(struct program *p, uint64_t default_ms)
{
	p->deadline = clock_in_ms(p->deadline_ms ? p->deadline_ms : default_ms);
	return p->deadline;
}

/* A service that refused connections until the deadline counts as unreachable; if a wait or a
 * program was still in progress, the deadline ended it. */
static bool deadline_ended(const struct program *p, const struct err *e)
{
	return e->no == ETIMEDOUT && (e->kind == ERR_RETRY || e->kind == ERR_HOST) &&
	       clock_passed(p->deadline);
}

int program_status(const struct program *p, const struct err *e)
{
	return deadline_ended(p, e) ? EXIT_DEADLINE : err_exit_status(e->kind);
}

void program_hint(const struct program *p, const struct err *e)
{
	const char *hint = reason_hint(p->info->hints, e->reason);

	if (*hint && e->kind != ERR_INPUT && e->kind != ERR_USAGE)
		log_notice("%s: %s", reason_row(e->reason)->name, hint);
}

static void print_error(const struct program *p, const struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, 64 * 1024);
	struct jsonw w = {.out = &b};

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
	jsonw_str(&w, "event", "error");
	jsonw_str(&w, "kind", err_kind_name(e->kind));
	jsonw_str(&w, "reason", reason_row(e->reason)->name);
	jsonw_str(&w, "text", e->text);
	jsonw_str(&w, "hint", reason_hint(p->info->hints, e->reason));
	jsonw_end(&w, '}');
	puts(b.data);
}

int program_fail(const struct program *p, const struct err *e)
{
	if (p->info->fail)
		return p->info->fail(p, e);
	if (p->json && p->info->json_errors)
		print_error(p, e);
	log_err("%s", e->text);
	program_hint(p, e);
	return program_status(p, e);
}

int program_faults(const struct program *p, struct faults *faults, const struct err *e)
{
	(void)faults_add(faults, e);
	for (size_t i = 0; i + 1 < faults->n; i++)
		log_err("%s", faults->items[i].text);
	int status = program_fail(p, &faults->items[faults->n - 1]);
	if (faults->more)
		log_err("there are more faults than %d", FAULTS_MAX);
	return status;
}

int program_cloud(struct program *p, const char *region, uint64_t default_ms, struct cloud **ret,
                  struct err *e)
{
	int r = profile_load(&p->profile, p->arena, &p->cloud_config, e);

	if (r < 0)
		return r;
	if (region)
		p->cloud_config.region = region;
	program_deadline(p, default_ms);
	*ret = cloud_open(&p->cloud_config);
	return 0;
}

int program_version(void *program)
{
	const struct program *p = program;

	printf("%s %s\n", name_of(p->info), HPC_VERSION);
	return 0;
}
