/* SPDX-License-Identifier: Apache-2.0 */
/* What a recipe wants to be in its image, and what could not stay there. */
#include "build_test.h"

#include <sys/stat.h>

#include "build/intent.h"

static int read_one(const char *name, struct faults *faults, struct hygiene_intent *ret)
{
	struct recipe recipe;

	assert_ok(recipe_load(at(name), NULL, arena, &recipe, &e));
	return intent_read(&recipe, faults, arena, ret, &e);
}

static const char *told(const struct hygiene_intent *in)
{
	struct strbuf b = STRBUF(arena, 1 << 16);

	strbuf_str(&b, "");
	for (size_t i = 0; i < in->n; i++)
		strbuf_printf(&b, "%s%s %s: %s\n", in->allow[i].implied ? "" : "! ",
		              in->allow[i].rule, in->allow[i].path, in->allow[i].reason);
	for (size_t i = 0; i < in->declared.n; i++)
		strbuf_printf(&b, "%s\n", in->declared.items[i]);
	return b.data;
}

static void what_it_allows_and_puts_in(void **state)
{
	struct hygiene_intent in;

	(void)state;
	put("r.yaml", "image: {name: r}\n"
	              "units: [{name: ssh.service}]\n"
	              "allow: [{rule: logs, path: /var/log/kept, reason: shown at login}]\n");
	put("x", "x");
	assert_int_equal(mkdir(at("d"), 0755), 0);
	assert_int_equal(mkdir(at("d/etc"), 0755), 0);
	assert_int_equal(mkdir(at("d/etc/sudoers.d"), 0755), 0);
	put("d/etc/sudoers.d/admins", "x");
	put("upper.yaml", "image: {name: upper, from: r.yaml}\n"
	                  "units: [{name: a.timer}]\n"
	                  "copy:\n"
	                  "  - {from: x, to: /var/log/kept}\n"
	                  "  - {from: d, to: /}\n"
	                  "files:\n"
	                  "  - {path: '/root/${name}', content: x}\n"
	                  "  - {path: /var/log/gone, state: absent}\n"
	                  "  - {path: /var/log/app, state: directory}\n"
	                  "  - {path: /etc/hostname, content: \"localhost\\n\"}\n"
	                  "  - {path: /etc/resolv.conf, state: link, target: /run/x}\n");
	assert_ok(read_one("upper.yaml", NULL, &in));
	assert_string_equal(told(&in),
	                    "! logs /var/log/kept: shown at login\n"
	                    "enabled-units ssh.service: the recipe's units\n"
	                    "enabled-units a.timer: the recipe's units\n"
	                    "authorized-keys /root/upper: the recipe puts it in\n"
	                    "sudo-nopasswd /root/upper: the recipe puts it in\n"
	                    "user-jobs /root/upper: the recipe puts it in\n"
	                    "authorized-keys /var/log/gone: the recipe puts it in\n"
	                    "sudo-nopasswd /var/log/gone: the recipe puts it in\n"
	                    "user-jobs /var/log/gone: the recipe puts it in\n"
	                    "authorized-keys /var/log/app: the recipe puts it in\n"
	                    "sudo-nopasswd /var/log/app: the recipe puts it in\n"
	                    "user-jobs /var/log/app: the recipe puts it in\n"
	                    "authorized-keys /etc/hostname: the recipe puts it in\n"
	                    "sudo-nopasswd /etc/hostname: the recipe puts it in\n"
	                    "user-jobs /etc/hostname: the recipe puts it in\n"
	                    "authorized-keys /etc/resolv.conf: the recipe puts it in\n"
	                    "sudo-nopasswd /etc/resolv.conf: the recipe puts it in\n"
	                    "user-jobs /etc/resolv.conf: the recipe puts it in\n"
	                    "sudo-nopasswd /etc/sudoers.d/admins: the recipe puts it in\n"
	                    "/\n/etc\n/etc/hostname\n/etc/resolv.conf\n/etc/sudoers.d\n"
	                    "/etc/sudoers.d/admins\n/root/upper\n/var/log/app\n"
	                    "/var/log/kept\n");
}

/* Each at its place, all at once for who asks for all. */
static void what_could_not_stay(void **state)
{
	struct faults faults = {.arena = arena};
	struct hygiene_intent in;

	(void)state;
	put("x", "x");
	put("r.yaml", "image: {name: r}\n"
	              "files:\n"
	              "  - {path: /root/.npmrc, content: x}\n"
	              "  - {path: /etc/credstore/x, content: x}\n"
	              "  - {path: /etc/motd, content: x}\n"
	              "copy:\n"
	              "  - {from: x, to: /var/log/x}\n"
	              "  - {from: missing, to: /home/eve/.netrc}\n"
	              "  - {from: x, to: /root/.ssh/authorized_keys}\n"
	              "allow:\n"
	              "  - {rule: private-kays, path: /opt, reason: x}\n");
	assert_true(read_one("r.yaml", &faults, &in) < 0);
	assert_int_equal(faults.n, 5);
	const char *const want[] = {
	        "r.yaml:11:12: unknown rule 'private-kays', did you mean 'private-keys'?",
	        "r.yaml:3:12: '/root/.npmrc' would be cleaned away by the rule user-credentials: "
	        "passwords and tokens of whoever built the image; take it out, or say by `allow` why "
	        "it may stay",
	        "r.yaml:4:12: '/etc/credstore/x' would fail the build by the rule credentials: ",
	        "r.yaml:7:19: '/var/log/x' would be cleaned away by the rule logs: ",
	        "r.yaml:8:25: '/home/eve/.netrc' would be cleaned away by the rule user-credentials: ",
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (!strstr(faults.items[i].text, want[i]))
			fail_msg("%s\n%s", faults.items[i].text, want[i]);
	assert_err(read_one("r.yaml", NULL, &in), ERR_INPUT, want[0]);
}

static void what_it_gives_a_reason_for_stays(void **state)
{
	struct hygiene_intent in;

	(void)state;
	put("x", "x");
	put("r.yaml", "image: {name: r}\n"
	              "files: [{path: /root/.npmrc, content: x}]\n"
	              "copy: [{from: x, to: /var/log/app/x}]\n"
	              "allow:\n"
	              "  - {rule: user-credentials, path: /root/.npmrc, reason: \"for ${name}\"}\n"
	              "  - {rule: logs, path: /var/log/app, reason: a sample}\n");
	assert_ok(read_one("r.yaml", NULL, &in));
	assert_string_equal(in.allow[0].reason, "for r");
	/* Of what is sound no fault is kept. */
	struct faults faults = {.arena = arena};
	assert_ok(read_one("r.yaml", &faults, &in));
	assert_int_equal(faults.n, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(what_it_allows_and_puts_in),
	        T(what_could_not_stay),
	        T(what_it_gives_a_reason_for_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
