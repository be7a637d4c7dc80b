/*
 * What the files of src/session share: the row of a phase, the only function that changes the
 * phase, the only one that ends a session, and how a session speaks and logs.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/session/session.h"

/* MOVED: input was consumed or the phase changed; run on. STILL: wait for the shell. */
enum step { STILL, MOVED };

struct phase_row {
    const char *name;
    enum step (*step)(struct session *s);
    /* The deadline has passed: changes the phase or sets a later deadline. */
    void (*late)(struct session *s);
};

/* The only assignment of s->phase. `deadline` is absolute. */
void session_move(struct session *s, enum phase to, uint64_t deadline);
/* The only way a session ends: the first reason wins, `* BYE` goes out where the stream allows it,
 * secrets are wiped, and the session drains. Harmless when it is ending already. */
void session_fail(struct session *s, enum reason reason);

/* Frees what nobody needs any more who is logged in. */
void session_admitted(struct session *s);

/* Lines to the client or the backend. Short of memory or room the session fails. */
void session_say(struct session *s, const char *format, ...) PRINTF(2, 3);
void session_tell(struct session *s, struct slice bytes);

/* A log line with the session's id and the client's address; NULL-safe like log_begin. */
bool session_log(struct session *s, struct log_line *line, enum log_level level, const char *event);
/* A step of a xorshift generator: for jitter and tags, never for keys. */
uint64_t session_random(struct session *s);

/* client.c: before login. */
enum step secure_step(struct session *s);
void secure_late(struct session *s);
enum step command_step(struct session *s);
void command_late(struct session *s);
enum step upgrade_step(struct session *s);
/* Forgets what was known before TLS, or before a failed login, and waits for commands. */
void command_enter(struct session *s);
/* A tagged (or, without a legal tag, untagged) BAD that counts towards limits.bad_commands. */
void command_bad(struct session *s, struct slice tag, const char *text);
/* Appends the capabilities a client may see before login, as the connection is now. */
void command_capabilities(const struct session *s, struct str *out);

/* auth.c: credentials from the client, refusals to it. */
void auth_login(struct session *s, struct slice tag, struct slice args);
void auth_authenticate(struct session *s, struct slice tag, struct slice args);
/* What this client may use and, unless NULL, the other capabilities it is shown before login. */
void auth_mechanisms(const struct session *s, bool usable[CONF_MECH_COUNT], struct str *words);
/* One line of a SASL exchange at the head of client.in. DONE: `line` without its line end, to be
 * dropped (`len` bytes) when it has been used. */
MUST_USE
enum result auth_line(struct session *s, struct slice *line, size_t *len);
enum step sasl_step(struct session *s);

/* clear.c: LOGIN or AUTHENTICATE on a connection without TLS; `complete` when the password may be
 * in the bytes. */
void clear_refuse(struct session *s, struct slice command_bytes, bool complete);

/* gate.c: the limits of users and addresses. False: the session, or the attempt, has ended. */
/* By s->remote, unless s->pass.exempt says that it is a load balancer's own. */
bool gate_arrive(struct session *s);
bool gate_attempt(struct session *s);
bool gate_admit(struct session *s);
/* How long the answer to a wrong password is held back (ms). */
uint64_t gate_penalty(struct session *s);
void gate_leave(struct session *s);

/* refuse.c: how an attempt ends that was not accepted. */
enum step refuse_step(struct session *s);
void refuse_late(struct session *s);
/* Ends the attempt; the answer goes out when its delay is over. */
void refuse_login(struct session *s, enum refusal refusal);
/* The client gave up an exchange that was under way at the backend: tagged BAD, at once. */
void refuse_cancelled(struct session *s);

/* place.c: from a user name to an open connection. */
void place_begin(struct session *s);
/* Lets go of the backend, at whatever point it is. */
void place_hang_up(struct session *s);
enum step route_step(struct session *s);
enum step place_step(struct session *s);
enum step dial_step(struct session *s);
enum step redial_step(struct session *s);
/* This candidate is no good: logs why, hangs up and tries the next. */
void place_next(struct session *s, enum refusal trouble, const char *why);
/* It greeted us and TLS is there: whatever happens now is not the fault of the connection. */
void place_reached(struct session *s);
/* From here on this candidate is the only one: credentials are being judged. */
void place_commit(struct session *s);
/* The same candidate once more, by what it shows now. */
void place_again(struct session *s);
/* The backend names another as the user's: that one is tried next, and none after it. `login` is
 * the name to use there; empty: the same. */
void place_refer(struct session *s, const struct conf_backend *to, struct slice login);
/* backend_connect or backend_login is over. */
void place_late(struct session *s);
/* It is time to ask again. */
void held_late(struct session *s);

/* backend.c: greeting, STARTTLS and login; challenge.c: a relayed SASL exchange. */
enum step greeting_step(struct session *s);
enum step starting_step(struct session *s);
enum step login_step(struct session *s);
enum step challenge_step(struct session *s);

/* tally.c: what is counted, for the process and for the backend. */
void tally_login(struct session *s);
void tally_refusal(struct session *s, enum refusal refusal);
/* A candidate was given up before it judged the login. */
void tally_failure(struct session *s);
/* Bytes relayed. */
void tally_to_client(struct session *s, size_t n);
void tally_to_backend(struct session *s, size_t n);
/* For struct track. */
void tally_landing(struct track *t, const struct track_landing *landing);

/* relay.c */
void relay_enter(struct session *s, struct slice caps);
enum step relay_step(struct session *s);
void relay_late(struct session *s);
