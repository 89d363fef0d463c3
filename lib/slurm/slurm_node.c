/* SPDX-License-Identifier: Apache-2.0 */
/* Parses and judges a node's record from the controller. */
#include <errno.h>
#include <stdio.h>

#include "slurm/slurm_client_own.h"

#define RECORD_MAX (64UL << 10)
#define SLACK_S    5 /* between two readings of the same clock */

/* The value after " KEY=" up to the next blank; empty if there is none. */
static struct blob value_of(struct blob text, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i + len < text.len; i++) {
		bool begins = i == 0 || text.data[i - 1] == ' ' || text.data[i - 1] == '\n';
		if (!begins || memcmp(text.data + i, key, len) != 0 || text.data[i + len] != '=')
			continue;

		size_t from = i + len + 1, to = from;
		while (to < text.len && text.data[to] != ' ' && text.data[to] != '\n')
			to++;
		return (struct blob){text.data + from, to - from};
	}
	return (struct blob){"", 0};
}

/* Reason is the last key except Comment; it may contain blanks and ends with " [user@time]". */
static struct blob reason_of(struct blob text)
{
	static const char key[] = " Reason=";
	const char *at = memmem(text.data, text.len, key, strlen(key));

	if (!at)
		return (struct blob){"", 0};
	at += strlen(key);
	struct blob rest = {at, text.len - (size_t)(at - text.data)};
	const char *end = memmem(rest.data, rest.len, " [", 2);
	if (!end)
		end = memchr(rest.data, '\n', rest.len);
	if (end)
		rest.len = (size_t)(end - rest.data);
	return rest;
}

/* "2026-11-22T21:42:11"; anything else ("None", "Unknown") is 0. */
static time_t time_of(struct blob text)
{
	char word[32];
	struct tm tm = {0};

	if (text.len >= sizeof word)
		return 0;
	memcpy(word, text.data, text.len);
	word[text.len] = '\0';
	const char *end = strptime(word, "%Y-%m-%dT%H:%M:%S", &tm);
	return end && !*end ? timegm(&tm) : 0;
}

int slurm_node_parse(struct blob text, struct slurm_node *ret)
{
	if (text.len > RECORD_MAX || !value_of(text, "NodeName").len)
		return -EINVAL;
	struct blob state = value_of(text, "State"), reason = reason_of(text);
	if (!state.len)
		return -EINVAL;
	str_escape(state.data, state.len, ret->state, sizeof ret->state);
	str_escape(reason.data, reason.len, ret->reason, sizeof ret->reason);
	ret->started = time_of(value_of(text, "SlurmdStartTime"));
	return 0;
}

/* Whether the state ("DOWN*+CLOUD", "IDLE+CLOUD+POWERING_UP") has this word, suffixes aside. */
static bool has(const char *state, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = state; *p; p += strcspn(p, "+"), p += *p == '+')
		if (strncmp(p, word, len) == 0 && strchr("+*~#!%$@^-", p[len]))
			return true;
	return false;
}

enum slurm_verdict slurm_node_verdict(const struct slurm_node *n, time_t since)
{
	static const char *const base[] = {"IDLE",  "ALLOCATED", "ALLOC",
	                                   "MIXED", "MIX",       "COMPLETING"};
	/* "#" is powering up, "~" powered down, "%" powering down, "*" not responding: sinfo(1). */
	static const char *const not_yet[] = {"NOT_RESPONDING", "POWERING_UP",  "POWERED_DOWN",
	                                      "POWERING_DOWN",  "POWER_DOWN",   "UNKNOWN",
	                                      "FUTURE",         "REBOOT_ISSUED"};

	if (!n->started || n->started + SLACK_S < since || strpbrk(n->state, "*~#%^"))
		return SLURM_WAIT;
	if (has(n->state, "INVALID_REG") || has(n->state, "INVAL"))
		return SLURM_INVALID;
	for (size_t i = 0; i < ARRAY_LEN(not_yet); i++)
		if (has(n->state, not_yet[i]))
			return SLURM_WAIT;
	for (size_t i = 0; i < ARRAY_LEN(base); i++)
		if (has(n->state, base[i]))
			return SLURM_READY;
	return SLURM_DOWN;
}

/*
 * slurmctld 22.05 closes the connection without an answer if it can't decode a credential; 24.11 says so. Either does it
 * if it can't decode the message, so that a node which is as new knows that slurmctld is older than itself.
 */
#define ANSWERS_SINCE 2411

