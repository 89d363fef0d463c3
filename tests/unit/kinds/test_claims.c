/* SPDX-License-Identifier: Apache-2.0 */
/* What claims refuse, where they say it stands, and what they declare. */
#include "kinds_test.h"

static int setup(void **state)
{
	struct fixture *f = fixture_new(HOST_DRY);

	vars_set(&f->facts, "region", "cn-north-1", "test");
	vars_set(&f->facts, "dns-suffix", "amazonaws.com.cn", "test");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

#define X8  "xxxxxxxx"
#define X64 X8 X8 X8 X8 X8 X8 X8 X8

static void refusals(void **state)
{
	static const struct {
		const char *spec, *message;
		enum reason reason;
	} cases[] = {
	        {"hostname: " X64, "spec:1:11: '" X64 "' is not a host name", REASON_INPUT_RANGE},
	        {"hostname: a." X64 X8 ".b", "is not a host name", REASON_INPUT_RANGE},
	        {"hostname: node-", "'node-' is not a host name", REASON_INPUT_RANGE},
	        {"hostname: node1.", "'node1.' is not a host name", REASON_INPUT_RANGE},
	        {"hostname: .", "'.' is not a host name", REASON_INPUT_RANGE},
	        {"hostname: ''", "'' is not a host name", REASON_INPUT_RANGE},
	        {"hostname: a_b", "'a_b' is not a host name", REASON_INPUT_RANGE},
	        {"hostname: [a]", "expected a string, found a list", REASON_INPUT_TYPE},
	        {"packages: [a, '']", "spec:1:15: '' is not a package", REASON_INPUT_RANGE},
	        {"packages: [a=]", "'a=' is not a package", REASON_INPUT_RANGE},
	        {"packages: [a b]", "'a b' is not a package", REASON_INPUT_RANGE},
	        {"packages: {names: [a, ./b.deb]}", "spec:1:23: './b.deb' is not a package",
	         REASON_INPUT_RANGE},
	        {"packages: [sudo-]", "spec:1:12: 'sudo-' would make apt remove a package",
	         REASON_INPUT_RANGE},
	        {"packages: [sudo=1.9-]", "would make apt remove", REASON_INPUT_RANGE},
	        {"packages: [sudo/sid]", "'sudo/sid' names a release", REASON_INPUT_RANGE},
	        {"packages: [a~b]", "'a~b' is not a package", REASON_INPUT_RANGE},
	        {"mounts: [{path: /, type: tmpfs}]", "spec:1:17: '/' is the system's own",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /etc/, type: tmpfs}]", "'/etc' is the system's own",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /usr/lib, type: tmpfs}]", "'/usr/lib' is the system's own",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /var/lib/, type: tmpfs}]", "'/var/lib' is the system's own",
	         REASON_INPUT_RANGE},
	        {"users: [{name: x, uid: 65535}]", "spec:1:24: id 65535 is no account's",
	         REASON_INPUT_RANGE},
	        {"groups: [{name: x, gid: 65535}]", "spec:1:25: id 65535 is no account's",
	         REASON_INPUT_RANGE},
	        {"users: [{name: x, home: '/home/a:b'}]", "spec:1:25: '/home/a:b' contains a colon",
	         REASON_INPUT_RANGE},
	        {"users: [{name: x, shell: '/bin/a:b'}]", "spec:1:26: '/bin/a:b' contains a colon",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /var, type: tmpfs}]", "'/var' is the system's own",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /proc/sys, type: tmpfs}]", "'/proc/sys' is the kernel's",
	         REASON_INPUT_RANGE},
	        {"packages: {name: a}", "did you mean 'names'?", REASON_INPUT_UNKNOWN_KEY},
	        {"packages: {names: a, update: sometimes}",
	         "expected one of if-needed, always, never", REASON_INPUT_RANGE},
	        {"users: [{name: 1st}]", "spec:1:16: '1st' is not the name of a user",
	         REASON_INPUT_RANGE},
	        {"users: [{name: a, groups: [b, c:d]}]", "spec:1:31: 'c:d' is not the name",
	         REASON_INPUT_RANGE},
	        {"users: [{name: a, uid: -1}]", "'uid'", REASON_INPUT_RANGE},
	        {"users: [{name: a, uid: 4294967295}]", "'uid'", REASON_INPUT_RANGE},
	        {"users: [{name: a, shell: bash}]", "'bash' is not an absolute path",
	         REASON_INPUT_RANGE},
	        {"groups: [{name: " X64 "}]", "is not the name", REASON_INPUT_RANGE},
	        {"sysctl: {swappiness: 1}", "spec:1:22: 'swappiness' is not a kernel setting",
	         REASON_INPUT_RANGE},
	        {"sysctl: {vm..x: 1}", "'vm..x' is not a kernel setting", REASON_INPUT_RANGE},
	        {"sysctl: {vm.x: ''}", "the value of 'vm.x' is not one line", REASON_INPUT_RANGE},
	        {"sysctl: {vm.x: \"1\\nvm.y=2\"}", "the value of 'vm.x' is not one line",
	         REASON_INPUT_RANGE},
	        {"exports: {read-write: /home}", "'networks'", REASON_INPUT_REQUIRED},
	        {"exports: {networks: 10.0.0.0/24}", "spec:1:10: nothing is exported",
	         REASON_INPUT_REQUIRED},
	        {"exports: {networks: '*', read-write: /a}", "spec:1:21: '*' is not a network",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: node1, read-write: /a}", "'node1' is not a network",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0/24, read-write: /a}", "'10.0.0/24' is not a network",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/33, read-write: /a}",
	         "'10.0.0.0/33' is not a network", REASON_INPUT_RANGE},
	        {"exports: {networks: 'fd00::/129', read-write: /a}",
	         "'fd00::/129' is not a network", REASON_INPUT_RANGE},
	        {"exports: {networks: 0.0.0.0/0, read-write: /a}", "'0.0.0.0/0' is everybody",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: [10.0.0.0/8, 10.0.0.1/24], read-write: /a}",
	         "spec:1:34: '10.0.0.1/24' is an address within a network", REASON_INPUT_RANGE},
	        {"exports: {networks: 'fd00::1/64', read-write: /a}",
	         "the bits behind /64 must be zero", REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-write: home}",
	         "'home' is not an absolute path", REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-write: /}", "'/' is the whole machine",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-only: /etc}",
	         "spec:1:44: '/etc' belongs to this machine alone", REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-only: /root/x}",
	         "'/root/x' belongs to this machine alone", REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-only: '/a b'}", "'/a b' can't be exported",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-only: '/a(b'}", "'/a(b' can't be exported",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-write: [/a, /a/]}",
	         "spec:1:50: '/a' is exported twice", REASON_INPUT_DUPLICATE},
	        {"exports: {networks: 10.0.0.0/8, read-write: /a, read-only: [/b, //a]}",
	         "spec:1:65: '/a' is exported twice", REASON_INPUT_DUPLICATE},
	        {"exports: {networks: 10.0.0.0/8, read-only: /a, threads: 257}", "'threads'",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-only: /a, grace: 9s}", "'grace'",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: 10.0.0.0/8, read-only: /a, squash: no}",
	         "expected one of root, all, none", REASON_INPUT_RANGE},
	        {"munge: {key: 'https://a/b', create: yes}",
	         "spec:1:37: 'https://a/b' is not s3://", REASON_INPUT_RANGE},
	        {"munge: {key: 's3://abc/b', create: yes, sha256: 0}", "nobody knows the sha256",
	         REASON_INPUT_RANGE},
	        {"limits: {memlock: much}", "spec:1:19: 'much' is neither a size",
	         REASON_INPUT_RANGE},
	        {"limits: {nproc: 1M}", "'1M' is neither a number", REASON_INPUT_RANGE},
	        {"limits: {nofile: 1048577}", "'1048577' is not a number up to 1048576",
	         REASON_INPUT_RANGE},
	        {"limits: {stack: '2M:1M'}", "'2M:1M' is neither", REASON_INPUT_RANGE},
	        {"limits: {stack: '1M:'}", "'1M:' is neither", REASON_INPUT_RANGE},
	        {"limits: {memlok: 1}", "did you mean 'memlock'?", REASON_INPUT_UNKNOWN_KEY},
	        {"files: [{path: /a}]", "needs either 'content' or 'source'",
	         REASON_INPUT_REQUIRED},
	        {"files: [{path: /a, content: x, sha256: 00}]", "pins a 'source'",
	         REASON_INPUT_RANGE},
	        {"files: [{path: /a, source: 's3://bkt/k', sha256: 00}]",
	         "spec:1:50: '00' is not a sha256", REASON_INPUT_RANGE},
	        {"files: [{path: /a, state: link}]", "a link needs 'target'",
	         REASON_INPUT_REQUIRED},
	        {"files: [{path: /a, state: absent, owner: b}]",
	         "spec:1:42: 'owner' has no meaning for state 'absent'", REASON_INPUT_RANGE},
	        {"files: [{path: /a, content: x, owner: 'b c'}]", "'b c' is not the name",
	         REASON_INPUT_RANGE},
	        {"files: [{path: \"/a\\tb\", content: x}]", "control character",
	         REASON_INPUT_RANGE},
	        {"exports: {networks: [10.0.0.1], read-write: [/var]}",
	         "spec:1:46: '/var' contains '/var/lib/hpc-node'", REASON_INPUT_RANGE},
	        {"exports: {networks: [10.0.0.1], read-only: [/home, /var/lib]}",
	         "'/var/lib' contains", REASON_INPUT_RANGE},
	        {"exports: {networks: [10.0.0.1], read-only: [/etc/a]}", "machine alone",
	         REASON_INPUT_RANGE},
	        {"files: [{path: /a, source: 's3://bucket'}]",
	         "spec:1:28: 's3://bucket' names no object", REASON_INPUT_SYNTAX},
	        {"files: [{path: /a, source: 'file:a'}]", "expected file:/PATH",
	         REASON_INPUT_SYNTAX},
	        {"files: [{path: /a, source: 'file:/a/../b'}]", "contains '.' or '..'",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: nfs}]", "type 'nfs' needs 'source'",
	         REASON_INPUT_REQUIRED},
	        {"mounts: [{path: /a, type: nfs, source: ':/x'}]", "server:/export",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: nfs, source: 'h:/x y'}]", "blank", REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: nfs, source: 'h:/x', options: 'ro, soft'}]",
	         "spec:1:57: options contain a blank", REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: nfs, source: 'h:/x', options: 'ro,,soft'}]",
	         "an option is empty", REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: nfs, source: 'h:/x', tls: true}]",
	         "'tls' has no meaning for type 'nfs'", REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: efs, source: fs-01:x}]", "fs-ID:/dir",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: efs, source: fs-xyz}]", "fs-ID:/dir",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: efs, source: 'h:/', tls: true}]", "which 'tls' needs",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: efs, source: fs-01, tls: true, access-point: fs-02}]",
	         "'fs-02' is not of the form fsap-ID", REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: lustre, source: fs-01}]", "fs-ID:/name",
	         REASON_INPUT_RANGE},
	        {"mounts: [{path: /a, type: bind, source: b}]", "'b' is not an absolute path",
	         REASON_INPUT_RANGE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = {0};

		if (fixture_plan(f, cases[i].spec, &e) == 0)
			fail_msg("%s: was taken", cases[i].spec);
		if (e.kind != ERR_INPUT || e.reason != cases[i].reason ||
		    !strstr(e.text, cases[i].message) || !str_starts(e.text, "spec:1:"))
			fail_msg("%s: %s, %s", cases[i].spec, reason_row(e.reason)->name, e.text);
	}
}

