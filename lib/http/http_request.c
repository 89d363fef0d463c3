/* SPDX-License-Identifier: Apache-2.0 */
/* Sets up libcurl for one request. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "http/http_wire.h"

#define HEADER_TEXT_MAX (24 * 1024) /* the services take 8 KiB of headers, and 16 KiB at most */
#define LOW_SPEED_BYTES 1024L
#define UPLOAD_BUFFER   (512 * 1024L)

static const struct traffic_row {
	const char *protocols, *plain_protocols;
	long mask, plain_mask;
	uint64_t connect_ms, total_ms;
} traffic_rows[] = {
        [HTTP_METADATA] = {"http", "http", CURLPROTO_HTTP, CURLPROTO_HTTP, 1000, 2000},
        [HTTP_SERVICE] = {"https", "http,https", CURLPROTO_HTTPS, CURLPROTO_HTTP | CURLPROTO_HTTPS,
                          5000, INT32_MAX},
        [HTTP_WEB] = {"https", "http,https", CURLPROTO_HTTPS, CURLPROTO_HTTP | CURLPROTO_HTTPS,
                      5000, INT32_MAX},
};

static bool printable(const char *s, char lowest)
{
	for (; *s; s++)
		if (*s < lowest || *s > '~')
			return false;
	return true;
}

static int check(struct http_exchange *x, size_t *ret_text)
{
	size_t len = 1;

	if (!printable(x->url, '!'))
		return err_set(&x->err, ERR_BUG, REASON_BUG, EINVAL, "a url that isn't encoded");
	if (x->n_headers > HTTP_HEADERS_MAX)
		return err_set(&x->err, ERR_BUG, REASON_BUG, E2BIG, "too many request headers");
	for (size_t i = 0; i < x->n_headers; i++) {
		const struct http_header *h = &x->headers[i];

		if (!printable(h->name, '!') || !printable(h->value, ' '))
			return err_set(
			        &x->err, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
			        "the value for header '%s' has a character that HTTP doesn't allow",
			        h->name);
		len += strlen(h->name) + strlen(h->value) + 3;
	}
	if (len > HEADER_TEXT_MAX)
		return err_set(&x->err, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "request headers larger than %d KiB", HEADER_TEXT_MAX / 1024);
	*ret_text = len;
	return 0;
}

static void list_add(struct http_wire *w, size_t i, char *line)
{
	w->list[i].data = line;
	if (i)
		w->list[i - 1].next = &w->list[i];
}

/* "Name: value", or "Name;" for an empty value: libcurl's way to send a header without one. */
static void build_headers(struct http_wire *w, const struct http_exchange *x)
{
	static char no_expect[] = "Expect:", no_type[] = "Content-Type:";
	bool typed = false;
	size_t n = 0;
	char *at = w->text;

	for (; n < x->n_headers; n++) {
		const struct http_header *h = &x->headers[n];
		size_t name = strlen(h->name), value = strlen(h->value);

		list_add(w, n, at);
		at = mempcpy(at, h->name, name);
		at = mempcpy(at, value ? ": " : ";", value ? 2 : 1);
		at = mempcpy(at, h->value, value + 1);
		typed |= strcasecmp(h->name, "Content-Type") == 0;
	}
	list_add(w, n++, no_expect);
	if (!typed)
		list_add(w, n, no_type);
}

static void set_method(CURL *c, const struct http_exchange *x)
{
	if (str_eq(x->method, "GET")) {
		curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	} else {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->body.len ? x->body.data : "");
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
		if (x->body.len >= UPLOAD_BUFFER)
			curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	}
}

static void set_protocols(CURL *c, const struct http_exchange *x)
{
	const struct traffic_row *row = &traffic_rows[x->traffic];

#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
	                 x->plain ? row->plain_protocols : row->protocols);
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, x->plain ? row->plain_mask : row->mask);
#endif
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "hpc-node");
}

/* "0a1b2c3d.0": an authority's certificate by the hash of its name. */
static bool is_hashed(const char *dir)
{
	scope_dir DIR *d = opendir(dir);

	for (const struct dirent *f; d && (f = readdir(d));)
		if (strlen(f->d_name) == 10 && str_ends(f->d_name, ".0") &&
		    strspn(f->d_name, "0123456789abcdef") == 8)
			return true;
	return false;
}

/*
 * Reading all of the system's authorities costs libcrypto more than the rest of a request (25 of 40
 * ms). Where the directory that this libcurl knows is an index of them, only those needed are read.
 */
