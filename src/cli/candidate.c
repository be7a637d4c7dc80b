/*
 * Describes a backend as the configuration has it: where it is, how it proves who it is, what it is
 * told about the client, how logins are put to it. Owns nothing, connects to nothing, and never
 * shows a secret.
 */
#include "cli/candidate.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

void candidate_address(const struct conf_backend *b, struct str *out)
{
    str_addf(out, strchr(b->host, ':') != NULL ? "[%s]:%u" : "%s:%u", b->host, b->port);
}

/* ----- for people --------------------------------------------------------------------------- */

static void print_verification(const struct conf_backend *b)
{
    if (b->tls == CONF_TLS_NONE) {
        printf("           not verified\n");
        return;
    }
    printf("           verified as %s by %s", b->verify_name,
           b->verify_ca == NULL ? "the system's authorities" : b->verify_ca);
    if (b->pin_count > 0)
        printf(", one of %zu pinned keys", b->pin_count);
    if (b->client_chain != NULL)
        printf("; client certificate %s", b->client_chain);
    putchar('\n');
}

static void print_sources(const struct conf_backend *b)
{
    char text[ADDR_TEXT];

    for (size_t i = 0; i < b->source_count; i++)
        printf("%s%s", i == 0 ? "           connected to from " : ", ",
               addr_format(&b->sources[i], false, text));
    if (b->source_count > 0)
        putchar('\n');
}

static void print_identity(const struct conf_backend *b)
{
    const char *header =
        b->proxy_header == CONF_PROXY_NONE ? NULL : conf_identity_words[b->proxy_header];

    if (!b->identity_id && header == NULL)
        printf("           not told the client's address\n");
    else
        printf("           told the client's address by %s%s%s\n",
               b->identity_id ? conf_identity_words[0] : "",
               b->identity_id && header != NULL ? " and " : "", header == NULL ? "" : header);
}

static void print_login(const struct conf_backend *b)
{
    if (b->auth_forward != CONF_FORWARD_SAME)
        printf("           passwords and tokens are sent by %s\n",
               conf_forward_words[b->auth_forward]);
    if (b->master_user == NULL)
        return;
    printf("           users with a certificate are logged in by master user ");
    cli_print_foreign(slice_str(b->master_user));
    if (b->master_separator != '\0')
        printf(", behind \"%c\"", b->master_separator);
    putchar('\n');
}

void candidate_print(const struct conf_backend *b)
{
    char storage[LIMIT_HOST + 16];
    struct str address = STR_ON(storage);

    candidate_address(b, &address);
    printf("candidate  %s at %s, TLS %s\n", b->name, storage, conf_tls_words[b->tls]);
    print_verification(b);
    print_sources(b);
    print_identity(b);
    print_login(b);
}

/* ----- as JSON, in the words of routes.json ------------------------------------------------- */

static void json_verification(const struct conf_backend *b, struct json_out *out)
{
    if (b->verify_name != NULL)
        json_text(out, "verify_name", slice_str(b->verify_name));
    if (b->verify_ca != NULL)
        json_text(out, "verify_ca", slice_str(b->verify_ca));
    json_num(out, "pins", b->pin_count);
    if (b->client_chain != NULL)
        json_text(out, "client_certificate", slice_str(b->client_chain));
}

static void json_sources(const struct conf_backend *b, struct json_out *out)
{
    char text[ADDR_TEXT];

    json_begin(out, "source_addresses", '[');
    for (size_t i = 0; i < b->source_count; i++)
        json_text(out, NULL, slice_str(addr_format(&b->sources[i], false, text)));
    json_end(out, ']');
}

static void json_identity(const struct conf_backend *b, struct json_out *out)
{
    json_begin(out, "identity", '[');
    if (b->identity_id)
        json_text(out, NULL, slice_str(conf_identity_words[0]));
    if (b->proxy_header != CONF_PROXY_NONE)
        json_text(out, NULL, slice_str(conf_identity_words[b->proxy_header]));
    json_end(out, ']');
}

void candidate_json(const struct conf_backend *b, const struct standing *s, struct json_out *out)
{
    char storage[LIMIT_HOST + 16];
    struct str address = STR_ON(storage);

    candidate_address(b, &address);
    json_begin(out, NULL, '{');
    json_text(out, "backend", slice_str(b->name));
    json_text(out, "address", str_slice(&address));
    json_text(out, "tls", slice_str(conf_tls_words[b->tls]));
    json_verification(b, out);
    json_sources(b, out);
    json_identity(b, out);
    json_text(out, "auth_forward", slice_str(conf_forward_words[b->auth_forward]));
    if (b->master_user != NULL)
        json_text(out, "master_user", slice_str(b->master_user));
    if (s != NULL)
        standing_json(s, out);
    json_end(out, '}');
}