#define X63 X8 X8 X8 X8 X8 X8 X8 "xxxxxxx"
#define X32 X8 X8 X8 X8

/* The last value before the one that is refused. */
static void limits_are_still_good(void **state)
{
	static const struct {
		const char *good, *bad;
	} cases[] = {
	        {"hostname: " X63, "hostname: " X64},
	        {"hostname: a." X32 X8 X8 X8 "xxxxxx", "hostname: a." X32 X8 X8 X8 "xxxxxxx"},
	        {"groups: [{name: " X32 "}]", "groups: [{name: " X32 "x}]"},
	        {"users: [{name: a, uid: 4294967293}]", "users: [{name: a, uid: 4294967294}]"},
	        {"users: [{name: a, gid: 4294967293}]", "users: [{name: a, gid: 4294967294}]"},
	        {"groups: [{name: a, gid: 4294967293}]", "groups: [{name: a, gid: 4294967294}]"},
	        {"users: [{name: root, uid: 0}]", "users: [{name: root, uid: 1}]"},
	        {"users: [{name: a, uid: 1}]", "users: [{name: a, uid: 0}]"},
	        {"groups: [{name: root, gid: 0}]", "groups: [{name: root, gid: 1}]"},
	        {"groups: [{name: a, gid: 1}]", "groups: [{name: a, gid: 0}]"},
	        {"limits: {nofile: 1048576}", "limits: {nofile: 1048577}"},
	        {"exports: {networks: 10.0.0.0/8, read-only: /a, threads: 1}",
	         "exports: {networks: 10.0.0.0/8, read-only: /a, threads: 0}"},
	        {"exports: {networks: 10.0.0.0/8, read-only: /a, threads: 256}",
	         "exports: {networks: 10.0.0.0/8, read-only: /a, threads: 257}"},
	        {"limits: {nofile: '1:1048576'}", "limits: {nofile: '1:1048577'}"},
	        {"limits: {nofile: '5:5'}", "limits: {nofile: '6:5'}"},
	        {"limits: {nproc: unlimited}", "limits: {nofile: unlimited}"},
	        {"limits: {nproc: 'infinity'}", "limits: {nofile: '1:infinity'}"},
	        {"limits: {stack: '1M:unlimited'}", "limits: {stack: 'unlimited:1M'}"},
	        {"limits: {stack: '1K:1M'}", "limits: {stack: 'x:1M'}"},
	        {"limits: {core: 0}", "limits: {core: ':1'}"},
	        {"limits: {sigpending: 18446744073709551614}",
	         "limits: {sigpending: 18446744073709551615}"},
	        {"sysctl: {a.b: 1}", "sysctl: {.a.b: 1}"},
	        {"sysctl: {a_-/9.B: 1}", "sysctl: {a.b.: 1}"},
	        {"sysctl: {a.b: ' 1 2'}", "sysctl: {a.b: \"1\\r2\"}"},
	        {"packages: ['a=1']", "packages: ['=1']"},
	        {"packages: [zZ0+._:9]", "packages: [+a]"},
	        {"packages: ['a=1~b']", "packages: ['a=1/b']"},
	        {"mounts: [{path: /proce, type: tmpfs}]", "mounts: [{path: /proc, type: tmpfs}]"},
	        {"mounts: [{path: /sysx/a, type: tmpfs}]", "mounts: [{path: /sys/a, type: tmpfs}]"},
	        {"mounts: [{path: /a, type: tmpfs, options: 'a!b'}]",
	         "mounts: [{path: /a, type: tmpfs, options: 'a b'}]"},
	        {"mounts: [{path: /a, type: tmpfs, options: 'a~'}]",
	         "mounts: [{path: /a, type: tmpfs, options: \"a\\x7f\"}]"},
	        {"mounts: [{path: /a, type: nfs, source: 'h:/x!'}]",
	         "mounts: [{path: /a, type: nfs, source: \"h:/x\\x7f\"}]"},
	        {"mounts: [{path: /a, type: nfs, source: 'h:/'}]",
	         "mounts: [{path: /a, type: nfs, source: 'h:'}]"},
	        {"mounts: [{path: /a, type: lustre, source: 'h:/x'}]",
	         "mounts: [{path: /a, type: lustre, source: 'h:/'}]"},
	        {"mounts: [{path: /a, type: efs, source: 'fs-0:/'}]",
	         "mounts: [{path: /a, type: efs, source: 'fs-0:'}]"},
	        {"mounts: [{path: /a, type: efs, source: fs-01, tls: true, access-point: fsap-9}]",
	         "mounts: [{path: /a, type: efs, source: fs-01, tls: true, access-point: fsap-}]"},
	        {"mounts: [{path: /a, type: efs, source: fs-01, tls: true, access-point: fsap-f}]",
	         "mounts: [{path: /a, type: efs, source: fs-01, tls: true, access-point: fsap-g}]"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = {0};

		assert_ok(fixture_plan(f, cases[i].good, &e));
		assert_err(fixture_plan(f, cases[i].bad, &e), ERR_INPUT, "spec:1:");
		assert_int_equal(e.reason, REASON_INPUT_RANGE);
	}
}

/* Each of the system's own directories, and the longest options and names. */
static void places_and_lengths(void **state)
{
	static const char *const own[] = {"/",     "/bin",   "/boot",  "/dev",    "/etc",
	                                  "/lib",  "/lib32", "/lib64", "/proc",   "/run",
	                                  "/sbin", "/sys",   "/usr",   "/libx32", "/var"};
	struct fixture *f = *state;
	char text[2050];
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		assert_err(fixture_plan(f,
		                        arena_printf(f->arena,
		                                     "mounts: [{path: %s, type: tmpfs}]\n", own[i]),
		                        &e),
		           ERR_INPUT, "is the system's own");
		if (!str_eq(own[i], "/proc") && !str_eq(own[i], "/sys"))
			assert_ok(fixture_plan(f,
			                       arena_printf(f->arena,
			                                    "mounts: [{path: %s/x, type: tmpfs}]\n",
			                                    i ? own[i] : ""),
			                       &e));
	}
	memset(text, 'x', sizeof text);
	text[2049] = '\0';
	assert_err(
	        fixture_plan(f,
	                     arena_printf(f->arena,
	                                  "mounts: [{path: /a, type: tmpfs, options: %s}]\n", text),
	                     &e),
	        ERR_INPUT, "options are longer than 2048 bytes");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	text[2048] = '\0';
	assert_ok(fixture_plan(
	        f, arena_printf(f->arena, "mounts: [{path: /a, type: tmpfs, options: %s}]\n", text),
	        &e));
	text[256] = '\0';
	assert_ok(fixture_plan(f, arena_printf(f->arena, "packages: [%s]\n", text), &e));
	text[256] = 'x';
	text[257] = '\0';
	assert_err(fixture_plan(f, arena_printf(f->arena, "packages: [%s]\n", text), &e), ERR_INPUT,
	           "is not a package");
}

