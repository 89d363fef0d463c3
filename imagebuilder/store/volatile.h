/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes what a new layer has no use for: package lists and downloads, caches that are rebuilt,
 * logs of the build, backup copies that tools keep. Done before a layer is published, so that it is
 * small and shows nothing of when it was made. Directories stay, with their owners.
 */
#pragma once

void volatile_remove(const char *tree);
