/*
 * The client's direction of a relayed session: literals, IDLE, COMPRESS, refused commands.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/track_replay.h"

Test(track_client, t21_client_literals)
{
    static const struct script scripts[] = {
        {.name = "non-sync",
         .steps = {C("a APPEND x {14+}\r\nb STARTTLS\r\n..\r\nc NOOP\r\n"), S("a OK\r\nc OK\r\n")},
         .states = "2sc 0sc "},
        {.name = "sync accepted",
         .steps = {C("a APPEND x {14}\r\n"), S("+ go\r\n"), C("b STARTTLS\r\n.."), C("\r\n"),
                   S("a OK\r\n")},
         .states = "1s 1s 1s 1sc 0sc "},
        {.name = "sync not waited for",
         .steps = {C("a APPEND x {5}\r\nhello\r\nb NOOP\r\n"), S("+ go\r\n"),
                   S("a OK\r\nb OK\r\n")},
         .states = "1s 2sc 0sc "},
        {.name = "t57 sync accepted with a bare plus",
         .steps = {C("a APPEND x {2}\r\n"), S("+\r\n"), C("ab\r\n")},
         .states = "1s 1s 1sc "},
        {.name = "sync refused",
         .steps = {C("a APPEND x {99}\r\n"), S("* 3 EXISTS\r\n"), S("a NO too big\r\n"),
                   C("b NOOP\r\n")},
         .states = "1s 1s 0sc 1sc "},
        {.name = "reply to another",
         .steps = {C("a NOOP\r\nb APPEND x {3}\r\n"), S("a OK\r\n"), S("+ go\r\n"), C("abc\r\n")},
         .states = "2s 1s 1s 1sc "},
        {.name = "empty literals",
         .steps = {C("a X {0+}\r\n {0}\r\n"), S("+ \r\n"), C(" y\r\n"), S("a OK\r\n")},
         .states = "1s 1s 1sc 0sc "},
        {.name = "several",
         .steps = {C("a APPEND x {1}\r\n"), S("+ \r\n"), C("A {2}\r\n"), S("+ \r\n"),
                   C("BC ~{3+}\r\n\r\nx\r\n")},
         .states = "1s 1s 1s 1s 1sc "},
        {.name = "refused in mid-command",
         .steps = {C("a APPEND x {1}\r\n"), S("+ \r\n"), C("A {2}\r\n"), S("a BAD\r\n"),
                   C("b NOOP\r\n")},
         .states = "1s 1s 1s 0sc 1sc "},
        {.name = "answered in mid-literal",
         .steps = {C("a APPEND x {4+}\r\nab"), S("a NO\r\n"), C("cd\r\nb NOOP\r\n")},
         .states = "1s 0s 1sc "},
        {.name = "answered before the line's end",
         .steps = {C("a XXXXXXXXXXXXXXX"), S("a BAD too long\r\n"), C("XX {5}\r\nb NOOP\r\n"),
                   S("b OK\r\n")},
         .states = "1s 0s 1sc 0sc "},
        {.name = "in parentheses", .steps = {C("a FETCH 1 ({1+}\r\nx)\r\n")}, .states = "1sc "},
        {.name = "no literal",
         .steps = {C("a X {5+}.\r\nb X \"{5+}\"\r\nc X {+5}\r\nd X {5\r\n")},
         .states = "4sc "},
        {.name = "no number64",
         .steps = {C("a X {9223372036854775808+}\r\nb NOOP\r\n")},
         .states = "2sc "},
        {.name = "quoted sync is the backend's to judge",
         .steps = {C("a X \"y {5}\r\nb NOOP\r\n"), S("a BAD\r\n"), S("b OK\r\n")},
         .states = "1s 1sc 0sc "},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

Test(track_client, t67_idle)
{
    static const struct script scripts[] = {
        {.name = "as written",
         .steps = {C("a IDLE\r\n"), S("+ idling\r\n"), S("* 4 EXISTS\r\n"), C("DONE\r\n"),
                   S("a OK done\r\n")},
         .states = "1si 1si 1si 1sc 0sc "},
        {.name = "any case, bare LF",
         .steps = {C("a idle\n"), S("+\n"), C("done\n"), S("a OK\n")},
         .states = "1si 1si 1sc 0sc "},
        {.name = "pipelined",
         .steps = {C("a IDLE\r\nDONE\r\nb NOOP\r\n"), S("+ \r\na OK\r\nb OK\r\n")},
         .states = "2sc 0sc "},
        {.name = "twice in one go",
         .steps = {C("a IDLE\r\nDONE\r\nb IDLE\r\nDONE\r\n"), S("+ \r\n"), S("a OK\r\n"),
                   S("+ \r\nb OK\r\n")},
         .states = "2s 2s 1sc 0sc "},
        {.name = "refused",
         .steps = {C("a IDLE\r\n"), S("a BAD no\r\n"), C("DONE\r\nb NOOP\r\n")},
         .states = "1si 0sc 1sc "},
        {.name = "ended by the backend",
         .steps = {C("a IDLE\r\n"), S("+ \r\na OK enough\r\n"), C("b NOOP\r\n")},
         .states = "1si 0sc 1sc "},
        {.name = "another line instead of DONE",
         .steps = {C("a IDLE\r\n"), S("+ \r\n"), C("b NOOP\r\n"), S("a BAD expected DONE\r\n"),
                   C("c NOOP\r\n")},
         .states = "1si 1si 1si 0sc 1sc "},
        {.name = "nearly DONE",
         .steps = {C("a IDLE\r\n"), C("DONE.\r\nDON\r\n DONE\r\n"), C("DONE\r\n")},
         .states = "1si !* 1si 1sc ",
         .to_backend = "a IDLE\r\nDONE.\r\nDON\r\nDONE\r\n"},
        {.name = "plus of IDLE is not for a literal",
         .steps = {C("a IDLE\r\nDONE\r\nb APPEND x {8}\r\n"), S("+ idling\r\n"), S("a OK\r\n"),
                   S("+ go\r\n"), C("c NOOP\r\n\r\n")},
         .states = "2s 2s 1s 1s 1sc "},
        {.name = "DONE when not idling", .steps = {C("DONE\r\na NOOP\r\n")}, .states = "1sc "},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

Test(track_client, t64_compress)
{
    static const struct script scripts[] = {
        {.name = "accepted",
         .steps = {C("a COMPRESS DEFLATE\r\n\x01\x02"), S("* 1 EXISTS\r\n"),
                   S("a OK on\r\n{5}\r\n* CAPABILITY X"), C("b STARTTLS\r\n"), S("\r\n* BYE")},
         .states = "1sc 1sc 0co 0co 0co "},
        {.name = "refused",
         .steps = {C("a COMPRESS DEFLATE\r\nb STARTTLS\r\n"), S("a NO no\r\n"), C("c NOOP\r\n")},
         .states = "1sc !b 0sc 1sc ",
         .to_backend = "a COMPRESS DEFLATE\r\nc NOOP\r\n"},
        {.name = "accepted with capabilities",
         .steps = {C("a compress DEFLATE\r\n"), S("a OK [CAPABILITY X STARTTLS] on\r\n\x01")},
         .states = "1sc 0co ",
         .to_backend = NULL,
         .to_client = "a OK [CAPABILITY X] on\r\n\x01"},
        {.name = "reply to another command",
         .steps = {C("a NOOP\r\nb COMPRESS DEFLATE\r\n"), S("a OK\r\n"), C("c NOOP\r\n"),
                   S("b BAD\r\n")},
         .states = "2sc 1sc 1sc 1sc "},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

Test(track_client, t28_reused_tags_decide_nothing)
{
    static const struct script scripts[] = {
        {.name = "compress",
         .steps = {C("a NOOP\r\na COMPRESS DEFLATE\r\n"), S("a OK noop\r\n"),
                   C("b UNAUTHENTICATE\r\n"), S("a BAD\r\n")},
         .states = "2s 1sc 1sc !b 0sc ",
         .to_backend = "a NOOP\r\na COMPRESS DEFLATE\r\n"},
        {.name = "literal",
         .steps = {C("a NOOP\r\na APPEND x {4}\r\n"), S("a OK noop\r\n"), S("+ go\r\n"),
                   C("ab\r\n\r\n")},
         .states = "2s 1s 1s 1sc "},
        {.name = "idle",
         .steps = {C("a NOOP\r\na IDLE\r\n"), S("a OK noop\r\n"), S("+ \r\n"), C("DONE\r\n")},
         .states = "2s 1si 1si 1sc "},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

Test(track_client, t65_refused_commands)
{
    static const struct script scripts[] = {
        {.name = "each",
         .steps = {C("a UNAUTHENTICATE\r\nb starttls\r\nc Authenticate PLAIN AAAA\r\nd NOOP\r\n")},
         .states = "!a !b !c 1sc ",
         .to_backend = "d NOOP\r\n"},
        {.name = "with an argument",
         .steps = {C("a STARTTLS now\r\nb UNAUTHENTICATE\nc X\r\n")},
         .states = "!a !b 1sc ",
         .to_backend = "c X\r\n"},
        {.name = "non-sync literal goes with it",
         .steps = {C("a AUTHENTICATE PLAIN {8+}\r\nb NOOP\r\n {3+}\r\nc\r\n\r\nd NOOP\r\n")},
         .states = "!a 1sc ",
         .to_backend = "d NOOP\r\n"},
        {.name = "sync literal is not waited for",
         .steps = {C("a AUTHENTICATE PLAIN {8}\r\nb NOOP\r\n")},
         .states = "!a 1sc ",
         .to_backend = "b NOOP\r\n"},
        {.name = "illegal tags are no way round",
         .steps = {C("+ STARTTLS\r\n* UNAUTHENTICATE\r\n\x01 STARTTLS\r\n STARTTLS\r\nb NOOP\r\n")},
         .states = "!* !* !* !* 1sc ",
         .to_backend = "b NOOP\r\n"},
        {.name = "while idling",
         .steps = {C("a IDLE\r\n"), C("b STARTTLS\r\n"), C("DONE\r\n")},
         .states = "1si !b 1si 1sc ",
         .to_backend = "a IDLE\r\nDONE\r\n"},
        {.name = "similar names pass",
         .steps = {C(
             "a STARTTLSX\r\nb UNAUTHENTICATED\r\nc AUTHENTICAT\r\nSTARTTLS\r\nd X STARTTLS\r\n")},
         .states = "4sc "},
        {.name = "in text it is none",
         .steps = {C("a APPEND STARTTLS {13+}\r\nb STARTTLS \r\n\r\n")},
         .states = "1sc "},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

#define TAG_63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define TAG_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(track_client, t27_tags)
{
    static const struct script scripts[] = {
        {.name = "as long as may be",
         .steps = {C(TAG_64 TAG_63 " NOOP x\r\n"), S(TAG_64 TAG_63 " OK x\r\n")},
         .states = "1sc 0sc "},
        {.name = "too long",
         .steps = {C(TAG_64 TAG_64 " NOOP x {3+}\r\nabc\r\n" TAG_64 TAG_64 "\r\na NOOP\r\n")},
         .states = "!* !* 1sc ",
         .to_backend = "a NOOP\r\n"},
        {.name = "every legal character",
         .steps = {C("!#$&',-./:;<=>?@[]^_`|}~ NOOP\r\n")},
         .states = "1sc "},
        {.name = "illegal ones",
         .steps = {C(
             "+ X\r\n* X\r\na+ X\r\n\x01 X\r\n\xc3\xa4 X\r\n(a X\r\na{1+}\r\nb X\r\nc X\r\n")},
         .states = "!* !* !* !* !* !* !* 1sc ",
         .to_backend = "c X\r\n"},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

Test(track_client, t65_odd_beginnings_hide_no_command)
{
    static const struct script scripts[] = {
        {.name = "blanks",
         .steps = {C(" a STARTTLS\r\na  STARTTLS\r\na\tSTARTTLS\r\na \tSTARTTLS\r\na \r\n")},
         .states = "!* !a !* !a !a 0sc ",
         .to_backend = ""},
        {.name = "inside the name",
         .steps = {C("a START\tTLS\r\na START\rTLS\r\na START\0TLS\r\na STARTTLS\0x\r\n")},
         .states = "!a !a !a !a 0sc ",
         .to_backend = ""},
        {.name = "behind the name",
         .steps = {C("a STARTTLS\t\r\nb UNAUTHENTICATE{1+}\r\nx\r\nc authenticate\"\r\nd X\r\n")},
         .states = "!a !b !c 1sc ",
         .to_backend = "d X\r\n"},
        {.name = "in a single word",
         .steps = {C("a\rSTARTTLS\r\n")},
         .states = "!* 0sc ",
         .to_backend = ""},
    };
    replay_all(scripts, COUNT_OF(scripts));
}

/* Whatever the pieces, the end of such a line never reaches the backend. */
static void expect_lost(struct slice line, size_t piece, bool idling)
{
    struct replay *r = replay_new(REPLAY_PLENTY);
    struct str *passed = &r->lane[TO_BACKEND].passed;

    if (idling) {
        replay_feed(r, TO_BACKEND, SLICE("i IDLE\r\n"));
        *passed = STR_ON(r->lane[TO_BACKEND].out);
    }
    for (struct slice rest = line; rest.len > 0; rest = slice_skip(rest, piece))
        replay_feed(r, TO_BACKEND, slice_take(rest, piece));
    cr_expect(r->lane[TO_BACKEND].lost, "%.*s", SLICE_ARG(line));
    cr_expect_eq(slice_find(str_slice(passed), '\n'), passed->len, "%.*s", SLICE_ARG(line));
    free(r);
}

