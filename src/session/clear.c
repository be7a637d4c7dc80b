/*
 * Credentials on a connection without TLS: refused, whatever they are (RFC 9051 sections 6.2.2 and
 * 6.2.3, RFC 8314 section 4.1). Names the exposed account in the log for an auditor, warns the user
 * when a password was seen. Owns nothing; the secret goes no further than the queue it came in.
 */
#include "session/phase.h"

#include "waypost/base/base64.h"
#include "waypost/imap/command.h"

/* The user a credential sent in clear belongs to, so that an auditor can find the account. */
static void exposed_user(const struct command *command, struct str *out)
{
    struct command_authenticate auth;
    struct credentials seen = {.authcid = SECRET_EMPTY};
    struct secret message = SECRET_EMPTY;
    bool plain_only[CONF_MECH_COUNT] = {[CONF_MECH_PLAIN] = true};
    const struct sasl_row *row;
    struct sasl sasl = {.row = NULL};
    struct slice challenge;

    if (command->name == COMMAND_LOGIN) {
        command_login_user(command->args, out);
        return;
    }
    if (!command_authenticate(command->args, &auth) || !auth.has_initial)
        return;
    row = sasl_find(auth.mechanism, plain_only);
    if (row == NULL || !base64_decode(auth.initial, &message))
        return;
    sasl.row = row;
    if (row->respond(&sasl, secret_reveal(&message), &seen, &challenge) == DONE)
        str_add(out, secret_reveal(&seen.authcid));
    secret_clear(&message);
    credentials_clear(&seen);
}

static bool password_seen(const struct command *command)
{
    struct command_authenticate auth;

    if (command->name == COMMAND_LOGIN)
        return command->args.len > 0;
    return command_authenticate(command->args, &auth) && auth.has_initial;
}

void clear_refuse(struct session *s, struct slice bytes, bool complete)
{
    char storage[LIMIT_USER + 1];
    struct str user = STR_ON(storage);
    struct command command = {.name = COMMAND_UNKNOWN};
    struct log_line line;
    bool legible = command_parse(bytes, &command) != COMMAND_BAD_TAG;
    bool credential = command.name == COMMAND_LOGIN || command.name == COMMAND_AUTHENTICATE;
    bool exposed = complete && legible && password_seen(&command);

    if (!credential) {
        command_bad(s, legible ? command.tag : SLICE(""), "No literal is taken before TLS.");
    } else {
        exposed_user(&command, &user);
        if (session_log(s, &line, LEVEL_WARN, "credentials_in_clear")) {
            log_text(&line, "user", str_slice(&user));
            log_text(&line, "listener", slice_str(s->listener->name));
            log_text(&line, "password_seen", exposed ? SLICE("yes") : SLICE("no"));
            log_end(&line);
        }
        if (exposed)
            session_say(s, "* BAD [ALERT] Your password was sent over the network without "
                           "protection: change it, and let your mail program use TLS.\r\n");
        session_say(s, "%.*s NO [%s] %s\r\n", SLICE_ARG(command.tag),
                    refusal_table[REFUSAL_privacy].code, refusal_table[REFUSAL_privacy].text);
        metric_add(&s->env->metrics->logins_refused[REFUSAL_privacy], 1);
        if (++s->pre->bad_commands >= s->conf->limits.bad_commands)
            session_fail(s, REASON_too_many_bad);
    }
    if (!complete) {
        /* The announced literal is refused, so the client will not send it. */
        buf_drop(&s->client.in, bytes.len);
        scan_reset(&s->pre->scan);
    }
}
