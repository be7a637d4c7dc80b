/*
 * Why a session ended (reason.def), why a login was refused (refusal.def) and which limit was
 * reached (limited.def): one row each, so that log text, IMAP reply and counter of a failure cannot
 * drift apart.
 */
#pragma once

#include <stdbool.h>

#include "waypost/base/log.h"

enum reason {
    REASON_none,
#define REASON(name, text, level, bye) REASON_##name,
#include "waypost/base/reason.def"
#undef REASON
    REASON_COUNT
};

enum refusal {
    REFUSAL_none,
#define REFUSAL(name, code, text, guess) REFUSAL_##name,
#include "waypost/base/refusal.def"
#undef REFUSAL
    REFUSAL_COUNT
};

enum limited {
    LIMITED_none,
#define LIMITED(name) LIMITED_##name,
#include "waypost/base/limited.def"
#undef LIMITED
    LIMITED_COUNT
};

struct reason_row {
    const char *name;
    const char *text;
    enum log_level level;
    const char *bye; /* NULL: say nothing */
};

struct refusal_row {
    const char *name;
    const char *code; /* response code without brackets, RFC 5530 section 3 */
    const char *text;
    bool guess; /* counts towards attempts and penalties */
};

extern const struct reason_row reason_table[REASON_COUNT];
extern const struct refusal_row refusal_table[REFUSAL_COUNT];
extern const char *const limited_name[LIMITED_COUNT];
