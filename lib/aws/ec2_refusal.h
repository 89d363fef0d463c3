/* SPDX-License-Identifier: Apache-2.0 */
/* What EC2 said when it refused a call, for those who decide by it what to do next. */
#pragma once

struct ec2_refusal {
	char code[64]; /* "InsufficientInstanceCapacity"; "": there was no answer, or none by EC2 */
	char request[80];  /* the request's id, for AWS's support, or "" */
	char message[300]; /* in its words, printable */
};
