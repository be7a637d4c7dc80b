/*
 * A relayed session. The first byte is the room of the narrow run; then come bytes of the client,
 * and each 0xff changes sides. Two trackers get the same bytes, one line by line with all the room
 * there is, one byte by byte with little: afterwards they must agree, also about which commands
 * were answered. What passes, is rewritten or
 * refused is exactly what came in; without literals in the game, no command that must be refused
 * has passed, and no capability that must be hidden.
 */
#include <stdint.h>
#include <string.h>

#include "waypost/base/check.h"
#include "waypost/base/str.h"
#include "waypost/imap/caps.h"
#include "waypost/imap/track.h"

#define MAX_INPUT 12288u
#define PLENTY    100000u
#define SWITCH    0xff

enum side { TO_BACKEND, TO_CLIENT };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct track t;
    size_t room;
    bool lost;
    bool was_opaque;
    struct lane {
        char in[MAX_INPUT], out[MAX_INPUT + 1];
        size_t in_len;
        struct str passed;
    } lane[2];
    unsigned landed[VERB_COUNT][STATUS_BYE + 1];
    struct str refused;
    char refused_text[2 * MAX_INPUT];
};

static void landed(struct track *t, const struct track_landing *landing)
{
    struct run *r = container_of(t, struct run, t);

    ENSURE(!landing->timed || landing->ms == 0);
    ENSURE(landing->verb < VERB_COUNT && landing->status <= STATUS_BYE);
    r->landed[landing->verb][landing->status]++;
}

static void init(struct run *r, size_t room)
{
    track_init(&r->t);
    r->t.landed = landed;
    memset(r->landed, 0, sizeof(r->landed));
    r->room = room;
    r->lost = r->was_opaque = false;
    r->refused = STR_ON(r->refused_text);
    for (size_t i = 0; i < 2; i++) {
        r->lane[i].in_len = 0;
        r->lane[i].passed = STR_ON(r->lane[i].out);
    }
}

static void act(struct run *r, enum side side, struct track_span span, struct slice in)
{
    struct str *passed = &r->lane[side].passed;

    ENSURE(span.len <= in.len);
    switch (span.verdict) {
    case TRACK_PASS:
        ENSURE(span.len <= r->room);
        str_add(passed, slice_take(in, span.len));
        break;
    case TRACK_CAPS:
        ENSURE(side == TO_CLIENT && span.len <= r->room && span.len <= LIMIT_CAPS_LINE);
        ENSURE(slice_find(in, '\n') == span.len - 1);
        caps_filter_line(slice_take(in, span.len), NULL, 0, passed);
        break;
    case TRACK_REFUSE:
        ENSURE(side == TO_BACKEND && span.len > 0 && r->t.refused_tag_len < LIMIT_TAG);
        str_add(&r->refused, slice_of(r->t.refused_tag, r->t.refused_tag_len));
        break;
    case TRACK_HOLD:
        ENSURE(side == TO_BACKEND && span.len == 0 && !r->t.opaque);
        break;
    case TRACK_BYE:
        ENSURE(side == TO_CLIENT && span.len == 0 && track_safe(&r->t));
        break;
    case TRACK_LOST:
        ENSURE(span.len == 0 && !r->t.opaque);
        r->lost = true;
        break;
    }
    ENSURE(!passed->overflow);
}

/* `kept`: a BYE has been held back before, and may pass now. */
static bool move_past(struct run *r, enum side side, bool kept)
{
    struct lane *lane = &r->lane[side];
    struct slice in = slice_of(lane->in, lane->in_len);
    struct track_span span;

    r->t.keep_bye = !kept;
    span =
        side == TO_BACKEND ? track_client(&r->t, in, r->room) : track_backend(&r->t, in, r->room);
    act(r, side, span, in);
    if (span.verdict == TRACK_BYE)
        return move_past(r, side, true);
    memmove(lane->in, lane->in + span.len, lane->in_len - span.len);
    lane->in_len -= span.len;
    r->was_opaque = r->was_opaque || r->t.opaque;
    return span.len > 0;
}

static bool move(struct run *r, enum side side)
{
    return move_past(r, side, false);
}

static void pump(struct run *r)
{
    for (bool moved = true; moved && !r->lost;) {
        moved = move(r, TO_CLIENT);
        moved = (!r->lost && move(r, TO_BACKEND)) || moved;
    }
}

