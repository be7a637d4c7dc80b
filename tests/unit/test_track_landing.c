/*
 * Which command was answered, how, and after how long.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/track_replay.h"
#include "waypost/base/limits.h"

#define STEPS 12u

/* Bytes that arrive `ms` after those before. */
struct act {
    uint64_t ms;
    struct step step;
};

struct play {
    const char *name;
    struct act acts[STEPS];
    const char *landings; /* name, status, ms or -, for each */
};

static char text[2048];
static struct str told;

static void note(struct track *t, const struct track_landing *landing)
{
    static const char *const status[] = {
        [STATUS_OK] = "OK", [STATUS_NO] = "NO", [STATUS_BAD] = "BAD"};

    cr_assert_not_null(t);
    cr_assert(landing->status == STATUS_OK || landing->status == STATUS_NO ||
              landing->status == STATUS_BAD);
    str_add(&told, verb_name[landing->verb]);
    str_addf(&told, " %s ", status[landing->status]);
    if (landing->timed)
        str_addf(&told, "%u, ", landing->ms);
    else
        str_addf(&told, "-, ");
}

static void feed(struct replay *r, const struct step *step, size_t piece, size_t cut)
{
    struct slice rest = step->bytes;

    replay_feed(r, step->side, slice_take(rest, cut));
    for (rest = slice_skip(rest, cut); rest.len > 0; rest = slice_skip(rest, piece))
        replay_feed(r, step->side, slice_take(rest, piece));
}

/* Act `cut_act` comes in two pieces, all others in pieces of `piece` bytes. */
static void run(const struct play *play, size_t piece, size_t cut_act, size_t cut)
{
    struct replay *r = replay_new(REPLAY_PLENTY);

    told = STR_ON(text);
    r->t.landed = note;
    r->t.now = UINT32_MAX - 40; /* a clock may be of any age */
    for (size_t i = 0; i < STEPS && play->acts[i].step.bytes.ptr != NULL; i++) {
        r->t.now += play->acts[i].ms;
        feed(r, &play->acts[i].step, piece, i == cut_act ? cut : 0);
    }
    cr_expect_str_eq(text, play->landings, "%s, pieces of %zu, act %zu cut at %zu: %s", play->name,
                     piece, cut_act, cut, text);
    free(r);
}

static void play_all(const struct play *plays, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        run(&plays[i], REPLAY_OUT, 0, 0);
        run(&plays[i], 1, 0, 0);
        for (size_t k = 0; k < STEPS && plays[i].acts[k].step.bytes.ptr != NULL; k++) {
            for (size_t cut = 1; cut < plays[i].acts[k].step.bytes.len; cut++)
                run(&plays[i], REPLAY_OUT, k, cut);
        }
    }
}

Test(track_landing, names)
{
    static const struct play plays[] = {
        {"plain", {{0, C("a NOOP\r\n")}, {30, S("a OK done\r\n")}}, "NOOP OK 30, "},
        {"any case", {{0, C("a sElEcT x\r\n")}, {1, S("a no\r\n")}}, "SELECT NO 1, "},
        {"of two words",
         {{0, C("a UID FETCH 1 X\r\nb uid store 1 X\r\nc UID X 1\r\nd UID FETCHES 1\r\n")},
          {2, S("a OK\r\nb OK\r\nc BAD x\r\nd BAD x\r\n")}},
         "UID FETCH OK 2, UID STORE OK 2, other BAD 2, other BAD 2, "},
        {"no second word",
         {{0, C("a UID\r\nb UID \r\nc UID  FETCH 1\r\nd UID (\r\n")},
          {2, S("a BAD\r\nb BAD\r\nc BAD\r\nd BAD\r\n")}},
         "other BAD 2, other BAD 2, other BAD 2, other BAD 2, "},
        {"a second word without end",
         {{0, C("a UID EXPUNGEEXPUNGEEXPUNGE 1\r\n")}, {2, S("a BAD\r\n")}},
         "other BAD 2, "},
        {"unknown",
         {{0, C("a XYZ\r\nb X\r\n")}, {9, S("b NO\r\na OK\r\n")}},
         "other NO 9, other OK 9, "},
        {"with capabilities",
         {{0, C("a CAPABILITY\r\n")}, {5, S("a OK [CAPABILITY X] y\r\n")}},
         "CAPABILITY OK 5, "},
        {"refused here",
         {{0, C("a UNAUTHENTICATE\r\nb NOOP\r\n")}, {5, S("b OK\r\n")}},
         "NOOP OK 5, "},
    };
    play_all(plays, COUNT_OF(plays));
}

