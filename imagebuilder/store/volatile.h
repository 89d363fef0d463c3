/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a new layer has no use for: package lists and downloads, caches that are made again, logs of
 * the build, old copies that tools keep. Taken out before a layer is published, so that it is small
 * and says nothing of when it was made. Directories stay, with their owners.
 */
#pragma once

void volatile_remove(const char *tree);
