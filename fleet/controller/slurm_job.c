/* SPDX-License-Identifier: Apache-2.0 */
/* Asks Slurm for a job. */
#include "controller/slurm_job.h"

#include "base/clock.h"
#include "base/str.h"
#include "host/exec.h"

#define CALL_MS 20000

bool slurm_job_is_id(const char *word)
{
	size_t len = strspn(word, "0123456789");

	if (!len || !word[len])
		return len > 0;
	if (word[len] != '_' && word[len] != '+')
		return false;
	word += len + 1;
	return *word && !word[strspn(word, "0123456789")];
}

/* Of one word; a comment is the rest of its line. */
static const struct {
	const char *key;
	size_t offset;
	bool whole_line;
} rows[] = {
        {"JobId=", offsetof(struct slurm_job, id), false},
        {"JobState=", offsetof(struct slurm_job, state), false},
        {"Reason=", offsetof(struct slurm_job, reason), false},
        {"Partition=", offsetof(struct slurm_job, partition), false},
        {"NodeList=", offsetof(struct slurm_job, nodes), false},
        {"AdminComment=", offsetof(struct slurm_job, comment), true},
};

/* One record's row at `at`, a word's beginning; what a comment says is no key. Returns where to go on. */
static const char *read_word(const char *at, const char *end, struct arena *a,
                             struct slurm_job *job)
{
	const char *blank = memchr(at, ' ', (size_t)(end - at)), *stop = blank ? blank : end;

	if (str_starts(at, "Comment=") || str_starts(at, "SystemComment="))
		return end;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!str_starts(at, rows[i].key))
			continue;
		stop = rows[i].whole_line ? end : stop;
		const char *value = at + strlen(rows[i].key);
		const char *text = arena_memdup(a, value, (size_t)(stop - value));

		if (*text && !str_eq(text, "(null)"))
			memcpy((char *)job + rows[i].offset, &text, sizeof text);
	}
	return stop;
}

void slurm_job_parse(const char *text, struct arena *a, struct slurm_jobs *ret)
{
	struct slurm_jobs all = {0};

	for (const char *at = text; *at;) {
		const char *end = at + strcspn(at, "\n");

		if (str_starts(at, "JobId=")) {
			all.items = arena_grow(a, all.items, &all.n, sizeof *all.items);
			all.items[all.n - 1] = (struct slurm_job){0};
		}
		while (at < end) {
			at += strspn(at, " ");
			at = all.n && at < end ? read_word(at, end, a, &all.items[all.n - 1]) : end;
		}
		at = *end ? end + 1 : end;
	}
	*ret = all;
}

int slurm_job_show(const char *id, struct arena *a, struct slurm_jobs *ret, struct err *e)
{
	const char *argv[] = {"scontrol", "show", "job", id, NULL};
	const struct host_exec x = {.argv = argv, .deadline = clock_in_ms(CALL_MS)};
	struct host_result said;
	int r = host_run_here_ok(&x, a, &said, e);

	if (r < 0)
		return r;
	slurm_job_parse(said.out.data, a, ret);
	return 0;
}
