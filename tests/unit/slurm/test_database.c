/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind database: what its claim makes of a section; slurmdbd.conf, the unit and the records on a
 * machine whose sacctmgr and unit do as the test says. tests/system/test_database.py has the real ones.
 */
#include "claimed.h"
#include "head_world.h"

#include "slurm/database_own.h"
#include "slurm/slurm_kinds.h"

#define PLACE "machine/etc/slurm/slurmdbd.conf"
#define DBLOG "machine/var/log/slurm/slurmdbd.log"
#define DOWN                                                                                       \
	"sacctmgr: error: slurm_persist_conn_open_without_init: failed to open persistent "        \
	"connection to host:head:6819: Connection refused\n"
#define NO_SQL  "error: mysql_real_connect failed: 2002 Can't connect to server on 'sql' (115)\n"
#define REFUSED "error: mysql_real_connect failed: 1045 Access denied for user 'u'@'h'\n"
#define OWN                                                                                        \
	"{cluster: T1, host: sql, dbd-host: head, name: n, user: u, password: 'file:%s/password'"  \
	", admins: [slurm, ann]}"

static const struct database_spec *made; /* by claim */

static int claim(const char *section)
{
	int r = claim_of(&kind_slurm_database, section, NULL);

	made = claimed;
	return r;
}

static int probe(void)
{
	e = (struct err){0};
	return kind_slurm_database.probe(&ctx, made, &e);
}

static int apply(void)
{
	e = (struct err){0};
	manager_forget();
	ctx.deadline = clock_in_ms(60000);
	return kind_slurm_database.apply(&ctx, made, &e);
}

/* What slurmdbd has a record of; sacctmgr answers by it. */
static void records(const char *clusters, const char *associations)
{
	put("cluster", clusters);
	put("associations", associations);
	put("down", "");
}

static void is_down(const char *words)
{
	put("down", words);
}

static int start(void **state)
{
	begin(state);
	if (!unit_is_root())
		return 0;
	put_etc("/etc/passwd", "root:x:0:0::/root:/bin/sh\nslurm:x:64030:64030::/:/bin/false\n");
	put_etc("/etc/group", "root:x:0:\nslurm:x:64030:\n");
	put("password", "p#w\n");
	put_program("sacctmgr", arena_printf(arena,
	                                     "%scd %s\n"
	                                     "test ! -s down || { show down >&2; exit 1; }\n"
	                                     "case $* in *' show '*) show $4 ;; esac\n",
	                                     SCRIPT_SHOW, top));
	records("t1\nother\n", "root|\nroot|root\npcdefault|\npcdefault|slurm\npcdefault|ann\n");
	w.unit = DATABASE_UNIT;
	ctx.cloud = cloud_open(&(struct cloud_config){0});
	assert_ok(claim(arena_printf(arena, OWN, top)));
	return 0;
}

