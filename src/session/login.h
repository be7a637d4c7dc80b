/*
 * How credentials are put to a backend: the plan (plan.c decides) and the sending (login.c). Every
 * slice of a plan points into the session's credentials, route or configuration and dies with the
 * attempt; a plan is made anew where it is needed and never kept.
 */
#pragma once

#include "session/phase.h"

enum login_form {
    FORM_NONE,           /* nothing that this backend offers can carry these credentials */
    FORM_LOGIN_TEXT,     /* LOGIN with atoms or quoted strings */
    FORM_LOGIN_LITERALS, /* LOGIN with literals */
    FORM_PLAIN,          /* AUTHENTICATE PLAIN */
    FORM_OAUTH,          /* AUTHENTICATE XOAUTH2 or OAUTHBEARER, the message made by us */
    FORM_RELAYED         /* AUTHENTICATE, the client's own message byte for byte */
};

/* What is sent next when the backend says `+`; kept in s->pre->login_part. */
enum login_part { PART_NONE, PART_MESSAGE, PART_USER, PART_PASSWORD };

struct login_plan {
    enum login_form form;
    bool at_once;                  /* initial response, or non-synchronising literals */
    enum conf_mechanism mechanism; /* FORM_OAUTH */
    const char *word;              /* name of the mechanism; static */
    struct slice authzid, name, secret;
    struct slice message;            /* FORM_RELAYED */
    char master[2 * LIMIT_USER + 2]; /* holds `name` of a `user*master` login */
    const char *why;                 /* FORM_NONE: for the log; static */
};

/* By s->pre->caps, which must be what the backend shows before login. */
void login_plan(const struct session *s, struct login_plan *out);
/* Sends the login command; its own number, or 0 when the credentials do not fit one. */
MUST_USE
unsigned login_begin(struct session *s, const struct login_plan *plan);
/* The backend said `+`: sends the next piece; false when none is left. */
bool login_continue(struct session *s, const struct login_plan *plan);
/* Sends `TAG command CRLF` under a fresh tag and returns its number. */
unsigned login_command(struct session *s, const char *command);
/* Sends ID with what the backend may know of the client; 0 when that cannot be said. */
unsigned login_identify(struct session *s);
/* The number of our command that `tag` answers; 0 if it is not ours. */
unsigned login_own_number(const struct session *s, struct slice tag);
