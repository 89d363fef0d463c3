/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a target on the files and on every file of the directories it is given; without libFuzzer.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "fuzz.h"

#define INPUT_MAX (16 * 1024 * 1024)

static void die(const char *name)
{
	fprintf(stderr, "replay: reading %s: %s\n", name, strerror(errno));
	exit(1);
}

static void run_file(int dirfd, const char *name)
{
	scope_fd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > INPUT_MAX)
		die(name);
	/* Of its exact size, so that a sanitizer sees a byte too far. */
	data = malloc((size_t)st.st_size + !st.st_size);
	n = data ? read(fd, data, (size_t)st.st_size) : -1;
	if (n != st.st_size)
		die(name);
	fprintf(stderr, "%s\n", name);
	LLVMFuzzerTestOneInput(data, (size_t)n);
	free(data);
}

static size_t run(const char *path)
{
	scope_dir DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	if (!dir && errno != ENOTDIR)
		die(path);
	if (!dir) {
		run_file(AT_FDCWD, path);
		return 1;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			run_file(dirfd(dir), entry->d_name);
			n++;
		}
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		n += run(argv[i]);
	if (!n) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...; no input found\n", argv[0]);
		return 2;
	}
	printf("%zu inputs\n", n);
	return 0;
}
