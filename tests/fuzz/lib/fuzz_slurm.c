/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes what scontrol and slurm.conf say. */
#include <errno.h>

#include "fuzz.h"
#include "slurm/slurm_own.h"

/* A record of scontrol, and a complaint. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blob text = {(const char *)data, size};
	struct slurm_node n = {.state = "untouched"};
	struct err e = {0};
	int r = slurm_node_parse(text, &n);

	FUZZ_CHECK(r == 0 || r == -EINVAL);
	if (r == 0) {
		FUZZ_CHECK(*n.state && memchr(n.state, 0, sizeof n.state));
		FUZZ_CHECK(memchr(n.reason, 0, sizeof n.reason) && !strchr(n.reason, '\n'));
		FUZZ_CHECK(slurm_node_verdict(&n, 1) <= SLURM_DOWN);
	} else {
		FUZZ_CHECK(str_eq(n.state, "untouched"));
	}
	r = slurm_complain(text, "doing", &e);
	FUZZ_CHECK(r < 0 && e.no == -r && e.kind != ERR_NONE && !strchr(e.text, '\n'));
	return 0;
}
