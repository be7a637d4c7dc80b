/*
 * One message to one mechanism, all of them enabled, for criterion tests.
 */
#pragma once

#include "waypost/sasl/sasl.h"

extern const bool sasl_all[CONF_MECH_COUNT];

/* A fresh exchange; the mechanism must exist. */
struct sasl sasl_begin(const char *mechanism);
/* What the mechanism makes of its first message. Expects that nothing is left behind when it
 * refuses, and that the credentials say which mechanism filled them when it does not. */
enum result sasl_try(const char *mechanism, struct slice message, struct credentials *c);
/* Whether the secret holds this text. */
bool sasl_holds(const struct secret *s, const char *text);
bool sasl_is_empty(const struct credentials *c);
