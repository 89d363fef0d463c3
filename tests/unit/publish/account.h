/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An account of AWS, as far as publishing sees it: a scripted server that answers each call with
 * what on() said, and else as if all went well. Waits take milliseconds.
 */
#pragma once

#include "scratch.h"
#include "script.h"

#define WALL 1767225600 /* 2026-01-01 */

#define EC2(text) "<R><requestId>1</requestId>" text "</R>"
#define REFUSAL(code)                                                                              \
	"<Response><Errors><Error><Code>" code "</Code><Message>words</Message></Error></Errors>"  \
	"<RequestID>1</RequestID></Response>"
#define NO_IMAGE    EC2("<imagesSet/>")
#define IMAGE(text) EC2("<imagesSet><item><imageId>ami-1</imageId>" text "</item></imagesSet>")
#define ON_SNAPSHOT(id)                                                                            \
	"<blockDeviceMapping><item><ebs><snapshotId>" id "</snapshotId></ebs></item>"              \
	"</blockDeviceMapping>"
#define SNAPSHOT(text)                                                                             \
	EC2("<snapshotSet><item><snapshotId>snap-1</snapshotId>" text "</item></snapshotSet>")
#define JSON_ERROR(type) "Content-Type: application/json\r\nx-amzn-ErrorType: " type "\r\n"

/* The calls, by what is in their requests. */
#define START       "POST /snapshots HTTP"
#define PUT         "PUT /snapshots/snap-1/blocks/"
#define COMPLETE    "POST /snapshots/completion/snap-1"
#define SNAPSHOTS   "Action=DescribeSnapshots"
#define IMAGES      "Action=DescribeImages"
#define BY_DIGEST   "Filter.1.Name=tag%3Ahpc-imagebuild%3Adigest"
#define BY_RUN      "Filter.1.Name=tag%3Ahpc-imagebuild%3Arun"
#define BY_NAME     "Filter.1.Name=name"
#define BY_ID       "ImageId.1=ami-1"
#define ENCRYPTS    "Action=GetEbsEncryptionByDefault"
#define REGISTER    "Action=RegisterImage"
#define DEPRECATE   "Action=EnableImageDeprecation"
#define SHARE_IMAGE "Action=ModifyImageAttribute"
#define SHARE_SNAP  "Action=ModifySnapshotAttribute"
#define COPY        "Action=CopyImage"
#define ALIAS       "AmazonSSM.PutParameter"
#define DEREGISTER  "Action=DeregisterImage"
#define DELETE_SNAP "Action=DeleteSnapshot"

static const struct script_row account_default[] = {
        {"", 0, 201, "Content-Type: application/json\r\n", "{\"SnapshotId\":\"snap-1\"}",
         .has = START},
        {"", 0, 201, NULL, NULL, .has = PUT},
        {"", 0, 202, NULL, "{\"Status\":\"pending\"}", .has = COMPLETE},
        {"", 0, 200, NULL, SNAPSHOT("<status>completed</status>"), .has = SNAPSHOTS},
        {"", 0, 200, NULL, IMAGE("<imageState>available</imageState>"), .has = BY_ID},
        {"", 0, 200, NULL, NO_IMAGE, .has = IMAGES},
        {"", 0, 200, NULL, EC2("<ebsEncryptionByDefault>false</ebsEncryptionByDefault>"),
         .has = ENCRYPTS},
        {"", 0, 200, NULL, EC2("<imageId>ami-1</imageId>"), .has = REGISTER},
        {"", 0, 200, NULL, EC2("<imageId>ami-2</imageId>"), .has = COPY},
        {"", 0, 200, NULL, EC2("<return>true</return>"), .has = "Version=2016-11-15"},
        {"", 0, 200, NULL, "{\"Version\":1}", .has = ALIAS},
        {0},
};

static struct script_row account_rows[SCRIPT_ROWS_MAX];
static size_t account_n;
static struct script account;

/* So often (0: always) that answers a call; before account_open(), in order. */
static inline void on(const char *call, int times, int status, const char *body)
{
	account_rows[account_n++] = (struct script_row){
	        .match = "", .has = call, .times = times, .status = status, .body = body};
}

/* A refusal of EBS or SSM. */
static inline void on_refusal(const char *call, int times, const char *headers)
{
	account_rows[account_n++] = (struct script_row){
	        .match = "", .has = call, .times = times, .status = 400, .headers = headers};
}

static inline void account_close(void)
{
	script_stop(&account);
	account_n = 0;
}

/* From now on the rows said by on() answer, and no earlier request is remembered. */
static inline void account_open(void)
{
	script_stop(&account);
	memcpy(account_rows + account_n, account_default, sizeof account_default);
	account = script_start(account_rows);
	account_n = 0;
}

/* How many requests have it in them. */
static inline int asked(const char *part)
{
	int n = 0;

	for (int i = 0; i < account.shared->requests; i++)
		n += strstr(account.shared->text[i], part) != NULL;
	return n;
}

/* Whether the last request with `call` in it has `part` too. */
static inline bool asked_with(const char *call, const char *part)
{
	const char *last = "";

	for (int i = 0; i < account.shared->requests; i++)
		if (strstr(account.shared->text[i], call))
			last = account.shared->text[i];
	return strstr(last, part) != NULL;
}

/* The number of the last request that has it, from 1; 0: none. */
static inline int when_asked(const char *part)
{
	int at = 0;

	for (int i = 0; i < account.shared->requests; i++)
		if (strstr(account.shared->text[i], part))
			at = i + 1;
	return at;
}
