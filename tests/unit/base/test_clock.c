/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/clock. */
#include "base/clock.h"

#include <unistd.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/digest.h"
#include "base/str.h"
#include "unit.h"

static void deadlines(void **state)
{
	struct clock_fake fake = {.now_ns = 1000000000, .wall = 1769860800};
	char text[21];
	(void)state;
	clock_set_fake(&fake);
	uint64_t at = clock_in_ms(1500);
	assert_int_equal(clock_left_ms(at), 1500);
	assert_true(clock_sleep_ms(1000, at));
	assert_int_equal(clock_left_ms(at), 500);
	assert_false(clock_sleep_ms(1000, at));
	assert_int_equal(clock_left_ms(at), 0);
	assert_true(clock_passed(at));
	assert_true(clock_in_ms(UINT64_MAX) == CLOCK_NEVER);
	assert_true(clock_left_ms(CLOCK_NEVER) == UINT64_MAX);
	/* Rounded up, so that nobody waits for 0 ms until something is due. */
	static const struct {
		uint64_t ns, ms;
	} rows[] = {{0, 0}, {1, 1}, {1000000, 1}, {1000001, 2}, {2000000, 2}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(clock_left_ms(fake.now_ns + rows[i].ns), rows[i].ms);
	assert_int_equal(clock_left_ms(fake.now_ns - 1), 0);
	assert_true(clock_sleep_ms(10, clock_in_ms(10)));
	assert_true(clock_in_ms(UINT64_MAX / 1000000) == CLOCK_NEVER);
	clock_rfc3339(clock_wall(), text);
	assert_string_equal(text, "2026-01-31T12:00:00Z");
	clock_set_fake(NULL);
}

/* What waits for descriptors waits for none by a test's clock. */
static void polls(void **state)
{
	struct clock_fake fake = {.now_ns = 1000000000, .wall = 100, .together = true};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	struct pollfd one = {.fd = fds[0], .events = POLLIN};
	assert_int_equal(clock_poll(&one, 1, clock_in_ms(1)), 0);
	clock_set_fake(&fake);
	assert_int_equal(clock_wall(), 101);
	assert_int_equal(clock_poll(&one, 1, clock_in_ms(3600000)), 0);
	assert_int_equal(clock_wall(), 3701);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(clock_poll(&one, 1, clock_in_ms(3600000)), 1);
	assert_int_equal(clock_poll(&one, 1, CLOCK_NEVER), 1);
	assert_int_equal(clock_wall(), 3701);
	clock_set_fake(NULL);
	close(fds[0]);
	close(fds[1]);
}

/* Full jitter: every wait within its bound, and the bounds are used. */
static void jitter(void **state)
{
	uint32_t max_first = 0, max_late = 0;
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct backoff b = {.base_ms = 100, .cap_ms = 1000};

		for (uint32_t n = 0; n < 8; n++) {
			uint32_t bound = n < 4 ? 100u << n : 1000, ms = backoff_next_ms(&b);

			assert_true(ms <= bound);
			if (n == 0 && ms > max_first)
				max_first = ms;
			if (n == 7 && ms > max_late)
				max_late = ms;
		}
	}
	assert_true(max_first > 50 && max_late > 700);
}

static void wait_keeps_deadline(void **state)
{
	struct clock_fake fake = {.now_ns = 1};
	struct backoff b = BACKOFF_LOCAL;
	(void)state;
	clock_set_fake(&fake);
	uint64_t deadline = clock_in_ms(10000);
	assert_true(backoff_wait(&b, 3000, deadline));
	assert_true(fake.now_ns >= 3000000000u);
	assert_false(backoff_wait(&b, 8000, deadline));
	assert_true(fake.now_ns < deadline);
	clock_set_fake(NULL);
}

