/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes the word between a workstation and a fleet. */
#include "model/fleet_word.h"

#include "data/json.h"
#include "data/jsonw.h"

const char *fleet_word_beside(const char *config, const char *name, struct arena *a)
{
	const char *slash = config ? strrchr(config, '/') : NULL;

	if (!config || !str_starts(config, "s3://") || slash < config + strlen("s3://"))
		return NULL;
	return arena_printf(a, "%.*s/%s", (int)(slash - config), config, name);
}

const char *fleet_word_text(const struct fleet_word *w, struct arena *a)
{
	struct strbuf out = STRBUF(a, FLEET_WORD_MAX);
	struct jsonw j = {.out = &out};

	jsonw_begin(&j, NULL, '{');
	jsonw_str(&j, "id", w->id);
	jsonw_str(&j, "status", w->status);
	jsonw_str(&j, "at", w->at);
	jsonw_end(&j, '}');
	return out.data;
}

int fleet_word_parse(const char *file, struct blob text, struct arena *a, struct fleet_word *ret,
                     struct err *e)
{
	static const char *const known[] = {FLEET_START, FLEET_STOP, FLEET_RUNNING, FLEET_STOPPING,
	                                    FLEET_STOPPED};
	struct fleet_word w;
	struct doc *d;
	size_t i = 0;
	int r = json_parse(file, text, a, &d, e);

	if (r < 0)
		return r;
	w = (struct fleet_word){
	        .id = doc_text(d, "id"), .status = doc_text(d, "status"), .at = doc_text(d, "at")};
	if (!w.id || !w.status || !w.at)
		return doc_err(d, e, REASON_INPUT_REQUIRED, "expected id, status and at");
	while (i < ARRAY_LEN(known) && !str_eq(w.status, known[i]))
		i++;
	if (i == ARRAY_LEN(known))
		return doc_err(doc_get(d, "status"), e, REASON_INPUT_RANGE,
		               "'%.40s' is no status of a fleet", w.status);
	*ret = w;
	return 0;
}
