/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to the serial console. */
#include "agent/console.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"

#define KEY_MAX   4096 /* bytes of a key's file; one of RSA with 16384 bits has 2800 */
#define BLOCK_MAX (3 * KEY_MAX)

static void say(const char *text, size_t len)
{
	scope_fd int fd =
	        open("/dev/console", O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, text, len);
}

void console_line(const char *line)
{
	char text[600];
	int n = snprintf(text, sizeof text, "\r\n%s\r\n", line);

	if (n > 0)
		say(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* A key is "TYPE BASE64 COMMENT"; the comment has the name that the machine had when it was made. */
static void add_key(struct strbuf *out, const char *text)
{
	size_t type = strcspn(text, " \t\r\n"), gap = strspn(text + type, " \t");
	size_t data = strcspn(text + type + gap, " \t\r\n");

	if (type && data)
		strbuf_printf(out, "%.*s %.*s\r\n", (int)type, text, (int)data, text + type + gap);
}

/* With one write, so that nobody else's line stands between them. */
void console_host_keys(int root)
{
	static const char *const files[] = {"/etc/ssh/ssh_host_ed25519_key.pub",
	                                    "/etc/ssh/ssh_host_ecdsa_key.pub",
	                                    "/etc/ssh/ssh_host_rsa_key.pub"};
	scope_arena struct arena *a = arena_new();
	struct strbuf keys = STRBUF(a, BLOCK_MAX), out = STRBUF(a, BLOCK_MAX + 256);
	struct err ignored;
	struct blob text;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (file_read(root, files[i], KEY_MAX, a, &text, &ignored) == 0)
			add_key(&keys, text.data);
	if (!keys.len || keys.overflow)
		return;
	strbuf_printf(&out, "\r\n" CONSOLE_KEYS_BEGIN "\r\n%s" CONSOLE_KEYS_END "\r\n", keys.data);
	say(out.data, out.len);
}
