/*
 * A relayed session: commands and replies, and the backend's direction.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/track_replay.h"
#include "waypost/base/limits.h"

Test(track, commands_and_replies)
{
    static const struct script scripts[] = {
        {.name = "one",
         .steps = {C("a NOOP\r\n"), S("* 3 EXISTS\r\n"), S("a OK done\r\n")},
         .states = "1sc 1sc 0sc "},
        {.name = "t42 pipelined",
         .steps = {C("a NOOP\r\nb SELECT x\r\nc FE"), S("a OK\r\n"), C("TCH 1 (X)\r\n"),
                   S("b NO x\r\nc BAD\r\n")},
         .states = "2sc 1sc 2sc 0sc "},
        {.name = "unfinished",
         .steps = {C("a NOOP"), S("* OK hel"), C("\r\n"), S("lo\r\n")},
         .states = "0sc 0c 1c 1sc "},
        {.name = "replies to others",
         .steps = {C("a NOOP\r\n"), S("x OK\r\na FETCH\r\n* a OK\r\n"), S("a OK\r\n")},
         .states = "1sc 1sc 0sc "},
        {.name = "more replies than commands",
         .steps = {S("a OK\r\na OK\r\n* BAD x\r\n")},
         .states = "0sc "},
        {.name = "bare LF",
         .steps = {C("a NOOP\nb NOOP\n"), S("a OK\nb OK\n")},
         .states = "2sc 0sc "},
        {.name = "logout",
         .steps = {C("a LOGOUT\r\n"), S("* BYE see you\r\n"), S("a OK done\r\n")},
         .states = "1scl 1scbl 0scbl "},
        {.name = "bye", .steps = {S("* bye shutting down\r\n")}, .states = "0scb "},
        {.name = "bye inside", .steps = {S("* X (* BYE)\r\n* BYEBYE\r\n")}, .states = "0sc "},
        {.name = "garbage of the backend's",
         .steps = {S("garbage\r\n\r\n( x {3}\r\nabc\r\n\x01 \r\n* \r\n"), C("a X\r\n")},
         .states = "0sc 1sc "},
        {.name = "lines without a name pass uncounted",
         .steps = {C("\r\n\nword\r\na NOOP\r\n"), S("word BAD x\r\n* BAD x\r\n"), S("a OK\r\n")},
         .states = "1sc 1sc 0sc "},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

Test(track, backend_literals)
{
    static const struct script scripts[] = {
        {.name = "t66 no safe point inside",
         .steps = {S("* 1 FETCH (BODY[] {20}\r\n"), S("* BYE\r\na OK hello\r\n"), S("\r"),
                   S(")\r\n")},
         .states = "0c 0c 0c 0sc "},
        {.name = "several",
         .steps = {S("* 1 FETCH (A {2}\r\nab B {0}\r\n C ~{3}\r\n\r\nx)\r\na OK\r\n")},
         .states = "0sc "},
        {.name = "non-sync form",
         .steps = {S("* 1 FETCH (A {2+}\r\n\r\n)\r\n* 2 E")},
         .states = "0c "},
        {.name = "tag inside is no reply",
         .steps = {C("a FETCH 1 X\r\n"), S("* 1 FETCH (X {11}\r\na OK done\r\n)\r\n"),
                   S("a OK\r\n")},
         .states = "1sc 1sc 0sc "},
        {.name = "capability inside is not touched",
         .steps = {S("* 1 FETCH (X {23}\r\n* CAPABILITY STARTTLS\r\n)\r\n")},
         .states = "0sc "},
        {.name = "text of a status is no literal",
         .steps = {C("a SELECT \"x{9}\"\r\n"), S("a NO no mailbox x{9}\r\n"),
                   S("* OK {5}\r\n+ {5}\r\n* 1 E\r\n")},
         .states = "1sc 0sc 0sc "},
        {.name = "leading zeros",
         .steps = {S("* X {000000000000000000000000000000000004}\r\na\r\nb\r\n")},
         .states = "0sc "},
        {.name = "no number64",
         .steps = {S("* X {9223372036854775808}\r\n* 1 E\r\n")},
         .states = "0sc "},
        {.name = "brace inside a line",
         .steps = {S("* X {5} y\r\n* X {5}x\r\n* X 5}\r\n* X {}\r\n")},
         .states = "0sc "},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

Test(track, t63_capability_lines)
{
    static const struct script scripts[] = {
        {.name = "untagged",
         .steps = {S("* CAPABILITY IMAP4rev1 STARTTLS IDLE\r\n")},
         .states = "0sc ",
         .to_backend = "",
         .to_client = "* CAPABILITY IMAP4rev1 IDLE\r\n"},
        {.name = "waits to be whole",
         .steps = {S("* OK hi\r\n* CAPABILITY IMAP4"), S("rev1 AUTH=PLAIN"),
                   S("\r\n* 1 EXISTS\r\n")},
         .states = "0sc 0sc 0sc ",
         .to_backend = "",
         .to_client = "* OK hi\r\n* CAPABILITY IMAP4rev1\r\n* 1 EXISTS\r\n"},
        {.name = "t61 tagged code",
         .steps = {C("a LOGIN u p\r\n"), S("a OK [CAPABILITY X SASL-IR] welcome {3}\r\n")},
         .states = "1sc 0sc ",
         .to_backend = NULL,
         .to_client = "a OK [CAPABILITY X] welcome {3}\r\n"},
        {.name = "untagged code",
         .steps = {S("* ok [capability UNAUTHENTICATE X]\n* 3 EXISTS\r\n")},
         .states = "0sc ",
         .to_backend = "",
         .to_client = "* ok [capability X]\n* 3 EXISTS\r\n"},
        {.name = "t65 any status",
         .steps = {S("* NO [CAPABILITY STARTTLS] x\r\nz BAD [CAPABILITY X STARTTLS] x\r\n")},
         .states = "0sc ",
         .to_backend = "",
         .to_client = "* NO [CAPABILITY] x\r\nz BAD [CAPABILITY X] x\r\n"},
        {.name = "others are not",
         .steps = {S(
             "* OK [CAPABILITIE STARTTLS]\r\n* CAPABILITYX STARTTLS\r\n* OK CAPABILITY STARTTLS\r\n"
             "+ CAPABILITY STARTTLS\r\n* ENABLED STARTTLS\r\n")},
         .states = "0sc "},
        {.name = "goodbye with a list",
         .steps = {S("* BYE [CAPABILITY STARTTLS] x\r\n")},
         .states = "0scb ",
         .to_backend = "",
         .to_client = "* BYE [CAPABILITY] x\r\n"},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

Test(track, t69_large_literals_pass_by_count)
{
    static char chunk[65536];
    const size_t size = 20u * 1024 * 1024;
    struct track t;
    size_t passed = 0, calls = 0;

    memset(chunk, '\n', sizeof chunk);
    track_init(&t);
    cr_assert_gt(track_backend(&t, SLICE("* 1 FETCH (BODY[] {20971520}\r\n"), REPLAY_PLENTY).len,
                 0);
    for (; passed < size; calls++) {
        struct track_span span = track_backend(&t, slice_of(chunk, sizeof chunk), REPLAY_PLENTY);
        cr_assert_eq(span.verdict, TRACK_PASS);
        cr_assert_eq(span.len, sizeof chunk);
        passed += span.len;
        cr_expect_not(track_safe(&t));
    }
    cr_expect_eq(calls, size / sizeof chunk);
    cr_expect_eq(track_backend(&t, SLICE(")\r\n"), REPLAY_PLENTY).len, 3);
    cr_expect(track_safe(&t));
}

Test(track, one_pass_covers_many_lines)
{
    struct track t;
    struct slice lines = SLICE("* 1 FETCH (X {3}\r\nabc)\r\n* 2 FETCH (Y)\r\na OK\r\n* 3 EX");

    track_init(&t);
    cr_expect_eq(track_backend(&t, lines, REPLAY_PLENTY).len, lines.len);
    track_init(&t);
    cr_expect_eq(track_backend(&t, lines, 25).len, 25);
    cr_expect_eq(track_backend(&t, lines, 0).len, 0);
}

/* `len` bytes of a capability line, line end included. */
static struct track_span caps_of(size_t len, size_t fed, size_t room)
{
    char *line = malloc(len);
    struct track t;
    struct track_span span;

