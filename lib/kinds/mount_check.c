/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds that mount something ask of its place and options. */
#include "kinds/mount_check.h"

struct blob mount_next_option(const char **at)
{
	struct blob option = {*at, strcspn(*at, ",")};

	*at += option.len + ((*at)[option.len] == ',');
	return option;
}

int mount_check_options(const struct step *s, const char *options, struct err *e)
{
	const struct doc *at = claim_at(s, "options");

	if (strlen(options) > MOUNT_OPTIONS_MAX)
		return doc_err(at, e, REASON_INPUT_LIMIT, "options are longer than %d bytes",
		               MOUNT_OPTIONS_MAX);
	for (const char *p = options; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return doc_err(at, e, REASON_INPUT_RANGE,
			               "options contain a blank or control character");
	while (*options) {
		struct blob option = mount_next_option(&options);

		if (option.len == 0)
			return doc_err(at, e, REASON_INPUT_RANGE, "an option is empty");
		if (blob_eq(option, "bg"))
			return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
			               "option 'bg' would leave open when the mount is there; use "
			               "'optional: true' and a 'timeout'");
	}
	return 0;
}

int mount_check_place(const struct step *s, const char *path, struct err *e)
{
	static const char *const places[] = {"/",           "/bin",          "/boot",
	                                     "/dev",        "/etc",          "/lib",
	                                     "/lib32",      "/lib64",        "/libx32",
	                                     "/proc",       "/run",          "/run/hpc-node",
	                                     "/sbin",       "/sys",          "/usr",
	                                     "/usr/bin",    "/usr/lib",      "/usr/lib32",
	                                     "/usr/lib64",  "/usr/libexec",  "/usr/sbin",
	                                     "/usr/libx32", "/usr/share",    "/var",
	                                     "/var/lib",    "/var/lib/dpkg", "/var/lib/hpc-node",
	                                     "/var/lib/rpm"};
	static const char *const kernels[] = {"/proc/", "/sys/"};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (str_eq(path, places[i]))
			return doc_err(claim_at(s, "path"), e, REASON_INPUT_RANGE,
			               "'%s' is the system's own: a mount there would hide it",
			               path);
	for (size_t i = 0; i < ARRAY_LEN(kernels); i++)
		if (str_starts(path, kernels[i]))
			return doc_err(claim_at(s, "path"), e, REASON_INPUT_RANGE,
			               "'%s' is the kernel's: a mount there would hide it", path);
	return 0;
}
