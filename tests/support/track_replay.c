/*
 * Replays scripts through a tracker. Stands in for the caller of the tracker: two queues of input,
 * two of output, a line with capabilities is filtered, a refused command noted.
 */
#include "support/track_replay.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "waypost/imap/caps.h"

static void drop(struct lane *lane, size_t n)
{
    cr_assert(n <= lane->in_len);
    memmove(lane->in, lane->in + n, lane->in_len - n);
    lane->in_len -= n;
}

/* One call of the tracker; false when nothing moved. */
static bool move(struct replay *r, enum side side)
{
    struct lane *lane = &r->lane[side];
    struct slice in = slice_of(lane->in, lane->in_len);
    struct track_span span;

    span =
        side == TO_BACKEND ? track_client(&r->t, in, r->room) : track_backend(&r->t, in, r->room);
    lane->lost = span.verdict == TRACK_LOST;
    switch (span.verdict) {
    case TRACK_PASS:
        cr_assert(span.len <= r->room);
        str_add(&lane->passed, slice_take(in, span.len));
        break;
    case TRACK_CAPS:
        cr_assert_eq(side, TO_CLIENT);
        cr_assert_eq(in.ptr[span.len - 1], '\n');
        caps_filter_line(slice_take(in, span.len), NULL, 0, &lane->passed);
        break;
    case TRACK_REFUSE:
        cr_assert_eq(side, TO_BACKEND);
        if (r->t.refused_tag_len > 0)
            str_addf(&r->states, "!%.*s ", (int)r->t.refused_tag_len, r->t.refused_tag);
        break;
    case TRACK_BYE:
    case TRACK_HOLD:
    case TRACK_LOST:
        cr_assert_eq(span.len, 0);
        break;
    }
    drop(lane, span.len);
    return span.len > 0;
}

static void pump(struct replay *r)
{
    bool moved = true;

    while (moved) {
        moved = move(r, TO_CLIENT);
        if (r->safe != NULL && track_safe(&r->t))
            r->safe[r->lane[TO_CLIENT].passed.len] = true;
        moved = move(r, TO_BACKEND) || moved;
    }
}

void replay_feed(struct replay *r, enum side side, struct slice bytes)
{
    struct lane *lane = &r->lane[side];
    size_t room = r->room;

    cr_assert(lane->in_len + bytes.len <= sizeof lane->in);
    memcpy(lane->in + lane->in_len, bytes.ptr, bytes.len);
    lane->in_len += bytes.len;
    pump(r);
    /* What needs more room than there was, like a line with capabilities, goes now. */
    r->room = REPLAY_PLENTY;
    if (room < REPLAY_PLENTY)
        pump(r);
    r->room = room;
}

static void note_state(struct replay *r)
{
    const struct track *t = &r->t;

    str_addf(&r->states, "%u%s%s%s%s%s%s%s ", t->in_flight, track_safe(t) ? "s" : "",
             track_client_at_command(t) ? "c" : "", t->idling ? "i" : "", t->opaque ? "o" : "",
             t->saw_bye ? "b" : "", t->saw_logout ? "l" : "",
             r->lane[TO_BACKEND].lost || r->lane[TO_CLIENT].lost ? "X" : "");
}

struct replay *replay_new(size_t room)
{
    struct replay *r = calloc(1, sizeof *r);

    cr_assert_not_null(r);
    track_init(&r->t);
    r->room = room;
    r->states = STR_ON(r->states_text);
    for (size_t i = 0; i < 2; i++)
        r->lane[i].passed = STR_ON(r->lane[i].out);
    return r;
}

/* Feeds the script; step `cut_step` in two pieces, or all steps in pieces of `piece` bytes. */
static void run(struct replay *r, const struct script *script, size_t piece, size_t cut_step,
                size_t cut)
{
    for (size_t i = 0; i < REPLAY_STEPS && script->steps[i].bytes.ptr != NULL; i++) {
        struct slice rest = script->steps[i].bytes;
        while (rest.len > 0) {
            size_t n = i == cut_step && rest.len > cut ? cut : piece;
            if (i == cut_step)
                cut_step = REPLAY_STEPS;
            replay_feed(r, script->steps[i].side, slice_take(rest, n));
            rest = slice_skip(rest, n);
        }
        note_state(r);
    }
}

static void compare(struct replay *r, const struct script *script, const char *how, size_t at)
{
    cr_expect_str_eq(r->states.data, script->states, "%s, %s %zu: states %s", script->name, how, at,
                     r->states.data);
    cr_expect_str_eq(r->lane[TO_BACKEND].passed.data, script->to_backend, "%s, %s %zu: passed %s",
                     script->name, how, at, r->lane[TO_BACKEND].passed.data);
    cr_expect_str_eq(r->lane[TO_CLIENT].passed.data, script->to_client, "%s, %s %zu: passed %s",
                     script->name, how, at, r->lane[TO_CLIENT].passed.data);
}

/* Every safe point of another way of feeding is one when the bytes come singly. */
static void compare_safe(const bool *fine, const bool *coarse, const struct script *script)
{
    for (size_t i = 0; i < REPLAY_OUT; i++)
        cr_expect(!coarse[i] || fine[i], "%s: %zu is no safe point", script->name, i);
}

static void join(const struct script *script, enum side side, struct str *out)
{
    for (size_t i = 0; i < REPLAY_STEPS && script->steps[i].bytes.ptr != NULL; i++) {
        if (script->steps[i].side == side)
            str_add(out, script->steps[i].bytes);
    }
}

static void replay(const struct script *given)
{
    static char all[2][REPLAY_OUT];
    static bool fine[REPLAY_OUT], coarse[REPLAY_OUT];
    const size_t rooms[] = {1, 2, 3, 7};
    struct script script = *given;
    struct str joined[2] = {STR_ON(all[0]), STR_ON(all[1])};
    struct replay *r = replay_new(REPLAY_PLENTY);

    join(given, TO_BACKEND, &joined[TO_BACKEND]);
    join(given, TO_CLIENT, &joined[TO_CLIENT]);
    if (script.to_backend == NULL)
        script.to_backend = joined[TO_BACKEND].data;
    if (script.to_client == NULL)
        script.to_client = joined[TO_CLIENT].data;
    memset(fine, 0, sizeof fine);
    memset(coarse, 0, sizeof coarse);
    r->safe = fine;
    run(r, &script, 1, REPLAY_STEPS, 0);
    compare(r, &script, "pieces of", 1);
    free(r);
    r = replay_new(REPLAY_PLENTY);
    r->safe = coarse;
    run(r, &script, REPLAY_OUT, REPLAY_STEPS, 0);
    compare(r, &script, "whole", 0);
    free(r);
    for (size_t i = 0; i < COUNT_OF(rooms); i++) {
        r = replay_new(rooms[i]);
        run(r, &script, REPLAY_OUT, REPLAY_STEPS, 0);
        compare(r, &script, "room", rooms[i]);
        free(r);
    }
    for (size_t i = 0; i < REPLAY_STEPS && script.steps[i].bytes.ptr != NULL; i++) {
        for (size_t cut = 1; cut < script.steps[i].bytes.len; cut++) {
            r = replay_new(REPLAY_PLENTY);
            r->safe = coarse;
            run(r, &script, REPLAY_OUT, i, cut);
            compare(r, &script, "cut at", i * 1000 + cut);
            free(r);
        }
    }
    compare_safe(fine, coarse, &script);
}

void replay_all(const struct script *scripts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        replay(&scripts[i]);
}