static int finish(void **state)
{
	if (unit_is_root())
		cloud_close(ctx.cloud);
	return end(state);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *section, *message;
		enum reason reason;
	} rows[] = {
	        {"{cluster: c}", "'host'", REASON_INPUT_REQUIRED},
	        {"{host: h}", "'cluster'", REASON_INPUT_REQUIRED},
	        {"{cluster: c, host: h, name: n, user: u, password: 'arn:aws:secretsmanager:r:1:s'}",
	         "'dbd-host' is missing: slurmdbd needs it, unless it is 'external'",
	         REASON_INPUT_REQUIRED},
	        {"{cluster: c, host: h, external: true, user: u}",
	         "s:1:55: 'user' is of a slurmdbd that runs here", REASON_INPUT_UNSUPPORTED},
	        {"{cluster: c, host: 'h h', external: true}",
	         "s:1:30: 'h h': expected a word without blanks", REASON_INPUT_RANGE},
	        {"{cluster: 'a,b', host: h, external: true}", "s:1:21: 'a,b' is no ClusterName",
	         REASON_INPUT_RANGE},
	        {"{cluster: c, host: h, external: true, admins: [a, 'b,c']}",
	         "'b,c' is not the name", REASON_INPUT_RANGE},
	        {"{cluster: c, host: h, external: true, account: 'b c'}", "'b c' is not the name",
	         REASON_INPUT_RANGE},
	        {"{cluster: c, host: h, dbd-host: h, name: n, user: u, password: /p}",
	         "'/p' is no place of a password: expected s3://", REASON_INPUT_RANGE},
	        {"{cluster: c, host: h, external: true, port: 0}", "port", REASON_INPUT_RANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(claim(rows[i].section), ERR_INPUT, rows[i].message);
		assert_string_equal(reason_row(e.reason)->name, reason_row(rows[i].reason)->name);
	}
	assert_ok(claim("{cluster: c, host: h, external: true}"));
	assert_int_equal(made->port, 6819);
	assert_string_equal(made->account, "pcdefault");
	assert_ok(claim("{cluster: c, host: h, dbd-host: h, name: n, user: u, password: "
	                "'arn:aws:secretsmanager:r:1:secret:k'}"));
	assert_int_equal(made->port, 3306);
}

static void it_is_set_up_once(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "start ");
	assert_non_null(strstr(get(PLACE), "\nDbdHost=head\n"));
	assert_non_null(strstr(get(PLACE), "\nStorageHost=sql\nStoragePort=3306\nStorageLoc=n\n"
	                                   "StorageUser=u\nStoragePass=\"p\\#w\"\n"));
	assert_int_equal(stat(at(PLACE), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_uid, 64030);
	assert_int_equal(stat(at("machine/var/log/slurm"), &st), 0);
	assert_int_equal(st.st_uid, 64030);
	assert_null(strstr(calls_of("sacctmgr"), " add "));
	/* What a site has besides is never read: it may be longer than what is kept of an answer. */
	assert_non_null(strstr(calls_of("sacctmgr"), " Account=pcdefault "));
	assert_int_equal(probe(), 1);
	assert_false(made->fetched->known);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
	w.active = false;
	assert_int_equal(probe(), 0);
}

/* It is stopped before its file changes. */
static void another_password(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(apply());
	password_close(made->fetched);
	put("password", "other");
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "stop start ");
	assert_non_null(strstr(get(PLACE), "StoragePass=\"other\"\n"));
	password_close(made->fetched);
	put("password", "{\"password\": \"p\"}");
	assert_err(apply(), ERR_INPUT, "it has a double quote, which slurmdbd.conf can't hold");
	assert_int_equal(e.reason, REASON_PASSWORD_INVALID);
	assert_non_null(strstr(get(PLACE), "StoragePass=\"other\"\n"));
}

/* Each alone, and nothing that is there. */
static void only_what_is_lacking_is_recorded(void **state)
{
	static const struct {
		const char *clusters, *associations, *calls;
	} rows[] = {
	        {"", "",
	         "--immediate --quiet add cluster T1\n"
	         "--immediate --quiet add account pcdefault Cluster=T1 Description=made by hpc-agent "
	         "Organization=none\n"
	         "--immediate --quiet add user slurm,ann Cluster=T1 Account=pcdefault "
	         "AdminLevel=Admin\n"},
	        {"t10\nT1\n", "pcdefault|\npcdefault|ann\n",
	         "--immediate --quiet add user slurm Cluster=T1 Account=pcdefault AdminLevel=Admin\n"},
	        {"t1\n", "root|\nroot|slurm\nroot|ann\n",
	         "--immediate --quiet add account pcdefault Cluster=T1 Description=made by hpc-agent "
	         "Organization=none\n"
	         "--immediate --quiet add user slurm,ann Cluster=T1 Account=pcdefault "
	         "AdminLevel=Admin\n"},
	};
	static const char asked[] =
	        "--noheader --parsable2 show cluster format=Cluster\n"
	        "--noheader --parsable2 show associations Cluster=T1 Account=pcdefault "
	        "format=Account,User\n";

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put("sacctmgr.args", "");
		records(rows[i].clusters, rows[i].associations);
		assert_ok(apply());
		assert_string_equal(calls_of("sacctmgr"),
		                    arena_printf(arena, "%s%s", asked, rows[i].calls));
		assert_int_equal(probe(), 0);
	}
}

