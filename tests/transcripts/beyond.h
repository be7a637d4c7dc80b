/*
 * What the shell knows beyond one session, as a transcript says it: capabilities that others have
 * seen, and which backend takes a login.
 */
#pragma once

#include "transcripts/play.h"

/* Answers an ask for a place as the script said last. True when the core should look. */
bool beyond_place(struct run *run);
/* For the setup of the session; borrows `run`. */
struct session_lore beyond_lore(struct run *run);
