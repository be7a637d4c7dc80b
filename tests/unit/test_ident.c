/*
 * ID for a backend: what is kept of a client's own fields, and that the command built from it reads
 * back with the parser that reads a client's.
 */
#include "waypost/imap/ident.h"

#include <criterion/criterion.h>

#include "waypost/imap/command.h"

static const struct addr v4 = {.ip = {[10] = 0xFF, 0xFF, 192, 0, 2, 7}, .port = 50143};
static const struct addr v6 = {.ip = {0x20, 0x01, 0x0D, 0xB8, [15] = 1}, .port = 993};

static struct ident_facts some_facts(const struct ident_kept *kept)
{
    return (struct ident_facts){.kept = kept,
                                .session_id = SLICE("0123456789abcdef"),
                                .client = &v4,
                                .local = &v6,
                                .ttl = 6,
                                .tls = true,
                                .sni = SLICE("imap.example.org")};
}

static struct ident_kept kept_of(struct slice args)
{
    struct ident_kept kept = {.fields = NULL};

    cr_assert(command_id(args, ident_keep, &kept), "%.60s", args.ptr);
    return kept;
}

/* The command with the fields of the client's ID, in static storage. */
static const char *built(struct slice args)
{
    static char storage[IDENT_COMMAND_MAX];
    struct str out = STR_ON(storage);
    struct ident_kept kept = kept_of(args);
    struct ident_facts facts = some_facts(&kept);

    cr_assert(ident_command(&facts, &out));
    cr_expect(command_id(slice_skip(str_slice(&out), 3), NULL, NULL), "%s", storage);
    ident_clear(&kept);
    return storage;
}

#define OWN                                                                              \
    "\"x-session-id\" \"0123456789abcdef\" \"x-originating-ip\" \"192.0.2.7\""           \
    " \"x-originating-port\" \"50143\" \"x-connected-ip\" \"2001:db8::1\""               \
    " \"x-connected-port\" \"993\" \"x-proxy-ttl\" \"6\" \"x-client-transport\" \"TLS\"" \
    " \"x-connected-name\" \"imap.example.org\")"

Test(ident, our_own_fields)
{
    cr_expect_str_eq(built(SLICE("NIL")), "ID (" OWN);
    cr_expect_str_eq(built(SLICE("()")), "ID (" OWN);
}

Test(ident, the_fields_of_the_client_come_first)
{
    cr_expect_str_eq(built(SLICE("(\"name\" \"Tool\" \"version\" \"1.0 beta\")")),
                     "ID (\"name\" \"Tool\" \"version\" \"1.0 beta\" " OWN);
    cr_expect_str_eq(built(SLICE("({4}\r\nname {1+}\r\n\" \"\" \"\\\\\")")),
                     "ID (\"name\" \"\\\"\" \"\" \"\\\\\" " OWN);
}

Test(ident, without_a_client_that_said_anything)
{
    char storage[IDENT_COMMAND_MAX];
    struct str out = STR_ON(storage);
    struct ident_facts facts = some_facts(NULL);

    facts.client = &v6;
    facts.local = &v4;
    facts.tls = false;
    facts.sni = SLICE("");
    facts.ttl = 0;
    cr_assert(ident_command(&facts, &out));
    cr_expect_str_eq(storage, "ID (\"x-session-id\" \"0123456789abcdef\" \"x-originating-ip\" "
                              "\"2001:db8::1\" \"x-originating-port\" \"993\" \"x-connected-ip\" "
                              "\"192.0.2.7\" \"x-connected-port\" \"50143\" \"x-proxy-ttl\" \"0\" "
                              "\"x-client-transport\" \"insecure\")");
}

Test(ident, t60_fields_that_would_pass_for_ours_are_dropped)
{
    cr_expect_str_eq(built(SLICE("(\"x-originating-ip\" \"198.51.100.1\")")), "ID (" OWN);
    cr_expect_str_eq(built(SLICE("(\"X-Originating-IP\" \"198.51.100.1\" \"X-VIA\" \"me\""
                                 " \"x-forward-user\" \"root\" \"x-session-id\" \"1\""
                                 " {11}\r\nX-pRoXy-TtL \"9\" \"x-\" \"\" \"name\" \"a\")")),
                     "ID (\"name\" \"a\" " OWN);
    cr_expect_str_eq(built(SLICE("(\"\\\\x-a\" \"b\" \"x\" \"y\" \" x-c\" \"d\")")),
                     "ID (\"\\\\x-a\" \"b\" \"x\" \"y\" \" x-c\" \"d\" " OWN);
}

