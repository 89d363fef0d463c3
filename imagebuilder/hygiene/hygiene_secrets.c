/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies matches of needles: keys of AWS, private keys. */
#include <ctype.h>
#include <string.h>

#include "hygiene/hygiene_scan_own.h"

#define KEY_ID_LEN     20 /* AKIA or ASIA and sixteen more */
#define SECRET_KEY_LEN 40
#define SESSION_TOKEN  100  /* at least */
#define JWK_NEAR       2048 /* bytes before and after "kty" */
#define KEY_BODY       32   /* base64 characters in a row that don't occur by chance */

/* ---- AWS ---- */

static bool is_key_id(const char *text, size_t len, size_t at)
{
	if (len - at < KEY_ID_LEN || (at > 0 && isalnum((unsigned char)text[at - 1])))
		return false;
	for (size_t i = 4; i < KEY_ID_LEN; i++)
		if (!isupper((unsigned char)text[at + i]) && !isdigit((unsigned char)text[at + i]))
			return false;
	if (at + KEY_ID_LEN < len && isalnum((unsigned char)text[at + KEY_ID_LEN]))
		return false;
	/* AWS's documentation uses examples that end like this. */
	return memcmp(text + at + KEY_ID_LEN - 7, "EXAMPLE", 7) != 0;
}

static bool is_secret_key(const char *text, size_t len, size_t at)
{
	size_t i = hygiene_value_at(text, len, at + hygiene_run(text, len, at, "_"));

	return hygiene_run(text, len, i, "/+=") == SECRET_KEY_LEN &&
	       hygiene_is_random(text + i, SECRET_KEY_LEN);
}

static bool is_session_token(const char *text, size_t len, size_t at)
{
	size_t i = hygiene_value_at(text, len, at + hygiene_run(text, len, at, "_"));
	size_t n = hygiene_run(text, len, i, "/+=");

	return n >= SESSION_TOKEN && hygiene_is_random(text + i, n);
}

const struct hygiene_needle hygiene_aws_keys[] = {
        {"AKIA", 0, is_key_id},
        {"ASIA", 0, is_key_id},
        {"aws_session_token", 4, is_session_token},
        {"AWS_SESSION_TOKEN", 4, is_session_token},
        {"secret_access_key", 4, is_secret_key},
        {"SECRET_ACCESS_KEY", 4, is_secret_key},
        {"SecretAccessKey", 5, is_secret_key},
        {"secretAccessKey", 5, is_secret_key},
        {NULL, 0, NULL},
};

/* ---- private keys ---- */

/* Skips what may be between the lines of a key: line ends, also escaped
 * ones; indentation; quotes. */
static const char *skip_between(const char *p, const char *end)
{
	while (p < end) {
		if (*p == '\\' && p + 1 < end && strchr("nrt", p[1]))
			p += 2;
		else if (*p && strchr(" \t\r\n\"'+,\\", *p))
			p++;
		else
			break;
	}
	return p;
}

/* After the BEGIN line come headers ("Proc-Type: ...", "Version: ..."), and a line of base64. */
static bool has_key_body(const char *p, const char *end)
{
	for (int headers = 0; headers < 8; headers++) {
		p = skip_between(p, end);
		size_t n = hygiene_run(p, (size_t)(end - p), 0, "+/=-");
		if (n >= KEY_BODY)
			return true;
		if (n == 0 || p + n >= end || p[n] != ':')
			return false;
		if (str_starts(p, "Proc-Type:"))
			return true;
		while (p < end && *p != '\n' && *p != '\\')
			p++;
	}
	return false;
}

/* "-----BEGIN [KIND ]PRIVATE KEY-----" followed by what looks like a key: programs that read keys
 * contain the first without the second. */
static bool is_pem_key(const char *text, size_t len, size_t at)
{
	static const char *const tails[] = {"PRIVATE KEY-----", "PRIVATE KEY BLOCK-----",
	                                    "OpenVPN Static key V1-----"};
	const char *word = text + at + strlen("-----BEGIN "), *end = text + len;
	size_t near = (size_t)(end - word) < 64 ? (size_t)(end - word) : 64;

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		size_t n = strlen(tails[i]);
		const char *found = memmem(word, near, tails[i], n);
		if (found && has_key_body(found + n, end))
			return true;
	}
	return false;
}