static const char *indexed_authorities(void)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	const char *dir = v->age >= CURLVERSION_SEVENTH ? v->capath : NULL;

	return dir && is_hashed(dir) ? dir : NULL;
}

static void set_authorities(CURL *c, struct http *h)
{
	if (h->ca_bundle) {
		curl_easy_setopt(c, CURLOPT_CAINFO, h->ca_bundle);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
		return;
	}
	if (!h->ca_known) {
		h->ca_known = true;
		h->ca_dir = indexed_authorities();
	}
	if (h->ca_dir) {
		curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(c, CURLOPT_CAPATH, h->ca_dir);
	}
}

static void set_tls(CURL *c, struct http *h, const struct http_exchange *x)
{
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (str_starts(x->url, "https:"))
		set_authorities(c, h);
}

static void set_limits(CURL *c, struct http_wire *w, const struct http_exchange *x)
{
	const struct traffic_row *row = &traffic_rows[x->traffic];
	uint64_t left = clock_left_ms(x->deadline);

	w->limit_ms = left < row->total_ms ? left : row->total_ms;
	w->connect_ms = w->limit_ms < row->connect_ms ? w->limit_ms : row->connect_ms;
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)w->limit_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)w->connect_ms);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)http_stall_s(x));
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	/* A connection that is there would not be looked at by on_open(). */
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, x->fresh || x->traffic == HTTP_WEB ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_DNS_CACHE_TIMEOUT, x->fresh ? 0L : 60L);
}

/* An http address that a user's document names is not a way to the metadata service, whose answers
 * would then be a file. */
static bool is_link_local(const struct curl_sockaddr *a)
{
	const struct sockaddr *addr = &a->addr;
	const struct sockaddr_in *v4 = (const void *)addr;
	const struct sockaddr_in6 *v6 = (const void *)addr;
	static const unsigned char metadata[] = {0xfd, 0x00, 0x0e, 0xc2}; /* fd00:ec2::/32 */

	if (a->family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 16 == 0xa9fe; /* 169.254.0.0/16 */
	if (a->family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return v6->sin6_addr.s6_addr[12] == 169 && v6->sin6_addr.s6_addr[13] == 254;
	return IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ||
	       memcmp(&v6->sin6_addr, metadata, sizeof metadata) == 0;
}

/* Opens sockets with SOCK_CLOEXEC, which the libcurl of some distributions doesn't. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_exchange *x = ctx;
	struct http *h = x->http;
	if (x->traffic == HTTP_WEB && is_link_local(a)) {
		err_set(&x->err, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EPERM,
		        "the address is link-local, where the metadata service is: nothing is "
		        "fetched from there");
		return CURL_SOCKET_BAD;
	}
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

	(void)purpose;
	if (getnameinfo(&a->addr, a->addrlen, x->address, sizeof x->address, NULL, 0,
	                NI_NUMERICHOST) != 0)
		x->address[0] = '\0';
	for (size_t i = 0; fd >= 0 && i < HTTP_SOCKETS_MAX; i++)
		if (h->sockets[i] < 0) {
			h->sockets[i] = fd;
			return fd;
		}
	if (fd >= 0)
		close(fd);
	return CURL_SOCKET_BAD;
}

static int on_close(void *ctx, curl_socket_t fd)
{
	struct http *h = ctx;

	for (size_t i = 0; i < HTTP_SOCKETS_MAX; i++)
		if (h->sockets[i] == fd)
			h->sockets[i] = -1;
	return close(fd);
}

static void set_callbacks(CURL *c, struct http_wire *w, struct http *h, struct http_exchange *x)
{
	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, w->error);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, http_on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, http_on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, h);
}

struct http_wire *http_wire_new(struct http *h, struct http_exchange *x)
{
	size_t text = 0;

	if (check(x, &text) < 0)
		return NULL;
	struct http_wire *w = calloc(1, sizeof *w + text);
	CURL *c = curl_easy_init();

	if (!w || !c)
		abort();
	w->easy = c;
	w->text_len = text;
	build_headers(w, x);
	set_callbacks(c, w, h, x);
	set_protocols(c, x);
	set_tls(c, h, x);
	set_limits(c, w, x);
	set_method(c, x);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, w->list);
	if (curl_easy_setopt(c, CURLOPT_URL, x->url) != CURLE_OK)
		abort();
	return w;
}

void http_wire_close(struct http_wire *w)
{
	if (!w)
		return;
	curl_easy_cleanup(w->easy);
	explicit_bzero(w->text, w->text_len);
	free(w);
}
