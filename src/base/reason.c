/*
 * The three tables of reason.h, made from the .def files. Owns nothing, decides nothing.
 */
#include "waypost/base/reason.h"

const struct reason_row reason_table[REASON_COUNT] = {
    [REASON_none] = {"none", "", LEVEL_DEBUG, NULL},
#define REASON(name, text, level, bye) [REASON_##name] = {#name, text, LEVEL_##level, bye},
#include "waypost/base/reason.def"
#undef REASON
};

const struct refusal_row refusal_table[REFUSAL_COUNT] = {
    [REFUSAL_none] = {"none", "", "", false},
#define REFUSAL(name, code, text, guess) [REFUSAL_##name] = {#name, code, text, guess},
#include "waypost/base/refusal.def"
#undef REFUSAL
};

const char *const limited_name[LIMITED_COUNT] = {
    [LIMITED_none] = "none",
#define LIMITED(name) [LIMITED_##name] = #name,
#include "waypost/base/limited.def"
#undef LIMITED
};
