/*
 * The client before login: PROXY header, TLS, greeting and every command of the not-authenticated
 * state but the two that carry credentials (auth.c). Each reply is RFC 9051 section 6.1 and 6.2.
 * Owns nothing; reads client.in, writes client.out; never touches the backend.
 */
#include "session/phase.h"

#include "waypost/imap/command.h"
#include "waypost/proxyhdr/proxyhdr.h"

/* Room in client.out that any reply before login needs; with less the client is not heard. */
#define REPLY_ROOM (LIMIT_CAPS + 2048u)

static_assert(REPLY_ROOM < LIMIT_BUF, "a reply fits");

static struct scan_limits limits_of(const struct session *s)
{
    return (struct scan_limits){
        .line = s->conf->limits.line,
        .sasl_line = s->conf->limits.sasl_line,
        .literal = s->conf->limits.literal,
    };
}

void command_capabilities(const struct session *s, struct str *out)
{
    bool usable[CONF_MECH_COUNT];

    auth_mechanisms(s, usable, out);
    if (s->client.secure)
        sasl_advertise(usable, out);
    else
        str_add(out, SLICE(" STARTTLS LOGINDISABLED"));
}

static void greet(struct session *s)
{
    char storage[LIMIT_CAPS];
    struct str caps = STR_ON(storage);

    command_capabilities(s, &caps);
    session_say(s, "* OK [CAPABILITY %s] %s ready.\r\n", storage, s->conf->hostname);
}

void command_enter(struct session *s)
{
    scan_reset(&s->pre->scan);
    session_move(s, PHASE_COMMAND, s->login_until);
}

static bool header_trusted(const struct session *s)
{
    const struct conf_proxy_protocol *rule = &s->listener->proxy_protocol;

    for (size_t i = 0; i < rule->from_count; i++) {
        if (cidr_has(&rule->from[i], &s->remote))
            return true;
    }
    return false;
}

static void header_refused(struct session *s, const char *why)
{
    struct log_line line;

    if (session_log(s, &line, LEVEL_WARN, "proxy_header")) {
        log_text(&line, "listener", slice_str(s->listener->name));
        log_text(&line, "why", slice_str(why));
        log_end(&line);
    }
    session_fail(s, REASON_proxy_header);
}

/* No PROXY header stands before the first byte any more, and the address is known: TLS may begin,
 * unless too many come from there. */
static void secure_begin(struct session *s)
{
    s->header_done = true;
    s->deadline = s->began + s->conf->timeouts.handshake;
    if (gate_arrive(s) && s->listener->tls == CONF_TLS_IMPLICIT)
        s->client.ask = ASK_TLS;
}

/* What a header from a trusted sender says. NULL when TLS may begin, else why not. */
static const char *header_read(struct session *s, const struct proxyhdr *header, bool whole)
{
    if (!whole && header->fault == PROXYHDR_ABSENT && !s->listener->proxy_protocol.required)
        return NULL;
    if (!whole)
        return proxyhdr_fault_text(header->fault);
    buf_drop(&s->client.in, header->len);
    if (!header->local) {
        s->pass.exempt = false;
        s->remote = header->source;
        s->local = header->destination;
    }
    return NULL;
}

/* Reads the PROXY header, which stands in clear before anything else. Where none is configured
 * there is nobody to trust, and nothing to read. */
static enum step header_step(struct session *s)
{
    const char *trouble = NULL;
    enum result result = DONE;
    struct proxyhdr header;

    s->pass.exempt = header_trusted(s); /* until it speaks for somebody else */
    if (s->pass.exempt) {
        result = proxyhdr_parse(buf_bytes(&s->client.in), &header);
        if (result == DONE || result == BAD)
            trouble = header_read(s, &header, result == DONE);
    } else if (s->listener->proxy_protocol.required) {
        trouble = "the sender's address is not in proxy_protocol.from";
    }
    if (trouble != NULL)
        header_refused(s, trouble);
    else if (result == DONE || result == BAD)
        secure_begin(s);
    else if (s->client.eof)
        session_fail(s, REASON_client_closed);
    else
        return STILL;
    return MOVED;
}

