/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes under short names; both gcc 11+ and clang 14+ know them. */
#pragma once

#define ATTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ATTR_MUST_USE          __attribute__((warn_unused_result))
#define ATTR_MALLOC            __attribute__((malloc, returns_nonnull))
#define ATTR_COLD              __attribute__((cold))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