/* A type that needs nothing needs no fact; one that the service names needs both. */
static void facts_of_an_address(void **state)
{
	static const char efs[] = "mounts: [{path: /a, type: efs, source: fs-01}]\n";
	struct fixture *f = *state;
	struct err e = {0};

	vars_unset(&f->facts, "dns-suffix");
	assert_err(fixture_plan(f, efs, &e), ERR_INPUT, "needs fact 'dns-suffix'");
	assert_int_equal(e.reason, REASON_INPUT_FACT);
	vars_unset(&f->facts, "region");
	assert_err(fixture_plan(f, efs, &e), ERR_INPUT, "'fs-01' needs fact 'region'");
	assert_err(fixture_plan(f, "mounts: [{path: /a, type: lustre, source: 'fs-01:/x'}]\n", &e),
	           ERR_INPUT, "needs fact 'region'");
	assert_ok(fixture_plan(f, "mounts: [{path: /a, type: lustre, source: 'h@tcp:/x'}]\n", &e));
	assert_ok(fixture_plan(f, "mounts: [{path: /a, type: efs, source: 'h:/x'}]\n", &e));
	assert_ok(
	        fixture_plan(f, "mounts: [{path: /a, type: efs, source: fs-01, tls: true}]\n", &e));
	assert_err(
	        fixture_plan(f, "mounts: [{path: /a, type: efs, source: fs-01, iam: true}]\n", &e),
	        ERR_INPUT, "need 'tls: true'");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
}

