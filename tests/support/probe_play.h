/*
 * The dialogue of a probe, played whole, byte by byte and in small pieces, with the same result.
 */
#pragma once

#include "waypost/probe/probe.h"

/* Lines that many dialogues have. */
#define GOOD  "* CAPABILITY IMAP4rev1 IDLE\r\nw2 OK done\r\n"
#define WORDS "IMAP4rev1 IDLE"
#define ASK   "w2 CAPABILITY\r\n"
#define START "w1 STARTTLS\r\n"
#define BYE   "w4 LOGOUT\r\n"

struct probe_play {
    const char *what;
    enum conf_tls_mode tls;
    const char *server; /* `|`: what follows is behind TLS */
    const char *sent;   /* everything we say, `|` where TLS begins */
    const char *why;    /* NULL: up */
    const char *caps;
};

/* With a password the probe logs in, as "probe"; NULL: it does not. */
void probe_play(const struct probe_play *row, const char *password);