Test(ident, t60_a_value_cannot_add_a_field)
{
    cr_expect_str_eq(built(SLICE("(\"a\" \"\\\" \\\"x-originating-ip\\\" \\\"::1\")")),
                     "ID (\"a\" \"\\\" \\\"x-originating-ip\\\" \\\"::1\" " OWN);
}

Test(ident, t54_the_number_of_proxies_left_is_kept)
{
    const struct {
        struct slice args;
        bool has;
        unsigned ttl;
    } rows[] = {
        {SLICE("NIL"), false, 0},
        {SLICE("(\"x-proxy-ttl\" \"4\")"), true, 4},
        {SLICE("(\"X-PROXY-TTL\" \"0\")"), true, 0},
        {SLICE("(\"x-proxy-ttl\" \"4294967295\")"), true, 4294967295u},
        {SLICE("(\"x-proxy-ttl\" \"4\" \"X-Proxy-TTL\" \"3\")"), true, 3},
        {SLICE("(\"x-proxy-ttl\" \"3\" \"x-proxy-ttl\" \"4\")"), true, 3},
        {SLICE("(\"x-proxy-ttl\" \"3\" \"x-proxy-ttl\" NIL)"), true, 3},
        {SLICE("(\"x-proxy-ttl\" NIL)"), false, 0},
        {SLICE("(\"x-proxy-ttl\" \"\")"), false, 0},
        {SLICE("(\"x-proxy-ttl\" \"-1\")"), false, 0},
        {SLICE("(\"x-proxy-ttl\" \" 1\")"), false, 0},
        {SLICE("(\"x-proxy-ttl\" \"1x\")"), false, 0},
        {SLICE("(\"x-proxy-ttl\" \"4294967296\")"), false, 0},
        {SLICE("(\"x-proxy-ttl2\" \"1\" \"proxy-ttl\" \"1\")"), false, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ident_kept kept = kept_of(rows[i].args);
        cr_expect_eq(kept.has_ttl, rows[i].has, "row %zu", i);
        cr_expect_eq(kept.ttl, rows[i].ttl, "row %zu", i);
        ident_clear(&kept);
    }
}

Test(ident, what_cannot_be_quoted_is_dropped)
{
    cr_expect_str_eq(built(SLICE("(\"a\" {2}\r\n\xC3\xA4 {2}\r\n\xC3\xA4 \"b\" \"c\" NIL"
                                 " \"d\" \"e\")")),
                     "ID (\"d\" \"e\" " OWN);
    cr_expect_str_eq(built(SLICE("(\"a\" \"tab\tend\x7F\")")), "ID (\"a\" \"tab\tend\x7F\" " OWN);
}

/* Values that command_id would not let through, but another caller might. */
Test(ident, line_ends_and_nul_never_get_in)
{
    const struct slice bad[] = {SLICE("a\r\nb"), SLICE("a\nb"), SLICE("a\rb"), SLICE("a\0b")};
    struct ident_kept kept = {.fields = NULL};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        ident_keep(&kept, bad[i], SLICE("value"));
        ident_keep(&kept, SLICE("key"), bad[i]);
    }
    cr_expect_eq(kept.count, 0);
    ident_clear(&kept);
}

Test(ident, a_key_is_sent_once)
{
    cr_expect_str_eq(built(SLICE("(\"name\" \"a\" \"os\" \"name\" \"NAME\" \"b\" \"name\" \"c\")")),
                     "ID (\"name\" \"a\" \"os\" \"name\" " OWN);
}

static void keep_numbered(struct ident_kept *kept, unsigned from, unsigned to, struct slice value)
{
    for (unsigned i = from; i < to; i++) {
        char key[8];
        struct str text = STR_ON(key);
        str_addf(&text, "k%u", i);
        ident_keep(kept, str_slice(&text), value);
    }
}