static void an_address_that_is_none(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	vars_set(&f->facts, "local-ipv4", "10.0.0", "test");
	assert_err(fixture_plan(f, "hostname: a\n", &e), ERR_INPUT,
	           "'10.0.0', which is no address");
	assert_int_equal(e.reason, REASON_INPUT_FACT);
}

static const char *words(struct fixture *f, const struct field_strings *list)
{
	struct strbuf out = STRBUF(f->arena, 4096);

	for (size_t i = 0; i < list->n; i++)
		strbuf_printf(&out, "%s%s", i ? " " : "", list->items[i]);
	return out.len ? out.data : "";
}

/* Several facts of the building hang on these names: other kinds need what these provide. */
static void what_is_declared(void **state)
{
	static const struct {
		const char *spec, *id, *provides, *needs;
	} cases[] = {
	        {"hostname: a", "hostname", "name:self", "path:/etc/hosts"},
	        {"packages: [slurmd=1, nfs-common]", "packages",
	         "pkg:slurmd user:slurm group:slurm pkg:nfs-common", "packages:sources name:self"},
	        {"groups: [{name: g}]", "groups:g", "group:g", ""},
	        {"groups: [{name: g, state: absent}]", "groups:g", "", ""},
	        {"users: [{name: u}]", "users:u", "user:u group:u", "path:/home"},
	        {"users: [{name: u, group: g, groups: [x], home: /shared/u}]", "users:u", "user:u",
	         "group:g group:x path:/shared"},
	        {"users: [{name: u, system: true, home: /shared/u}]", "users:u", "user:u group:u",
	         ""},
	        {"units: [{name: a.service}]", "units:a.service", "unit:a.service",
	         "path:/etc/systemd/system/a.service path:/etc/systemd/system/a.service.d/* pkg:*"},
	        {"sysctl: {vm.swappiness: 1}", "sysctl", "path:/etc/sysctl.d/90-hpc-node.conf", ""},
	        {"limits: {core: 0}", "limits",
	         "limits:system path:/etc/security/limits.d/90-hpc-node.conf "
	         "path:/etc/systemd/system.conf.d/90-hpc-node.conf",
	         ""},
	        {"mounts: [{path: /a//b/, type: nfs4, source: 'h:/x'}]", "mounts:/a/b",
	         "mount:/a/b path:/a/b", "path:/a pkg:nfs-common pkg:nfs-utils stage:start"},
	        {"mounts: [{path: /a, type: bind, source: /b/c}]", "mounts:/a", "mount:/a path:/a",
	         "path:/b/c stage:start"},
	        {"mounts: [{path: /a, type: efs, source: fs-01, tls: true}]", "mounts:/a",
	         "mount:/a path:/a", "pkg:amazon-efs-utils stage:start"},
	        {"files: [{path: /a/b, content: x, owner: u, group: g}]", "files:/a/b", "path:/a/b",
	         "user:u group:g path:/a"},
	        {"files: [{path: /a/b, state: absent}]", "files:/a/b", "", "path:/a"},
	        {"files: [{path: /a, source: 'file:/shared//x'}]", "files:/a", "path:/a",
	         "path:/shared/x"},
	        {"files: [{path: /etc/apt/sources.list.d/a, content: x}]",
	         "files:/etc/apt/sources.list.d/a",
	         "path:/etc/apt/sources.list.d/a packages:sources", "path:/etc/apt/sources.list.d"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = {0};

		assert_ok(fixture_plan(f, cases[i].spec, &e));
		assert_int_equal(f->plan.n, 1);
		assert_string_equal(f->plan.steps[0]->id, cases[i].id);
		assert_string_equal(words(f, &f->plan.steps[0]->provides), cases[i].provides);
		assert_string_equal(words(f, &f->plan.steps[0]->needs), cases[i].needs);
	}
}

/* A program of the machine by its path is somebody's; one that is searched for is nobody's. */
static void a_script_needs_the_program_that_it_runs(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "scripts: [{run: [/opt/x/run, /a]}]\n", &e));
	assert_non_null(strstr(words(f, &f->plan.steps[0]->needs), "path:/opt/x/run"));
	assert_null(strstr(words(f, &f->plan.steps[0]->needs), "path:/a"));
	assert_ok(fixture_plan(f, "scripts: [{run: [run, /a]}]\n", &e));
	assert_null(strstr(words(f, &f->plan.steps[0]->needs), "path:run"));
	assert_ok(fixture_plan(f, "scripts: [{source: 'file:/srv/s'}]\n", &e));
	assert_non_null(strstr(words(f, &f->plan.steps[0]->needs), "path:/srv/s"));
}