static void digests(void **state)
{
	char hex[SHA256_HEX], mac_hex[SHA256_HEX];
	unsigned char mac[SHA256_LEN];
	(void)state;
	digest_hex("abc", 3, hex);
	assert_string_equal(hex,
	                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_hmac("Jefe", 4, "what do ya want for nothing?", 28, mac); /* RFC 4231, case 2 */
	str_hex(mac, sizeof mac, mac_hex);
	assert_string_equal(mac_hex,
	                    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* Of "abc", as FIPS 180 and RFC 1321 print them. */
static void kinds_of_digests(void **state)
{
	static const struct {
		const char *name, *hex;
		enum digest_kind kind;
		bool strong;
	} rows[] = {
	        {"md5", "900150983cd24fb0d6963f7d28e17f72", DIGEST_MD5, false},
	        {"Sha1", "a9993e364706816aba3e25717850c26c9cd0d89d", DIGEST_SHA1, false},
	        {"SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	         DIGEST_SHA256, true},
	        {"sha512",
	         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	         DIGEST_SHA512, true},
	};
	char hex[DIGEST_HEX_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(digest_kind(rows[i].name), (int)rows[i].kind);
		assert_int_equal(digest_hex_len(rows[i].kind), strlen(rows[i].hex));
		assert_int_equal(digest_is_strong(rows[i].kind), rows[i].strong);
		assert_true(digest_hex_of(rows[i].kind, "abc", 3, hex));
		assert_string_equal(hex, rows[i].hex);
	}
	assert_int_equal(digest_kind("sha384"), -1);
	/* Piece by piece. */
	struct digest *d = digest_new_of(DIGEST_MD5);
	assert_non_null(d);
	digest_add(d, "a", 1);
	digest_add(d, "bc", 2);
	digest_sum_hex(d, hex);
	digest_close(d);
	assert_string_equal(hex, rows[0].hex);
}

/* RFC 8032, section 7.1, test 2. */
static void ed25519(void **state)
{
	unsigned char key[DIGEST_ED25519_KEY], sig[DIGEST_ED25519_SIG];
	(void)state;
	str_unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", key,
	          sizeof key);
	str_unhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	          sig, sizeof sig);
	assert_true(digest_ed25519_verify(key, "\x72", 1, sig));
	assert_false(digest_ed25519_verify(key, "\x73", 1, sig));
	sig[5] ^= 1;
	assert_false(digest_ed25519_verify(key, "\x72", 1, sig));
}

static void arenas(void **state)
{
	scope_arena struct arena *a = arena_new();
	int *list = NULL;
	size_t n = 0;
	(void)state;
	for (int i = 0; i < 1000; i++) {
		list = arena_grow(a, list, &n, sizeof *list);
		assert_int_equal(list[n - 1], 0);
		list[n - 1] = i;
	}
	assert_int_equal(n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(list[i], i);
	assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
	memset(arena_alloc(a, 1 << 20), 1, 1 << 20);
	assert_string_equal(arena_memdup(a, "abcdef", 3), "abc");
}

/* Without a fake they are the machine's. */
static void the_machines_clocks(void **state)
{
	uint64_t start = clock_now();

	(void)state;
	assert_true(clock_sleep_ms(20, CLOCK_NEVER));
	assert_true(clock_now() >= start + 20 * 1000000);
	assert_false(clock_sleep_ms(60000, clock_in_ms(5)));
	assert_true(clock_now() < start + UINT64_C(60000) * 1000000);
	assert_true(clock_wall() >= time(NULL) - 10 && clock_wall() <= time(NULL));
}

/* Pieces of every size keep apart, are empty, and lie as any type needs it. */
static void pieces_of_an_arena(void **state)
{
	scope_arena struct arena *a = arena_new();
	static const size_t sizes[] = {0, 1, 15, 16, 17, 4095, 4096, 4097, 100, 16384, 20000, 3};
	unsigned char *pieces[10 * ARRAY_LEN(sizes)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		size_t size = sizes[i % ARRAY_LEN(sizes)];

		pieces[i] = arena_alloc(a, size);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)i + 1, size);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		for (size_t k = 0; k < sizes[i % ARRAY_LEN(sizes)]; k++)
			assert_int_equal(pieces[i][k], (unsigned char)(i + 1));
	arena_close(NULL);
	arena_close_wiped(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(deadlines),
	        cmocka_unit_test(polls),
	        cmocka_unit_test(jitter),
	        cmocka_unit_test(wait_keeps_deadline),
	        cmocka_unit_test(digests),
	        cmocka_unit_test(kinds_of_digests),
	        cmocka_unit_test(ed25519),
	        cmocka_unit_test(arenas),
	        cmocka_unit_test(the_machines_clocks),
	        cmocka_unit_test(pieces_of_an_arena),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
