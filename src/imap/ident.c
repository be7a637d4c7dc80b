/*
 * The fields of an ID command for a backend (RFC 2971 section 3.3). Owns the client's fields from
 * ID to login, in one small block; borrows the rest. Never sends a line end, and never passes on a
 * field that a backend could take for one of the proxy's own.
 */
#include "waypost/imap/ident.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "waypost/imap/write.h"

#define KEPT_FIELDS (LIMIT_ID_FIELDS - IDENT_OWN_FIELDS)

/* Every byte may need a backslash, every field has quotes and spaces around it. */
static_assert(sizeof "ID ()" + 2 * IDENT_KEPT + 6 * LIMIT_ID_FIELDS +
                      IDENT_OWN_FIELDS * LIMIT_ID_KEY + 2 * 2 * 255 +
                      (IDENT_OWN_FIELDS - 2) * ADDR_TEXT <=
                  IDENT_COMMAND_MAX,
              "a command fits");

static bool can_send(struct slice key, struct slice value)
{
    return key.len <= LIMIT_ID_KEY && value.len <= LIMIT_ID_VALUE &&
           write_form_of(key) <= WRITE_QUOTED && write_form_of(value) <= WRITE_QUOTED;
}

/* --- what the client said --------------------------------------------------------------------- */

/* Cuts one field off the front of *rest; nothing in it holds a NUL. */
static struct slice cut_field(struct slice *rest, struct slice *value)
{
    struct slice key = slice_cut(rest, '\0');

    *value = slice_cut(rest, '\0');
    return key;
}

static bool has_key(const struct ident_kept *kept, struct slice key)
{
    struct slice rest = slice_of(kept->fields, kept->len), value;

    while (rest.len > 0) {
        if (slice_eq_nocase(cut_field(&rest, &value), key))
            return true;
    }
    return false;
}

/* Only a number counts. Of several the smallest: a client can end its own way early, but never
 * make a loop longer. */
static void keep_ttl(struct ident_kept *kept, struct slice value)
{
    unsigned long ttl;

    if (!slice_number(value, UINT_MAX, &ttl) || (kept->has_ttl && kept->ttl <= ttl))
        return;
    kept->has_ttl = true;
    kept->ttl = (unsigned)ttl;
}

static void append(struct ident_kept *kept, struct slice key, struct slice value)
{
    struct str out;

    if (kept->fields == NULL)
        kept->fields = malloc(IDENT_KEPT + 1);
    if (kept->fields == NULL)
        return;
    out = str_on(kept->fields + kept->len, IDENT_KEPT + 1 - kept->len);
    str_add(&out, key);
    str_addc(&out, '\0');
    str_add(&out, value);
    str_addc(&out, '\0');
    if (out.overflow)
        return;
    kept->len += out.len;
    kept->count++;
}

void ident_keep(void *ctx, struct slice key, struct slice value)
{
    struct ident_kept *kept = ctx;

    if (slice_eq_nocase(key, SLICE("x-proxy-ttl")))
        keep_ttl(kept, value);
    if (slice_starts_nocase(key, SLICE("x-")) || value.ptr == NULL || !can_send(key, value) ||
        has_key(kept, key) || kept->count == KEPT_FIELDS)
        return;
    append(kept, key, value);
}

void ident_clear(struct ident_kept *kept)
{
    free(kept->fields);
    *kept = (struct ident_kept){.fields = NULL};
}

/* --- what the backend is told ----------------------------------------------------------------- */

static void add_field(struct str *out, struct slice key, struct slice value)
{
    if (out->data[out->len - 1] != '(')
        str_addc(out, ' ');
    write_nstring(out, key);
    str_addc(out, ' ');
    write_nstring(out, value);
}

static void add_kept(struct str *out, const struct ident_kept *kept)
{
    struct slice rest = slice_of(kept->fields, kept->len), value;

    while (rest.len > 0) {
        struct slice key = cut_field(&rest, &value);
        add_field(out, key, value);
    }
}

static void add_own(struct str *out, const char *key, struct slice value)
{
    if (value.len > 0 && can_send(slice_str(key), value))
        add_field(out, slice_str(key), value);
}

static void add_number(struct str *out, const char *key, unsigned number)
{
    char digits[16];
    struct str text = STR_ON(digits);

    str_addf(&text, "%u", number);
    add_own(out, key, str_slice(&text));
}

static void add_address(struct str *out, const char *key, const struct addr *address)
{
    char text[ADDR_TEXT];

    add_own(out, key, slice_str(addr_format(address, false, text)));
}

bool ident_command(const struct ident_facts *facts, struct str *out)
{
    str_add(out, SLICE("ID ("));
    if (out->overflow)
        return false;
    if (facts->kept != NULL)
        add_kept(out, facts->kept);
    add_own(out, "x-session-id", facts->session_id);
    add_address(out, "x-originating-ip", facts->client);
    add_number(out, "x-originating-port", facts->client->port);
    add_address(out, "x-connected-ip", facts->local);
    add_number(out, "x-connected-port", facts->local->port);
    add_number(out, "x-proxy-ttl", facts->ttl);
    add_own(out, "x-client-transport", facts->tls ? SLICE("TLS") : SLICE("insecure"));
    add_own(out, "x-connected-name", facts->sni);
    str_addc(out, ')');
    return !out->overflow;
}
