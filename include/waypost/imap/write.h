/*
 * Writing IMAP: strings in the shortest safe form (RFC 9051 section 4.3). The caller owns the
 * target builder; credentials are built in one that is wiped afterwards.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

enum write_form {
    WRITE_ATOM,    /* astring-char only */
    WRITE_QUOTED,  /* 7-bit text without CR, LF, NUL */
    WRITE_LITERAL, /* 8-bit, or CR/LF */
    WRITE_NEVER    /* holds NUL: cannot be sent */
};

enum write_form write_form_of(struct slice value);
/* An astring in atom or quoted form. Requires one of these forms. */
void write_astring(struct str *out, struct slice value);
/* A quoted string, or NIL when value.ptr is NULL. Requires quotable bytes. */
void write_nstring(struct str *out, struct slice value);
