/* SPDX-License-Identifier: Apache-2.0 */
/* Checks names, descriptions, tags and dates as EC2 would. */
#include "aws/ec2_valid.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/str.h"

#define NAME_CHARS        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789()[] ./-'@_"
#define DESCRIPTION_MAX   255
#define TAG_KEY_MAX       127
#define TAG_VALUE_MAX     255
#define DEPRECATION_YEARS 10
#define UEFI_MAGIC        "AMZNUEFI"

bool ec2_valid_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 3 && len <= 128 && strspn(name, NAME_CHARS) == len;
}

bool ec2_valid_description(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			return false;
	return strlen(text) <= DESCRIPTION_MAX;
}

/* The number of characters; SIZE_MAX when it isn't UTF-8 or has a control character. */
static size_t characters(const char *text)
{
	size_t n = 0, bad;

	if (!str_utf8_valid((struct blob){text, strlen(text)}, &bad))
		return SIZE_MAX;
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < ' ' || c == 0x7f)
			return SIZE_MAX;
		n += (c & 0xc0) != 0x80;
	}
	return n;
}

bool ec2_valid_tag(const char *key, const char *value)
{
	size_t len = characters(key);

	return len >= 1 && len <= TAG_KEY_MAX && characters(value) <= TAG_VALUE_MAX &&
	       strncasecmp(key, "aws:", 4) != 0;
}

bool ec2_valid_uefi_data(const char *text)
{
	size_t len = strlen(text), n = 0;
	scope_mem char *data = malloc(EC2_UEFI_DATA_MAX);

	if (!data)
		abort();
	/* The decoder also takes spaces, which EC2 doesn't. */
	return len <= EC2_UEFI_DATA_MAX && strcspn(text, " \r\n\t") == len &&
	       str_base64_decode((struct blob){text, len}, data, EC2_UEFI_DATA_MAX, &n) == 0 &&
	       n > sizeof UEFI_MAGIC - 1 && memcmp(data, UEFI_MAGIC, sizeof UEFI_MAGIC - 1) == 0;
}

bool ec2_valid_account(const char *id)
{
	return strlen(id) == 12 && strspn(id, "0123456789") == 12;
}

bool ec2_valid_deprecation(const char *at, time_t now)
{
	struct tm tm = {0}, limit;
	const char *end = strptime(at, "%Y-%m-%dT%H:%M:%SZ", &tm);
	char again[32];
	time_t when;

	if (!end || *end)
		return false;
	/* timegm() normalizes an invalid date: 30 February becomes 2 March. */
	when = timegm(&tm);
	strftime(again, sizeof again, "%Y-%m-%dT%H:%M:%SZ", &tm);
	gmtime_r(&now, &limit);
	limit.tm_year += DEPRECATION_YEARS;
	return str_eq(at, again) && when > now && when <= timegm(&limit);
}
