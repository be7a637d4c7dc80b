/*
 * Two engines that talk to each other: the bed and the pair of a test program, and what its tests
 * say and expect. For suites with .init = open_bed, .fini = close_bed.
 */
#pragma once

#include "support/tlspair.h"

extern struct tlsbed bed; /* one server, one backend, loaded */
extern struct tlspair pair;

void open_bed(void);
void close_bed(void);

/* Opens the pair, which the test closes, and brings it through the handshake. `max` bounds each of
 * its buffers. */
void meet(size_t max);
/* Puts text where the engine will take it from. */
void say(struct tlsend *end, const char *text);
/* This and no more has come; it is dropped. */
void expect_in(struct tlsend *end, const char *text);
void expect_end(const struct tlsend *end, enum tls_state state, enum tls_failure failure,
                const char *detail);
