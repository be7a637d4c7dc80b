/*
 * Scripts for the tracker: what client and backend send, in turn. A script is replayed with every
 * step whole, byte by byte, cut at each position, and with hardly any room; what passes, what is
 * refused and the state after each step must be the same.
 */
#pragma once

#include "waypost/base/slice.h"
#include "waypost/base/str.h"
#include "waypost/imap/track.h"

#define REPLAY_STEPS  16u
#define REPLAY_OUT    4096u
#define REPLAY_PLENTY 100000u

enum side { TO_BACKEND, TO_CLIENT };

struct step {
    enum side side;
    struct slice bytes;
};

/* clang-format off */
#define C(text) {TO_BACKEND, {(text), sizeof(text) - 1}}
#define S(text) {TO_CLIENT, {(text), sizeof(text) - 1}}
/* clang-format on */

/* `states` has one word per step: commands in flight, then s safe, c client at command, i idling,
 * o opaque, b BYE seen, l LOGOUT seen, X lost; a refusal shows before as !tag. Output not given
 * is what came in. */
struct script {
    const char *name;
    struct step steps[REPLAY_STEPS];
    const char *states;
    const char *to_backend, *to_client;
};

/* Expects of each script what it says. */
void replay_all(const struct script *scripts, size_t count);

struct lane {
    char in[REPLAY_OUT], out[REPLAY_OUT];
    size_t in_len;
    struct str passed;
    bool lost;
};

struct replay {
    struct track t;
    struct lane lane[2];
    size_t room; /* at most that many bytes per call */
    struct str states;
    char states_text[512];
    bool *safe; /* by length of what passed to the client; NULL: do not record */
};

/* Owned by the caller, freed with free(). At most `room` bytes pass in one call of the tracker. */
struct replay *replay_new(size_t room);
/* Bytes arrive; everything that may move does. */
void replay_feed(struct replay *r, enum side side, struct slice bytes);
