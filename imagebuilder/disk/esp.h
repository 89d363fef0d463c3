/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EFI system partition of a disk that is a base. A disk made of it gets a new one, with this
 * builder's loader alone: so what isn't a loader, or a part of GRUB, would be lost.
 */
#pragma once

#include "disk/rawdisk.h"

/* ERR_INPUT naming such files; 0 where there are none, and where the disk has no such partition or
 * an unformatted one. Reads by mdir(1) of mtools. */
int esp_check(const struct rawdisk *d, uint64_t deadline, struct err *e) ATTR_MUST_USE;
