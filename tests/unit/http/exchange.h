/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of http share: the server of server.h, and exchanges with it. */
#pragma once

#include "unit.h"

#include "base/clock.h"
#include "http/http_wire.h"
#include "server.h"

static struct server server;
static struct http *http;
static struct err e;

struct one {
	struct http_exchange x;
	struct http_buffer body;
	char url[128];
};

static inline void prepare(struct one *o, const char *path)
{
	http_exchange_close(&o->x);
	snprintf(o->url, sizeof o->url, "http://127.0.0.1:%d%s", server.port, path);
	o->x = (struct http_exchange){.traffic = HTTP_SERVICE,
	                              .plain = true,
	                              .method = "GET",
	                              .url = o->url,
	                              .max = 1000,
	                              .deadline = clock_in_ms(15000),
	                              .begin = http_buffer_begin,
	                              .write = http_buffer_write,
	                              .ctx = &o->body};
}

static inline int get(struct one *o, const char *path)
{
	prepare(o, path);
	return http_run(http, &o->x, &e);
}

static inline void drop(struct one *o)
{
	http_exchange_close(&o->x);
	http_buffer_close(&o->body);
}

static inline int setup(void **state)
{
	(void)state;
	server = server_start();
	http = http_new(NULL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	http_close(http);
	server_stop(&server);
	return 0;
}
