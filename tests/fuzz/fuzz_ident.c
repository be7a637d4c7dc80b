/*
 * ID for a backend. The first line is what a TLS client put into SNI, the rest an ID argument;
 * where it is none, each of its lines is handed over as `key=value`. Whatever comes: the command
 * reads back, holds nothing that could end it early, says what the client said and then only our
 * own fields, and the next proxy keeps of it what we kept.
 */
#include <stdint.h>

#include "waypost/imap/command.h"
#include "waypost/imap/ident.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const own[] = {
    "x-session-id",     "x-originating-ip", "x-originating-port", "x-connected-ip",
    "x-connected-port", "x-proxy-ttl",      "x-client-transport", "x-connected-name",
};
static_assert(COUNT_OF(own) == IDENT_OWN_FIELDS, "all of them");

struct seen {
    const struct ident_kept *kept;
    size_t pairs, next; /* next: of own, at which to look */
};

static bool is_foreign(struct slice key)
{
    return !slice_starts_nocase(key, SLICE("x-"));
}

static void check_field(void *ctx, struct slice key, struct slice value)
{
    struct seen *seen = ctx;

    ENSURE(value.ptr != NULL);
    if (seen->pairs++ < seen->kept->count) {
        ENSURE(is_foreign(key));
        return;
    }
    while (seen->next < COUNT_OF(own) && !slice_eq(key, slice_str(own[seen->next])))
        seen->next++;
    ENSURE(seen->next < COUNT_OF(own));
    seen->next++;
}

static void check_bytes(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        ENSURE(c != '\0' && c != '\r' && c != '\n' && c < 0x80);
    }
}

static void check_next_proxy(const struct ident_kept *kept, struct slice args, unsigned ttl)
{
    struct ident_kept next = {.fields = NULL};

    ENSURE(command_id(args, ident_keep, &next));
    ENSURE(next.count == kept->count);
    ENSURE(slice_eq(slice_of(next.fields, next.len), slice_of(kept->fields, kept->len)));
    ENSURE(next.has_ttl && next.ttl == ttl);
    ident_clear(&next);
}

static void check_command(const struct ident_kept *kept, struct slice sni)
{
    static char storage[IDENT_COMMAND_MAX + 2 * LIMIT_ID_VALUE];
    struct str out = STR_ON(storage);
    struct seen seen = {.kept = kept};
    struct addr addr = {.port = 143};
    struct slice args;
    struct ident_facts facts = {
        .kept = kept,
        .session_id = SLICE("0123456789abcdef"),
        .client = &addr,
        .local = &addr,
        .ttl = kept->has_ttl ? kept->ttl : 5,
        .sni = sni,
    };

    ENSURE(ident_command(&facts, &out));
    ENSURE(sni.len > 255 || out.len < IDENT_COMMAND_MAX);
    check_bytes(str_slice(&out));
    ENSURE(slice_starts(str_slice(&out), SLICE("ID (")));
    args = slice_skip(str_slice(&out), 3);
    ENSURE(command_id(args, check_field, &seen));
    ENSURE(seen.pairs >= kept->count + IDENT_OWN_FIELDS - 1);
    check_next_proxy(kept, args, facts.ttl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct slice sni = slice_cut(&rest, '\n');
    struct ident_kept kept = {.fields = NULL};
    bool is_id = command_id(rest, ident_keep, &kept);

    ENSURE(is_id || kept.fields == NULL);
    while (!is_id && rest.len > 0) {
        struct slice value = slice_cut(&rest, '\n');
        struct slice key = slice_cut(&value, '=');
        ident_keep(&kept, key, value);
    }
    ENSURE(kept.len <= IDENT_KEPT && kept.count <= LIMIT_ID_FIELDS - IDENT_OWN_FIELDS);
    check_command(&kept, sni);
    ident_clear(&kept);
    return 0;
}
