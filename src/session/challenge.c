/*
 * A SASL exchange between the client and its backend, relayed line by line (RFC 9051 section 6.2.2,
 * RFC 5802, RFC 7628 section 3.2.3): the proxy chose the backend by the client's first message and
 * from then on only carries base64. Keeps nothing; never counts the steps of a mechanism.
 */
#include "session/verdict.h"

/* The alphabet of RFC 4648 section 4; what the line means is between the two ends. */
static bool looks_base64(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool digit = c >= '0' && c <= '9';
        bool letter = ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
        if (!digit && !letter && c != '+' && c != '/' && c != '=')
            return false;
    }
    return true;
}

bool challenge_relay(struct session *s)
{
    struct slice text = s->pre->reply.text;

    /* Whatever comes of it is meant for this backend and no other. */
    place_commit(s);
    s->pre->exchanged = true;
    if (s->pre->credentials.kind == CREDENTIAL_PASSWORD ||
        s->pre->credentials.kind == CREDENTIAL_CERTIFICATE || !looks_base64(text)) {
        place_next(s, REFUSAL_unavailable, "sent a challenge that nobody can answer");
        return false;
    }
    session_say(s, "+ ");
    session_tell(s, text);
    session_say(s, "\r\n");
    session_move(s, PHASE_CHALLENGE, s->now + s->conf->timeouts.login);
    return true;
}

static void answer(struct session *s, struct slice line)
{
    s->pre->cancelled = slice_eq(line, SLICE("*")) || !looks_base64(line);
    if (s->pre->cancelled)
        line = SLICE("*");
    if (!buf_append(&s->backend.out, line) || !buf_append(&s->backend.out, SLICE("\r\n")))
        session_fail(s, REASON_no_memory);
    s->backend_until = s->now + s->conf->timeouts.backend_login;
    session_move(s, PHASE_LOGIN, s->backend_until);
}

enum step challenge_step(struct session *s)
{
    struct slice line = SLICE("");
    size_t len = 0;

    /* A backend that ends the exchange by itself is heard where verdicts are. */
    if (s->backend.failed || s->backend.eof) {
        session_move(s, PHASE_LOGIN, s->backend_until);
        return MOVED;
    }
    switch (auth_line(s, &line, &len)) {
    case NEED_MORE:
    case CONTINUE:
        if (!s->client.eof)
            return STILL;
        session_fail(s, REASON_client_closed);
        break;
    case BAD:
        answer(s, SLICE("*"));
        break;
    case DONE:
        answer(s, line);
        buf_drop(&s->client.in, len);
        break;
    }
    return MOVED;
}
