/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a launch failed, by EC2's code, and so what is done next. The codes are those of EC2's API
 * reference, "Error codes", and of an instance's stateReason.
 */
#pragma once

enum cause {
	CAUSE_CAPACITY,  /* EC2 has none of this type there: the next pool; this one rests */
	CAUSE_ADDRESSES, /* the subnet is full: the next pool in another subnet */
	CAUSE_LIMIT,     /* a quota of the account: no pool helps; later */
	CAUSE_THROTTLE,  /* too fast: the same request, later. Never taken for lack of capacity */
	CAUSE_DENIED,    /* we may not: all launches rest */
	CAUSE_PARAMETER, /* the request is wrong: its resource rests until `start` */
	CAUSE_YOUNG,     /* IAM hasn't spread what was just made: the same pool, soon */
	CAUSE_MISMATCH,  /* the token was used for another request: look for what it launched */
	CAUSE_SERVER,    /* no usable answer: the same request with the same token */
	CAUSE_ENDED,     /* somebody ended it, or it shut itself down */
	CAUSE_COUNT
};

/* `code` "" where EC2 didn't answer; `message` may be "". Codes that nobody knows are PARAMETER. */
enum cause cause_of(const char *code, const char *message);
/* The same of an instance's stateReason, "Server.InsufficientInstanceCapacity"; codes that nobody
 * knows are ENDED: it was launched, so that no parameter is wrong. */
enum cause cause_of_end(const char *reason);

const char *cause_name(enum cause cause); /* "capacity" */
