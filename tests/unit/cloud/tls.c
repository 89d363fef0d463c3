/* SPDX-License-Identifier: Apache-2.0 */
/* Runs openssl's server, which answers with the files of a directory. */
#include "tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "unit.h"

static char top[] = "/tmp/unit-tls-XXXXXX";
static pid_t server;

const char *tls_path(const char *name, struct arena *a)
{
	return arena_printf(a, "%s/%s", top, name);
}

void tls_put(const char *name, const char *text)
{
	const struct file_attr attr = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
	scope_arena struct arena *a = arena_new();
	struct err e = {0};

	assert_ok(file_replace(AT_FDCWD, tls_path(name, a), text, strlen(text), &attr, &e));
}

/* lib/os, where trees are removed, is no floor below this one. */
static void remove_all(void)
{
	DIR *d = opendir(top);

	for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
		(void)unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	assert_int_equal(rmdir(top), 0);
}

/* openssl, in the directory, silent. */
static pid_t openssl(const char *const *words)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (chdir(top) == 0)
		execvp("openssl", (char *const *)(uintptr_t)words);
	_exit(127);
}

static bool answers(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
	                               .sin_port = htons(4433),
	                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;

	close(fd);
	return yes;
}

void tls_begin(void)
{
	static const char *const certificate[] = {"openssl",
	                                          "req",
	                                          "-x509",
	                                          "-newkey",
	                                          "ec",
	                                          "-pkeyopt",
	                                          "ec_paramgen_curve:P-256",
	                                          "-nodes",
	                                          "-keyout",
	                                          "key.pem",
	                                          "-out",
	                                          "cert.pem",
	                                          "-subj",
	                                          "/CN=localhost",
	                                          "-addext",
	                                          "subjectAltName=IP:127.0.0.1",
	                                          NULL};
	static const char *const serve[] = {"openssl",  "s_server", "-accept", TLS_PORT, "-cert",
	                                    "cert.pem", "-key",     "key.pem", "-HTTP",  NULL};
	uint64_t guard = clock_in_ms(60000);
	int status;

	memcpy(top + sizeof top - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(top));
	pid_t pid = openssl(certificate);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	server = openssl(serve);
	while (!answers())
		assert_true(clock_sleep_ms(5, guard));
}

void tls_end(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	remove_all();
}
