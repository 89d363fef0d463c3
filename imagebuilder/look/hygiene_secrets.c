/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies matches of needles: keys of AWS, private keys, tokens of services. */
#include <ctype.h>
#include <string.h>

#include "look/hygiene_own.h"

#define KEY_ID_LEN     20 /* AKIA or ASIA and sixteen more */
#define SECRET_KEY_LEN 40
#define KEY_BODY       32 /* base64 characters in a row that don't occur by chance */
#define DISTINCT       10 /* distinct characters; placeholders like "xxxx" have fewer */

/* Sets of characters; a secret consists of letters, digits and these. */
static bool in_set(char c, const char *also)
{
	return isalnum((unsigned char)c) || (c && strchr(also, c));
}

static size_t run(const char *text, size_t len, size_t at, const char *also)
{
	size_t n = 0;

	while (at + n < len && in_set(text[at + n], also))
		n++;
	return n;
}

/* Whether the characters look random. */
static bool is_random(const char *s, size_t len)
{
	bool seen[256] = {false};
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		n += !seen[(unsigned char)s[i]];
		seen[(unsigned char)s[i]] = true;
	}
	return n >= DISTINCT && !memmem(s, len, "EXAMPLE", 7) && !memmem(s, len, "example", 7);
}

/* Whether it isn't the end of a longer word. */
static bool stands_alone(const char *text, size_t at)
{
	return at == 0 || !in_set(text[at - 1], "_");
}

/* Whether at least that many characters of the set follow the needle. */
static bool is_token(const char *text, size_t len, size_t at, size_t head, size_t least,
                     const char *also)
{
	if (!stands_alone(text, at))
		return false;
	size_t n = run(text, len, at + head, also);
	return n >= least && is_random(text + at + head, n);
}

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

/* Skips what is between a name and its value: quotes, spaces, and one of '=' and ':'. */
static size_t value_at(const char *text, size_t len, size_t at)
{
	size_t i = at;
	bool sign = false;

	while (i < len && i - at < 16 && text[i] && strchr("\"' \t=:>\\", text[i])) {
		sign = sign || text[i] == '=' || text[i] == ':';
		i++;
	}
	return sign ? i : len;
}

static bool is_secret_key(const char *text, size_t len, size_t at)
{
	size_t i = value_at(text, len, at + run(text, len, at, "_"));

	return run(text, len, i, "/+=") == SECRET_KEY_LEN && is_random(text + i, SECRET_KEY_LEN);
}

const struct hygiene_needle hygiene_aws_keys[] = {
        {"AKIA", 0, is_key_id},
        {"ASIA", 0, is_key_id},
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
		size_t n = run(p, (size_t)(end - p), 0, "+/=-");
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

/* A PEM key encoded in base64 once more, as secrets of Kubernetes are: the needle is "-----BEGIN "
 * in base64. */
static bool is_wrapped_key(const char *text, size_t len, size_t at)
{
	char in[256], out[256];
	size_t n = 0, got = 0;

	for (size_t i = at; i < len && n < sizeof in; i++) {
		if (in_set(text[i], "+/"))
			in[n++] = text[i];
		else if (text[i] != '\n' && text[i] != '\r' && text[i] != ' ')
			break;
	}
	if (str_base64_decode((struct blob){in, n / 4 * 4}, out, sizeof out, &got) < 0)
		return false;
	return got > 0 && is_pem_key(out, got, 0);
}

static bool is_putty_key(const char *text, size_t len, size_t at)
{
	return memmem(text + at, len - at < 2048 ? len - at : 2048, "Private-Lines:", 14) != NULL;
}

static bool is_age_key(const char *text, size_t len, size_t at)
{
	return is_token(text, len, at, strlen("AGE-SECRET-KEY-1"), 58, "");
}

/* 32 bytes in base64 after the name. */
static bool is_wireguard_key(const char *text, size_t len, size_t at)
{
	size_t i = value_at(text, len, at + strlen("PrivateKey"));

	return i + 44 <= len && run(text, len, i, "+/") == 43 && text[i + 43] == '=' &&
	       (i + 44 == len || !in_set(text[i + 44], "+/=")) && is_random(text + i, 43);
}

const struct hygiene_needle hygiene_private_keys[] = {
        {"-----BEGIN ", 5, is_pem_key},
        {"---- BEGIN SSH2 ", 11, is_ssh2_key},
        {"LS0tLS1CRUdJTi", 7, is_wrapped_key},
        {"PuTTY-User-Key-File-", 0, is_putty_key},
        {"AGE-SECRET-KEY-1", 0, is_age_key},
        {"PrivateKey", 4, is_wireguard_key},
        {NULL, 0, NULL},
};

/* ---- tokens ---- */

static bool is_github(const char *text, size_t len, size_t at)
{
	return is_token(text, len, at, 4, 36, "");
}

static bool is_github_pat(const char *text, size_t len, size_t at)
{
	return is_token(text, len, at, strlen("github_pat_"), 70, "_");
}

static bool is_gitlab(const char *text, size_t len, size_t at)
{
	return is_token(text, len, at, strlen("glpat-"), 20, "_-");
}

/* xoxb-, xoxp- and similar ones. */
static bool is_slack(const char *text, size_t len, size_t at)
{
	return len - at > 5 && strchr("abeoprs", text[at + 3]) && text[at + 4] == '-' &&
	       isdigit((unsigned char)text[at + 5]) && is_token(text, len, at, 5, 24, "-");
}

static bool is_slack_hook(const char *text, size_t len, size_t at)
{
	size_t head = strlen("hooks.slack.com/services/");

	return is_token(text, len, at, head, 40, "/");
}

static bool is_npm(const char *text, size_t len, size_t at)
{
	return is_token(text, len, at, strlen("npm_"), 36, "");
}

static bool is_npm_auth(const char *text, size_t len, size_t at)
{
	size_t i = at + strlen("_authToken=");
	size_t n = run(text, len, i, "_-+/=");

	return n >= 16 && is_random(text + i, n);
}

static bool is_pypi(const char *text, size_t len, size_t at)
{
	return is_token(text, len, at, strlen("pypi-"), 60, "_-");
}

const struct hygiene_needle hygiene_tokens[] = {
        {"ghp_", 0, is_github},
        {"gho_", 0, is_github},
        {"ghu_", 0, is_github},
        {"ghs_", 0, is_github},
        {"ghr_", 0, is_github},
        {"github_pat_", 7, is_github_pat},
        {"glpat-", 2, is_gitlab},
        {"xoxa-", 0, is_slack},
        {"xoxb-", 0, is_slack},
        {"xoxe-", 0, is_slack},
        {"xoxo-", 0, is_slack},
        {"xoxp-", 0, is_slack},
        {"xoxr-", 0, is_slack},
        {"xoxs-", 0, is_slack},
        {"hooks.slack.com/services/", 6, is_slack_hook},
        {"npm_", 0, is_npm},
        {"_authToken=", 5, is_npm_auth},
        {"pypi-AgE", 4, is_pypi},
        {NULL, 0, NULL},
};