Test(ident, our_own_fields_always_find_room_among_thirty)
{
    struct ident_kept kept = {.fields = NULL};
    char storage[IDENT_COMMAND_MAX];
    struct str out = STR_ON(storage);
    struct ident_facts facts = some_facts(&kept);

    keep_numbered(&kept, 0, LIMIT_ID_FIELDS, SLICE("v"));
    cr_expect_eq(kept.count, LIMIT_ID_FIELDS - IDENT_OWN_FIELDS);
    cr_assert(ident_command(&facts, &out));
    cr_expect(command_id(slice_skip(str_slice(&out), 3), NULL, NULL));
    cr_expect_not_null(strstr(storage, "\"k21\" \"v\" \"x-session-id\""), "%s", storage);
    ident_clear(&kept);
}

Test(ident, what_is_kept_is_bounded)
{
    struct ident_kept kept = {.fields = NULL};
    char value[IDENT_KEPT];

    memset(value, 'v', sizeof value);
    ident_keep(&kept, SLICE("name"), slice_of(value, IDENT_KEPT - 5));
    cr_expect_eq(kept.count, 0, "one byte too many, with its two NULs");
    ident_keep(&kept, SLICE("name"), slice_of(value, IDENT_KEPT - 6));
    cr_expect_eq(kept.count, 1);
    cr_expect_eq(kept.len, IDENT_KEPT);
    ident_keep(&kept, SLICE(""), SLICE(""));
    cr_expect_eq(kept.count, 1);
    ident_clear(&kept);
    cr_expect(kept.fields == NULL && kept.len == 0 && kept.count == 0);
    /* What is too long does not keep shorter ones out. */
    keep_numbered(&kept, 0, 3, slice_of(value, 200));
    ident_keep(&kept, SLICE("os"), SLICE("Linux"));
    cr_expect_eq(kept.count, 3);
    ident_clear(&kept);
    ident_clear(&kept);
}

Test(ident, the_longest_command_fits_and_less_room_is_noticed)
{
    struct ident_kept kept = {.fields = NULL};
    char storage[IDENT_COMMAND_MAX], quotes[IDENT_KEPT];
    struct str out = STR_ON(storage);
    struct ident_facts facts = some_facts(&kept);
    size_t len;

    memset(quotes, '"', sizeof quotes);
    keep_numbered(&kept, 0, 21, slice_of(quotes, 19));
    facts.session_id = facts.sni = slice_of(quotes, 255);
    facts.ttl = 4294967295u;
    cr_assert(ident_command(&facts, &out));
    len = out.len;
    for (size_t room = 1; room <= len; room++) {
        out = str_on(storage, room);
        cr_expect_not(ident_command(&facts, &out), "room for %zu of %zu", room - 1, len);
    }
    out = str_on(storage, len + 1);
    cr_expect(ident_command(&facts, &out));
    ident_clear(&kept);
}

Test(ident, facts_that_cannot_be_sent_are_left_out)
{
    const struct slice bad[] = {SLICE(""), SLICE("a\r\nL LOGOUT"), SLICE("\xC3\xA4"), SLICE("\0")};
    char storage[IDENT_COMMAND_MAX], longer[LIMIT_ID_VALUE + 1];

    memset(longer, 'a', sizeof longer);
    for (size_t i = 0; i <= COUNT_OF(bad); i++) {
        struct str out = STR_ON(storage);
        struct ident_facts facts = some_facts(NULL);
        facts.session_id = facts.sni = i < COUNT_OF(bad) ? bad[i] : slice_of(longer, sizeof longer);
        cr_assert(ident_command(&facts, &out));
        cr_expect_null(strstr(storage, "x-session-id"), "row %zu", i);
        cr_expect_null(strstr(storage, "x-connected-name"), "row %zu", i);
        cr_expect_eq(strncmp(storage, "ID (\"x-originating-ip\"", 22), 0, "row %zu", i);
    }
}

Test(ident, is_appended)
{
    char storage[IDENT_COMMAND_MAX];
    struct str out = STR_ON(storage);
    struct ident_facts facts = some_facts(NULL);

    str_add(&out, SLICE("W1 "));
    cr_assert(ident_command(&facts, &out));
    cr_expect_str_eq(storage, "W1 ID (" OWN);
}
