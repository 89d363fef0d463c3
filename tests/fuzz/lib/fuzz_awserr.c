/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes an error document of AWS's services, as text of any kind. */
#include "cloud/awserr.h"
#include "fuzz.h"

/* The first two bytes are the status, the rest is the body. Whatever it is, there is one thing to
 * do. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_trouble t;
	struct http_exchange x = {.trouble = &t};
	const struct awserr_row *row;
	struct awserr ae;

	if (size < 2)
		return 0;
	x.status = 100 + (data[0] * 256 + data[1]) % 500;
	data += 2;
	size -= 2;
	t.len = size < sizeof t.body ? size : sizeof t.body;
	memcpy(t.body, data, t.len);
	awserr_read(&x, &ae);
	FUZZ_CHECK(memchr(ae.code, 0, sizeof ae.code) && memchr(ae.message, 0, sizeof ae.message));
	FUZZ_CHECK(memchr(ae.region, 0, sizeof ae.region));
	FUZZ_CHECK(memchr(ae.endpoint, 0, sizeof ae.endpoint));
	row = awserr_row(&x, &ae, NULL, "eu-west-1", 0);
	FUZZ_CHECK(row && row->kind != ERR_NONE && row->no > 0 && row->action <= AWSERR_REDIRECT);
	FUZZ_CHECK((row->kind == ERR_RETRY) ==
	           (row->action == AWSERR_RETRY || row->action == AWSERR_THROTTLE));
	return 0;
}
