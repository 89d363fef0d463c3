/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies matches of needles that are tokens of services: what follows the mark that a service gives
 * its tokens, by which others know them too. */
#include <ctype.h>
#include <string.h>

#include "hygiene/hygiene_scan_own.h"

#define AZURE_KEY 86 /* characters of base64 before its "==" */

/* xoxb-, xoxp- and similar ones. */
static bool is_slack(const char *text, size_t len, size_t at)
{
	return len - at > 5 && strchr("abeoprs", text[at + 3]) && text[at + 4] == '-' &&
	       isdigit((unsigned char)text[at + 5]) && hygiene_is_token(text, len, at, 5, 24, "-");
}

static bool is_slack_hook(const char *text, size_t len, size_t at)
{
	size_t head = strlen("hooks.slack.com/services/");

	return hygiene_is_token(text, len, at, head, 40, "/");
}

static bool is_value(const char *text, size_t len, size_t at, size_t head, size_t least)
{
	size_t n = hygiene_run(text, len, at + head, "_-+/=.");

	return n >= least && hygiene_is_random(text + at + head, n);
}

static bool is_npm_auth(const char *text, size_t len, size_t at)
{
	return is_value(text, len, at, strlen("_authToken="), 16);
}

/* A JSON Web Token of Slurm, which is what it takes in place of munge. */
static bool is_slurm_jwt(const char *text, size_t len, size_t at)
{
	return is_value(text, len, at, strlen("SLURM_JWT="), 40);
}

/* After what begins a word, as the mark itself is short. */
static bool is_hugging_face(const char *text, size_t len, size_t at)
{
	return hygiene_is_token(text, len, at + 1, strlen("hf_"), 34, "");
}

/* "SG.", 22 characters, a dot, 43 characters */
static bool is_sendgrid(const char *text, size_t len, size_t at)
{
	size_t key = at + 4, n = hygiene_run(text, len, key, "_-");

	return n == 22 && key + n < len && text[key + n] == '.' &&
	       hygiene_run(text, len, key + n + 1, "_-") == 43;
}

static bool is_azure_storage(const char *text, size_t len, size_t at)
{
	size_t key = at + strlen("AccountKey="), n = hygiene_run(text, len, key, "+/");

	return n == AZURE_KEY && key + n + 2 <= len && memcmp(text + key + n, "==", 2) == 0 &&
	       hygiene_is_random(text + key, n);
}

const struct hygiene_needle hygiene_tokens[] = {
        {"ghp_", 0, NULL, 36, ""},
        {"gho_", 0, NULL, 36, ""},
        {"ghu_", 0, NULL, 36, ""},
        {"ghs_", 0, NULL, 36, ""},
        {"ghr_", 0, NULL, 36, ""},
        {"github_pat_", 7, NULL, 70, "_"},
        {"glpat-", 2, NULL, 20, "_-"},
        {"gldt-", 0, NULL, 20, "_-"},
        {"glrt-", 0, NULL, 20, "_-"},
        {"glcbt-", 1, NULL, 20, "_-"},
        {"glptt-", 1, NULL, 20, "_-"},
        {"glsoat-", 2, NULL, 20, "_-"},
        {"npm_", 0, NULL, 36, ""},
        {"pypi-AgE", 4, NULL, 56, "_-"},
        {"dckr_pat_", 0, NULL, 24, "_-"},
        {"dop_v1_", 0, NULL, 60, ""},
        {"hvs.", 0, NULL, 24, "_-"},
        {"atlasv1.", 0, NULL, 60, "_-"},
        {"glsa_", 0, NULL, 32, "_"},
        {"tskey-auth-", 0, NULL, 16, "-"},
        {"tskey-api-", 0, NULL, 16, "-"},
        {"nvapi-", 0, NULL, 60, "_-"},
        {"sk_live_", 2, NULL, 24, ""},
        {"rk_live_", 2, NULL, 24, ""},
        {"GOCSPX-", 0, NULL, 28, "_-"},
        {"sk-proj-", 0, NULL, 40, "_-"},
        {"sk-ant-api", 3, NULL, 40, "_-"},
        {"ATATT3xFfGF0", 0, NULL, 60, "_-="},
        {"xoxa-", 0, is_slack},
        {"xoxb-", 0, is_slack},
        {"xoxe-", 0, is_slack},
        {"xoxo-", 0, is_slack},
        {"xoxp-", 0, is_slack},
        {"xoxr-", 0, is_slack},
        {"xoxs-", 0, is_slack},
        {"hooks.slack.com/services/", 6, is_slack_hook},
        {"_authToken=", 5, is_npm_auth},
        {"SLURM_JWT=", 6, is_slurm_jwt},
        {"=hf_", 0, is_hugging_face},
        {" hf_", 0, is_hugging_face},
        {"\"hf_", 0, is_hugging_face},
        {"'hf_", 0, is_hugging_face},
        {"=SG.", 0, is_sendgrid},
        {" SG.", 0, is_sendgrid},
        {"\"SG.", 0, is_sendgrid},
        {"'SG.", 0, is_sendgrid},
        {"AccountKey=", 7, is_azure_storage},
        {NULL, 0, NULL},
};