enum step secure_step(struct session *s)
{
    if (!s->header_done)
        return header_step(s);
    if (s->listener->tls == CONF_TLS_IMPLICIT && !s->client.secure)
        return STILL;
    greet(s);
    command_enter(s);
    return MOVED;
}

void secure_late(struct session *s)
{
    if (s->header_done)
        session_fail(s, REASON_handshake_timeout);
    else if (s->listener->proxy_protocol.required)
        header_refused(s, "no header in time");
    else
        secure_begin(s); /* whoever waits for our greeting sends no header */
}

enum step upgrade_step(struct session *s)
{
    if (!s->client.secure)
        return STILL;
    /* Nothing learned in clear survives (RFC 9051 section 6.2.1). */
    s->pre->asked_capability = false;
    command_enter(s);
    return MOVED;
}

void command_late(struct session *s)
{
    session_fail(s, REASON_login_timeout);
}

void command_bad(struct session *s, struct slice tag, const char *text)
{
    if (tag.len > 0)
        session_say(s, "%.*s BAD %s\r\n", SLICE_ARG(tag), text);
    else
        session_say(s, "* BAD %s\r\n", text);
    if (++s->pre->bad_commands >= s->conf->limits.bad_commands)
        session_fail(s, REASON_too_many_bad);
}

static void do_capability(struct session *s, struct slice tag)
{
    char storage[LIMIT_CAPS];
    struct str caps = STR_ON(storage);

    s->pre->asked_capability = true;
    command_capabilities(s, &caps);
    session_say(s, "* CAPABILITY %s\r\n%.*s OK Capability completed.\r\n", storage, SLICE_ARG(tag));
}

static void do_id(struct session *s, struct slice tag, struct slice args)
{
    ident_clear(&s->pre->ident);
    if (!command_id(args, ident_keep, &s->pre->ident)) {
        ident_clear(&s->pre->ident);
        command_bad(s, tag, "ID takes NIL or a list of field and value pairs.");
        return;
    }
    session_say(s, "* ID (\"name\" \"Waypost\")\r\n%.*s OK ID completed.\r\n", SLICE_ARG(tag));
}

/* Whatever was pipelined behind STARTTLS arrived in clear and must never be carried out under TLS
 * (RFC 9051 section 6.2.1): such a client is answered BAD and let go. */
static void do_starttls(struct session *s, struct slice tag, bool pipelined)
{
    if (s->client.secure) {
        command_bad(s, tag, "TLS is active already.");
        return;
    }
    if (pipelined) {
        session_say(s, "%.*s BAD Nothing may follow STARTTLS before the handshake.\r\n",
                    SLICE_ARG(tag));
        session_fail(s, REASON_starttls_injection);
        return;
    }
    session_say(s, "%.*s OK Begin TLS negotiation now.\r\n", SLICE_ARG(tag));
    s->client.ask = ASK_TLS;
    session_move(s, PHASE_UPGRADE, s->now + s->conf->timeouts.handshake);
}

static void do_logout(struct session *s, struct slice tag)
{
    session_say(s, "* BYE Logging out.\r\n%.*s OK Logout completed.\r\n", SLICE_ARG(tag));
    session_fail(s, REASON_logout);
}

static void obey(struct session *s, const struct command *command, bool pipelined)
{
    struct slice tag = command->tag;

    switch (command->name) {
    case COMMAND_CAPABILITY:
        do_capability(s, tag);
        break;
    case COMMAND_NOOP:
        session_say(s, "%.*s OK NOOP completed.\r\n", SLICE_ARG(tag));
        break;
    case COMMAND_LOGOUT:
        do_logout(s, tag);
        break;
    case COMMAND_ID:
        do_id(s, tag, command->args);
        break;
    case COMMAND_ENABLE:
        /* Harmless before login (RFC 5161 section 3.1): nothing is enabled, nobody is hurt. */
        session_say(s, "* ENABLED\r\n%.*s OK Nothing enabled before login.\r\n", SLICE_ARG(tag));
        break;
    case COMMAND_STARTTLS:
        do_starttls(s, tag, pipelined);
        break;
    case COMMAND_LOGIN:
        auth_login(s, tag, command->args);
        break;
    case COMMAND_AUTHENTICATE:
        auth_authenticate(s, tag, command->args);
        break;
    case COMMAND_UNKNOWN:
    case COMMAND_COUNT:
        command_bad(s, tag, "Unknown command.");
        break;
    }
}