static void feed(struct run *r, enum side side, struct slice bytes, size_t piece)
{
    struct lane *lane = &r->lane[side];
    size_t room = r->room;

    for (; bytes.len > 0 && !r->lost; bytes = slice_skip(bytes, piece)) {
        struct slice now = slice_take(bytes, piece);
        memcpy(lane->in + lane->in_len, now.ptr, now.len);
        lane->in_len += now.len;
        pump(r);
        /* Lines that go whole or not at all. */
        r->room = PLENTY;
        pump(r);
        r->room = room;
    }
}

static void agree(const struct run *a, const struct run *b)
{
    ENSURE(a->lost == b->lost);
    if (a->lost)
        return;
    ENSURE(a->t.opaque == b->t.opaque && a->t.idling == b->t.idling);
    ENSURE(a->t.saw_bye == b->t.saw_bye && a->t.saw_logout == b->t.saw_logout);
    ENSURE(a->t.in_flight == b->t.in_flight && a->t.pending_tag == b->t.pending_tag);
    ENSURE(memcmp(a->landed, b->landed, sizeof(a->landed)) == 0);
    ENSURE(track_safe(&a->t) == track_safe(&b->t));
    ENSURE(track_client_at_command(&a->t) == track_client_at_command(&b->t));
    ENSURE(slice_eq(str_slice(&a->refused), str_slice(&b->refused)));
    ENSURE(slice_eq(str_slice(&a->lane[TO_CLIENT].passed), str_slice(&b->lane[TO_CLIENT].passed)));
    /* A line that is held back at its end has passed up to there if it came in pieces. */
    ENSURE(slice_starts(str_slice(&b->lane[TO_BACKEND].passed),
                        str_slice(&a->lane[TO_BACKEND].passed)));
}

/* The next word as the most careless of servers would read it: blanks are skipped, tabs and CR are
 * nothing, NUL ends it all. */
static size_t careless_word(struct slice *line, char word[32])
{
    size_t n = 0, i = 0;

    while (i < line->len && line->ptr[i] == ' ')
        i++;
    for (; i < line->len && strchr(" \n", line->ptr[i]) == NULL; i++) {
        if (n < 32 && strchr("\t\r", line->ptr[i]) == NULL)
            word[n++] = line->ptr[i];
    }
    *line = slice_skip(*line, i);
    return n;
}

static void check_to_backend(struct slice passed)
{
    const struct slice names[] = {SLICE("UNAUTHENTICATE"), SLICE("AUTHENTICATE"),
                                  SLICE("STARTTLS")};
    char word[32];

    while (slice_find(passed, '\n') < passed.len) {
        struct slice line = slice_take(passed, slice_find(passed, '\n') + 1), name;
        passed = slice_skip(passed, line.len);
        if (careless_word(&line, word) == 0)
            continue;
        name = slice_of(word, careless_word(&line, word));
        for (size_t i = 0; i < COUNT_OF(names); i++)
            ENSURE(!slice_eq_nocase(name, names[i]));
    }
}

static void check_to_client(struct slice passed)
{
    static char storage[MAX_INPUT + 1];

    while (slice_find(passed, '\n') < passed.len) {
        struct slice line = slice_take(passed, slice_find(passed, '\n') + 1);
        struct str again = STR_ON(storage);
        caps_filter_line(line, NULL, 0, &again);
        ENSURE(slice_eq(str_slice(&again), line));
        passed = slice_skip(passed, line.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run lines, bytes;
    enum side side = TO_BACKEND;
    struct slice input;

    if (size < 2 || size > MAX_INPUT)
        return 0;
    init(&lines, PLENTY);
    init(&bytes, 1 + data[0] % 16u);
    input = slice_of(data + 1, size - 1);
    for (struct slice rest = input; rest.len > 0 && !lines.lost;) {
        struct slice part = slice_take(rest, slice_find(rest, (char)SWITCH));
        struct slice line = slice_take(part, slice_find(part, '\n') + 1);
        feed(&lines, side, line, line.len);
        feed(&bytes, side, line, 1);
        agree(&lines, &bytes);
        rest = slice_skip(rest, line.len);
        if (rest.len > 0 && line.len == part.len) {
            side = side == TO_BACKEND ? TO_CLIENT : TO_BACKEND;
            rest = slice_skip(rest, 1);
        }
    }
    if (slice_find(input, '{') < input.len || bytes.was_opaque)
        return 0;
    check_to_backend(str_slice(&bytes.lane[TO_BACKEND].passed));
    check_to_client(str_slice(&bytes.lane[TO_CLIENT].passed));
    return 0;
}
