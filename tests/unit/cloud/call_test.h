/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of call.c share: a scripted service, a call of it, and what was logged. */
#pragma once

#include "unit.h"

#include "base/log.h"
#include "cloud/call.h"
#include "script.h"

#define WALL       1767225600
#define LIMIT_MS   60000
#define POST       "POST /p "
#define POST_ANY   "POST /p"
#define CODE(code) "<Error><Code>" code "</Code><Message>words</Message></Error>"

static struct err e;
static struct script s;
static struct cloud *c;
static struct call k;
static struct http_buffer body;

static inline int setup(void **state)
{
	(void)state;
	script_clock_fast(WALL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	script_clock_real();
	http_exchange_close(&k.x);
	http_buffer_close(&body);
	cloud_close(c);
	c = NULL;
	script_stop(&s);
	return 0;
}

static inline int place(struct cloud *cloud, struct call *call, struct arena *a, struct err *err)
{
	call->path = "/p";
	static const struct call_service service = {"svc"};

	return call_place(cloud, call, &service, s.url, "AWS_ENDPOINT_URL", a, err);
}

static inline void begin(const struct script_row *rows, bool fixed)
{
	script_stop(&s);
	cloud_close(c);
	s = script_start(rows);
	c = cloud_open(&(struct cloud_config){.imds_endpoint = s.url,
	                                      .region = "eu-west-1",
	                                      .access_key = fixed ? "AKIAFIXED" : NULL,
	                                      .secret_key = fixed ? "secret" : NULL});
}

static inline int call(uint64_t ms)
{
	http_exchange_close(&k.x);
	e = (struct err){0};
	k = (struct call){
	        .doing = "asking 'x'",
	        .service = "svc",
	        .method = "POST",
	        .custom = true,
	        .place = place,
	};
	k.x.max = 100;
	k.x.begin = http_buffer_begin;
	k.x.write = http_buffer_write;
	k.x.ctx = &body;
	return call_run(c, &k, clock_in_ms(ms), &e);
}

static char logged[4][600];
static int n_logged;

static inline void keep_log(void *ctx, enum log_level level, const char *text,
                            const struct log_field *fields, size_t n)
{
	(void)ctx, (void)level, (void)fields, (void)n;
	snprintf(logged[n_logged++ % 4], sizeof logged[0], "%s", text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