static void nobody_answers(void **state)
{
	uint64_t begun;

	(void)state;
	unit_need_root();
	is_down(DOWN);
	w.active = true;
	assert_int_equal(probe(), 0);
	begun = clock_now();
	assert_err(apply(), ERR_HOST, "waiting for slurmdbd: asking slurmdbd: ");
	assert_int_equal(e.reason, REASON_SLURMDBD_UNREACHABLE);
	assert_in_range((clock_now() - begun) / 1000000, 55000, 60000);
	/* Once slurmctld can do without. */
	put(STATE_DIR "/last_tres", "x");
	begun = clock_now();
	assert_err(apply(), ERR_HOST, "waiting for slurmdbd: ");
	assert_in_range((clock_now() - begun) / 1000000, 9000, 11000);
}

static void log_sql(void)
{
	put(DBLOG, w.words);
}

static void the_log_tells_why(void **state)
{
	uint64_t begun = clock_now();

	(void)state;
	unit_need_root();
	is_down(DOWN);
	w.words = NO_SQL;
	assert_err(apply(), ERR_HOST,
	           "waiting for slurmdbd: slurmdbd waits for its SQL server: error: "
	           "mysql_real_connect failed: 2002 Can't connect");
	assert_int_equal(e.reason, REASON_SLURMDBD_SQL);
	/* Its log counts from where it was before the start. */
	put(DBLOG, NO_SQL);
	w.active = false;
	w.words = REFUSED;
	w.on_start = log_sql;
	begun = clock_now();
	put(DBLOG, "");
	assert_err(apply(), ERR_DENIED, "Access denied for user 'u'");
	assert_int_equal(e.reason, REASON_SLURMDBD_SQL);
	assert_in_range((clock_now() - begun) / 1000000, 0, 1000);
}

static void it_ends_by_itself(void **state)
{
	(void)state;
	unit_need_root();
	is_down(DOWN);
	w.failing = true;
	w.words = "slurmdbd: fatal: slurmdbd.conf file should be owned by SlurmUser\n";
	assert_err(apply(), ERR_HOST,
	           "starting slurmdbd: slurmdbd.service is failed (exit-code): slurmdbd ended by "
	           "itself: slurmdbd: fatal: slurmdbd.conf file should be owned");
	assert_int_equal(e.reason, REASON_SLURMDBD_ENDED);
	w.missing = true;
	assert_err(apply(), ERR_HOST,
	           "there is no slurmdbd.service: expected the package slurmdbd");
	assert_int_equal(e.reason, REASON_SLURM_MISSING);
}

/* Nothing of it is set up here. */
static void somebody_elses(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim("{cluster: t1, host: dbd, external: true, admins: [slurm]}"));
	assert_int_equal(probe(), 1);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
	assert_int_equal(access(at(PLACE), F_OK), -1);
	is_down(DOWN);
	assert_int_equal(probe(), 0);
	put(STATE_DIR "/last_tres", "x");
	assert_err(apply(), ERR_HOST, "waiting for slurmdbd: asking slurmdbd: ");
	assert_int_equal(e.reason, REASON_SLURMDBD_UNREACHABLE);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD(what_is_refused),   WORLD(it_is_set_up_once),
	        WORLD(another_password),  WORLD(only_what_is_lacking_is_recorded),
	        WORLD(nobody_answers),    WORLD(the_log_tells_why),
	        WORLD(it_ends_by_itself), WORLD(somebody_elses),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
