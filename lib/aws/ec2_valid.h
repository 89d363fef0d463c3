/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What EC2 accepts, by its API reference. Checked before anything is created: a refusal after the
 * upload would leave a snapshot behind.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

/* 3 to 128 of letters, digits and "()[] ./-'@_". */
bool ec2_valid_name(const char *name);

/* At most 255 printable ASCII characters. */
bool ec2_valid_description(const char *text);

/* UTF-8 without control characters; a key of 1 to 127 characters that doesn't begin with aws: in
 * any case, and a value of at most 255. EC2 allows one character more of each, EBS direct doesn't. */
bool ec2_valid_tag(const char *key, const char *value);

/* EC2's store of UEFI variables (GetInstanceUefiData; awslabs' uefivars, format "aws"): base64 of at
 * most EC2_UEFI_DATA_MAX characters, of what begins with AMZNUEFI. */
#define EC2_UEFI_DATA_MAX 64000
bool ec2_valid_uefi_data(const char *text);

/* 12 digits. */
bool ec2_valid_account(const char *id);

/* A valid date as 2027-01-01T00:00:00Z, after `now` and at most ten years later. */
bool ec2_valid_deprecation(const char *at, time_t now);