/* The first row whose pattern occurs in the text decides what the message means. */
static const struct complaint {
	const char *pattern;
	enum err_kind kind;
	enum reason reason;
	unsigned until; /* not for a Slurm of this release or a newer one here; 0: for all */
} complaints[] = {
        /* slurmctld's */
        {"Parsing error at unrecognized key", ERR_HOST, REASON_SLURM_CONF},
        {"Invalid user for SlurmUser", ERR_HOST, REASON_SLURM_CONF},
        {"Duplicated Node", ERR_HOST, REASON_SLURM_CONF},
        {"Invalid node names in partition", ERR_HOST, REASON_SLURM_CONF},
        {"Unable to process configuration file", ERR_HOST, REASON_SLURM_CONF},
        {"error Address already in use", ERR_HOST, REASON_SLURM_PORT},
        {"Unable to listen to file descriptors", ERR_HOST, REASON_SLURM_PORT}, /* 24.11 */
        {"not a valid controller", ERR_HOST, REASON_SLURM_HOST},
        {"we have no TRES from it", ERR_HOST, REASON_SLURM_DATABASE},
        {"Still don't know my ClusterID", ERR_HOST, REASON_SLURM_DATABASE}, /* 24.11 */
        {"No space left on device", ERR_HOST, REASON_HOST_SPACE},
        /* slurmdbd's */
        {"Access denied for user", ERR_DENIED, REASON_SLURMDBD_SQL},
        {"mysql_real_connect failed", ERR_RETRY, REASON_SLURMDBD_SQL},
        /* slurmd's and those of Slurm's clients */
        {"lookup failure for node", ERR_HOST, REASON_SLURM_NODE_UNKNOWN},
        {"Unable to determine this slurmd's NodeName", ERR_HOST, REASON_SLURM_NODE_UNKNOWN},
        {"ConfigLess mode is disabled", ERR_DENIED, REASON_SLURM_NOT_CONFIGLESS},
        /* Before the rest: what can't be decoded is also told as a wrong credential, or garbage. */
        {"Incompatible versions of client and server", ERR_DENIED, REASON_SLURM_VERSION},
        {"Invalid Protocol Version", ERR_DENIED, REASON_SLURM_VERSION},
        {"Insane message length", ERR_DENIED, REASON_SLURM_VERSION},
        {"Munge encode failed", ERR_HOST, REASON_MUNGE_ROUND_TRIP},
        {"Munge decode failed", ERR_DENIED, REASON_MUNGE_REFUSED},
        {"Invalid authentication credential", ERR_DENIED, REASON_SLURM_AUTH},
        {"Protocol authentication error", ERR_DENIED, REASON_SLURM_AUTH},
        {"Zero Bytes were transmitted or received", ERR_DENIED, REASON_MUNGE_REFUSED,
         .until = ANSWERS_SINCE},
        {"Zero Bytes were transmitted or received", ERR_DENIED, REASON_SLURM_VERSION},
        {"Unable to contact slurm controller", ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE},
        {"Socket timed out", ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE},
        {"Connection refused", ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE},
        {"DNS SRV lookup failed", ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE},
};

static struct blob line_around(struct blob text, const char *at)
{
	const char *from = at, *to = at, *end = text.data + text.len;

	while (from > text.data && from[-1] != '\n')
		from--;
	while (to < end && *to != '\n')
		to++;
	return (struct blob){from, (size_t)(to - from)};
}

/* The last line that contains one of `words`, or an empty one. */
static struct blob last_line_with(struct blob text, const char *word)
{
	struct blob found = {"", 0}, rest = text;
	const char *at;

	while ((at = memmem(rest.data, rest.len, word, strlen(word)))) {
		struct blob line = line_around(text, at);

		/* Debian's slurmd harmlessly complains of a PMIx library that is not installed. */
		if (!memmem(line.data, line.len, "pmix", 4) &&
		    !memmem(line.data, line.len, "initialization failed", 21))
			found = line;
		rest.len -= (size_t)(line.data + line.len - rest.data);
		rest.data = line.data + line.len;
	}
	return found;
}

/* The line that states the error, or else the last one that mentions an error. */
static struct blob telling_line(struct blob said, unsigned release, const struct complaint **ret)
{
	static const char *const alarms[] = {"fatal:", "error:", "slurmd: "};
	struct blob found = {"", 0};

	*ret = NULL;
	for (size_t i = 0; i < ARRAY_LEN(complaints); i++) {
		if (complaints[i].until && release >= complaints[i].until)
			continue;
		found = last_line_with(said, complaints[i].pattern);
		if (!found.len)
			continue;
		*ret = &complaints[i];
		return found;
	}
	for (size_t i = 0; i < ARRAY_LEN(alarms) && !found.len; i++)
		found = last_line_with(said, alarms[i]);
	return found;
}

int slurm_complain_to(struct blob said, unsigned release, const char *doing, struct err *e)
{
	const struct complaint *about;
	struct blob found = telling_line(said, release, &about);
	char line[300];

	str_escape(found.data, found.len, line, sizeof line);
	return err_set(e, about ? about->kind : ERR_HOST,
	               about ? about->reason : REASON_HOST_COMMAND_FAILED, EIO, "%s: %s", doing,
	               *line ? line : "no word of why");
}

int slurm_complain(struct blob said, const char *doing, struct err *e)
{
	return slurm_complain_to(said, 0, doing, e);
}
