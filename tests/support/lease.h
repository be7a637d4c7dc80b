/*
 * Stands in for those who watch over backends: every backend is well, and nobody else is there.
 */
#pragma once

#include "waypost/session/session.h"

/* Answers an ask: the first candidate that has not been tried, if there is one. */
void lease_grant(struct session *s);
/* Takes back what is no longer needed, as soon as the backend port is idle. */
void lease_take_back(struct session *s);
