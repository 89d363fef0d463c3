/* SPDX-License-Identifier: Apache-2.0 */
/* Where a service may send a call: to another of its partition's hosts, and to no other. */
#include "cloud/call.h"

#include <errno.h>

#include "base/clock.h"
#include "network.h"
#include "tls.h"

static struct arena *arena;
static struct err e;
static struct cloud *c;
static struct call k;
static const char *moved; /* where the last try would have gone */
static const char *at;    /* where all go */

static int begin(void **state)
{
	(void)state;
	arena = arena_new();
	tls_begin();
	at = "127.0.0.1:" TLS_PORT;
	c = cloud_open(&(struct cloud_config){.ca_bundle = tls_path("cert.pem", arena),
	                                      .no_metadata = true,
	                                      .region = "eu-west-1",
	                                      .access_key = "AKIA",
	                                      .secret_key = "secret"});
	return 0;
}

static int end(void **state)
{
	(void)state;
	call_close(&k);
	cloud_close(c);
	tls_end();
	arena_close(arena);
	return 0;
}

/* The service is always here, whatever its name. */
static int place(struct cloud *cloud, struct call *call, struct arena *a, struct err *err)
{
	(void)cloud, (void)a, (void)err;
	moved = call->moved;
	call->at = (struct endpoint){.tls = true, .authority = at, .prefix = ""};
	call->path = "/r";
	return 0;
}

static int call(const char *region, uint64_t ms)
{
	call_close(&k);
	e = (struct err){0};
	moved = NULL;
	k = (struct call){.doing = "asking",
	                  .service = "svc",
	                  .method = "GET",
	                  .region = region,
	                  .place = place};
	k.x.max = 100;
	return call_run(c, &k, clock_in_ms(ms), &e);
}

static void redirect_to(const char *location, const char *body)
{
	tls_put("r", arena_printf(arena,
	                          "HTTP/1.1 307 X\r\n%s%s%sConnection: close\r\n"
	                          "Content-Length: %zu\r\n\r\n%s",
	                          location ? "Location: " : "", location ? location : "",
	                          location ? "\r\n" : "", strlen(body), body));
}

static void hosts_of_the_partition(void **state)
{
	static const struct {
		const char *location, *host; /* NULL: it may not lead there */
	} rows[] = {
	        {"https://b.s3.eu-west-1.amazonaws.com/key?x", "b.s3.eu-west-1.amazonaws.com"},
	        {"https://b.amazonaws.com", "b.amazonaws.com"},
	        {"https://b.amazonaws.com?x=y", "b.amazonaws.com"},
	        {"https://b.amazonaws.com#x", "b.amazonaws.com"},
	        {"b.amazonaws.com/key", "b.amazonaws.com"},
	        {"https://amazonaws.com/", NULL},
	        {"https://.amazonaws.com/", NULL},
	        {"https://xamazonaws.com/", NULL},
	        {"https://b.amazonaws.com.example/", NULL},
	        {"https://b.amazonaws.com:8443/", NULL},
	        {"https://u@b.amazonaws.com/", NULL},
	        {"http://b.amazonaws.com/", NULL},
	        {"https://192.0.2.1/", NULL},
	        {"https://b.amazonaws.com.cn/", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		redirect_to(rows[i].location, "");
		assert_err(call(NULL, 30000), ERR_DENIED, "status 307");
		assert_int_equal(e.reason, REASON_HTTP_REDIRECT);
		if (!rows[i].host) {
			assert_null(moved);
			assert_int_equal(k.tries, 1);
			continue;
		}
		/* Twice, and then no more. */
		assert_string_equal(moved, rows[i].host);
		assert_int_equal(k.tries, 3);
	}
}

static void an_endpoint_in_the_body(void **state)
{
	(void)state;
	redirect_to(NULL, "<Error><Code>TemporaryRedirect</Code>"
	                  "<Endpoint>b.s3.amazonaws.com</Endpoint></Error>");
	assert_err(call(NULL, 30000), ERR_DENIED, "TemporaryRedirect");
	assert_string_equal(moved, "b.s3.amazonaws.com");
	/* The header counts more. */
	redirect_to("https://other.amazonaws.com/",
	            "<Error><Code>TemporaryRedirect</Code>"
	            "<Endpoint>b.s3.amazonaws.com</Endpoint></Error>");
	assert_err(call(NULL, 30000), ERR_DENIED, "TemporaryRedirect");
	assert_string_equal(moved, "other.amazonaws.com");
	redirect_to(NULL, "<Error><Code>TemporaryRedirect</Code></Error>");
	assert_err(call(NULL, 30000), ERR_DENIED, "TemporaryRedirect");
	assert_null(moved);
	assert_int_equal(k.tries, 1);
}

/* Who can't be reached in another region than the instance's may have no route to it. */
static void a_region_that_is_out_of_reach(void **state)
{
	(void)state;
	at = "127.0.0.1:9";
	assert_err(
	        call("us-west-2", 1000), ERR_RETRY,
	        "; it is in region 'us-west-2' and this instance in 'eu-west-1': is there a route?");
	assert_int_equal(e.reason, REASON_HTTP_UNREACHABLE);
	assert_err(call("eu-west-1", 1000), ERR_RETRY, "127.0.0.1:9");
	assert_null(strstr(e.text, "is there a route?"));
}

static int own_network(void **state)
{
	(void)state;
	network_own();
	return 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        TEST(hosts_of_the_partition),
	        TEST(an_endpoint_in_the_body),
	        TEST(a_region_that_is_out_of_reach),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
