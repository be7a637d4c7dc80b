/*
 * The border between a session and whoever knows which backends may be used now: their health, and
 * where the user's other sessions are. The core asks, the shell answers when it can; the answer may
 * take as long as it likes. A lease lasts from PLACED until the connection it was for is closed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/conf/conf.h"

enum lease_ask {
    LEASE_NO_ASK,
    LEASE_PLACE,  /* where may this login go? Never while a lease is held */
    LEASE_RELEASE /* once the backend port is not busy: nothing is held any more */
};

enum lease_fact {
    LEASE_UNKNOWN,
    LEASE_PLACED, /* at `backend` */
    LEASE_HELD,   /* nowhere yet: ask again at `until`, or ask for RELEASE */
    LEASE_FAILED  /* there is no backend for it */
};

/* What became of a connection, for those who watch over backends. */
enum lease_news {
    LEASE_NO_NEWS,
    LEASE_REACHED, /* it greeted us, and TLS is there */
    LEASE_MISSED,  /* it did not; nothing of the client's has been sent */
    LEASE_SILENT   /* the same, and nothing was heard of it at all */
};

struct lease {
    enum lease_ask ask;                 /* written by the core, cleared by the shell */
    enum lease_fact fact;               /* written by the shell */
    const struct conf_backend *backend; /* PLACED; borrowed from the session's configuration */
    uint64_t until;                     /* HELD; absolute ms */
    enum lease_news news;               /* written by the core, cleared by the shell */
    const char
        *why; /* MISSED, SILENT: in words; valid until the shell has read it. FAILED: static */
    /* What the core knows when it asks. */
    const struct conf_backend *failed; /* the one that was given up just now; NULL: none */
    uint32_t tried; /* bit for each candidate of the route that is out of the question */
    bool held;      /* there is a lease */
    bool committed; /* the login was sent and not refused: it may have succeeded */
};