Test(track_landing, order)
{
    static const struct play plays[] = {
        {"t42 pipelined",
         {{0, C("a SELECT x\r\nb FETCH 1 X\r\n")},
          {10, C("c NOOP\r\n")},
          {5, S("a OK\r\n")},
          {0, S("* 1 FETCH (X {9}\r\nb OK x\r\n\r\n)\r\nb NO\r\n")},
          {100, S("c BAD\r\n")}},
         "SELECT OK 15, FETCH NO 15, NOOP BAD 105, "},
        {"answers out of order",
         {{0, C("a FETCH 1 X\r\n")},
          {1, C("b NOOP\r\n")},
          {1, C("c SEARCH X\r\n")},
          {1, S("c OK\r\n")},
          {10, S("a OK\r\n")},
          {10, S("b NO\r\n")}},
         "SEARCH OK 1, FETCH OK 13, NOOP NO 22, "},
        {"a tag in use twice: the older is answered first",
         {{0, C("a FETCH 1 X\r\n")},
          {1, C("b NOOP\r\n")},
          {1, C("a STORE X\r\n")},
          {1, S("a OK\r\n")},
          {10, S("a NO\r\n")},
          {0, S("b OK\r\n")}},
         "FETCH OK 3, STORE NO 11, NOOP OK 12, "},
        {"a tag used again",
         {{0, C("a NOOP\r\n")}, {1, S("a OK\r\n")}, {50, C("a CHECK\r\n")}, {2, S("a OK\r\n")}},
         "NOOP OK 1, CHECK OK 2, "},
        {"answers to nobody",
         {{0, S("a OK\r\n")},
          {0, C("a NOOP\r\n")},
          {1, S("b OK\r\n* OK x\r\n+ OK\r\n")},
          {1, S("a OK\r\na OK\r\n")}},
         "NOOP OK 2, "},
    };
    play_all(plays, COUNT_OF(plays));
}

/* What counts is how long the backend took, not how long the client did. */
Test(track_landing, times)
{
    static const struct play plays[] = {
        {"from the end of the line",
         {{0, C("a NO")}, {50, C("OP\r\n")}, {3, S("a OK\r\n")}},
         "NOOP OK 3, "},
        {"from the end of a literal",
         {{0, C("a APPEND x {4}\r\n")},
          {7, S("+ go\r\n")},
          {500, C("ab")},
          {500, C("cd\r\n")},
          {20, S("a OK\r\n")}},
         "APPEND OK 20, "},
        {"literal not wanted",
         {{0, C("a APPEND x {4}\r\n")},
          {7, S("a NO too big\r\n")},
          {9, C("a NOOP\r\n")},
          {1, S("a OK\r\n")}},
         "APPEND NO 7, NOOP OK 1, "},
        {"answered before it was whole",
         {{0, C("a APPEND x {4+}\r\nab")}, {5, S("a BAD x\r\n")}, {5, C("cd\r\n")}},
         "APPEND BAD 5, "},
        {"t67 IDLE takes as long as the client likes",
         {{0, C("a IDLE\r\n")},
          {5, S("+ idling\r\n")},
          {90000, C("DONE\r\nb NOOP\r\n")},
          {5, S("a OK\r\nb OK\r\n")}},
         "IDLE OK -, NOOP OK 5, "},
        {"hours", {{0, C("a CHECK\r\n")}, {60000000, S("a OK\r\n")}}, "CHECK OK 60000000, "},
        {"t64 nothing is known behind COMPRESS",
         {{0, C("a COMPRESS DEFLATE\r\n")},
          {5, S("a OK on\r\n")},
          {0, C("b NOOP\r\n")},
          {0, S("b OK\r\n")}},
         "COMPRESS OK 5, "},
    };
    play_all(plays, COUNT_OF(plays));
}

Test(track_landing, more_in_flight_than_remembered)
{
    struct replay *r = replay_new(REPLAY_PLENTY);
    char line[32];
    struct str out;

    told = STR_ON(text);
    r->t.landed = note;
    for (unsigned i = 0; i < TRACK_FLYING + 2; i++) {
        out = STR_ON(line);
        str_addf(&out, "t%u NOOP\r\n", i);
        replay_feed(r, TO_BACKEND, str_slice(&out));
    }
    r->t.now = 4;
    /* Beyond the first sixteen nothing is known but that there are two. */
    replay_feed(r, TO_CLIENT, SLICE("t16 OK\r\nt3 OK\r\nt17 NO\r\nt18 OK\r\n"));
    cr_expect_str_eq(text, "other OK -, NOOP OK 4, other NO -, ");
    cr_expect_eq(r->t.in_flight, TRACK_FLYING - 1);
    /* Once there is room again commands are remembered. */
    told = STR_ON(text);
    replay_feed(r, TO_BACKEND, SLICE("x CHECK\r\n"));
    replay_feed(r, TO_CLIENT, SLICE("x OK\r\nt0 OK\r\nt15 OK\r\n"));
    cr_expect_str_eq(text, "CHECK OK 0, NOOP OK 4, NOOP OK 4, ");
    free(r);
}

Test(track_landing, nobody_needs_to_listen)
{
    struct track t;

    track_init(&t);
    cr_expect_eq(track_client(&t, SLICE("a NOOP\r\n"), REPLAY_PLENTY).len, 8);
    cr_expect_eq(track_backend(&t, SLICE("a OK\r\n"), REPLAY_PLENTY).len, 6);
    cr_expect_eq(t.in_flight, 0);
}

/* One of these is in every session. */
Test(track_landing, is_small)
{
    cr_expect_leq(sizeof(struct track), 392);
}
