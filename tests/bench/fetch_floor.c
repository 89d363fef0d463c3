/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under `hpc-agent fetch`: the least a libcurl program does for the same four requests.
 *
 *	fetch_floor IMDS-URL OBJECT-URL FILE
 *
 * Token, role name, credentials, object; one easy handle, no parsing, no checks. OBJECT-URL is
 * presigned, so that the verifying server accepts it.
 */
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

struct sink {
	char text[8192];
	size_t n;
	FILE *file;
};

static size_t take(char *data, size_t size, size_t n, void *user)
{
	struct sink *s = user;

	if (s->file)
		return fwrite(data, size, n, s->file);
	if (s->n + size * n >= sizeof s->text)
		return 0;
	memcpy(s->text + s->n, data, size * n);
	s->n += size * n;
	s->text[s->n] = '\0';
	return size * n;
}

static int get(CURL *c, const char *method, const char *url, const char *header, struct sink *s)
{
	struct curl_slist *list = header ? curl_slist_append(NULL, header) : NULL;
	long status = 0;

	s->n = 0;
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, s);
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(list);
	return status == 200 ? 0 : -1;
}

int main(int argc, char **argv)
{
	static const char roles[] = "/latest/meta-data/iam/security-credentials/";
	static struct sink token, role, creds, object;
	static char header[9000], url[9000];
	CURL *c;

	if (argc != 4)
		return 2;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	c = curl_easy_init();
	object.file = fopen(argv[3], "we");
	if (!c || !object.file)
		return 1;
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	snprintf(url, sizeof url, "%s/latest/api/token", argv[1]);
	if (get(c, "PUT", url, "X-aws-ec2-metadata-token-ttl-seconds: 21600", &token))
		return 1;
	snprintf(header, sizeof header, "X-aws-ec2-metadata-token: %s", token.text);
	snprintf(url, sizeof url, "%s%s", argv[1], roles);
	if (get(c, "GET", url, header, &role))
		return 1;
	snprintf(url, sizeof url, "%s%s%s", argv[1], roles, role.text);
	if (get(c, "GET", url, header, &creds) || get(c, "GET", argv[2], NULL, &object))
		return 1;
	curl_easy_cleanup(c);
	return fclose(object.file) ? 1 : 0;
}
