/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port to the machine: the only way anything above changes it, by this floor and machine.
 *
 * A host has a root ("/" or an image's) and a mode. Live does what it is told. Dry reads the same
 * machine but changes nothing: each change is only recorded, and this host then answers as if it
 * had been made. A call that finds the wanted state already there changes and records nothing, so a
 * second run can be proved to have done nothing. Paths are absolute and resolved inside the root.
 * Every wait ends by its deadline (clock.h). A host isn't shared between threads.
 *
 * The record, one line a change, the same in both modes; owners and paths as asked for:
 *     mkdir PATH MODE USER:GROUP                  missing parents come with it, 0755 root:root
 *     chmod PATH MODE USER:GROUP                  a directory that was there
 *     write PATH MODE USER:GROUP N bytes sha256:HEX16     or "... secret" for the last three
 *     symlink PATH -> TARGET
 *     remove PATH
 *     run [user=U] [cwd=D] [stdin=N] ARG...       'quoted' where it isn't plain
 *     mount SOURCE TARGET TYPE OPTIONS            "-" for no options
 *     unit start|restart|stop|enable|disable NAME
 *     unit daemon-reload
 *     hostname NAME
 *     filter TABLE refuse ADDRESS ADDRESS6 but to UID...     or "remove"
 *     filter TABLE refuse ADDRESS ADDRESS6 to cgroup ID
 *     sysctl NAME = VALUE
 * A dry host tells more of a change in lines that begin with a space, right after its own: of a file
 * that is there, how its content would differ, in the unified form of diff(1), at most 64 lines.
 * Content is shown only if everybody may read it, before and after.
 *
 * A line is written when the change was made; of programs and unit actions when it begins, since a
 * failing one may have changed things.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

struct host; /* opaque */

enum host_mode { HOST_LIVE, HOST_DRY };

/* Opens the root; ERR_HOST when it isn't a directory. host_close(NULL) is fine. */
int host_open(const char *root, enum host_mode mode, struct host **ret,
              struct err *e) ATTR_MUST_USE;
void host_close(struct host *h);
enum host_mode host_mode(const struct host *h);
const char *host_root(const struct host *h);
int host_root_fd(const struct host *h);
/* True when the root is "/": units, the hostname and sysctl are then the running machine's. */
bool host_is_self(const struct host *h);
/* For a process that has entered an image, so that "/" is the image's root: the host then behaves
 * as it would from outside, nothing is running in it. */
void host_set_offline(struct host *h);
/* Programs run in it get SOURCE_DATE_EPOCH, by which what they make has the same times and bytes
 * whenever it is made. */
void host_set_epoch(struct host *h, int64_t seconds);

typedef void host_recorder_fn(void *ctx, const char *change);
void host_record_to(struct host *h, host_recorder_fn *fn, void *ctx);

/* The rest of the port, one header for each subject; what only a kernel and a service manager keep
 * (mounts, units, the packet filter, settings) is in machine/, in the same record. */
#include "host/exec.h"
#include "host/host_file.h"
#include "host/user.h"
