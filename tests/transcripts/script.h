/*
 * A transcript file as a list of lines. See tests/transcripts/README.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "waypost/base/slice.h"

struct script_line {
    unsigned number; /* in the file */
    char kind;       /* 'C' 'S' '<' '>' or '!' */
    bool raw;        /* no CRLF is added */
    bool whole;      /* never split: arrives in one read */
    struct slice text;
    struct slice bytes; /* text with escapes undone, and CRLF; of joined input lines */
};

struct script {
    const char *path;
    char *memory; /* owned */
    struct slice listener;
    struct script_line *lines; /* owned */
    size_t count;
};

bool script_load(struct script *script, const char *path);
void script_free(struct script *script);
/* What the line sends or expects. */
struct slice script_bytes(const struct script_line *line);
