/* SPDX-License-Identifier: Apache-2.0 */
/* The systemd of the tests: a server of peer-to-peer D-Bus. */
#include "systemd.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "unit.h"

#include "base/str.h"

#define SOCKET  "/run/systemd/private"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define JOB     "/org/freedesktop/systemd1/job/7"
#define LINKS   16

struct systemd *systemd;
static pid_t server;

static int reply_text(sd_bus_message *m, const char *type, const char *value)
{
	return sd_bus_reply_method_return(m, "v", type, value);
}

/* One it doesn't read is among them. */
static int get_all(sd_bus_message *m)
{
	const struct systemd *s = systemd;
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(m, &reply);

	if (r >= 0)
		r = sd_bus_message_append(
		        reply, "a{sv}", 9, "LoadState", "s", s->load, "Names", "as", 1, "x",
		        "ActiveState", "s", s->now.active, "SubState", "s", s->now.sub,
		        "UnitFileState", "s", s->file, "NeedDaemonReload", "b", s->reload,
		        "ConditionResult", "b", s->condition, "ConditionTimestamp", "t", s->checked,
		        "InactiveExitTimestamp", "t", s->started_us);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int get(sd_bus_message *m)
{
	const char *interface, *name;

	if (sd_bus_message_read(m, "ss", &interface, &name) < 0)
		return -1;
	if (str_eq(name, "MainPID"))
		return sd_bus_reply_method_return(m, "v", "u", systemd->pid);
	return reply_text(m, "s", str_eq(name, "Type") ? systemd->type : systemd->now.result);
}

static int get_unit(sd_bus_message *m)
{
	if (systemd->forgotten)
		return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoSuchUnit",
		                                  "not loaded");
	return sd_bus_reply_method_return(m, "o", "/org/freedesktop/systemd1/unit/x");
}

/* The end of another job comes first. */
static int run_job(sd_bus_message *m)
{
	sd_bus *bus = sd_bus_message_get_bus(m);
	int r = sd_bus_reply_method_return(m, "o", JOB);

	systemd->now = systemd->after;
	if (r < 0 || !*systemd->job)
		return r;
	sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", MANAGER, "JobRemoved", "uoss", 6,
	                   JOB "0", "y.service", "canceled");
	return sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", MANAGER, "JobRemoved", "uoss",
	                          7, JOB, "x.service", systemd->job);
}

static int nothing(sd_bus_message *m)
{
	return sd_bus_reply_method_return(m, NULL);
}

static const struct {
	const char *member;
	int (*answer)(sd_bus_message *m);
} methods[] = {
        {"GetAll", get_all},    {"Get", get},          {"GetUnit", get_unit},
        {"StartUnit", run_job}, {"StopUnit", run_job}, {"RestartUnit", run_job},
};

/* Behind the units: only for this boot, and over what is there. We ask for neither. */
static bool asks_for_more(sd_bus_message *m)
{
	int flag = 0, more = 0;

	if (sd_bus_message_exit_container(m) < 0)
		return true;
	while (sd_bus_message_read(m, "b", &flag) > 0)
		more |= flag;
	return more;
}

static void note(sd_bus_message *m, const char *member)
{
	const char *text = NULL;
	size_t n = strlen(systemd->calls);
	bool more = false;

	if (sd_bus_message_has_signature(m, "s") || sd_bus_message_has_signature(m, "ss"))
		(void)!sd_bus_message_read(m, "s", &text);
	else if (str_starts(sd_bus_message_get_signature(m, true), "as") &&
	         sd_bus_message_enter_container(m, 'a', "s") > 0) {
		(void)!sd_bus_message_read(m, "s", &text);
		more = asks_for_more(m);
	}
	snprintf(systemd->calls + n, sizeof systemd->calls - n, "%s%s%s%s\n", member,
	         text ? " " : "", text ? text : "", more ? " and more" : "");
	sd_bus_message_rewind(m, true);
}

static int on_message(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	const char *member = sd_bus_message_get_member(m);
	int (*answer)(sd_bus_message *) = nothing;

	(void)ctx;
	(void)error;
	if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0)
		return 0;
	note(m, member);
	if (systemd->deaf)
		return 1;
	if (str_eq(member, systemd->refused)) {
		sd_bus_reply_method_errorf(m, systemd->refusal, "refused by the test");
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (str_eq(member, methods[i].member))
			answer = methods[i].answer;
	answer(m);
	return 1;
}

static sd_bus *take(int listening)
{
	sd_id128_t id = {.bytes = {1}};
	sd_bus *bus = NULL;
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 || sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 ||
	    sd_bus_set_server(bus, 1, id) < 0 || sd_bus_set_anonymous(bus, 1) < 0 ||
	    sd_bus_add_filter(bus, NULL, on_message, NULL) < 0 || sd_bus_start(bus) < 0)
		_exit(1);
	systemd->connections++;
	return bus;
}

static _Noreturn void serve(int listening)
{
	sd_bus *links[LINKS] = {NULL};

	for (;;) {
		struct pollfd p[LINKS + 1] = {{.fd = listening, .events = POLLIN}};

		for (size_t i = 0; i < LINKS; i++) {
			while (links[i] && sd_bus_process(links[i], NULL) > 0)
				;
			if (links[i] && (systemd->hangup || sd_bus_is_open(links[i]) <= 0))
				links[i] = sd_bus_close_unref(links[i]);
			p[i + 1].fd = links[i] ? sd_bus_get_fd(links[i]) : -1;
			p[i + 1].events = links[i] ? (short)sd_bus_get_events(links[i]) : 0;
		}
		systemd->hangup = 0;
		poll(p, LINKS + 1, 20);
		for (size_t i = 0; i < LINKS && p[0].revents; i++)
			if (!links[i]) {
				links[i] = take(listening);
				break;
			}
	}
}

void systemd_begin(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	systemd = mmap(NULL, sizeof *systemd, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	               -1, 0);
	assert_ptr_not_equal(systemd, MAP_FAILED);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "mode=0755"), 0);
	assert_int_equal(mkdir("/run/systemd", 0755), 0);
	assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/none", 1), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 8), 0);
	systemd_reset();
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd);
	}
	close(fd);
}

void systemd_end(void)
{
	if (!server)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = 0;
}

void systemd_reset(void)
{
	*systemd = (struct systemd){
	        .load = "loaded",
	        .file = "enabled",
	        .type = "notify",
	        .now = {"inactive", "dead", "success"},
	        .after = {"active", "running", "success"},
	        .job = "done",
	        .condition = 1,
	        .checked = 1,
	        .started_us = 1234567,
	};
}

void systemd_hang_up(void)
{
	systemd->hangup = 1;
	while (systemd->hangup)
		poll(NULL, 0, 1);
}
