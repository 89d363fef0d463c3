/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fleet asked for and got: its launches, as the journal's records tell. Each change is a
 * record first; reading the records again gives the same ledger.
 *
 *     {"is":"wanted","nodes":"q-dy-a-[1-3]","job":..,"user":..,"account":..,"whole":..,"at":..}
 *      until each is got or unwanted
 *     {"is":"asked","token":..,"nodes":"q-dy-a-[1-3]","type":..,"subnet":..,"market":..,
 *      "queue":..,"shape":..,"job":..,"user":..,"account":..,"whole":..,"at":..}   market: "on-demand" where there
 *      is none
 *     {"is":"got","token":..,"ids":["i-..", null, ..],"at":..}     by launch index
 *     {"is":"failed","token":..,"cause":..,"code":..,"request":..,"why":..,"at":..}
 *     {"is":"unwanted","nodes":..,"why":..,"at":..}   they are to end, also if they come later
 *     {"is":"ended","id":..,"why":..,"at":..}
 *     {"is":"mode","stopped":..,"at":..}
 *
 * A node's place is the newest launch that names it.
 */
#pragma once

#include "base/strmap.h"
#include "ledger/records.h"
#include "model/hostlist.h"

#define LEDGER_SHRINK (1UL << 20) /* bytes of the journal; then it is written anew */
#define LEDGER_TOKEN  33          /* bytes of a token and its NUL */

enum ledger_state { LEDGER_ASKED, LEDGER_GOT, LEDGER_FAILED };

struct ledger_place {
	const char *node;
	const char *id;  /* of its instance; NULL: none */
	bool unwanted;   /* Slurm gave the node up, or another launch has it */
	bool ended;      /* the instance, or it never was */
	const char *why; /* it is unwanted, or ended; or NULL */
	int64_t until;   /* seconds since 1970: the instance ended; 0: it didn't */
	size_t launch;   /* which of the ledger's it is of */
	/* clock.h, of this run only: EC2 refused to end it, and isn't asked again before. */
	uint64_t not_before;
};

/* Whose nodes are: what they all share; NULL: that isn't known, or they share it not. */
struct ledger_owner {
	const char *job, *user, *account;
};

struct ledger_launch {
	const char *token, *type, *subnet;
	const char *market; /* "on-demand", "spot", ... */
	const char *queue;  /* NULL: it has none */
	const char *shape;  /* what it was launched with, as a digest; NULL: not known */
	struct ledger_owner owner;
	bool whole;   /* all instances or none */
	int64_t at;   /* seconds since 1970: asked for */
	int64_t told; /* answered; 0: not yet */
	enum ledger_state state;
	size_t n; /* nodes; by launch index */
	struct ledger_place *places;
	const char *cause, *code, *request, *why; /* of one that failed */
	/* Of this run only, by clock.h: it isn't asked for again before; when it was last, 0: not yet.
	 * used: EC2 said that the token was used, so that it is only looked for. */
	uint64_t not_before, last;
	bool used;
};

/* A node that Slurm waits for. */
struct ledger_wish {
	const char *node;
	struct ledger_owner owner;
	bool whole; /* its job wants all its nodes or none */
	bool open;  /* it has no instance yet */
};

struct ledger {
	struct arena *arena;
	size_t n_wishes;
	struct ledger_wish *wishes;
	size_t n;
	struct ledger_launch *launches; /* in the order they were asked for */
	bool stopped;                   /* nothing is launched until `start` */
	bool broken;                    /* a record can't be written: nothing more is asked for */
	/* Where the newest of each is: of launches and wishes their numbers, of places themselves. */
	struct strmap by_token, by_node, by_id, wish_of;
	const char *path;
	struct records journal;
};

/* Opens the journal for writing. */
int ledger_open(struct ledger *l, const char *path, struct err *e) ATTR_MUST_USE;
/* For those who only look; *ret_torn: bytes at its end that were never synced. */
int ledger_look(struct ledger *l, const char *path, size_t *ret_torn, struct err *e) ATTR_MUST_USE;
void ledger_close(struct ledger *l);
#define scope_ledger __attribute__((cleanup(ledger_close)))

/* A new token, of 128 random bits. */
int ledger_token(char out[static LEDGER_TOKEN], struct err *e) ATTR_MUST_USE;

/* What is written; all but got, failed and ended is synced, as it comes before what it announces.
 * Strings are copied. */
int ledger_wanted(struct ledger *l, const char *const *nodes, size_t n,
                  const struct ledger_owner *owner, bool whole, struct err *e) ATTR_MUST_USE;
struct ledger_ask {
	const char *token, *type, *subnet;
	const char *market; /* NULL: on demand */
	const char *queue;  /* NULL: none */
	const char *shape;  /* NULL: not known */
	struct ledger_owner owner;
	bool whole;
	int64_t at; /* seconds since 1970; 0: now */
	size_t n;
	const char *const *nodes;
};
int ledger_asked(struct ledger *l, const struct ledger_ask *ask, struct err *e) ATTR_MUST_USE;
/* `ids` by launch index, NULL where there is none. */
int ledger_got(struct ledger *l, const char *token, const char *const *ids, size_t n,
               struct err *e) ATTR_MUST_USE;
int ledger_failed(struct ledger *l, const char *token, const char *cause, const char *code,
                  const char *request, const char *why, struct err *e) ATTR_MUST_USE;
int ledger_unwanted(struct ledger *l, const char *const *nodes, size_t n, const char *why,
                    struct err *e) ATTR_MUST_USE;
int ledger_ended(struct ledger *l, const char *id, const char *why, struct err *e) ATTR_MUST_USE;
int ledger_mode(struct ledger *l, bool stopped, struct err *e) ATTR_MUST_USE;
int ledger_sync(struct ledger *l, struct err *e) ATTR_MUST_USE;

/* Writes the journal anew without what is over, when it has grown: call it when nothing that
 * ledger_find() and the like returned is in use. `over` (may be NULL) gets the launches that go before they
 * go, and again where a crash came between; its failure ends the shrinking. */
typedef int ledger_over_fn(void *ctx, const struct ledger_launch *const *gone, size_t n,
                           struct err *e);
int ledger_shrink(struct ledger *l, size_t above, ledger_over_fn *over, void *ctx,
                  struct err *e) ATTR_MUST_USE;

/* The newest place of a node, with its launch; NULL: it never had one. */
struct ledger_place *ledger_find(const struct ledger *l, const char *node,
                                 struct ledger_launch **ret);
/* Where a launch was asked for: "t3.micro in subnet-1", "t3.micro (spot) in subnet-1". */
const char *ledger_where(const struct ledger_launch *l, struct arena *a);
struct ledger_launch *ledger_launch_of(const struct ledger *l, const char *token);
/* The place of an instance. */
struct ledger_place *ledger_instance(const struct ledger *l, const char *id,
                                     struct ledger_launch **ret);
/* Whether the node is on its way or there: nothing needs to be launched for it. */
bool ledger_has(const struct ledger *l, const char *node);
/* Whether Slurm waits for it, and it has no instance yet. */
bool ledger_wants(const struct ledger *l, const char *node);
