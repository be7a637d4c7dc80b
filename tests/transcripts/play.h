/*
 * One replay of one transcript: a session of the pure core with a stand-in for the shell.
 */
#pragma once

#include "transcripts/script.h"

#include <stdint.h>

#include "waypost/session/session.h"

#define LOG_MAX (1u << 20)
#define WHOLE   SIZE_MAX

struct run {
    const struct script *script;
    struct pool pool;
    struct metrics metrics;
    struct log log;
    struct session_env env;
    struct session session;
    const struct conf *conf;
    uint64_t now;
    size_t piece;    /* bytes a deposit may have: 1, or WHOLE */
    size_t split_at; /* position in all input at which one deposit is cut; WHOLE: nowhere */
    long fail_after; /* that many blocks are given out, then memory is short; -1: never */
    size_t fed;      /* input bytes deposited so far */
    char *to_client, *to_backend, *logged; /* owned, LOG_MAX each */
    size_t to_client_len, to_backend_len, logged_len;
    size_t to_client_seen, to_backend_seen;
    const struct script_line *line; /* being carried out */
    struct session_lore lore;       /* recalls `known` for every backend */
    struct slice known;
    char noted[LIMIT_CAPS]; /* what `known` points at once a backend has said otherwise */
    struct slice placing;   /* how asks for a place are answered; empty: the usual way */
    char email[256];        /* in the client's certificate */
    bool failed;
};

/* Plays the script from end to end. False when something was not as the script says; then it was
 * complained about, unless memory was short on purpose. `run` needs script, conf, piece, split_at
 * and fail_after; its `fed` is set. */
bool play(struct run *run);