/* The format of ssh.com (RFC 4716). */
static bool is_ssh2_key(const char *text, size_t len, size_t at)
{
	static const char head[] = "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----";

	return len - at > sizeof head - 1 && memcmp(text + at, head, sizeof head - 1) == 0 &&
	       has_key_body(text + at + sizeof head - 1, text + len);
}

/* A PEM key encoded in base64 once more, as secrets of Kubernetes are, maybe with text before it: the
 * needle is "-----BEGIN " in base64, `skip` bytes and so `back` characters behind a whole group. */
static bool is_wrapped(const char *text, size_t len, size_t at, size_t back, size_t skip)
{
	char in[256], out[256];
	size_t n = 0, got = 0;

	if (at < back)
		return false;
	for (size_t i = at - back; i < len && n < sizeof in; i++) {
		if (hygiene_in_set(text[i], "+/"))
			in[n++] = text[i];
		else if (text[i] != '\n' && text[i] != '\r' && text[i] != ' ')
			break;
	}
	if (str_base64_decode((struct blob){in, n / 4 * 4}, out, sizeof out, &got) < 0)
		return false;
	return got > skip && memcmp(out + skip, "-----", 5) == 0 && is_pem_key(out, got, skip);
}

static bool is_wrapped_key(const char *text, size_t len, size_t at)
{
	return is_wrapped(text, len, at, 0, 0);
}

static bool is_wrapped_by_1(const char *text, size_t len, size_t at)
{
	return is_wrapped(text, len, at, 2, 1);
}

static bool is_wrapped_by_2(const char *text, size_t len, size_t at)
{
	return is_wrapped(text, len, at, 3, 2);
}

static bool is_putty_key(const char *text, size_t len, size_t at)
{
	return memmem(text + at, len - at < 2048 ? len - at : 2048, "Private-Lines:", 14) != NULL;
}

static bool is_age_key(const char *text, size_t len, size_t at)
{
	return hygiene_is_token(text, len, at, strlen("AGE-SECRET-KEY-1"), 58, "");
}

/* 32 bytes in base64 after the name. */
static bool is_wireguard_key(const char *text, size_t len, size_t at)
{
	size_t i = hygiene_value_at(text, len, at + strlen("PrivateKey"));

	return i + 44 <= len && hygiene_run(text, len, i, "+/") == 43 && text[i + 43] == '=' &&
	       (i + 44 == len || !hygiene_in_set(text[i + 44], "+/=")) &&
	       hygiene_is_random(text + i, 43);
}

/* The value of a member, as a JSON Web Key (RFC 7517) has them: its private part, or its key. */
static bool has_member(const char *text, size_t len, const char *name)
{
	const char *p = text, *end = text + len;

	while ((p = memmem(p, (size_t)(end - p), name, strlen(name)))) {
		p += strlen(name);
		size_t i = hygiene_value_at(text, len, (size_t)(p - text));
		size_t n = hygiene_run(text, len, i, "_-");
		if (n >= KEY_BODY && hygiene_is_random(text + i, n))
			return true;
	}
	return false;
}

static bool is_jwk(const char *text, size_t len, size_t at)
{
	size_t from = at < JWK_NEAR ? 0 : at - JWK_NEAR;
	size_t to = len - at < JWK_NEAR ? len : at + JWK_NEAR;

	return has_member(text + from, to - from, "\"d\"") ||
	       has_member(text + from, to - from, "\"k\"");
}

/* As BIND and ldns write them. */
static bool is_dnssec_key(const char *text, size_t len, size_t at)
{
	static const char *const members[] = {"\nPrivateExponent: ", "\nPrivateKey: ", "\nKey: "};
	size_t near = len - at < JWK_NEAR ? len - at : JWK_NEAR;

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (memmem(text + at, near, members[i], strlen(members[i])))
			return true;
	return false;
}

const struct hygiene_needle hygiene_private_keys[] = {
        {"-----BEGIN ", 5, is_pem_key},
        {"---- BEGIN SSH2 ", 11, is_ssh2_key},
        {"LS0tLS1CRUdJTi", 7, is_wrapped_key},
        {"0tLS0tQkVHSU4g", 6, is_wrapped_by_1},
        {"tLS0tLUJFR0lOI", 6, is_wrapped_by_2},
        {"\"kty\"", 1, is_jwk},
        {"Private-key-format: v", 8, is_dnssec_key},
        {"PuTTY-User-Key-File-", 0, is_putty_key},
        {"AGE-SECRET-KEY-1", 0, is_age_key},
        {"PrivateKey", 4, is_wireguard_key},
        {NULL, 0, NULL},
};
