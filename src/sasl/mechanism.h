/*
 * What the mechanisms share among themselves: the end of an exchange, and the GS2 header that
 * OAUTHBEARER and SCRAM begin with (RFC 5801 section 4).
 */
#pragma once

#include "waypost/sasl/sasl.h"

/* Every exchange ends here: afterwards it may begin anew, and a bad one has left nothing. */
enum result sasl_finish(struct sasl *s, bool good, enum credential_kind kind,
                        struct credentials *c);

/* Cuts the GS2 header off a message. `authzid` is the name in it, still escaped; empty when there
 * is none. False on a malformed header, and when the client binds to the channel: the channel ends
 * at the proxy, so the binding could not hold. */
MUST_USE
bool gs2_cut(struct slice *message, struct slice *authzid);
/* A saslname (RFC 5801 section 4): =2C and =3D stand for the comma and the equals sign. False when
 * `=` means anything else or the result is no legal user name. */
MUST_USE
bool gs2_unescape(struct slice saslname, struct secret *out);
void gs2_escape(struct slice name, struct str *out);

enum result xoauth2_respond(struct sasl *s, struct slice response, struct credentials *c,
                            struct slice *challenge);
enum result oauthbearer_respond(struct sasl *s, struct slice response, struct credentials *c,
                                struct slice *challenge);
enum result scram_respond(struct sasl *s, struct slice response, struct credentials *c,
                          struct slice *challenge);