/* Whose home is elsewhere has nothing to wait for while a head that is away keeps the mount busy. */
static void a_start_script_waits_for_home_unless_told(void **state)
{
	static const char specs[][64] = {
	        "scripts: [{run: [a], stage: start}]\n",
	        "scripts: [{run: [a], stage: start, without-home: true}]\n"};
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, specs[0], &e));
	assert_non_null(strstr(words(f, &f->plan.steps[0]->needs), "mount:/home"));
	assert_ok(fixture_plan(f, specs[1], &e));
	assert_null(strstr(words(f, &f->plan.steps[0]->needs), "mount:"));
}

static void the_partition_is_the_instances(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(
	        fixture_plan(f, "mounts: [{path: /no/such/dir, type: efs, source: fs-01}]\n", &e));
	assert_ok(fixture_apply(f, &e));
	assert_non_null(strstr(f->record.data, "mount fs-01.efs.cn-north-1.amazonaws.com.cn:/ "));
}

static void every_kind_explains_itself(void **state)
{
	(void)state;
	for (const struct kind *const *k = kinds_all; *k; k++) {
		assert_ptr_equal(kinds_find((*k)->section), *k);
		assert_true(strlen((*k)->summary) > 10);
		for (const struct field *field = (*k)->fields; field->name; field++)
			if (!field->help || strlen(field->help) < 10)
				fail_msg("%s.%s has no help", (*k)->section, field->name);
	}
	assert_null(kinds_find("mount"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(refusals),
	        T(limits_are_still_good),
	        T(places_and_lengths),
	        T(facts_of_an_address),
	        T(an_address_that_is_none),
	        T(what_is_declared),
	        T(a_script_needs_the_program_that_it_runs),
	        T(a_start_script_waits_for_home_unless_told),
	        T(the_partition_is_the_instances),
	        T(every_kind_explains_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
