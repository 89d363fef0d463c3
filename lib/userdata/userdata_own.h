/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the files of userdata. */
#pragma once

#include "userdata/userdata.h"

/* Whether it begins with UTF-16's byte order mark, in either byte order. */
bool userdata_is_utf16(struct blob raw);
/* The same text in UTF-8; invalid characters become U+FFFD. */
struct blob userdata_from_utf16(struct blob raw, struct arena *a);
