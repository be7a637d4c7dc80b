/*
 * What the backend says of a login, and the relayed exchange that may come before it.
 */
#pragma once

#include "session/phase.h"

/* Judges the tagged answer to our login, which stands in s->pre->reply: sets s->pre->accepted, or
 * ends the attempt at this backend. Slices of the reply stay alive while s->pre->accepted. */
void verdict_judge(struct session *s);
/* Passes an untagged or tagged ALERT of the current reply on to the client, where it may be. */
void verdict_alert(struct session *s, const char *status);
/* challenge.c: passes the backend's `+` on to the client and waits for its line. False when the
 * candidate was given up. */
bool challenge_relay(struct session *s);