/* A word that no IMAP command could be: HTTP's "/", a header's "Host:" (RFC 9051 section 9: command
 * names are letters). */
static bool looks_foreign(struct slice word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = ascii_lower(word.ptr[i]);
        if ((c < 'a' || c > 'z') && c != '-' && c != '_' && (c < '0' || c > '9'))
            return true;
    }
    return false;
}

/* One whole command stands at the head of client.in. */
static void take_command(struct session *s)
{
    size_t len = s->pre->scan.len;
    struct slice bytes = slice_take(buf_bytes(&s->client.in), len);
    bool pipelined = buf_len(&s->client.in) > len;
    bool first = !s->pre->spoke_imap;
    struct command command = {.name = COMMAND_UNKNOWN};
    enum command_error error = command_parse(bytes, &command);

    s->pre->spoke_imap = true;
    scan_reset(&s->pre->scan);
    if (first && error != COMMAND_BAD_TAG && looks_foreign(command.word)) {
        session_fail(s, REASON_not_imap);
    } else if (error == COMMAND_BAD_TAG) {
        command_bad(s, SLICE(""), "Invalid tag.");
    } else if (!s->client.secure &&
               (command.name == COMMAND_LOGIN || command.name == COMMAND_AUTHENTICATE)) {
        clear_refuse(s, bytes, true);
    } else if (error == COMMAND_NO_NAME) {
        command_bad(s, command.tag, "No command.");
    } else if (error == COMMAND_BAD_ARGS) {
        command_bad(s, command.tag, "Invalid arguments.");
    } else {
        obey(s, &command, pipelined);
    }
    buf_drop(&s->client.in, len);
}

static void take_fault(struct session *s)
{
    struct slice tag = slice_of(s->pre->scan.tag, s->pre->scan.tag_len);
    enum scan_fault fault = s->pre->scan.fault;

    if (fault == SCAN_HOPELESS) {
        session_fail(s, REASON_overlong);
    } else if (fault == SCAN_LITERAL_TOO_BIG || fault == SCAN_LINE_TOO_LONG) {
        command_bad(s, tag, "[TOOBIG] Command is too long.");
    } else {
        command_bad(s, tag, "Invalid characters in command.");
    }
    s->pre->spoke_imap = true;
    scan_reset(&s->pre->scan);
}

/* A first byte that is no text: a TLS ClientHello on the STARTTLS port, or some other protocol.
 * Waiting for its line end would only hold the slot. */
static bool first_byte_foreign(const struct session *s)
{
    struct slice in = buf_bytes(&s->client.in);
    unsigned char c = in.len == 0 ? 'a' : (unsigned char)in.ptr[0];

    return !s->pre->spoke_imap && c != '\r' && c != '\n' && (c < 0x20 || c > 0x7E);
}

enum step command_step(struct session *s)
{
    struct scan_limits limits = limits_of(s);

    if (buf_room(&s->client.out) < REPLY_ROOM)
        return STILL;
    if (first_byte_foreign(s)) {
        session_fail(s, REASON_not_imap);
        return MOVED;
    }
    switch (scan_command(&s->pre->scan, &s->client.in, &limits)) {
    case DONE:
        take_command(s);
        return MOVED;
    case BAD:
        take_fault(s);
        return MOVED;
    case CONTINUE:
        if (s->client.secure)
            session_say(s, "+ OK\r\n");
        else
            clear_refuse(s, slice_take(buf_bytes(&s->client.in), s->pre->scan.pos), false);
        return MOVED;
    case NEED_MORE:
        break;
    }
    if (!s->client.eof)
        return STILL;
    session_fail(s, s->client.truncated ? REASON_client_truncated : REASON_client_closed);
    return MOVED;
}