Test(track_client, t65_literals_that_backends_read_differently)
{
    const struct {
        struct slice line;
        bool idling;
    } rows[] = {
        {SLICE("a X \"y {9+}\r\nb NOOP\r\n"), false},
        {SLICE("a X \"y\\\" {9+}\r\n"), false},
        {SLICE("a X y{9+}\r\n"), false},
        {SLICE("a X {9+}\n"), false},
        {SLICE("a X {9+}\r\nb NOOP\r\n"), true},
        {SLICE("a X {9}\r\nb NOOP\r\n"), true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t piece = 1; piece <= rows[i].line.len; piece++)
            expect_lost(rows[i].line, piece, rows[i].idling);
    }
}

Test(track_client, in_flight_beyond_what_is_remembered)
{
    struct track t;
    char line[16];

    track_init(&t);
    for (int i = 0; i < 100; i++) {
        int n = snprintf(line, sizeof line, "t%d NOOP\r\n", i);
        cr_assert_eq(track_client(&t, slice_of(line, (size_t)n), REPLAY_PLENTY).len, (size_t)n);
    }
    cr_expect_eq(t.in_flight, 100);
    /* None of the hundred may be taken for the answer to this one. */
    cr_expect_eq(track_client(&t, SLICE("z APPEND x {3}\r\n"), REPLAY_PLENTY).verdict, TRACK_HOLD);
    for (int i = 0; i < 100; i++) {
        int n = snprintf(line, sizeof line, "t%d OK\r\n", i);
        cr_assert_eq(track_backend(&t, slice_of(line, (size_t)n), REPLAY_PLENTY).len, (size_t)n);
    }
    cr_expect_eq(t.in_flight, 1);
    cr_expect_eq(track_client(&t, SLICE("z APPEND x {3}\r\n"), REPLAY_PLENTY).verdict, TRACK_PASS);
    cr_expect_eq(track_client(&t, SLICE("abc"), REPLAY_PLENTY).verdict, TRACK_HOLD);
    cr_expect_gt(track_backend(&t, SLICE("z NO\r\n"), REPLAY_PLENTY).len, 0);
    cr_expect_eq(t.in_flight, 0);
    cr_expect(track_client_at_command(&t));
}

Test(track_client, refusing_needs_no_room)
{
    struct track t;
    struct track_span span;

    track_init(&t);
    span = track_client(&t, SLICE("a STARTTLS\r\nb"), 0);
    cr_expect_eq(span.verdict, TRACK_REFUSE);
    cr_expect_eq(span.len, 12);
    span = track_client(&t, SLICE("b NOOP\r\n"), 0);
    cr_expect_eq(span.verdict, TRACK_PASS);
    cr_expect_eq(span.len, 0);
    cr_expect(track_client_at_command(&t));
    cr_expect_eq(t.in_flight, 0);
}