    cr_assert_not_null(line);
    memset(line, 'x', len);
    memcpy(line, "* CAPABILITY ", 13);
    line[len - 1] = '\n';
    track_init(&t);
    span = track_backend(&t, slice_of(line, fed), room);
    free(line);
    return span;
}

Test(track, t63_capability_line_limit)
{
    const size_t max = LIMIT_CAPS_LINE;

    cr_expect_eq(caps_of(max, max, REPLAY_PLENTY).verdict, TRACK_CAPS);
    cr_expect_eq(caps_of(max, max, REPLAY_PLENTY).len, max);
    cr_expect_eq(caps_of(max, max - 1, REPLAY_PLENTY).verdict, TRACK_PASS);
    cr_expect_eq(caps_of(max, max - 1, REPLAY_PLENTY).len, 0);
    cr_expect_eq(caps_of(max, max, max - 1).verdict, TRACK_PASS);
    cr_expect_eq(caps_of(max, max, max - 1).len, 0);
    cr_expect_eq(caps_of(max + 1, max, REPLAY_PLENTY).verdict, TRACK_LOST);
    cr_expect_eq(caps_of(max + 1, max + 1, REPLAY_PLENTY).verdict, TRACK_LOST);
    cr_expect_eq(caps_of(2 * max, 2 * max, REPLAY_PLENTY).verdict, TRACK_LOST);
}
